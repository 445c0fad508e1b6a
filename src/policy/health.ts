import { afterFailure, type Breaker, type BreakerRule, CLOSED, stateOf, withoutProbe, withProbe } from './breaker.ts';
import { afterRefusal, afterWaitAsked, type Cooldown, type CooldownRule } from './cooldown.ts';
import { createNewsroom, type HealthNews, type Newsroom, stateAfter } from './health-news.ts';
import type { Verdict } from './retry.ts';
import type { OutReason } from './signals.ts';
import { createStanding, type Standing } from './standing.ts';
import { createTroubles, outOf, type Troubles } from './troubles.ts';

/** Where a try goes: what its end is remembered of. */
export interface Place {
  readonly provider: string;
  readonly model: string;
  /** Its id: tells it from others, and never what it is. */
  readonly credential: string;
  /** All of the provider's. */
  readonly credentials: readonly string[];
  /** `health: off`: nothing is held against it. */
  readonly watched: boolean;
  /** How its breakers act; absent: as usual. `off`: they never open. */
  readonly breaker?: BreakerRule | 'off';
  /** How long its credentials are set aside; absent: as usual. `off`: they never are. */
  readonly setAside?: CooldownRule | 'off';
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

/**
 * Something that changed what one process remembers: a plain value, for the others to learn from. `at`: milliseconds since 1970, as
 * clocks that never go back begin anew in each process.
 */
export type HealthFact = TryFact | CheckFact;

/** What a try has shown. */
interface TryFact {
  readonly at: number;
  readonly place: Place;
  readonly probing: Probing;
  /** How a try ended; absent: a probe has begun. */
  readonly outcome?: Outcome;
}

/** What a check of a provider has shown. */
interface CheckFact {
  readonly at: number;
  readonly checked: string;
  /** For so long it counts as out, unless another check says otherwise; 0: it is well. */
  readonly downForMs: number;
}

/** Which places are in trouble: in memory, bounded. */
export interface Health {
  /** Before a decision: tells of what time alone has changed. */
  refresh(): void;
  /** Why a credential is not to be used now; `undefined`: it may be. */
  whyCredentialOut(id: string): OutReason | undefined;
  whyOut(place: Pick<Place, 'provider' | 'model' | 'credentials' | 'watched'>): OutReason | undefined;
  began(place: Place): Probing;
  ended(place: Place, probing: Probing, outcome: Outcome): void;
  /** A provider was asked how it is: out for so long, unless another check says otherwise, or well (0). */
  checked(provider: string, downForMs: number): void;
  /** Takes what another process was told of as its own. Tells nobody. */
  learn(fact: HealthFact): void;
}

/** What it stands on. */
export interface HealthPorts {
  readonly monotonic: () => number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Tells decisions of a target, or a provider as a whole, that it is out, or back. */
  readonly mark: (name: string, out: OutReason | undefined) => void;
  /** Told of each thing that changes what is remembered; absent: nobody shares it. */
  readonly tell?: (fact: HealthFact) => void;
  /** Told what an operator is to know, also of what was learnt of another process; absent: nobody is. */
  readonly news?: (news: HealthNews) => void;
}

const NO_PROBE: Probing = { target: false, credential: false };

const nameOf = ({ provider, model }: Pick<Place, 'provider' | 'model'>): string => `${provider}/${model}`;

/** What is remembered: targets by `provider/model`, credentials by their ids. */
interface Memory {
  readonly targets: Troubles;
  readonly credentials: Troubles;
  readonly standing: Standing;
}

/** An event at a place: the same in the process where it happened and in those that learn of it. `now`: monotonic milliseconds. */
interface Happening {
  readonly place: Place;
  readonly probing: Probing;
  readonly now: number;
}

const counted = (breaker: Breaker, { place: { breaker: rule }, now }: Happening, isProbe: boolean): Breaker =>
  rule === 'off' ? breaker : afterFailure(breaker, now, isProbe, rule);

/** What a refused credential, or one that must wait, is set aside for. */
function cooledDown(cooldown: Cooldown | undefined, { place, now }: Happening, { verdict, retryAfterMs }: Outcome): Cooldown | undefined {
  const { setAside: rule } = place;
  if (rule === 'off') return cooldown;
  if (verdict?.scope === 'credential') return afterRefusal(cooldown, verdict.quota ? 'quota_exhausted' : 'credential_bad', now, rule);
  return retryAfterMs === undefined ? cooldown : afterWaitAsked(cooldown, retryAfterMs, now, rule);
}

// Each of these gives whether anything is remembered differently after it.

function failTarget({ targets }: Memory, happening: Happening): boolean {
  const name = nameOf(happening.place);
  return targets.put(name, { breaker: counted(targets.of(name).breaker, happening, happening.probing.target) });
}

function failCredential({ credentials, standing }: Memory, happening: Happening, outcome: Outcome): boolean {
  const { place, probing } = happening;
  const { breaker, cooldown } = credentials.of(place.credential);
  const next = cooledDown(cooldown, happening, outcome);
  const after = outcome.verdict?.scope === 'limit' ? counted(breaker, happening, probing.credential) : breaker;
  standing.watch(place.provider, place.credentials);
  return credentials.put(place.credential, { breaker: after, ...(next ? { cooldown: next } : {}) });
}

/** It answered: breakers close, a refused credential is good again; what it asked to wait for is waited for. */
function recover({ targets, credentials }: Memory, { place, now }: Happening): boolean {
  const { cooldown } = credentials.of(place.credential);
  const waits = cooldown?.why === 'cooldown' && now < cooldown.until;
  const isOther = targets.put(nameOf(place), { breaker: CLOSED });
  return credentials.put(place.credential, { breaker: CLOSED, ...(waits ? { cooldown } : {}) }) || isOther;
}

/** A probe came to no end that says anything. */
function endProbes({ targets, credentials }: Memory, place: Place, probing: Probing): boolean {
  const release = (troubles: Troubles, name: string): boolean => {
    const trouble = troubles.of(name);
    return troubles.put(name, { ...trouble, breaker: withoutProbe(trouble.breaker) });
  };
  const isOther = probing.target && release(targets, nameOf(place));
  return (probing.credential && release(credentials, place.credential)) || isOther;
}

function judge(memory: Memory, happening: Happening, outcome: Outcome): boolean {
  const { place, probing } = happening;
  const { verdict, gone = false, retryAfterMs } = outcome;
  if (!verdict && !gone) return recover(memory, happening);
  switch (verdict?.scope) {
    case 'target': {
      const isWaiting = retryAfterMs !== undefined && failCredential(memory, happening, outcome);
      const isOther = failTarget(memory, happening) || isWaiting;
      return endProbes(memory, place, { target: false, credential: probing.credential }) || isOther;
    }
    case 'limit':
    case 'credential': {
      const isOther = failCredential(memory, happening, outcome);
      return endProbes(memory, place, { target: probing.target, credential: false }) || isOther;
    }
    case 'client':
      return (probing.target || probing.credential) && recover(memory, happening);
    default:
      return endProbes(memory, place, probing);
  }
}

/** Whether something is to be probed: then the next one through does. */
function isToProbe(troubles: Troubles, name: string, now: number): boolean {
  return troubles.has(name) && stateOf(troubles.of(name).breaker, now) === 'half-open';
}

function beginProbes({ targets, credentials }: Memory, { place, probing, now }: Happening): void {
  const begin = (troubles: Troubles, name: string): void => {
    const trouble = troubles.of(name);
    if (trouble.breaker !== CLOSED) troubles.put(name, { ...trouble, breaker: withProbe(trouble.breaker, now) });
  };
  if (probing.target) begin(targets, nameOf(place));
  if (probing.credential) begin(credentials, place.credential);
}

/** Tells the operator how a target and a credential stand after a try. */
function report({ targets, credentials }: Memory, newsroom: Newsroom, { place, now }: Happening): void {
  const { provider, model, credential } = place;
  const name = nameOf(place);
  newsroom.changed(name, { provider, model }, stateAfter(targets.of(name), now), now);
  const key = { number: place.credentials.indexOf(credential) + 1, of: place.credentials.length };
  newsroom.changed(`key ${credential}`, { provider, key }, stateAfter(credentials.of(credential), now), now);
}

/** A try begins, or has ended as `outcome` says; gives whether that changed anything. */
function apply(memory: Memory, newsroom: Newsroom | undefined, happening: Happening, outcome: Outcome | undefined): boolean {
  const { place, now } = happening;
  if (!outcome) beginProbes(memory, happening);
  else if (!judge(memory, happening, outcome)) return false;
  memory.standing.show(nameOf(place), place, now);
  if (outcome && newsroom) report(memory, newsroom, happening);
  return true;
}

/** A check found a provider out until then (monotonic milliseconds), or well; also where that is nothing new. */
function applyCheck({ standing }: Memory, newsroom: Newsroom | undefined, provider: string, until: number, now: number): void {
  if (until > now || standing.down > 0) standing.setDown(provider, until, now);
  const isWell = until <= now;
  newsroom?.changed(`all ${provider}`, { provider }, { out: isWell ? undefined : 'unhealthy', isWell, until }, now);
}

/** Remembers how tries end. Several of them that learn from each other act as one. */
export function createHealth({ monotonic, now: epoch, mark, tell, news }: HealthPorts): Health {
  const targets = createTroubles((name) => mark(name, undefined));
  const credentials = createTroubles();
  const standing = createStanding(targets, credentials, mark);
  const memory: Memory = { targets, credentials, standing };
  const newsroom = news && createNewsroom(epoch, news);
  const isEmpty = (): boolean => targets.size === 0 && credentials.size === 0 && standing.down === 0;
  return {
    refresh: () => standing.refresh(monotonic),
    whyCredentialOut: (id) => (credentials.has(id) ? outOf(credentials.of(id), monotonic()) : undefined),
    whyOut(place) {
      if (!place.watched || isEmpty()) return undefined;
      const now = monotonic();
      return standing.providerOut(place.provider, place.credentials, now) ?? outOf(targets.of(nameOf(place)), now);
    },
    began(place) {
      if (!place.watched || isEmpty()) return NO_PROBE;
      const now = monotonic();
      const target = isToProbe(targets, nameOf(place), now);
      const credential = isToProbe(credentials, place.credential, now);
      if (!target && !credential) return NO_PROBE;
      const probing = { target, credential };
      apply(memory, newsroom, { place, probing, now }, undefined);
      tell?.({ at: epoch(), place, probing });
      return probing;
    },
    ended(place, probing, outcome) {
      const isWell = outcome.verdict === undefined && isEmpty();
      if (!place.watched || isWell) return;
      const happening = { place, probing, now: monotonic() };
      if (apply(memory, newsroom, happening, outcome)) tell?.({ at: epoch(), place, probing, outcome });
    },
    checked(provider, downForMs) {
      const isNothing = downForMs <= 0 && standing.down === 0;
      const now = monotonic();
      applyCheck(memory, newsroom, provider, now + downForMs, now);
      if (!isNothing) tell?.({ at: epoch(), checked: provider, downForMs });
    },
    learn(fact) {
      const ago = Math.max(0, epoch() - fact.at);
      const now = monotonic();
      if ('checked' in fact) applyCheck(memory, newsroom, fact.checked, now - ago + fact.downForMs, now);
      else apply(memory, newsroom, { place: fact.place, probing: fact.probing, now: now - ago }, fact.outcome);
    },
  };
}
