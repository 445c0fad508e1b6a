import { isObject, type Json, type JsonObject, parseObject } from '../../ir/index.ts';
import { jsonBody, type MediaAnswer, type MediaTarget } from '../codec.ts';
import { dataUri, failedJob, limitImages, lose, present, refusedByFilter, refuseMask } from './losses.ts';
import type { ImageCodec, ImageOutcome, ImageRequest } from './shape.ts';
import { ratioFor } from './sizes.ts';

/*
 * Fireworks' image workflows. https://docs.fireworks.ai/api-reference/generate-a-new-image-from-a-text-prompt
 * Kontext is a job: https://docs.fireworks.ai/api-reference/generate-or-edit-image-using-flux-kontext
 *
 * Options of a preset: `job`: the model answers with a job.
 */

const RATIOS = ['1:1', '21:9', '16:9', '3:2', '5:4', '4:5', '2:3', '9:16', '9:21', '4:3', '3:4'] as const;

/** The model's name is its path here. */
const pathOf = ({ model }: MediaTarget, verb: string): string => `/workflows/${model.split('/').map(encodeURIComponent).join('/')}${verb}`;

const objectOf = ({ body }: MediaAnswer): JsonObject => {
  const object = parseObject(body.toString('utf8'));
  if (!object) throw new Error('not an object');
  return object;
};

const textOf = (value: Json | undefined): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

function encodeJob(request: ImageRequest, target: MediaTarget): JsonObject {
  const { prompt, images, seed, outputFormat, rest } = request;
  limitImages(request, request.task === 'edit' ? 1 : 0);
  const [image] = images;
  return present({
    prompt,
    input_image: image && dataUri(image),
    aspect_ratio: ratioFor(request, target.notes, RATIOS),
    seed,
    output_format: outputFormat === 'png' || outputFormat === 'jpeg' ? outputFormat : undefined,
    ...rest,
  });
}

/** Words of a job that goes on. */
const GOING_ON: ReadonlySet<string> = new Set(['Pending', 'Queued', 'Processing']);

function outcomeOf(reply: JsonObject, id: string): ImageOutcome {
  const status = textOf(reply['status']) ?? '';
  if (GOING_ON.has(status)) return { kind: 'pending', job: { id } };
  const result = isObject(reply['result']) ? reply['result'] : {};
  const url = textOf(result['sample']);
  if (status === 'Ready' && url !== undefined) return { kind: 'made', reply: { images: [{ url }] } };
  if (status.includes('Moderated')) throw refusedByFilter(status);
  throw failedJob(status);
}

/** Fireworks. */
export const fireworksImages: ImageCodec = {
  id: 'fireworks',
  answersWithJobs: ({ job }) => job === true,
  encode(request, target) {
    lose(request, target.notes, 'quality', 'style', 'background', 'moderation', 'fidelity', 'user', 'negativePrompt', 'compression');
    refuseMask(request);
    if (target.options['job'] === true) return { path: pathOf(target, ''), body: jsonBody(encodeJob(request, target)) };
    limitImages(request, 0);
    const { prompt, seed, rest, outputFormat, names } = request;
    if (outputFormat === 'webp') target.notes.add(names.outputFormat, 'approximated', 'the target writes png or jpeg');
    return {
      path: pathOf(target, '/text_to_image'),
      // JSON holds base64; the usual answer would be the bytes of one image.
      headers: { accept: 'application/json' },
      body: jsonBody(present({ prompt, aspect_ratio: ratioFor(request, target.notes, RATIOS), seed, ...rest })),
    };
  },
  decode(answer, _request, { options }) {
    const reply = objectOf(answer);
    if (options['job'] === true) {
      const id = textOf(reply['request_id']) ?? textOf(reply['id']);
      if (id === undefined) throw new Error('a job without an id');
      return { kind: 'pending', job: { id } };
    }
    const list = reply['base64'];
    const images = (Array.isArray(list) ? (list as readonly Json[]) : [list]).flatMap((one) =>
      typeof one === 'string' ? [{ data: one }] : [],
    );
    if (reply['finishReason'] === 'CONTENT_FILTERED') throw refusedByFilter('CONTENT_FILTERED');
    if (images.length === 0) throw new Error('a reply without images');
    return { kind: 'made', reply: { images } };
  },
  poll: ({ id }, target) => ({ path: pathOf(target, '/get_result'), body: jsonBody({ id }) }),
  decodeJob: (answer, { id }) => outcomeOf(objectOf(answer), id),
};
