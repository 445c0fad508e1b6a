import { Readable } from 'node:stream';
import { GatewayError, gatewayFault } from '../../ir/index.ts';
import type { MediaAnswer, MediaRequest } from '../../media/codec.ts';
import type { Provider, ProviderMedia } from '../../presets/preset.ts';
import type { UpstreamCall, UpstreamSink } from '../../upstream/send.ts';
import type { ClientSink } from '../client-sink.ts';
import type { ExchangePorts } from '../exchange.ts';
import { faultOfMedia, type FaultReader, upstreamRequest, refusePacked } from './provider-request.ts';

/** The client hung up: nothing is to be said any more. */
export class ClientGone extends Error {}

const MAX_ERROR_BYTES = 256 * 1024;
/** Of an answer that is read as it comes: more of it does not wait in memory for a client that does not read. */
const UNREAD_BYTES = 4 * 1024;

/** Where a request goes, and from whom it comes. */
interface Base {
  readonly provider: Provider;
  readonly media: ProviderMedia;
  readonly ports: ExchangePorts;
  readonly sink: ClientSink;
}

/** An answer that comes as it is read. */
export interface OpenAnswer extends Omit<MediaAnswer, 'body'> {
  readonly body: Readable;
}

/** One request to the target; what the body goes to is chosen by the head. */
export async function sendMedia(
  context: Base,
  request: MediaRequest,
  codec: FaultReader,
  open: (head: Omit<MediaAnswer, 'body'>, resume: () => void) => Pick<UpstreamSink, 'body'>,
  signal?: AbortSignal,
): Promise<void> {
  const { ports, provider, sink } = context;
  const outgoing = await upstreamRequest(context, request);
  if (sink.closed) throw new ClientGone();
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    let taker: Pick<UpstreamSink, 'body'> | undefined;
    let refused:
      | { readonly status: number; readonly headers: MediaAnswer['headers']; readonly pieces: Buffer[]; bytes: number }
      | undefined;
    const upstream: { call?: UpstreamCall } = {};
    const stop = (error: Error): void => {
      clearTimeout(total);
      upstream.call?.abort();
      reject(error);
    };
    const total = setTimeout(
      () =>
        stop(
          new GatewayError(
            gatewayFault('timeout', 'The reply took longer than the time allowed for the whole call', { code: 'upstream_total_timeout' }),
          ),
        ),
      provider.timeouts.total,
    );
    const finish = (): void => {
      clearTimeout(total);
      if (!refused) return resolve();
      const text = Buffer.concat(refused.pieces).toString('utf8');
      reject(new GatewayError(faultOfMedia(context, codec, refused, text)));
    };
    upstream.call = ports.send(outgoing, {
      head(status, headers) {
        if (status >= 200 && status < 300) {
          try {
            taker = open({ status, headers }, () => upstream.call?.resume());
          } catch (error) {
            stop(error as Error);
          }
        } else refused = { status, headers, pieces: [], bytes: 0 };
      },
      body(bytes) {
        if (refused) {
          refused.bytes += bytes.length;
          if (refused.bytes <= MAX_ERROR_BYTES) refused.pieces.push(bytes);
          return true;
        }
        try {
          return taker?.body(bytes) ?? true;
        } catch (error) {
          stop(error as Error);
          return true;
        }
      },
      end: finish,
      fail(fault) {
        clearTimeout(total);
        if (refused) return finish();
        reject(new GatewayError(fault));
      },
    });
    sink.onDrain(() => upstream.call?.resume());
    sink.onGone(() => stop(new ClientGone()));
    signal?.addEventListener('abort', () => stop(signal.reason as Error), { once: true });
  });
}

/** As `sendMedia`, with the body to be read. */
export function openAnswer(context: Base, request: MediaRequest, codec: FaultReader): Promise<OpenAnswer> {
  return new Promise((resolve, reject) => {
    const leaving = new AbortController();
    let isOver = false;
    let resume = (): void => {};
    const body = new Readable({
      highWaterMark: UNREAD_BYTES,
      read: () => resume(),
      destroy(error, done) {
        if (!isOver) leaving.abort(error ?? new ClientGone());
        done(error);
      },
    });
    // Told to whoever reads it; nobody need be reading.
    body.on('error', () => {});
    const open = (head: Omit<MediaAnswer, 'body'>, goOn: () => void): Pick<UpstreamSink, 'body'> => {
      refusePacked(head.headers);
      resume = goOn;
      resolve({ ...head, body });
      return { body: (bytes) => body.push(bytes) };
    };
    sendMedia(context, request, codec, open, leaving.signal).then(
      () => {
        isOver = true;
        body.push(null);
      },
      (error: unknown) => {
        isOver = true;
        reject(error as Error);
        body.destroy(error as Error);
      },
    );
  });
}
