// Bytes on the wire that a careless reader takes for another request than a careful one, and heads that never come whole.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAMILIES } from '../fakes/fault-families.ts';
import type { FaultUpstream } from '../fakes/fault-upstream.ts';
import type { TestServer } from '../server.ts';
import type { Measured } from './part.ts';

/** A request in pieces, and one that hides behind it. */
interface Outer {
  /** Up to and with the line end of its last header but those of its length. */
  readonly head: string;
  readonly body: string;
  readonly hidden: string;
}
type Form = readonly [name: string, bytes: (outer: Outer) => string];

const chunk = (body: string, size = Buffer.byteLength(body, 'latin1').toString(16)): string => `${size}\r\n${body}\r\n`;
const inChunks = (body: string): string => `${chunk(body)}0\r\n\r\n`;
const length = (text: string): number => Buffer.byteLength(text, 'latin1');
const CHUNKED = 'transfer-encoding: chunked\r\n';

/** By what its length says it ends before the hidden one; `more` says something else, or nothing that can be said. */
const withLength =
  (more: string): Form[1] =>
  ({ head, body, hidden }) =>
    `${head}content-length: ${length(body)}\r\n${more}\r\n${body}${hidden}`;
/** It ends before the hidden one for those who read these lines as chunks. */
const chunkedBy =
  (lines: string): Form[1] =>
  ({ head, body, hidden }) =>
    `${head}${lines}\r\n${inChunks(body)}${hidden}`;
/** Its chunks are none, before the body is whole: a form that has come whole goes on as it comes, and may be at its upstream by then. */
const withChunks =
  (chunks: (body: string) => string): Form[1] =>
  ({ head, body, hidden }) =>
    `${head}${CHUNKED}\r\n${chunks(body)}${hidden}`;

/** https://www.rfc-editor.org/rfc/rfc9112#section-6.3 and https://www.rfc-editor.org/rfc/rfc9110#section-5.5 refuse all of these. */
const FORMS: readonly Form[] = [
  [
    'a length over all, and chunks',
    ({ head, body, hidden }) => `${head}content-length: ${length(inChunks(body) + hidden)}\r\n${CHUNKED}\r\n${inChunks(body)}${hidden}`,
  ],
  [
    'chunks, and a length over all',
    ({ head, body, hidden }) => `${head}${CHUNKED}content-length: ${length(inChunks(body) + hidden)}\r\n\r\n${inChunks(body)}${hidden}`,
  ],
  [
    'two lengths',
    ({ head, body, hidden }) =>
      `${head}content-length: ${length(body)}\r\ncontent-length: ${length(body + hidden)}\r\n\r\n${body}${hidden}`,
  ],
  [
    'two lengths in a list',
    ({ head, body, hidden }) => `${head}content-length: ${length(body)}, ${length(body + hidden)}\r\n\r\n${body}${hidden}`,
  ],
  ['a length with a sign', ({ head, body, hidden }) => `${head}content-length: +${length(body)}\r\n\r\n${body}${hidden}`],
  ['a length in hexadecimal', ({ head, body, hidden }) => `${head}content-length: 0x${length(body).toString(16)}\r\n\r\n${body}${hidden}`],
  ['a length below nothing', ({ head, body, hidden }) => `${head}content-length: -${length(body)}\r\n\r\n${body}${hidden}`],
  ['a length of two words', ({ head, body, hidden }) => `${head}content-length: ${length(body)} ${length(hidden)}\r\n\r\n${body}${hidden}`],
  ['a length with a space before its colon', withLength('content-length : 0\r\n')],
  ['chunks with a space before their colon', withLength('transfer-encoding : chunked\r\n')],
  ['chunks with a tab before their colon', withLength('transfer-encoding\t: chunked\r\n')],
  ['chunks after a bare line feed', withLength('x-a: b\ntransfer-encoding: chunked\r\n')],
  ['chunks after a bare carriage return', withLength('x-a: b\rtransfer-encoding: chunked\r\n')],
  ['chunks after a NUL', withLength('x-a: b\0\r\ntransfer-encoding: chunked\r\n')],
  ['a carriage return in a name', withLength('x\r-a: b\r\n')],
  ['a NUL in a name', withLength('x\0a: b\r\n')],
  ['a line without a name', withLength(': b\r\n')],
  ['a line without a colon', withLength('transfer-encoding\r\n')],
  ['an encoding that is nearly chunked', chunkedBy('transfer-encoding: xchunked\r\n')],
  ['chunked, and something after it', chunkedBy('transfer-encoding: chunked, identity\r\n')],
  ['chunked, and another line', chunkedBy('transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n')],
  ['chunked after a vertical tab', chunkedBy('transfer-encoding: \vchunked\r\n')],
  ['chunked with a NUL', chunkedBy('transfer-encoding: chunked\0\r\n')],
  ['chunked in quotes', chunkedBy('transfer-encoding: "chunked"\r\n')],
  ['a head that ends with bare line feeds', ({ head, body, hidden }) => `${head}content-length: ${length(body)}\n\n${body}${hidden}`],
  ['a size of a chunk that is none', withChunks((body) => `${chunk(body, 'zz')}0\r\n\r\n`)],
  ['a size below nothing', withChunks((body) => `${chunk(body, `-${length(body).toString(16)}`)}0\r\n\r\n`)],
  ['a size with a prefix', withChunks((body) => `${chunk(body, `0x${length(body).toString(16)}`)}0\r\n\r\n`)],
  ['a size beyond numbers', withChunks((body) => `${chunk(body, `1${'0'.repeat(16)}${length(body).toString(16)}`)}0\r\n\r\n`)],
  ['a chunk longer than its size', withChunks((body) => `${chunk(body, '1')}0\r\n\r\n`)],
  ['a size that ends with a bare line feed', withChunks((body) => `1\n${body.slice(0, 1)}\r\n${inChunks(body.slice(1))}`)],
  ['a chunk that ends with a bare line feed', withChunks((body) => `1\r\n${body.slice(0, 1)}\n${inChunks(body.slice(1))}`)],
];

