import type { Ability, ProtocolId } from '../ir/index.ts';
import type { Candidate, Draft, ReasonCode } from './candidate.ts';
import { matchesAny } from './glob.ts';
import { costAt, expectedOf } from './models/call-cost.ts';
import { type Expected, type MaxPrice, within } from './models/price.ts';
import { lackingOf, neededFor, type Needs } from './needs.ts';
import { choosesItself, type Preferences, rankOf, unwanted } from './preferences.ts';
import { mayWait } from './queue.ts';
import { refusalOf } from './refusal.ts';
import { applyRules } from './rules.ts';
import { draftOf, type Expansion, expand, factsIn, expandAsked, expandLater, MAX_STEPS, type Way } from './routes/expand.ts';
import type { Failure } from './routes/route.ts';
import type { Caller } from './routes/strategies.ts';
import { isFullReason, NO_SIGNALS, type OutReason, type Signals, type WhyFull } from './signals.ts';
import type { ClientKey, Snapshot } from './snapshot.ts';

export type { Candidate } from './candidate.ts';

/** What a call wants, as far as routing is concerned. */
export interface RouteRequest {
  readonly model: string;
  /** The provider named in the path: then only it, and no aliases. */
  readonly platform?: string;
  /** What the client speaks. */
  readonly protocol: ProtocolId;
  /** Chat, or another ability. */
  readonly operation: 'generate' | Ability;
  readonly key: Pick<ClientKey, 'models' | 'routes' | 'rule'>;
  /** Names to go to after it, in order (`models` in a body). */
  readonly models?: readonly string[];
  readonly needs?: Needs;
  readonly prefers?: Preferences;
  readonly caller?: Caller;
}

/** Where a call goes and why. The one answer for live traffic, `pailou route explain` and route tests. */
export interface Decision {
  readonly asked: string;
  /** In the order of trying; at most one is `chosen`. */
  readonly candidates: readonly Candidate[];
  /** Said to the caller when nothing was chosen. */
  readonly refusal?: { readonly kind: 'not_found' | 'permission' | 'bad_request'; readonly message: string; readonly param?: string };
  /** Several providers know the bare id; the first in configuration order was taken. */
  readonly ambiguous?: readonly string[];
  /** Routes that took a turn: whoever follows the decision counts it. */
  readonly turned?: readonly string[];
}

const START: Way = { reasons: [], hops: 0 };
const NOBODY: Caller = {};

/** All that a call may go to, in the order of trying, before anything is left out. */
function draftsOf(snapshot: Snapshot, request: RouteRequest, signals: Signals): Pick<Expansion, 'found' | 'turned'> {
  const expansion: Expansion = {
    snapshot,
    job: request,
    caller: request.caller ?? NOBODY,
    signals,
    found: [],
    later: [],
    turned: [],
    steps: MAX_STEPS,
  };
  expandAsked(expansion, request.model, request.key.routes, START);
  for (const name of request.models ?? []) {
    if (isAllowed(request, name)) expansion.later.push({ name, way: { reasons: ['fallback'], hops: 0 } });
    else expansion.found.push({ provider: '', model: name, verdict: 'rejected', reasons: ['fallback', 'key_not_allowed'] });
  }
  expandLater(expansion);
  if (expansion.found.length === 0 && snapshot.defaultModel !== undefined) {
    expand(expansion, snapshot.defaultModel, { reasons: ['default'], hops: 0 });
    expandLater(expansion);
  }
  return expansion;
}

const isAllowed = ({ key }: RouteRequest, name: string): boolean => key.models === undefined || matchesAny(key.models, name);

function reject(draft: Draft, ...why: readonly ReasonCode[]): void {
  draft.verdict = 'rejected';
  draft.reasons = [...draft.reasons, ...why];
}

