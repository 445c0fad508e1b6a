import { jsonBody } from '../codec.ts';
import { dataUri, limitImages, lose, loseFormat, present, refuseMask } from './losses.ts';
import { readImages } from './openai-reply.ts';
import type { ImageCodec } from './shape.ts';
import { ratioFor, resolutionFor } from './sizes.ts';

/*
 * xAI's images: OpenAI's paths, ratios for sizes, images of edits as JSON. https://docs.x.ai/docs/guides/image-generations
 *
 * Options of a preset: `ratios`: the model takes `aspect_ratio` and `resolution` (Grok Imagine).
 */

const RATIOS = ['1:1', '3:4', '4:3', '9:16', '16:9', '2:3', '3:2', '9:20', '20:9', '1:2', '2:1'] as const;

/** xAI. */
export const xaiImages: ImageCodec = {
  id: 'xai',
  atOnce: () => 10,
  encode(request, target) {
    const { notes, model, options } = target;
    const { prompt, n, images, task, user, rest, size, names } = request;
    lose(request, notes, 'quality', 'style', 'background', 'moderation', 'fidelity', 'seed', 'negativePrompt');
    loseFormat(request, notes, 'jpeg');
    refuseMask(request);
    limitImages(request, task === 'edit' ? 3 : 0);
    const takesRatios = options['ratios'] === true;
    if (!takesRatios && (size.width !== undefined || size.ratio !== undefined || size.resolution !== undefined))
      notes.add(names.size, 'dropped', 'the target makes one size only');
    const sources = images.map((image) => ({ url: dataUri(image), type: 'image_url' }));
    const body = present({
      model,
      prompt,
      n,
      response_format: 'b64_json',
      aspect_ratio: takesRatios ? ratioFor(request, notes, RATIOS) : undefined,
      resolution: takesRatios ? resolutionFor(request, ['1K', '2K'])?.toLowerCase() : undefined,
      user,
      ...(sources.length === 1 ? { image: sources[0] } : {}),
      ...(sources.length > 1 ? { images: sources } : {}),
      ...rest,
    });
    return { path: task === 'edit' ? '/images/edits' : '/images/generations', body: jsonBody(body) };
  },
  decode: (answer) => ({ kind: 'made', reply: readImages(answer) }),
};
