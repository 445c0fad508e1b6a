import { type Fault, GatewayError } from '../../ir/index.ts';
import type { Candidate } from '../../policy/candidate.ts';
import { chooseCredential } from '../../policy/credentials.ts';
import type { Health, Place } from '../../policy/health.ts';
import { type RetryBudget, type Verdict, verdictOf, waitMs } from '../../policy/retry.ts';
import type { Provider, Timeouts } from '../../presets/preset.ts';
import type { AttemptEnd } from '../call.ts';
import type { ClientSink } from '../client-sink.ts';
import { createGate } from './gate-sink.ts';
import type { Release, Slots } from './slots.ts';

/** What trying remembers from one call to the next, and its clock and chance. */
export interface Trying {
  readonly health: Health;
  readonly budget: RetryBudget;
  readonly slots: Slots;
  readonly monotonic: () => number;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
}

/** A call to be tried. */
export interface Walking {
  /** As decided: the chosen one, and those to be tried after it. */
  readonly candidates: readonly Candidate[];
  readonly providers: ReadonlyMap<string, Provider>;
  /** Whose call it is: waiting is fair between owners. */
  readonly owner: string;
  /** Monotonic milliseconds. */
  readonly started: number;
  readonly sink: ClientSink;
  /** What its conversation is told by; asked only where a provider has several credentials. */
  readonly session: () => string | undefined;
  /** Tries at most; default 3. */
  readonly most?: number;
  /** What it starts is asked for later by another request: it goes with the provider's first key, and its end says nothing of health. */
  readonly isJob?: boolean;
}

/** One try at one target with one credential. */
export interface Step {
  readonly candidate: Candidate;
  /** With the credential that this try goes with. */
  readonly provider: Provider;
  readonly timeouts: Timeouts;
  /** 1 for the first one that was sent. */
  readonly number: number;
  /** The client; begun only by this try itself. */
  readonly sink: ClientSink;
}

/** Tries of one call at most, wherever they go. */
const MAX_TRIES = 3;
/** What fails later than that was worked on: it is not asked of the same place again. */
const QUICK_MS = 5000;

interface Tried {
  readonly candidate: Candidate;
  readonly provider: Provider;
  readonly fault: Fault;
  readonly verdict: Verdict;
  readonly tookMs: number;
}

/** Where to go next. */
interface Next {
  readonly candidate: Candidate;
  readonly provider: Provider;
  readonly waitMs: number;
}

const isWatched = ({ settings }: Provider): boolean => settings.health !== 'off';
const credentialsOf = (provider: Provider): readonly string[] => provider.credentials?.map(({ id }) => id) ?? [provider.credential];

const placeOf = ({ candidate, provider }: Next, base: Provider, { isJob }: Walking): Place => ({
  provider: candidate.provider,
  model: candidate.model,
  credential: provider.credential,
  credentials: credentialsOf(base),
  watched: isJob !== true && isWatched(provider),
});

/** The order of trying: what was chosen, then what else may be tried. */
function orderOf(candidates: readonly Candidate[]): readonly Candidate[] {
  const chosen = candidates.filter(({ verdict }) => verdict === 'chosen');
  return candidates.length === 1 ? chosen : [...chosen, ...candidates.filter(({ verdict }) => verdict === 'eligible')];
}

/** Whether a candidate is there for what has gone wrong. A client's own mistake goes only where a route says so. */
function isFor({ after }: Candidate, { scope, failure }: Verdict, { code }: Pick<Fault, 'code'>): boolean {
  if (scope === 'gateway') return code === 'not_expressible' && after === undefined;
  if (scope === 'client') return failure !== undefined && (after?.includes(failure) ?? false);
  return after === undefined || (failure !== undefined && after.includes(failure));
}

/** Chooses where a call goes, try by try. */
function createGuide(call: Walking, { health, budget, slots, random }: Trying) {
  const order = orderOf(call.candidates);
  const spent = new Set<string>();
  const baseOf = (candidate: Candidate): Provider => {
    const base = call.providers.get(candidate.provider);
    if (!base) throw new Error(`no provider '${candidate.provider}'`);
    return base;
  };
  const isFull = (candidate: Candidate): boolean => slots.isFull(candidate.provider, baseOf(candidate).settings.concurrency);
  /** The provider with a credential. `anyway`: also with one that is out. */
  const payFor = (candidate: Candidate, anyway: boolean): Provider | undefined => {
    const base = baseOf(candidate);
    if (!base.credentials || call.isJob === true) return anyway || !spent.has(base.credential) ? base : undefined;
    const isOut = (id: string): boolean => spent.has(id) || (!anyway && isWatched(base) && health.isCredentialOut(id));
    const session = call.session();
    return chooseCredential(base.credentials, { random: random(), isOut, ...(session === undefined ? {} : { session }) })?.provider;
  };
  /** The first of some that is well and has room; else the first that has none and must be waited for. */
  const firstOf = (some: Iterable<Candidate>): Next | undefined => {
    let crowded: Next | undefined;
    for (const candidate of some) {
      const base = baseOf(candidate);
      const place = { provider: candidate.provider, model: candidate.model, credentials: credentialsOf(base), watched: isWatched(base) };
      if (health.whyOut(place) !== undefined) continue;
      const provider = payFor(candidate, false);
      if (!provider) continue;
      const next = { candidate, provider, waitMs: 0 };
      if (!isFull(candidate)) return next;
      crowded ??= next;
    }
    return crowded;
  };
  return {
    baseOf,
    first(): Next {
      const [chosen] = order;
      if (!chosen) throw new Error('nothing was chosen');
      const other = order.length > 1 ? firstOf(order.filter(({ after }, at) => at === 0 || after === undefined)) : undefined;
      const provider = other ? undefined : (payFor(chosen, false) ?? payFor(chosen, true));
      if (!other && !provider) throw new Error('no credential');
      return other ?? { candidate: chosen, provider: provider as Provider, waitMs: 0 };
    },
    /** After a failure; `undefined`: it is the last word. */
    next(tried: readonly Tried[]): Next | undefined {
      const last = tried.at(-1);
      if (!last) return undefined;
      const { candidate, provider, fault, verdict, tookMs } = last;
      if (verdict.scope === 'credential' || verdict.scope === 'limit') {
        spent.add(provider.credential);
        const other = baseOf(candidate).credentials ? payFor(candidate, false) : undefined;
        if (other) return { candidate, provider: other, waitMs: 0 };
      }
      const been = new Set(tried.map((one) => one.candidate));
      const elsewhere = firstOf(order.filter((one) => !been.has(one) && isFor(one, verdict, fault)));
      if (elsewhere) return elsewhere;
      const { settings } = provider;
      const most = settings.retries ?? (isWatched(provider) ? MAX_TRIES - 1 : 0);
      const times = tried.filter((one) => one.candidate === candidate).length;
      // A client that had to be kept alive has waited for this place long enough.
      if (!verdict.again || call.sink.begun || tookMs > QUICK_MS || times > most || !budget.withdraw()) return undefined;
      return { candidate, provider, waitMs: waitMs(times, random(), fault) };
    },
  };
}

