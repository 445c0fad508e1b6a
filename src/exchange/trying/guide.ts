import type { Fault } from '../../ir/index.ts';
import { isMinuteFull } from '../../policy/minute.ts';
import { type Candidate, triedInOrder } from '../../policy/candidate.ts';
import { chooseCredential } from '../../policy/credentials.ts';
import type { Place } from '../../policy/health.ts';
import { mayWait } from '../../policy/queue.ts';
import { USUAL_RETRY, type Verdict, verdictOf, waitMs } from '../../policy/retry.ts';
import type { FullReason, OutReason } from '../../policy/signals.ts';
import type { Provider } from '../../presets/preset.ts';
import { areFull, roomsOf, whyKeyFull } from './rooms.ts';
import type { Next, Tried, Trying, Walking } from './walking.ts';

/** Chooses where a call goes, try by try. */
export interface Guide {
  placeOf(next: Next): Place;
  first(): Next;
  /** After failures; `undefined`: the last of them is the last word. */
  next(tried: readonly Tried[]): Next | undefined;
  /** Another place than those that refused it for want of room, beside which only `tried` were tried. */
  instead(refused: readonly Next[], tried: readonly Tried[]): Next | undefined;
  /** Another place with room, beside one that is slow; a credential of the same provider where there is no other target. */
  beside(slow: Next, tried: readonly Tried[]): Next | undefined;
}

type Credentials = NonNullable<Provider['credentials']>;

const isWatched = ({ settings }: Provider): boolean => settings.health !== 'off';
/** The ids of all of a provider's credentials. */
export const credentialsOf = (provider: Provider): readonly string[] => provider.credentials?.map(({ id }) => id) ?? [provider.credential];

/**
 * Refusals of ours that another place may not meet with: it has words for what this one has none for, or takes an address as it is where a
 * file had to be fetched for this one and there was no room to.
 */
const OF_ONE_PLACE: ReadonlySet<string | undefined> = new Set(['not_expressible', 'fetches_full']);

/** Whether a candidate is there for what has gone wrong. A client's own mistake goes only where a route says so. */
export function isFor({ after }: Candidate, fault: Fault, { scope, failure }: Verdict = verdictOf(fault)): boolean {
  if (scope === 'gateway' && !isMinuteFull(fault)) return OF_ONE_PLACE.has(fault.code) && after === undefined;
  if (scope === 'client') return failure !== undefined && (after?.includes(failure) ?? false);
  return after === undefined || (failure !== undefined && after.includes(failure));
}

/** Whether it was the credential that a try failed for. */
function isOfKey({ end: { fault } }: Tried): boolean {
  const scope = fault && verdictOf(fault).scope;
  return scope === 'credential' || scope === 'limit' || isMinuteFull(fault);
}

/** What the pieces below share: of one call. */
interface Guiding {
  readonly call: Walking;
  readonly trying: Trying;
  readonly order: readonly Candidate[];
  /** Credentials that have failed in this call. */
  readonly spent: string[];
}

function baseOf({ call }: Guiding, candidate: Candidate): Provider {
  const base = call.providers.get(candidate.provider);
  if (!base) throw new Error(`no provider '${candidate.provider}'`);
  return base;
}

const isFull = (guiding: Guiding, candidate: Candidate): boolean =>
  areFull(roomsOf(candidate, baseOf(guiding, candidate)), guiding.trying.slots);

/** Why there is no room at a place now. */
const whyFull = (guiding: Guiding, { candidate, provider }: Pick<Next, 'candidate' | 'provider'>): FullReason | undefined =>
  whyKeyFull(provider, guiding.trying) ?? (isFull(guiding, candidate) ? 'concurrency_full' : undefined);

