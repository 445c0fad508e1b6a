import { GatewayError, gatewayFault } from '../ir/index.ts';
import { createHeldBytes } from '../wire/held-bytes.ts';
import type { Send, UpstreamHeaders, UpstreamRequest } from './send.ts';

/** A whole answer of an upstream. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  readonly body: Buffer;
}

/**
 * Sends a small request and collects its answer, for calls that are not a client's exchange (counting, listing). `signal`: who
 * asked wants it no more. Throws `GatewayError`.
 */
export function fetchWhole(
  send: Send,
  request: UpstreamRequest,
  maxBytes: number,
  totalMs: number,
  signal?: AbortSignal,
): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    const held = createHeldBytes();
    let status = 0;
    let headers: UpstreamHeaders = {};
    const settle = (): void => {
      clearTimeout(deadline);
      signal?.removeEventListener('abort', leave);
    };
    const stop = (message: string, code: string, kind: 'upstream' | 'timeout' = 'upstream'): void => {
      settle();
      call.abort();
      reject(new GatewayError(gatewayFault(kind, message, { code })));
    };
    const leave = (): void => stop('Nobody waits for the answer', 'client_gone');
    const deadline = setTimeout(() => stop('The upstream took too long to answer', 'upstream_total_timeout', 'timeout'), totalMs);
    const call = send(request, {
      head(received, fields) {
        status = received;
        headers = fields;
      },
      body(chunk) {
        if (held.length() + chunk.length > maxBytes) stop('The upstream answered with more than can be held', 'upstream_malformed');
        else held.add(chunk);
        return true;
      },
      end() {
        settle();
        resolve({ status, headers, body: held.whole() });
      },
      fail(fault) {
        settle();
        reject(new GatewayError(fault));
      },
    });
    if (signal?.aborted) leave();
    else signal?.addEventListener('abort', leave);
  });
}
