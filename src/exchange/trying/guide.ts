import type { Fault } from '../../ir/index.ts';
import { type Candidate, triedInOrder } from '../../policy/candidate.ts';
import { chooseCredential } from '../../policy/credentials.ts';
import type { Place } from '../../policy/health.ts';
import { type Verdict, verdictOf, waitMs } from '../../policy/retry.ts';
import type { Provider } from '../../presets/preset.ts';
import { areFull, keyRoomsOf, roomsOf } from './rooms.ts';
import type { Next, Tried, Trying, Walking } from './walking.ts';

/** Chooses where a call goes, try by try. */
export interface Guide {
  placeOf(next: Next): Place;
  first(): Next;
  /** After failures; `undefined`: the last of them is the last word. */
  next(tried: readonly Tried[]): Next | undefined;
  /** Another place with room, beside one that is slow; a credential of the same provider where there is no other target. */
  beside(slow: Next, tried: readonly Tried[]): Next | undefined;
}

/** Tries of one call at most, wherever they go. */
export const MAX_TRIES = 3;
/** What fails later than that was worked on: it is not asked of the same place again. */
const QUICK_MS = 5000;

const isWatched = ({ settings }: Provider): boolean => settings.health !== 'off';
/** The ids of all of a provider's credentials. */
export const credentialsOf = (provider: Provider): readonly string[] => provider.credentials?.map(({ id }) => id) ?? [provider.credential];

/** Whether a candidate is there for what has gone wrong. A client's own mistake goes only where a route says so. */
export function isFor({ after }: Candidate, fault: Fault, { scope, failure }: Verdict = verdictOf(fault)): boolean {
  if (scope === 'gateway') return fault.code === 'not_expressible' && after === undefined;
  if (scope === 'client') return failure !== undefined && (after?.includes(failure) ?? false);
  return after === undefined || (failure !== undefined && after.includes(failure));
}

/** Whether it was the credential that a try failed for. */
function isOfKey({ end: { fault } }: Tried): boolean {
  const scope = fault && verdictOf(fault).scope;
  return scope === 'credential' || scope === 'limit';
}

/** A guide for one call. */
export function createGuide(call: Walking, { health, budget, slots, random }: Trying): Guide {
  const order = triedInOrder(call.candidates);
  /** Credentials that have failed in this call. */
  const spent: string[] = [];
  const baseOf = (candidate: Candidate): Provider => {
    const base = call.providers.get(candidate.provider);
    if (!base) throw new Error(`no provider '${candidate.provider}'`);
    return base;
  };
  const isFull = (candidate: Candidate): boolean => areFull(roomsOf(candidate, baseOf(candidate).settings), slots);
  const isKeyFull = (provider: Provider): boolean => areFull(keyRoomsOf(provider), slots);
  /** The provider with a credential. `anyway`: also with one that is out. `besides`: not with this one. */
  const payFor = (candidate: Candidate, anyway: boolean, besides?: string): Provider | undefined => {
    const base = baseOf(candidate);
    if (!base.credentials || call.isJob === true) return anyway || !spent.includes(base.credential) ? base : undefined;
    const isOut = (id: string): boolean =>
      id === besides || spent.includes(id) || (!anyway && isWatched(base) && health.isCredentialOut(id));
    const session = call.session();
    const choosing = { random: random(), isOut, ...(session === undefined ? {} : { session }) };
    const full = base.credentials.filter(({ provider }) => isKeyFull(provider)).map(({ id }) => id);
    const free =
      full.length === 0 ? undefined : chooseCredential(base.credentials, { ...choosing, isOut: (id) => isOut(id) || full.includes(id) });
    return (free ?? chooseCredential(base.credentials, choosing))?.provider;
  };
  /** The first of some that is well and has room; else the first that has none and must be waited for. */
  const firstOf = (some: Iterable<Candidate>): Next | undefined => {
    let crowded: Next | undefined;
    for (const candidate of some) {
      const base = baseOf(candidate);
      const place = { provider: candidate.provider, model: candidate.model, credentials: credentialsOf(base), watched: isWatched(base) };
      if (health.whyOut(place) !== undefined) continue;
      const provider = payFor(candidate, false);
      if (!provider) continue;
      const next = { candidate, provider, waitMs: 0 };
      if (!isFull(candidate) && !isKeyFull(provider)) return next;
      crowded ??= next;
    }
    return crowded;
  };
  /** The same place once more, where that may help. */
  const again = ({ next: { candidate, provider }, tookMs }: Tried, fault: Fault, tried: readonly Tried[]): Next | undefined => {
    const most = provider.settings.retries ?? (isWatched(provider) ? MAX_TRIES - 1 : 0);
    const times = tried.filter((one) => one.next.candidate === candidate).length;
    // A client that had to be kept alive has waited for this place long enough.
    if (!verdictOf(fault).again || call.sink.begun || tookMs > QUICK_MS || times > most || !budget.withdraw()) return undefined;
    return { candidate, provider, waitMs: waitMs(times, random(), fault) };
  };
  return {
    placeOf: ({ candidate, provider }) => ({
      provider: candidate.provider,
      model: candidate.model,
      credential: provider.credential,
      credentials: credentialsOf(baseOf(candidate)),
      watched: call.isJob !== true && isWatched(provider),
      ...(provider.breaker ? { breaker: provider.breaker } : {}),
    }),
    first() {
      const [chosen] = order;
      if (!chosen) throw new Error('nothing was chosen');
      const other = order.length > 1 ? firstOf(order.filter(({ after }, at) => at === 0 || after === undefined)) : undefined;
      const provider = other ? undefined : (payFor(chosen, false) ?? payFor(chosen, true));
      if (!other && !provider) throw new Error('no credential');
      return other ?? { candidate: chosen, provider: provider as Provider, waitMs: 0 };
    },
    next(tried) {
      const last = tried.at(-1);
      const fault = last?.end.fault;
      if (!last || !fault) return undefined;
      const { candidate } = last.next;
      const verdict = verdictOf(fault);
      for (const one of tried) if (isOfKey(one)) spent.push(one.next.provider.credential);
      const other = isOfKey(last) && baseOf(candidate).credentials ? payFor(candidate, false) : undefined;
      if (other) return { candidate, provider: other, waitMs: 0 };
      const been = new Set(tried.map((one) => one.next.candidate));
      const elsewhere = firstOf(order.filter((one) => !been.has(one) && isFor(one, fault, verdict)));
      return elsewhere ?? again(last, fault, tried);
    },
    beside(slow, tried) {
      const been = new Set([slow.candidate, ...tried.map((one) => one.next.candidate)]);
      const other = firstOf(order.filter((one) => one.after === undefined && !been.has(one)));
      if (other) return isFull(other.candidate) || isKeyFull(other.provider) ? undefined : other;
      const { candidate, provider } = slow;
      const sibling = baseOf(candidate).credentials && !isFull(candidate) ? payFor(candidate, false, provider.credential) : undefined;
      return sibling && !isKeyFull(sibling) ? { candidate, provider: sibling, waitMs: 0 } : undefined;
    },
  };
}
