import { isObject, type Json, type JsonObject, kindOfStatus, parseObject } from '../../ir/index.ts';
import { jsonBody, type MediaRequest, type MediaTarget } from '../codec.ts';
import { formBody } from './form-body.ts';
import { dataUri, optionOf, present } from './losses.ts';
import { readAbout, readImage, readImages } from './openai-reply.ts';
import type { ImageCodec, ImageEvent, ImageRequest } from './shape.ts';
import { listedSizeFor, pixelsFor } from './sizes.ts';
import { readUsage } from './usage.ts';

/*
 * OpenAI's images and their copies. https://platform.openai.com/docs/api-reference/images
 *
 * Options of a preset:
 *   format   what `response_format` is sent (`b64_json`); absent: none, for models that refuse the field
 *   most     images of one request; default 10
 *   sizes    sizes from which one is taken where the client gave a ratio, by spaces; `any`: what fits the ratio
 *   edits    `form` (default), or `json`: images as data URIs in `images`
 *   stream   the provider streams
 *   azure    below `/v1`, or below the deployment where an `apiVersion` is set
 */

const GPT_IMAGE_SIZES = '1024x1024 1536x1024 1024x1536';

/** The size in pixels: what the client wrote, or what comes nearest to its ratio. */
function sizeOf(request: ImageRequest, target: MediaTarget): string | undefined {
  const { size } = request;
  if (size.ratio === undefined) return size.text;
  const sizes = optionOf(target, 'sizes') ?? GPT_IMAGE_SIZES;
  if (sizes !== 'any') return listedSizeFor(request, target.notes, sizes.split(' '));
  const pixels = pixelsFor(request, target.notes, { step: 16, min: 256, max: 3840 });
  return pixels && `${pixels.width}x${pixels.height}`;
}

function fieldsOf(request: ImageRequest, target: MediaTarget): JsonObject {
  const { prompt, n, quality, style, background, outputFormat, compression, moderation, fidelity, user, stream, rest } = request;
  const usual = { model: target.model, prompt: prompt === '' ? undefined : prompt, n, size: sizeOf(request, target), quality, user };
  return present({
    ...usual,
    style,
    background,
    output_format: outputFormat,
    output_compression: compression,
    moderation,
    input_fidelity: fidelity,
    seed: request.seed,
    negative_prompt: request.negativePrompt,
    response_format: optionOf(target, 'format'),
    ...(stream ? { stream: true, partial_images: stream.partials } : {}),
    ...rest,
  });
}

const PATHS = { generation: '/images/generations', edit: '/images/edits', variation: '/images/variations' } as const;

/** https://learn.microsoft.com/azure/ai-foundry/openai/reference */
function pathOf(path: string, { options, model, settings }: MediaTarget): string {
  if (options['azure'] !== true) return path;
  const version = settings['apiVersion'];
  return version ? `/deployments/${encodeURIComponent(model)}${path}?api-version=${encodeURIComponent(version)}` : `/v1${path}`;
}

/** Members of a form: an object as JSON. */
const formValue = (value: Json | undefined): string | number | boolean | undefined =>
  value === undefined || value === null ? undefined : typeof value === 'object' ? JSON.stringify(value) : value;

function encode(request: ImageRequest, target: MediaTarget): MediaRequest {
  const { task, images, mask } = request;
  const path = pathOf(PATHS[task], target);
  const fields = fieldsOf(request, target);
  if (task === 'generation') return { path, body: jsonBody(fields) };
  if (optionOf(target, 'edits') === 'json') {
    const given = images.map((image) => ({ image_url: dataUri(image) }));
    return { path, body: jsonBody({ ...fields, images: given, ...(mask ? { mask: { image_url: dataUri(mask) } } : {}) }) };
  }
  const name = images.length > 1 ? 'image[]' : 'image';
  return {
    path,
    ...formBody([
      ...Object.entries(fields).map(([key, value]) => [key, formValue(value)] as const),
      ...images.map((image) => [name, image] as const),
      ['mask', mask],
    ]),
  };
}

const KINDS = /^image_(?:generation|edit)\.(partial_image|completed)$/;

/** One event of a stream. https://platform.openai.com/docs/api-reference/images-streaming */
function readOpenaiEvent({ event, data }: { readonly event?: string; readonly data: string }): ImageEvent | undefined {
  const value = parseObject(data);
  if (!value) return undefined;
  const { error } = value;
  const type = typeof value['type'] === 'string' ? value['type'] : (event ?? '');
  if (isObject(error) || type === 'error') {
    const said = isObject(error) ? error : value;
    const message = typeof said['message'] === 'string' ? said['message'] : 'The provider broke off';
    const code = typeof said['code'] === 'string' ? said['code'] : undefined;
    const status = said['type'] === 'image_generation_user_error' || said['type'] === 'invalid_request_error' ? 400 : 502;
    return {
      type: 'fault',
      fault: {
        kind: kindOfStatus(status),
        status,
        message: message.slice(0, 1000),
        by: 'upstream',
        ...(code === undefined ? {} : { code }),
      },
    };
  }
  const kind = KINDS.exec(type)?.[1];
  const image = kind === undefined ? undefined : readImage(value);
  if (!image) return undefined;
  const about = readAbout(value);
  if (kind === 'completed') {
    const usage = readUsage(value['usage']);
    return { type: 'image', image, about: { ...about, ...(usage ? { usage: value['usage'] } : {}) } };
  }
  const index = value['partial_image_index'];
  return { type: 'partial', index: typeof index === 'number' ? index : 0, data: image.data ?? '', about };
}

/** OpenAI and its copies. */
export const openaiImages: ImageCodec = {
  id: 'openai',
  atOnce: (_request, { options }) => Number(options['most'] ?? 10),
  maskForm: () => 'alpha',
  encode,
  decode: (answer) => ({ kind: 'made', reply: readImages(answer) }),
  readEvent: readOpenaiEvent,
};
