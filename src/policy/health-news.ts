import type { OutReason } from './signals.ts';
import { outOf, type Trouble } from './troubles.ts';

/** What an operator is told of a provider: that something of it is set aside, or well again. */
export interface HealthNews {
  readonly provider: string;
  /** A target of the provider; without it and without `key`: the provider as a whole, as a check found it. */
  readonly model?: string;
  /** A key of the provider by its place in the configuration, from 1, and of how many: never what it is. */
  readonly key?: { readonly number: number; readonly of: number };
  /** Why it is set aside; absent: it is well again. */
  readonly out?: OutReason;
  /** Milliseconds since 1970 until which it is; there with `out`. */
  readonly until?: number;
}

/** How something stands after an event. */
interface State {
  readonly out?: OutReason | undefined;
  /** Nothing is held against it. That its time is over is not enough: whether it works is not known before it is asked. */
  readonly isWell: boolean;
  /** Monotonic milliseconds. */
  readonly until: number;
}

/** Tells of changes: each once, and no more than can be read. */
export interface Newsroom {
  /** Something happened to what `name` stands for. `now`: monotonic milliseconds. */
  changed(name: string, about: Pick<HealthNews, 'provider' | 'model' | 'key'>, state: State, now: number): void;
}

/** What fails again so soon after it was told of is not told of again: neither that it failed nor that it is well. */
const QUIET_MS = 60_000;
/** Told of in that time at most, whatever fails: names of models come from callers. */
const MAX_TOLD = 60;
/** Names that are remembered: as many as may be in trouble, and some that no longer are. */
const MAX_KNOWN = 4000;

/** What was told of a name last. */
interface Told {
  readonly out: OutReason | undefined;
  /** Monotonic milliseconds at which it was told to be set aside. */
  readonly at: number;
}

/** How something with this held against it stands. `now`: monotonic milliseconds. */
export const stateAfter = (trouble: Trouble, now: number): State => ({
  out: outOf(trouble, now),
  isWell: trouble.breaker.opened === 0 && !trouble.cooldown,
  until: Math.max(trouble.breaker.until, trouble.cooldown?.until ?? 0),
});

/** Nothing has been told. `epoch`: milliseconds since 1970. */
export function createNewsroom(epoch: () => number, tell: (news: HealthNews) => void): Newsroom {
  const known = new Map<string, Told>();
  let minute = -Infinity;
  let told = 0;

  const hasRoom = (now: number): boolean => {
    if (now - minute >= QUIET_MS) {
      minute = now;
      told = 0;
    }
    return told++ < MAX_TOLD;
  };
  const remember = (name: string, one: Told): void => {
    known.delete(name);
    known.set(name, one);
    const [oldest] = known.keys();
    if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest);
  };
  return {
    changed(name, about, { out, isWell, until }, now) {
      const last = known.get(name);
      if (out === undefined) {
        if (!isWell || last?.out === undefined) return;
        remember(name, { ...last, out: undefined });
        tell(about);
      } else if (last?.out !== out && !(last && now - last.at < QUIET_MS) && hasRoom(now)) {
        remember(name, { out, at: now });
        tell({ ...about, out, until: epoch() + until - now });
      }
    },
  };
}
