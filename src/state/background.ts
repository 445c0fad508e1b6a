import { LRUCache } from 'lru-cache';
import type { Call } from '../exchange/call.ts';
import type { OutHeaders } from '../exchange/client-sink.ts';
import { GatewayError, gatewayFault, isObject, type Json, type JsonObject } from '../ir/index.ts';
import type { StateRecord } from './ports.ts';
import { createElsewhere } from './elsewhere.ts';
import { createFrameLog, type FrameLog } from './frame-log.ts';
import type { ReplyHandler } from './reply-handler.ts';
import { finalFrame, sequenceOf } from './response-frames.ts';
import { recordResponse } from './response-recorder.ts';
import { type ReadyResponse, readyResponse, type StateWishes } from './response-request.ts';
import { firstResponse, keepResponse, lockConversation, ownMembers, responseIn, runReady, settleResponse } from './turns.ts';
import type { TurnPorts } from './turn-ports.ts';

/** How many run at once in one process. */
const MAX_RUNNING = 1000;
/** Events of one response that can be read again; of a longer one only the end can. */
const MAX_LOG_BYTES = 16 * 1024 * 1024;
/** Events of finished responses, all together, and for how long they are kept. */
const MAX_FINISHED_BYTES = 64 * 1024 * 1024;
const FINISHED_MS = 10 * 60_000;
/** How long a response counts as being made without a sign of its maker: after that the process is taken for gone. */
const LEASE_MS = 30_000;
const RENEW_MS = 10_000;

/** A response that is being made without a client. */
interface Run {
  readonly call: Call;
  readonly ready: ReadyResponse;
  readonly log: FrameLog;
  response: JsonObject;
  isOver: boolean;
  /** Opens the conversation for the next response. */
  readonly unlock: () => void;
  /** Ends the exchange. */
  stop: () => void;
}

/** Responses that run detached from their client's connection. */
export interface Background {
  /** Starts one; the response as it stands at once. Rejects with the fault of a request that cannot be run, or when too many run. */
  start(call: Call, body: JsonObject, wishes: StateWishes): Promise<JsonObject>;
  /** Reads a response's events, those after `after` only, up to its end. False: they are nowhere (any more). */
  follow(owner: string, id: string, after: number, client: ReplyHandler, headers: OutHeaders): Promise<boolean>;
  /** What a stored response is now: of one whose maker is gone, that it failed. */
  current(record: StateRecord): JsonObject;
  /** Stops one that runs, in whichever process; the response as it then is. */
  cancel(owner: string, id: string): Promise<JsonObject | undefined>;
  /** Settles when none runs. */
  idle(): Promise<void>;
  /** Ends all: what is not done has failed. */
  stop(): void;
}

const nameOf = (owner: string, id: string): string => `${owner} ${id}`;

const failed = (response: JsonObject, message: string, code = 'server_error'): JsonObject => ({
  ...response,
  status: 'failed',
  error: { code, message },
});

/** The fault of an exchange that ended without a response, in the response's own words. */
function failedBy(response: JsonObject, fault: Json | undefined): JsonObject {
  const { code, message } = isObject(fault) ? fault : {};
  return failed(
    response,
    typeof message === 'string' ? message : 'The response ended before it was complete',
    typeof code === 'string' ? code : undefined,
  );
}

/** Ends a run's part in the store; what comes after it does not count. */
function close(run: Run, response: JsonObject, ports: TurnPorts): void {
  if (run.isOver) return;
  run.isOver = true;
  run.response = response;
  settleResponse(run.call, run.ready, response, ports);
  run.unlock();
}

/** Ends a run whose exchange did not say a last word itself. */
function finish(run: Run, response: JsonObject, ports: TurnPorts): void {
  if (run.isOver) return;
  close(run, response, ports);
  const sequence = run.log.next;
  run.log.add({ ...finalFrame(response, sequence), sequence });
}

/** The client of a run: nobody, who never goes away but by `stop`. */
function nobody(run: Run): ReplyHandler {
  const gones: (() => void)[] = [];
  let stopped = false;
  run.stop = () => {
    stopped = true;
    for (const listener of gones) listener();
  };
  return {
    hasBegun: () => false,
    isClosed: () => stopped,
    begin: () => undefined,
    frame(data, event) {
      if (!stopped) run.log.add({ data, sequence: sequenceOf(data) ?? run.log.next, ...(event === undefined ? {} : { event }) });
      return true;
    },
    end: () => undefined,
    whole: () => undefined,
    abort: () => undefined,
    onGone: (listener) => gones.push(listener),
    onDrain: () => undefined,
  };
}

/** Runs a response to its end, whatever that is. */
async function work(run: Run, id: string, ports: TurnPorts): Promise<void> {
  const { call, ready } = run;
  const recorder = recordResponse(nobody(run), {
    members: ownMembers(id, ready),
    onResponse(response) {
      if (!run.isOver) run.response = response;
    },
    onFinal: (response) => close(run, response, ports),
    onNothing: (fault) => finish(run, failedBy(run.response, fault), ports),
  });
  try {
    await runReady({ ...call, stream: true, form: 'sse' }, ready, id, recorder, ports);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { message, code } = error.fault;
    finish(run, failed(run.response, message, code), ports);
  } finally {
    finish(run, failedBy(run.response, undefined), ports);
  }
}

const STOPPED = 'The gateway was stopped while it made this response';

