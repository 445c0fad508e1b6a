import type { Ability, ProtocolId } from '../../ir/index.ts';
import type { Provider, Timeouts } from '../../presets/preset.ts';
import type { Draft, ReasonCode, Room } from '../candidate.ts';
import { fillStars, matchGlob } from '../glob.ts';
import { costAt, expectedOf } from '../models/call-cost.ts';
import { type Facts, PLAIN_FACTS } from '../models/model-facts.ts';
import type { Needs } from '../needs.ts';
import type { Rule } from '../rules.ts';
import type { Signals, TargetSignals } from '../signals.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Failure, ModelTable, Route } from './route.ts';
import { arrange, type Caller } from './strategies.ts';

/** What a call wants done. */
export interface Job {
  readonly protocol: ProtocolId;
  /** Chat, or another ability. */
  readonly operation: 'generate' | Ability;
  readonly needs?: Needs;
}

/** What names are followed with. */
export interface Expansion {
  readonly snapshot: Snapshot;
  readonly job: Job;
  readonly caller: Caller;
  readonly signals: Signals;
  readonly found: Draft[];
  /** Names to go to after all others. */
  readonly later: { readonly name: string; readonly way: Way }[];
  /** Routes that took a turn. */
  readonly turned: string[];
  /** Names that may still be followed: routes may name routes, and in a circle that slipped through there would be no end of it. */
  steps: number;
}

/** How a name was come by. */
export interface Way {
  readonly reasons: readonly ReasonCode[];
  readonly after?: Failure;
  readonly timeouts?: Partial<Timeouts>;
  readonly hedgeMs?: number;
  readonly rooms?: readonly Room[];
  /** What the routes on the way say of where calls may go. */
  readonly rules?: readonly Rule[];
  readonly hops: number;
  /** Names on the way here: one that leads back to itself leads nowhere. */
  readonly via?: readonly string[];
}

/** What is known of models. */
export const factsIn = ({ facts }: Snapshot): Facts => facts ?? PLAIN_FACTS;

const MAX_HOPS = 10;
/** A decision's candidates at most: routes may name routes. */
const MAX_CANDIDATES = 64;
/** Names that a decision follows at most. */
export const MAX_STEPS = 256;

/** What a name stands for: itself where nothing else is said. */
export interface Meaning {
  readonly target: string | Route;
  readonly reason: 'alias' | 'pattern';
  /** What the pattern's stars stood for. */
  readonly stars: readonly string[];
}

const NO_STARS: readonly string[] = [];

/** What a table says of a name. */
export function meaningOf({ aliases, patterns }: ModelTable, name: string): Meaning | undefined {
  const alias = aliases.get(name);
  if (alias !== undefined) return { target: alias, reason: 'alias', stars: NO_STARS };
  for (const { glob, target } of patterns) {
    const stars = matchGlob(glob, name);
    if (!stars) continue;
    const filled = typeof target === 'string' ? fillStars(target, stars) : target;
    return filled === name ? undefined : { target: filled, reason: 'pattern', stars };
  }
  return undefined;
}

/** The protocol to ask a provider in: the client's own where the model is served in it, else the first that it prefers. */
function protocolFor(provider: Provider, model: string, protocol: ProtocolId): ProtocolId | undefined {
  if (provider.wires.get(protocol)?.serves(model) === true) return protocol;
  for (const [id, wire] of provider.wires) if (id !== 'openai-completions' && wire.serves(model)) return id;
  return undefined;
}

/** A provider's model as a candidate, as far as that provider goes. */
export function draftOf(provider: Provider, model: string, { operation, protocol: spoken }: Job, reasons: readonly ReasonCode[]): Draft {
  const base = { provider: provider.name, model };
  if (!provider.exposes(model)) return { ...base, verdict: 'rejected', reasons: [...reasons, 'disabled'] };
  if (operation !== 'generate') {
    const has = provider.media.some((one) => one.ability === operation && one.serves(model));
    if (has) return { ...base, verdict: 'eligible', reasons };
    return { ...base, verdict: 'rejected', reasons: [...reasons, `capability_missing:${operation}`] };
  }
  const protocol = protocolFor(provider, model, spoken);
  if (!protocol) return { ...base, verdict: 'rejected', reasons: [...reasons, `capability_missing:${operation}`] };
  return { ...base, protocol, verdict: 'eligible', reasons };
}

function add(expansion: Expansion, draft: Draft, { after, timeouts, hedgeMs, rooms, rules }: Way): void {
  const { found } = expansion;
  const same = found.find((one) => one.provider === draft.provider && one.model === draft.model);
  if (same) {
    // The same target once more: it is tried once, after whichever trouble names it.
    if (after === undefined) delete same.after;
    else if (same.after && !same.after.includes(after)) same.after = [...same.after, after];
    // Come by without a rule it may be tried.
    if (!rules) delete same.rules;
    return;
  }
  if (found.length >= MAX_CANDIDATES) return;
  if (after !== undefined) draft.after = [after];
  if (timeouts) draft.timeouts = timeouts;
  if (hedgeMs !== undefined) draft.hedgeMs = hedgeMs;
  if (rooms) draft.rooms = rooms;
  if (rules) draft.rules = rules;
  found.push(draft);
}

/** Where a name ends that stands for nothing else: `provider/model`, or an id that providers are known to have. */
function land(expansion: Expansion, name: string, way: Way): void {
  const { snapshot, job } = expansion;
  const slash = name.indexOf('/');
  const named = slash > 0 ? snapshot.providers.get(name.slice(0, slash)) : undefined;
  if (named) {
    add(expansion, draftOf(named, name.slice(slash + 1), job, way.reasons.length > 0 ? way.reasons : ['pinned_by_request']), way);
    return;
  }
  for (const draft of landBare(expansion, name, way.reasons.length > 0 ? way.reasons : ['default'])) add(expansion, draft, way);
}

