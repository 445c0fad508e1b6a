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

/** Tells of a target, or a provider as a whole, that it is out, or back. */
type Mark = (name: string, out: OutReason | undefined) => void;

/** What the pieces below share. */
interface Watching {
  readonly targets: Troubles;
  readonly credentials: Troubles;
  readonly mark: Mark;
  /** The credentials of providers of which one is in trouble. */
  readonly groups: Map<string, readonly string[]>;
  /** Providers that checks found out, until when; as many as are configured. */
  readonly down: Map<string, number>;
  /** When time alone may have changed something. */
  lookAt: number;
}

function providerOut({ credentials, down }: Watching, provider: string, ids: readonly string[], now: number): OutReason | undefined {
  if (now < (down.get(provider) ?? 0)) return 'unhealthy';
  const [first] = ids;
  if (first === undefined || !ids.every((id) => outOf(credentials.of(id), now) !== undefined)) return undefined;
  return outOf(credentials.of(first), now);
}

function setDown(watching: Watching, provider: string, until: number, now: number): void {
  const { down } = watching;
  if (now < until) {
    down.set(provider, until);
    watching.lookAt = Math.min(watching.lookAt, until);
  } else down.delete(provider);
  showDown(watching, provider, now);
}

function showDown(watching: Watching, provider: string, now: number): void {
  watching.mark(provider, providerOut(watching, provider, watching.groups.get(provider) ?? [], now));
}

function showProvider(watching: Watching, provider: string, ids: readonly string[], now: number): void {
  const { mark, credentials, groups } = watching;
  mark(provider, providerOut(watching, provider, ids, now));
  if (!ids.some((id) => credentials.has(id))) groups.delete(provider);
}

function show(watching: Watching, target: string, { provider, credential }: Spot, now: number): void {
  const { targets, credentials, mark, groups } = watching;
  mark(target, outOf(targets.of(target), now));
  if (targets.has(target)) lookAgain(watching, targets.of(target), now);
  if (credentials.has(credential)) lookAgain(watching, credentials.of(credential), now);
  const ids = groups.get(provider);
  if (ids) showProvider(watching, provider, ids, now);
}

/** Sees to it that what changes of a trouble with time is looked at then. */
function lookAgain(watching: Watching, trouble: Trouble, now: number): void {
  watching.lookAt = Math.min(watching.lookAt, Math.max(nextChange(trouble, now), now + LOOK_MS));
}

/** Shows all that is in trouble as it stands now. */
function look(watching: Watching, now: number): void {
  const { targets, credentials, mark, groups, down } = watching;
  watching.lookAt = Infinity;
  for (const [name, trouble] of targets.all()) {
    mark(name, outOf(trouble, now));
    lookAgain(watching, trouble, now);
  }
  for (const [, trouble] of credentials.all()) lookAgain(watching, trouble, now);
  for (const [provider, ids] of groups) showProvider(watching, provider, ids, now);
  for (const [provider, until] of down) {
    showDown(watching, provider, now);
    if (now < until) watching.lookAt = Math.min(watching.lookAt, until);
    else down.delete(provider);
  }
}

/** Nothing is held against anybody yet. */
export function createStanding(targets: Troubles, credentials: Troubles, mark: Mark): Standing {
  const watching: Watching = { targets, credentials, mark, groups: new Map(), down: new Map(), lookAt: Infinity };
  return {
    providerOut: (provider, ids, now) => providerOut(watching, provider, ids, now),
    setDown: (provider, until, now) => setDown(watching, provider, until, now),
    get down() {
      return watching.down.size;
    },
    watch: (provider, ids) => void watching.groups.set(provider, ids),
    show: (target, spot, now) => show(watching, target, spot, now),
    refresh(monotonic) {
      if (watching.lookAt === Infinity) return;
      const now = monotonic();
      if (now >= watching.lookAt) look(watching, now);
    },
  };
}
