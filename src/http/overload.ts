import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { Config } from '../config/config.ts';
import { type Fault, gatewayFault } from '../ir/index.ts';
import { CALM, fairShare, look, mayEnter, type Pressure, type Reading, type ShedReason } from '../policy/overload.ts';
import { createKeyLoads, type KeyLoad } from './key-loads.ts';

type OverloadSettings = Pick<Config['limits'], 'calls' | 'bodies' | 'overload'>;

/** What the server measures of itself. */
export interface Gauges {
  /** Monotonic milliseconds. */
  now(): number;
  /** The share of the time since the last call in which the event loop did not idle. */
  busy(): number;
  /** For how long its thread had a processor since the last call, in milliseconds. */
  ran(): number;
  /** For how long what came from an upstream has waited to be read because there was other work, in milliseconds. */
  waited(now: number): number;
  /** Memory in use, of what it may be. */
  memory(settings: OverloadSettings['overload']): number;
}

/** Who is let in. */
export interface Overload {
  /**
   * A place for a call of this key, as what gives it back (to be called once), or the refusal. Decided from what is counted, so
   * that it takes no time. `bodyBytes`: what of its body will be held in memory.
   */
  enter(key: string, bodyBytes?: number): (() => void) | Fault;
  /** Calls under way. */
  readonly active: number;
  stop(): void;
}

/** What happens, for the log. `undefined`: calls are taken again. */
export type OnShedding = (reason: ShedReason | undefined) => void;

const EVERY_MS = 20;
/** Memory is asked for less often: it changes slowly, and costs a call of the system. */
const MEMORY_EVERY_MS = 500;
/** How long nothing must be under way for nothing to be measured. */
const REST_MS = 1000;
/** Smaller bodies are bounded by the number of calls. */
const SMALL_BYTES = 64 * 1024;
/** Of the caps, what one key may have: the others are let in all the same. */
const ONE_KEY_SHARE = 0.9;
/** Refused clients come back one after another, not all at once. */
const COME_BACK_S = 4;

/** Of the memory there is: what may be taken by default. */
const MEMORY_SHARE = 0.85;

/** What all processes of a server may take together by default, in bytes: most of what the machine or the container has. */
export function usableMemory(): number {
  const constrained = process.constrainedMemory();
  return (constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()) * MEMORY_SHARE;
}

/** What a process measures of itself; `waited` is told by who reads. */
export function systemGauges(waited: Gauges['waited'] = () => 0): Gauges {
  let before = performance.eventLoopUtilization();
  let cpu = process.threadCpuUsage();
  const usable = usableMemory();
  return {
    now: () => performance.now(),
    waited,
    busy() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return utilization;
    },
    ran() {
      const { user, system } = process.threadCpuUsage(cpu);
      cpu = { user: cpu.user + user, system: cpu.system + system };
      return (user + system) / 1000;
    },
    memory({ memoryBytes = usable }) {
      const { used_heap_size: used, heap_size_limit: most } = getHeapStatistics();
      return Math.max(process.memoryUsage.rss() / memoryBytes, used / (most * MEMORY_SHARE));
    },
  };
}

type RefusalReason = ShedReason | 'bodies';

const WHY: Readonly<Record<RefusalReason, string>> = {
  delay: 'it has more to do than it can (limits.overload.delay)',
  memory: 'its memory is used up (limits.overload.memory)',
  calls: 'as many calls are under way as it may have (limits.calls)',
  bodies: 'it holds as much of request bodies as it may (limits.bodies)',
};

/** Looks after itself while calls are under way: one timer, and two numbers a call. */
export function createOverload(
  settings: () => OverloadSettings,
  onShedding: OnShedding = () => undefined,
  gauges: Gauges = systemGauges(),
): Overload {
  const loads = createKeyLoads();
  let pressure: Pressure = CALM;
  let share = Infinity;
  let refused = 0;
  /** Bytes of large bodies. */
  let held = 0;
  let turn = 0;
  let timer: NodeJS.Timeout | undefined;
  let last = 0;
  let memory = { value: 0, at: -Infinity };
  let restedMs = 0;

  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
    pressure = CALM;
    share = Infinity;
  };
  const reading = (now: number, elapsedMs: number): Reading => {
    if (now - memory.at >= MEMORY_EVERY_MS) memory = { value: gauges.memory(settings().overload), at: now };
    return {
      elapsedMs,
      delayMs: Math.max(0, elapsedMs - EVERY_MS, gauges.waited(now)),
      busy: gauges.busy(),
      ranMs: gauges.ran(),
      memory: memory.value,
      inFlight: loads.active,
      refused,
    };
  };
  const isRefusing = (): boolean => pressure.shedding?.isBurst === false;
  const tick = (): void => {
    const now = gauges.now();
    const elapsedMs = now - last;
    last = now;
    loads.fade(now);
    restedMs = loads.active === 0 && !pressure.shedding ? restedMs + elapsedMs : 0;
    if (restedMs > REST_MS) return stop();
    const before = isRefusing();
    const { overload, calls } = settings();
    pressure = overload.shed ? look(pressure, reading(now, elapsedMs), { delayMs: overload.delayMs, calls }) : CALM;
    refused = 0;
    const { shedding } = pressure;
    share = shedding ? fairShare(loads.wanted(), shedding.limit) : Infinity;
    if (isRefusing() !== before) onShedding(shedding?.reason);
  };
  const start = (): void => {
    last = gauges.now();
    gauges.busy();
    gauges.ran();
    restedMs = 0;
    timer = setInterval(tick, EVERY_MS).unref();
  };
  const holding = (load: KeyLoad, bytes: number): (() => void) => {
    const leave = load.enter();
    held += bytes;
    load.held += bytes;
    return () => {
      held -= bytes;
      load.held -= bytes;
      leave();
    };
  };
  const refusal = (reason: RefusalReason): Fault =>
    gatewayFault('overloaded', `The server takes no more calls just now: ${WHY[reason]}. Try again shortly`, {
      code: 'load_shed',
      retryAfterMs: (1 + (turn++ % COME_BACK_S)) * 1000,
    });
  return {
    enter(key, bodyBytes = 0) {
      if (!timer) start();
      const load = loads.of(key);
      const { shedding } = pressure;
      const { calls } = settings();
      const isFull = loads.active >= calls || load.inFlight >= Math.ceil(calls * ONE_KEY_SHARE);
      if (isFull || (shedding && !mayEnter(shedding.limit, share, loads.active, load.inFlight))) {
        load.refused++;
        refused++;
        return refusal(isFull ? 'calls' : (shedding?.reason ?? 'delay'));
      }
      if (bodyBytes <= SMALL_BYTES) return load.enter();
      const { bodies } = settings();
      if (held + bodyBytes > bodies || load.held + bodyBytes > Math.max(bodyBytes, bodies * ONE_KEY_SHARE)) {
        load.refused++;
        refused++;
        return refusal('bodies');
      }
      return holding(load, bodyBytes);
    },
    get active() {
      return loads.active;
    },
    stop,
  };
}
