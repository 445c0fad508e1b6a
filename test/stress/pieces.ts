// An upstream in a process of its own that costs little: `node pieces.ts EVENTS PIECES GAP_MS`. Streams of so many events, made once,
// written in so many pieces; the last one says how long all took, in milliseconds: `@512.345@`.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const [events = 1000, pieces = 20, gapMs = 20] = process.argv.slice(2).map(Number);

const chunk = (content: string, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;

const PIECE = Buffer.from(chunk('t ').repeat(Math.ceil(events / pieces)));
const END = `${chunk('', 'stop')}data: [DONE]\n\n`;

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume();
  // Lists of models: there is none.
  if (request.method === 'GET') return void response.writeHead(404).end();
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const began = performance.now();
  let left = pieces;
  const next = (): void => {
    if (left-- <= 0) return void response.end(chunk(`@${(performance.now() - began).toFixed(3)}@`) + END);
    const goOn = (): void => void (timer = setTimeout(next, gapMs));
    // Else what nobody takes fills the memory that the system has for all connections, and it throws away what others send.
    if (response.write(PIECE)) goOn();
    else response.once('drain', goOn);
  };
  let timer = setTimeout(next, 0);
  response.on('close', () => clearTimeout(timer));
});
server.listen(0, '127.0.0.1', 4096, () => process.send?.({ port: (server.address() as AddressInfo).port }));
