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
/** It ends a wait itself; longer than that is waited for nobody's word. */
const LATE_MS = 31_000;

const noShare = ({ title, limit }: Wanting): GatewayError =>
  new GatewayError(
    gatewayFault('overloaded', `${title} takes ${limit} calls at once ('concurrency'), and how many it has cannot be told just now`, {
      code: 'concurrency_full',
      retryAfterMs: 2000,
    }),
  );

/**
 * Places that the primary counts for all workers. While it does not answer, a worker goes by its own share of the limit, less what it
 * holds already, so that all of them together stay within it as soon as what was unevenly held has ended.
 */
export function createRemoteSlots({ link, number, count }: RemoteSlotsPorts): RemoteSlots {
  const alone = createSlots();
  const fullOnes = new Set<string>();
  /** Places of the primary's that are held here, by their names. */
  const held = new Map<string, number>();
  const waiting = new Map<number, (placed: Placed) => void>();
  let lastTicket = 0;

  const tally = (place: string, by: number): void => {
    const now = (held.get(place) ?? 0) + by;
    if (now > 0) held.set(place, now);
    else held.delete(place);
  };
  const shareOf = ({ place, limit }: Wanting): number => {
    const share = Math.floor(limit / count) + (number <= limit % count ? 1 : 0);
    return share - (held.get(place) ?? 0);
  };
  const releaseOf = (ticket: number, place: string): Release => {
    let isHeld = true;
    tally(place, 1);
    return () => {
      if (!isHeld) return;
      isHeld = false;
      tally(place, -1);
      link.tell('release', ticket);
    };
  };
  const come = (placed: Placed, ticket: number, { place }: Wanting): Release | undefined => {
    if (placed.state === 'refused') throw new GatewayError(placed.fault);
    return placed.state === 'granted' ? releaseOf(ticket, place) : undefined;
  };
  const takeAlone = (wanting: Wanting): Promise<Release | undefined> => {
    const limit = shareOf(wanting);
    if (limit <= 0) throw noShare(wanting);
    return alone.take({ ...wanting, limit });
  };
  /** Listens for the primary's last word on a wish, which may come before it is waited for. */
  const listen = (ticket: number, wanting: Wanting) => {
    let settle: ((placed: Placed | 'late') => void) | undefined;
    let word: Placed | undefined;
    const hear = (placed: Placed): void => {
      waiting.delete(ticket);
      word = placed;
      settle?.(placed);
    };
    waiting.set(ticket, hear);
    wanting.sink.onGone(() => {
      if (!waiting.has(ticket)) return;
      link.tell('release', ticket);
      hear({ state: 'left' });
    });
    return {
      async outcome(): Promise<Release | undefined> {
        const placed =
          word ??
          (await new Promise<Placed | 'late'>((resolve) => {
            const late = setTimeout(resolve, LATE_MS, 'late');
            settle = (one) => {
              clearTimeout(late);
              resolve(one);
            };
          }));
        if (placed !== 'late') return come(placed, ticket, wanting);
        waiting.delete(ticket);
        link.tell('release', ticket);
        throw noShare(wanting);
      },
      stop: () => void waiting.delete(ticket),
    };
  };

  return {
    isFull: (place, limit) => limit !== undefined && fullOnes.has(place),
    async take(wanting) {
      const { sink: _sink, ...wish } = wanting;
      lastTicket += 1;
      const ticket = lastTicket;
      const last = listen(ticket, wanting);
      try {
        const first = await link.ask('take', { ticket, ...wish }, ANSWER_MS);
        if (first.state === 'waiting') return await last.outcome();
        last.stop();
        return come(first, ticket, wanting);
      } catch (error) {
        last.stop();
        if (!(error instanceof Silence)) throw error;
        // It may be given later, to nobody.
        link.tell('release', ticket);
        return takeAlone(wanting);
      }
    },
    placed: (ticket, placed) => waiting.get(ticket)?.(placed),
    full(place, isFull) {
      if (isFull) fullOnes.add(place);
      else fullOnes.delete(place);
    },
  };
}
