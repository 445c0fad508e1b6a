import type * as Undici from 'undici';
import { GatewayError } from '../ir/index.ts';
import { connectionFault } from './connection-fault.ts';
import type { Send, UpstreamCall, UpstreamHeaders, UpstreamRequest, UpstreamSink } from './send.ts';

/** Bodies up to this size go out as one buffer: joining them costs less than writing pieces. */
const JOIN_BYTES = 16 * 1024;

interface Handler {
  onRequestStart(controller: Undici.Dispatcher.DispatchController): void;
  onResponseStart(controller: Undici.Dispatcher.DispatchController, status: number, headers: UpstreamHeaders): void;
  onResponseData(controller: Undici.Dispatcher.DispatchController, bytes: Buffer): void;
  onResponseEnd(): void;
  onResponseError(controller: Undici.Dispatcher.DispatchController, error: Error): void;
}

/** Carries undici's callbacks to the sink, and the sink's wishes back. */
function createHandler(sink: UpstreamSink): { readonly handler: Handler; readonly call: UpstreamCall; fail(error: unknown): void } {
  let controller: Undici.Dispatcher.DispatchController | undefined;
  let aborted = false;
  let over = false;
  let begun = false;
  const fail = (error: unknown): void => {
    if (over || aborted) return;
    over = true;
    // A body that could not be read to its end says why itself.
    if (error instanceof GatewayError) return sink.fail(error.fault);
    sink.fail(connectionFault(error, begun));
  };
  return {
    fail,
    handler: {
      onRequestStart(started) {
        controller = started;
        if (aborted) started.abort(new Error('aborted'));
      },
      onResponseStart(_, status, headers) {
        if (aborted || status < 200) return;
        begun = true;
        sink.head(status, headers);
      },
      onResponseData(at, bytes) {
        if (!aborted && !sink.body(bytes)) at.pause();
      },
      onResponseEnd() {
        if (over || aborted) return;
        over = true;
        sink.end();
      },
      onResponseError(_, error) {
        fail(error);
      },
    },
    call: {
      abort() {
        if (aborted || over) return;
        aborted = true;
        controller?.abort(new Error('aborted'));
      },
      resume() {
        if (!aborted && !over) controller?.resume();
      },
    },
  };
}

/** Pools at once; the one that was made first closes when what runs on it has ended. */
const MAX_POOLS = 256;

/** What goes out, and how long it is; `undefined`: without a body. */
function bodyOf({ body, stream }: UpstreamRequest): { readonly body: unknown; readonly length: number | undefined } {
  if (stream) return { body: stream.bytes, length: stream.length };
  if (body.length === 0) return { body: null, length: undefined };
  let length = 0;
  for (const piece of body) length += piece.length;
  if (body.length === 1) return { body: body[0], length };
  return { body: length <= JOIN_BYTES ? Buffer.concat(body, length) : body, length };
}

function dispatch(pool: Undici.Dispatcher, request: UpstreamRequest, handler: Handler): void {
  const { body, length } = bodyOf(request);
  pool.dispatch(
    {
      origin: request.origin,
      method: request.method as Undici.Dispatcher.HttpMethod,
      path: request.path,
      headers: length === undefined ? request.headers : { ...request.headers, 'content-length': String(length) },
      body: body as Buffer | null,
      headersTimeout: request.timeouts.headers,
      bodyTimeout: request.timeouts.idle,
    },
    handler as unknown as Undici.Dispatcher.DispatchHandler,
  );
}

type ProxyOf = (origin: string) => string | undefined;

function openPool(lib: typeof Undici, { origin, timeouts }: UpstreamRequest, uri: string | undefined): Undici.Dispatcher {
  const options = {
    connections: null,
    pipelining: 1,
    connect: { timeout: timeouts.connect },
    maxHeaderSize: 64 * 1024,
    keepAliveTimeout: 20_000,
  };
  return uri === undefined ? new lib.Pool(origin, options) : new lib.ProxyAgent({ ...options, uri });
}

/** One for each origin and time to connect. */
function createPools(proxyOf: ProxyOf) {
  const pools = new Map<string, Undici.Dispatcher>();
  return {
    of(lib: typeof Undici, request: UpstreamRequest): Undici.Dispatcher {
      const key = `${request.origin} ${request.timeouts.connect}`;
      const known = pools.get(key);
      if (known) return known;
      for (const [first, pool] of pools) {
        if (pools.size < MAX_POOLS) break;
        pools.delete(first);
        pool.close().catch(() => undefined);
      }
      const made = openPool(lib, request, proxyOf(request.origin));
      pools.set(key, made);
      return made;
    },
    close: () => Promise.all([...pools.values()].map((pool) => pool.destroy())),
  };
}

/**
 * Sends over HTTP/1.1 with a pool for each origin, through the proxy that is named for it. undici is loaded with the first request: it
 * doubles the start-up.
 */
export function createUndiciSend(proxyOf: ProxyOf = () => undefined): {
  readonly send: Send;
  close(): Promise<void>;
} {
  let undici: typeof Undici | undefined;
  let loading: Promise<typeof Undici> | undefined;
  const pools = createPools(proxyOf);
  const load = (): Promise<typeof Undici> => (loading ??= import('undici').then((lib) => (undici = lib)));
  return {
    send(request, sink) {
      const { handler, call, fail } = createHandler(sink);
      const go = (lib: typeof Undici): void => {
        try {
          dispatch(pools.of(lib, request), request, handler);
        } catch (error) {
          fail(error);
        }
      };
      if (undici) go(undici);
      else load().then(go, fail);
      return call;
    },
    async close() {
      await pools.close();
    },
  };
}
