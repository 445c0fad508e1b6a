// A server on whose port nobody answers: it is stopped, its queue is full, and the system drops who knocks.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A port that takes no connection, and does not refuse any. */
export interface Deaf {
  readonly url: string;
  close(): Promise<void>;
}

if (process.send && process.argv[2] === 'deaf') {
  const server = createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => process.send?.((server.address() as AddressInfo).port));
}

/** Starts one, in a process of its own. */
export async function startDeaf(): Promise<Deaf> {
  const child = fork(import.meta.filename, ['deaf']);
  const [port] = (await once(child, 'message')) as [number];
  child.kill('SIGSTOP');
  const waiting: Socket[] = [];
  for (let isOpen = true; isOpen && waiting.length < 64;) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    waiting.push(socket);
    isOpen = await Promise.race([once(socket, 'connect').then(() => true), sleep(300, false)]);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      for (const socket of waiting) socket.destroy();
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
