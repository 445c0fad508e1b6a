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

/**
 * Sends over HTTP/1.1 with a pool for each origin, through the proxy that is named for it. undici is loaded with the first request: it
 * doubles the start-up.
 */
export function createUndiciSend(proxyOf: (origin: string) => string | undefined = () => undefined): {
  readonly send: Send;
  warm(): Promise<void>;
  close(): Promise<void>;
} {
  let undici: typeof Undici | undefined;
  let loading: Promise<typeof Undici> | undefined;
  const pools = new Map<string, Undici.Dispatcher>();

  const poolFor = (lib: typeof Undici, request: UpstreamRequest): Undici.Dispatcher => {
    const key = `${request.origin} ${request.timeouts.connect}`;
    let pool = pools.get(key);
    if (!pool) {
      const options = {
        connections: null,
        pipelining: 1,
        connect: { timeout: request.timeouts.connect },
        maxHeaderSize: 64 * 1024,
        keepAliveTimeout: 20_000,
      };
      const uri = proxyOf(request.origin);
      pool = uri === undefined ? new lib.Pool(request.origin, options) : new lib.ProxyAgent({ ...options, uri });
      pools.set(key, pool);
    }
    return pool;
  };
  const dispatch = (lib: typeof Undici, request: UpstreamRequest, handler: Handler): void => {
    let bytes = 0;
    for (const piece of request.body) bytes += piece.length;
    const body =
      request.body.length === 0
        ? null
        : request.body.length === 1
          ? request.body[0]
          : bytes <= JOIN_BYTES
            ? Buffer.concat(request.body, bytes)
            : request.body;
    const length = request.stream ? request.stream.length : body === null ? undefined : bytes;
    poolFor(lib, request).dispatch(
      {
        origin: request.origin,
        method: request.method as Undici.Dispatcher.HttpMethod,
        path: request.path,
        headers: length === undefined ? request.headers : { ...request.headers, 'content-length': String(length) },
        body: (request.stream?.bytes ?? body) as Buffer | null,
        headersTimeout: request.timeouts.headers,
        bodyTimeout: request.timeouts.idle,
      },
      handler as unknown as Undici.Dispatcher.DispatchHandler,
    );
  };
  const load = (): Promise<typeof Undici> => (loading ??= import('undici').then((lib) => (undici = lib)));

  return {
    send(request, sink) {
      const { handler, call, fail } = createHandler(sink);
      const go = (lib: typeof Undici): void => {
        try {
          dispatch(lib, request, handler);
        } catch (error) {
          fail(error);
        }
      };
      if (undici) go(undici);
      else load().then(go, fail);
      return call;
    },
    async warm() {
      await load();
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}
