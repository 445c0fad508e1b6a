import { type Breaker, CLOSED, stateOf } from './breaker.ts';
import type { Cooldown } from './cooldown.ts';
import type { OutReason } from './signals.ts';

/** What is held against a target or a credential. A plain value. */
export interface Trouble {
  readonly breaker: Breaker;
  readonly cooldown?: Cooldown;
}

/** Nothing is. */
const FINE: Trouble = { breaker: CLOSED };

/** Why something in trouble is not to be used now. `now`: monotonic milliseconds. */
export function outOf({ breaker, cooldown }: Trouble, now: number): OutReason | undefined {
  if (cooldown && now < cooldown.until) return cooldown.why;
  return stateOf(breaker, now) === 'open' ? 'circuit_open' : undefined;
}

/** The next moment at which that may change without anything happening; `Infinity`: none. */
export function nextChange({ breaker, cooldown }: Trouble, now: number): number {
  const times = [cooldown?.until ?? 0, breaker.until, breaker.probeUntil].filter((time) => time > now);
  return Math.min(...times);
}

/** Those in trouble, by name; who has none is not kept. */
export interface Troubles {
  readonly size: number;
  has(name: string): boolean;
  /** What is held against one, also where nothing is. */
  of(name: string): Trouble;
  /** Holds that against it, or nothing any more. Gives whether that is another thing than before. */
  put(name: string, trouble: Trouble): boolean;
  all(): Iterable<readonly [name: string, trouble: Trouble]>;
}

/** Model names come from callers, so there is no end to them. */
const MAX_TROUBLES = 2000;

/** Nobody is in trouble. Beyond 2000 the one that was longest in trouble is forgotten, which is told. */
export function createTroubles(onForgotten: (name: string) => void = () => {}): Troubles {
  const troubles = new Map<string, Trouble>();
  const forgetOldest = (): void => {
    const [oldest] = troubles.keys();
    if (oldest === undefined) return;
    troubles.delete(oldest);
    onForgotten(oldest);
  };
  return {
    get size() {
      return troubles.size;
    },
    has: (name) => troubles.has(name),
    of: (name) => troubles.get(name) ?? FINE,
    put(name, trouble) {
      const before = troubles.get(name) ?? FINE;
      if (trouble.breaker === before.breaker && trouble.cooldown === before.cooldown) return false;
      if (trouble.breaker === CLOSED && !trouble.cooldown) return troubles.delete(name);
      if (troubles.size >= MAX_TROUBLES && !troubles.has(name)) forgetOldest();
      troubles.set(name, trouble);
      return true;
    },
    all: () => troubles,
  };
}
