import type { Ability, ProtocolId } from '../ir/index.ts';
import type { Candidate, ReasonCode } from './candidate.ts';
import { decide, type Decision, type RouteRequest } from './decide.ts';
import { candidateOf, lineOf, needLetters, needsOf, outLetter, outOf } from './kept-letters.ts';
import type { Needs } from './needs.ts';
import type { Caller } from './routes/strategies.ts';
import { type FullReason, isFullReason, type Lookup, type Signals, type TargetSignals } from './signals.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * A decision as it is kept with its call's record: what the record does not say and `decide` needs to run again, and what came of it.
 * It is written as JSON with each call, so its members have a letter each, and what is not there is left out. Of the body it holds names
 * of members that targets have no place for, as `parameterName` writes them and bounded in all, but none of their values.
 */
export interface KeptDecision {
  /** What came of it: each candidate in order, as `lineOf` writes them. */
  readonly o: readonly string[];
  /** Nothing was chosen: how that was told. */
  readonly x?: Refused;
  /** The provider that the path named. */
  readonly p?: string;
  /** Names to go to after the one that was asked for. */
  readonly m?: readonly string[];
  /** What was needed: letters of abilities, tokens of the question, tokens of the answer at most. */
  readonly n?: string;
  /** Parameters that candidates were known to refuse, and to leave out: `0 mask`, `2 seed,style`. */
  readonly f?: readonly string[];
  readonly l?: readonly string[];
  /** What the caller said of providers. */
  readonly w?: RouteRequest['prefers'];
  /** Marks of the session, and, where a route goes by who calls, of the user and the client's address. */
  readonly c?: string;
  /** The gateway asked on its own account: the key's `models` did not bind it. */
  readonly a?: 1;
  /** Drawn; absent where nothing was. */
  readonly r?: number;
  /** Turns that routes had taken: name, count, name, count. */
  readonly t?: readonly (string | number)[];
  /** What was known of targets, as `knownOf` writes it: `0 l812.5`, `2 oW`, `p1 oU`. */
  readonly s?: readonly string[];
}

type Refused = NonNullable<Decision['refusal']>['kind'];

/** A decision with what it was made from. */
export interface Decided {
  readonly decision: Decision;
  readonly request: RouteRequest;
  /** What was read of what changes; absent where nothing could matter. */
  readonly reads?: Reads;
}

/** Signals that take note of what is read of them. */
interface Reads extends Signals {
  readonly known: { readonly turns: [string, number][]; readonly targets: [string, TargetSignals][] };
}

function noting<V>(from: Lookup<V>, known: [string, V][]): Lookup<V> {
  return {
    size: from.size,
    get(name) {
      const found = from.get(name);
      if (found !== undefined && !known.some(([one]) => one === name)) known.push([name, found]);
      return found;
    },
  };
}

/** Decides, and takes note of what was read to do so. */
export function decideNoting(snapshot: Snapshot, request: RouteRequest, signals: Signals): Decided {
  const known: Reads['known'] = { turns: [], targets: [] };
  const { turns, targets, ...rest } = signals;
  const reads = { ...rest, turns: noting(turns, known.turns), targets: noting(targets, known.targets), known };
  return { decision: decide(snapshot, request, reads), request, reads };
}

type Target = Pick<Candidate, 'provider' | 'model'>;

const nameOf = ({ provider, model }: Target): string => `${provider}/${model}`;

/** The candidates of a kept decision, but for their routes' timeouts and hedges. What is not written as it should be is left out. */
export const candidatesOf = ({ o }: Pick<KeptDecision, 'o'>): readonly Candidate[] => o.flatMap((line) => candidateOf(line) ?? []);

/** Whether a kept decision is one: those of versions that wrote them otherwise are none. */
export const isKept = (kept: KeptDecision | undefined): kept is KeptDecision => Array.isArray(kept?.o);

const has = (candidates: readonly Candidate[], ...codes: readonly ReasonCode[]): boolean =>
  candidates.some(({ reasons }) => reasons.some((code) => codes.includes(code)));

/** Members of a text, those at the end that are empty left out. */
const joined = (members: readonly (string | number | undefined)[], by: string): string => {
  const last = members.findLastIndex((one) => one !== undefined);
  return members.slice(0, last + 1).join(by);
};

const needsText = ({ abilities, tokens, answer }: Needs): string => joined([needLetters(abilities), tokens, answer], ' ');

function needsIn(text: string): Needs {
  const [letters = '', tokens = '', answer = ''] = text.split(' ');
  return {
    abilities: needsOf(letters),
    ...(tokens === '' ? {} : { tokens: Number(tokens) }),
    ...(answer === '' ? {} : { answer: Number(answer) }),
  };
}

