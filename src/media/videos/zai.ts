import type { JsonObject } from '../../ir/index.ts';
import { isObject } from '../../ir/index.ts';
import { jsonBody } from '../codec.ts';
import { inside, jobOf, objectOf, outputsAt, requiredText, statusOf, type StatusWords, textOf } from './job-answer.ts';
import { dataUri, framesOf, given, noteLosses, secondsFrom } from './request-parts.ts';
import type { VideoCodec, VideoJob } from './shape.ts';

const WORDS: StatusWords = { processing: 'in_progress', success: 'completed', fail: 'failed' };

function jobIn(detail: JsonObject): VideoJob {
  const status = statusOf(WORDS, detail['task_status']);
  const list = detail['video_result'];
  const video = Array.isArray(list) && isObject(list[0]) ? list[0] : {};
  const error = inside(detail, 'error');
  return jobOf({
    status,
    detail,
    code: textOf(error['code']),
    message: textOf(error['message']),
    ...(status === 'completed' ? { outputs: outputsAt(video['url'], { thumbnail: video['cover_image_url'] }) } : {}),
  });
}

/** Z.ai and Zhipu: CogVideoX. https://docs.z.ai/api-reference/video/generate-video */
export const zaiVideos: VideoCodec = {
  id: 'zai',
  create(request, target, id) {
    const { first, last } = framesOf(request, { last: true, references: 0 });
    noteLosses(request, target, ['ratio', 'resolution', 'negativePrompt', 'seed']);
    const images = [...(first ? [first] : []), ...(last ? [last] : [])].map(dataUri);
    return {
      path: '/videos/generations',
      body: jsonBody(
        given({
          model: target.model,
          prompt: request.prompt,
          image_url: images.length > 1 ? images : images[0],
          size: request.size && `${request.size.width}x${request.size.height}`,
          duration: secondsFrom(request, target, [5, 10]),
          with_audio: request.audio,
          request_id: id,
        }),
      ),
    };
  },
  accepted(answer) {
    const detail = objectOf(answer);
    return { ...jobIn(detail), remoteId: requiredText(detail['id'], 'id') };
  },
  poll: (remoteId) => ({ method: 'GET', path: `/async-result/${encodeURIComponent(remoteId)}` }),
  job: (answer) => jobIn(objectOf(answer)),
};
