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

/** What the pieces below share. */
interface Giving {
  readonly ports: PlacesPorts;
  /** What each worker wants or has, by ticket. */
  readonly workers: Map<number, Map<number, Held>>;
  /** Places of which workers were told that they are full. */
  readonly full: Set<string>;
}

const nextTurn = (): Promise<undefined> => new Promise((resolve) => setImmediate(resolve, undefined));

function heldBy({ workers }: Giving, worker: number): Map<number, Held> {
  const known = workers.get(worker);
  if (known) return known;
  const held = new Map<number, Held>();
  workers.set(worker, held);
  return held;
}

/** Tells workers where a place has become full, or is no longer. */
function tellFull({ ports, full }: Giving, { place, limit }: PlaceWish): void {
  const isFull = ports.slots.isFull(place, limit);
  if (isFull === full.has(place)) return;
  if (isFull) full.add(place);
  else full.delete(place);
  ports.onFull(place, isFull);
}

/** Waits for the place; keeps it for its worker where that still wants it. */
async function takeFor(giving: Giving, worker: number, wish: PlaceWish): Promise<Placed> {
  const { ticket, ...wanting } = wish;
  const held = heldBy(giving, worker);
  const goners: (() => void)[] = [];
  const mine: Held = { leave: () => goners.forEach((tell) => tell()) };
  held.set(ticket, mine);
  try {
    const release = await giving.ports.slots.take({ ...wanting, sink: { onGone: (tell) => goners.push(tell) } });
    if (release && held.get(ticket) === mine) {
      mine.release = () => {
        release();
        tellFull(giving, wish);
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
    tellFull(giving, wish);
  }
}

/** Gives what becomes of a wish where this turn shows it; else it is told later. */
async function startTaking(giving: Giving, worker: number, wish: PlaceWish): ReturnType<Places['take']> {
  let isWaiting = false;
  const coming = takeFor(giving, worker, wish).then((outcome) => {
    if (isWaiting) giving.ports.onPlaced(worker, wish.ticket, outcome);
    return outcome;
  });
  const first = await Promise.race([coming, nextTurn()]);
  if (first) return first;
  isWaiting = true;
  tellFull(giving, wish);
  return { state: 'waiting' };
}

/** Gives the place back, or stops waiting for it. */
const end = (held: Held): void => (held.release ?? held.leave)();

/** Gives out places to several workers. */
export function createPlaces(ports: PlacesPorts): Places {
  const giving: Giving = { ports, workers: new Map(), full: new Set() };
  const { workers, full } = giving;
  return {
    take: (worker, wish) => startTaking(giving, worker, wish),
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
