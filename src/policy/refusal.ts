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

const WORDS: Readonly<Record<string, string>> = {
  imageOutput: 'images in its answers',
  audioOutput: 'sound in its answers',
  generate: 'chat',
};

/** What a lack is called to whoever meets it. */
function lackText(reason: ReasonCode): string {
  if (reason === 'context_too_long') return 'a context as long as this';
  const ability = reason.slice('capability_missing:'.length);
  return WORDS[ability] ?? ability;
}

/** What a candidate lacks; `undefined`: nothing that is known. */
function lacksOf({ provider, model, reasons }: Candidate): string | undefined {
  const lacks = reasons.filter(isLack).map(lackText);
  return lacks.length > 0 ? `${provider}/${model} lacks ${lacks.join(', ')}` : undefined;
}

/** Several were to be tried, and none of them can. */
function noneCan(request: RouteRequest, candidates: readonly Candidate[]): Refusal {
  const each = candidates.flatMap((one) => lacksOf(one) ?? []).slice(0, 8);
  const [lost] = candidates.flatMap(({ provider, model }) => request.needs?.lost?.[`${provider}/${model}`] ?? []);
  const asked = request.prefers?.requireParameters === true ? "; 'provider.require_parameters' was asked for" : '';
  return {
    kind: 'bad_request',
    message: `No target of '${request.model}' can do this: ${each.join('; ')}${asked}`,
    param: lost ?? 'model',
  };
}

const UNWANTED = new Set<ReasonCode>(['provider_filter', 'data_retention']);
const TOO_DEAR = new Set<ReasonCode>([...UNWANTED, 'max_price', 'price_unknown']);
const FORBIDDEN = new Set<ReasonCode>(['region_excluded', 'data_retention']);

const WHY: { readonly [R in ReasonCode]?: string } = {
  region_excluded: 'is not in an allowed region',
  data_retention: 'may keep what it is sent',
  max_price: 'costs more than provider.max_price',
  price_unknown: 'has no price that is known',
};

/** Candidates that were left out for one of some reasons, each with why, and those that lack something. */
function eachWith(candidates: readonly Candidate[], of: ReadonlySet<ReasonCode>): string {
  const each = candidates.flatMap((one) => {
    const { provider, model, reasons } = one;
    const why = reasons.find((reason) => of.has(reason));
    if (why === undefined) return lacksOf(one) ?? [];
    return [`${provider}/${model}${WHY[why] === undefined ? '' : ` ${WHY[why]}`}`];
  });
  return each.slice(0, 8).join('; ');
}

const isOutFor = (candidates: readonly Candidate[], of: ReadonlySet<ReasonCode>): boolean =>
  candidates.some(({ verdict, reasons }) => verdict === 'rejected' && reasons.some((reason) => of.has(reason)));

/** What a key, a route or the caller forbids; `undefined`: nothing was left out for that. */
function forbiddenBy(request: RouteRequest, candidates: readonly Candidate[]): Refusal | undefined {
  if (request.prefers?.dataCollection !== 'deny' && isOutFor(candidates, FORBIDDEN)) {
    const message = `No target of '${request.model}' may be used: ${eachWith(candidates, FORBIDDEN)}`;
    return { kind: 'permission', message, param: 'model' };
  }
  // Routes by price know of unknown prices, too: only a bound makes them a reason.
  const unwanted = request.prefers?.maxPrice ? TOO_DEAR : UNWANTED;
  if (!request.prefers || !isOutFor(candidates, unwanted)) return undefined;
  return { kind: 'bad_request', message: `'provider' leaves nothing to try of: ${eachWith(candidates, unwanted)}`, param: 'provider' };
}

/** What is said to a caller of whose candidates none may be tried. */
export function refusalOf(snapshot: Snapshot, request: RouteRequest, candidates: readonly Candidate[]): Refusal {
  if (request.platform !== undefined && !snapshot.providers.has(request.platform)) {
    const known = [...snapshot.providers.keys()].join(', ') || 'none';
    return { kind: 'not_found', message: `Unknown platform '${request.platform}'. Known: ${known}` };
  }
  const forbidden = forbiddenBy(request, candidates);
  if (forbidden) return forbidden;
  const lacking = candidates.find(({ reasons }) => reasons.some(isLack));
  const itself: ReasonCode = `capability_missing:${request.operation}`;
  if (candidates.some(({ reasons }) => reasons.some((reason) => isLack(reason) && reason !== itself))) return noneCan(request, candidates);
  if (lacking) {
    return {
      kind: 'bad_request',
      message: `Provider '${lacking.provider}' cannot do this for '${request.model}': it is not known to have ${lackText(itself)} there`,
      param: 'model',
    };
  }
  const near = nearestNames(request.model, knownNames(snapshot));
  const hint = near.length > 0 ? `. Did you mean ${near.map((name) => `'${name}'`).join(', ')}?` : '. GET /v1/models lists what there is';
  return { kind: 'not_found', message: `Unknown model '${request.model}'${hint}`, param: 'model' };
}
