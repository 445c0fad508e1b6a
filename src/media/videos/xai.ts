import { badField } from '../../ir/index.ts';
import { jsonBody } from '../codec.ts';
import { inside, jobOf, objectOf, outputsAt, requiredText, statusOf, type StatusWords, textOf } from './job-answer.ts';
import { dataUri, framesOf, given, noteLosses, secondsWithin, wordFrom } from './request-parts.ts';
import type { VideoCodec, VideoRequest, VideoSource } from './shape.ts';

const WORDS: StatusWords = { pending: 'in_progress', queued: 'queued', done: 'completed', failed: 'failed', expired: 'failed' };

/** The address of a finished video, which is how it is named here. */
const videoOf = ({ detail }: VideoSource): { readonly url: string } => ({ url: requiredText(inside(detail, 'video')['url'], 'address') });

function onlyPrompt(request: VideoRequest): void {
  const [image] = request.images;
  if (image) throw badField(image.at, `Invalid request: '${image.at}': this provider takes no images here`, 'not_supported');
}

/** xAI. https://docs.x.ai/developers/rest-api-reference/inference/videos */
export const xaiVideos: VideoCodec = {
  id: 'xai',
  create(request, target) {
    const { first, references } = framesOf(request, { last: false, references: 7 });
    noteLosses(request, target, ['negativePrompt', 'seed', 'audio']);
    return {
      path: '/videos/generations',
      body: jsonBody(
        given({
          model: target.model,
          prompt: request.prompt,
          duration: secondsWithin(request, target, 1, 15),
          aspect_ratio: wordFrom(request.ratio, ['16:9', '9:16', '1:1', '4:3', '3:4', '3:2', '2:3'], request.names.ratio, target),
          resolution: wordFrom(request.resolution, ['480p', '720p', '1080p'], request.names.resolution, target),
          image: first && { url: dataUri(first) },
          reference_images: references.length > 0 ? references.map((image) => ({ url: dataUri(image) })) : undefined,
        }),
      ),
    };
  },
  derive: {
    edit(source, request, target) {
      onlyPrompt(request);
      noteLosses(request, target, ['seconds', 'size', 'ratio', 'resolution', 'negativePrompt', 'seed', 'audio']);
      return { path: '/videos/edits', body: jsonBody({ model: target.model, prompt: request.prompt, video: videoOf(source) }) };
    },
    // A remix is an edit by another name.
    remix(source, request, target) {
      onlyPrompt(request);
      noteLosses(request, target, ['seconds', 'size', 'ratio', 'resolution', 'negativePrompt', 'seed', 'audio']);
      target.notes.add('remix', 'emulated', 'as an edit of the video');
      return { path: '/videos/edits', body: jsonBody({ model: target.model, prompt: request.prompt, video: videoOf(source) }) };
    },
    extend(source, request, target) {
      onlyPrompt(request);
      noteLosses(request, target, ['size', 'ratio', 'resolution', 'negativePrompt', 'seed', 'audio']);
      const duration = secondsWithin(request, target, 1, 15);
      return {
        path: '/videos/extensions',
        body: jsonBody(given({ model: target.model, prompt: request.prompt, duration, video: { ...videoOf(source) } })),
      };
    },
  },
  accepted(answer) {
    const detail = objectOf(answer);
    return { ...jobOf({ status: 'queued', detail }), remoteId: requiredText(detail['request_id'], 'request_id') };
  },
  poll: (remoteId) => ({ method: 'GET', path: `/videos/${encodeURIComponent(remoteId)}` }),
  job(answer) {
    const detail = objectOf(answer);
    const video = inside(detail, 'video');
    const error = inside(detail, 'error');
    const word = detail['status'] ?? (video['url'] === undefined ? 'pending' : 'done');
    const isBlocked = video['respect_moderation'] === false;
    return jobOf({
      status: isBlocked ? 'failed' : statusOf(WORDS, word),
      detail,
      progress: Number(detail['progress'] ?? Number.NaN),
      code: isBlocked ? 'content_policy_violation' : (textOf(error['code']) ?? (word === 'expired' ? 'expired' : undefined)),
      message: isBlocked ? 'The video was blocked by the moderation of the provider' : textOf(error['message']),
      ...(statusOf(WORDS, word) === 'completed' && !isBlocked ? { outputs: outputsAt(video['url']) } : {}),
    });
  },
};