/** Parameters by candidate. What is said of others was of no use. */
function parametersOf(named: Needs['lost'], candidates: readonly Target[]): readonly string[] {
  return candidates.flatMap((one, at) => {
    const names = named?.[nameOf(one)];
    return names ? [`${at} ${names.join(',')}`] : [];
  });
}

/** They again. */
function parametersIn(lines: readonly string[], candidates: readonly Target[]): NonNullable<Needs['lost']> {
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [at = '', names = ''] = line.split(' ');
      const one = candidates[Number(at)];
      return one ? [[nameOf(one), names.split(',')]] : [];
    }),
  );
}

function callerText({ session, user, client }: Caller, candidates: readonly Candidate[]): string {
  return has(candidates, 'hash') ? joined([session, user, client], ' ') : (session ?? '');
}

function callerIn(text: string): Caller {
  const [session = '', user = '', client = ''] = text.split(' ');
  return {
    ...(session === '' ? {} : { session }),
    ...(user === '' ? {} : { user }),
    ...(client === '' ? {} : { client }),
  };
}

/** Names that something may be known under, each with what stands for it: the first candidate of that name, or of that provider. */
function* namesOf(candidates: readonly Target[]): Iterable<readonly [name: string, key: string]> {
  for (const [at, one] of candidates.entries()) yield [nameOf(one), String(at)];
  for (const [at, one] of candidates.entries()) yield [one.provider, `p${at}`];
}

/** What is known of a target, as `b2l812.5k90oW`: calls under way, time to the first token, tokens in a second, why it is out. */
function knownText({ busy, firstTokenMs, tokensPerSecond, out }: TargetSignals, matters: (word: keyof TargetSignals) => boolean): string {
  const number = (word: keyof TargetSignals, letter: string, value: number | undefined): string =>
    value !== undefined && matters(word) ? letter + value : '';
  const measured = number('busy', 'b', busy) + number('firstTokenMs', 'l', firstTokenMs) + number('tokensPerSecond', 'k', tokensPerSecond);
  return out === undefined ? measured : `${measured}o${outLetter(out)}`;
}

const KNOWN = /^(?:b([\d.e+-]+))?(?:l([\d.e+-]+))?(?:k([\d.e+-]+))?(?:o(.))?$/;

function knownIn(text: string): TargetSignals {
  const [, busy, latency, speed, letter = ''] = KNOWN.exec(text) ?? [];
  const out = outOf(letter);
  return {
    ...(busy === undefined ? {} : { busy: Number(busy) }),
    ...(latency === undefined ? {} : { firstTokenMs: Number(latency) }),
    ...(speed === undefined ? {} : { tokensPerSecond: Number(speed) }),
    ...(out ? { out } : {}),
  };
}

/** What was known of targets, as far as it was decided by: the rest of it another moment may have as it likes. */
function knownOf(known: Reads['known']['targets'], candidates: readonly Candidate[], prefers: RouteRequest['prefers']): readonly string[] {
  const keys = new Map([...namesOf(candidates)].toReversed());
  const used = {
    busy: has(candidates, 'least_busy'),
    firstTokenMs: has(candidates, 'lowest_latency') || prefers?.sort === 'latency',
    tokensPerSecond: prefers?.sort === 'throughput',
    out: true,
  };
  return known.flatMap(([name, signals]) => {
    const text = knownText(signals, (word) => used[word]);
    const key = keys.get(name);
    if (key !== undefined) return text === '' ? [] : [`${key} ${text}`];
    // It is none of them, and was looked at on the way.
    return text !== '' || used.busy || used.firstTokenMs ? [`=${text} ${name}`] : [];
  });
}

/** It again. */
function targetsIn(lines: readonly string[], candidates: readonly Candidate[]): ReadonlyMap<string, TargetSignals> {
  const names = new Map([...namesOf(candidates)].map(([name, key]) => [key, name]));
  return new Map(
    lines.flatMap((line): [string, TargetSignals][] => {
      const [, first = '', rest = ''] = /^(\S*) (.*)$/s.exec(line) ?? [];
      if (first.startsWith('=')) return [[rest, knownIn(first.slice(1))]];
      const name = names.get(first);
      return name === undefined ? [] : [[name, knownIn(rest)]];
    }),
  );
}

