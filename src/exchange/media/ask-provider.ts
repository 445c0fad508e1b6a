import type { Readable } from 'node:stream';
import { GatewayError, gatewayFault } from '../../ir/index.ts';
import type { MediaAnswer, MediaRequest, WholeCodec } from '../../media/codec.ts';
import type { Provider, ProviderMedia } from '../../presets/preset.ts';
import { fetchStream } from '../../upstream/fetch-stream.ts';
import { createHeldBytes } from '../../wire/held-bytes.ts';
import { deadlineFault } from '../attempt.ts';
import type { ExchangePorts } from '../exchange.ts';
import { faultOfMedia, upstreamRequest } from './provider-request.ts';

/*
 * Requests to a provider that no client waits for: what a task sends must come to its end also when its client has gone.
 */

/** Who is asked. */
export interface Asked {
  readonly provider: Provider;
  readonly media: ProviderMedia;
  readonly ports: ExchangePorts;
  /** Monotonic milliseconds until which it must have ended; absent: it has a whole total of its own. */
  readonly endsAt?: number;
  readonly codec?: Pick<WholeCodec<never, never>, 'decodeFault'>;
}

/** An answer with a success status, as it comes. */
export interface OpenAnswer extends Omit<MediaAnswer, 'body'> {
  readonly body: Readable;
}

const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
const MAX_ERROR_BYTES = 256 * 1024;

async function collect(body: Readable, maxBytes: number, onPiece?: () => void): Promise<Buffer | undefined> {
  const held = createHeldBytes();
  for await (const piece of body as AsyncIterable<Buffer>) {
    onPiece?.();
    // Leaving the loop hangs up.
    if (held.length() + piece.length > maxBytes) return undefined;
    held.add(piece);
  }
  return held.whole();
}

/** A provider says that what was asked for is elsewhere. */
export class Redirected extends Error {
  readonly location: string;
  constructor(location: string) {
    super('redirected');
    this.location = location;
  }
}

/**
 * Sends one request and gives its answer as it begins. Throws `GatewayError` for an error status; `Redirected` where it is asked
 * for `redirects`, which nobody follows with the provider's key but who has looked where they lead.
 */
export async function openProvider(asked: Asked, request: MediaRequest, signal: AbortSignal, redirects = false): Promise<OpenAnswer> {
  const outgoing = await upstreamRequest(asked, request);
  const answer = await fetchStream(asked.ports.send, outgoing, signal);
  if (answer.status >= 200 && answer.status < 300) return answer;
  const { location } = answer.headers;
  if (redirects && answer.status >= 300 && answer.status < 400 && typeof location === 'string' && URL.canParse(location, outgoing.origin)) {
    answer.body.destroy();
    throw new Redirected(new URL(location, outgoing.origin + outgoing.path).href);
  }
  const text = (await collect(answer.body, MAX_ERROR_BYTES).catch(() => undefined))?.toString('utf8') ?? '';
  throw new GatewayError(faultOfMedia(asked, asked.codec, answer, text));
}

/** Collects a body whose first piece comes in time. Throws `GatewayError` where it does not. */
async function collectInTime(body: Readable, firstMs: number): Promise<Buffer | undefined> {
  const late = new GatewayError(deadlineFault('first token'));
  const waiting = setTimeout(() => body.destroy(late), firstMs);
  try {
    return await collect(body, MAX_ANSWER_BYTES, () => clearTimeout(waiting));
  } finally {
    clearTimeout(waiting);
  }
}

/** Sends one request and collects the answer. Throws `GatewayError` for an error status and when it comes to no end in time. */
export async function askProvider(asked: Asked, request: MediaRequest, signal: AbortSignal): Promise<MediaAnswer> {
  const { total, firstToken } = asked.provider.timeouts;
  const left = asked.endsAt === undefined ? total : Math.ceil(asked.endsAt - asked.ports.clock.monotonic());
  const late = AbortSignal.timeout(Math.max(1, left));
  try {
    const { status, headers, body } = await openProvider(asked, request, AbortSignal.any([signal, late]));
    const whole = await collectInTime(body, firstToken);
    if (whole) return { status, headers, body: whole };
  } catch (error) {
    if (!late.aborted) throw error;
    const message = 'The upstream took longer than the time allowed for the whole call';
    throw new GatewayError(gatewayFault('timeout', message, { code: 'upstream_total_timeout' }));
  }
  throw new GatewayError(gatewayFault('upstream', 'The upstream answered with more than can be held', { code: 'upstream_malformed' }));
}
