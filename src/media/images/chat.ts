import { isObject, type Json, type JsonObject, parseObject } from '../../ir/index.ts';
import { jsonBody } from '../codec.ts';
import { dataUri, lose, loseFormat, present, refusedByFilter, refuseMask } from './losses.ts';
import type { ImageCodec, MadeImage } from './shape.ts';
import { ratioFor, resolutionFor } from './sizes.ts';
import { readUsage } from './usage.ts';

/** Images out of OpenAI-shaped chat, as routers of others' models give them. https://openrouter.ai/docs/guides/overview/multimodal/image-generation */

const objects = (value: Json | undefined): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

function imagesOf(message: JsonObject): readonly MadeImage[] {
  return objects(message['images']).flatMap(({ image_url }) => {
    const url = isObject(image_url) ? image_url['url'] : image_url;
    return typeof url === 'string' ? [{ url }] : [];
  });
}

/** Images out of chat. */
export const chatImages: ImageCodec = {
  id: 'chat',
  encode(request, { notes, model }) {
    lose(request, notes, 'quality', 'style', 'background', 'moderation', 'fidelity', 'negativePrompt');
    loseFormat(request, notes);
    refuseMask(request);
    const { prompt, images, seed, user, rest, task } = request;
    const text = task === 'variation' ? 'Make a variation of this image.' : prompt;
    const config = present({ aspect_ratio: ratioFor(request, notes), image_size: resolutionFor(request) });
    const content = [...images.map((image) => ({ type: 'image_url', image_url: { url: dataUri(image) } })), { type: 'text', text }];
    const body = present({
      model,
      messages: [{ role: 'user', content }],
      modalities: ['image', 'text'],
      image_config: Object.keys(config).length > 0 ? config : undefined,
      seed,
      user,
      ...rest,
    });
    return { path: '/chat/completions', body: jsonBody(body) };
  },
  decode({ body }) {
    const reply = parseObject(body.toString('utf8'));
    if (!reply) throw new Error('not an object');
    const messages = objects(reply['choices']).flatMap(({ message }) => (isObject(message) ? [message] : []));
    const images = messages.flatMap(imagesOf);
    if (images.length === 0) {
      const [first] = messages;
      if (!first) throw new Error('a reply without choices');
      throw refusedByFilter(typeof first['content'] === 'string' && first['content'] !== '' ? first['content'] : 'no reason was given');
    }
    const usage = readUsage(reply['usage']);
    const { model } = reply;
    return { kind: 'made', reply: { images, ...(usage ? { usage } : {}), ...(typeof model === 'string' ? { model } : {}) } };
  },
};
