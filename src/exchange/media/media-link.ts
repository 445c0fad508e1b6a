import type { MediaCall } from './media-exchange.ts';
import type { KeptMedia, MediaStore } from '../ports.ts';

/** Where the client reaches this server: what the operator says, else what the client called. */
export function publicOrigin({ headers, snapshot }: Pick<MediaCall, 'headers' | 'snapshot'>): string {
  const { publicUrl, port } = snapshot.config.server;
  if (publicUrl !== undefined) return publicUrl;
  const { host = '' } = headers;
  // What a client sends is said again to that client only, but must not become more than a host.
  return /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(host) ? `http://${host}` : `http://127.0.0.1:${port}`;
}

/** A whole signed address of a kept medium, good for 24 hours or until `expiresAt` (milliseconds since 1970). */
export const mediaLink = (
  call: Pick<MediaCall, 'headers' | 'snapshot'>,
  store: MediaStore,
  media: Pick<KeptMedia, 'id' | 'expiresAt'>,
  expiresAt?: number,
): string => publicOrigin(call) + store.link(media, expiresAt);
