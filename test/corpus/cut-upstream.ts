import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../src/ir/index.ts';
import { CUT_WIRES, type Recorded } from './cut-wires.ts';

/** How a stream breaks: the connection closed without the last chunk, reset, closed within an event; or an error event and a proper end. */
export const WAYS = ['fin', 'rst', 'half', 'error'] as const;
export type Way = (typeof WAYS)[number];

/** A provider on loopback whose models are recorded streams that break at a place, or do not. */
export interface CutUpstream {
  readonly url: string;
  /** Puts a stream there; gives what its models' names begin with. */
  put(recorded: Recorded): string;
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

function say(response: ServerResponse, recorded: Recorded, count: string | undefined, way: string | undefined): void {
  response.writeHead(200, { 'content-type': CUT_WIRES[recorded.wire].type });
  if (way === undefined) {
    response.end(Buffer.concat(recorded.events));
    return;
  }
  const bytes = bytesOf(recorded, Number(count), way as Way);
  if (way === 'error') response.end(bytes);
  else {
    response.flushHeaders();
    // Once it has gone out: what is reset may take along what has not been read.
    const stop = (): void => void (way === 'rst' ? response.socket?.resetAndDestroy() : response.socket?.end());
    if (bytes.length === 0) setImmediate(stop);
    else response.write(bytes, () => setImmediate(stop));
  }
}

/** What a request asks for: by its path, by a form, or by its body. */
const wantedBy = (path: string, text: string): string =>
  /\/models?\/([^:/]+)[:/]/.exec(path)?.[1] ??
  /name="model"\r\n\r\n([^\r]+)/.exec(text)?.[1] ??
  String((JSON.parse(text) as JsonObject)['model']);

/** Starts one on a free port. */
export async function startCutUpstream(): Promise<CutUpstream> {
  const streams: Recorded[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('error', () => {});
    response.on('error', () => {});
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const [name = '', count, way] = wantedBy(request.url ?? '', Buffer.concat(pieces).toString()).split('-');
      const recorded = streams[Number(name.slice(1))];
      if (recorded) say(response, recorded, count, way);
      else response.writeHead(418).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    put: (recorded) => `s${streams.push(recorded) - 1}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
