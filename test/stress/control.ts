// A server that does nothing but refuse, and says how fast its processor is: what it shows is the machine's. `fork('control.ts')` beside the
// one that is measured, on its processor, before all else there: `{ port }` once it listens; to any message, how long a piece of work took
// since the last one, in microseconds. A processor that others use as well, out of sight, is half as fast for some seconds, and now and then not there.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { percentile } from './part.ts';

/** A hundredth of the time goes into this. */
const EVERY_MS = 50;
/** So often the work is done in a row. */
const TIMES = 2;
const EVENT = `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: 'word '.repeat(4) } }] })}\n\n`;
/** Some tenths of a millisecond: who comes meanwhile waits for it, whom it is measured for. */
const TEXT = Buffer.from(EVENT.repeat(30));

/** Work of the kind that a gateway does. */
function work(): number {
  let length = 0;
  for (const line of TEXT.toString('utf8').split('\n\n')) {
    if (line === '') continue;
    const { choices } = JSON.parse(line.slice(6)) as { readonly choices: readonly { readonly delta: { readonly content: string } }[] };
    length += Buffer.byteLength(JSON.stringify({ type: 'text', text: choices[0]?.delta.content }));
  }
  return length;
}

/** How long each took. The middle counts: one that met a pause of the machine would tell of that alone. */
let took: number[] = [];
setInterval(() => {
  // What others have used since the last time is used no more: else it would be told how much the server does, and not how fast.
  work();
  for (let time = 0; time < TIMES; time++) {
    const began = performance.now();
    work();
    took.push(performance.now() - began);
  }
}, EVERY_MS);

process.on('message', () => {
  process.send?.({ us: percentile(took, 0.5) * 1000 });
  took = [];
});
process.on('disconnect', () => process.exit());

const server = createServer((request, response) => {
  request.resume();
  response.writeHead(503, { 'retry-after': '1' }).end();
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
