import type * as Undici from 'undici';
import { type Fault, GatewayError, gatewayFault } from '../ir/index.ts';
import type { Send, UpstreamCall, UpstreamHeaders, UpstreamRequest, UpstreamSink } from './send.ts';

/** Bodies up to this size go out as one buffer: joining them costs less than writing pieces. */
const JOIN_BYTES = 16 * 1024;

const errorCode = (error: unknown): string => {
  for (let at: unknown = error; typeof at === 'object' && at !== null; at = (at as { cause?: unknown }).cause) {
    const code = (at as { code?: unknown }).code;
    if (typeof code === 'string') return code;
  }
  return '';
};

/** What a client is told of a failed connection: never an address. */
function connectionFault(error: unknown, begun: boolean): Fault {
  const code = errorCode(error);
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
      return gatewayFault('timeout', 'The upstream did not accept a connection in time', { code: 'upstream_connect_timeout' });
    case 'UND_ERR_HEADERS_TIMEOUT':
      return gatewayFault('timeout', 'The upstream did not begin to answer in time', { code: 'upstream_headers_timeout' });
    case 'UND_ERR_BODY_TIMEOUT':
      return gatewayFault('timeout', 'The upstream stopped sending in mid-answer', { code: 'upstream_idle_timeout' });
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return gatewayFault('upstream', 'The upstream does not accept connections', { code: 'upstream_unreachable' });
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return gatewayFault('upstream', "The upstream's host name cannot be resolved", { code: 'upstream_unresolved' });
    default:
      if (code.startsWith('HPE_') || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
        return gatewayFault('upstream', 'The upstream answered with something that is not HTTP', { code: 'upstream_malformed' });
      }
      if (code.includes('CERT') || code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL')) {
        return gatewayFault('upstream', "The upstream's TLS certificate cannot be trusted", { code: 'upstream_tls' });
      }
      return begun
        ? gatewayFault('upstream', 'The upstream cut the connection in mid-answer', { code: 'upstream_cut' })
        : gatewayFault('upstream', 'The upstream closed the connection without an answer', { code: 'upstream_closed' });
  }
}

/** Undici's own checks of what we send (a header value with a line break): our fault or the configuration's, not the upstream's. */
const isRefusedByUs = (error: unknown): boolean => errorCode(error) === 'UND_ERR_INVALID_ARG';

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
    sink.fail(
      isRefusedByUs(error)
        ? gatewayFault('internal', 'The request could not be written for the upstream', { code: 'upstream_request_invalid' })
        : connectionFault(error, begun),
    );
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

/** Sends over HTTP/1.1 with a pool for each origin, so that one dead upstream starves no other. undici is loaded with the first request: it doubles the start-up. */
export function createUndiciSend(): { readonly send: Send; warm(): Promise<void>; close(): Promise<void> } {
  let undici: typeof Undici | undefined;
  let loading: Promise<typeof Undici> | undefined;
  const pools = new Map<string, Undici.Dispatcher>();

  const poolFor = (lib: typeof Undici, request: UpstreamRequest): Undici.Dispatcher => {
    const key = `${request.origin} ${request.timeouts.connect}`;
    let pool = pools.get(key);
    if (!pool) {
      pool = new lib.Pool(request.origin, {
        connections: null,
        pipelining: 1,
        connect: { timeout: request.timeouts.connect },
        maxHeaderSize: 64 * 1024,
        keepAliveTimeout: 20_000,
      });
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
