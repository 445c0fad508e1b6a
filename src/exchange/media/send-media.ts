import { GatewayError } from '../../ir/index.ts';
import type { MediaAnswer, MediaRequest } from '../../media/codec.ts';
import type { Provider, ProviderMedia } from '../../presets/preset.ts';
import type { UpstreamCall, UpstreamRequest, UpstreamSink } from '../../upstream/send.ts';
import { type ByteQueue, createByteQueue } from '../../wire/byte-queue.ts';
import { deadlineFault } from '../attempt.ts';
import type { ClientSink } from '../client-sink.ts';
import type { ExchangePorts } from '../exchange.ts';
import type { Requests } from '../trying/requests.ts';
import { faultOfMedia, type FaultReader, upstreamRequest, refusePacked } from './provider-request.ts';

/** The client hung up: nothing is to be said any more. */
export class ClientGone extends Error {}

const MAX_ERROR_BYTES = 256 * 1024;

/** Where a request goes, and from whom it comes. */
interface Base {
  readonly provider: Provider;
  readonly media: ProviderMedia;
  readonly ports: ExchangePorts;
  readonly sink: ClientSink;
  /** Monotonic milliseconds until which all that this try asks must have ended. */
  readonly endsAt: number;
  /** The provider takes only so many requests in a minute. */
  readonly requests?: Requests | undefined;
}

/** An answer that comes as it is read. */
export interface OpenAnswer extends Omit<MediaAnswer, 'body'> {
  readonly body: ByteQueue;
}

type OpenBody = (head: Omit<MediaAnswer, 'body'>, resume: () => void) => Pick<UpstreamSink, 'body'>;

/** One request to the target; what the body goes to is chosen by the head. */
export async function sendMedia(
  context: Base,
  request: MediaRequest,
  codec: FaultReader,
  open: OpenBody,
  signal?: AbortSignal,
): Promise<void> {
  const outgoing = await upstreamRequest(context, request);
  // What only looks how far something is asks for no work.
  if (context.requests && request.method !== 'GET' && request.isLook !== true) await context.requests.next();
  if (context.sink.closed) throw new ClientGone();
  signal?.throwIfAborted();
  return send(context, outgoing, codec, open, signal);
}

/** What an error says, as far as it is read. */
interface Refused {
  readonly status: number;
  readonly headers: MediaAnswer['headers'];
  readonly pieces: Buffer[];
  bytes: number;
}

/** Takes a piece of an error; `false`: enough has come to know what it says, it may have no end. */
function addTo(refused: Refused, bytes: Buffer): boolean {
  refused.bytes += bytes.length;
  if (refused.bytes > MAX_ERROR_BYTES) return false;
  refused.pieces.push(bytes);
  return true;
}

/** The time that a request has. */
interface Deadlines {
  /** The first piece of an answer is awaited; more than once is once. */
  awaitFirst(): void;
  /** It has come, or none will. */
  hasFirst(): void;
  clear(): void;
}

function startDeadlines({ ports, provider, endsAt }: Base, stop: (error: Error) => void): Deadlines {
  const late = (what: Parameters<typeof deadlineFault>[0]): void => stop(new GatewayError(deadlineFault(what)));
  const total = setTimeout(late, Math.max(1, Math.ceil(endsAt - ports.clock.monotonic())), 'total');
  let first: NodeJS.Timeout | undefined;
  return {
    awaitFirst: () => void (first ??= setTimeout(late, provider.timeouts.firstToken, 'first token')),
    hasFirst: () => clearTimeout(first),
    clear() {
      clearTimeout(total);
      clearTimeout(first);
    },
  };
}

/** Sends what is ready to go. No function in here holds what was sent: it would stay for as long as the answer comes. */
function send(context: Base, outgoing: UpstreamRequest, codec: FaultReader, open: OpenBody, signal?: AbortSignal): Promise<void> {
  const { ports, sink } = context;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let taker: Pick<UpstreamSink, 'body'> | undefined;
  let refused: Refused | undefined;
  const upstream: { call?: UpstreamCall } = {};
  const stop = (error: Error): void => {
    deadlines.clear();
    upstream.call?.abort();
    reject(error);
  };
  const deadlines = startDeadlines(context, stop);
  // A file may be long on its way: as long as it is, nothing is late.
  if (!outgoing.stream) deadlines.awaitFirst();
  const finish = (): void => {
    deadlines.clear();
    if (!refused) return resolve();
    reject(new GatewayError(faultOfMedia(context, codec, refused, Buffer.concat(refused.pieces).toString('utf8'))));
  };
  upstream.call = ports.send(outgoing, {
    head(status, headers) {
      if (status >= 200 && status < 300) {
        deadlines.awaitFirst();
        try {
          taker = open({ status, headers }, () => upstream.call?.resume());
        } catch (error) {
          stop(error as Error);
        }
      } else refused = { status, headers, pieces: [], bytes: 0 };
    },
    body(bytes) {
      deadlines.hasFirst();
      if (refused) {
        if (addTo(refused, bytes) || !upstream.call) return true;
        upstream.call.abort();
        finish();
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
      deadlines.clear();
      if (refused) return finish();
      reject(new GatewayError(fault));
    },
  });
  sink.onGone(() => stop(new ClientGone()));
  signal?.addEventListener('abort', () => stop(signal.reason as Error), { once: true });
  return promise;
}

/** As `sendMedia`, with the body to be read. No function in here holds the request either. */
export function openAnswer(context: Base, request: MediaRequest, codec: FaultReader): Promise<OpenAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<OpenAnswer>();
  const leaving = new AbortController();
  let resume = (): void => {};
  // Nothing is read ahead of its reader: it would wait in memory for a client that does not read.
  const body = createByteQueue({ room: () => resume(), left: () => leaving.abort(new ClientGone()) }, 0);
  const open: OpenBody = (head, goOn) => {
    refusePacked(head.headers);
    resume = goOn;
    resolve({ ...head, body });
    return { body: (bytes) => body.push(bytes) };
  };
  sendMedia(context, request, codec, open, leaving.signal).then(
    () => body.end(),
    (error: unknown) => {
      reject(error as Error);
      body.fail(error);
    },
  );
  return promise;
}
