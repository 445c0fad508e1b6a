import type { Fault } from '../ir/index.ts';
import { CLOSED } from '../policy/breaker.ts';
import { afterWaitAsked } from '../policy/cooldown.ts';
import { verdictOf } from '../policy/retry.ts';
import { createTroubles, outOf } from '../policy/troubles.ts';
import type { Provider } from '../presets/preset.ts';

/** Whose credential it is, and what is held against it. */
type Payer = Pick<Provider, 'credential' | 'settings' | 'setAside'>;

/**
 * Credentials with which a provider's counter is not to be asked for a while, as it has said. Vendors limit counts and calls apart: a
 * count that has to wait says nothing of calls, so this is remembered beside what is known of those.
 */
export interface CounterWaits {
  isOut(payer: Payer): boolean;
  /** Remembers for how long the counter wants to be left alone, where it says so. */
  failed(payer: Payer, fault: Fault): void;
}

/** Nobody has to wait. `monotonic`: milliseconds of a clock that never goes back. */
export function createCounterWaits(monotonic: () => number): CounterWaits {
  const troubles = createTroubles();
  return {
    isOut: ({ credential }) => outOf(troubles.of(credential), monotonic()) !== undefined,
    failed({ credential, settings, setAside: rule }, fault) {
      const { retryAfterMs } = fault;
      if (retryAfterMs === undefined || rule === 'off' || settings.health === 'off' || verdictOf(fault).scope === 'client') return;
      const cooldown = afterWaitAsked(troubles.of(credential).cooldown, retryAfterMs, monotonic(), rule);
      troubles.put(credential, { breaker: CLOSED, cooldown });
    },
  };
}
