import type { IncomingMessage } from 'node:http';
import { badField, type JsonObject, missingField } from '../../../ir/index.ts';
import { type MediaContext, runMedia } from '../../../exchange/media/media-exchange.ts';
import { holdImages, makeImages, writeImages } from '../../../exchange/media/images.ts';
import type { Writing } from '../../../exchange/media/writing.ts';
import { tooManySamples } from '../../../media/images/imagen.ts';
import type { ImageFieldNames, ImageFile, ImageRequest } from '../../../media/images/shape.ts';
import { readSize } from '../../../media/images/sizes.ts';
import {
  objectAt,
  optionalArray,
  optionalCount,
  optionalNumber,
  optionalObject,
  optionalString,
  requiredArray,
  requiredString,
  unknownMembers,
} from '../../../wire/fields.ts';
import type { MediaOperation } from '../endpoints.ts';
import type { GatewayPorts, Visit } from '../visit.ts';
import { fingerprintOf, onlyOnce } from '../idempotency.ts';
import { whileAlive } from '../stay-alive.ts';
import { asksForVectors, predictVectors } from './embeddings-predict.ts';
import { blankFor, loadImage } from './images-read.ts';
import { mediaCall, readJson } from './read-json.ts';

/*
 * Imagen's form of images, over any provider. https://ai.google.dev/gemini-api/docs/imagen
 * https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api
 */

const NAMES: ImageFieldNames = {
  size: 'parameters.aspectRatio',
  quality: 'parameters.quality',
  style: 'parameters.style',
  background: 'parameters.background',
  outputFormat: 'parameters.outputOptions.mimeType',
  compression: 'parameters.outputOptions.compressionQuality',
  moderation: 'parameters.safetySetting',
  fidelity: 'parameters.editConfig',
  user: 'labels',
  seed: 'parameters.seed',
  negativePrompt: 'parameters.negativePrompt',
  mask: 'instances[0].referenceImages',
  n: 'parameters.sampleCount',
};

const MAX_SAMPLES = 4;

const READ: ReadonlySet<string> = new Set([
  'sampleCount',
  'aspectRatio',
  'sampleImageSize',
  'imageSize',
  'negativePrompt',
  'seed',
  'outputOptions',
  'editMode',
  'editConfig',
  // Where the bytes go, which is here.
  'storageUri',
]);

function sizeOf(parameters: JsonObject): ImageRequest['size'] {
  const ratio = optionalString(parameters, 'aspectRatio', 'parameters');
  const read = ratio === undefined || ratio === '' ? {} : readSize(ratio);
  if (!read || (ratio !== undefined && ratio !== '' && read.ratio === undefined)) {
    throw badField(
      'parameters.aspectRatio',
      `Invalid request: 'parameters.aspectRatio' must be like 16:9, found '${(ratio ?? '').slice(0, 40)}'`,
    );
  }
  const resolution = optionalString(parameters, 'sampleImageSize', 'parameters') ?? optionalString(parameters, 'imageSize', 'parameters');
  return { ...read, ...(resolution === undefined ? {} : { resolution: resolution.toUpperCase() }) };
}

function outputOf(parameters: JsonObject): Partial<ImageRequest> {
  const options = optionalObject(parameters, 'outputOptions', 'parameters');
  if (!options) return {};
  const type = optionalString(options, 'mimeType', 'parameters.outputOptions');
  const compression = optionalCount(options, 'compressionQuality', 'parameters.outputOptions');
  return {
    ...(type === undefined ? {} : { outputFormat: type.replace('image/', '') }),
    ...(compression === undefined ? {} : { compression }),
  };
}

interface Instance {
  readonly prompt: string;
  readonly images: readonly { readonly at: string; readonly text: string }[];
  readonly mask?: { readonly at: string; readonly text: string };
}

