import { badField, isObject, type JsonObject, parseObject } from '../../ir/index.ts';
import { gatewayFault, kindOfStatus } from '../../ir/index.ts';
import { jsonBody, type MediaTarget } from '../codec.ts';
import { jobOf, objectOf, outputsAt, requiredText, statusOf, type StatusWords, textOf } from './job-answer.ts';
import { dataUri, framesOf, given, noteLosses, secondsFrom, secondsWithin } from './request-parts.ts';
import type { VideoCodec, VideoJob, VideoRequest } from './shape.ts';

/*
 * Runway. https://docs.dev.runwayml.com/api/
 *
 * Option `seconds`: the lengths that a model makes, with commas, the usual one first. Absent: 2 to 10, and usually 5.
 */

const WORDS: StatusWords = {
  pending: 'queued',
  throttled: 'queued',
  running: 'in_progress',
  succeeded: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
};

const RATIOS: Readonly<Record<string, string>> = {
  '16:9': '1280:720',
  '9:16': '720:1280',
  '4:3': '1104:832',
  '3:4': '832:1104',
  '1:1': '960:960',
  '21:9': '1584:672',
};

/** Pixels with a colon, which it demands. */
function ratioOf({ size, ratio }: VideoRequest): string {
  if (size) return `${size.width}:${size.height}`;
  return RATIOS[ratio ?? '16:9'] ?? '1280:720';
}

/** A length must be said. https://github.com/runwayml/sdk-node/blob/main/src/resources/text-to-video.ts */
function secondsOf(request: VideoRequest, target: MediaTarget): number {
  const { seconds } = target.options;
  if (seconds === undefined) return secondsWithin(request, target, 2, 10) ?? 5;
  const choices = String(seconds).split(',').map(Number);
  return secondsFrom(request, target, choices) ?? choices[0] ?? 5;
}

function jobIn(detail: JsonObject): VideoJob {
  const status = detail['status'] === undefined ? 'queued' : statusOf(WORDS, detail['status']);
  const { progress, output } = detail;
  return jobOf({
    status,
    detail,
    progress: typeof progress === 'number' ? progress * 100 : undefined,
    code: textOf(detail['failureCode']),
    message: textOf(detail['failure']),
    ...(status === 'completed' ? { outputs: outputsAt(Array.isArray(output) ? output[0] : undefined) } : {}),
  });
}

/** Runway. */
export const runwayVideos: VideoCodec = {
  id: 'runway',
  create(request, target) {
    const { first, last } = framesOf(request, { last: true, references: 0 });
    if (last && !first)
      throw badField(last.at, `Invalid request: '${last.at}' needs a first frame in '${request.names.images}'`, 'missing_parameter');
    noteLosses(request, target, ['resolution', 'negativePrompt']);
    const frames =
      first && last
        ? [
            { uri: dataUri(first), position: 'first' },
            { uri: dataUri(last), position: 'last' },
          ]
        : first && dataUri(first);
    return {
      path: first ? '/image_to_video' : '/text_to_video',
      body: jsonBody(
        given({
          model: target.model,
          promptText: request.prompt,
          promptImage: frames,
          ratio: ratioOf(request),
          duration: secondsOf(request, target),
          seed: request.seed,
          audio: request.audio,
        }),
      ),
    };
  },
  accepted(answer) {
    const detail = objectOf(answer);
    return { ...jobIn(detail), remoteId: requiredText(detail['id'], 'id') };
  },
  poll: (remoteId) => ({ method: 'GET', path: `/tasks/${encodeURIComponent(remoteId)}` }),
  job: (answer) => jobIn(objectOf(answer)),
  // One call for both. https://docs.dev.runwayml.com/api/#tag/Task-management
  cancel: (remoteId) => ({ method: 'DELETE', path: `/tasks/${encodeURIComponent(remoteId)}` }),
  remove: (remoteId) => ({ method: 'DELETE', path: `/tasks/${encodeURIComponent(remoteId)}` }),
  decodeFault(status, body) {
    const { error, issues } = parseObject(body) ?? {};
    if (typeof error !== 'string') return undefined;
    const list = Array.isArray(issues) ? issues : [];
    const more = list.flatMap((issue) => (isObject(issue) && typeof issue['message'] === 'string' ? [issue['message']] : []));
    return gatewayFault(kindOfStatus(status), [error, ...more].join(': '), { status, by: 'upstream' });
  },
};
