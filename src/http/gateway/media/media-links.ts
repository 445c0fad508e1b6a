import { GatewayError, gatewayFault } from '../../../ir/index.ts';
import type { OutHeaders } from '../../../exchange/client-sink.ts';
import { callHeaders } from '../../../exchange/out-headers.ts';
import type { KeptMedia, MediaStore } from '../../../exchange/ports.ts';
import { authenticate, UNAUTHENTICATED } from '../authenticate.ts';
import type { GatewayPorts, Visit } from '../visit.ts';
import { whileThere } from './while-there.ts';

/** A request that may be without a key. */
type Guest = Pick<Visit, 'id' | 'label' | 'client' | 'method' | 'path' | 'headers' | 'snapshot' | 'sink'>;

interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * The one range that is asked for; `undefined`: all of it (several, or what is no range, count as none); `unsatisfiable`: none of it
 * is there. https://www.rfc-editor.org/rfc/rfc9110#section-14.2
 */
function rangeOf(header: string | undefined, size: number): Range | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(header?.replaceAll(' ', '') ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') return Number(last) === 0 || size === 0 ? 'unsatisfiable' : { from: Math.max(0, size - Number(last)), to: size - 1 };
  const from = Number(first);
  const to = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < from) return undefined;
  return from >= size ? 'unsatisfiable' : { from, to };
}

/** Lets a file go out as fast as its reader takes it. */
async function pour(sink: Visit['sink'], source: AsyncIterable<Uint8Array>): Promise<void> {
  let wake: (() => void) | undefined;
  sink.onDrain(() => wake?.());
  sink.onGone(() => wake?.());
  for await (const piece of source) {
    if (sink.closed) return;
    if (!sink.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength))) await new Promise<void>((resolve) => (wake = resolve));
  }
  sink.end();
}

/** Gives out a kept medium: whole, or the range that is asked for. */
export async function sendMedia(visit: Omit<Guest, 'path'>, media: KeptMedia, store: MediaStore, more: OutHeaders = {}): Promise<void> {
  const { headers, method, sink } = visit;
  const etag = `"${media.id}"`;
  const ifRange = headers['if-range'];
  const range = ifRange === undefined || ifRange === etag ? rangeOf(headers.range, media.bytes) : undefined;
  const base: OutHeaders = {
    ...callHeaders(visit),
    'content-type': media.mediaType,
    'accept-ranges': 'bytes',
    etag,
    // Shown in a browser it must not act as this server.
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'cache-control': `private, max-age=${Math.max(0, Math.floor((media.expiresAt - Date.now()) / 1000))}`,
    ...more,
  };
  if (headers['if-none-match'] === etag) {
    sink.begin(304, base, 0);
    return sink.end();
  }
  if (range === 'unsatisfiable') {
    sink.begin(416, { ...base, 'content-range': `bytes */${media.bytes}` }, 0);
    return sink.end();
  }
  const wanted = range ?? { from: 0, to: media.bytes - 1 };
  const partial: OutHeaders = range ? { 'content-range': `bytes ${range.from}-${range.to}/${media.bytes}` } : {};
  const begin = (): void => sink.begin(range ? 206 : 200, { ...base, ...partial }, wanted.to - wanted.from + 1);
  if (method === 'HEAD') {
    begin();
    return sink.end();
  }
  await whileThere(sink, async (signal) => {
    const source = await store.read(media, wanted, true, signal);
    begin();
    await pour(sink, source);
  });
}

const notFound = (): GatewayError =>
  new GatewayError(gatewayFault('not_found', 'There is nothing here (any more): links end after a while', { code: 'media_not_found' }));

/** `/media/{id}`, and Gemini's files: for whoever has a signed link, and for the key that it belongs to. */
export async function keptEndpoint(visit: Guest, id: string, ports: GatewayPorts): Promise<void> {
  const { method, path, headers, snapshot } = visit;
  if (method !== 'GET' && method !== 'HEAD') {
    throw new GatewayError({ ...gatewayFault('bad_request', 'This path answers GET, HEAD', { code: 'method_not_allowed' }), status: 405 });
  }
  const exp = path.query.get('exp') ?? '';
  const sig = path.query.get('sig') ?? '';
  const isSigned = ports.mediaStore.isSigned(id, exp, sig);
  const key = isSigned ? undefined : authenticate(snapshot, headers, path.query);
  if (key === 'missing' && sig !== '') throw notFound();
  if (typeof key === 'string') throw new GatewayError(gatewayFault('authentication', UNAUTHENTICATED[key], { code: 'invalid_api_key' }));
  const media = await ports.mediaStore.find(id);
  if (!media || (key && media.owner !== key.id)) throw notFound();
  await sendMedia(visit, media, ports.mediaStore);
}