/** Resolves after a while, or when the client has left. */
function pause(ms: number, sink: ClientSink): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    sink.onGone(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** What the caller is told in the end: with the earliest time at which any of those that asked for patience is there again. */
function lastWord(end: AttemptEnd, tried: readonly Tried[]): AttemptEnd {
  const { fault } = end;
  if (!fault || tried.length < 2 || (fault.kind !== 'rate_limit' && fault.kind !== 'overloaded')) return end;
  const waits = tried.flatMap((one) => (one.fault.retryAfterMs === undefined ? [] : [one.fault.retryAfterMs]));
  return waits.length === 0 ? end : { ...end, fault: { ...fault, retryAfterMs: Math.min(...waits) } };
}

/** Runs one try; what cannot be written for a target is told as its end. */
async function runStep(
  step: Step,
  run: (step: Step) => Promise<AttemptEnd>,
): Promise<{ readonly end: AttemptEnd; readonly thrown?: GatewayError }> {
  try {
    return { end: await run(step) };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { end: { fault: error.fault, endedBy: 'gateway' }, thrown: error };
  }
}

/**
 * Tries a call at the places that were decided, until one answers, the client was told something, or nothing is left that could
 * help. `run` makes one try; what it throws before it has sent anything is thrown on where no other place would do. `failed` gets a
 * word for each try that was followed by another.
 */
export async function walk(call: Walking, run: (step: Step) => Promise<AttemptEnd>, trying: Trying, failed: string[]): Promise<AttemptEnd> {
  const { sink } = call;
  const { health, slots, monotonic } = trying;
  trying.budget.deposit();
  const guide = createGuide(call, trying);
  const tried: Tried[] = [];
  let next = guide.first();
  let deadline = Infinity;
  for (;;) {
    const { candidate, provider } = next;
    const own = candidate.timeouts ? { ...provider.timeouts, ...candidate.timeouts } : provider.timeouts;
    if (deadline === Infinity) deadline = call.started + own.total;
    const release = await room(next, call, deadline - monotonic(), slots);
    if (sink.closed || release === null) {
      release?.();
      return { endedBy: 'client' };
    }
    const now = monotonic();
    const isFresh = tried.length === 0 && release === undefined;
    const timeouts = isFresh ? own : { ...own, total: Math.max(1, Math.min(own.total, deadline - now)) };
    const step: Step = { candidate, provider, timeouts, number: tried.length + 1, sink: createGate(sink) };
    const place = placeOf(next, guide.baseOf(candidate), call);
    const probing = health.began(place);
    let gone = true;
    let fault: Fault | undefined;
    let end: AttemptEnd;
    let thrown: GatewayError | undefined;
    try {
      ({ end, thrown } = await runStep(step, run));
      gone = end.endedBy === 'client';
      fault = end.fault;
    } finally {
      release?.();
      const verdict = fault && verdictOf(fault);
      const { retryAfterMs } = fault ?? {};
      health.ended(place, probing, {
        ...(verdict ? { verdict } : {}),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        gone,
      });
    }
    if (!fault || gone || step.sink.begun || sink.closed) {
      if (thrown) throw thrown;
      return end;
    }
    const verdict = verdictOf(fault);
    tried.push({ candidate, provider, fault, verdict, tookMs: monotonic() - now });
    const following = tried.length < (call.most ?? MAX_TRIES) ? guide.next(tried) : undefined;
    if (!following || monotonic() + following.waitMs >= deadline) {
      if (thrown) throw thrown;
      return lastWord(end, tried);
    }
    failed.push(`${candidate.provider}/${candidate.model};${fault.code ?? fault.kind}`);
    if (following.waitMs > 0) await pause(following.waitMs, sink);
    if (sink.closed) return { endedBy: 'client' };
    next = following;
  }
}

/** Room at a provider that takes only so many calls at once; `null` when the client left while waiting. */
async function room(
  { candidate, provider }: Next,
  { owner, sink }: Walking,
  maxMs: number,
  slots: Slots,
): Promise<Release | undefined | null> {
  const { concurrency } = provider.settings;
  if (concurrency === undefined) return undefined;
  return (await slots.take({ provider: candidate.provider, limit: concurrency, owner, sink, maxMs })) ?? null;
}
