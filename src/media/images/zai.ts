import { jsonBody } from '../codec.ts';
import { lose, loseFormat, present } from './losses.ts';
import { readImages } from './openai-reply.ts';
import type { ImageCodec } from './shape.ts';
import { pixelsFor } from './sizes.ts';

/*
 * Z.ai's images. https://docs.z.ai/api-reference/image/generate-image
 *
 * Options of a preset: `step`, `min`, `max`: the grid of a model's sides.
 */

const QUALITIES: Readonly<Record<string, string>> = { hd: 'hd', high: 'hd', standard: 'standard', medium: 'standard', low: 'standard' };

/** Z.ai. */
export const zaiImages: ImageCodec = {
  id: 'zai',
  encode(request, { notes, model, options }) {
    lose(request, notes, 'style', 'background', 'moderation', 'fidelity', 'seed', 'negativePrompt');
    loseFormat(request, notes);
    const { prompt, quality, user, rest, names } = request;
    const rules = { step: Number(options['step'] ?? 16), min: Number(options['min'] ?? 512), max: Number(options['max'] ?? 2048) };
    const pixels = pixelsFor(request, notes, rules);
    const known = quality === undefined ? undefined : QUALITIES[quality];
    if (quality !== undefined && quality !== 'auto' && known === undefined)
      notes.add(names.quality, 'dropped', 'the target knows hd and standard');
    const body = present({
      model,
      prompt,
      size: pixels && `${pixels.width}x${pixels.height}`,
      quality: known,
      // Shorter ones are refused.
      user_id: user !== undefined && user.length >= 6 && user.length <= 128 ? user : undefined,
      ...rest,
    });
    return { path: '/images/generations', body: jsonBody(body) };
  },
  decode: (answer) => ({ kind: 'made', reply: readImages(answer) }),
};
