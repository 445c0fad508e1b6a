import type { Config } from '../config/config.ts';
import type { Counted, Full, Taking } from '../exchange/trying/minutes.ts';
import type { Wanting } from '../exchange/trying/slots.ts';
import type { Place } from '../http/listeners.ts';
import type { Fault } from '../ir/index.ts';
import type { HealthFact } from '../policy/health.ts';
import type { Minute } from '../policy/minute.ts';
import type { Taken } from './door.ts';

/** What one process can be asked by another, by its name: what comes with the question, and what is answered. */
export type Topics = Readonly<Record<string, { readonly ask: unknown; readonly answer: unknown }>>;

/** What a worker begins with. */
export interface StartOrder {
  readonly config: Config;
  /** The data folder. */
  readonly data: string;
  /** 1 for the first one; one that takes the place of another has its number. */
  readonly number: number;
  /** Workers altogether. */
  readonly count: number;
}

/** A place that a worker wants for a call. Its ticket tells it from the worker's others. */
export interface PlaceWish extends Omit<Wanting, 'sink'> {
  readonly ticket: number;
}

/** What became of a wish for a place. */
export type Placed = { readonly state: 'granted' | 'left' } | { readonly state: 'refused'; readonly fault: Fault };

/** A minute of a key or a provider has no room for so many milliseconds; 0: it has some. */
export interface MinuteNews {
  readonly place: string;
  readonly fullForMs: number;
}

/** A question to whichever worker can answer it: of a response that is being made there, say. */
export interface OthersQuestion {
  readonly topic: string;
  readonly body: unknown;
}

/** What the primary asks of a worker, or tells it. */
export interface OfWorker {
  /** Builds the server; answered when it is ready for connections: those that the primary gives it come as sockets beside a message of their own. */
  readonly start: { readonly ask: StartOrder; readonly answer: undefined };
  /** Makes ready what a configuration needs; fails where it cannot be used. Nothing changes before `commit`. */
  readonly prepare: { readonly ask: { readonly revision: number; readonly config: Config }; readonly answer: undefined };
  /** Puts what was prepared in force. */
  readonly commit: { readonly ask: number; readonly answer: undefined };
  /** Takes no more calls, waits for those that run, closes everything, and ends. */
  readonly stop: { readonly ask: undefined; readonly answer: undefined };
  /** Listens to the port of the primary, which shares it. */
  readonly listen: { readonly ask: Place; readonly answer: undefined };
  /** Asks so many of its connections to come again, perhaps to another worker. */
  readonly thin: { readonly ask: number; readonly answer: undefined };
  /** Whether what is due on time is this one's to do. */
  readonly lead: { readonly ask: boolean; readonly answer: undefined };
  /** Writes what it has put into a store. */
  readonly flush: { readonly ask: string; readonly answer: undefined };
  readonly health: { readonly ask: HealthFact; readonly answer: undefined };
  /** A wish for a place that had to wait has come to its end. */
  readonly placed: { readonly ask: { readonly ticket: number; readonly placed: Placed }; readonly answer: undefined };
  /** Whether a call would have to wait for a place. */
  readonly full: { readonly ask: { readonly place: string; readonly isFull: boolean }; readonly answer: undefined };
  readonly minute: { readonly ask: MinuteNews; readonly answer: undefined };
  /** `undefined`: it cannot tell. */
  readonly question: { readonly ask: OthersQuestion; readonly answer: unknown };
}

/** What a worker asks of the primary, or tells it. */
export interface OfPrimary {
  /** The connections that it has. */
  readonly taken: { readonly ask: Taken; readonly answer: undefined };
  /** Something happened at a place: for the other workers. */
  readonly health: { readonly ask: HealthFact; readonly answer: undefined };
  /** `waiting`: `placed` comes later. */
  readonly take: { readonly ask: PlaceWish; readonly answer: Placed | { readonly state: 'waiting' } };
  /** Gives a place back, or wants it no more. */
  readonly release: { readonly ask: number; readonly answer: undefined };
  /** Counts a call in a minute, where it has room. */
  readonly count: { readonly ask: { readonly minute: Minute; readonly taking: Taking }; readonly answer: Counted | Full };
  /** It took so much more, or less, than was counted. */
  readonly recount: {
    readonly ask: { readonly minute: Minute; readonly at: Counted['at']; readonly by: Taking };
    readonly answer: undefined;
  };
  /** Keeps a name for one of all workers; false: another has it. */
  readonly lock: { readonly ask: string; readonly answer: boolean };
  readonly unlock: { readonly ask: string; readonly answer: undefined };
  /** It has put something into a store that is not written yet; then, that all of it is. */
  readonly dirty: { readonly ask: string; readonly answer: undefined };
  readonly clean: { readonly ask: string; readonly answer: undefined };
  /** Answered when everything is written that the other workers had put into a store before. */
  readonly settled: { readonly ask: string; readonly answer: undefined };
  /** What the first of the other workers answers that can. */
  readonly others: { readonly ask: OthersQuestion; readonly answer: unknown };
}

/** An error on its way between processes: what is said to people, and what decides what is done. */
export interface CarriedError {
  readonly message: string;
  readonly code?: string;
  readonly syscall?: string;
  readonly fault?: Fault;
}

/** What goes over the pipe. Without an `id` nobody waits for an answer. */
export type Message =
  | { readonly kind: 'ask'; readonly topic: string; readonly body: unknown; readonly id?: number }
  | { readonly kind: 'answer'; readonly id: number; readonly body?: unknown; readonly error?: CarriedError }
  /** With a socket beside it. */
  | { readonly kind: 'connection' };
