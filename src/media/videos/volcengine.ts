import type { JsonObject } from '../../ir/index.ts';
import { jsonBody } from '../codec.ts';
import { inside, jobOf, objectOf, outputsAt, requiredText, statusOf, type StatusWords, textOf } from './job-answer.ts';
import { dataUri, framesOf, given, noteLosses, secondsWithin, wordFrom } from './request-parts.ts';
import type { VideoCodec, VideoImage, VideoJob } from './shape.ts';

const WORDS: StatusWords = {
  queued: 'queued',
  running: 'in_progress',
  succeeded: 'completed',
  failed: 'failed',
  expired: 'failed',
  cancelled: 'cancelled',
};

function jobIn(detail: JsonObject): VideoJob {
  const word = detail['status'];
  const status = word === undefined ? 'queued' : statusOf(WORDS, word);
  const content = inside(detail, 'content');
  const error = inside(detail, 'error');
  return jobOf({
    status,
    detail,
    code: textOf(error['code']) ?? (word === 'expired' ? 'expired' : undefined),
    message: textOf(error['message']),
    ...(status === 'completed' ? { outputs: outputsAt(content['video_url'], { last_frame: content['last_frame_url'] }) } : {}),
  });
}

const imagePart = (image: VideoImage, role: string): JsonObject => ({ type: 'image_url', image_url: { url: dataUri(image) }, role });

/** Volcengine Ark: Seedance. https://www.volcengine.com/docs/82379/1520757 */
export const volcengineVideos: VideoCodec = {
  id: 'volcengine',
  create(request, target) {
    const { first, last, references } = framesOf(request, { last: true, references: 9 });
    noteLosses(request, target, ['negativePrompt']);
    return {
      path: '/contents/generations/tasks',
      body: jsonBody(
        given({
          model: target.model,
          content: [
            { type: 'text', text: request.prompt },
            ...(first ? [imagePart(first, 'first_frame')] : []),
            ...(last ? [imagePart(last, 'last_frame')] : []),
            ...references.map((image) => imagePart(image, 'reference_image')),
          ],
          resolution: wordFrom(request.resolution, ['480p', '720p', '1080p'], request.names.resolution, target),
          ratio: wordFrom(request.ratio, ['16:9', '9:16', '1:1', '4:3', '3:4', '21:9'], request.names.ratio, target),
          duration: secondsWithin(request, target, 2, 15),
          seed: request.seed,
          generate_audio: request.audio,
        }),
      ),
    };
  },
  accepted(answer) {
    const detail = objectOf(answer);
    return { ...jobIn(detail), remoteId: requiredText(detail['id'], 'id') };
  },
  poll: (remoteId) => ({ method: 'GET', path: `/contents/generations/tasks/${encodeURIComponent(remoteId)}` }),
  job: (answer) => jobIn(objectOf(answer)),
  // Of a waiting task it is the cancellation, of one that is over the deletion. https://www.volcengine.com/docs/82379/1521720
  cancel: (remoteId) => ({ method: 'DELETE', path: `/contents/generations/tasks/${encodeURIComponent(remoteId)}` }),
  remove: (remoteId) => ({ method: 'DELETE', path: `/contents/generations/tasks/${encodeURIComponent(remoteId)}` }),
};
