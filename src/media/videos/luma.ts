import { badField, gatewayFault, isObject, type JsonObject, kindOfStatus, parseObject } from '../../ir/index.ts';
import { jsonBody } from '../codec.ts';
import { inside, jobOf, objectOf, outputsAt, requiredText, statusOf, type StatusWords, textOf } from './job-answer.ts';
import { framesOf, given, noteLosses, secondsFrom, wordFrom } from './request-parts.ts';
import type { VideoCodec, VideoImage, VideoJob, VideoRequest } from './shape.ts';
import type { MediaTarget } from '../codec.ts';

/*
 * Luma's Dream Machine. Images are taken by their addresses only.
 * https://docs.lumalabs.ai/reference/creategeneration
 */

const WORDS: StatusWords = { queued: 'queued', dreaming: 'in_progress', completed: 'completed', failed: 'failed' };

const pathOf = (remoteId: string): string => `/generations/${encodeURIComponent(remoteId)}`;

function jobIn(detail: JsonObject): VideoJob {
  const status = statusOf(WORDS, detail['state']);
  const assets = inside(detail, 'assets');
  return jobOf({
    status,
    detail,
    message: textOf(detail['failure_reason']),
    ...(status === 'completed' ? { outputs: outputsAt(assets['video'], { thumbnail: assets['image'] }) } : {}),
  });
}

function frameOf(image: VideoImage | undefined): JsonObject | undefined {
  if (!image) return undefined;
  if (image.url === undefined) {
    throw badField(
      image.at,
      `Invalid request: '${image.at}' must be a URL: this provider fetches images itself ('server.publicUrl' lets it fetch them here)`,
      'not_supported',
    );
  }
  return { type: 'image', url: image.url };
}

function body(request: VideoRequest, target: MediaTarget, keyframes: JsonObject): JsonObject {
  noteLosses(request, target, ['negativePrompt', 'seed', 'audio']);
  const seconds = secondsFrom(request, target, [5, 9]);
  return given({
    model: target.model,
    prompt: request.prompt,
    aspect_ratio: wordFrom(request.ratio, ['16:9', '9:16', '1:1', '4:3', '3:4', '21:9', '9:21'], request.names.ratio, target),
    resolution: wordFrom(request.resolution, ['540p', '720p', '1080p', '4k'], request.names.resolution, target),
    duration: seconds === undefined ? undefined : `${seconds}s`,
    keyframes: Object.keys(keyframes).length > 0 ? keyframes : undefined,
  });
}

/** Luma. */
export const lumaVideos: VideoCodec = {
  id: 'luma',
  create(request, target) {
    const { first, last } = framesOf(request, { last: true, references: 0 });
    return { path: '/generations', body: jsonBody(body(request, target, given({ frame0: frameOf(first), frame1: frameOf(last) }))) };
  },
  derive: {
    extend({ remoteId }, request, target) {
      const { last } = framesOf(request, { last: true, references: 0 });
      const keyframes = given({ frame0: { type: 'generation', id: remoteId }, frame1: frameOf(last) });
      return { path: '/generations', body: jsonBody(body(request, target, keyframes)) };
    },
  },
  accepted(answer) {
    const detail = objectOf(answer);
    return { ...jobIn(detail), remoteId: requiredText(detail['id'], 'id') };
  },
  poll: (remoteId) => ({ method: 'GET', path: pathOf(remoteId) }),
  job: (answer) => jobIn(objectOf(answer)),
  cancel: (remoteId) => ({ method: 'DELETE', path: pathOf(remoteId) }),
  remove: (remoteId) => ({ method: 'DELETE', path: pathOf(remoteId) }),
  find: {
    request: (_about, _target, after = '0') => ({ method: 'GET', path: `/generations?limit=100&offset=${after}` }),
    pick(answer, { prompt, model, createdAt }) {
      const list = objectOf(answer)['generations'];
      const ids = (Array.isArray(list) ? list : []).flatMap((one) => {
        if (!isObject(one) || typeof one['id'] !== 'string') return [];
        const asked = inside(one, 'request');
        const isIt =
          asked['prompt'] === prompt && (asked['model'] ?? model) === model && Date.parse(String(one['created_at'])) >= createdAt - 5000;
        return isIt ? [one['id']] : [];
      });
      return { ids };
    },
  },
  decodeFault(status, text) {
    const { detail } = parseObject(text) ?? {};
    return typeof detail === 'string' ? gatewayFault(kindOfStatus(status), detail, { status, by: 'upstream' }) : undefined;
  },
};
