import type { JsonObject } from '../../ir/index.ts';
import { jsonBody, type MediaRequest, type MediaTarget } from '../codec.ts';
import { inside, jobOf, objectOf, outputsAt, requiredText, statusOf, type StatusWords, textOf } from './job-answer.ts';
import { dataUri, framesOf, given, noteLosses, secondsWithin, wordFrom } from './request-parts.ts';
import type { VideoCodec, VideoJob, VideoRequest } from './shape.ts';

/*
 * Alibaba's Wan, natively and asynchronously.
 * https://www.alibabacloud.com/help/en/model-studio/text-to-video-api-reference
 * https://www.alibabacloud.com/help/en/model-studio/image-to-video-api-reference
 *
 * Options of a preset:
 *   media    files come as a list of their kinds, measures as a step and a ratio: Wan 2.7 and later.
 *            https://www.alibabacloud.com/help/model-studio/image-to-video-general-api-reference
 *   most     the longest video, in seconds; default 15
 */

const WORDS: StatusWords = {
  pending: 'queued',
  running: 'in_progress',
  suspended: 'queued',
  succeeded: 'completed',
  failed: 'failed',
  canceled: 'cancelled',
  unknown: 'failed',
};

const SIZES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '480p': { '16:9': '832*480', '9:16': '480*832', '1:1': '624*624' },
  '720p': { '16:9': '1280*720', '9:16': '720*1280', '1:1': '960*960', '4:3': '1088*832', '3:4': '832*1088' },
  '1080p': { '16:9': '1920*1080', '9:16': '1080*1920', '1:1': '1440*1440', '4:3': '1632*1248', '3:4': '1248*1632' },
};

/** Pixels, which a video of text alone is measured by. */
function sizeOf({ size, ratio, resolution }: VideoRequest): string | undefined {
  if (size) return `${size.width}*${size.height}`;
  if (ratio === undefined && resolution === undefined) return undefined;
  return SIZES[resolution ?? '720p']?.[ratio ?? '16:9'];
}

function jobIn(detail: JsonObject): VideoJob {
  const output = inside(detail, 'output');
  const word = output['task_status'];
  const status = statusOf(WORDS, word);
  return jobOf({
    status,
    detail,
    code: textOf(output['code']) ?? (word === 'UNKNOWN' ? 'unknown_task' : undefined),
    message: textOf(output['message']) ?? (word === 'UNKNOWN' ? 'The provider does not know this task any more' : undefined),
    ...(status === 'completed' ? { outputs: outputsAt(output['video_url']) } : {}),
  });
}

const RESOLUTIONS = ['480P', '720P', '1080P'] as const;
const RATIOS = ['16:9', '9:16', '1:1', '4:3', '3:4'] as const;

const secondsOf = (request: VideoRequest, target: MediaTarget): number | undefined =>
  secondsWithin(request, target, 2, Number(target.options['most'] ?? 15));

function createOfMedia(request: VideoRequest, target: MediaTarget): MediaRequest {
  const { first, last, references } = framesOf(request, { last: true, references: 10 });
  const hasFrames = first !== undefined || last !== undefined;
  // The ratio of a frame stays.
  noteLosses(request, target, [...(hasFrames ? (['ratio'] as const) : []), 'audio']);
  const media = [
    ...(first ? [{ type: 'first_frame', url: dataUri(first) }] : []),
    ...(last ? [{ type: 'last_frame', url: dataUri(last) }] : []),
    ...references.map((image) => ({ type: 'reference_image', url: dataUri(image) })),
  ];
  return {
    path: '/services/aigc/video-generation/video-synthesis',
    headers: { 'x-dashscope-async': 'enable' },
    body: jsonBody({
      model: target.model,
      input: given({
        prompt: request.prompt,
        negative_prompt: request.negativePrompt,
        media: media.length > 0 ? media : undefined,
      }),
      parameters: given({
        resolution: wordFrom(request.resolution, RESOLUTIONS, request.names.resolution, target),
        ratio: hasFrames ? undefined : wordFrom(request.ratio, RATIOS, request.names.ratio, target),
        duration: secondsOf(request, target),
        seed: request.seed,
      }),
    }),
  };
}

/** DashScope. */
export const dashscopeVideos: VideoCodec = {
  id: 'dashscope',
  create(request, target) {
    if (target.options['media'] === true) return createOfMedia(request, target);
    const { first, last } = framesOf(request, { last: true, references: 0 });
    const isOfImage = first !== undefined || last !== undefined;
    noteLosses(request, target, isOfImage ? ['ratio'] : []);
    const measure = isOfImage
      ? { resolution: wordFrom(request.resolution, RESOLUTIONS, request.names.resolution, target) }
      : { size: sizeOf(request) };
    const frames = last
      ? { first_frame_url: first && dataUri(first), last_frame_url: dataUri(last) }
      : { img_url: first && dataUri(first) };
    return {
      path: `/services/aigc/${last ? 'image2video' : 'video-generation'}/video-synthesis`,
      headers: { 'x-dashscope-async': 'enable' },
      body: jsonBody({
        model: target.model,
        input: given({ prompt: request.prompt, negative_prompt: request.negativePrompt, ...frames }),
        parameters: given({ ...measure, duration: secondsOf(request, target), seed: request.seed, audio: request.audio }),
      }),
    };
  },
  accepted(answer) {
    const detail = objectOf(answer);
    return { ...jobIn(detail), remoteId: requiredText(inside(detail, 'output')['task_id'], 'task_id') };
  },
  poll: (remoteId) => ({ method: 'GET', path: `/tasks/${encodeURIComponent(remoteId)}` }),
  job: (answer) => jobIn(objectOf(answer)),
  cancel: (remoteId) => ({ path: `/tasks/${encodeURIComponent(remoteId)}/cancel` }),
};
