import { afterFailure, type Breaker, CLOSED, stateOf, withoutProbe, withProbe } from './breaker.ts';
import { afterRefusal, afterWaitAsked, type Cooldown } from './cooldown.ts';
import type { Verdict } from './retry.ts';
import type { OutReason } from './signals.ts';

/** Where a try goes: what its end is remembered of. */
export interface Place {
  readonly provider: string;
  readonly model: string;
  readonly credential: string;
  /** All of the provider's. */
  readonly credentials: readonly string[];
  /** `health: off`: nothing is held against it. */
  readonly watched: boolean;
}

/** How a try ended. Without a verdict: well. */
export interface Outcome {
  readonly verdict?: Verdict;
  readonly retryAfterMs?: number;
  /** The client left before it was known. */
  readonly gone?: boolean;
}

/** What a try probes, if anything: part of what it must end with. */
export interface Probing {
  readonly target: boolean;
  readonly credential: boolean;
}

/** Which places are in trouble: in memory, bounded, of this process. */
export interface Health {
  /** Before a decision: tells of what time alone has changed. */
  refresh(): void;
  isCredentialOut(id: string): boolean;
  whyOut(place: Pick<Place, 'provider' | 'model' | 'credentials' | 'watched'>): OutReason | undefined;
  began(place: Place): Probing;
  ended(place: Place, probing: Probing, outcome: Outcome): void;
}

/** Model names come from callers, so there is no end to them. */
const MAX_TROUBLES = 2000;
/** All of them are looked through no more often than that. */
const LOOK_MS = 50;

const NO_PROBE: Probing = { target: false, credential: false };

interface Trouble {
  readonly breaker: Breaker;
  readonly cooldown?: Cooldown;
}

const FINE: Trouble = { breaker: CLOSED };

/** Why something in trouble is not to be used now. */
function outOf({ breaker, cooldown }: Trouble, now: number): OutReason | undefined {
  if (cooldown && now < cooldown.until) return cooldown.why;
  return stateOf(breaker, now) === 'open' ? 'circuit_open' : undefined;
}

/** The next moment at which that may change without anything happening; `Infinity`: none. */
function nextChange({ breaker, cooldown }: Trouble, now: number): number {
  const times = [cooldown?.until ?? 0, breaker.until, breaker.probeUntil].filter((time) => time > now);
  return Math.min(...times);
}

const keyOf = ({ provider, model }: Pick<Place, 'provider' | 'model'>): string => `${provider}/${model}`;

