import type { OutReason } from './signals.ts';
import { nextChange, outOf, type Trouble, type Troubles } from './troubles.ts';

/** Where something has happened. */
interface Spot {
  readonly provider: string;
  readonly credential: string;
}

/** Keeps what decisions read in step with what is held against targets and credentials. */
export interface Standing {
  /** Why a provider is out: a check found it so, or all of its credentials are, as the first of them is. */
  providerOut(provider: string, credentials: readonly string[], now: number): OutReason | undefined;
  /** A check found a provider out, for so long at most: until then another one should have been made. */
  setDown(provider: string, until: number, now: number): void;
  /** Providers that checks found out. */
  readonly down: number;
  /** One of a provider's credentials is in trouble. */
  watch(provider: string, credentials: readonly string[]): void;
  /** Something has happened at a target and to its credential. */
  show(target: string, spot: Spot, now: number): void;
  /** Shows what time alone has changed; costs nothing where there was nothing to wait for. */
  refresh(monotonic: () => number): void;
}

/** All of them are looked through no more often than that. */
const LOOK_MS = 50;

/** `mark`: tells of a target, or a provider as a whole, that it is out, or back. */
export function createStanding(
  targets: Troubles,
  credentials: Troubles,
  mark: (name: string, out: OutReason | undefined) => void,
): Standing {
  /** The credentials of providers of which one is in trouble. */
  const groups = new Map<string, readonly string[]>();
  /** Providers that checks found out, until when; as many as are configured. */
  const down = new Map<string, number>();
  let lookAt = Infinity;

  const providerOut = (provider: string, ids: readonly string[], now: number): OutReason | undefined => {
    if (now < (down.get(provider) ?? 0)) return 'unhealthy';
    const [first] = ids;
    if (first === undefined || !ids.every((id) => outOf(credentials.of(id), now) !== undefined)) return undefined;
    return outOf(credentials.of(first), now);
  };
  const lookAgain = (trouble: Trouble, now: number): void => {
    lookAt = Math.min(lookAt, Math.max(nextChange(trouble, now), now + LOOK_MS));
  };
  const showProvider = (provider: string, ids: readonly string[], now: number): void => {
    mark(provider, providerOut(provider, ids, now));
    if (!ids.some((id) => credentials.has(id))) groups.delete(provider);
  };
  const showDown = (provider: string, now: number): void => mark(provider, providerOut(provider, groups.get(provider) ?? [], now));
  const look = (now: number): void => {
    lookAt = Infinity;
    for (const [name, trouble] of targets.all()) {
      mark(name, outOf(trouble, now));
      lookAgain(trouble, now);
    }
    for (const [, trouble] of credentials.all()) lookAgain(trouble, now);
    for (const [provider, ids] of groups) showProvider(provider, ids, now);
    for (const [provider, until] of down) {
      showDown(provider, now);
      if (now < until) lookAt = Math.min(lookAt, until);
      else down.delete(provider);
    }
  };
  return {
    providerOut,
    setDown(provider, until, now) {
      if (now < until) down.set(provider, until);
      else down.delete(provider);
      if (now < until) lookAt = Math.min(lookAt, until);
      showDown(provider, now);
    },
    get down() {
      return down.size;
    },
    watch: (provider, ids) => void groups.set(provider, ids),
    show(target, { provider, credential }, now) {
      mark(target, outOf(targets.of(target), now));
      if (targets.has(target)) lookAgain(targets.of(target), now);
      if (credentials.has(credential)) lookAgain(credentials.of(credential), now);
      const ids = groups.get(provider);
      if (ids) showProvider(provider, ids, now);
    },
    refresh(monotonic) {
      if (lookAt === Infinity) return;
      const now = monotonic();
      if (now >= lookAt) look(now);
    },
  };
}
