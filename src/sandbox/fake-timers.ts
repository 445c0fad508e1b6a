import type { SetTimer } from './play.ts';

/** Timers that move only when told to. */
export interface FakeTimers {
  readonly setTimer: SetTimer;
  /** Lets time pass, running what falls due in its order. */
  advance(ms: number): void;
  readonly now: () => number;
  readonly pending: () => number;
}

export function createFakeTimers(): FakeTimers {
  let now = 0;
  const waiting = new Set<{ readonly at: number; readonly run: () => void }>();
  const due = (until: number) => [...waiting].filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
  return {
    now: () => now,
    pending: () => waiting.size,
    setTimer(run, ms) {
      const timer = { at: now + ms, run };
      waiting.add(timer);
      return () => void waiting.delete(timer);
    },
    advance(ms) {
      const until = now + ms;
      for (let next = due(until); next; next = due(until)) {
        waiting.delete(next);
        now = next.at;
        next.run();
      }
      now = until;
    },
  };
}