/** Leaves out what costs more than the caller will pay, and what may: a price that nobody knows. */
function applyMaxPrice(drafts: readonly Draft[], snapshot: Snapshot, most: MaxPrice, expected: Expected): void {
  const facts = factsIn(snapshot);
  for (const draft of drafts) {
    const provider = snapshot.providers.get(draft.provider);
    if (draft.verdict !== 'eligible' || !provider || choosesItself(provider)) continue;
    const { price, abilities } = facts.of(provider, draft.protocol, draft.model);
    const call = abilities.imageOutput?.value === true && expected.operation === 'generate' ? { ...expected, makesImages: true } : expected;
    const answer = price ? within(price.value, most, call, facts.rates) : 'unknown';
    if (answer !== 'yes') reject(draft, answer === 'no' ? 'max_price' : 'price_unknown');
  }
}

/** The cheapest first; what has no price that is known comes last. */
function sortByPrice(drafts: Draft[], snapshot: Snapshot, expected: Expected): void {
  const costs = new Map<Draft, number>();
  for (const draft of drafts) {
    const provider = snapshot.providers.get(draft.provider);
    if (draft.verdict !== 'eligible' || !provider) continue;
    const cost = costAt(factsIn(snapshot), provider, draft, expected);
    if (cost !== undefined) costs.set(draft, cost);
    draft.reasons = [...draft.reasons, cost === undefined ? 'price_unknown' : 'lowest_cost'];
  }
  const costOf = (draft: Draft): number => costs.get(draft) ?? Number.MAX_VALUE;
  drafts.sort((a, b) => costOf(a) - costOf(b));
}

/** The quickest first, by what was measured; what was not measured yet is tried. */
function sortBySpeed(drafts: Draft[], signals: Signals, sort: 'latency' | 'throughput'): void {
  const slowness = ({ provider, model }: Draft): number => {
    const { firstTokenMs = 0, tokensPerSecond = Infinity } = signals.targets.get(`${provider}/${model}`) ?? {};
    return sort === 'latency' ? firstTokenMs : 1 / tokensPerSecond;
  };
  const measured = new Map(drafts.map((draft) => [draft, slowness(draft)]));
  drafts.sort((a, b) => (measured.get(a) ?? 0) - (measured.get(b) ?? 0));
}

/** What the caller says of providers. */
function applyPreferences(drafts: Draft[], snapshot: Snapshot, wants: Preferences, signals: Signals, expected: Expected): void {
  const providerOf = (draft: Draft) => snapshot.providers.get(draft.provider);
  for (const draft of drafts) {
    const provider = providerOf(draft);
    const why = draft.verdict === 'eligible' && provider ? unwanted(provider, wants) : undefined;
    if (why) reject(draft, why);
  }
  if (wants.maxPrice) applyMaxPrice(drafts, snapshot, wants.maxPrice, expected);
  if (wants.sort === 'price') sortByPrice(drafts, snapshot, expected);
  else if (wants.sort) sortBySpeed(drafts, signals, wants.sort);
  const rank = (draft: Draft): number => {
    const provider = providerOf(draft);
    return provider ? rankOf(provider, wants) : Number.MAX_SAFE_INTEGER;
  };
  if (wants.order) drafts.sort((a, b) => rank(a) - rank(b));
}

/** Leaves out what lacks what is needed; what would only do worse stays where nothing does better. */
function applyNeeds(drafts: readonly Draft[], snapshot: Snapshot, needs: Needs, strictly: boolean): void {
  const worse: [Draft, readonly ReasonCode[]][] = [];
  const refusing: [Draft, readonly ReasonCode[]][] = [];
  for (const draft of drafts) {
    const provider = snapshot.providers.get(draft.provider);
    if (draft.verdict !== 'eligible' || !provider) continue;
    const facts = factsIn(snapshot).of(provider, draft.protocol, draft.model);
    const { hard, soft, refused } = lackingOf(facts, needs, `${draft.provider}/${draft.model}`);
    if (hard.length > 0) reject(draft, ...hard);
    else if (soft.length > 0) worse.push([draft, soft]);
    if (refused.length > 0) refusing.push([draft, refused]);
  }
  leaveOut(drafts, worse, strictly);
  leaveOut(drafts, refusing, false);
}

