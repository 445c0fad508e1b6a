// An upstream of every kind of endpoint that fails as it is told, and remembers each try: when it came, and when it was let go.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { besideAnswer } from './fault-families.ts';

/** One request that came. */
export interface Try {
  readonly path: string;
  readonly body: string;
  /** Path and body: in one of them is the mark of `Family.ask`. */
  readonly text: string;
  readonly cameAt: number;
  /** When the gateway hung up before the answer was over; `undefined`: it did not. */
  abandonedAt?: number;
}

/** How a request is answered. */
export type Behaviour = (one: Try, response: ServerResponse) => void;

/** An upstream that fails. */
export interface FaultUpstream {
  readonly url: string;
  readonly tries: Try[];
  behave: Behaviour;
  close(): Promise<void>;
}

/** Starts one on a free port. What a family has beside the request that it is about is answered well, and is no try. */
export async function startFaultUpstream(behave: Behaviour = () => {}): Promise<FaultUpstream> {
  const tries: Try[] = [];
  const upstream: FaultUpstream = { url: '', tries, behave, close: () => Promise.resolve() };
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const pieces: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { url: path = '' } = request;
      const body = Buffer.concat(pieces).toString('latin1');
      const answered = besideAnswer({ path, body, origin: upstream.url });
      // It closes: what is lost at once on a connection that served before is sent anew, which is no try and would look like one.
      if (answered) return void response.writeHead(200, { 'content-type': answered.type, connection: 'close' }).end(answered.body);
      const one: Try = { path, body, text: `${path}\n${body}`, cameAt: performance.now() };
      tries.push(one);
      response.on('close', () => {
        if (!response.writableFinished) one.abandonedAt = performance.now();
      });
      upstream.behave(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 4096, resolve));
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
