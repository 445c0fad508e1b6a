/** When the server counts as overloaded. */
export interface OverloadRules {
  /** Its own work makes others wait for so long, for a while, and too many more calls come: overloaded. In milliseconds. */
  readonly delayMs: number;
  /** Calls that may be under way at most, overloaded or not. */
  readonly calls: number;
}

/** What was measured since the last look. */
export interface Reading {
  readonly elapsedMs: number;
  /** How late the event loop came back, or how long what came from an upstream waits to be worked on. */
  readonly delayMs: number;
  /** The share of the time in which it did not idle, 0 to 1. Waiting for a processor is not idling. */
  readonly busy: number;
  /** For how long its thread had a processor, in milliseconds. */
  readonly ranMs: number;
  /** Memory in use, of what it may be: over 1 is too much. */
  readonly memory: number;
  readonly inFlight: number;
  /** Calls that were let in … */
  readonly came: number;
  /** … that have ended … */
  readonly ended: number;
  /** … and that were refused. */
  readonly refused: number;
}

/** Why calls are refused. */
export type ShedReason = 'delay' | 'memory' | 'calls';

interface Cost {
  readonly ranMs: number;
  readonly came: number;
  readonly ended: number;
  /** What one takes, as was known last. */
  readonly callMs: number | undefined;
}

/** What is remembered from one look to the next. */
export interface Pressure {
  /** The last delays that were its own and shares of work, the newest last. */
  readonly delays: readonly number[];
  readonly busies: readonly number[];
  /** For how long it has been too much, in time of the processor. */
  readonly overMs: number;
  /** … and at how many looks. */
  readonly overLooks: number;
  /** What calls take: time of the processor while it did nothing but work, fading, and the calls that came and ended in it. */
  readonly cost: Cost;
  /** So many calls may be under way, and why. `isBurst`: nobody has been refused for it. */
  readonly shedding?: { readonly limit: number; readonly reason: ShedReason; readonly quietMs: number; readonly isBurst: boolean };
}

/** Nothing was measured yet. */
export const CALM: Pressure = { delays: [], busies: [], overMs: 0, overLooks: 0, cost: { ranMs: 0, came: 0, ended: 0, callMs: undefined } };

/** One long pause (a collection, a large body) is no overload: the middle of these counts. */
const LAST = 5;
/** Nor is work that does not last for so much time of the processor … */
const STANDING_MS = 800;
/** … and for so many looks: a crowd that comes at the same moment makes a few turns that are long. */
const STANDING_LOOKS = 8;
/**
 * A burst and the start of a flood look alike; what tells them apart is that more comes. So what is under way by then may grow by
 * this much: a burst never fills it, and who comes while it drains is let in.
 */
const BURST = { times: 1.5, more: 32 };
/** … and when it stays late for so much more time of the processor, it does not drain: the bound falls. */
const BURST_MS = 4000;
/**
 * Nor is more begun than takes so long, in time of the processor, by what calls took of late: who is let in is served, but waits for
 * all before it, and would go.
 */
const BACKLOG_MS = 10_000;
/** What calls take is forgotten by half in so much time of the processor … */
const HALVED_MS = 5000;
/** … and not seen where fewer have ended, or where more came: what has just begun has not taken all of it, least of all what is most work. */
const SEEN = { ended: 10, ofCame: 0.9 };
/** The limit falls at its full rate when the delay is so many times what it may be, and more. */
const GENTLE = 10;
/** An event loop that idles more than this is not what holds anybody up. */
const IDLE_SHARE = 0.1;
/** How fast the limit grows or falls, a second … */
const RATE = 0.7;
/** … and where the event loop idles. */
const IDLE_RATE = 4;
/** It follows what is under way: never far below or above. */
const NEAR = { below: 0.75, above: 1.25, more: 8 };
/** Never fewer. */
const LEAST = 4;
/** The cap on calls is kept free of one key by dividing what is below it. */
const CALLS_SHARE = 0.9;
/** Memory must fall to this share before more is taken. */
const MEMORY_BACK = 0.9;
/** Nobody was refused for so long: it is over. */
const QUIET_MS = 1000;

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

/** How late the event loop would have been with a processor of its own: on a machine that others keep busy it waits for one. */
function ownDelay({ delayMs, busy, elapsedMs, ranMs }: Reading): number {
  const wanted = busy * elapsedMs;
  return wanted > 0 ? delayMs * Math.min(1, ranMs / wanted) : 0;
}

function tooMuch(delay: number, reading: Reading, rules: OverloadRules): ShedReason | undefined {
  if (reading.memory > 1) return 'memory';
  if (reading.inFlight >= rules.calls * CALLS_SHARE) return 'calls';
  // So few are never refused.
  const isBusy = reading.busy > 1 - IDLE_SHARE && reading.inFlight > LEAST;
  return isBusy && delay >= rules.delayMs ? 'delay' : undefined;
}

