// Everything that can be wrong with an upstream's answer, and what a client must see of it, whatever it asked for.
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Family } from './fault-families.ts';
import type { Behaviour } from './fault-upstream.ts';

/**
 * What a client must see: `served`: the answer, whole; `refused`: a status in its own envelope; `failed`: that, or a broken answer, and
 * never one that looks complete; `either`: served or refused.
 */
export type Outcome = 'served' | 'refused' | 'failed' | 'either';

/** One fault. */
export interface Fault {
  readonly name: string;
  readonly behave: (family: Family) => Behaviour;
  readonly outcome: Outcome;
  /** The statuses that may be told, where something is refused. */
  readonly status?: readonly number[];
  /** `Retry-After` as the client is told. */
  readonly hasRetryAfter?: true;
  /** Only for streams, only for the others, or only for streams of lines (SSE). */
  readonly only?: 'streams' | 'wholes' | 'lines';
  /** It ends by a deadline of the gateway's. */
  readonly waits?: true;
}

const MEGABYTES = 96;
const bodyOf = (family: Family): Buffer => Buffer.concat(family.pieces.map((piece) => Buffer.from(piece)));
const textOf = (family: Family): string => bodyOf(family).toString('utf8');

/** Bytes as they are on the connection, which then closes. */
const raw =
  (head: string, body: Buffer | string = ''): Behaviour =>
  (_one, response) => {
    response.socket?.write(head);
    response.socket?.end(body);
  };

const whole =
  (status: number, headers: Record<string, string>, body: Buffer | string = ''): Behaviour =>
  (_one, response) =>
    void response.writeHead(status, headers).end(body);

/** The first half of a good answer, and then this. */
const begun =
  (family: Family, then: (response: ServerResponse) => void): Behaviour =>
  (_one, response) => {
    response.writeHead(200, { 'content-type': family.type });
    const pieces = family.pieces.slice(0, Math.ceil((family.pieces.length - 1) / 2));
    for (const [at, piece] of pieces.entries()) response.write(piece, () => at === pieces.length - 1 && then(response));
  };

const A_WHILE_MS = 20;

/** Goes on as it went before, for ever. */
function more({ pieces, isStream }: Family, response: ServerResponse): void {
  // Of two the second is the end of it: of an image that is streamed, all of it.
  const piece = isStream ? pieces.at(pieces.length > 2 ? 1 : 0) : ' '.repeat(64);
  const timer = setInterval(() => response.write(piece), A_WHILE_MS);
  response.on('close', () => clearInterval(timer));
}

const JSON_TYPE = { 'content-type': 'application/json' };
const ERROR = '{"error":{"message":"it broke","type":"server_error","code":500,"status":"INTERNAL"},"message":"it broke"}';
const refusal = (status: number, headers: Record<string, string> = {}): Fault['behave'] => {
  return () => whole(status, { ...JSON_TYPE, ...headers }, ERROR);
};
const asText = (change: (text: string) => string): Fault['behave'] => {
  return (family) => whole(200, { 'content-type': family.type }, change(textOf(family)));
};

const bomb = gzipSync(Buffer.alloc(MEGABYTES * 2 ** 20, ' '));
const inAMinute = (): string => new Date(Date.now() + 60_000).toUTCString();

const AS_STATUS: readonly Fault[] = [
  { name: '400', behave: refusal(400), outcome: 'refused', status: [400] },
  { name: '404', behave: refusal(404), outcome: 'refused', status: [404] },
  { name: '413', behave: refusal(413), outcome: 'refused', status: [413] },
  { name: '422', behave: refusal(422), outcome: 'refused', status: [422, 400] },
  { name: '401', behave: refusal(401), outcome: 'refused', status: [502] },
  { name: '403', behave: refusal(403), outcome: 'refused', status: [502] },
  { name: '500', behave: refusal(500), outcome: 'refused', status: [502] },
  { name: '503', behave: refusal(503), outcome: 'refused', status: [503, 529] },
  { name: '504', behave: refusal(504), outcome: 'refused', status: [504] },
  {
    name: '429, to come back in seconds',
    behave: refusal(429, { 'retry-after': '60' }),
    outcome: 'refused',
    status: [429],
    hasRetryAfter: true,
  },
  {
    name: '429, to come back at a date',
    behave: () => whole(429, { ...JSON_TYPE, 'retry-after': inAMinute() }, ERROR),
    outcome: 'refused',
    status: [429],
    hasRetryAfter: true,
  },
  { name: 'a redirect', behave: () => whole(307, { location: 'http://169.254.169.254/' }), outcome: 'refused', status: [502] },
];

const IN_PLACE: readonly Fault[] = [
  { name: 'a page', behave: () => whole(200, { 'content-type': 'text/html' }, '<html>Hello</html>'), outcome: 'refused', status: [502] },
  { name: 'nothing', behave: (family) => whole(200, { 'content-type': family.type }), outcome: 'refused', status: [502] },
  { name: 'no content', behave: () => whole(204, {}), outcome: 'refused', status: [502] },
  { name: 'an error in a 200', behave: () => whole(200, JSON_TYPE, ERROR), outcome: 'refused' },
  { name: 'garbage', behave: () => whole(200, JSON_TYPE, '\u0001\u0002 oops'), outcome: 'refused', status: [502] },
  { name: 'a list', behave: () => whole(200, JSON_TYPE, '[]'), outcome: 'refused', status: [502] },
  { name: 'no HTTP', behave: () => raw('what do you want\r\n\r\n'), outcome: 'refused', status: [502] },
  {
    name: 'two lengths',
    behave: () => raw('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}'),
    outcome: 'refused',
    status: [502],
  },
  { name: 'FIN before the head', behave: () => raw(''), outcome: 'refused', status: [502] },
  { name: 'FIN in the head', behave: () => raw('HTTP/1.1 200 OK\r\ncontent-ty'), outcome: 'refused', status: [502] },
  { name: 'RST before the head', behave: () => (_one, response) => void response.socket?.resetAndDestroy(), outcome: 'refused' },
];

