import { type Fault, isObject, type Json, type JsonObject, kindOfStatus, parseObject } from '../../ir/index.ts';
import { jsonBody, type MediaAnswer, type MediaRequest, type MediaTarget } from '../codec.ts';
import { dataUri, failedJob, limitImages, lose, loseFormat, present, refusedByFilter, refuseMask } from './losses.ts';
import type { ImageCodec, ImageOutcome, ImageRequest } from './shape.ts';
import { listedSizeFor, pixelsFor } from './sizes.ts';

/*
 * DashScope's images. Jobs, by a header: https://www.alibabacloud.com/help/en/model-studio/text-to-image-v2-api-reference
 * Conversations that hold one image: https://www.alibabacloud.com/help/en/model-studio/qwen-image-api
 *
 * Options of a preset:
 *   form     `job` (default), or `conversation`
 *   edits    how a job is given its images: `images` (Wan 2.5), or `base_image_url` (Wanx 2.1)
 *   images   how many images an edit takes; default 3
 *   most     images of one request; default 4
 *   sizes    sizes that the model makes, by spaces; absent: any in its grid
 *   max      the longest side; default 1440
 */

/** Sides are joined by a star here. */
function sizeOf(request: ImageRequest, { notes, options }: MediaTarget): string | undefined {
  const { sizes } = options;
  if (typeof sizes === 'string') return listedSizeFor(request, notes, sizes.split(' '))?.replace('x', '*');
  const pixels = pixelsFor(request, notes, { step: 16, min: 512, max: Number(options['max'] ?? 1440) });
  return pixels && `${pixels.width}*${pixels.height}`;
}

function parametersOf(request: ImageRequest, target: MediaTarget): JsonObject {
  const { n, seed, rest } = request;
  const keepsSize = request.task === 'edit' && target.options['edits'] === 'base_image_url';
  return present({ size: keepsSize ? undefined : sizeOf(request, target), n, seed, ...rest });
}

function jobInput(request: ImageRequest, { options }: MediaTarget): JsonObject {
  const { prompt, negativePrompt, images, mask } = request;
  if (request.task !== 'edit') return present({ prompt, negative_prompt: negativePrompt });
  if (options['edits'] === 'base_image_url') {
    limitImages(request, 1);
    return present({
      function: mask ? 'description_edit_with_mask' : 'description_edit',
      prompt,
      base_image_url: images[0] && dataUri(images[0]),
      mask_image_url: mask && dataUri(mask),
    });
  }
  refuseMask(request);
  limitImages(request, Number(options['images'] ?? 3));
  return present({ prompt, negative_prompt: negativePrompt, images: images.map((image) => dataUri(image)) });
}

function encodeConversation(request: ImageRequest, target: MediaTarget): MediaRequest {
  refuseMask(request);
  limitImages(request, request.task === 'edit' ? Number(target.options['images'] ?? 3) : 0);
  const { prompt, images, negativePrompt } = request;
  const content = [...images.map((image) => ({ image: dataUri(image) })), { text: prompt }];
  const parameters = { ...parametersOf(request, target), ...present({ negative_prompt: negativePrompt }) };
  return {
    path: '/services/aigc/multimodal-generation/generation',
    body: jsonBody({ model: target.model, input: { messages: [{ role: 'user', content }] }, parameters }),
  };
}

function encode(request: ImageRequest, target: MediaTarget): MediaRequest {
  lose(request, target.notes, 'quality', 'style', 'background', 'moderation', 'fidelity', 'user');
  loseFormat(request, target.notes);
  if (target.options['form'] === 'conversation') return encodeConversation(request, target);
  const service = request.task === 'edit' ? 'image2image' : 'text2image';
  return {
    path: `/services/aigc/${service}/image-synthesis`,
    headers: { 'x-dashscope-async': 'enable' },
    body: jsonBody({ model: target.model, input: jobInput(request, target), parameters: parametersOf(request, target) }),
  };
}

const textOf = (value: Json | undefined): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const objects = (value: Json | undefined): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

function outputOf({ body }: MediaAnswer): JsonObject {
  const output = parseObject(body.toString('utf8'))?.['output'];
  if (!isObject(output)) throw new Error('a reply without an output');
  return output;
}

/** A refusal in the vendor's words; the safety system's own code tells it from other failures. */
function refusal(from: JsonObject): Error {
  const code = textOf(from['code']);
  const message = textOf(from['message']) ?? code ?? 'no reason was given';
  return code !== undefined && /DataInspection|IPInfringement/i.test(code) ? refusedByFilter(message) : failedJob(message);
}

const GOING_ON: ReadonlySet<string> = new Set(['PENDING', 'RUNNING']);

function jobOutcome(output: JsonObject, id: string): ImageOutcome {
  const status = textOf(output['task_status']) ?? '';
  if (GOING_ON.has(status)) return { kind: 'pending', job: { id } };
  const results = objects(output['results']);
  const images = results.flatMap((one) => {
    const url = textOf(one['url']);
    const revisedPrompt = textOf(one['actual_prompt']);
    return url === undefined ? [] : [{ url, ...(revisedPrompt === undefined ? {} : { revisedPrompt }) }];
  });
  if (status === 'SUCCEEDED' && images.length > 0) return { kind: 'made', reply: { images } };
  const failed = results.find((one) => textOf(one['code']) !== undefined);
  throw refusal(failed ?? (textOf(output['code']) === undefined ? { message: `the job is ${status || 'lost'}` } : output));
}

function conversationOutcome(output: JsonObject): ImageOutcome {
  const images = objects(output['choices']).flatMap(({ message }) =>
    objects(isObject(message) ? message['content'] : undefined).flatMap(({ image }) => (typeof image === 'string' ? [{ url: image }] : [])),
  );
  if (images.length === 0) throw new Error('a reply without images');
  return { kind: 'made', reply: { images } };
}

/** DashScope. */
export const dashscopeImages: ImageCodec = {
  id: 'dashscope',
  maskForm: ({ edits }) => (edits === 'base_image_url' ? 'luma' : undefined),
  answersWithJobs: ({ form }) => form !== 'conversation',
  atOnce: (_request, { options }) => Number(options['most'] ?? 4),
  encode,
  decode(answer, _request, { options }) {
    const output = outputOf(answer);
    if (options['form'] === 'conversation') return conversationOutcome(output);
    const id = textOf(output['task_id']);
    if (id === undefined) throw new Error('a job without an id');
    return { kind: 'pending', job: { id } };
  },
  poll: ({ id }) => ({ method: 'GET', path: `/tasks/${encodeURIComponent(id)}` }),
  decodeJob: (answer, { id }) => jobOutcome(outputOf(answer), id),
  /** `{code, message, request_id}`. */
  decodeFault(status, body): Fault | undefined {
    const reply = parseObject(body);
    const message = textOf(reply?.['message']);
    const code = textOf(reply?.['code']);
    if (message === undefined || code === undefined) return undefined;
    return { kind: kindOfStatus(status), status, message, code, by: 'upstream' };
  },
};
