import type { Emit, Fault, ProtocolId, ReplyEvent } from '../../ir/index.ts';
import type { AttemptEnd } from '../call.ts';
import type { ClientSink, OutHeaders, Refusal } from '../client-sink.ts';
import { append, beginning, eventsAfter, type Link } from './event-chain.ts';
import { type KeptAnswer, MAX_ANSWER_BYTES } from './kept-answers.ts';

/** Who answered. */
export interface Source {
  readonly provider: string;
  readonly model: string;
  readonly upstream?: ProtocolId;
  /** What of the question was lost on the way there, as `x-pailou-notes` says it. */
  readonly notes?: string;
}

/** How a flight ended for those who follow it. */
export type Outcome =
  /** An answer for everybody who asked the same. */
  | { readonly kept: KeptAnswer }
  /** `dialect`: whose words its own error answer is in, where it has one. */
  | { readonly fault: Fault; readonly end?: AttemptEnd; readonly dialect?: ProtocolId }
  /** It was told to those who listened, and is not held for others: too long, or in words that cannot be read. */
  | { readonly told: true }
  /** Nobody waited any more. */
  | { readonly nothing: true };

/** One who waits for the same answer as the leader. */
export interface Follower {
  /** There are more events, or the flight is over. */
  wake(): void;
  /** So far it has read; absent: it waits for the end. */
  readonly at?: Link | undefined;
  /** It was so far behind that what it had still to read could not be held. */
  drop(): void;
}

/** Those who wait for one answer at most; more of them are answered on their own. */
const MAX_FOLLOWERS = 10_000;
/** What one may have left to read. A follower who is further behind is let go; for the leader the upstream waits then. */
const MAX_BEHIND_BYTES = 16 * 1024 * 1024;
/** The upstream waits where all who read are so far behind. */
const PAUSE_BYTES = 256 * 1024;

/** Headers that say something of an answer, and nothing of the call that got it. */
const TELLING = ['content-type', 'cache-control'];

/** The notes that are about the question: where its conversation was moved is about the call that was made. */
function notesIn({ 'x-pailou-notes': notes }: OutHeaders): Pick<Source, 'notes'> {
  if (typeof notes !== 'string') return {};
  const kept = notes.split(', ').filter((note) => !note.startsWith('affinity.'));
  return kept.length > 0 ? { notes: kept.join(', ') } : {};
}

/** What one try says: it counts once the try is the one that answers. */
interface Witness {
  readonly sink: ClientSink;
  readonly source: Source;
  /** What came before anything went to the client. */
  pending: ReplyEvent[];
  end?: ReplyEvent;
}

/**
 * One call of an upstream, and everybody who waits for what it says: the one that made it (the leader) gets it as it comes, the
 * others read the events beside it. It goes on while anybody is there.
 */
export class Flight implements ClientSink {
  /** The answer's head has come, or a keep-alive has begun the leader's stream. */
  get begun(): boolean {
    return this.#head !== undefined || (this.#leads && this.#leader.begun);
  }
  /** Everything was said, or nobody listens. */
  get closed(): boolean {
    return this.#ended || !this.#isWanted();
  }
  /** Settles when it is over. */
  readonly over: Promise<Outcome>;
  isOver = false;
  /** Who read all events has the whole answer. */
  isComplete = false;
  source: Source | undefined;
  /** What went wrong. */
  fault: Fault | undefined;
  /** Where a follower begins to read; gone once more was said than is kept. */
  first: Link | undefined = beginning();
  readonly #leader: ClientSink;
  readonly #followers: Follower[] = [];
  #last = this.first as Link;
  #settle: (outcome: Outcome) => void = () => {};
  #head: { readonly status: number; readonly headers: OutHeaders; readonly length: number | undefined } | undefined;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #leads = true;
  /** What the leader has been given and has not taken yet, about. */
  #leaderOwes = 0;
  /** The upstream was told to wait. */
  #isWaiting = false;
  #ended = false;
  #witnesses: Witness[] = [];
  #speaker: Witness | undefined;
  #gones: (() => void)[] = [];
  #drains: (() => void)[] = [];

  constructor(leader: ClientSink) {
    this.#leader = leader;
    this.over = new Promise((resolve) => {
      this.#settle = resolve;
    });
    leader.onGone(() => {
      this.#leads = false;
      this.#left();
    });
    leader.onDrain(() => {
      this.#leaderOwes = 0;
      this.#drained();
    });
  }

  /** Whether one more may wait with the others: what has been said so far is still here, and it is not over. */
  get isOpen(): boolean {
    return !this.isOver && this.first !== undefined && this.#followers.length < MAX_FOLLOWERS && this.#isWanted();
  }

  follow(follower: Follower): void {
    this.#followers.push(follower);
  }

  leave(follower: Follower): void {
    const place = this.#followers.indexOf(follower);
    if (place >= 0) this.#followers.splice(place, 1);
    this.#left();
  }

