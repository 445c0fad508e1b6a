import { isObject, type Json, type JsonObject, parseObject, type Usage } from '../../ir/index.ts';
import { jsonBody } from '../codec.ts';
import { lose, loseFormat, loseRest, refusedByFilter, refuseMask } from './losses.ts';
import type { ImageCodec, ImageRequest, MadeImage } from './shape.ts';
import { ratioFor, resolutionFor } from './sizes.ts';
import type { MediaTarget } from '../codec.ts';

/*
 * Gemini's models that make images in a conversation. https://ai.google.dev/gemini-api/docs/image-generation
 *
 * Options of a preset: `sizes`: the model takes `imageSize`.
 */

const objects = (value: Json | undefined): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

function encodeBody(request: ImageRequest, { notes, options }: MediaTarget): JsonObject {
  lose(request, notes, 'quality', 'style', 'background', 'moderation', 'fidelity', 'user');
  loseFormat(request, notes);
  loseRest(request, notes);
  refuseMask(request);
  const { prompt, images, negativePrompt, seed } = request;
  const aspectRatio = ratioFor(request, notes);
  const imageSize = options['sizes'] === true ? resolutionFor(request) : undefined;
  const config = { ...(aspectRatio === undefined ? {} : { aspectRatio }), ...(imageSize === undefined ? {} : { imageSize }) };
  const wish = negativePrompt === undefined ? prompt : `${prompt}\n\nAvoid: ${negativePrompt}`;
  if (negativePrompt !== undefined) notes.add(request.names.negativePrompt, 'moved', 'the target has no such setting: said in the prompt');
  const text = request.task === 'variation' ? 'Make a variation of this image.' : wish;
  return {
    contents: [
      {
        role: 'user',
        parts: [...images.map(({ data, mediaType }) => ({ inlineData: { mimeType: mediaType, data: data.toString('base64') } })), { text }],
      },
    ],
    generationConfig: {
      responseModalities: ['TEXT', 'IMAGE'],
      ...(Object.keys(config).length > 0 ? { imageConfig: config } : {}),
      ...(seed === undefined ? {} : { seed }),
    },
  };
}

function tokensOf(details: Json | undefined, modality: string): number | undefined {
  const found = objects(details).find((one) => one['modality'] === modality)?.['tokenCount'];
  return typeof found === 'number' ? found : undefined;
}

const number = (value: Json | undefined): number => (typeof value === 'number' ? value : 0);

function usageOf(metadata: Json | undefined): Usage | undefined {
  if (!isObject(metadata)) return undefined;
  const inputImage = tokensOf(metadata['promptTokensDetails'], 'IMAGE');
  const outputImage = tokensOf(metadata['candidatesTokensDetails'], 'IMAGE');
  const reasoning = number(metadata['thoughtsTokenCount']);
  return {
    input: number(metadata['promptTokenCount']),
    output: number(metadata['candidatesTokenCount']) + reasoning,
    ...(inputImage === undefined ? {} : { inputImage }),
    ...(outputImage === undefined ? {} : { outputImage }),
  };
}

/** Images among the parts; thoughts may hold drafts, which are not the answer. */
function imagesOf(parts: readonly JsonObject[]): readonly MadeImage[] {
  return parts.flatMap((part) => {
    const inline = part['inlineData'] ?? part['inline_data'];
    const data = part['thought'] !== true && isObject(inline) ? inline['data'] : undefined;
    return typeof data === 'string' ? [{ data }] : [];
  });
}

/** Why there is no image, in the provider's own words. */
function reasonOf(reply: JsonObject, candidates: readonly JsonObject[]): string {
  const feedback = reply['promptFeedback'];
  if (isObject(feedback) && typeof feedback['blockReason'] === 'string') return feedback['blockReason'];
  const [first] = candidates;
  const text = objects(isObject(first?.['content']) ? first['content']['parts'] : undefined).flatMap((part) =>
    typeof part['text'] === 'string' && part['thought'] !== true ? [part['text']] : [],
  );
  if (text.length > 0) return text.join(' ');
  const said = first?.['finishMessage'] ?? first?.['finishReason'];
  return typeof said === 'string' ? said : 'no reason was given';
}

/** Gemini's image models. */
export const geminiImages: ImageCodec = {
  id: 'gemini',
  encode: (request, target) => ({
    path: `/models/${encodeURIComponent(target.model)}:generateContent`,
    body: jsonBody(encodeBody(request, target)),
  }),
  decode({ body }) {
    const reply = parseObject(body.toString('utf8'));
    if (!reply) throw new Error('not an object');
    const candidates = objects(reply['candidates']);
    const images = candidates.flatMap(({ content }) => imagesOf(objects(isObject(content) ? content['parts'] : undefined)));
    if (images.length === 0) throw refusedByFilter(reasonOf(reply, candidates));
    const usage = usageOf(reply['usageMetadata']);
    const model = reply['modelVersion'];
    return {
      kind: 'made',
      reply: { images, ...(usage ? { usage } : {}), ...(typeof model === 'string' ? { model } : {}) },
    };
  },
};
