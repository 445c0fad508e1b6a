import { randomUUID } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../src/ir/index.ts';
import type { Send } from '../../src/upstream/send.ts';
import { CUT_WIRES, type Recorded } from './cut-wires.ts';

/** How a stream breaks: the connection closed without the last chunk, reset, closed within an event; or an error event and a proper end. */
export const WAYS = ['fin', 'rst', 'half', 'error'] as const;
export type Way = (typeof WAYS)[number];

/** A provider on loopback whose models are recorded streams that break at a place, or do not. */
export interface CutUpstream {
  readonly url: string;
  /** Puts a stream there; gives what its models' names begin with. */
  put(recorded: Recorded): string;
  /** How a gateway sends to it, by `send`: what is reset takes along what has not been read, so each stream is reset once all of it has been. */
  sendBy(send: Send): Send;
  close(): Promise<void>;
}

/** The model that says `name`'s stream up to an event and then breaks. */
export const cutModel = (name: string, events: number, way: Way): string => `${name}-${events}-${way}`;
/** The model that says all of it. */
export const wholeModel = (name: string): string => `${name}-whole`;

const LINE_ENDS = /[\r\n]+$/;

/** The bytes of a stream that breaks after so many events. */
function bytesOf({ events, wire }: Recorded, count: number, way: Way): Buffer {
  const said = events.slice(0, count);
  if (way === 'error') return Buffer.concat([...said, CUT_WIRES[wire].error]);
  const next = events[count] ?? Buffer.alloc(0);
  const length = next.length - (LINE_ENDS.exec(next.toString('latin1'))?.[0].length ?? 0);
  return Buffer.concat(way === 'half' ? [...said, next.subarray(0, Math.ceil(length / 2))] : said);
}

/** What a gateway has still to read of a stream before that is reset. */
interface Unread {
  bytes: number;
  readonly reset: () => void;
}

/** By the number that is in its head. */
type AllUnread = Map<string, Unread>;

const NUMBER = 'x-stream-number';

/** `send`, with what is read of streams taken from what is unread of them. */
const readingSend =
  (all: AllUnread, send: Send): Send =>
  (request, sink) => {
    let unread: Unread | undefined;
    return send(request, {
      ...sink,
      head(status, headers) {
        unread = all.get(String(headers[NUMBER]));
        sink.head(status, headers);
      },
      body(bytes) {
        const flows = sink.body(bytes);
        if (unread) unread.bytes -= bytes.length;
        if (unread?.bytes === 0) unread.reset();
        return flows;
      },
    });
  };

/** Says some bytes and resets the connection once they have been read. */
function sayThenReset(response: ServerResponse, type: string, bytes: Buffer, all: AllUnread): void {
  const number = randomUUID();
  const reset = (): void => void response.socket?.resetAndDestroy();
  response.writeHead(200, { 'content-type': type, [NUMBER]: number }).flushHeaders();
  if (bytes.length === 0) {
    setImmediate(reset);
    return;
  }
  all.set(number, { bytes: bytes.length, reset });
  response.on('close', () => all.delete(number));
  response.write(bytes);
}

function say(response: ServerResponse, recorded: Recorded, count: string | undefined, way: string | undefined, all: AllUnread): void {
  const { type } = CUT_WIRES[recorded.wire];
  const bytes = way === undefined ? Buffer.concat(recorded.events) : bytesOf(recorded, Number(count), way as Way);
  if (way === 'rst') return sayThenReset(response, type, bytes, all);
  response.writeHead(200, { 'content-type': type });
  if (way === undefined || way === 'error') {
    response.end(bytes);
    return;
  }
  response.flushHeaders();
  const stop = (): void => void response.socket?.end();
  if (bytes.length === 0) setImmediate(stop);
  else response.write(bytes, () => setImmediate(stop));
}

/** What a request asks for: by its path, by a form, or by its body. */
const wantedBy = (path: string, text: string): string =>
  /\/models?\/([^:/]+)[:/]/.exec(path)?.[1] ??
  /name="model"\r\n\r\n([^\r]+)/.exec(text)?.[1] ??
  String((JSON.parse(text) as JsonObject)['model']);

/** Starts one on a free port. */
export async function startCutUpstream(): Promise<CutUpstream> {
  const streams: Recorded[] = [];
  const unread: AllUnread = new Map();
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('error', () => {});
    response.on('error', () => {});
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const [name = '', count, way] = wantedBy(request.url ?? '', Buffer.concat(pieces).toString()).split('-');
      const recorded = streams[Number(name.slice(1))];
      if (recorded) say(response, recorded, count, way, unread);
      else response.writeHead(418).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sendBy: (send) => readingSend(unread, send),
    put: (recorded) => `s${streams.push(recorded) - 1}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
