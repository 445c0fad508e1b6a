import { Readable } from 'node:stream';
import { GatewayError } from '../ir/index.ts';
import type { Send, UpstreamCall, UpstreamHeaders, UpstreamRequest } from './send.ts';

/** An answer whose body comes as it is read; a body that breaks makes reading throw `GatewayError`. */
export interface StreamedAnswer {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  /** Destroy it to hang up. */
  readonly body: Readable;
}

/** Sends a request and gives its answer as soon as it begins; no more is held of it than its reader has not taken yet. Throws `GatewayError`. */
export function fetchStream(send: Send, request: UpstreamRequest, signal: AbortSignal): Promise<StreamedAnswer> {
  return new Promise((resolve, reject) => {
    let call: UpstreamCall | undefined;
    let isOver = false;
    const body = new Readable({
      // Nothing is read ahead of its reader: the connection's own buffer does that.
      highWaterMark: 0,
      read: () => call?.resume(),
      destroy(error, then) {
        signal.removeEventListener('abort', hangUp);
        if (!isOver) call?.abort();
        then(error);
      },
    });
    const hangUp = (): void => {
      const error = new Error('aborted', { cause: signal.reason });
      reject(error);
      body.destroy(error);
    };
    // Its reader is told; without one, nobody is to be.
    body.on('error', () => undefined);
    call = send(request, {
      head: (status, headers) => resolve({ status, headers, body }),
      body: (bytes) => body.push(bytes),
      end() {
        isOver = true;
        body.push(null);
      },
      fail(fault) {
        isOver = true;
        const error = new GatewayError(fault);
        reject(error);
        body.destroy(error);
      },
    });
    if (signal.aborted) hangUp();
    else signal.addEventListener('abort', hangUp, { once: true });
  });
}