/** The one instance of a request: a prompt, and images to start from. */
function instanceOf(body: JsonObject): Instance {
  const instances = requiredArray(body, 'instances');
  if (instances.length !== 1) throw badField('instances', `Invalid request: 'instances' must hold one prompt, found ${instances.length}`);
  const instance = objectAt(instances[0], 'instances[0]');
  const prompt = requiredString(instance, 'prompt', 'instances[0]');
  if (prompt.trim() === '') throw badField('instances[0].prompt', "Invalid request: 'instances[0].prompt' must not be empty");
  const images: { at: string; text: string }[] = [];
  let mask: Instance['mask'];
  const bytesAt = (image: JsonObject, at: string): { at: string; text: string } => {
    const text = optionalString(image, 'bytesBase64Encoded', at) ?? optionalString(image, 'imageBytes', at);
    if (text === undefined) throw missingField(`${at}.bytesBase64Encoded`);
    return { at, text };
  };
  const own = optionalObject(instance, 'image', 'instances[0]');
  if (own) images.push(bytesAt(own, 'instances[0].image'));
  for (const [index, one] of (optionalArray(instance, 'referenceImages', 'instances[0]') ?? []).entries()) {
    const at = `instances[0].referenceImages[${index}]`;
    const reference = objectAt(one, at);
    const image = optionalObject(reference, 'referenceImage', at);
    // A mask may be the provider's own to find: then there are no bytes.
    if (!image) continue;
    const found = bytesAt(image, `${at}.referenceImage`);
    if (optionalString(reference, 'referenceType', at) === 'REFERENCE_TYPE_MASK') mask = found;
    else images.push(found);
  }
  return { prompt, images, ...(mask ? { mask } : {}) };
}

type Asked = Omit<ImageRequest, 'images' | 'mask'>;

function readAsked(body: JsonObject, { prompt, images }: Instance): Asked {
  const parameters = optionalObject(body, 'parameters') ?? {};
  const n = optionalNumber(parameters, 'sampleCount', 'parameters') ?? 1;
  if (!Number.isInteger(n) || n < 1 || n > MAX_SAMPLES) throw tooManySamples(n);
  const seed = optionalCount(parameters, 'seed', 'parameters');
  const negativePrompt = optionalString(parameters, 'negativePrompt', 'parameters');
  return {
    task: images.length > 0 ? 'edit' : 'generation',
    prompt,
    n,
    size: sizeOf(parameters),
    ...outputOf(parameters),
    ...(seed === undefined ? {} : { seed }),
    ...(negativePrompt === undefined || negativePrompt === '' ? {} : { negativePrompt }),
    names: NAMES,
    rest: unknownMembers(parameters, READ),
  };
}

/** POST /v1beta/models/{model}:predict. */
export async function predictEndpoint(
  visit: Visit,
  operation: MediaOperation,
  request: IncomingMessage,
  ports: GatewayPorts,
): Promise<void> {
  const body = await readJson(visit, request);
  if (asksForVectors(body.fields)) return predictVectors(visit, operation, body, ports);
  const instance = instanceOf(body.fields);
  const asked = readAsked(body.fields, instance);
  const ability = asked.task === 'edit' ? 'image-edits' : 'images';
  const blank: ImageRequest = {
    ...asked,
    images: instance.images.map(blankFor),
    ...(instance.mask ? { mask: { ...blankFor(instance.mask), form: 'luma' as const } } : {}),
  };
  const write = (writing: Writing): void => writeImages(writing, blank);
  const work = async (context: MediaContext): Promise<void> => {
    const load = (given: { readonly at: string; readonly text: string }): Promise<ImageFile> =>
      loadImage(given, ports.media, context.signal());
    const images = await Promise.all(instance.images.map(load));
    const whole: ImageRequest = {
      ...asked,
      images,
      ...(instance.mask ? { mask: { ...(await load(instance.mask)), form: 'luma' as const } } : {}),
    };
    const held = await holdImages(context, (await makeImages(context, whole)).images);
    context.reply({
      predictions: held.map(({ data, mediaType, revisedPrompt }) => ({
        mimeType: mediaType,
        bytesBase64Encoded: data,
        ...(revisedPrompt === undefined ? {} : { prompt: revisedPrompt }),
      })),
    });
  };
  const once = (): Promise<unknown> =>
    onlyOnce(visit, ports, {
      about: { operation: ability, asked: operation.model ?? '' },
      fingerprint: () => fingerprintOf(visit, [JSON.stringify(body)]),
      work: (within) => runMedia({ ...mediaCall(within, { ...operation, ability }, body), write, stream: false }, within.sink, ports, work),
    });
  await whileAlive(visit, 'whole', ports, once);
}
