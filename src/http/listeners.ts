import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { UNSENT_BYTES } from './http-server.ts';

/** One port, listened to. */
export interface Listeners {
  readonly port: number;
  /** Nothing comes in any more; what has come in stays. */
  close(): void;
}

/**
 * A listener takes one connection a turn of the event loop (libuv, since 1.49). A server with much to do has long turns, so that a
 * crowd of new clients would wait in the system's queue where nobody can refuse them, until the system throws them away. With so
 * many listeners on the port so many are taken a turn.
 */
const COUNT = 16;
/** Connections that wait in each; the system may allow fewer. */
const BACKLOG = 1024;

interface Place {
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
export async function openListeners({ host: named, port }: Place, onSocket: (socket: Socket) => void): Promise<Listeners> {
  const host = named.replace(/^\[(.*)\]$/, '$1');
  const make = (): Server => createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: UNSENT_BYTES }, onSocket);
  if (port !== 0) await findFree(make(), { host, port });
  const servers: Server[] = [];
  const close = (): void => {
    for (const server of servers) server.close();
  };
  try {
    let shared = port;
    while (servers.length < COUNT) {
      const server = make();
      shared = await listen(server, { host, port: shared }, true);
      servers.push(server);
    }
    return { port: shared, close };
  } catch (error) {
    close();
    if (!cannotShare(error)) throw error;
    const only = make();
    return { port: await listen(only, { host, port }, false), close: () => void only.close() };
  }
}