/** All that are known to have a bare id. That a preset knows it is a guess: one whose own list lacks it is left out beside one that lists it. */
function landBare({ snapshot, job }: Expansion, name: string, reasons: readonly ReasonCode[]): readonly Draft[] {
  const facts = factsIn(snapshot);
  const having = [...snapshot.providers.values()].filter((one) => one.knows(name) || facts.lists(one, name));
  const drafts = having.map((provider) => draftOf(provider, name, job, reasons));
  if (!having.some((provider, at) => drafts[at]?.verdict === 'eligible' && facts.lists(provider, name))) return drafts;
  return drafts.map((draft, at): Draft => {
    const provider = having[at];
    if (draft.verdict !== 'eligible' || !provider || !facts.lacks(provider, name)) return draft;
    return { ...draft, verdict: 'rejected', reasons: [...reasons, 'model_unsupported'] };
  });
}

/** What is known of what a target leads to: names that stand for another one are followed. */
function knownTarget({ snapshot, signals }: Expansion, to: string): TargetSignals | undefined {
  let name = to;
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    const known = signals.targets.get(name);
    if (known) return known;
    const next = snapshot.aliases.get(name);
    if (typeof next !== 'string') return undefined;
    name = next;
  }
  return undefined;
}

/** What the call would cost at what a name leads to: of several targets at the cheapest; `undefined` where no price is known. */
function costOfName(expansion: Expansion, name: string, hops: number): number | undefined {
  const { snapshot, job } = expansion;
  const meaning = hops > 0 ? meaningOf(snapshot, name) : undefined;
  if (typeof meaning?.target === 'string') return costOfName(expansion, meaning.target, hops - 1);
  if (meaning) {
    const { target, stars } = meaning;
    const costs = target.targets.flatMap(({ to }) => costOfName(expansion, fillStars(to, stars), Math.min(hops - 1, 2)) ?? []);
    return costs.length === 0 ? undefined : Math.min(...costs);
  }
  const named = snapshot.providers.get(name.slice(0, Math.max(0, name.indexOf('/'))));
  const provider = named ?? [...snapshot.providers.values()].find((one) => one.knows(name));
  if (!provider) return undefined;
  const model = named ? name.slice(named.name.length + 1) : name;
  return costAt(factsIn(snapshot), provider, { protocol: protocolFor(provider, model, job.protocol), model }, expectedOf(job));
}

function follow(expansion: Expansion, { target, reason, stars }: Meaning, way: Way): void {
  const reasons = [...way.reasons, reason];
  const hops = way.hops + 1;
  if (typeof target === 'string') {
    expand(expansion, target, { ...way, reasons, hops });
    return;
  }
  const {
    targets,
    reason: order,
    unknown,
  } = arrange(target, expansion.caller, expansion.signals, {
    signals: (to) => knownTarget(expansion, fillStars(to, stars)),
    cost: (to) => costOfName(expansion, fillStars(to, stars), MAX_HOPS),
  });
  if (order === 'round_robin' && !reasons.includes('fallback')) expansion.turned.push(target.name);
  const timeouts = way.timeouts ?? target.timeouts;
  const hedgeMs = way.hedgeMs ?? target.hedgeMs;
  const rules = target.rule ? [...(way.rules ?? []), target.rule] : way.rules;
  const kept = { ...(timeouts ? { timeouts } : {}), ...(hedgeMs === undefined ? {} : { hedgeMs }), ...(rules ? { rules } : {}) };
  for (const { to, concurrency: calls, timeouts: own } of targets) {
    const waits = way.timeouts === undefined && own ? { timeouts: own } : {};
    const rooms = calls === undefined ? {} : { rooms: [...(way.rooms ?? []), { route: target.name, calls }] };
    const why = unknown?.has(to) === true ? ([order, 'price_unknown'] as const) : [order];
    expand(expansion, fillStars(to, stars), { ...way, ...kept, ...waits, ...rooms, reasons: [...reasons, ...why], hops });
  }
  for (const { to, after = way.after } of target.fallbacks) {
    const next: Way = {
      reasons: [...reasons, 'fallback'],
      hops,
      ...kept,
      ...(way.via ? { via: way.via } : {}),
      ...(after === undefined ? {} : { after }),
    };
    expansion.later.push({ name: fillStars(to, stars), way: next });
  }
}

/** Follows a name to the targets that it stands for. Loops are configuration errors; should one get here it ends. */
export function expand(expansion: Expansion, name: string, way: Way): void {
  if (way.via?.includes(name) === true) return;
  if (expansion.steps-- <= 0 || way.hops > MAX_HOPS || expansion.found.length >= MAX_CANDIDATES) return;
  const meaning = meaningOf(expansion.snapshot, name);
  if (meaning) follow(expansion, meaning, { ...way, via: [...(way.via ?? []), name] });
  else land(expansion, name, way);
}

/** As `expand`, for the name that was asked for: what is said of it for this key alone comes first. */
export function expandAsked(expansion: Expansion, name: string, own: ModelTable | undefined, way: Way): void {
  const meaning = own && meaningOf(own, name);
  if (meaning) follow(expansion, meaning, way);
  else expand(expansion, name, way);
}

/** Adds what comes after all others; what that brings up comes after it. */
export function expandLater(expansion: Expansion): void {
  const { later, found } = expansion;
  for (let next = later.shift(); next && found.length < MAX_CANDIDATES; next = later.shift()) expand(expansion, next.name, next.way);
}
