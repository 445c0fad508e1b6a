import { type Fault, type Json, kindOfStatus, parseObject } from '../../ir/index.ts';
import type { MediaRequest, MediaTarget } from '../codec.ts';
import { formBody, type FormPiece } from './form-body.ts';
import { limitImages, lose, refusedByFilter } from './losses.ts';
import type { ImageCodec, ImageRequest } from './shape.ts';
import { ratioFor } from './sizes.ts';

/*
 * Stability's images: forms in, JSON with base64 out. https://platform.stability.ai/docs/api-reference#tag/Generate
 *
 * The path says the service, and below a mask another one (https://platform.stability.ai/docs/api-reference#tag/Edit): `ultra`, `core`, or `sd3` with a model in the form.
 */

const RATIOS = ['16:9', '1:1', '21:9', '2:3', '3:2', '4:5', '5:4', '9:16', '9:21'] as const;

const SERVICES: Readonly<Record<string, string>> = { 'stable-image-ultra': 'ultra', 'stable-image-core': 'core' };

/** How far an image may go from the one that it starts from, where nothing is said. */
const STRENGTH = 0.7;

function formatOf({ outputFormat, names }: ImageRequest, service: string, { notes }: MediaTarget): string | undefined {
  if (outputFormat !== 'webp' || service !== 'sd3') return outputFormat;
  notes.add(names.outputFormat, 'approximated', 'the target writes png or jpeg');
  return undefined;
}

function encode(request: ImageRequest, target: MediaTarget): MediaRequest {
  const { notes, model } = target;
  lose(request, notes, 'quality', 'background', 'moderation', 'fidelity', 'user', 'compression');
  limitImages(request, request.task === 'edit' ? 1 : 0);
  const { prompt, images, seed, negativePrompt, style, rest, mask } = request;
  const service = mask ? 'inpaint' : (SERVICES[model] ?? 'sd3');
  const [image] = images;
  const pieces: FormPiece[] = [
    ['prompt', prompt],
    ...(service === 'sd3' ? [['model', model] as const, ['mode', image ? 'image-to-image' : 'text-to-image'] as const] : []),
    ['image', image],
    ['mask', mask],
    ['strength', image && !mask && rest['strength'] === undefined ? STRENGTH : undefined],
    // The size of the image that is edited stays.
    ['aspect_ratio', image ? undefined : ratioFor(request, notes, RATIOS)],
    ['negative_prompt', negativePrompt],
    ['seed', seed],
    ['style_preset', style],
    ['output_format', formatOf(request, service, target)],
    ...Object.entries(rest).flatMap(([key, value]): readonly FormPiece[] =>
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [[key, value]] : [],
    ),
  ];
  const { headers, body } = formBody(pieces);
  const path = mask ? '/edit/inpaint' : `/generate/${service}`;
  return { path, headers: { ...headers, accept: 'application/json' }, body };
}

const textOf = (value: Json | undefined): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** Stability. */
export const stabilityImages: ImageCodec = {
  id: 'stability',
  maskForm: () => 'luma',
  encode,
  decode({ body }) {
    const reply = parseObject(body.toString('utf8'));
    const data = textOf(reply?.['image']);
    if (reply?.['finish_reason'] === 'CONTENT_FILTERED') throw refusedByFilter('CONTENT_FILTERED');
    if (data === undefined) throw new Error('a reply without an image');
    return { kind: 'made', reply: { images: [{ data }] } };
  },
  /** `{id, name, errors: […]}`; what the safety system refuses is a 403 as well. */
  decodeFault(status, body): Fault | undefined {
    const reply = parseObject(body);
    const errors = reply?.['errors'];
    const message = Array.isArray(errors) ? errors.filter((one: Json) => typeof one === 'string').join('; ') : undefined;
    if (!reply || message === undefined || message === '') return undefined;
    const name = textOf(reply['name']);
    if (name === 'content_moderation') return refusedByFilter(message).fault;
    return { kind: kindOfStatus(status), status, message, by: 'upstream', ...(name === undefined ? {} : { code: name }) };
  },
};
