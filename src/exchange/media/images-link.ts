import { GatewayError, gatewayFault } from '../../ir/index.ts';
import type { MadeImage } from '../../media/images/shape.ts';
import type { MediaContext } from './media-exchange.ts';

/** An image by its address. `expiresAt`: milliseconds since 1970, where the gateway serves it. */
export interface LinkedImage extends MadeImage {
  readonly url: string;
  readonly expiresAt?: number;
}

/** Images as addresses: the provider's own where it gave one, else links that the gateway serves. */
export function linkImages(_context: MediaContext, images: readonly MadeImage[]): Promise<readonly LinkedImage[]> {
  return Promise.all(
    images.map((image) => {
      if (image.url !== undefined && !image.url.startsWith('data:')) return { ...image, url: image.url };
      throw new GatewayError(gatewayFault('not_implemented', 'no store'));
    }),
  );
}
