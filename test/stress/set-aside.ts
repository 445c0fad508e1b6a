// What is set aside and what for, at every endpoint: targets that fail, keys that are to wait; and whom calls go to meanwhile.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import type { Family } from '../fakes/fault-families.ts';
import type { Measured } from './part.ts';
import { CALLS, isAskedOnce, LIMITED, type Pair, refusing, ROUTED, well, withPairs } from './pairs.ts';
import type { Got } from './talk.ts';

const AFTER_S = 3;
/** Endpoints begin so much after each other: a crowd that ends at one moment would be what is measured. */
const APART_MS = 60;
/** Between two looks whether a key is left alone. */
const LOOK_MS = 60;
/** How long a breaker is open at first, and a little. */
const OPEN_MS = 5200;
/** Failures in a row that open a breaker. */
const OPENS = 5;
/** So many calls in turn: of each endpoint five are enough to open its breaker. */
const CALLS_TO_OPEN = 8;
/** Calls of each endpoint beside one probe. */
const BESIDE = 20;

const isWell = (got: Got): boolean => got.status === 200 && got.isWhole;

/** Calls in turn: those that were lost, and those that the first target was asked for. */
async function inTurn({ first, ask }: Pair, calls: number): Promise<{ readonly lost: number; readonly there: number }> {
  let [lost, there] = [0, 0];
  for (let i = 0; i < calls; i++) {
    const before = first.tries.length;
    if (!isWell(await ask())) lost++;
    if (first.tries.length > before) there++;
  }
  return { lost, there };
}

async function opens(pair: Pair): Promise<Measured> {
  const { family, first } = pair;
  first.behave = refusing(500);
  const { lost, there } = await inTurn(pair, CALLS_TO_OPEN);
  const value = first.tries.length;
  // What is asked for once is not asked of the other when the first has failed; when that is set aside it is.
  const isKept = value === OPENS && lost === (isAskedOnce(family) ? there : 0);
  return {
    promise: 'retry.breaker',
    about: family.name,
    value,
    many: 1,
    isKept,
    ...(isKept ? {} : { detail: `${lost} of ${CALLS_TO_OPEN} calls lost` }),
  };
}

/** The probe is held until all others have been answered; then it closes the breaker. */
async function probes(pair: Pair): Promise<Measured> {
  const { family, first } = pair;
  first.tries.length = 0;
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  first.behave = (one, response) => void released.then(() => well(family)(one, response));
  const giveUp = setTimeout(release, 10_000);
  let answered = 0;
  const all = await Promise.all(
    Array.from({ length: BESIDE + 1 }, async () => {
      const got = await pair.ask();
      if (++answered === BESIDE) release();
      return got;
    }),
  );
  clearTimeout(giveUp);
  const value = first.tries.length;
  const isBack = await pair.isBack();
  const isKept = value === 1 && isBack && all.every(isWell);
  return { promise: 'retry.probe', about: family.name, value, many: all.length, isKept };
}

/** Five failures in a row open the breaker. */
export async function* opening(): AsyncIterable<Measured> {
  yield* await withPairs(CALLS, (pairs) => Promise.all(pairs.map(opens)));
}

/** Five failures in a row open the breaker, one probe closes it. */
export async function* breaker(): AsyncIterable<Measured> {
  yield* await withPairs(CALLS, async (pairs) => {
    const opened = await Promise.all(pairs.map(opens));
    await sleep(OPEN_MS);
    return [...opened, ...(await Promise.all(pairs.map(probes)))];
  });
}

/** Both targets of a route fail until they are set aside, which shows in that a call asks one of them only: one is still asked. */
async function lastOf(pair: Pair, calls: number): Promise<Measured> {
  const { family, first, second } = pair;
  const came = (): number => first.tries.length + second.tries.length;
  first.behave = refusing(500);
  second.behave = refusing(500);
  // Of some each call asks one of them, of some both, and some ask again.
  for (let i = 0; i < 2 * OPENS && came() < 2 * OPENS; i++) await pair.ask();
  const opening = came();
  let value = 0;
  for (let i = 0; i < calls; i++) {
    const before = came();
    await pair.ask();
    if (came() === before) value++;
  }
  const since = came() - opening;
  first.behave = well(family);
  second.behave = well(family);
  const isBack = isWell(await pair.ask());
  const isKept = value === 0 && opening === 2 * OPENS && since === calls && isBack;
  const detail = `asked ${opening} times until then, ${since} after`;
  return { promise: 'retry.last', about: family.name, value, many: calls, isKept, ...(isKept ? {} : { detail }) };
}

