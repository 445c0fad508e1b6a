import type { Emit, Fault, ProtocolId, ReplyEvent } from '../../ir/index.ts';
import type { AttemptEnd } from '../call.ts';
import type { ClientSink, OutHeaders } from '../client-sink.ts';
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
  at?(): Link | undefined;
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

/** What has been said to the leader: the head, and the bytes as far as they may be kept. */
export interface Saying {
  head: { readonly status: number; readonly headers: OutHeaders; readonly length: number | undefined } | undefined;
  pieces: Buffer[];
  bytes: number;
  ended: boolean;
}

/**
 * One call of an upstream, and everybody who waits for what it says: the one that made it (the leader) gets it as it comes, the
 * others read the events beside it. It goes on while anybody is there.
 */
export interface Flight {
  /** Settles when it is over. */
  readonly over: Promise<Outcome>;
  isOver: boolean;
  /** Who read all events has the whole answer. */
  isComplete: boolean;
  source: Source | undefined;
  /** What went wrong. */
  fault: Fault | undefined;
  /** Where a follower begins to read; gone once more was said than is kept. */
  first: Link | undefined;
  last: Link;
  readonly leader: ClientSink;
  readonly followers: Follower[];
  readonly settle: (outcome: Outcome) => void;
  readonly saying: Saying;
  /** The leader is there. */
  leads: boolean;
  /** What the leader has been given and has not taken yet, about. */
  leaderOwes: number;
  /** The upstream was told to wait. */
  isWaiting: boolean;
  witnesses: Witness[];
  speaker: Witness | undefined;
  readonly gones: (() => void)[];
  readonly drains: (() => void)[];
}

/** Begins a call that others may follow. */
export function takeOff(leader: ClientSink): Flight {
  let settle: (outcome: Outcome) => void = () => {};
  const over = new Promise<Outcome>((resolve) => {
    settle = resolve;
  });
  const first = beginning();
  const flight: Flight = {
    over,
    isOver: false,
    isComplete: false,
    source: undefined,
    fault: undefined,
    first,
    last: first,
    leader,
    followers: [],
    settle,
    saying: { head: undefined, pieces: [], bytes: 0, ended: false },
    leads: true,
    leaderOwes: 0,
    isWaiting: false,
    witnesses: [],
    speaker: undefined,
    gones: [],
    drains: [],
  };
  leader.onGone(() => {
    flight.leads = false;
    left(flight);
  });
  leader.onDrain(() => {
    flight.leaderOwes = 0;
    drained(flight);
  });
  return flight;
}

/** Somebody listens. */
export const isWanted = ({ leads, followers }: Flight): boolean => leads || followers.length > 0;

/** Whether one more may wait with the others: what has been said so far is still here, and it is not over. */
export const isOpen = (flight: Flight): boolean =>
  !flight.isOver && flight.first !== undefined && flight.followers.length < MAX_FOLLOWERS && isWanted(flight);

/** Waits with the others, or reads with them. */
export function join(flight: Flight, follower: Follower): void {
  flight.followers.push(follower);
}

/** A follower leaves. */
export function leave(flight: Flight, follower: Follower): void {
  const place = flight.followers.indexOf(follower);
  if (place >= 0) flight.followers.splice(place, 1);
  left(flight);
}

function left(flight: Flight): void {
  if (!isWanted(flight)) {
    for (const gone of flight.gones.splice(0)) gone();
    return;
  }
  // The one who was the quickest may have left, or the one who was waited for.
  hasRead(flight);
}

/** A follower has read: the upstream may go on where it waited for that. */
export function hasRead(flight: Flight): void {
  if (flight.isWaiting && flows(flight)) drained(flight);
}

/** Somebody takes what comes: who is slow holds nobody up, as long as what is held for them has its bound. */
export function flows({ leads, leaderOwes, followers, last }: Flight): boolean {
  if (leads && leaderOwes === 0) return true;
  if (leads && leaderOwes > MAX_BEHIND_BYTES) return false;
  return followers.some((follower) => {
    const at = follower.at?.();
    return at === undefined || last.upTo - at.upTo <= PAUSE_BYTES;
  });
}

function drained(flight: Flight): void {
  flight.isWaiting = false;
  for (const drain of flight.drains) drain();
}

/** Listens to one try, whose own way to the client is `sink`. */
export function listenIn(flight: Flight, sink: ClientSink, source: Source): Emit {
  const witness: Witness = { sink, source, pending: [] };
  flight.witnesses.push(witness);
  return (event) => hear(flight, witness, event);
}

function hear(flight: Flight, witness: Witness, event: ReplyEvent): void {
  // How it ended is told when it is known that it has: by whoever made the call.
  if (event.type === 'fault') return;
  if (event.type === 'reply-end') witness.end = event;
  else if (witness === flight.speaker) tell(flight, event);
  else witness.pending.push(event);
}

/** The try that has begun to answer speaks; what others say is not wanted. */
export function choose(flight: Flight, headers: OutHeaders): void {
  const speaker = flight.witnesses.find(({ sink }) => sink.begun);
  flight.witnesses = [];
  if (!speaker) return;
  flight.speaker = speaker;
  flight.source = { ...speaker.source, ...notesIn(headers) };
  for (const event of speaker.pending) tell(flight, event);
  speaker.pending = [];
}

function tell(flight: Flight, event: ReplyEvent): void {
  flight.last = append(flight.last, event);
  if (flight.last.upTo > MAX_ANSWER_BYTES) flight.first = undefined;
  for (const follower of flight.followers.slice()) {
    follower.wake();
    const at = follower.at?.();
    if (at && flight.last.upTo - at.upTo > MAX_BEHIND_BYTES) follower.drop();
  }
}

/** The answer as it may be given again: `to` what the leader's words answer, `isStream` how it took them. */
export function answerOf(flight: Flight, now: number, to: string | undefined, isStream: boolean): KeptAnswer | undefined {
  const { source, saying, speaker, first, last } = flight;
  const { head, pieces } = saying;
  if (!source || head?.status !== 200 || !saying.ended) return undefined;
  const isSaid = to !== undefined && saying.bytes <= MAX_ANSWER_BYTES;
  const events = first && speaker?.end ? [...eventsAfter(first), speaker.end] : undefined;
  if (!isSaid && !events) return undefined;
  const telling = TELLING.flatMap((name) => (typeof head.headers[name] === 'string' ? [[name, head.headers[name]]] : []));
  const body = { status: head.status, headers: Object.fromEntries(telling), body: Buffer.concat(pieces), isStream };
  const bytes = (isSaid ? saying.bytes : 0) + (events ? last.upTo : 0);
  return { at: now, ...source, ...(isSaid ? { said: { to, ...body } } : {}), ...(events ? { events } : {}), bytes };
}

/** Lets the followers know how it ended. The last event, which was held back, goes to them where all went well. */
export function finish(flight: Flight, outcome: Outcome): void {
  if (flight.isOver) return;
  const end = flight.speaker?.end;
  if (('kept' in outcome || 'told' in outcome) && end) {
    flight.last = append(flight.last, end);
    flight.isComplete = true;
  }
  flight.isOver = true;
  flight.settle(outcome);
  for (const follower of flight.followers.slice()) follower.wake();
}