  /** A follower has read: the upstream may go on where it waited for that. */
  read(): void {
    if (this.#isWaiting && this.#flows()) this.#drained();
  }

  /** Listens to one try, whose own way to the client is `sink`. */
  witness(sink: ClientSink, source: Source): Emit {
    const witness: Witness = { sink, source, pending: [] };
    this.#witnesses.push(witness);
    return (event) => this.#heard(witness, event);
  }

  begin(status: number, headers: OutHeaders, length?: number): void {
    if (this.#head) return;
    this.#head = { status, headers, length };
    this.#choose(headers);
    if (this.#leads) this.#leader.begin(status, headers, length);
  }

  write(bytes: Buffer | string): boolean {
    this.#record(bytes);
    if (this.#leads && !this.#leader.write(bytes)) this.#leaderOwes += bytes.length;
    this.#isWaiting = !this.#flows();
    return !this.#isWaiting;
  }

  end(bytes?: Buffer | string): void {
    if (bytes !== undefined) this.#record(bytes);
    this.#ended = true;
    if (this.#leads) this.#leader.end(bytes);
  }

  failed(fault: Fault, refusal: Refusal): void {
    this.fault = fault;
    this.#leader.failed?.(fault, refusal);
  }

  abort(): void {
    this.#ended = true;
    this.#bytes = Infinity;
    if (this.#leads) this.#leader.abort();
  }

  onGone(listener: () => void): void {
    if (this.#isWanted()) this.#gones.push(listener);
    else listener();
  }

  onDrain(listener: () => void): void {
    this.#drains.push(listener);
  }

  /** The answer as it may be given again: `to` what the leader's words answer, `isStream` how it took them. */
  answer(now: number, to: string | undefined, isStream: boolean): KeptAnswer | undefined {
    const { source } = this;
    const head = this.#head;
    const speaker = this.#speaker;
    if (!source || head?.status !== 200 || !this.#ended) return undefined;
    const isSaid = to !== undefined && this.#bytes <= MAX_ANSWER_BYTES;
    const events = this.first && speaker?.end ? [...eventsAfter(this.first), speaker.end] : undefined;
    if (!isSaid && !events) return undefined;
    const headers = Object.fromEntries(
      TELLING.flatMap((name) => (typeof head.headers[name] === 'string' ? [[name, head.headers[name]]] : [])),
    );
    const said = isSaid ? { said: { to, status: head.status, headers, body: Buffer.concat(this.#pieces), isStream } } : {};
    const bytes = (isSaid ? this.#bytes : 0) + (events ? this.#last.upTo : 0);
    return { at: now, ...source, ...said, ...(events ? { events } : {}), bytes };
  }

  /** Lets the followers know how it ended. The last event, which was held back, goes to them where all went well. */
  finish(outcome: Outcome): void {
    if (this.isOver) return;
    const end = this.#speaker?.end;
    if (('kept' in outcome || 'told' in outcome) && end) {
      this.#last = append(this.#last, end);
      this.isComplete = true;
    }
    this.isOver = true;
    this.#settle(outcome);
    for (const follower of this.#followers.slice()) follower.wake();
  }

  #isWanted(): boolean {
    return this.#leads || this.#followers.length > 0;
  }

  /** Somebody takes what comes: who is slow holds nobody up, as long as what is held for them has its bound. */
  #flows(): boolean {
    if (this.#leads && this.#leaderOwes === 0) return true;
    if (this.#leads && this.#leaderOwes > MAX_BEHIND_BYTES) return false;
    return this.#followers.some(({ at }) => at === undefined || this.#last.upTo - at.upTo <= PAUSE_BYTES);
  }

  #record(bytes: Buffer | string): void {
    if (this.#bytes > MAX_ANSWER_BYTES) return;
    const piece = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    this.#bytes += piece.length;
    if (this.#bytes <= MAX_ANSWER_BYTES) this.#pieces.push(piece);
    else this.#pieces = [];
  }

  #heard(witness: Witness, event: ReplyEvent): void {
    // How it ended is told when it is known that it has: by whoever made the call.
    if (event.type === 'fault') return;
    if (event.type === 'reply-end') witness.end = event;
    else if (witness === this.#speaker) this.#tell(event);
    else witness.pending.push(event);
  }

  /** The try that has begun to answer speaks; what others say is not wanted. */
  #choose(headers: OutHeaders): void {
    const speaker = this.#witnesses.find(({ sink }) => sink.begun);
    this.#witnesses = [];
    if (!speaker) return;
    this.#speaker = speaker;
    this.source = { ...speaker.source, ...notesIn(headers) };
    for (const event of speaker.pending) this.#tell(event);
    speaker.pending = [];
  }

  #tell(event: ReplyEvent): void {
    this.#last = append(this.#last, event);
    if (this.#last.upTo > MAX_ANSWER_BYTES) this.first = undefined;
    for (const follower of this.#followers.slice()) {
      follower.wake();
      if (follower.at && this.#last.upTo - follower.at.upTo > MAX_BEHIND_BYTES) follower.drop();
    }
  }

  #left(): void {
    if (this.#isWanted()) {
      // The one who was the quickest may have left, or the one who was waited for.
      this.read();
      return;
    }
    for (const gone of this.#gones.splice(0)) gone();
  }

  #drained(): void {
    this.#isWaiting = false;
    for (const drain of this.#drains) drain();
  }
}
