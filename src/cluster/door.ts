import type { Socket } from 'node:net';
import type { Listeners, openListeners, Place } from '../http/listeners.ts';

/** A worker, as connections are given to it. */
export interface Guest {
  /** Hands a connection over; calls back with an error where that cannot be. */
  readonly give: (socket: Socket, onGiven: (error: Error | null) => void) => void;
  /** Has so many of its connections come again. */
  readonly thin: (many: number) => void;
}

/** What a worker says of its connections. */
export interface Taken {
  /** Those that it has. */
  readonly open: number;
  /** Those that it was ever given. */
  readonly taken: number;
}

/** The port, and who takes what comes to it. */
export interface Door extends Pick<Listeners, 'isShared'> {
  readonly place: Place;
  open(number: number, guest: Guest): void;
  /** A worker is gone. */
  shut(number: number): void;
  /** What a worker has by its own word. */
  heard(number: number, taken: Taken): void;
  /** Nothing comes in any more. */
  close(): void;
}

/** Connections that wait while no worker is there; more are refused. */
const MAX_HELD = 1000;
/** A worker with so many more than an equal part, as a share of that and at least one, has too many. */
const UNEVEN = { share: 0.05, least: 1 };
/** One that has not taken so many is busy with something else: others come first. */
const MAX_UNHEARD = 64;

interface Guesthouse {
  readonly guest: Guest;
  open: number;
  taken: number;
  given: number;
  /** When it was given one the last time, as a count of all. */
  lastAt: number;
  /** Those that it was told to have come again. */
  excess: number;
  /** Given, and not on their way to it yet. */
  readonly pending: Set<Socket>;
}

/** Those that it has, as far as can be known here. */
const loadOf = ({ open, given, taken }: Guesthouse): number => open + given - taken;

/** Who has fewest; of those, who has waited longest. */
function nextOf(all: Iterable<Guesthouse>): Guesthouse | undefined {
  let best: Guesthouse | undefined;
  const rank = (one: Guesthouse): number => loadOf(one) + (one.given - one.taken > MAX_UNHEARD ? 1e9 : 0);
  for (const one of all) if (!best || rank(one) < rank(best) || (rank(one) === rank(best) && one.lastAt < best.lastAt)) best = one;
  return best;
}

/** How many a worker has too many, beside the others. */
function excessOf(one: Guesthouse, all: ReadonlyMap<number, Guesthouse>): number {
  let sum = 0;
  for (const each of all.values()) sum += loadOf(each);
  const part = sum / all.size;
  const excess = loadOf(one) - part;
  return excess >= Math.max(UNEVEN.least, part * UNEVEN.share) ? Math.floor(excess) : 0;
}

/** What the pieces below share. */
interface Receiving {
  readonly guests: Map<number, Guesthouse>;
  /** Those that came while nobody was there to take them. */
  held: Socket[];
  /** Connections that were handed over until now. */
  count: number;
}

/** Hands a connection to who has fewest; holds it where there is nobody. */
function give(receiving: Receiving, socket: Socket): void {
  const { guests, held } = receiving;
  const to = nextOf(guests.values());
  if (!to) {
    if (held.length < MAX_HELD) held.push(socket);
    else socket.destroy();
    return;
  }
  receiving.count += 1;
  to.given += 1;
  to.lastAt = receiving.count;
  to.pending.add(socket);
  to.guest.give(socket, (error) => {
    // Where it is gone, `shut` gives them to others.
    if (!error) to.pending.delete(socket);
  });
}

/** Tells those that have too many, beside the others, to let some go. */
function evenOut(guests: ReadonlyMap<number, Guesthouse>, reporter: Guesthouse): void {
  for (const each of guests.values()) {
    const excess = excessOf(each, guests);
    // Who reports has let some go since; the others know what they were told.
    if (excess !== each.excess || (each === reporter && excess > 0)) each.guest.thin(excess);
    each.excess = excess;
  }
}

/** Those that were held, which are held no more. */
function takeHeld(receiving: Receiving): readonly Socket[] {
  const { held } = receiving;
  receiving.held = [];
  return held;
}

/**
 * Listens, and hands each connection, of which nothing was read, to the worker that has fewest. Where the system lets a port be shared the
 * workers listen as well, so that few come this way, which costs a tenth of a millisecond each. The system splits them by the hash of
 * their addresses (20 connections 13 to 7 as often as not), so a worker that has too many asks some to come again. Rejects with the
 * system's error.
 */
export async function openDoor(place: Place, listen: typeof openListeners): Promise<Door> {
  const receiving: Receiving = { guests: new Map(), held: [], count: 0 };
  const { guests } = receiving;
  const onSocket = (socket: Socket): void => {
    // It may go before it is handed over.
    socket.on('error', () => socket.destroy());
    give(receiving, socket);
  };
  const { port, isShared, close } = await listen(place, onSocket, { many: 1, pauseOnConnect: true });
  return {
    place: { ...place, port },
    isShared,
    open(number, guest) {
      guests.set(number, { guest, open: 0, taken: 0, given: 0, lastAt: 0, excess: 0, pending: new Set() });
      for (const socket of takeHeld(receiving)) give(receiving, socket);
    },
    shut(number) {
      const pending = guests.get(number)?.pending ?? [];
      guests.delete(number);
      for (const socket of pending) if (!socket.destroyed) give(receiving, socket);
    },
    heard(number, { open, taken }) {
      const one = guests.get(number);
      if (!one) return;
      Object.assign(one, { open, taken });
      if (isShared) evenOut(guests, one);
    },
    close() {
      close();
      for (const socket of takeHeld(receiving)) socket.destroy();
    },
  };
}
