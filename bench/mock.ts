// The upstream: answers from memory on raw sockets, so that it costs little beside what is measured. A process of its own.
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { chatReply, embeddingsReply, EVENTS, STREAMS, type StreamName } from './payloads.ts';

const json = (body: string): Buffer =>
  Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n';
const END = '0\r\n\r\n';

const chat = json(chatReply());
const embeddings = json(embeddingsReply());
const streams = new Map<string, readonly Buffer[]>();

function stream(protocol: keyof typeof EVENTS, name: StreamName): readonly Buffer[] {
  const key = `${protocol} ${name}`;
  let made = streams.get(key);
  if (!made) {
    const { chunks, delayMs } = STREAMS[name];
    const events = EVENTS[protocol](chunks).map(chunk);
    made =
      delayMs === 0
        ? [Buffer.from(HEAD + events.join('') + END)]
        : [HEAD, ...events.slice(0, -1), `${events.at(-1) ?? ''}${END}`].map((text) => Buffer.from(text));
    streams.set(key, made);
  }
  return made;
}

function play(socket: Socket, pieces: readonly Buffer[], delayMs: number): void {
  let at = 0;
  const next = (): void => {
    const piece = pieces[at++];
    if (piece && !socket.destroyed) socket.write(piece);
    if (at >= pieces.length || socket.destroyed) clearInterval(timer);
  };
  const timer = setInterval(next, delayMs);
  next();
}

function answer(socket: Socket, path: string, body: string): void {
  if (path.includes('/embeddings')) return void socket.write(embeddings);
  const name = /bench-(burst|paced|slow)/.exec(path)?.[1] ?? /"model": ?"[^"]*bench-(burst|paced|slow)/.exec(body)?.[1];
  if (name === undefined) return void socket.write(chat);
  const protocol = path.includes('/messages') ? 'messages' : path.includes(':streamGenerateContent') ? 'gemini' : 'chat';
  play(socket, stream(protocol, name as StreamName), STREAMS[name as StreamName].delayMs || 1);
}

const server = createServer({ noDelay: true }, (socket) => {
  let pending: Buffer = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes) => {
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    for (;;) {
      const head = pending.indexOf('\r\n\r\n');
      if (head < 0) return;
      const text = pending.toString('latin1', 0, head);
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (pending.length < head + 4 + length) return;
      answer(socket, text.slice(0, text.indexOf('\r\n')), pending.toString('latin1', head + 4, head + 4 + length));
      pending = pending.subarray(head + 4 + length);
    }
  });
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
