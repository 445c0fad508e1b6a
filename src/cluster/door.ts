import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A worker, as connections are given to it. */
export interface Guest {
  /** Hands a connection over; calls back with an error where that cannot be. */
  readonly give: (socket: Socket, onGiven: (error: Error | null) => void) => void;
}

/** What a worker says of its connections. */
export interface Taken {
  /** Those that it has. */
  readonly open: number;
  /** Those that it was ever given. */
  readonly taken: number;
}

/** The port, and who takes what comes to it. */
export interface Door {
  readonly port: number;
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
/** One that has not taken so many is busy with something else: others come first. */
const MAX_UNHEARD = 64;

interface Guesthouse {
  readonly guest: Guest;
  open: number;
  taken: number;
  given: number;
  /** When it was given one the last time, as a count of all. */
  lastAt: number;
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

/**
 * Listens, and hands each connection, of which nothing was read, to the worker that has fewest. Measured against leaving it to the kernel
 * (by the hash of addresses, 20 connections split 13 to 7 as often as not) and to Node's own round robin (which gives a worker that is
 * slow for a moment fewer for as long as the others' connections last). Rejects with the system's error.
 */
export function openDoor({ host, port }: { readonly host: string; readonly port: number }): Promise<Door> {
  const guests = new Map<number, Guesthouse>();
  let held: Socket[] = [];
  let count = 0;

  const give = (socket: Socket): void => {
    const to = nextOf(guests.values());
    if (!to) {
      if (held.length < MAX_HELD) held.push(socket);
      else socket.destroy();
      return;
    }
    count += 1;
    to.given += 1;
    to.lastAt = count;
    to.pending.add(socket);
    to.guest.give(socket, (error) => {
      // Where it is gone, `shut` gives them to others.
      if (!error) to.pending.delete(socket);
    });
  };
  const shut = (number: number): void => {
    const pending = guests.get(number)?.pending ?? [];
    guests.delete(number);
    for (const socket of pending) if (!socket.destroyed) give(socket);
  };
  const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    // It may go before it is handed over.
    socket.on('error', () => socket.destroy());
    give(socket);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host.replace(/^\[(.*)\]$/, '$1'), () => {
      server.off('error', reject);
      resolve({
        port: (server.address() as AddressInfo).port,
        open(number, guest) {
          guests.set(number, { guest, open: 0, taken: 0, given: 0, lastAt: 0, pending: new Set() });
          const waiting = held;
          held = [];
          for (const socket of waiting) give(socket);
        },
        shut,
        heard(number, { open, taken }) {
          const one = guests.get(number);
          if (one) Object.assign(one, { open, taken });
        },
        close() {
          server.close();
          for (const socket of held) socket.destroy();
          held = [];
        },
      });
    });
  });
}
