import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { Config } from '../config/config.ts';
import { type Fault, gatewayFault } from '../ir/index.ts';
import { atRest, CALM, fairShare, look, mayEnter, type Pressure, type Reading, type ShedReason } from '../policy/overload.ts';
import { createKeyLoads, type KeyLoad, type KeyLoads } from './key-loads.ts';

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
  /** Room among the bodies for what waits before it is a call, as what gives it back (to be called once), or the refusal. */
  hold(key: string, bytes: number): (() => void) | Fault;
  /** Calls under way. */
  readonly active: number;
  stop(): void;
}

/** Why calls are refused from now on, also where it is another reason than before; `undefined`: they are taken again. */
export type OnShedding = (reason: ShedReason | undefined) => void;

const EVERY_MS = 20;
/** Memory is asked for less often: it changes slowly, and costs a call of the system. */
const MEMORY_EVERY_MS = 500;
/** How long nothing must be under way for nothing to be measured. */
const REST_MS = 1000;
/** Reasons may take turns, where two bounds are near: another one is told after so long at the soonest. */
const RETELL_MS = 5000;
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

/** What this process holds of the machine's memory, in bytes. To be told it a file is opened, which a flood of connections may prevent. */
function resident(before: number): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    return before;
  }
}

/** What a process measures of itself; `waited` is told by who reads. */
export function systemGauges(waited: Gauges['waited'] = () => 0): Gauges {
  let before = performance.eventLoopUtilization();
  let cpu = process.threadCpuUsage();
  const usable = usableMemory();
  let rss = 0;
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
      rss = resident(rss);
      return Math.max(rss / memoryBytes, used / (most * MEMORY_SHARE));
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

/** What the pieces below share: one timer, and two numbers a call. */
interface Watch {
  readonly settings: () => OverloadSettings;
  readonly onShedding: OnShedding;
  readonly gauges: Gauges;
  readonly loads: KeyLoads;
  pressure: Pressure;
  /** What one key may have under way. */
  share: number;
  /** Calls since the last look. */
  refused: number;
  /** Bytes of large bodies. */
  held: number;
  /** Which of those that are refused comes back when. */
  turn: number;
  timer: NodeJS.Timeout | undefined;
  last: number;
  memory: { readonly value: number; readonly at: number };
  restedMs: number;
  /** What was told last, and when. */
  told: { readonly reason: ShedReason | undefined; readonly at: number };
}

function start(watch: Watch): void {
  const { gauges } = watch;
  watch.last = gauges.now();
  gauges.busy();
  gauges.ran();
  watch.restedMs = 0;
  watch.timer = setInterval(tick, EVERY_MS, watch).unref();
}

function stop(watch: Watch): void {
  clearInterval(watch.timer);
  watch.timer = undefined;
  watch.pressure = atRest(watch.pressure);
  watch.share = Infinity;
}

function reading(watch: Watch, now: number, elapsedMs: number): Reading {
  const { gauges, loads, refused } = watch;
  if (now - watch.memory.at >= MEMORY_EVERY_MS) watch.memory = { value: gauges.memory(watch.settings().overload), at: now };
  return {
    elapsedMs,
    delayMs: Math.max(0, elapsedMs - EVERY_MS, gauges.waited(now)),
    busy: gauges.busy(),
    ranMs: gauges.ran(),
    memory: watch.memory.value,
    inFlight: loads.active,
    ...loads.passed(),
    refused,
  };
}

/** Why calls are refused; `undefined`: they are not. */
const refusingFor = ({ pressure: { shedding } }: Watch): ShedReason | undefined =>
  shedding?.isBurst === false ? shedding.reason : undefined;

/** Says so when calls are refused from now on, for another reason than before, or taken again. */
function tell(watch: Watch, now: number): void {
  const { told, onShedding } = watch;
  const reason = refusingFor(watch);
  const isOther = told.reason !== undefined && reason !== undefined;
  if (reason === told.reason || (isOther && now - told.at < RETELL_MS)) return;
  watch.told = { reason, at: now };
  onShedding(reason);
}

function tick(watch: Watch): void {
  const { gauges, loads } = watch;
  const now = gauges.now();
  const elapsedMs = now - watch.last;
  watch.last = now;
  loads.fade(now);
  watch.restedMs = loads.active === 0 && !watch.pressure.shedding ? watch.restedMs + elapsedMs : 0;
  if (watch.restedMs > REST_MS) stop(watch);
  else judge(watch, now, elapsedMs);
}

/** Looks at what was measured. */
function judge(watch: Watch, now: number, elapsedMs: number): void {
  const { overload, calls } = watch.settings();
  const rules = { delayMs: overload.delayMs, calls };
  watch.pressure = overload.shed ? look(watch.pressure, reading(watch, now, elapsedMs), rules) : CALM;
  watch.refused = 0;
  const { shedding } = watch.pressure;
  watch.share = shedding ? fairShare(watch.loads.wanted(), shedding.limit) : Infinity;
  tell(watch, now);
}

/** Whether there is no room for so many bytes of this key's bodies. */
function isFull({ settings, held }: Watch, load: KeyLoad, bytes: number): boolean {
  const { bodies } = settings();
  return held + bytes > bodies || load.held + bytes > Math.max(bytes, bodies * ONE_KEY_SHARE);
}

/** Why a call is not let in; `undefined`: it is. */
function whyNot(watch: Watch, load: KeyLoad, bodyBytes: number): RefusalReason | undefined {
  const { settings, share, loads } = watch;
  const { shedding } = watch.pressure;
  const { calls } = settings();
  if (loads.active >= calls || load.inFlight >= Math.ceil(calls * ONE_KEY_SHARE)) return 'calls';
  if (shedding && !mayEnter(shedding.limit, share, loads.active, load.inFlight)) return shedding.reason;
  return bodyBytes > SMALL_BYTES && isFull(watch, load, bodyBytes) ? 'bodies' : undefined;
}

function refuse(watch: Watch, load: KeyLoad, reason: RefusalReason): Fault {
  load.refused++;
  watch.refused++;
  return gatewayFault('overloaded', `The server takes no more calls just now: ${WHY[reason]}. Try again shortly`, {
    code: 'load_shed',
    retryAfterMs: (1 + (watch.turn++ % COME_BACK_S)) * 1000,
  });
}

/** Counts bytes that are held. */
function holding(watch: Watch, load: KeyLoad, bytes: number): () => void {
  watch.held += bytes;
  load.held += bytes;
  return () => {
    watch.held -= bytes;
    load.held -= bytes;
  };
}

/** Lets in a call with a large body. */
function enterHolding(watch: Watch, load: KeyLoad, bytes: number): () => void {
  const leave = load.enter();
  const release = holding(watch, load, bytes);
  return () => {
    release();
    leave();
  };
}

function enter(watch: Watch, key: string, bodyBytes: number): (() => void) | Fault {
  if (!watch.timer) start(watch);
  const load = watch.loads.of(key);
  const reason = whyNot(watch, load, bodyBytes);
  if (reason) return refuse(watch, load, reason);
  return bodyBytes <= SMALL_BYTES ? load.enter() : enterHolding(watch, load, bodyBytes);
}

/** Here small bodies count too: no number of calls bounds what waits. */
function hold(watch: Watch, key: string, bytes: number): (() => void) | Fault {
  const load = watch.loads.of(key);
  return isFull(watch, load, bytes) ? refuse(watch, load, 'bodies') : holding(watch, load, bytes);
}

/** Looks after itself while calls are under way. */
export function createOverload(
  settings: () => OverloadSettings,
  onShedding: OnShedding = () => undefined,
  gauges: Gauges = systemGauges(),
): Overload {
  const loads = createKeyLoads();
  const watch: Watch = {
    settings,
    onShedding,
    gauges,
    loads,
    pressure: CALM,
    share: Infinity,
    refused: 0,
    held: 0,
    turn: 0,
    timer: undefined,
    last: 0,
    memory: { value: 0, at: -Infinity },
    restedMs: 0,
    told: { reason: undefined, at: 0 },
  };
  return {
    enter: (key, bodyBytes = 0) => enter(watch, key, bodyBytes),
    hold: (key, bytes) => hold(watch, key, bytes),
    get active() {
      return loads.active;
    },
    stop: () => stop(watch),
  };
}
