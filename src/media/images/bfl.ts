import { type Fault, isObject, type Json, type JsonObject, kindOfStatus, parseObject } from '../../ir/index.ts';
import { jsonBody, type MediaAnswer, type MediaTarget } from '../codec.ts';
import { failedJob, limitImages, lose, present, refusedByFilter, refuseMask } from './losses.ts';
import type { ImageCodec, ImageOutcome, ImageRequest } from './shape.ts';
import { pixelsFor, ratioFor } from './sizes.ts';

/*
 * Black Forest Labs: every image is a job. https://docs.bfl.ai/quick_start/generating_images
 *
 * Options of a preset:
 *   ratio    the model takes `aspect_ratio` in place of width and height
 *   step     sides are multiples of it; default 32. max: the longest side; default 1440
 *   images   how many images an edit takes; default 1
 *   fill     the model edits below a mask (https://docs.bfl.ai/flux_tools/flux_1_fill)
 */

const RATIOS = ['1:1', '21:9', '16:9', '3:2', '4:3', '5:4', '4:5', '3:4', '2:3', '9:16', '9:21'] as const;

function sourcesOf(request: ImageRequest, { options }: MediaTarget): JsonObject {
  const { images, mask } = request;
  if (options['fill'] === true) {
    limitImages(request, 1);
    return present({ image: images[0]?.data.toString('base64'), mask: mask?.data.toString('base64') });
  }
  refuseMask(request);
  limitImages(request, request.task === 'edit' ? Number(options['images'] ?? 1) : 0);
  return Object.fromEntries(
    images.map(({ data }, index) => [index === 0 ? 'input_image' : `input_image_${index + 1}`, data.toString('base64')]),
  );
}

function sizeOf(request: ImageRequest, { notes, options }: MediaTarget): JsonObject {
  if (options['fill'] === true) return {};
  if (options['ratio'] === true) return present({ aspect_ratio: ratioFor(request, notes, RATIOS) });
  const rules = { step: Number(options['step'] ?? 32), min: 256, max: Number(options['max'] ?? 1440) };
  return { ...pixelsFor(request, notes, rules) };
}

const objectOf = ({ body }: MediaAnswer): JsonObject => {
  const object = parseObject(body.toString('utf8'));
  if (!object) throw new Error('not an object');
  return object;
};

const textOf = (value: Json | undefined): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

const MODERATED: ReadonlySet<string> = new Set(['Request Moderated', 'Content Moderated']);
const GOING_ON: ReadonlySet<string> = new Set(['Pending', 'Queued', 'Processing']);

/** https://docs.bfl.ai/api-reference/utility/get-result */
function outcomeOf(reply: JsonObject, job: { readonly id: string; readonly url?: string }): ImageOutcome {
  const status = textOf(reply['status']) ?? '';
  const { progress } = reply;
  if (GOING_ON.has(status))
    return { kind: 'pending', job, ...(typeof progress === 'number' ? { progress: Math.round(progress * 100) } : {}) };
  const result = isObject(reply['result']) ? reply['result'] : {};
  const url = textOf(result['sample']);
  if (status === 'Ready' && url !== undefined) return { kind: 'made', reply: { images: [{ url }] } };
  if (MODERATED.has(status)) throw refusedByFilter(status);
  const details = isObject(reply['details']) ? JSON.stringify(reply['details']) : textOf(reply['details']);
  throw failedJob([status, details].filter((text) => text !== undefined && text !== '').join(': '));
}

/** Black Forest Labs. */
export const bflImages: ImageCodec = {
  id: 'bfl',
  answersWithJobs: () => true,
  maskForm: ({ fill }) => (fill === true ? 'luma' : undefined),
  encode(request, target) {
    const { notes, model } = target;
    lose(request, notes, 'quality', 'style', 'background', 'moderation', 'fidelity', 'user', 'negativePrompt', 'compression');
    const { prompt, seed, outputFormat, names, rest } = request;
    const takesFormat = outputFormat === undefined || outputFormat === 'png' || outputFormat === 'jpeg';
    if (!takesFormat) notes.add(names.outputFormat, 'approximated', 'the target writes png or jpeg');
    const body = present({
      prompt,
      ...sourcesOf(request, target),
      ...sizeOf(request, target),
      seed,
      // Its own default is jpeg; clients of OpenAI's expect png.
      output_format: takesFormat ? (outputFormat ?? 'png') : undefined,
      ...rest,
    });
    return { path: `/${encodeURIComponent(model)}`, body: jsonBody(body) };
  },
  decode(answer) {
    const reply = objectOf(answer);
    const id = textOf(reply['id']);
    const url = textOf(reply['polling_url']);
    if (id === undefined) throw new Error('a job without an id');
    return { kind: 'pending', job: { id, ...(url === undefined ? {} : { url }) } };
  },
  poll: ({ id, url }) => ({ method: 'GET', path: `/get_result?id=${encodeURIComponent(id)}`, ...(url === undefined ? {} : { url }) }),
  decodeJob: (answer, job) => outcomeOf(objectOf(answer), job),
  /** `{detail}`, a text or a list of what is wrong. */
  decodeFault(status, body): Fault | undefined {
    const detail = parseObject(body)?.['detail'];
    const first = Array.isArray(detail) ? (detail as readonly Json[])[0] : undefined;
    const message = textOf(detail) ?? (isObject(first) ? textOf(first['msg']) : undefined);
    if (message === undefined) return undefined;
    const loc = isObject(first) && Array.isArray(first['loc']) ? (first['loc'] as readonly Json[]).at(-1) : undefined;
    return { kind: kindOfStatus(status), status, message, by: 'upstream', ...(typeof loc === 'string' ? { param: loc } : {}) };
  },
};
