import type { Snapshot } from '../../policy/snapshot.ts';
import type { LiveSignals } from '../../policy/live-signals.ts';
import type { IsFull, Signals } from '../../policy/signals.ts';
import { areFull, keyRoomsOf, roomsOf } from './rooms.ts';
import type { Trying } from './walking.ts';

/** Whether a target, its provider or all of the provider's keys take no more calls now. */
function fullness({ providers }: Pick<Snapshot, 'providers'>, { slots }: Pick<Trying, 'slots'>): IsFull {
  return (target) => {
    const provider = providers.get(target.provider);
    if (!provider) return false;
    if (areFull(roomsOf(target, provider), slots)) return true;
    const paid = provider.credentials?.map((one) => one.provider) ?? [provider];
    return paid.every((one) => areFull(keyRoomsOf(one), slots));
  };
}

/** What a decision reads of this moment: what was learnt of targets, and which of them are full. */
export function readMoment(
  { signals, trying }: { readonly signals: Pick<LiveSignals, 'read'>; readonly trying: Pick<Trying, 'health' | 'slots'> },
  snapshot: Pick<Snapshot, 'providers'>,
): Signals {
  trying.health.refresh();
  return { ...signals.read(), isFull: fullness(snapshot, trying) };
}
