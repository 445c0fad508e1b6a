import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What waits to be sent to a client before whoever writes is asked to wait, in bytes: the system holds much more besides. */
export const UNSENT_BYTES = 4 * 1024;

/** One port, listened to. */
export interface Listeners {
  readonly port: number;
  /** Others may listen to the same port: the system gives each a part of what comes. */
  readonly isShared: boolean;
  /** Nothing comes in any more; what has come in stays. */
  close(): void;
}

/** How a port is listened to. */
export interface Listening {
  /** How often. */
  readonly many?: number;
  /** Another process has the port already, and shares it with this one. */
  readonly isClaimed?: boolean;
  /** Nothing is read of a connection: another process will. */
  readonly pauseOnConnect?: boolean;
}

/**
 * A listener takes one connection a turn of the event loop (libuv, since 1.49). A server with much to do has long turns, so that a
 * crowd of new clients would wait in the system's queue where nobody can refuse them, until the system throws them away. With so
 * many listeners on the port so many are taken a turn.
 */
const COUNT = 16;
/** Connections that wait in each; the system may allow fewer. */
const BACKLOG = 1024;

/** Where one listens. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

function listen(server: Server, { host, port }: Place, isShared: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG, ...(isShared ? { reusePort: true } : {}) }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Rejects where the port is not free: those who share one would not be told. */
async function findFree(server: Server, place: Place): Promise<void> {
  await listen(server, place, false);
  await new Promise((resolve) => void server.close(resolve));
}

/** Whether a port may be listened to several times: on Linux, FreeBSD and others, and not on macOS and Windows. */
const cannotShare = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOTSUP' || error.code === 'EINVAL' || error.code === 'ENOPROTOOPT');

/**
 * Listens, and gives each connection to `onSocket`, as a server for HTTP wants it. Rejects with the system's error, such as that of
 * a port that is taken: by another program, or by another one of these.
 */
export async function openListeners(
  { host: named, port }: Place,
  onSocket: (socket: Socket) => void,
  { many = COUNT, isClaimed = false, pauseOnConnect = false }: Listening = {},
): Promise<Listeners> {
  const host = named.replace(/^\[(.*)\]$/, '$1');
  const make = (): Server => createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: UNSENT_BYTES, pauseOnConnect }, onSocket);
  if (port !== 0 && !isClaimed) await findFree(make(), { host, port });
  const servers: Server[] = [];
  const close = (): void => {
    for (const server of servers) server.close();
  };
  try {
    let shared = port;
    while (servers.length < many) {
      const server = make();
      shared = await listen(server, { host, port: shared }, true);
      servers.push(server);
    }
    return { port: shared, isShared: true, close };
  } catch (error) {
    close();
    if (isClaimed || !cannotShare(error)) throw error;
    const only = make();
    return { port: await listen(only, { host, port }, false), isShared: false, close: () => void only.close() };
  }
}
