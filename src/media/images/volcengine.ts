import { jsonBody, type MediaTarget } from '../codec.ts';
import { dataUri, limitImages, lose, loseFormat, present, refuseMask } from './losses.ts';
import { readImages } from './openai-reply.ts';
import type { ImageCodec, ImageRequest } from './shape.ts';
import { pixelsFor } from './sizes.ts';

/*
 * Seedream and SeedEdit of Volcengine Ark. https://www.volcengine.com/docs/82379/1541523
 *
 * Options of a preset:
 *   area     the fewest pixels that the model makes: smaller wishes become larger, in their ratio
 *   images   how many images an edit takes; default 1
 */

function sizeOf(request: ImageRequest, { notes, options }: MediaTarget): string | undefined {
  const { size, names } = request;
  if (size.resolution !== undefined && size.width === undefined && size.ratio === undefined) return size.resolution;
  const area = Number(options['area'] ?? 0);
  const { width, height } = size;
  if (width !== undefined && height !== undefined && width * height < area) {
    const by = Math.sqrt(area / (width * height));
    // Upwards: below the fewest pixels it is refused.
    const [wider, higher] = [Math.ceil((width * by) / 16) * 16, Math.ceil((height * by) / 16) * 16];
    notes.add(names.size, 'approximated', `the target makes at least ${area} pixels: ${wider}x${higher}`);
    return `${wider}x${higher}`;
  }
  const pixels = pixelsFor(request, notes, { step: 1, min: 512, max: 4096, area: Math.max(area, 1024 * 1024) });
  return pixels && `${pixels.width}x${pixels.height}`;
}

/** Volcengine Ark. */
export const volcengineImages: ImageCodec = {
  id: 'volcengine',
  encode(request, target) {
    const { notes, model, options } = target;
    lose(request, notes, 'quality', 'style', 'background', 'moderation', 'fidelity', 'user', 'negativePrompt');
    loseFormat(request, notes, 'jpeg');
    refuseMask(request);
    limitImages(request, request.task === 'edit' ? Number(options['images'] ?? 1) : 0);
    const { prompt, images, seed, rest } = request;
    const sources = images.map((image) => dataUri(image));
    const body = present({
      model,
      prompt,
      size: sizeOf(request, target),
      seed,
      response_format: 'b64_json',
      ...(sources.length > 0 ? { image: sources.length === 1 ? sources[0] : sources } : {}),
      ...rest,
    });
    return { path: '/images/generations', body: jsonBody(body) };
  },
  decode: (answer) => ({ kind: 'made', reply: readImages(answer) }),
};
