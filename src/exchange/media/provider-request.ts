import { type Fault, GatewayError, gatewayFault } from '../../ir/index.ts';
import type { MediaAnswer, MediaRequest, WholeCodec } from '../../media/codec.ts';
import type { Provider, ProviderMedia } from '../../presets/preset.ts';
import type { UpstreamRequest } from '../../upstream/send.ts';
import type { ExchangePorts } from '../exchange.ts';
import { hideInFault } from '../hide-secrets.ts';
import { faultOfAnswer, type FaultSource } from '../lanes/lane.ts';

/* A codec's request as it goes to its provider, and what an error status means. */

/** Who is asked, and by whose means. */
interface Asking {
  readonly provider: Provider;
  readonly media: ProviderMedia;
  readonly ports: ExchangePorts;
  /** Absent where no client waits for it. */
  readonly call?: { readonly key: { readonly id: string } };
  /** The number of the try, from 1. */
  readonly attempt?: number;
}

/** Whether an address is on the provider's own hosts: only there its key may go. */
export function isOwnAddress({ origin, wire }: Pick<ProviderMedia, 'origin' | 'wire'>, url: URL): boolean {
  // Presets may write a port that the scheme has anyway.
  if (url.origin === new URL(origin).origin) return true;
  const hosts = String(wire.options?.['hosts'] ?? '');
  return url.protocol === 'https:' && url.port === '' && hosts.split(' ').some((suffix) => suffix !== '' && url.hostname.endsWith(suffix));
}

/** Where a request goes. */
function placeOf(media: ProviderMedia, name: string, request: MediaRequest): { readonly origin: string; readonly path: string } {
  if (request.url === undefined) return { origin: media.origin, path: media.basePath + request.path };
  const url = URL.canParse(request.url) ? new URL(request.url) : undefined;
  if (url && isOwnAddress(media, url)) return { origin: url.origin, path: url.pathname + url.search };
  const message = `Provider '${name}' named an address that is not one of its own`;
  throw new GatewayError(gatewayFault('upstream', message, { code: 'upstream_malformed' }));
}

/** The request to the target as it goes on the wire, signed. */
export async function upstreamRequest(context: Asking, request: MediaRequest): Promise<UpstreamRequest> {
  const { media, provider, ports } = context;
  const { method = 'POST', body = [], stream } = request;
  const { origin, path } = placeOf(media, provider.name, request);
  const plain = { ...(body.length > 0 ? { 'content-type': 'application/json' } : {}), ...media.headers, ...request.headers };
  const signing = { now: () => ports.clock.now(), post: ports.post };
  const more = media.sign ? await media.sign({ method, origin, path, headers: plain, body }, signing) : {};
  const { connect, headers, idle } = provider.timeouts;
  return {
    origin,
    method,
    path,
    headers: { ...plain, ...more },
    body,
    timeouts: { connect, headers, idle },
    ...(context.call ? { owner: context.call.key.id } : {}),
    ...(stream ? { stream } : {}),
    // What failed once is not sent twice more because a connection was stale as well.
    ...(request.isOnce === true || (context.attempt ?? 1) > 1 ? { isOnce: true } : {}),
  };
}

/** Who reads a vendor's own error bodies. */
export type FaultReader = Pick<WholeCodec<never, never>, 'decodeFault'> | undefined;

/** Who reads a target's error bodies. */
function faultSource(context: Pick<Asking, 'provider' | 'ports'>, codec: FaultReader): FaultSource {
  const { provider, ports } = context;
  const usual = ports.codecs.get('openai-chat');
  if (!usual) throw new Error('no reader of faults');
  const decodeFault = (status: number, body: string): Fault => codec?.decodeFault?.(status, body) ?? usual.decodeFault(status, body);
  return { target: { provider, codec: { decodeFault } }, now: () => ports.clock.now() };
}

/**
 * What a client is told of an error status. Some vendors say with a 403 that their safety system refused: the codec knows their words,
 * and it is no trouble with the key.
 */
export function faultOfMedia(
  context: Pick<Asking, 'provider' | 'ports'>,
  codec: FaultReader,
  { status, headers }: Omit<MediaAnswer, 'body'>,
  body: string,
): Fault {
  const own = status === 403 ? codec?.decodeFault?.(status, body) : undefined;
  return own?.kind === 'bad_request'
    ? hideInFault(context.provider.settings, own)
    : faultOfAnswer(faultSource(context, codec), status, headers, body);
}

/** Nobody asked for a packed answer; passed on as it is, it would look like sound. */
export function refusePacked(headers: MediaAnswer['headers']): void {
  const encoding = String(headers['content-encoding'] ?? '')
    .trim()
    .toLowerCase();
  if (encoding === '' || encoding === 'identity') return;
  throw new GatewayError(
    gatewayFault('upstream', 'The upstream answered with a packed body, for which nobody asked', { code: 'upstream_malformed' }),
  );
}
