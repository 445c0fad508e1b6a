// Overload by everything at once: a flood and bursts of calls at all endpoints, with what each of them sees of it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dialect } from '../exchange/dialects.ts';
import { type Asked, FAMILIES } from '../fakes/fault-families.ts';
import {
  atWidth,
  bestWidth,
  type Crowd,
  crowdOf,
  done,
  measured,
  middle,
  peakBeside,
  type Ran,
  scheduled,
  startControl,
  tellRan,
  type Trial,
  type Weigh,
  WIDTHS,
} from './crowds.ts';
import type { Ask, Flooded } from './flood.ts';
import { type Gateway, KEY } from './gateway.ts';
import { familyMark } from './half-said.ts';
import { LANES, markOf } from './lanes.ts';
import { type Measured, ms, percentile } from './part.ts';

const ROUNDS = 5;
const WARM_S = 10;
/** What of a flood counts comes after its beginning, in which more are let in and end late: of a mix, those that are most work last. */
const ONSET_S = 26;
const FLOOD_S = 41;
/** Of a peak the first fifth does not count: until then those that are long under way do not end. */
const PEAK_S = 10;
/** How soon refusals come is seen by others than those who flood, who ask so often a second, at each endpoint in turn. */
const WATCHERS = 300;
/** So many calls of each kind are made to know how much work they are. */
const WEIGHED = 6;
const REFUSAL_MS = 10;

/** Whose words an endpoint refuses in. */
function dialectOf(path: string): Dialect['id'] {
  if (path.startsWith('/v1beta/')) return 'gemini';
  if (path.startsWith('/v1/responses')) return 'openai-responses';
  return path.includes('/messages') ? 'anthropic-messages' : 'openai-chat';
}

/** One kind of call. */
interface Kind {
  readonly about: string;
  readonly ask: Ask;
}

const kindOf = (about: string, { path, type, body }: Asked): Kind => ({ about, ask: { path, type, body, dialect: dialectOf(path) } });

/** Every way that streams. */
const STREAMS: readonly Kind[] = LANES.map((lane) => kindOf(lane.name, lane.ask(markOf(lane))));
/** Every endpoint, with answers that are soon over. */
const SHORT: readonly Kind[] = FAMILIES.map((family) => kindOf(family.name, family.ask(familyMark(family))));
const streaming = new Set(LANES.map(({ name }) => name));
/** What a flood asks for: streams, and what is no stream. */
const MIX: readonly Kind[] = [...STREAMS, ...SHORT.filter(({ about }, at) => !FAMILIES[at]?.isStream && !streaming.has(about))];

const asksOf = (kinds: readonly Kind[]): readonly Ask[] => kinds.map(({ ask }) => ask);

/** How much work a call of each kind is: for how long the server has the processor for it, in milliseconds. */
async function costsOf(gateway: Gateway, crowd: Crowd, kinds: readonly Kind[]): Promise<readonly number[]> {
  const costs: number[] = [];
  for (const { ask } of kinds) {
    const [before] = scheduled(gateway);
    await crowd.ask({ key: KEY, pace: { burst: WEIGHED }, seconds: 0, asks: [ask] });
    costs.push((scheduled(gateway)[0] - before) / WEIGHED);
  }
  return costs;
}

/** What one round found. */
interface Round {
  /** Of the peak around it, in percent. */
  readonly share: number;
  readonly flood: Flooded;
  readonly watched: Flooded;
  readonly told: string;
}

/** A flood of ten times the capacity, between two peaks. */
async function roundOf(trial: Trial, watchers: Crowd, rate: number, before: Ran, peak: () => Promise<Ran>): Promise<readonly [Round, Ran]> {
  const { control, weigh = ({ rate: all }) => all } = trial;
  const time = { key: KEY, seconds: FLOOD_S, before: ONSET_S };
  const seen = watchers.ask({ ...time, pace: { rate: WATCHERS }, control: control.url });
  const ran = await measured(trial, { ...time, pace: { rate: rate * 10 - WATCHERS } });
  const watched = await seen;
  // The machine is not as fast at all times: the peak is what it was before and is after.
  await sleep(2000);
  const after = await peak();
  const share = (done(ran) / ((done(before) + done(after)) / 2)) * 100;
  const told =
    `${tellRan(ran)}, work ${weigh(ran.flooded).toFixed(0)}, of ${tellRan(before)}, work ${before.work.toFixed(0)}, and ${tellRan(after)}, ` +
    `work ${after.work.toFixed(0)}; ${ran.flooded.refused.length} refused of ${(ran.flooded.asked / FLOOD_S).toFixed(0)} a second`;
  return [{ share, flood: ran.flooded, watched, told }, after];
}

function* goodputRows(rounds: readonly Round[]): Iterable<Measured> {
  const share = middle(rounds.map((one) => one.share));
  const failed = rounds.reduce((sum, { flood, watched }) => sum + flood.failed + watched.failed, 0);
  const example = rounds.flatMap(({ flood, watched }) => flood.example ?? watched.example ?? [])[0];
  yield {
    promise: 'overload.mixed-goodput',
    value: share,
    many: rounds.reduce((sum, { flood }) => sum + flood.served.length, 0),
    isKept: share >= 90 && failed === 0,
    detail: `${rounds.map(({ told }) => told).join('; ')}; ${failed} failed${example === undefined ? '' : `: ${example}`}`,
  };
}

