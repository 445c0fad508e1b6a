import type { IncomingMessage } from 'node:http';

/** How long a client may take over the body of a request. */
export interface BodyPace {
  /** Without a single byte, in milliseconds. */
  readonly idleMs: number;
  /** For any body … */
  readonly wholeMs: number;
  /** … and as much longer as what has come takes at this pace. */
  readonly bytesPerSecond: number;
  readonly everyMs: number;
}

/** A form of a gigabyte takes hours on a slow line, one that merely holds on to a connection minutes. */
const PACE: BodyPace = { idleMs: 120_000, wholeMs: 300_000, bytesPerSecond: 16 * 1024, everyMs: 2500 };

/** What is known of a body that has not come whole at once. */
interface Wait {
  readonly start: number;
  bytes: number;
  idleMs: number;
  waitedMs: number;
}

/**
 * Looks now and then whether clients whose bodies are awaited send them. Time in which bytes wait for us (a provider takes
 * them slowly) is not the client's. A look costs what is under way, a request that comes whole nothing.
 */
export function watchBodies(
  underWay: () => Iterable<IncomingMessage>,
  now: () => number,
  cut: (request: IncomingMessage) => void,
  pace: BodyPace = PACE,
): { stop(): void } {
  const waits = new WeakMap<IncomingMessage, Wait>();
  let before = now();
  const isTooSlow = (request: IncomingMessage, passed: number): boolean => {
    const bytes = request.socket.bytesRead;
    const wait = waits.get(request);
    if (!wait) {
      waits.set(request, { start: bytes, bytes, idleMs: 0, waitedMs: 0 });
      return false;
    }
    if (request.readableLength > 0) {
      wait.idleMs = 0;
    } else {
      wait.idleMs = bytes > wait.bytes ? 0 : wait.idleMs + passed;
      wait.waitedMs += passed;
    }
    wait.bytes = bytes;
    return wait.idleMs > pace.idleMs || wait.waitedMs > pace.wholeMs + ((bytes - wait.start) / pace.bytesPerSecond) * 1000;
  };
  const look = (): void => {
    const passed = now() - before;
    before += passed;
    for (const request of underWay()) {
      if (!request.complete && !request.destroyed && isTooSlow(request, passed)) cut(request);
    }
  };
  const timer = setInterval(look, pace.everyMs).unref();
  return { stop: () => clearInterval(timer) };
}