/** The last target is never set aside. */
export async function* lastOne(calls: number): AsyncIterable<Measured> {
  yield* await withPairs(CALLS, (pairs) => Promise.all(pairs.map((pair) => lastOf(pair, calls))));
}

/** Calls of each endpoint at once, the time of each, and how much later it may end. */
interface Deadline {
  readonly calls: number;
  readonly totalMs: number;
  readonly lateMs: number;
}

async function late(pair: Pair, at: number, { calls, totalMs, lateMs }: Deadline): Promise<Measured> {
  await sleep(at * APART_MS);
  pair.first.behave = () => {};
  pair.second.behave = () => {};
  const times = await Promise.all(
    Array.from({ length: calls }, async () => {
      const began = performance.now();
      await pair.ask();
      return performance.now() - began - totalMs;
    }),
  );
  const value = Math.max(...times);
  return { promise: 'retry.deadline', about: pair.family.name, value, many: calls, isKept: value <= lateMs };
}

/** Nobody answers: whatever is tried, the call ends in its time. What is asked of a second target has little left there. */
export async function* deadline(asked: Deadline): AsyncIterable<Measured> {
  const { totalMs } = asked;
  const timeoutsOf = (family: Family): NonNullable<ProviderSettings['timeouts']> => {
    const one = isAskedOnce(family) ? 5 * totalMs : 0.9 * totalMs;
    return { connect: totalMs, headers: one, firstToken: one, idle: one, total: totalMs };
  };
  yield* await withPairs(
    ROUTED,
    (pairs) => Promise.all(pairs.map((pair, at) => late(pair, at, asked))),
    (family) => ({ timeouts: timeoutsOf(family) }),
  );
}

const FORMS = [
  { promise: 'retry.after-seconds', form: () => String(AFTER_S) },
  { promise: 'retry.after-date', form: () => new Date(Date.now() + AFTER_S * 1000).toUTCString() },
] as const;

/** Calls of a key's models before its time was over, and whether it was asked again after it. */
interface Early {
  readonly same: number;
  readonly others: number;
  readonly looks: number;
  readonly isBack: boolean;
}

async function untilBack(pair: Pair, form: () => string): Promise<Early> {
  const { family, first } = pair;
  let until = 0;
  first.behave = (one, response) => {
    const value = form();
    until = Number.isNaN(Number(value)) ? Date.parse(value) : Date.now() + Number(value) * 1000;
    refusing(429, () => ({ 'retry-after': value }))(one, response);
  };
  await pair.ask();
  first.behave = well(family);
  let [same, others, looks] = [0, 0, 0];
  while (Date.now() < until - 20) {
    const before = first.tries.length;
    await pair.ask();
    const between = first.tries.length;
    await pair.ask('other');
    // What came while its time ran out is neither.
    if (Date.now() >= until) break;
    same += between - before;
    others += first.tries.length - between;
    looks++;
    await sleep(LOOK_MS);
  }
  await sleep(1100);
  return { same, others, looks, isBack: await pair.isBack() };
}

/** `Retry-After` in both forms, for the model that was refused and for others of its key. */
export async function* after(): AsyncIterable<Measured> {
  const shared = new Map<string, { value: number; many: number }>();
  for (const { promise, form } of FORMS) {
    const all = await withPairs(LIMITED, (pairs) => Promise.all(pairs.map((pair) => untilBack(pair, form))));
    for (const [at, { same, others, looks, isBack }] of all.entries()) {
      const about = LIMITED[at]?.name ?? '';
      yield { promise, about, value: same, many: looks, isKept: same === 0 && looks > 0 && isBack };
      const before = shared.get(about);
      shared.set(about, { value: others + (before?.value ?? 0), many: looks + (before?.many ?? 0) });
    }
  }
  for (const [about, { value, many }] of shared)
    yield { promise: 'retry.after-shared', about, value, many, isKept: value === 0 && many > 0 };
}
