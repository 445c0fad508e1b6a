import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { openListeners } from './listeners.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const open = async (port: number, onSocket: (socket: Socket) => void = () => undefined) => {
  const listeners = await openListeners({ host: '127.0.0.1', port }, onSocket);
  ends.push(listeners.close);
  return listeners;
};

function connectTo(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  ends.push(() => void socket.destroy());
  return socket;
}

it('takes many connections in one turn of the event loop', async () => {
  let taken = 0;
  const { port } = await open(0, (socket) => {
    taken++;
    ends.push(() => void socket.destroy());
  });
  // The system answers for it: all have come before it looks.
  const clients = Array.from({ length: 96 }, () => connectTo(port));
  for (const client of clients) client.on('error', () => undefined);
  let turns = 0;
  for (; taken < clients.length && turns < 1000; turns++) await nextTurn();
  expect(taken).toBe(clients.length);
  expect(turns).toBeLessThan(clients.length / 2);
});

it('does not share a port with another program, nor with another of its kind', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  ends.push(() => void other.close());
  await once(other, 'listening');
  await expect(open((other.address() as AddressInfo).port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
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