/** One of some credentials: one with room before one without. */
function chooseOf(guiding: Guiding, credentials: Credentials, isOut: (id: string) => boolean): Provider | undefined {
  const session = guiding.call.session();
  const choosing = { random: guiding.trying.random(), isOut, ...(session === undefined ? {} : { session }) };
  const full = credentials.filter(({ provider }) => whyKeyFull(provider, guiding.trying) !== undefined).map(({ id }) => id);
  const free =
    full.length === 0 ? undefined : chooseCredential(credentials, { ...choosing, isOut: (id) => isOut(id) || full.includes(id) });
  return (free ?? chooseCredential(credentials, choosing))?.provider;
}

/** The provider with a credential. `anyway`: also with one that is out. `besides`: not with this one. */
function payFor(guiding: Guiding, candidate: Candidate, anyway: boolean, besides?: string): Provider | undefined {
  const { call, spent, trying } = guiding;
  const base = baseOf(guiding, candidate);
  const isOut = (id: string): boolean =>
    id === besides || spent.includes(id) || (!anyway && isWatched(base) && trying.health.whyCredentialOut(id) !== undefined);
  if (base.credentials && call.isJob !== true) return chooseOf(guiding, base.credentials, isOut);
  return anyway || !isOut(base.credential) ? base : undefined;
}

/** Where a search for the next place has come. */
interface Search {
  readonly next: Next | undefined;
  /** Those before it that were passed by, and why: since it was decided, they have gone out or become full. */
  readonly passed: readonly { readonly candidate: Candidate; readonly why: OutReason }[];
}

/** The first of those meant that is well and has room; else the first that may be waited for; else one that says when its minute has room. */
function search(guiding: Guiding, isMeant: (candidate: Candidate, at: number) => boolean): Search {
  const passed: { candidate: Candidate; why: OutReason }[] = [];
  let crowded: Next | undefined;
  let limited: Next | undefined;
  for (const candidate of guiding.order.filter(isMeant)) {
    const base = baseOf(guiding, candidate);
    const place = { provider: candidate.provider, model: candidate.model, credentials: credentialsOf(base), watched: isWatched(base) };
    const { health } = guiding.trying;
    const out = health.whyOut(place);
    const provider = out ? undefined : payFor(guiding, candidate, false);
    if (!provider) {
      // A job has one credential only: that one may be out where others are well.
      const why = out ?? health.whyCredentialOut(base.credential);
      if (why) passed.push({ candidate, why });
      continue;
    }
    const next = { candidate, provider, waitMs: 0 };
    const why = whyFull(guiding, next);
    if (!why) return { next, passed };
    if (why === 'local_rate_limit') limited ??= next;
    else if (mayWait(provider)) crowded ??= next;
    passed.push({ candidate, why });
  }
  const next = crowded ?? limited;
  const at = passed.findIndex(({ candidate }) => candidate === next?.candidate);
  return { next, passed: passed.slice(0, at) };
}

const firstOf = (...asked: Parameters<typeof search>): Next | undefined => search(...asked).next;

/** The same place once more, where that may help and another minute is not to be waited for. */
function again(guiding: Guiding, last: Tried, fault: Fault, tried: readonly Tried[]): Next | undefined {
  const { call, trying } = guiding;
  const { candidate, provider } = last.next;
  if (whyFull(guiding, last.next) === 'local_rate_limit') return undefined;
  const rule = provider.retry ?? USUAL_RETRY;
  const most = rule.times ?? (isWatched(provider) ? Infinity : 0);
  const times = tried.filter((one) => one.next.candidate === candidate).length;
  // A client that had to be kept alive has waited for this place long enough.
  if (!verdictOf(fault, rule).again || call.sink.begun || last.tookMs > rule.quickMs || times > most) return undefined;
  return trying.budget.withdraw() ? { candidate, provider, waitMs: waitMs(times, trying.random(), fault, rule) } : undefined;
}