function asksOf({ platform, models, needs, prefers, caller }: RouteRequest, candidates: readonly Candidate[]): Partial<KeptDecision> {
  const c = caller ? callerText(caller, candidates) : '';
  const f = needs?.refused ? parametersOf(needs.refused, candidates) : [];
  const l = needs?.lost ? parametersOf(needs.lost, candidates) : [];
  return {
    ...(platform === undefined ? {} : { p: platform }),
    ...(models ? { m: models } : {}),
    ...(needs ? { n: needsText(needs) } : {}),
    ...(f.length > 0 ? { f } : {}),
    ...(l.length > 0 ? { l } : {}),
    ...(prefers ? { w: prefers } : {}),
    ...(c === '' ? {} : { c }),
  };
}

/** Routes that put their targets in order by lot, if only where they are equal. */
const DRAWN: readonly ReasonCode[] = ['weight', 'random', 'least_busy', 'lowest_latency', 'lowest_cost'];

function readsOf(
  { random, known: { turns, targets } }: Reads,
  { prefers }: RouteRequest,
  candidates: readonly Candidate[],
): Partial<KeptDecision> {
  const s = targets.length > 0 ? knownOf(targets, candidates, prefers) : [];
  return {
    ...(random !== 0 && has(candidates, ...DRAWN) ? { r: random } : {}),
    ...(turns.length > 0 ? { t: turns.flat() } : {}),
    ...(s.length === 0 ? {} : { s }),
  };
}

/** What is kept of a decision. */
export function keepDecision({ decision: { candidates, refusal }, request, reads }: Decided): KeptDecision {
  return {
    o: candidates.map(lineOf),
    ...(refusal ? { x: refusal.kind } : {}),
    ...asksOf(request, candidates),
    ...(reads ? readsOf(reads, request, candidates) : {}),
  };
}

/**
 * What is kept of a call that was answered with what another was told: who had made that, and that this is why. There was nothing to
 * decide, so there is nothing to decide again: it is no matter for `replay`.
 */
export const keepAnswered = (by: Pick<Candidate, 'provider' | 'model' | 'protocol'>): KeptDecision => ({
  o: [lineOf({ ...by, verdict: 'chosen', reasons: ['cache_hit'] })],
});

/** What a record says of a call by itself. */
export interface Recorded {
  readonly asked: string;
  readonly protocol: ProtocolId;
  /** As records say it: `generate`, an ability, or `count_tokens`, which is decided as if it were generated. */
  readonly operation: string;
  /** The key's name. */
  readonly key: string;
}

/** The turns that routes had taken. */
const turnsIn = (flat: readonly (string | number)[]): ReadonlyMap<string, number> =>
  new Map(flat.flatMap((name, at) => (at % 2 === 0 ? [[String(name), Number(flat[at + 1])] as const] : [])));

/** Decides a call again from what was kept of it: for the snapshot that it was decided on, the same decision. */
export function replay(snapshot: Snapshot, call: Recorded, kept: KeptDecision): Decision {
  const { p: platform, m: after, n, f = [], l = [], w: prefers, c, r: random = 0, t = [], s = [] } = kept;
  const candidates = candidatesOf(kept);
  const full = new Map(candidates.flatMap((one) => one.reasons.filter(isFullReason).map((why) => [nameOf(one), why] as const)));
  const whyFull = (one: Target): FullReason | undefined => full.get(nameOf(one));
  const then: Signals = { random, turns: turnsIn(t), targets: targetsIn(s, candidates), ...(full.size > 0 ? { whyFull } : {}) };
  const { models, ...open } = [...snapshot.keys.values()].find(({ name }) => name === call.key) ?? { models: undefined };
  const key = models === undefined || kept.a === 1 ? open : { ...open, models };
  const operation = call.operation === 'count_tokens' ? 'generate' : (call.operation as 'generate' | Ability);
  const asks = {
    ...(platform === undefined ? {} : { platform }),
    ...(after ? { models: after } : {}),
    ...(n === undefined ? {} : { needs: { ...needsIn(n), refused: parametersIn(f, candidates), lost: parametersIn(l, candidates) } }),
    ...(prefers ? { prefers } : {}),
    ...(c === undefined ? {} : { caller: callerIn(c) }),
  };
  return decide(snapshot, { ...asks, model: call.asked, protocol: call.protocol, operation, key }, then);
}

/** Whether a decision comes out as a kept one did: the same candidates, verdicts, reasons and order. */
export function isSameOutcome({ candidates, refusal }: Decision, { o, x }: Pick<KeptDecision, 'o' | 'x'>): boolean {
  if (refusal?.kind !== x || candidates.length !== o.length) return false;
  return candidates.every((one, index) => lineOf(one) === o[index]);
}
