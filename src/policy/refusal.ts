import type { Candidate, ReasonCode } from './candidate.ts';
import type { Decision, RouteRequest } from './decide.ts';
import { nearestNames } from './nearest.ts';
import type { Snapshot } from './snapshot.ts';

type Refusal = NonNullable<Decision['refusal']>;

/** Names that a caller may have meant: aliases, what they stand for, and provider names with a slash. */
function* knownNames(snapshot: Snapshot): Iterable<string> {
  yield* snapshot.aliases.keys();
  for (const { target } of snapshot.patterns) if (typeof target === 'string' && !target.includes('*')) yield target;
  for (const target of snapshot.aliases.values()) {
    if (typeof target === 'string') yield target;
    else for (const { to } of target.targets) yield to;
  }
  for (const provider of snapshot.providers.values()) {
    for (const model of provider.preset.knows) if (!model.includes('*')) yield `${provider.name}/${model}`;
  }
}

const isLack = (reason: ReasonCode): boolean => reason.startsWith('capability_missing:') || reason === 'context_too_long';

/** What a lack is called to whoever meets it. */
function lackText(reason: ReasonCode): string {
  return reason === 'context_too_long' ? 'a context as long as this' : reason.slice('capability_missing:'.length);
}

/** Several were to be tried, and none of them can. */
function noneCan(request: RouteRequest, candidates: readonly Candidate[]): Refusal {
  const each = candidates
    .map(({ provider, model, reasons }) => [`${provider}/${model}`, reasons.filter(isLack).map(lackText)] as const)
    .filter(([, lacks]) => lacks.length > 0)
    .slice(0, 8)
    .map(([name, lacks]) => `${name} lacks ${lacks.join(', ')}`);
  return { kind: 'bad_request', message: `No target of '${request.model}' can do this: ${each.join('; ')}`, param: 'model' };
}

const UNWANTED = new Set<ReasonCode>(['provider_filter', 'data_retention']);

/** What is said to a caller of whose candidates none may be tried. */
export function refusalOf(snapshot: Snapshot, request: RouteRequest, candidates: readonly Candidate[]): Refusal {
  if (request.platform !== undefined && !snapshot.providers.has(request.platform)) {
    const known = [...snapshot.providers.keys()].join(', ') || 'none';
    return { kind: 'not_found', message: `Unknown platform '${request.platform}'. Known: ${known}` };
  }
  if (candidates.some(({ reasons }) => reasons.some((reason) => UNWANTED.has(reason)))) {
    const names = [...new Set(candidates.map(({ provider }) => provider))].join(', ');
    return { kind: 'bad_request', message: `'provider' leaves nothing to try of: ${names}`, param: 'provider' };
  }
  const lacking = candidates.find(({ reasons }) => reasons.some(isLack));
  if (lacking?.protocol !== undefined) return noneCan(request, candidates);
  if (lacking) {
    const what = request.operation === 'generate' ? 'chat' : request.operation;
    return {
      kind: 'bad_request',
      message: `Provider '${lacking.provider}' cannot do this for '${request.model}': it is not known to have ${what} there`,
      param: 'model',
    };
  }
  const near = nearestNames(request.model, knownNames(snapshot));
  const hint = near.length > 0 ? `. Did you mean ${near.map((name) => `'${name}'`).join(', ')}?` : '. GET /v1/models lists what there is';
  return { kind: 'not_found', message: `Unknown model '${request.model}'${hint}`, param: 'model' };
}
