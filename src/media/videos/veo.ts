import { GatewayError, gatewayFault, isObject, type Json, type JsonObject } from '../../ir/index.ts';
import { jsonBody, type MediaAnswer, type MediaTarget } from '../codec.ts';
import { inside, jobOf, objectOf, requiredText, textOf } from './job-answer.ts';
import { base64, framesOf, given, noteLosses, secondsFrom, wordFrom } from './request-parts.ts';
import type { VideoCodec, VideoImage, VideoJob, VideoOutput } from './shape.ts';

/*
 * Google's Veo, at the Gemini API and at Vertex AI (option `operations: 'fetch'`).
 * https://ai.google.dev/gemini-api/docs/video
 * https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/veo-video-generation
 *
 * Option `seconds`: the lengths that it makes, with commas.
 */

const bytesOf = (image: VideoImage): JsonObject => ({ bytesBase64Encoded: base64(image), mimeType: image.mediaType });

const listIn = (value: JsonObject, key: string): readonly JsonObject[] => {
  const list = value[key];
  return Array.isArray(list) ? list.filter((one): one is JsonObject => isObject(one)) : [];
};

/** A video as either of the two APIs gives it: where it is, or its bytes. */
function outputOf(sample: JsonObject): VideoOutput | undefined {
  const video = isObject(sample['video']) ? sample['video'] : sample;
  const data = textOf(video['bytesBase64Encoded']) ?? textOf(video['videoBytes']) ?? textOf(video['encodedVideo']);
  const mediaType = textOf(video['mimeType']) ?? 'video/mp4';
  if (data !== undefined) return { variant: 'video', from: { data: Buffer.from(data, 'base64'), mediaType } };
  const url = textOf(video['uri']) ?? textOf(video['gcsUri']);
  return url === undefined ? undefined : { variant: 'video', from: { url } };
}

/** The same without what was made: bytes belong into no record. */
const withoutBytes = (detail: JsonObject): JsonObject =>
  JSON.parse(
    JSON.stringify(detail, (key, value: Json) => (/^(?:bytesBase64Encoded|videoBytes|encodedVideo)$/.test(key) ? undefined : value)),
  ) as JsonObject;

function jobIn(operation: JsonObject): VideoJob {
  const detail = withoutBytes(operation);
  const error = inside(operation, 'error');
  const progress = Number(inside(operation, 'metadata')['progressPercent'] ?? Number.NaN);
  if (operation['done'] !== true) return jobOf({ status: 'in_progress', detail, progress });
  if (operation['error'] !== undefined) {
    const isCancelled = error['code'] === 1;
    return jobOf({
      status: isCancelled ? 'cancelled' : 'failed',
      detail,
      code: textOf(error['status']) ?? textOf(error['code']),
      message: textOf(error['message']),
    });
  }
  const response = inside(operation, 'response');
  const made = isObject(response['generateVideoResponse']) ? response['generateVideoResponse'] : response;
  const [output] = [...listIn(made, 'generatedSamples'), ...listIn(made, 'videos')].flatMap((sample) => outputOf(sample) ?? []);
  if (output) return jobOf({ status: 'completed', detail, outputs: [output] });
  const reasons = made['raiMediaFilteredReasons'];
  const said = Array.isArray(reasons) ? reasons.filter((one) => typeof one === 'string').join('; ') : '';
  return jobOf({
    status: 'failed',
    detail,
    code: 'content_filtered',
    message: said === '' ? 'The provider made no video: it was filtered' : said,
  });
}

function nameIn(answer: MediaAnswer): string {
  const operation = objectOf(answer);
  const name = requiredText(operation['name'], 'name');
  if (!/^[\w./-]+$/.test(name) || name.includes('..')) {
    throw new GatewayError(
      gatewayFault('upstream', 'The provider gave the operation a name that cannot be asked for', { code: 'upstream_malformed' }),
    );
  }
  return name;
}

const secondsOf = ({ options }: MediaTarget): readonly number[] =>
  String(options['seconds'] ?? '4,6,8')
    .split(',')
    .map(Number);

/** Veo. */
export const veoVideos: VideoCodec = {
  id: 'veo',
  create(request, target) {
    const { first, last, references } = framesOf(request, { last: true, references: 3 });
    const isVertex = target.options['operations'] === 'fetch';
    noteLosses({ ...request, rest: {} }, target, isVertex ? [] : ['audio']);
    const instance = given({
      prompt: request.prompt,
      image: first && bytesOf(first),
      lastFrame: last && bytesOf(last),
      referenceImages: references.length > 0 ? references.map((image) => ({ image: bytesOf(image), referenceType: 'asset' })) : undefined,
    });
    const parameters = given({
      ...request.rest,
      aspectRatio: wordFrom(request.ratio, ['16:9', '9:16'], request.names.ratio, target),
      resolution: wordFrom(request.resolution, ['720p', '1080p', '4k'], request.names.resolution, target),
      durationSeconds: secondsFrom(request, target, secondsOf(target)),
      negativePrompt: request.negativePrompt,
      seed: request.seed,
      generateAudio: isVertex ? request.audio : undefined,
    });
    return {
      path: `/models/${encodeURIComponent(target.model)}:predictLongRunning`,
      body: jsonBody({ instances: [instance], parameters }),
    };
  },
  accepted(answer) {
    return { ...jobOf({ status: 'queued', detail: objectOf(answer) }), remoteId: nameIn(answer) };
  },
  poll(remoteId, target) {
    if (target.options['operations'] !== 'fetch') return { method: 'GET', path: `/${remoteId}` };
    return { path: `/models/${encodeURIComponent(target.model)}:fetchPredictOperation`, body: jsonBody({ operationName: remoteId }) };
  },
  job: (answer) => jobIn(objectOf(answer)),
};
