import { badField, type Fault, GatewayError, gatewayFault, isObject, type JsonObject } from '../../ir/index.ts';
import { jsonBody, type MediaAnswer } from '../codec.ts';
import { inside, jobOf, objectOf, outputsAt, requiredText, statusOf, type StatusWords, textOf } from './job-answer.ts';
import { base64, framesOf, given, noteLosses, secondsFrom, wordFrom } from './request-parts.ts';
import type { VideoCodec, VideoJob, VideoSource } from './shape.ts';

/*
 * Kling. A job is asked for where it was made: our id of it is that place and the vendor's id.
 * https://app.klingai.com/global/dev/document-api/apiReference/model/textToVideo
 * https://app.klingai.com/global/dev/document-api/apiReference/model/imageToVideo
 */

const WORDS: StatusWords = { submitted: 'queued', processing: 'in_progress', succeed: 'completed', failed: 'failed' };

/** What its own codes mean. https://app.klingai.com/global/dev/document-api/apiReference/commonInfo */
function refusalOf(code: number, message: string): Fault {
  const more = { by: 'upstream', code: String(code) } as const;
  if (code >= 5000) return gatewayFault('upstream', message, more);
  if (code === 1302 || code === 1303) return gatewayFault('rate_limit', message, more);
  // Keys, accounts and resource packs are the operator's.
  if (code < 1200) {
    const spent = code === 1101 || code === 1102 ? { quota: true as const } : {};
    return gatewayFault('upstream', "The provider refused the gateway's credential", { code: 'upstream_credential', ...spent });
  }
  return gatewayFault('bad_request', message, more);
}

const taskIn = (answer: MediaAnswer): JsonObject => {
  const detail = objectOf(answer);
  const { code, message } = detail;
  if (code === undefined || code === 0) return detail;
  throw new GatewayError(refusalOf(Number(code), textOf(message) ?? 'The provider refused the request'));
};

function jobIn(detail: JsonObject): VideoJob {
  const data = inside(detail, 'data');
  const status = statusOf(WORDS, data['task_status']);
  const list = inside(data, 'task_result')['videos'];
  const video = Array.isArray(list) && isObject(list[0]) ? list[0] : {};
  return jobOf({
    status,
    detail,
    message: textOf(data['task_status_msg']),
    ...(status === 'completed' ? { outputs: outputsAt(video['url']) } : {}),
  });
}

/** The vendor's id of a finished video, which is another than its job's. */
function videoIdOf({ detail }: VideoSource): string {
  const list = inside(inside(detail, 'data'), 'task_result')['videos'];
  return requiredText(Array.isArray(list) && isObject(list[0]) ? list[0]['id'] : undefined, 'id of the video');
}

/** Where the job of an answer was made stands in its own id. */
const placeOf = (detail: JsonObject): string => textOf(inside(detail, 'data')['task_id']) ?? '';

const PLACES = ['text2video', 'image2video', 'multi-image2video', 'video-extend'] as const;

function pathOf(remoteId: string): string {
  const slash = remoteId.indexOf('/');
  const place = PLACES.find((one) => one === remoteId.slice(0, slash)) ?? 'text2video';
  return `/videos/${place}/${encodeURIComponent(remoteId.slice(slash + 1))}`;
}

/** Kling. */
export const klingVideos: VideoCodec = {
  id: 'kling',
  create(request, target, id) {
    const { first, last, references } = framesOf(request, { last: true, references: 4 });
    if (last && !first)
      throw badField(last.at, `Invalid request: '${last.at}' needs a first frame in '${request.names.images}'`, 'missing_parameter');
    noteLosses(request, target, ['seed']);
    const place = references.length > 0 ? 'multi-image2video' : first ? 'image2video' : 'text2video';
    const mode =
      request.resolution === undefined ? undefined : request.resolution === '1080p' || request.resolution === '4k' ? 'pro' : 'std';
    return {
      path: `/videos/${place}`,
      body: jsonBody(
        given({
          model_name: target.model,
          prompt: request.prompt,
          negative_prompt: request.negativePrompt,
          image: first && base64(first),
          image_tail: last && base64(last),
          image_list: references.length > 0 ? references.map((image) => ({ image: base64(image) })) : undefined,
          duration: textOf(secondsFrom(request, target, [5, 10])),
          aspect_ratio: first ? undefined : wordFrom(request.ratio, ['16:9', '9:16', '1:1'], request.names.ratio, target),
          mode,
          sound: request.audio === undefined ? undefined : request.audio ? 'on' : 'off',
          // Jobs whose submission was cut are found by it.
          external_task_id: id,
        }),
      ),
    };
  },
  derive: {
    extend(source, request, target) {
      noteLosses(request, target, ['seconds', 'size', 'ratio', 'resolution', 'seed', 'audio']);
      const body = given({ video_id: videoIdOf(source), prompt: request.prompt, negative_prompt: request.negativePrompt });
      return { path: '/videos/video-extend', body: jsonBody(body) };
    },
  },
  accepted(answer, _target, path) {
    const detail = taskIn(answer);
    const place = PLACES.find((one) => path === `/videos/${one}`) ?? 'text2video';
    return { ...jobIn(detail), remoteId: `${place}/${requiredText(placeOf(detail), 'task_id')}` };
  },
  poll: (remoteId) => ({ method: 'GET', path: pathOf(remoteId) }),
  job: (answer) => jobIn(taskIn(answer)),
  find: {
    request: ({ id, hasImages }) => ({
      method: 'GET',
      path: `/videos/${hasImages ? 'image2video' : 'text2video'}/${encodeURIComponent(id)}`,
    }),
    pick(answer, { hasImages }) {
      const id = placeOf(taskIn(answer));
      return { ids: id === '' ? [] : [`${hasImages ? 'image2video' : 'text2video'}/${id}`] };
    },
  },
};
