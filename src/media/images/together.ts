import { jsonBody } from '../codec.ts';
import { dataUri, limitImages, lose, present, refuseMask } from './losses.ts';
import { readImages } from './openai-reply.ts';
import type { ImageCodec } from './shape.ts';
import { pixelsFor } from './sizes.ts';

/** Together's images. https://docs.together.ai/reference/post-images-generations */
export const togetherImages: ImageCodec = {
  id: 'together',
  atOnce: () => 4,
  encode(request, { notes, model }) {
    lose(request, notes, 'quality', 'style', 'background', 'moderation', 'fidelity', 'user', 'compression');
    refuseMask(request);
    limitImages(request, request.task === 'edit' ? 1 : 0);
    const { prompt, n, images, seed, negativePrompt, outputFormat, names, rest } = request;
    const takesFormat = outputFormat === undefined || outputFormat === 'png' || outputFormat === 'jpeg';
    if (!takesFormat) notes.add(names.outputFormat, 'approximated', 'the target writes png or jpeg');
    const [image] = images;
    const body = present({
      model,
      prompt,
      n,
      ...pixelsFor(request, notes, { step: 16, min: 64, max: 1792 }),
      seed,
      negative_prompt: negativePrompt,
      response_format: 'base64',
      output_format: takesFormat ? outputFormat : undefined,
      image_url: image && dataUri(image),
      ...rest,
    });
    return { path: '/images/generations', body: jsonBody(body) };
  },
  decode: (answer) => ({ kind: 'made', reply: readImages(answer) }),
};