const placeOf = (guiding: Guiding, { candidate, provider }: Next): Place => ({
  provider: candidate.provider,
  model: candidate.model,
  credential: provider.credential,
  credentials: credentialsOf(baseOf(guiding, candidate)),
  watched: isWatched(provider),
  ...(provider.breaker ? { breaker: provider.breaker } : {}),
  ...(provider.setAside ? { setAside: provider.setAside } : {}),
});

function first(guiding: Guiding): Next {
  const { order } = guiding;
  const [chosen] = order;
  if (!chosen) throw new Error('nothing was chosen');
  if (order.length > 1) {
    const { next, passed } = search(guiding, ({ after }, at) => at === 0 || after === undefined);
    if (next) {
      // Else nobody could tell why another than the chosen one has answered.
      for (const { candidate, why } of passed) guiding.call.failed.push(`${candidate.provider}/${candidate.model};${why}`);
      return next;
    }
  }
  const provider = payFor(guiding, chosen, false) ?? payFor(guiding, chosen, true);
  if (!provider) throw new Error('no credential');
  return { candidate: chosen, provider, waitMs: 0 };
}

/** The same place with another credential. */
function withOtherKey(guiding: Guiding, candidate: Candidate, besides?: string): Next | undefined {
  const provider = baseOf(guiding, candidate).credentials && payFor(guiding, candidate, false, besides);
  return provider && { candidate, provider, waitMs: 0 };
}

function following(guiding: Guiding, tried: readonly Tried[]): Next | undefined {
  const last = tried.at(-1);
  const fault = last?.end.fault;
  if (!last || !fault) return undefined;
  const verdict = verdictOf(fault);
  for (const one of tried) if (isOfKey(one)) guiding.spent.push(one.next.provider.credential);
  const other = isOfKey(last) ? withOtherKey(guiding, last.next.candidate) : undefined;
  const isLimited = isMinuteFull(fault);
  if (other && !(isLimited && whyFull(guiding, other))) return other;
  const been = new Set(tried.map((one) => one.next.candidate));
  const elsewhere = firstOf(guiding, (one) => !been.has(one) && isFor(one, fault, verdict));
  // Where none has room each is asked all the same: the first that will have says when.
  if (other && elsewhere && whyFull(guiding, elsewhere)) return other;
  return elsewhere ?? other ?? again(guiding, last, fault, tried);
}

/** Where one turned out to have no room: one that has, or that is waited for where nobody has waited yet. */
function instead(guiding: Guiding, refused: readonly Next[], tried: readonly Tried[]): Next | undefined {
  const been = new Set([...refused, ...tried.map((one) => one.next)].map(({ candidate }) => candidate));
  const fault = tried.at(-1)?.end.fault;
  const other = firstOf(guiding, (one) => !been.has(one) && (fault ? isFor(one, fault) : one.after === undefined));
  const hasWaited = refused.some(({ provider }) => mayWait(provider));
  return other && hasWaited && whyFull(guiding, other) ? undefined : other;
}

function beside(guiding: Guiding, slow: Next, tried: readonly Tried[]): Next | undefined {
  const been = new Set([slow.candidate, ...tried.map((one) => one.next.candidate)]);
  const other = firstOf(guiding, (one) => one.after === undefined && !been.has(one));
  if (other) return whyFull(guiding, other) ? undefined : other;
  const { candidate, provider } = slow;
  if (isFull(guiding, candidate)) return undefined;
  const sibling = withOtherKey(guiding, candidate, provider.credential);
  return sibling && !whyFull(guiding, sibling) ? sibling : undefined;
}

/** A guide for one call. */
export function createGuide(call: Walking, trying: Trying): Guide {
  const guiding: Guiding = { call, trying, order: triedInOrder(call.candidates), spent: [] };
  return {
    placeOf: (next) => placeOf(guiding, next),
    first: () => first(guiding),
    next: (tried) => following(guiding, tried),
    instead: (refused, tried) => instead(guiding, refused, tried),
    beside: (slow, tried) => beside(guiding, slow, tried),
  };
}
