import type { Ability, ProtocolId } from '../ir/index.ts';
import type { Provider } from '../presets/preset.ts';
import { fillStars, matchesAny, matchGlob } from './glob.ts';
import { nearestNames } from './nearest.ts';
import type { ClientKey, Snapshot } from './snapshot.ts';

/** What a call wants, as far as routing is concerned. */
export interface RouteRequest {
  readonly model: string;
  /** The provider named in the path: then only it, and no aliases. */
  readonly platform?: string;
  /** What the client speaks. */
  readonly protocol: ProtocolId;
  /** Chat, or another ability. */
  readonly operation: 'generate' | Ability;
  readonly key: Pick<ClientKey, 'models'>;
}

/** Why a candidate stands where it stands: a closed list (CONSOLE.md §5.4, DECISIONS). */
export type ReasonCode =
  | 'alias'
  | 'pattern'
  | 'default'
  | 'pinned_by_request'
  | 'key_not_allowed'
  | 'model_unsupported'
  | 'disabled'
  | `capability_missing:${string}`;

/** A provider and model that a call may go to, and whether it does. */
export interface Candidate {
  readonly provider: string;
  /** The provider's own id. */
  readonly model: string;
  /** Absent when the provider has no way to be asked. */
  readonly protocol?: ProtocolId;
  readonly verdict: 'chosen' | 'eligible' | 'rejected';
  readonly reasons: readonly ReasonCode[];
}

/** Where a call goes and why. The one answer for live traffic, and later the simulator and route tests. */
export interface Decision {
  readonly asked: string;
  /** In the order of trying; at most one is `chosen`. */
  readonly candidates: readonly Candidate[];
  /** Said to the caller when nothing was chosen. */
  readonly refusal?: { readonly kind: 'not_found' | 'permission' | 'bad_request'; readonly message: string; readonly param?: string };
  /** Several providers know the bare id; the first in configuration order was taken. */
  readonly ambiguous?: readonly string[];
}

interface Resolved {
  readonly name: string;
  readonly reasons: readonly ReasonCode[];
}

const MAX_HOPS = 10;

/** Follows aliases and patterns to the name that a provider is asked by. Loops are configuration errors; should one get here it ends. */
function resolveName(snapshot: Snapshot, asked: string): Resolved {
  let name = asked;
  const reasons: ReasonCode[] = [];
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    const alias = snapshot.aliases.get(name);
    if (alias !== undefined) {
      name = alias;
      reasons.push('alias');
      continue;
    }
    const pattern = firstPattern(snapshot, name);
    if (pattern === undefined || pattern === name) break;
    name = pattern;
    reasons.push('pattern');
  }
  return { name, reasons };
}

function firstPattern(snapshot: Snapshot, name: string): string | undefined {
  for (const { glob, target } of snapshot.patterns) {
    const stars = matchGlob(glob, name);
    if (stars) return fillStars(target, stars);
  }
  return undefined;
}

/** The protocol to ask a provider in: the client's own where the model is served in it, else the first that it prefers. */
function protocolFor(provider: Provider, model: string, request: RouteRequest): ProtocolId | undefined {
  if (provider.wires.get(request.protocol)?.serves(model) === true) return request.protocol;
  for (const [id, wire] of provider.wires) if (id !== 'openai-completions' && wire.serves(model)) return id;
  return undefined;
}

function candidate(provider: Provider, model: string, request: RouteRequest, reasons: readonly ReasonCode[]): Candidate {
  const base = { provider: provider.name, model };
  if (!provider.exposes(model)) return { ...base, verdict: 'rejected', reasons: [...reasons, 'disabled'] };
  const { operation } = request;
  if (operation !== 'generate') {
    const has = provider.media.some((one) => one.ability === operation && one.serves(model));
    if (has) return { ...base, verdict: 'eligible', reasons };
    return { ...base, verdict: 'rejected', reasons: [...reasons, `capability_missing:${operation}`] };
  }
  const protocol = protocolFor(provider, model, request);
  if (!protocol) return { ...base, verdict: 'rejected', reasons: [...reasons, `capability_missing:${request.operation}`] };
  return { ...base, protocol, verdict: 'eligible', reasons };
}

function candidatesFor(snapshot: Snapshot, request: RouteRequest): readonly Candidate[] {
  if (request.platform !== undefined) {
    const provider = snapshot.providers.get(request.platform);
    return provider ? [candidate(provider, request.model, request, ['pinned_by_request'])] : [];
  }
  const { name, reasons } = resolveName(snapshot, request.model);
  const slash = name.indexOf('/');
  const named = slash > 0 ? snapshot.providers.get(name.slice(0, slash)) : undefined;
  if (named) return [candidate(named, name.slice(slash + 1), request, reasons.length > 0 ? reasons : ['pinned_by_request'])];
  const known: Candidate[] = [];
  for (const provider of snapshot.providers.values()) {
    if (provider.knows(name)) known.push(candidate(provider, name, request, reasons.length > 0 ? reasons : ['default']));
  }
  return known;
}

function refusal(snapshot: Snapshot, request: RouteRequest, candidates: readonly Candidate[]): NonNullable<Decision['refusal']> {
  if (request.platform !== undefined && !snapshot.providers.has(request.platform)) {
    return {
      kind: 'not_found',
      message: `Unknown platform '${request.platform}'. Known: ${[...snapshot.providers.keys()].join(', ') || 'none'}`,
    };
  }
  const lacking = candidates.find((one) => one.reasons.some((reason) => reason.startsWith('capability_missing')));
  if (lacking) {
    return {
      kind: 'bad_request',
      message: `Provider '${lacking.provider}' cannot do this for '${request.model}': it is not known to have ${request.operation === 'generate' ? 'chat' : request.operation} there`,
      param: 'model',
    };
  }
  const near = nearestNames(request.model, knownNames(snapshot));
  const hint = near.length > 0 ? `. Did you mean ${near.map((name) => `'${name}'`).join(', ')}?` : '. GET /v1/models lists what there is';
  return { kind: 'not_found', message: `Unknown model '${request.model}'${hint}`, param: 'model' };
}

/** Names that a caller may have meant: aliases, and provider names with a slash. */
function* knownNames(snapshot: Snapshot): Iterable<string> {
  yield* snapshot.aliases.keys();
  for (const { target } of snapshot.patterns) if (!target.includes('*')) yield target;
  for (const target of snapshot.aliases.values()) yield target;
  for (const provider of snapshot.providers.values()) {
    for (const model of provider.preset.knows) if (!model.includes('*')) yield `${provider.name}/${model}`;
  }
}

/** The one router: pure, synchronous, the same answer for the same snapshot and request. */
export function decide(snapshot: Snapshot, request: RouteRequest): Decision {
  const asked = request.model;
  if (request.key.models && !matchesAny(request.key.models, asked)) {
    return {
      asked,
      candidates: [],
      refusal: { kind: 'permission', message: `This key may not use model '${asked.slice(0, 200)}'`, param: 'model' },
    };
  }
  const candidates = candidatesFor(snapshot, request);
  const first = candidates.findIndex((one) => one.verdict === 'eligible');
  if (first < 0) return { asked, candidates, refusal: refusal(snapshot, request, candidates) };
  const chosen = candidates.map((one, index) => (index === first ? { ...one, verdict: 'chosen' as const } : one));
  const eligible = chosen.filter((one) => one.verdict !== 'rejected');
  return { asked, candidates: chosen, ...(eligible.length > 1 ? { ambiguous: eligible.map((one) => one.provider) } : {}) };
}
