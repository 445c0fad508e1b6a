import { jsonBody } from '../codec.ts';
import { dataUri, limitImages, lose, loseFormat, present, refuseMask } from './losses.ts';
import { readImages } from './openai-reply.ts';
import type { ImageCodec } from './shape.ts';
import { pixelsFor } from './sizes.ts';

/*
 * SiliconFlow's images. https://docs.siliconflow.com/en/api-reference/images/images-generations
 *
 * Options of a preset: `most`: images of one request (Kolors).
 */

const NAMES = ['image', 'image2', 'image3'] as const;

/** SiliconFlow. */
export const siliconflowImages: ImageCodec = {
  id: 'siliconflow',
  atOnce: (_request, { options }) => Number(options['most'] ?? 1),
  encode(request, { notes, model, options }) {
    lose(request, notes, 'quality', 'style', 'background', 'moderation', 'fidelity', 'user');
    loseFormat(request, notes);
    refuseMask(request);
    limitImages(request, request.task === 'edit' ? NAMES.length : 0);
    const { prompt, n, images, seed, negativePrompt, rest, task } = request;
    // Edits keep the size of their image.
    const pixels = task === 'edit' ? undefined : pixelsFor(request, notes, { step: 16, min: 256, max: 2048 });
    const sources = Object.fromEntries(images.flatMap((image, index) => (NAMES[index] ? [[NAMES[index], dataUri(image)]] : [])));
    const body = present({
      model,
      prompt,
      image_size: pixels && `${pixels.width}x${pixels.height}`,
      batch_size: options['most'] === undefined ? undefined : n,
      seed,
      negative_prompt: negativePrompt,
      ...sources,
      ...rest,
    });
    return { path: '/images/generations', body: jsonBody(body) };
  },
  decode: (answer) => ({ kind: 'made', reply: readImages(answer) }),
};
