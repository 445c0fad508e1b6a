import type { IncomingMessage } from 'node:http';
import { badField, GatewayError, gatewayFault, type JsonObject } from '../../../ir/index.ts';
import { publicOrigin } from '../../../exchange/media/media-link.ts';
import { runMedia } from '../../../exchange/media/media-exchange.ts';
import { videoSubmission, withAddresses, writeVideo } from '../../../exchange/media/videos.ts';
import type { Writing } from '../../../exchange/media/writing.ts';
import type { KeptMedia } from '../../../exchange/ports.ts';
import type { VideoFieldNames, VideoImage, VideoRequest } from '../../../media/videos/shape.ts';
import type { Task } from '../../../tasks/ports.ts';
import {
  objectAt,
  optionalArray,
  optionalBoolean,
  optionalNumber,
  optionalObject,
  optionalString,
  requiredArray,
  requiredString,
} from '../../../wire/fields.ts';
import type { MediaOperation } from '../endpoints.ts';
import { type GatewayPorts, respondJson, type Visit } from '../visit.ts';
import { fingerprintOf, idempotencyKey, onlyOnce } from '../idempotency.ts';
import { letGo } from '../read-body.ts';
import { blankFor, loadImage } from './images-read.ts';
import { type Fields, mediaCall, readJson } from './read-json.ts';
import { measuresIn, secondsAt } from './videos-read.ts';
import { whileThere } from './while-there.ts';

/*
 * Gemini's form of videos: `:predictLongRunning`, and operations. https://ai.google.dev/gemini-api/docs/video
 */

const NAMES: VideoFieldNames = {
  prompt: 'instances[0].prompt',
  images: 'instances[0].image',
  seconds: 'parameters.durationSeconds',
  size: 'parameters.resolution',
  ratio: 'parameters.aspectRatio',
  resolution: 'parameters.resolution',
  negativePrompt: 'parameters.negativePrompt',
  seed: 'parameters.seed',
  audio: 'parameters.generateAudio',
};

/** An image that a body brings: what brings it here, and what stands for it till then. */
interface Given {
  readonly load: (signal: AbortSignal) => Promise<VideoImage>;
  readonly blank: VideoImage;
}

/** An image as Google's APIs write it: bytes in one of two forms. */
function imageAt(value: JsonObject, at: string, role: NonNullable<VideoImage['role']>, ports: GatewayPorts): Given {
  const inline = optionalObject(value, 'inlineData', at);
  const text =
    optionalString(value, 'bytesBase64Encoded', at) ??
    optionalString(value, 'imageBytes', at) ??
    (inline && optionalString(inline, 'data', `${at}.inlineData`));
  if (text === undefined) {
    const place = optionalString(value, 'gcsUri', at) ?? optionalString(value, 'uri', at);
    if (place === undefined || !/^https?:/.test(place)) {
      throw badField(at, `Invalid request: '${at}' must hold its bytes ('bytesBase64Encoded' or 'inlineData')`, 'missing_parameter');
    }
    return {
      load: async (signal) => ({ ...(await loadImage({ at, text: place }, ports.media, signal)), url: place, role }),
      blank: { ...blankFor({ at }), url: place, role },
    };
  }
  return {
    load: async (signal) => ({ ...(await loadImage({ at, text }, ports.media, signal)), role }),
    blank: { ...blankFor({ at }), role },
  };
}

function imagesIn(instance: JsonObject, ports: GatewayPorts): readonly Given[] {
  const at = 'instances[0]';
  const image = optionalObject(instance, 'image', at);
  const last = optionalObject(instance, 'lastFrame', at);
  const references = optionalArray(instance, 'referenceImages', at) ?? [];
  if (optionalObject(instance, 'video', at)) {
    throw badField(`${at}.video`, 'Invalid request: videos are extended at POST /v1/videos/extensions', 'unsupported_parameter');
  }
  return [
    ...(image ? [imageAt(image, `${at}.image`, 'first', ports)] : []),
    ...(last ? [imageAt(last, `${at}.lastFrame`, 'last', ports)] : []),
    ...references.map((one, index) => {
      const place = `${at}.referenceImages[${index}]`;
      const reference = objectAt(one, place);
      return imageAt(optionalObject(reference, 'image', place) ?? reference, `${place}.image`, 'reference', ports);
    }),
  ];
}