const IN_THE_MIDDLE: readonly Fault[] = [
  { name: 'FIN, in chunks', behave: (family) => begun(family, (response) => void response.socket?.end()), outcome: 'failed' },
  { name: 'RST', behave: (family) => begun(family, (response) => void response.socket?.resetAndDestroy()), outcome: 'failed' },
  {
    name: 'a body shorter than was said',
    behave: (family) => {
      const body = bodyOf(family);
      return raw(`HTTP/1.1 200 OK\r\ncontent-type: ${family.type}\r\ncontent-length: ${body.length + 100}\r\n\r\n`, body);
    },
    outcome: 'failed',
    // A stream that has said its last word has said all.
    only: 'wholes',
  },
  {
    name: 'half a gzip',
    behave: (family) => {
      const packed = gzipSync(bodyOf(family));
      return whole(200, { 'content-type': family.type, 'content-encoding': 'gzip' }, packed.subarray(0, packed.length >> 1));
    },
    outcome: 'failed',
  },
  {
    name: `a gzip of ${MEGABYTES} MiB of nothing`,
    behave: (family) => whole(200, { 'content-type': family.type, 'content-encoding': 'gzip' }, bomb),
    outcome: 'failed',
  },
  {
    name: 'an error event',
    behave: (family) => begun(family, (response) => void response.end(`event: error\ndata: ${ERROR.replace('{', '{"type":"error",')}\n\n`)),
    outcome: 'failed',
    only: 'lines',
  },
  {
    name: 'a proper end too early',
    behave: (family) => begun(family, (response) => void response.end()),
    outcome: 'failed',
    only: 'streams',
  },
];

const WAITING: readonly Fault[] = [
  { name: 'a black hole', behave: () => () => {}, outcome: 'refused', status: [504], waits: true },
  {
    name: 'headers and a stall',
    behave: (family) => (_one, response) => response.writeHead(200, { 'content-type': family.type }).flushHeaders(),
    outcome: 'failed',
    waits: true,
  },
  { name: 'a stall in the middle', behave: (family) => begun(family, () => {}), outcome: 'failed', waits: true },
  {
    name: 'no end, a little at a time',
    behave: (family) => begun(family, (response) => more(family, response)),
    outcome: 'failed',
    waits: true,
  },
];

const NO_FAULTS: readonly Fault[] = [
  { name: 'an upstream that is well', behave: (family) => whole(200, { 'content-type': family.type }, bodyOf(family)), outcome: 'served' },
  {
    name: 'a few bytes at a time',
    behave: (family) => (_one, response) => {
      const body = bodyOf(family);
      response.writeHead(200, { 'content-type': family.type });
      const next = (at: number): void => {
        if (at >= body.length) response.end();
        else response.write(body.subarray(at, at + 13), () => setImmediate(next, at + 13));
      };
      next(0);
    },
    outcome: 'served',
  },
  {
    name: '1xx first',
    behave: (family) => {
      const body = bodyOf(family);
      const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n';
      // It closes, and says so: else whoever comes next by this connection may lose its call, which is not what this is about.
      const head = `content-type: ${family.type}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
      return raw(`${hints}HTTP/1.1 200 OK\r\n${head}`, body);
    },
    outcome: 'served',
  },
  {
    name: 'a body longer than was said',
    behave: (family) => {
      const body = bodyOf(family);
      return raw(
        `HTTP/1.1 200 OK\r\ncontent-type: ${family.type}\r\ncontent-length: ${body.length}\r\n\r\n`,
        Buffer.concat([body, Buffer.from('more')]),
      );
    },
    outcome: 'served',
  },
  {
    name: 'gzip',
    behave: (family) => whole(200, { 'content-type': family.type, 'content-encoding': 'gzip' }, gzipSync(bodyOf(family))),
    outcome: 'either',
  },
  { name: 'CRLF', behave: asText((text) => text.replaceAll(/\r?\n/g, '\r\n')), outcome: 'served', only: 'lines' },
  { name: 'CR', behave: asText((text) => text.replaceAll(/\r?\n/g, '\r')), outcome: 'served', only: 'lines' },
  { name: 'a byte order mark', behave: asText((text) => `\uFEFF${text}`), outcome: 'served', only: 'lines' },
  {
    name: 'comments between',
    behave: asText((text) => `: one\n\n${text.replaceAll(/(?<=\n\r?\n)(?=.)/g, ': two\n\n')}`),
    outcome: 'served',
    only: 'lines',
  },
];

/** All of them. */
export const FAULTS: readonly Fault[] = [...AS_STATUS, ...IN_PLACE, ...IN_THE_MIDDLE, ...WAITING, ...NO_FAULTS];

/** Whether an endpoint can have a fault. */
function fits({ only }: Fault, { isStream, type }: Family): boolean {
  switch (only) {
    case 'streams':
      return isStream;
    case 'wholes':
      return !isStream;
    case 'lines':
      return type === 'text/event-stream';
    default:
      return true;
  }
}

/** Those that an endpoint can have. */
export const faultsOf = (family: Family): readonly Fault[] => FAULTS.filter((fault) => fits(fault, family));
