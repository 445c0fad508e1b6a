import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an upstream was asked. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The gateway hung up before the answer was over. */
  aborted: boolean;
}

export type Answer = (request: Seen, response: ServerResponse) => void;

/** A provider on loopback that answers as it is told and remembers what it was asked. */
export interface FakeUpstream {
  readonly url: string;
  readonly seen: Seen[];
  /** How the next requests are answered. */
  answer: Answer;
  close(): Promise<void>;
}

/** A JSON answer. */
export const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(typeof body === 'string' ? body : JSON.stringify(body));
  };

/** A stream's bytes, in pieces, each after the one before was taken. */
export const stream =
  (pieces: readonly (string | Buffer)[], contentType = 'text/event-stream'): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': contentType });
    const next = (at: number): void => {
      const piece = pieces[at];
      if (piece === undefined) {
        response.end();
        return;
      }
      response.write(piece, () => setImmediate(next, at + 1));
    };
    next(0);
  };

/** The same, but the connection breaks at the end: `FIN` without the last chunk, or `RST`. */
export const cutStream =
  (pieces: readonly (string | Buffer)[], how: 'fin' | 'rst'): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    const next = (at: number): void => {
      const piece = pieces[at];
      if (piece !== undefined) response.write(piece, () => setImmediate(next, at + 1));
      else if (how === 'rst') response.socket?.resetAndDestroy();
      else response.socket?.end();
    };
    next(0);
  };

/** Starts a fake upstream on a free port. */
export async function startUpstream(answer: Answer = json({})): Promise<FakeUpstream> {
  const seen: Seen[] = [];
  const upstream: FakeUpstream = { url: '', seen, answer, close: () => Promise.resolve() };
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const one: Seen = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(pieces).toString(),
        aborted: false,
      };
      seen.push(one);
      response.on('close', () => {
        if (!response.writableFinished) one.aborted = true;
      });
      upstream.answer(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(upstream, {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}

/** An answer whose every byte the test lets go. */
export interface Conducted {
  readonly answer: Answer;
  /** The request has come. */
  readonly asked: Promise<Seen>;
  head(status?: number, headers?: Record<string, string>): void;
  write(bytes: string | Buffer): Promise<void>;
  end(bytes?: string | Buffer): void;
  cut(how: 'fin' | 'rst'): void;
  /** Resolves with the time when the gateway hung up. */
  readonly hungUp: Promise<number>;
}

/** Plays an answer step by step. */
export function conduct(): Conducted {
  let response: ServerResponse | undefined;
  let begin: (seen: Seen) => void;
  let hang: (at: number) => void;
  const asked = new Promise<Seen>((resolve) => (begin = resolve));
  const hungUp = new Promise<number>((resolve) => (hang = resolve));
  const out = (): ServerResponse => {
    if (!response) throw new Error('nobody has asked yet');
    return response;
  };
  return {
    asked,
    hungUp,
    answer(seen, to) {
      response = to;
      to.on('close', () => {
        if (!to.writableFinished) hang(performance.now());
      });
      begin(seen);
    },
    head(status = 200, headers = { 'content-type': 'text/event-stream' }) {
      out().writeHead(status, headers);
      out().flushHeaders();
    },
    write: (bytes) => new Promise((resolve) => out().write(bytes, () => resolve())),
    end: (bytes) => void out().end(bytes),
    cut(how) {
      if (how === 'rst') out().socket?.resetAndDestroy();
      else out().socket?.end();
    },
  };
}

/** Bytes straight on the connection, which then closes: answers that node:http would not write. */
export const bytes =
  (text: string | Buffer, close = true): Answer =>
  (_request, response) => {
    if (close) response.socket?.end(text);
    else response.socket?.write(text);
  };