const PARAMETERS: ReadonlySet<string> = new Set([
  'aspectRatio',
  'resolution',
  'durationSeconds',
  'negativePrompt',
  'seed',
  'generateAudio',
  'sampleCount',
  'numberOfVideos',
]);

function readRequest(body: JsonObject): { readonly instance: JsonObject; readonly request: Omit<VideoRequest, 'images'> } {
  const instances = requiredArray(body, 'instances');
  if (instances.length !== 1) throw badField('instances', `Invalid request: 'instances' must hold one instance, found ${instances.length}`);
  const instance = objectAt(instances[0], 'instances[0]');
  const parameters = optionalObject(body, 'parameters') ?? {};
  for (const name of ['sampleCount', 'numberOfVideos']) {
    const count = optionalNumber(parameters, name, 'parameters') ?? 1;
    if (count !== 1)
      throw badField(`parameters.${name}`, `Invalid request: 'parameters.${name}' must be 1: one video is made at a time, found ${count}`);
  }
  const seconds = secondsAt(parameters, 'durationSeconds', 'parameters.durationSeconds');
  const negativePrompt = optionalString(parameters, 'negativePrompt', 'parameters');
  const seed = optionalNumber(parameters, 'seed', 'parameters');
  const audio = optionalBoolean(parameters, 'generateAudio', 'parameters');
  const request = {
    prompt: requiredString(instance, 'prompt', 'instances[0]'),
    ...measuresIn(parameters, ['resolution', 'aspectRatio'], 'parameters'),
    ...(seconds === undefined ? {} : { seconds }),
    ...(negativePrompt ? { negativePrompt } : {}),
    ...(seed === undefined ? {} : { seed }),
    ...(audio === undefined ? {} : { audio }),
    names: NAMES,
    rest: Object.fromEntries(Object.entries(parameters).filter(([key, value]) => !PARAMETERS.has(key) && value !== null)),
  };
  return { instance, request };
}

/** Whose operation it is: the Gemini API's, or the cloud's, which is asked for by POST. */
type Form = 'gemini' | 'cloud';

const nameOf = (task: Task): string => `models/${task.model}/operations/${task.id}`;

/** Google's codes of errors. https://grpc.io/docs/guides/status-codes */
const FAILED = { code: 13, status: 'INTERNAL' };
const CANCELLED = { code: 1, status: 'CANCELLED' };

/** A link that Google's SDK cuts the file's id out of, and that works without a key for a while. */
function linkOf(visit: Visit, media: { readonly id: string; readonly expiresAt: number }, ports: GatewayPorts): string {
  const [, query = ''] = ports.mediaStore.link(media).split('?');
  return `${publicOrigin(visit)}/v1beta/files/${media.id}:download?alt=media&${query}`;
}

/** Videos up to this size stand in an answer of the cloud's form, as they do there. */
const MAX_INLINE = 20 * 1024 * 1024;

async function inlined(media: KeptMedia, ports: GatewayPorts, signal: AbortSignal): Promise<JsonObject> {
  if (media.bytes > MAX_INLINE) return {};
  return { bytesBase64Encoded: (await ports.mediaStore.whole(media, signal)).toString('base64') };
}

/** What came of it, in the form of either of Google's two APIs. */
async function responseOf(visit: Visit, task: Task, form: Form, ports: GatewayPorts, signal: AbortSignal): Promise<JsonObject> {
  const kept: KeptMedia[] = [];
  for (const { variant, id } of task.value.media) {
    const media = variant === 'video' ? await ports.mediaStore.find(id) : undefined;
    if (media) kept.push(media);
  }
  if (form === 'cloud') {
    const videos: JsonObject[] = [];
    for (const media of kept)
      videos.push({ gcsUri: linkOf(visit, media, ports), mimeType: media.mediaType, ...(await inlined(media, ports, signal)) });
    return { '@type': 'type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse', videos };
  }
  const generatedSamples = kept.map((media) => ({ video: { uri: linkOf(visit, media, ports), mimeType: media.mediaType } }));
  const type = 'type.googleapis.com/google.ai.generativelanguage.v1beta.PredictLongRunningResponse';
  return { '@type': type, generateVideoResponse: { generatedSamples } };
}

