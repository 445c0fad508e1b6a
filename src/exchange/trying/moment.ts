import type { Snapshot } from '../../policy/snapshot.ts';
import type { LiveSignals } from '../../policy/live-signals.ts';
import type { Signals, WhyFull } from '../../policy/signals.ts';
import { areFull, type Fullness, roomsOf, whyKeyFull } from './rooms.ts';
import type { Trying } from './walking.ts';

/** Why a target, its provider or all of the provider's keys take no more calls now. Where they have different reasons, the one that may be waited for. */
function fullness({ providers }: Pick<Snapshot, 'providers'>, trying: Fullness): WhyFull {
  return (target) => {
    const provider = providers.get(target.provider);
    if (!provider) return undefined;
    if (areFull(roomsOf(target, provider), trying.slots)) return 'concurrency_full';
    const paid = provider.credentials?.map((one) => one.provider) ?? [provider];
    const reasons = paid.map((one) => whyKeyFull(one, trying));
    return reasons.includes(undefined) ? undefined : (reasons.find((why) => why === 'concurrency_full') ?? 'local_rate_limit');
  };
}

/** What a decision reads of this moment: what was learnt of targets, and which of them are full. */
export function readMoment(
  { signals, trying }: { readonly signals: Pick<LiveSignals, 'read'>; readonly trying: Pick<Trying, 'health' | 'slots' | 'minutes'> },
  snapshot: Pick<Snapshot, 'providers'>,
): Signals {
  trying.health.refresh();
  return { ...signals.read(), whyFull: fullness(snapshot, trying) };
}
