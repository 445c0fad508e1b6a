// One of several processes of a server (`server.workers`): started by the primary, which tells it what to do and watches over it.
import type { Socket } from 'node:net';
import { homedir } from 'node:os';
import type { Message } from './cluster/messages.ts';
import { keepCompiled } from './compile-cache.ts';

const compiled = keepCompiled(process.env, homedir());
const [{ createServe }, { runWorker }] = await Promise.all([import('./serve.ts'), import('./cluster/worker.ts')]);

for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

// Nobody would end it.
process.on('disconnect', () => process.exit(0));

// A terminal and a service manager send them to all processes: the primary says when to end. Where that is gone, so is this.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const { env, stderr } = process;
runWorker(
  {
    send: (message, onSent) => void process.send?.(message, undefined, undefined, onSent),
    onMessage: (receive) => void process.on('message', (message: Message, socket) => receive(message, socket as Socket | undefined)),
    exit: () => process.exit(0),
  },
  (order, peers) => createServe({ env, writeLog: (line) => stderr.write(line), onSettled: compiled.flush, peers })(order),
);