/** Remembers how tries end. `mark`: tells of a target, or a provider as a whole, that it is out, or back. */
export function createHealth(monotonic: () => number, mark: (name: string, out: OutReason | undefined) => void): Health {
  /** Only what is in trouble: targets by `provider/model`, credentials by their ids. */
  const targets = new Map<string, Trouble>();
  const credentials = new Map<string, Trouble>();
  /** The credentials of providers of which one is in trouble. */
  const groups = new Map<string, readonly string[]>();
  let lookAt = Infinity;

  const isOut = (id: string, now: number): boolean => outOf(credentials.get(id) ?? FINE, now) !== undefined;
  /** Why all of a provider's credentials are out: as the first of them is. */
  const providerOut = (ids: readonly string[], now: number): OutReason | undefined => {
    const [first] = ids;
    const isAll = first !== undefined && ids.every((id) => isOut(id, now));
    return isAll ? outOf(credentials.get(first) ?? FINE, now) : undefined;
  };
  const lookAgain = (trouble: Trouble | undefined, now: number): void => {
    if (trouble) lookAt = Math.min(lookAt, Math.max(nextChange(trouble, now), now + LOOK_MS));
  };
  const tellGroup = (provider: string, ids: readonly string[], now: number): void => {
    mark(provider, providerOut(ids, now));
    if (!ids.some((id) => credentials.has(id))) groups.delete(provider);
  };
  /** Brings what decisions read up to date after something has happened at a place. */
  const tell = (place: Place, now: number): void => {
    const key = keyOf(place);
    const target = targets.get(key);
    mark(key, outOf(target ?? FINE, now));
    lookAgain(target, now);
    lookAgain(credentials.get(place.credential), now);
    const ids = groups.get(place.provider);
    if (ids) tellGroup(place.provider, ids, now);
  };
  /** The same after time alone has changed it. */
  const look = (now: number): void => {
    lookAt = Infinity;
    for (const [key, trouble] of targets) {
      mark(key, outOf(trouble, now));
      lookAgain(trouble, now);
    }
    for (const trouble of credentials.values()) lookAgain(trouble, now);
    for (const [provider, ids] of groups) tellGroup(provider, ids, now);
  };
  /** Remembers a trouble, or that there is none. */
  const put = (troubles: Map<string, Trouble>, key: string, trouble: Trouble): void => {
    if (trouble.breaker !== CLOSED || trouble.cooldown) {
      const [oldest] = troubles.size >= MAX_TROUBLES && !troubles.has(key) ? troubles.keys() : [];
      if (oldest !== undefined) {
        troubles.delete(oldest);
        mark(oldest, undefined);
      }
      troubles.set(key, trouble);
    } else troubles.delete(key);
  };
  const failTarget = (place: Place, isProbe: boolean, now: number): void => {
    const key = keyOf(place);
    const { breaker } = targets.get(key) ?? FINE;
    put(targets, key, { breaker: afterFailure(breaker, now, isProbe) });
  };
  const failCredential = ({ provider, credential, credentials: ids }: Place, isProbe: boolean, outcome: Outcome, now: number): void => {
    const { breaker, cooldown } = credentials.get(credential) ?? FINE;
    const isRefused = outcome.verdict?.scope === 'credential';
    const { retryAfterMs } = outcome;
    const waited = retryAfterMs === undefined ? cooldown : afterWaitAsked(cooldown, retryAfterMs, now);
    const next = isRefused ? afterRefusal(cooldown, now) : waited;
    const counted = outcome.verdict?.scope === 'limit' ? afterFailure(breaker, now, isProbe) : breaker;
    put(credentials, credential, { breaker: counted, ...(next ? { cooldown: next } : {}) });
    groups.set(provider, ids);
  };
  /** It answered: breakers close, a refused credential is good again; what it asked to wait for is waited for. */
  const recover = (place: Place, now: number): void => {
    targets.delete(keyOf(place));
    const { cooldown } = credentials.get(place.credential) ?? FINE;
    const waits = cooldown?.why === 'cooldown' && now < cooldown.until;
    put(credentials, place.credential, { breaker: CLOSED, ...(waits && cooldown ? { cooldown } : {}) });
  };
  const endProbes = (place: Place, probing: Probing): void => {
    const release = (troubles: Map<string, Trouble>, key: string): void => {
      const trouble = troubles.get(key);
      if (trouble) troubles.set(key, { ...trouble, breaker: withoutProbe(trouble.breaker) });
    };
    if (probing.target) release(targets, keyOf(place));
    if (probing.credential) release(credentials, place.credential);
  };
  const judge = (place: Place, probing: Probing, outcome: Outcome, now: number): void => {
    const { verdict, gone = false, retryAfterMs } = outcome;
    const isProbe = probing.target || probing.credential;
    const isInTrouble = targets.has(keyOf(place)) || credentials.has(place.credential);
    if (!verdict && !gone) {
      if (isInTrouble) recover(place, now);
    } else if (verdict?.scope === 'target') {
      failTarget(place, probing.target, now);
      if (retryAfterMs !== undefined) failCredential(place, false, outcome, now);
      endProbes(place, { target: false, credential: probing.credential });
    } else if (verdict?.scope === 'limit' || verdict?.scope === 'credential') {
      failCredential(place, probing.credential, outcome, now);
      endProbes(place, { target: probing.target, credential: false });
    } else if (verdict?.scope === 'client' && isProbe) recover(place, now);
    else endProbes(place, probing);
    if (isInTrouble || verdict) tell(place, now);
  };

  return {
    refresh() {
      if (lookAt === Infinity) return;
      const now = monotonic();
      if (now >= lookAt) look(now);
    },
    isCredentialOut: (id) => credentials.size > 0 && isOut(id, monotonic()),
    whyOut(place) {
      if (!place.watched || (targets.size === 0 && credentials.size === 0)) return undefined;
      const now = monotonic();
      return providerOut(place.credentials, now) ?? outOf(targets.get(keyOf(place)) ?? FINE, now);
    },
    began(place) {
      if (!place.watched || (targets.size === 0 && credentials.size === 0)) return NO_PROBE;
      const now = monotonic();
      const probe = (troubles: Map<string, Trouble>, at: string): boolean => {
        const trouble = troubles.get(at);
        if (!trouble || stateOf(trouble.breaker, now) !== 'half-open') return false;
        troubles.set(at, { ...trouble, breaker: withProbe(trouble.breaker, now) });
        return true;
      };
      const probing = { target: probe(targets, keyOf(place)), credential: probe(credentials, place.credential) };
      if (probing.target || probing.credential) tell(place, now);
      return probing;
    },
    ended(place, probing, outcome) {
      if (place.watched) judge(place, probing, outcome, monotonic());
    },
  };
}
