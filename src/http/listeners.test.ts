import { once } from 'node:events';
import { connect, createServer, Server, type AddressInfo, type ListenOptions, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Listening, openListeners } from './listeners.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
  vi.restoreAllMocks();
});

const open = async (port: number, onSocket: (socket: Socket) => void = () => undefined, how?: Listening) => {
  const listeners = await openListeners({ host: '127.0.0.1', port }, onSocket, how);
  ends.push(listeners.close);
  return listeners;
};

function connectTo(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  ends.push(() => void socket.destroy());
  return socket;
}

/** A port that another program has, for itself. */
async function takenPort(): Promise<number> {
  const other = createServer().listen(0, '127.0.0.1');
  ends.push(() => void other.close());
  await once(other, 'listening');
  return (other.address() as AddressInfo).port;
}

/** Those that came in, and what takes them. */
function guests() {
  const sockets: Socket[] = [];
  const take = (socket: Socket): void => {
    sockets.push(socket);
    ends.push(() => void socket.destroy());
  };
  return { sockets, take };
}

it('does not share a port with another program, nor with another of its kind', async () => {
  await expect(open(await takenPort())).rejects.toMatchObject({ code: 'EADDRINUSE' });
  const { port } = await open(0);
  await expect(open(port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

it('takes no more once it is closed, and keeps what it has', async () => {
  const sockets: Socket[] = [];
  const listeners = await open(0, (socket) => void sockets.push(socket));
  const early = connectTo(listeners.port);
  await expect.poll(() => sockets.length).toBe(1);
  listeners.close();
  const [error] = (await once(connectTo(listeners.port), 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
  early.write('still here');
  const [bytes] = (await once(sockets[0] as Socket, 'data')) as [Buffer];
  expect(bytes.toString()).toBe('still here');
});

/** The servers that listen from now on, as long as they do. `refuses`: what the system says where a port is to be shared. */
function watchServers(refuses?: string): ReadonlySet<Server> {
  const listening = new Set<Server>();
  const { listen } = Server.prototype;
  vi.spyOn(Server.prototype, 'listen').mockImplementation(function watched(this: Server, ...asked: unknown[]) {
    const [{ reusePort }] = asked as [ListenOptions];
    if (reusePort && refuses) {
      setImmediate(() => this.emit('error', Object.assign(new Error(`listen ${refuses}`), { code: refuses, syscall: 'listen' })));
      return this;
    }
    this.on('listening', () => listening.add(this)).on('close', () => listening.delete(this));
    return Reflect.apply(listen, this, asked) as Server;
  });
  return listening;
}

// macOS and Windows share none.
describe.runIf(process.platform === 'linux')('a port that is shared', () => {
  it('has sixteen listeners, and all that come to it are taken', async () => {
    const listening = watchServers();
    const { sockets, take } = guests();
    const { port, isShared } = await open(0, take);
    expect(isShared).toBe(true);
    expect(listening.size).toBe(16);
    const clients = Array.from({ length: 64 }, () => connectTo(port));
    await expect.poll(() => sockets.length).toBe(clients.length);
  });

  it('takes many connections in one turn of the event loop', async () => {
    const { sockets, take } = guests();
    const { port } = await open(0, take);
    // The system answers for it: all have come before it looks.
    const clients = Array.from({ length: 96 }, () => connectTo(port));
    for (const client of clients) client.on('error', () => undefined);
    let turns = 0;
    for (; sockets.length < clients.length && turns < 1000; turns++) await nextTurn();
    expect(sockets).toHaveLength(clients.length);
    expect(turns).toBeLessThan(clients.length / 2);
  });

  it('is joined by one who is told that it is, and each takes a part of what comes', async () => {
    const [first, second] = [guests(), guests()];
    const { port } = await open(0, first.take);
    expect(await open(port, second.take, { isClaimed: true })).toMatchObject({ port, isShared: true });
    const clients = Array.from({ length: 128 }, () => connectTo(port));
    await expect.poll(() => first.sockets.length + second.sockets.length).toBe(clients.length);
    expect(first.sockets.length).toBeGreaterThan(0);
    expect(second.sockets.length).toBeGreaterThan(0);
  });

  it('is not joined where another program has it for itself', async () => {
    await expect(open(await takenPort(), undefined, { isClaimed: true })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe.each(['ENOTSUP', 'EINVAL', 'ENOPROTOOPT'])('where the system lets no port be shared (%s)', (code) => {
  let listening: ReadonlySet<Server>;
  beforeEach(() => {
    listening = watchServers(code);
  });

  it('one listens, to a port that is free or to one that is named', async () => {
    const free = await open(0);
    expect(free.isShared).toBe(false);
    expect(listening.size).toBe(1);
    free.close();
    await expect.poll(() => listening.size).toBe(0);
    const { sockets, take } = guests();
    expect(await open(free.port, take)).toMatchObject({ port: free.port, isShared: false });
    expect(listening.size).toBe(1);
    const clients = Array.from({ length: 8 }, () => connectTo(free.port));
    await expect.poll(() => sockets.length).toBe(clients.length);
  });

  it('a port that is taken is told', async () => {
    await expect(open(await takenPort())).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const { port } = await open(0);
    await expect(open(port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('none joins another', async () => {
    await expect(open((await open(0)).port, undefined, { isClaimed: true })).rejects.toMatchObject({ code });
  });
});

it('any other failure is told', async () => {
  watchServers('EACCES');
  await expect(open(0)).rejects.toMatchObject({ code: 'EACCES' });
});