async function operationOf(visit: Visit, task: Task, form: Form, ports: GatewayPorts, signal: AbortSignal): Promise<JsonObject> {
  const name = nameOf(task);
  if (task.phase !== 'over' && task.phase !== 'telling') return { name, metadata: { progressPercent: task.progress } };
  if (task.status !== 'completed') {
    const { error } = task.value;
    const words = task.status === 'cancelled' ? CANCELLED : FAILED;
    return { name, done: true, error: { ...words, message: error?.message ?? `The operation was ${task.status}` } };
  }
  return { name, done: true, response: await responseOf(visit, task, form, ports, signal) };
}

async function operation(visit: Visit, id: string, form: Form, ports: GatewayPorts): Promise<void> {
  const task = await ports.tasks.get(visit.key.id, 'video', id);
  const { platform } = visit.path;
  if (!task || (platform !== undefined && platform !== task.provider)) {
    throw new GatewayError(gatewayFault('not_found', 'There is no such operation for this key', { code: 'operation_not_found' }));
  }
  await whileThere(visit.sink, async (signal) => respondJson(visit, 200, await operationOf(visit, task, form, ports, signal)));
}

async function predict(visit: Visit, asked: MediaOperation, body: Fields, ports: GatewayPorts): Promise<void> {
  const { instance, request } = readRequest(body.fields);
  const { publicUrl } = visit.snapshot.config.server;
  const write = (writing: Writing): void => {
    const images = imagesIn(instance, ports).map(({ blank }) => (publicUrl === undefined ? blank : { url: publicUrl, ...blank }));
    writeVideo(writing, { request: { ...request, images } });
  };
  await runMedia({ ...mediaCall(visit, asked, body), write }, visit.sink, ports, async (context) => {
    const loaded = await Promise.all(imagesIn(instance, ports).map(({ load }) => load(context.signal())));
    const images = await withAddresses(context, loaded);
    const requestKey = idempotencyKey(visit);
    const { seconds, size } = request;
    const task = await ports.tasks.start({
      owner: visit.key.id,
      kind: 'video',
      provider: context.provider.name,
      model: context.model,
      about: {
        prompt: request.prompt,
        seconds: seconds === undefined ? null : String(seconds),
        size: size ? `${size.width}x${size.height}` : null,
        ...(images.length > 0 ? { has_images: true } : {}),
      },
      submit: videoSubmission(context, { request: { ...request, images } }),
      ...(requestKey === undefined ? {} : { requestKey }),
    });
    context.reply({ name: nameOf(task) });
  });
}

/** `:predictLongRunning`, and the operations that come of it. */
export async function geminiVideos(visit: Visit, asked: MediaOperation, request: IncomingMessage, ports: GatewayPorts): Promise<void> {
  const [word, id] = asked.rest ?? [];
  if (word === 'operations') {
    letGo(request);
    if (visit.method === 'GET' || visit.method === 'HEAD') return operation(visit, id ?? '', 'gemini', ports);
    throw new GatewayError({ ...gatewayFault('bad_request', 'This path answers GET', { code: 'method_not_allowed' }), status: 405 });
  }
  const body = await readJson(visit, request);
  if (asked.verb === 'fetchPredictOperation') {
    return operation(visit, requiredString(body.fields, 'operationName').split('/operations/').at(-1) ?? '', 'cloud', ports);
  }
  await onlyOnce(visit, ports, {
    about: { operation: asked.ability, asked: asked.model ?? '' },
    fingerprint: () => fingerprintOf(visit, [JSON.stringify(body)]),
    work: (within) => predict(within, asked, body, ports),
    async recover(within) {
      const task = await ports.tasks.byRequestKey(visit.key.id, idempotencyKey(visit) ?? '');
      if (task) respondJson(within, 200, { name: nameOf(task) });
      return task !== undefined;
    },
  });
}
