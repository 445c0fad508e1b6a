import { GatewayError } from '../ir/index.ts';
import type { Release, Slots } from '../exchange/trying/slots.ts';
import type { PlaceWish, Placed } from './messages.ts';

/** Places at providers as the primary gives them to workers: all of them count together, and wait in one line. */
export interface Places {
  /** `waiting`: what becomes of it is told later. */
  take(worker: number, wish: PlaceWish): Promise<Placed | { readonly state: 'waiting' }>;
  release(worker: number, ticket: number): void;
  /** Those at which a call would have to wait. */
  full(): Iterable<string>;
  /** A worker has ended: its places are free, and it waits for none. */
  left(worker: number): void;
}

/** Who is told. */
export interface PlacesPorts {
  readonly slots: Slots;
  readonly onPlaced: (worker: number, ticket: number, placed: Placed) => void;
  readonly onFull: (place: string, isFull: boolean) => void;
}

/** A wish or a place, as one of a worker's. */
interface Held {
  release?: Release;
  readonly leave: () => void;
}

const nextTurn = (): Promise<undefined> => new Promise((resolve) => setImmediate(resolve, undefined));

/** Gives out places to several workers. */
export function createPlaces({ slots, onPlaced, onFull }: PlacesPorts): Places {
  const workers = new Map<number, Map<number, Held>>();
  const full = new Set<string>();

  const heldBy = (worker: number): Map<number, Held> => {
    const known = workers.get(worker);
    if (known) return known;
    const held = new Map<number, Held>();
    workers.set(worker, held);
    return held;
  };
  const tellFull = ({ place, limit }: PlaceWish): void => {
    const isFull = slots.isFull(place, limit);
    if (isFull === full.has(place)) return;
    if (isFull) full.add(place);
    else full.delete(place);
    onFull(place, isFull);
  };
  /** Waits for the place; keeps it for its worker where that still wants it. */
  const placed = async (worker: number, wish: PlaceWish): Promise<Placed> => {
    const { ticket, ...wanting } = wish;
    const held = heldBy(worker);
    const goners: (() => void)[] = [];
    const mine: Held = { leave: () => goners.forEach((tell) => tell()) };
    held.set(ticket, mine);
    try {
      const release = await slots.take({ ...wanting, sink: { onGone: (tell) => goners.push(tell) } });
      if (release && held.get(ticket) === mine) {
        mine.release = () => {
          release();
          tellFull(wish);
        };
        return { state: 'granted' };
      }
      release?.();
      return { state: 'left' };
    } catch (error) {
      held.delete(ticket);
      if (error instanceof GatewayError) return { state: 'refused', fault: error.fault };
      throw error;
    } finally {
      tellFull(wish);
    }
  };
  const end = (held: Held): void => (held.release ?? held.leave)();

  return {
    async take(worker, wish) {
      let isWaiting = false;
      const coming = placed(worker, wish).then((outcome) => {
        if (isWaiting) onPlaced(worker, wish.ticket, outcome);
        return outcome;
      });
      const first = await Promise.race([coming, nextTurn()]);
      if (first) return first;
      isWaiting = true;
      tellFull(wish);
      return { state: 'waiting' };
    },
    release(worker, ticket) {
      const held = workers.get(worker);
      const one = held?.get(ticket);
      if (!one) return;
      held?.delete(ticket);
      end(one);
    },
    full: () => full.keys(),
    left(worker) {
      const held = workers.get(worker);
      workers.delete(worker);
      for (const one of held?.values() ?? []) end(one);
    },
  };
}
