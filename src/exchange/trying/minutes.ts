import type { Minute } from '../../policy/minute.ts';

/** What calls take of a minute. */
export interface Taking {
  readonly requests: number;
  readonly tokens: number;
}

/** A minute has no room: by which of its limits, and the milliseconds until it has room for what was asked; `Infinity`: it never has. */
export interface Full {
  readonly by: 'rpm' | 'tpm';
  readonly freeInMs: number;
}

/** What was counted, by the part of time that it was counted in. */
export interface Counted {
  readonly at: number;
}

/** Minutes as they are kept by one process. */
export interface Ledgers {
  /** Parts of time that something is kept of, of all minutes together. */
  size(): number;
  /** Milliseconds until a minute that is full has room for one more call; 0: it has. */
  fullForMs(minute: Minute): number;
  /** Counts a call where there is room for it. One of more tokens than the whole limit has room where no others are counted. */
  count(minute: Minute, taking: Taking): Counted | Full;
  /** It took so much more, or less, than was counted. What is told after that is forgotten counts from now on, where it is more. */
  change(place: string, at: Counted['at'], by: Taking): void;
}

/** A place in a minute. */
export interface Held {
  /** What it really took. Said once. */
  settle(took: Taking): void;
}

/** Minutes of keys and providers that take only so much in each (`rpm`, `tpm`), for calls. */
export interface Minutes extends Pick<Ledgers, 'fullForMs'> {
  take(minute: Minute, taking: Taking): Held | Full | Promise<Held | Full>;
}

const MINUTE_MS = 60_000;
/** What is counted in one part of time is forgotten together: so much later than it could be, at most. */
const PART_MS = 100;
const PARTS = MINUTE_MS / PART_MS;

/** What was counted in one part of time. */
interface Part {
  readonly at: number;
  requests: number;
  tokens: number;
}

/** What counts now: the oldest first. */
interface Ledger {
  readonly parts: Part[];
  requests: number;
  tokens: number;
}

const NOTHING: Taking = { requests: 0, tokens: 0 };
/** The least that a call takes. */
const ONE: Taking = { requests: 1, tokens: 1 };

/** Milliseconds at which a part is forgotten: a whole minute after its end, so that no minute ever holds more than the limit. */
const endOf = ({ at }: Part): number => (at + PARTS + 1) * PART_MS;

function forget(ledger: Ledger, now: number): void {
  const { parts } = ledger;
  for (let [oldest] = parts; oldest !== undefined && endOf(oldest) <= now; [oldest] = parts) {
    parts.shift();
    ledger.requests -= oldest.requests;
    ledger.tokens -= oldest.tokens;
  }
}

/** The limit that leaves no room for a call beside what is counted. */
function bindingOf({ requests, tokens }: Taking, { rpm, tpm }: Minute, taking: Taking): Full['by'] | undefined {
  if (rpm !== undefined && requests + taking.requests > rpm) return 'rpm';
  return tpm !== undefined && taking.tokens > 0 && tokens + Math.min(taking.tokens, tpm) > tpm ? 'tpm' : undefined;
}

/** Whether there is no room in a ledger, and until when. `now`: not before what was counted last. */
function fullness(ledger: Ledger, minute: Minute, taking: Taking, now: number): Full | undefined {
  forget(ledger, now);
  const by = bindingOf(ledger, minute, taking);
  if (by === undefined) return undefined;
  let { requests, tokens } = ledger;
  for (const part of ledger.parts) {
    requests -= part.requests;
    tokens -= part.tokens;
    if (bindingOf({ requests, tokens }, minute, taking) === undefined) return { by, freeInMs: endOf(part) - now };
  }
  return { by, freeInMs: Infinity };
}

function add(ledger: Ledger, part: Part, { requests, tokens }: Taking): void {
  part.requests += requests;
  part.tokens += tokens;
  ledger.requests += requests;
  ledger.tokens += tokens;
}

/** What is counted now. */
function partAt({ parts }: Ledger, at: number): Part {
  const last = parts.at(-1);
  if (last?.at === at) return last;
  const made = { at, ...NOTHING };
  parts.push(made);
  return made;
}

/** Nothing is counted yet. `monotonic`: in milliseconds. */
export function createLedgers(monotonic: () => number): Ledgers {
  const ledgers = new Map<string, Ledger>();
  /** Those of keys that are no longer configured go with the first new one. */
  const newLedger = (place: string, now: number): Ledger => {
    for (const [name, one] of ledgers) {
      forget(one, now);
      if (one.parts.length === 0) ledgers.delete(name);
    }
    const made: Ledger = { parts: [], ...NOTHING };
    ledgers.set(place, made);
    return made;
  };
  return {
    size: () => [...ledgers.values()].reduce((sum, { parts }) => sum + parts.length, 0),
    fullForMs(minute) {
      const ledger = ledgers.get(minute.place);
      return ledger ? (fullness(ledger, minute, ONE, monotonic())?.freeInMs ?? 0) : 0;
    },
    count(minute, taking) {
      const now = monotonic();
      const ledger = ledgers.get(minute.place) ?? newLedger(minute.place, now);
      const full = fullness(ledger, minute, taking, now);
      if (full) return full;
      const at = Math.floor(now / PART_MS);
      add(ledger, partAt(ledger, at), taking);
      return { at };
    },
    change(place, at, by) {
      const now = monotonic();
      const known = ledgers.get(place);
      if (known) forget(known, now);
      const part = known?.parts.findLast((one) => one.at === at);
      if (known && part) return add(known, part, by);
      if (by.tokens <= 0) return;
      const ledger = known ?? newLedger(place, now);
      add(ledger, partAt(ledger, Math.floor(now / PART_MS)), { requests: 0, tokens: by.tokens });
    },
  };
}

/** What is to be added to what was counted. */
export const lessOf = (took: Taking, counted: Taking): Taking => ({
  requests: took.requests - counted.requests,
  tokens: took.tokens - counted.tokens,
});

/** Minutes of calls that only this process makes. */
export function createMinutes(monotonic: () => number): Minutes {
  const ledgers = createLedgers(monotonic);
  return {
    fullForMs: ledgers.fullForMs,
    take(minute, taking) {
      const counted = ledgers.count(minute, taking);
      if ('freeInMs' in counted) return counted;
      return { settle: (took) => ledgers.change(minute.place, counted.at, lessOf(took, taking)) };
    },
  };
}
