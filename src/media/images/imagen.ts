import { GatewayError, gatewayFault, isObject, type Json, type JsonObject, parseObject } from '../../ir/index.ts';
import { jsonBody, type MediaTarget } from '../codec.ts';
import { limitImages, lose, loseRest, present, refusedByFilter } from './losses.ts';
import type { ImageCodec, ImageRequest, MadeImage } from './shape.ts';
import { ratioFor, resolutionFor } from './sizes.ts';

/*
 * Imagen, by `:predict`. https://ai.google.dev/gemini-api/docs/imagen
 * https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api
 *
 * Options of a preset:
 *   vertex   seeds and negative prompts are taken
 *   edits    references are taken (https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api-customization)
 */

const RATIOS = ['1:1', '3:4', '4:3', '9:16', '16:9'] as const;
const MOST = 4;

/** Imagen's own parameters, for a client of its dialect: they pass as they are. */
const OWN: ReadonlySet<string> = new Set([
  'personGeneration',
  'safetySetting',
  'language',
  'guidanceScale',
  'enhancePrompt',
  'addWatermark',
  'includeRaiReason',
  'includeSafetyAttributes',
  'safetyFilterLevel',
]);

function formatOf({ outputFormat, compression, names }: ImageRequest, { notes }: MediaTarget): JsonObject {
  if (outputFormat === undefined) return {};
  if (outputFormat !== 'png' && outputFormat !== 'jpeg') {
    notes.add(names.outputFormat, 'approximated', 'the target writes png or jpeg');
    return {};
  }
  return {
    outputOptions: present({ mimeType: `image/${outputFormat}`, compressionQuality: outputFormat === 'jpeg' ? compression : undefined }),
  };
}

function parametersOf(request: ImageRequest, target: MediaTarget): JsonObject {
  const { notes, options } = target;
  lose(request, notes, 'quality', 'style', 'background', 'moderation', 'fidelity', 'user');
  const isVertex = options['vertex'] === true;
  if (!isVertex) lose(request, notes, 'seed', 'negativePrompt');
  const own = Object.entries(request.rest).filter(([key]) => OWN.has(key));
  loseRest({ ...request, rest: Object.fromEntries(Object.entries(request.rest).filter(([key]) => !OWN.has(key))) }, notes);
  return present({
    sampleCount: request.n,
    aspectRatio: ratioFor(request, notes, RATIOS),
    sampleImageSize: resolutionFor(request, ['1K', '2K']),
    negativePrompt: isVertex ? request.negativePrompt : undefined,
    seed: isVertex ? request.seed : undefined,
    // A seed and a watermark exclude each other.
    addWatermark: isVertex && request.seed !== undefined && request.rest['addWatermark'] === undefined ? false : undefined,
    ...formatOf(request, target),
    ...Object.fromEntries(own),
  });
}

function instanceOf(request: ImageRequest): JsonObject {
  const { prompt, images, mask } = request;
  if (request.task === 'generation') return { prompt };
  limitImages(request, MOST);
  const references = images.map(({ data }, index) => ({
    referenceType: 'REFERENCE_TYPE_RAW',
    referenceId: index + 1,
    referenceImage: { bytesBase64Encoded: data.toString('base64') },
  }));
  if (!mask) return { prompt, referenceImages: references };
  const masked = {
    referenceType: 'REFERENCE_TYPE_MASK',
    referenceId: references.length + 1,
    referenceImage: { bytesBase64Encoded: mask.data.toString('base64') },
    maskImageConfig: { maskMode: 'MASK_MODE_USER_PROVIDED', dilation: 0 },
  };
  return { prompt, referenceImages: [...references, masked] };
}

/** https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api-edit */
function editModeOf({ task, mask }: ImageRequest): JsonObject {
  if (task !== 'edit') return {};
  return { editMode: mask ? 'EDIT_MODE_INPAINT_INSERTION' : 'EDIT_MODE_DEFAULT' };
}

const textOf = (value: Json | undefined): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** Imagen. */
export const imagenImages: ImageCodec = {
  id: 'imagen',
  atOnce: () => MOST,
  maskForm: () => 'luma',
  encode: (request, target) => ({
    path: `/models/${encodeURIComponent(target.model)}:predict`,
    body: jsonBody({
      instances: [instanceOf(request)],
      parameters: { ...parametersOf(request, target), ...editModeOf(request) },
    }),
  }),
  decode({ body }) {
    const reply = parseObject(body.toString('utf8'));
    if (!reply) throw new Error('not an object');
    const list: readonly Json[] = Array.isArray(reply['predictions']) ? reply['predictions'] : [];
    const images = list.flatMap((one): readonly MadeImage[] => {
      const data = isObject(one) ? textOf(one['bytesBase64Encoded']) : undefined;
      const revisedPrompt = isObject(one) ? textOf(one['prompt']) : undefined;
      return data === undefined ? [] : [{ data, ...(revisedPrompt === undefined ? {} : { revisedPrompt }) }];
    });
    if (images.length > 0) return { kind: 'made', reply: { images } };
    const why = list.flatMap((one) => (isObject(one) ? (textOf(one['raiFilteredReason']) ?? []) : []))[0];
    throw refusedByFilter(why ?? 'all images were filtered');
  },
};

/** More than Imagen gives at once. */
export const tooManySamples = (found: number): GatewayError =>
  new GatewayError(
    gatewayFault('bad_request', `Invalid request: 'parameters.sampleCount' must be 1 to ${MOST}, found ${found}`, {
      param: 'parameters.sampleCount',
      code: 'invalid_value',
    }),
  );
