import type { Candidate } from '../../policy/candidate.ts';
import { USUAL_QUEUE } from '../../policy/queue.ts';
import type { FullReason } from '../../policy/signals.ts';
import type { Provider } from '../../presets/preset.ts';
import type { Release, Slots, Wanting } from './slots.ts';
import type { Trying } from './walking.ts';

/** Something that takes only so many calls at once. */
export type Room = Pick<Wanting, 'place' | 'title' | 'limit' | 'queue'>;

const NONE: readonly Room[] = [];

/** What a target itself takes, and the provider as a whole: the narrower first. */
export function roomsOf(
  { rooms, provider: name, model }: Pick<Candidate, 'rooms' | 'provider' | 'model'>,
  { settings: { concurrency }, queue = USUAL_QUEUE }: Provider,
): readonly Room[] {
  if (!rooms && concurrency === undefined) return NONE;
  const own = (rooms ?? []).map(({ route, calls }): Room => ({
    place: `${route} ${name}/${model}`,
    title: `Target '${name}/${model}' of '${route}'`,
    limit: calls,
    queue,
  }));
  return concurrency === undefined ? own : [...own, { place: name, title: `Provider '${name}'`, limit: concurrency, queue }];
}

/** What the credential takes that a provider goes with. */
export const keyRoomsOf = ({ name, credential, keyConcurrency, queue = USUAL_QUEUE }: Provider): readonly Room[] =>
  keyConcurrency === undefined ? NONE : [{ place: credential, title: `A key of provider '${name}'`, limit: keyConcurrency, queue }];

/** Whether a call would have to wait for any of them. */
export const areFull = (rooms: readonly Room[], slots: Slots): boolean => rooms.some(({ place, limit }) => slots.isFull(place, limit));

/** What is known of how full places are. */
export type Fullness = Pick<Trying, 'slots' | 'minutes'>;

/** Why a provider, with the credential that it goes with, takes no more calls now. */
export function whyKeyFull(provider: Provider, { slots, minutes }: Fullness): FullReason | undefined {
  if (provider.minutes?.some((minute) => minutes.fullForMs(minute) > 0) === true) return 'local_rate_limit';
  return areFull(keyRoomsOf(provider), slots) ? 'concurrency_full' : undefined;
}

/**
 * Takes a place in each, one after the other, always in the same order, so that no two calls wait for each other. `undefined` when
 * the client left meanwhile. Throws the refusal where one of them has none in time; then none is held.
 */
export async function takeAll(
  rooms: readonly Room[],
  wanting: Pick<Wanting, 'owner' | 'sink'> & { readonly maxMs: () => number },
  slots: Slots,
): Promise<Release | undefined> {
  const held: Release[] = [];
  const release = (): void => {
    for (const one of held.splice(0)) one();
  };
  try {
    for (const room of rooms) {
      const one = await slots.take({ ...room, owner: wanting.owner, sink: wanting.sink, maxMs: wanting.maxMs() });
      if (!one) {
        release();
        return undefined;
      }
      held.push(one);
    }
  } catch (error) {
    release();
    throw error;
  }
  return release;
}