/** By how much of itself the limit changes in a second. */
function change(delay: number, busy: number, { memory }: Reading, { delayMs }: OverloadRules): number {
  if (memory > 1) return -RATE;
  if (memory > MEMORY_BACK) return 0;
  // What idles could do more, and the more it idles the sooner.
  if (busy < 1 - IDLE_SHARE) return IDLE_RATE * (1 - busy);
  return RATE * (delay < delayMs ? (delayMs - delay) / delayMs : Math.max(-1, (delayMs - delay) / (delayMs * GENTLE)));
}

/** Seen only while there is nothing but work: a call that is waited for costs more, as each of its events wakes the process. */
function costAfter(before: Cost, { busy, ranMs, came, ended }: Reading): Cost {
  if (busy < 1 - IDLE_SHARE) return before;
  const left = 0.5 ** (ranMs / HALVED_MS);
  const sums = { ranMs: before.ranMs * left + ranMs, came: before.came * left + came, ended: before.ended * left + ended };
  const isSeen = sums.ended >= Math.max(SEEN.ended, sums.came * SEEN.ofCame);
  return { ...sums, callMs: isSeen ? (sums.ranMs * 2) / (sums.came + sums.ended) : before.callMs };
}

/** How many calls would take too long together; `undefined`: not known. */
const backlogOf = ({ callMs }: Cost): number | undefined => (callMs === undefined ? undefined : Math.max(LEAST, BACKLOG_MS / callMs));

/** It rests: what was is over, but for what calls take. */
export const atRest = ({ cost }: Pressure): Pressure => ({ ...CALM, cost });

/**
 * Looks at what was measured. What is bounded is how many calls are under way, for those are what makes the work: the bound
 * falls while the event loop is late or memory is full, grows while it is not, and goes when nobody has been refused for a second.
 * At first it is far above what is under way: see BURST.
 */
export function look(before: Pressure, reading: Reading, rules: OverloadRules): Pressure {
  const { elapsedMs, inFlight } = reading;
  const delays = [...before.delays, ownDelay(reading)].slice(-LAST);
  const busies = [...before.busies, reading.busy].slice(-LAST);
  const delay = middle(delays);
  const reason = tooMuch(delay, reading, rules);
  const ceiling = Math.max(LEAST, rules.calls * CALLS_SHARE);
  const few = Math.min(ceiling, Math.max(LEAST, inFlight * NEAR.below));
  const cost = costAfter(before.cost, reading);
  const calm = { ...CALM, delays, busies, cost };
  const backlog = backlogOf(cost);
  if (!before.shedding) {
    if (reason === undefined) return calm;
    const isDelay = reason === 'delay';
    const overMs = before.overMs + reading.ranMs;
    // Memory and the cap are not waited for: there is nothing left to wait with.
    const overLooks = before.overLooks + 1;
    const isStanding = overLooks >= STANDING_LOOKS && (overMs >= STANDING_MS || inFlight > (backlog ?? Infinity));
    if (isDelay && !isStanding) return { ...calm, overMs, overLooks };
    const limit = isDelay ? Math.min(ceiling, backlog ?? inFlight * BURST.times + BURST.more) : few;
    return { ...calm, shedding: { limit, reason, quietMs: 0, isBurst: isDelay } };
  }
  const quietMs = reading.refused > 0 || reason !== undefined ? 0 : before.shedding.quietMs + elapsedMs;
  if (quietMs >= QUIET_MS) return calm;
  const told = { reason: reason ?? before.shedding.reason, quietMs };
  const { limit: last, isBurst } = before.shedding;
  if (isBurst) {
    const overMs = before.overMs + (reason === undefined ? 0 : reading.ranMs);
    const isStill = reading.refused === 0 && told.reason === 'delay' && overMs < BURST_MS;
    return { ...calm, overMs, shedding: { ...told, limit: isStill ? Math.min(ceiling, backlog ?? last) : few, isBurst: isStill } };
  }
  const step = 1 + change(delay, middle(busies), reading, rules) * Math.min(1, elapsedMs / 1000);
  const top = inFlight * NEAR.above + NEAR.more;
  const limit = Math.min(top, Math.max(few, Math.min(ceiling, last * step)));
  return { ...calm, shedding: { ...told, limit, isBurst: false } };
}

/**
 * How many calls one key may have under way where all together may have `limit`: those who want less than an equal share leave
 * the rest to the others, so that the key that wants most is cut first.
 */
export function fairShare(wanted: readonly number[], limit: number): number {
  let left = limit;
  let keys = wanted.length;
  let share = limit;
  for (const want of Float64Array.from(wanted).toSorted()) {
    share = left / keys;
    if (want > share) break;
    left -= want;
    keys--;
  }
  return share;
}

/** Whether a key that has `own` calls under way, of `all`, may have another while calls are refused. */
export function mayEnter(limit: number, share: number, all: number, own: number): boolean {
  if (own + 1 <= share) return true;
  // Shares smaller than a call: whoever comes while there is room.
  return all < limit && own < Math.max(1, share);
}