/** What a stored response is that does not run here: of one whose maker is gone, that it failed. */
function settled(record: StateRecord, ports: TurnPorts): JsonObject {
  const response = responseIn(record.value);
  const { status } = response;
  const { leaseUntil, ...value } = record.value;
  if (status !== 'queued' && status !== 'in_progress') return response;
  if (typeof leaseUntil === 'number' && leaseUntil > ports.exchange.clock.now()) return response;
  const lost = failed(response, STOPPED);
  ports.store.put({ ...record, value: { ...value, response: lost } });
  return lost;
}

const full = (): GatewayError =>
  new GatewayError({
    ...gatewayFault('overloaded', 'Too many responses run in the background. Try again when some have ended', { code: 'background_full' }),
    retryAfterMs: 10_000,
  });

/** What the pieces below share. */
interface Runs {
  readonly ports: TurnPorts;
  readonly running: Map<string, Run>;
  /** Events of those that have ended, to be read again. */
  readonly finished: LRUCache<string, FrameLog>;
  /** Who waits until none runs. */
  readonly idles: (() => void)[];
  timer: NodeJS.Timeout | undefined;
}

const newFinished = (ports: TurnPorts): LRUCache<string, FrameLog> =>
  new LRUCache({
    max: 10_000,
    maxSize: MAX_FINISHED_BYTES,
    maxEntrySize: MAX_LOG_BYTES,
    sizeCalculation: (log) => log.bytes + 1,
    ttl: FINISHED_MS,
    // Asked when it is needed: the exchange is made later.
    perf: { now: () => ports.exchange.clock.monotonic() },
  });

/** Says that it is still being made. */
const lease = ({ call, ready, response }: Run, ports: TurnPorts): void =>
  keepResponse(call, ready, response, ports, { leaseUntil: ports.exchange.clock.now() + LEASE_MS });

function renew({ running, ports }: Runs): void {
  for (const run of running.values()) if (!run.isOver) lease(run, ports);
}

/** It is over: only its events stay. */
function leave(runs: Runs, name: string, run: Run): void {
  const { running, finished, idles } = runs;
  if (!running.delete(name)) return;
  run.log.end();
  if (!run.log.isCut) finished.set(name, run.log);
  if (running.size > 0) return;
  clearInterval(runs.timer);
  for (const tell of idles.splice(0)) tell();
}

function stopRun(runs: Runs, name: string, run: Run, response: JsonObject): void {
  finish(run, response, runs.ports);
  run.stop();
  leave(runs, name, run);
}

function logOf({ running, finished }: Runs, name: string): FrameLog | undefined {
  const log = running.get(name)?.log ?? finished.get(name);
  return log?.isCut === false ? log : undefined;
}

function cancelHere(runs: Runs, name: string): JsonObject | undefined {
  const run = runs.running.get(name);
  if (run) stopRun(runs, name, run, { ...run.response, status: 'cancelled' });
  return run?.response;
}

const newRun = (call: Call, ready: ReadyResponse, id: string, unlock: () => void): Run => ({
  call,
  ready: { ...ready, prepared: { ...ready.prepared, body: { ...ready.prepared.body, stream: true } } },
  log: createFrameLog(MAX_LOG_BYTES),
  response: firstResponse(ready, call, ownMembers(id, ready)),
  isOver: false,
  unlock,
  stop: () => undefined,
});

async function start(runs: Runs, call: Call, body: JsonObject, wishes: StateWishes): Promise<JsonObject> {
  const { running, ports } = runs;
  if (running.size >= MAX_RUNNING) throw full();
  const unlock = await lockConversation(call, wishes, ports);
  const ready = await readyResponse(body, wishes, call.key.id, ports).catch((error: unknown) => {
    unlock();
    throw error;
  });
  const id = ports.exchange.newId('resp_');
  const name = nameOf(call.key.id, id);
  const run = newRun(call, ready, id, unlock);
  const { response } = run;
  running.set(name, run);
  if (running.size === 1) runs.timer = setInterval(renew, RENEW_MS, runs).unref();
  lease(run, ports);
  work(run, id, ports)
    .catch((error: unknown) => ports.exchange.onDefect(error, call.id))
    .finally(() => leave(runs, name, run));
  return response;
}

/** Runs responses detached from their clients, in this process. */
export function createBackground(ports: TurnPorts): Background {
  const runs: Runs = { ports, running: new Map(), finished: newFinished(ports), idles: [], timer: undefined };
  const { running, idles } = runs;
  const elsewhere = createElsewhere(ports.peers, {
    logOf: ({ owner, id }) => logOf(runs, nameOf(owner, id)),
    cancel: ({ owner, id }) => cancelHere(runs, nameOf(owner, id)),
  });
  return {
    start: (call, body, wishes) => start(runs, call, body, wishes),
    async follow(owner, id, after, client, headers) {
      const log = logOf(runs, nameOf(owner, id));
      if (!log) return elsewhere.follow({ owner, id, after }, client, headers);
      client.begin(headers);
      log.follow(client, after);
      return true;
    },
    current: (record) => running.get(nameOf(record.owner, record.id))?.response ?? settled(record, ports),
    cancel: async (owner, id) => cancelHere(runs, nameOf(owner, id)) ?? elsewhere.cancel({ owner, id }),
    idle: () => (running.size === 0 ? Promise.resolve() : new Promise((resolve) => idles.push(resolve))),
    stop() {
      for (const [name, run] of running) stopRun(runs, name, run, failed(run.response, STOPPED));
    },
  };
}
