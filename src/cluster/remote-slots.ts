import { createSlots, type Release, type Slots, type Wanting } from '../exchange/trying/slots.ts';
import { GatewayError, gatewayFault } from '../ir/index.ts';
import { type Link, Silence } from './link.ts';
import type { OfPrimary, Placed } from './messages.ts';

/** Places as a worker asks the primary for them. */
export interface RemoteSlots extends Slots {
  /** The primary's word on a wish that had to wait. */
  placed(ticket: number, placed: Placed): void;
  /** The primary's word on whether a call would have to wait. */
  full(place: string, isFull: boolean): void;
}

/** What it stands on. */
export interface RemoteSlotsPorts {
  readonly link: Link<OfPrimary>;
  /** Which worker this is, from 1, and of how many. */
  readonly number: number;
  readonly count: number;
}

/** The primary does nothing but this: one that has not answered by then is frozen, not slow. Once that is known nobody waits for it. */
const ANSWER_MS = 5000;
/** It ends a wait itself; so much longer than that is waited for nobody's word. */
const LATE_MS = 1000;

const noShare = ({ title, limit }: Wanting): GatewayError =>
  new GatewayError(
    gatewayFault('overloaded', `${title} takes ${limit} calls at once ('concurrency'), and how many it has cannot be told just now`, {
      code: 'concurrency_full',
      retryAfterMs: 2000,
    }),
  );

/** What the pieces below share. */
interface Counting {
  readonly ports: RemoteSlotsPorts;
  /** Places that are counted here, while the primary does not answer. */
  readonly alone: Slots;
  readonly fullOnes: Set<string>;
  /** Places of the primary's that are held here, by their names. */
  readonly held: Map<string, number>;
  /** Those that listen for the primary's last word, by ticket. */
  readonly waiting: Map<number, Wish>;
  lastTicket: number;
}

/** A call that wants a place of the primary's. */
interface Wish {
  readonly ticket: number;
  readonly wanting: Wanting;
  /** The last word, which may come before it is waited for. */
  word: Placed | undefined;
  settle: ((word: Placed | 'late') => void) | undefined;
}

function tally({ held }: Counting, place: string, by: number): void {
  const now = (held.get(place) ?? 0) + by;
  if (now > 0) held.set(place, now);
  else held.delete(place);
}

function shareOf({ ports: { number, count }, held }: Counting, { place, limit }: Wanting): number {
  const share = Math.floor(limit / count) + (number <= limit % count ? 1 : 0);
  return share - (held.get(place) ?? 0);
}

function takeAlone(counting: Counting, wanting: Wanting): Promise<Release | undefined> {
  const limit = shareOf(counting, wanting);
  if (limit <= 0) throw noShare(wanting);
  return counting.alone.take({ ...wanting, limit });
}

/** A place of the primary's is held from here on. */
function hold(counting: Counting, { ticket, wanting: { place } }: Wish): Release {
  let isHeld = true;
  tally(counting, place, 1);
  return () => {
    if (!isHeld) return;
    isHeld = false;
    tally(counting, place, -1);
    counting.ports.link.tell('release', ticket);
  };
}

function come(counting: Counting, wish: Wish, placed: Placed): Release | undefined {
  if (placed.state === 'refused') throw new GatewayError(placed.fault);
  return placed.state === 'granted' ? hold(counting, wish) : undefined;
}

function hear({ waiting }: Counting, wish: Wish, placed: Placed): void {
  waiting.delete(wish.ticket);
  wish.word = placed;
  wish.settle?.(placed);
}

/** The client went away: whatever the primary says after that is for nobody. */
function leave(counting: Counting, wish: Wish): void {
  if (!counting.waiting.has(wish.ticket)) return;
  counting.ports.link.tell('release', wish.ticket);
  hear(counting, wish, { state: 'left' });
}

/** Listens for the primary's last word from here on. */
function newWish(counting: Counting, wanting: Wanting): Wish {
  counting.lastTicket += 1;
  const wish: Wish = { ticket: counting.lastTicket, wanting, word: undefined, settle: undefined };
  counting.waiting.set(wish.ticket, wish);
  wanting.sink.onGone(() => leave(counting, wish));
  return wish;
}

const lastWord = (wish: Wish): Promise<Placed | 'late'> =>
  new Promise((resolve) => {
    const { maxMs, queue } = wish.wanting;
    const late = setTimeout(resolve, Math.min(maxMs, queue.waitMs) + LATE_MS, 'late');
    wish.settle = (word) => {
      clearTimeout(late);
      resolve(word);
    };
  });

async function outcome(counting: Counting, wish: Wish): Promise<Release | undefined> {
  const word = wish.word ?? (await lastWord(wish));
  if (word !== 'late') return come(counting, wish, word);
  counting.waiting.delete(wish.ticket);
  counting.ports.link.tell('release', wish.ticket);
  throw noShare(wish.wanting);
}

async function take(counting: Counting, wanting: Wanting): Promise<Release | undefined> {
  const { waiting, ports } = counting;
  const { sink: _sink, ...wanted } = wanting;
  const wish = newWish(counting, wanting);
  const { ticket } = wish;
  try {
    const first = await ports.link.ask('take', { ticket, ...wanted }, ANSWER_MS);
    if (first.state === 'waiting') return await outcome(counting, wish);
    waiting.delete(ticket);
    return come(counting, wish, first);
  } catch (error) {
    waiting.delete(ticket);
    if (!(error instanceof Silence)) throw error;
    // It may be given later, to nobody.
    ports.link.tell('release', ticket);
    return takeAlone(counting, wanting);
  }
}

/**
 * Places that the primary counts for all workers. While it does not answer, a worker goes by its own share of the limit, less what it
 * holds already, so that all of them together stay within it as soon as what was unevenly held has ended.
 */
export function createRemoteSlots(ports: RemoteSlotsPorts): RemoteSlots {
  const counting: Counting = { ports, alone: createSlots(), fullOnes: new Set(), held: new Map(), waiting: new Map(), lastTicket: 0 };
  return {
    isFull: (place, limit) => limit !== undefined && counting.fullOnes.has(place),
    take: (wanting) => take(counting, wanting),
    placed(ticket, placed) {
      const wish = counting.waiting.get(ticket);
      if (wish) hear(counting, wish, placed);
    },
    full(place, isFull) {
      if (isFull) counting.fullOnes.add(place);
      else counting.fullOnes.delete(place);
    },
  };
}
