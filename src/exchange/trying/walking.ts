import type { Fault, GatewayError, Usage } from '../../ir/index.ts';
import type { Candidate } from '../../policy/candidate.ts';
import type { Conversations } from '../../policy/conversations.ts';
import type { Health } from '../../policy/health.ts';
import type { RetryBudget, RetryLimits } from '../../policy/retry.ts';
import type { Provider, Timeouts } from '../../presets/preset.ts';
import type { AttemptEnd, Within } from '../call.ts';
import type { ClientSink } from '../client-sink.ts';
import type { CounterWaits } from '../counter-waits.ts';
import type { Minutes } from './minutes.ts';
import type { Requests } from './requests.ts';
import type { Slots } from './slots.ts';

/** What trying remembers from one call to the next, and its clock and chance. */
export interface Trying {
  readonly health: Health;
  /** Bounds how often the same place is asked again. */
  readonly budget: RetryBudget;
  /** Bounds how many tries are started beside slow ones. */
  readonly hedges: RetryBudget;
  readonly slots: Slots;
  readonly minutes: Minutes;
  /** Counters of tokens that are to be left alone. */
  readonly counterWaits: CounterWaits;
  /** Where conversations were answered last. */
  readonly conversations: Conversations;
  /** Those in force now. */
  readonly limits: () => RetryLimits;
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
  /** It shares its time with others. */
  readonly within?: Within | undefined;
  readonly sink: ClientSink;
  /** What its conversation is told by; asked only where a provider has several credentials. */
  readonly session: () => string | undefined;
  /** What it starts is asked for later by another request: it goes with the provider's first key, and no other. */
  readonly isJob?: boolean;
  /** Whether another try may follow one that failed so; absent: always. Then none is made side by side either. */
  readonly mayGoOn?: (fault: Fault) => boolean;
  /** Makes one try. What it throws (`GatewayError`) before it has sent anything is thrown on where no other place would do. */
  readonly run: (step: Step) => Promise<AttemptEnd>;
  /** Tokens that it is expected to take; asked only where a key or a provider takes only so many in a minute. */
  readonly tokens: () => number;
  /** What a step used, where its end does not say so. */
  readonly usageOf?: (number: number) => Usage | undefined;
  /** Told whose end is the call's, by the step's number, where tries ran side by side or it is not the last one's. */
  readonly answeredBy: (number: number) => void;
  /** Gets a word for each try whose end was not the call's, and for each target before the first that was passed by: `provider/model;code`. */
  readonly failed: string[];
}

/**
 * Something that does no harm has failed within a try: after how many milliseconds it may be asked of the same place once more, which
 * counts as another try; `leastMs` at the earliest. `undefined`: the try ends with it, or with `told` where that is another fault.
 */
export type OnceMore = (fault: Fault, leastMs: number, told?: Fault) => number | undefined;

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
  /** Only so many calls may be under way there at once, and it has room for one. */
  readonly isLimited: boolean;
  /** Its key or provider takes only so many requests in a minute: to be told of each that goes out. */
  readonly requests?: Requests;
  /** Milliseconds that went before it with waiting for room, and with tries that came to nothing and pauses after them. */
  readonly apartMs: number;
  readonly onceMore: OnceMore;
}

/** Where to go next. */
export interface Next {
  readonly candidate: Candidate;
  readonly provider: Provider;
  readonly waitMs: number;
}

/** How a try ended. */
export interface Tried {
  readonly next: Next;
  readonly number: number;
  readonly end: AttemptEnd;
  /** What it threw instead of sending anything. */
  readonly thrown?: GatewayError;
  readonly tookMs: number;
  /** Nothing else is to be tried: it answered, its client has been told something, or has left. */
  readonly isFinal: boolean;
}
