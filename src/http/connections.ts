import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A client's connection, with the answers that are under way on it (several where it pipelines), the first one first. */
interface Connection {
  readonly open: ServerResponse[];
  /** WebSockets are counted, too. */
  upgraded: boolean;
}

/** Nothing is under way on it. */
export const isIdle = ({ open, upgraded }: Connection): boolean => open.length === 0 && !upgraded;

function* requestsOn(connections: Iterable<Connection>): Iterable<IncomingMessage> {
  for (const { open } of connections) for (const { req } of open) yield req;
}

/**
 * Who is connected, and what runs. A set of the answers under way would be simpler, but a set that much is added to and
 * taken from keeps what it held alive until the next large collection: a third of all memory that calls use.
 */
export function createConnections() {
  const sockets = new Map<Socket, Connection>();
  let active = 0;
  /** So many of the next ones to be answered are to come again. */
  let toLeave = 0;
  let whenEmpty = (): void => undefined;
  const connected = (socket: Socket): Connection => {
    const known = sockets.get(socket);
    if (known) return known;
    const connection: Connection = { open: [], upgraded: false };
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
    /**
     * Whether another one may come where there may be so many: of more than that, the oldest goes that nothing is under way on. Whoever has
     * opened many and asks nothing keeps out nobody.
     */
    makeRoom(most: number): boolean {
      if (sockets.size < most) return true;
      for (const [socket, connection] of sockets) {
        if (!isIdle(connection)) continue;
        sockets.delete(socket);
        socket.destroy();
        return true;
      }
      return false;
    },
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
        if (isIdle(connection)) onIdle(socket);
      });
    },
  };
}

/** The connections of one server. */
export type Connections = ReturnType<typeof createConnections>;