/** Leaves some out where another may be tried in their place, or in any case (`anyway`). */
function leaveOut(drafts: readonly Draft[], some: readonly (readonly [Draft, readonly ReasonCode[]])[], anyway: boolean): void {
  const still = some.filter(([{ verdict }]) => verdict === 'eligible');
  if (still.length === 0) return;
  const foretold = new Set([...foretoldBy(drafts), ...foretoldIn(still.flatMap(([, why]) => why))]);
  const isThereBetter = drafts.some(
    (draft) => draft.verdict === 'eligible' && isFor(draft, foretold) && !still.some(([one]) => one === draft),
  );
  if (isThereBetter || anyway) for (const [draft, why] of still) reject(draft, ...why);
}

/** The failure that a reason for leaving a target out foretells. */
const FORETOLD: { readonly [R in ReasonCode]?: Failure } = {
  context_too_long: 'context',
  circuit_open: 'down',
  unhealthy: 'down',
  credential_bad: 'down',
  quota_exhausted: 'down',
  cooldown: 'rateLimited',
};

const foretoldIn = (reasons: readonly ReasonCode[]): readonly Failure[] => reasons.flatMap((reason) => FORETOLD[reason] ?? []);

/** The failures that are foreseen, as targets have been left out for what would have led to them. */
const foretoldBy = (drafts: readonly Draft[]): readonly Failure[] =>
  drafts.flatMap(({ verdict, reasons }) => (verdict === 'rejected' ? foretoldIn(reasons) : []));

/** Whether a target may be tried first, these failures foreseen. */
const isFor = ({ after }: Draft, foretold: ReadonlySet<Failure>): boolean =>
  after === undefined || after.some((failure) => foretold.has(failure));

/** Leaves out what is known not to answer now, but never the last one. */
function applyHealth(drafts: readonly Draft[], signals: Signals): void {
  if (signals.targets.size === 0) return;
  const out = drafts.flatMap((draft): [Draft, OutReason][] => {
    if (draft.verdict !== 'eligible') return [];
    const why = signals.targets.get(draft.provider)?.out ?? signals.targets.get(`${draft.provider}/${draft.model}`)?.out;
    return why === undefined ? [] : [[draft, why]];
  });
  const left = drafts.filter((draft) => draft.verdict === 'eligible' && !out.some(([one]) => one === draft));
  const foretold = new Set([...foretoldBy(drafts), ...out.flatMap(([, why]) => FORETOLD[why] ?? [])]);
  const isLast = !left.some((draft) => isFor(draft, foretold));
  for (const [index, [draft, why]] of out.entries()) {
    if (isLast && index === 0) draft.reasons = [...draft.reasons, why, 'last_target'];
    else reject(draft, why);
  }
}

/** The first that may be tried: one that is kept for a failure only where that failure is foreseen. */
function firstOf(drafts: readonly Draft[]): Draft | undefined {
  const plain = drafts.find(({ verdict, after }) => verdict === 'eligible' && after === undefined);
  if (plain) return plain;
  const foretold = new Set(foretoldBy(drafts));
  return drafts.find((draft) => draft.verdict === 'eligible' && isFor(draft, foretold));
}

/** What does no harm when it is done twice: only that is ever tried at two places at once. */
const TRIED_TWICE: ReadonlySet<RouteRequest['operation']> = new Set(['generate', 'embeddings', 'moderations', 'rerank', 'speech']);

/**
 * The first of some that has room now. Those before it are passed by, not left out: when it fails they may have room, and it may be
 * waited for.
 */
function withRoom(drafts: readonly Draft[], whyFull: WhyFull): Draft | undefined {
  return drafts.find((draft) => {
    if (draft.reasons.some(isFullReason)) return false;
    const why = whyFull(draft);
    if (why) draft.reasons = [...draft.reasons, why];
    return why === undefined;
  });
}

const NONE_FULL: WhyFull = () => undefined;

/**
 * The first of those to be tried that has room. Where none has it is the first that may be waited for, then one that is kept for limits:
 * for a minute nobody waits.
 */