/** How late the slowest hundredth of all refusals of a round is, beside a server that does nothing else, at the same moments. */
const lateIn = ({ watched }: Round): number => percentile(watched.refused, 0.99) - percentile(watched.control, 0.99);

/**
 * How soon each endpoint refuses. A pause of the process meets whoever comes in it, and one endpoint has too few calls for a hundredth of
 * them: how late that is tells the p99 of all together, in the middle one of the rounds as under a flood of chats, to which is added by how
 * much this one is later in the middle.
 */
function* refusalRows(kinds: readonly Kind[], rounds: readonly Round[]): Iterable<Measured> {
  const all = rounds.flatMap(({ watched }) => watched.refused);
  const lates = rounds.map(lateIn);
  const late = middle(lates);
  for (const [at, { about }] of kinds.entries()) {
    const seen = rounds.map(({ watched }) => watched.each[at]);
    const refused = seen.flatMap((one) => one?.refused ?? []);
    const control = seen.flatMap((one) => one?.control ?? []);
    const failed = seen.reduce((sum, one) => sum + (one?.failed ?? 0), 0);
    const served = seen.reduce((sum, one) => sum + (one?.served ?? 0), 0);
    const value = late + Math.max(0, middle(refused) - middle(all));
    yield {
      promise: 'overload.mixed-refusals',
      about,
      value,
      many: refused.length,
      isKept: value <= REFUSAL_MS && failed === 0,
      detail: `rounds ${lates.map(ms).join(', ')}; p50 ${ms(middle(refused))}, p99 ${ms(percentile(refused, 0.99))}, by one that does nothing else ${ms(percentile(control, 0.99))}; ${served} served, ${failed} failed${seen.find((one) => one?.example !== undefined)?.example ?? ''}`,
    };
  }
}

/** Ten times what it can serve of a mix over all endpoints, measured in turn with the most that it serves of that mix. */
export async function* mixedFloodRows(gateway: Gateway): AsyncIterable<Measured> {
  const { url } = gateway;
  const [crowd, watchers] = [crowdOf(url, asksOf(MIX)), crowdOf(url, asksOf(SHORT), true)];
  const [control, other] = [await startControl(), await startControl(false)];
  const decoy = crowdOf(
    other.url,
    asksOf(MIX).map(({ dialect: _dialect, ...ask }) => ask),
  );
  try {
    await crowd.ask({ key: KEY, pace: { width: Math.max(...WIDTHS) }, seconds: WARM_S });
    // Which calls are let in is chance: were all of them counted alike, so would be what was found.
    const costs = await costsOf(gateway, crowd, MIX);
    const weigh: Weigh = ({ each }) => each.reduce((sum, { rate }, at) => sum + rate * (costs[at] ?? 0), 0);
    const trial = { gateway, control, crowd, weigh };
    const {
      width,
      ran: { ownRate },
    } = await bestWidth(trial, PEAK_S);
    const peak = (): Promise<Ran> => peakBeside(decoy, ownRate * 9, () => atWidth(trial, width, PEAK_S), PEAK_S);
    const rounds: Round[] = [];
    let before = await peak();
    for (let number = 0; number < ROUNDS; number++) {
      const [round, after] = await roundOf(trial, watchers, ownRate, before, peak);
      rounds.push(round);
      before = after;
    }
    yield* goodputRows(rounds);
    yield* refusalRows(SHORT, rounds);
  } finally {
    for (const one of [crowd, watchers, control, decoy, other]) one.stop();
  }
}

/** Calls that came together, by what they asked for. */
interface Burst {
  readonly kinds: readonly Kind[];
  readonly flooded: Flooded;
}

async function* burstsOf(gateway: Gateway, kinds: readonly Kind[], sizes: readonly number[]): AsyncIterable<Burst> {
  const crowd = crowdOf(gateway.url, asksOf(kinds));
  try {
    for (const burst of sizes) yield { kinds, flooded: await crowd.ask({ key: KEY, pace: { burst }, seconds: 0 }) };
  } finally {
    crowd.stop();
  }
}

/** Bursts of calls at all endpoints, on a server that does nothing else: of short ones, cold and warm, and of streams that stay. */
export async function* mixedBurstRows(gateway: Gateway): AsyncIterable<Measured> {
  const found = new Map<string, { many: number; lost: number; example: string | undefined }>();
  const note = ({ kinds, flooded }: Burst): void => {
    for (const [at, { about }] of kinds.entries()) {
      const { served = 0, refused = [], failed = 0, example } = flooded.each[at] ?? {};
      const before = found.get(about) ?? { many: 0, lost: 0, example: undefined };
      const lost = refused.length + failed;
      found.set(about, { many: before.many + served + lost, lost: before.lost + lost, example: before.example ?? example });
    }
  };
  for await (const burst of burstsOf(gateway, SHORT, [400, 2000, 2000])) note(burst);
  for await (const burst of burstsOf(gateway, STREAMS, [1000, 1000])) note(burst);
  for (const [about, { many, lost, example }] of found) {
    const told = example === undefined ? {} : { detail: example };
    yield { promise: 'overload.mixed-burst', about, value: lost, many, isKept: lost === 0, ...told };
  }
}
