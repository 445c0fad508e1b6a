import type { MadeImage } from '../../media/images/shape.ts';
import { holdImage } from './images.ts';
import type { MediaContext } from './media-exchange.ts';
import { mediaLink } from './media-link.ts';
import { sideBySide } from './side-by-side.ts';

/** An image by its address. `expiresAt`: milliseconds since 1970, where the gateway serves it. */
export interface LinkedImage extends MadeImage {
  readonly url: string;
  readonly expiresAt?: number;
}

/** How long a link that the gateway serves is good. */
export const LINK_MS = 24 * 3_600_000;

const remoteUrl = ({ url }: MadeImage): string | undefined => (url !== undefined && /^https?:/i.test(url) ? url : undefined);

/** Images as addresses: the provider's own where it gave one, else links that the gateway serves. */
export const linkImages = (context: MediaContext, images: readonly MadeImage[]): Promise<readonly LinkedImage[]> =>
  sideBySide(images, 4, async (image, signal) => {
    const remote = remoteUrl(image);
    if (remote !== undefined) return { ...image, url: remote };
    const { call, ports } = context;
    const { data, mediaType } = await holdImage(context, image, signal);
    const expiresAt = ports.clock.now() + LINK_MS;
    const kept = await ports.mediaStore.put(Buffer.from(data, 'base64'), { mediaType, owner: call.key.id, expiresAt });
    return { ...image, url: mediaLink(call, ports.mediaStore, kept, expiresAt), expiresAt };
  });