/** Sends bytes; what came until the other side closed, or for so long. */
function sent(server: TestServer, bytes: string, withinMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(bytes, 'latin1'));
    let seen = '';
    const timer = setTimeout(() => socket.destroy(), withinMs);
    socket.on('data', (piece) => (seen += piece.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(seen);
    });
  });
}

const headOf = (server: TestServer, path: string, type: string): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\nx-api-key: ${server.key}\r\ncontent-type: ${type}\r\n`;

/** Every form in front of every endpoint, and behind it a call that would be good: who comes to the upstream, and who is served. */
export async function smugglingRow(server: TestServer, upstream: FaultUpstream): Promise<Measured> {
  const [first] = FAMILIES;
  if (!first) throw new Error('no endpoints');
  const hiddenAsked = first.ask('hidden');
  const hidden = `${headOf(server, hiddenAsked.path, hiddenAsked.type)}content-length: ${hiddenAsked.body.length}\r\nconnection: close\r\n\r\n${hiddenAsked.body.toString('latin1')}`;
  let [wrong, many] = [0, 0];
  let example: string | undefined;
  for (const family of FAMILIES) {
    const { path, type, body } = family.ask('outer');
    const outer = { head: headOf(server, path, type), body: body.toString('latin1'), hidden };
    upstream.tries.length = 0;
    await sent(server, withLength('')(outer), 5000);
    // Said plainly, both arrive: else nothing of what follows would show anything.
    if (!['outer', 'hidden'].every((mark) => upstream.tries.some((one) => one.text.includes(mark))))
      throw new Error(`${family.name} does not arrive`);
    for (const [name, bytes] of FORMS) {
      upstream.tries.length = 0;
      const got = await sent(server, bytes(outer), 5000);
      many++;
      const isRefused = /^HTTP\/1\.1 4\d\d /.test(got) && got.split('HTTP/1.1 ').length === 2;
      if (isRefused && upstream.tries.length === 0) continue;
      wrong++;
      example ??= `${name} at ${family.name}: ${upstream.tries.length} at the upstream, ${got.slice(0, 80)}`;
    }
  }
  upstream.tries.length = 0;
  return { promise: 'hostile.smuggling', value: wrong, many, isKept: wrong === 0, ...(example === undefined ? {} : { detail: example }) };
}

/** What a head is said to be given, and how far apart looks at that are. */
const HEAD_S = 35;
const DRIP_MS = 1000;

/** When a head that does not come whole is answered and closed, in seconds; no number where it is not, or with something else. */
function slowHead(server: TestServer, before: string, drips: boolean): Promise<number> {
  const began = performance.now();
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(before));
    let seen = '';
    const drip = setInterval(() => drips && socket.writable && socket.write('a'), DRIP_MS);
    const end = setTimeout(() => socket.destroy(), (HEAD_S + 10) * 1000);
    socket.on('data', (piece) => (seen += piece.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(drip);
      clearTimeout(end);
      resolve(seen.startsWith('HTTP/1.1 408 ') ? (performance.now() - began) / 1000 : Number.POSITIVE_INFINITY);
    });
  });
}

/** Each of these as often, a few milliseconds apart. */
export async function slowRow(server: TestServer, each: number): Promise<Measured> {
  const heads = ['GET /v1/mod', 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-a: '];
  const all: Promise<number>[] = [];
  for (let time = 0; time < each; time++) {
    for (const head of heads) for (const drips of [false, true]) all.push(slowHead(server, head, drips));
    await sleep(10);
  }
  const value = Math.max(...(await Promise.all(all)));
  return { promise: 'hostile.slow', value, many: all.length, isKept: value <= HEAD_S + 0.5 };
}