function firstToTry(first: Draft, drafts: readonly Draft[], whyFull: WhyFull, providers: Snapshot['providers']): Draft {
  const eligible = drafts.filter(({ verdict }) => verdict === 'eligible');
  const plain = eligible.filter(({ after }) => after === undefined);
  const keptForLimits = eligible.filter(({ after }) => after?.includes('rateLimited') === true);
  if (plain.length === 0 || plain.length + keptForLimits.length === 1) return first;
  const free = withRoom(plain, whyFull);
  if (free) return free;
  const isLimited = ({ reasons }: Draft): boolean => reasons.includes('local_rate_limit');
  const waitedFor = plain.find((draft) => !isLimited(draft) && mayWait(providers.get(draft.provider) ?? {}));
  return waitedFor ?? (plain.some(isLimited) ? withRoom(keptForLimits, whyFull) : undefined) ?? first;
}

/** Marks the choice, which is tried first: what stands before it is tried after it, if at all. */
function choose(
  drafts: readonly Draft[],
  onlyFirst: boolean,
  operation: RouteRequest['operation'],
  { whyFull = NONE_FULL }: Pick<Signals, 'whyFull'>,
  providers: Snapshot['providers'],
): readonly Draft[] {
  const first = firstOf(drafts);
  if (!first) return drafts;
  if (onlyFirst) {
    first.verdict = 'chosen';
    for (const draft of drafts) if (draft.verdict === 'eligible') reject(draft, 'provider_filter');
    return drafts;
  }
  const plain = drafts.filter(({ verdict, after }) => verdict === 'eligible' && after === undefined);
  const chosen = firstToTry(first, drafts, whyFull, providers);
  chosen.verdict = 'chosen';
  if (chosen.hedgeMs === undefined || !TRIED_TWICE.has(operation)) return drafts;
  // Where it is slow, this one is tried beside it.
  const beside = withRoom(
    plain.filter((draft) => draft !== chosen),
    whyFull,
  );
  if (beside) beside.reasons = [...beside.reasons, 'hedge'];
  return drafts;
}

/** Several providers know the id, and nothing but their order chose. */
function ambiguityOf(drafts: readonly Draft[]): Pick<Decision, 'ambiguous'> {
  const tried = drafts.filter(({ verdict }) => verdict !== 'rejected');
  const same = tried.every(({ model, reasons }) => model === tried[0]?.model && reasons.every(isName));
  return tried.length > 1 && same ? { ambiguous: tried.map(({ provider }) => provider) } : {};
}

const isName = (reason: ReasonCode): boolean => reason === 'default' || reason === 'alias' || reason === 'pattern';

/**
 * The one router: pure, synchronous, the same answer for the same snapshot, request and signals. What a lone target lacks is
 * left to its encoder, which says what is lost: there is nothing better.
 */
export function decide(snapshot: Snapshot, request: RouteRequest, signals: Signals = NO_SIGNALS): Decision {
  const asked = request.model;
  if (!isAllowed(request, asked)) {
    const message = `This key may not use model '${asked.slice(0, 200)}'`;
    return { asked, candidates: [], refusal: { kind: 'permission', message, param: 'model' } };
  }
  const { found, turned } =
    request.platform === undefined ? draftsOf(snapshot, request, signals) : pinned(snapshot, request, request.platform);
  const { prefers, needs, key } = request;
  applyRules(found, snapshot.providers, key.rule, reject);
  if (prefers) applyPreferences(found, snapshot, prefers, signals, expectedOf(request));
  const strictly = prefers?.requireParameters === true;
  if (needs && (found.length > 1 || strictly)) applyNeeds(found, snapshot, neededFor(request.operation, needs), strictly);
  if (found.length > 1) applyHealth(found, signals);
  const candidates = choose(found, prefers?.allowFallbacks === false, request.operation, signals, snapshot.providers);
  if (!candidates.some(({ verdict }) => verdict === 'chosen'))
    return { asked, candidates, refusal: refusalOf(snapshot, request, candidates) };
  return { asked, candidates, ...(found.length > 1 ? ambiguityOf(found) : {}), ...(turned.length > 0 ? { turned } : {}) };
}

/** The provider that the path names, and no other. */
function pinned(snapshot: Snapshot, request: RouteRequest, platform: string): Pick<Expansion, 'found' | 'turned'> {
  const provider = snapshot.providers.get(platform);
  return { found: provider ? [draftOf(provider, request.model, request, ['pinned_by_request'])] : [], turned: [] };
}
