import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A client's connection, with the answers that are under way on it (several where it pipelines), the first one first. */
interface Connection {
  readonly socket: Socket;
  readonly open: ServerResponse[];
  /** WebSockets are counted, too. */
  upgraded: boolean;
  /** Since when nothing is under way on it, where that is so: monotonic milliseconds. */
  idleSince: number;
  /** It came when there was no room: nothing but health is answered on it until there is. */
  isExtra: boolean;
}

/** Whoever has just come, or been answered, is about to ask: closed then, it would be reset. */
const IDLE_MS = 1000;
/** Of those that may be there, so many of the idle ones go at once where there are more … */
const GOING_SHARE = 1 / 100;
/** … and where none could go, it is not looked for again before that. */
const LOOK_AGAIN_MS = 100;
/** So many more are let in to be told that there is no room, or that the server lives. */
const EXTRA = 256;

/** Nothing is under way on it. */
export const isIdle = ({ open, upgraded }: Connection): boolean => open.length === 0 && !upgraded;

function* requestsOn(connections: Iterable<Connection>): Iterable<IncomingMessage> {
  for (const { open } of connections) for (const { req } of open) yield req;
}

/** Room for those that come: who has been idle for longest goes. */
function createRoom(sockets: Map<Socket, Connection>, monotonic: () => number) {
  /** How many may be there, and when no idle one was found. */
  let most = Infinity;
  let lookedAt = -Infinity;
  return {
    /**
     * Whether another one may come where there may be so many. Where there are, those go that have been idle longest: whoever has opened many
     * and asks nothing keeps out nobody.
     */
    makeRoom(limit: number): boolean {
      most = limit;
      const now = monotonic();
      if (sockets.size < most) return true;
      if (now - lookedAt < LOOK_AGAIN_MS) return false;
      const idle = [...sockets.values()].filter((one) => isIdle(one) && now - one.idleSince >= IDLE_MS);
      idle.sort((a, b) => a.idleSince - b.idleSince);
      for (const { socket } of idle.slice(0, sockets.size - most + Math.ceil(most * GOING_SHARE))) {
        sockets.delete(socket);
        socket.destroy();
      }
      const isRoom = sockets.size < most;
      if (!isRoom) lookedAt = now;
      return isRoom;
    },
    /** Whether one may come although there is no room. */
    mayBeExtra: (): boolean => sockets.size < most + EXTRA,
    /** Whether a connection has no place. */
    isBeyond(socket: Socket): boolean {
      const connection = sockets.get(socket);
      if (!connection?.isExtra) return false;
      connection.isExtra = sockets.size > most;
      return connection.isExtra;
    },
  };
}

/**
 * Who is connected, and what runs. A set of the answers under way would be simpler, but a set that much is added to and
 * taken from keeps what it held alive until the next large collection: a third of all memory that calls use.
 */
export function createConnections(monotonic: () => number = () => performance.now()) {
  const sockets = new Map<Socket, Connection>();
  let active = 0;
  /** So many of the next ones to be answered are to come again. */
  let toLeave = 0;
  let whenEmpty = (): void => undefined;
  const connected = (socket: Socket): Connection => {
    const known = sockets.get(socket);
    if (known) return known;
    const connection: Connection = { socket, open: [], upgraded: false, idleSince: monotonic(), isExtra: false };
    sockets.set(socket, connection);
    socket.on('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0) whenEmpty();
    });
    return connection;
  };
  return {
    sockets,
    connected,
    /** The requests under way, those whose bodies are still to come among them. */
    requests: (): Iterable<IncomingMessage> => requestsOn(sockets.values()),
    get active() {
      return active;
    },
    /** Calls when there are none, at once where that is so. */
    onEmpty(call: () => void): void {
      if (sockets.size === 0) call();
      else whenEmpty = call;
    },
    ...createRoom(sockets, monotonic),
    /** Asks so many of them, of those that are asked anything next, to come again: to another process, perhaps. */
    thin(many: number): void {
      toLeave = many;
    },
    /** Whether the one that is answered now is to come again; told once for each. */
    mustLeave(): boolean {
      if (toLeave === 0) return false;
      toLeave--;
      return true;
    },
    /** An answer is under way; `onIdle` comes when it has ended and nothing else is under way on its connection. */
    began(socket: Socket, response: ServerResponse, onIdle: (socket: Socket) => void): void {
      const connection = connected(socket);
      connection.open.push(response);
      active++;
      response.on('close', () => {
        active--;
        connection.open.splice(connection.open.indexOf(response), 1);
        if (!isIdle(connection)) return;
        connection.idleSince = monotonic();
        onIdle(socket);
      });
    },
  };
}

/** The connections of one server. */
export type Connections = ReturnType<typeof createConnections>;
