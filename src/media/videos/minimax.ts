import { GatewayError, gatewayFault, type JsonObject } from '../../ir/index.ts';
import { jsonBody, type MediaAnswer } from '../codec.ts';
import { inside, jobOf, objectOf, requiredText, statusOf, type StatusWords, textOf } from './job-answer.ts';
import { dataUri, framesOf, given, noteLosses, secondsFrom } from './request-parts.ts';
import type { VideoCodec, VideoOutput, VideoRequest } from './shape.ts';

/*
 * MiniMax: Hailuo. https://platform.minimax.io/docs/api-reference/video-generation-t2v
 */

const WORDS: StatusWords = {
  preparing: 'queued',
  queueing: 'queued',
  processing: 'in_progress',
  success: 'completed',
  fail: 'failed',
};

/** Errors come with 200, in `base_resp`. https://platform.minimax.io/docs/api-reference/errorcode */
const CLIENT_ERRORS: Readonly<
  Record<number, { readonly kind: 'bad_request' | 'rate_limit' | 'authentication' | 'billing'; readonly status: number }>
> = {
  1002: { kind: 'rate_limit', status: 429 },
  1004: { kind: 'authentication', status: 401 },
  2049: { kind: 'authentication', status: 401 },
  1008: { kind: 'billing', status: 402 },
  1026: { kind: 'bad_request', status: 400 },
  2013: { kind: 'bad_request', status: 400 },
};

function goodAnswer(answer: MediaAnswer): JsonObject {
  const detail = objectOf(answer);
  const { status_code: code, status_msg: message } = inside(detail, 'base_resp');
  if (code === undefined || code === 0) return detail;
  const found = CLIENT_ERRORS[Number(code)] ?? { kind: 'upstream' as const, status: 502 };
  const isOurs = found.kind === 'authentication' || found.kind === 'billing';
  if (isOurs) {
    const more = { code: 'upstream_credential', ...(found.kind === 'billing' ? { quota: true as const } : {}) };
    throw new GatewayError(gatewayFault('upstream', "The provider refused the gateway's credential", more));
  }
  throw new GatewayError(
    gatewayFault(found.kind, textOf(message) ?? 'The provider refused the request', {
      status: found.status,
      by: 'upstream',
      code: String(code),
    }),
  );
}

/** Its own steps: 512P, 720P, 768P and 1080P. */
function resolutionOf({ resolution }: VideoRequest): string | undefined {
  if (resolution === undefined) return undefined;
  const steps: Readonly<Record<string, string>> = { '480p': '512P', '540p': '512P', '720p': '768P', '1080p': '1080P' };
  return steps[resolution] ?? resolution.toUpperCase();
}

function outputOf(fileId: string): VideoOutput {
  return {
    variant: 'video',
    from: {
      request: { method: 'GET', path: `/files/retrieve?file_id=${encodeURIComponent(fileId)}` },
      urlIn: (answer) => requiredText(inside(goodAnswer(answer), 'file')['download_url'], 'download_url'),
    },
  };
}

/** MiniMax. */
export const minimaxVideos: VideoCodec = {
  id: 'minimax',
  create(request, target) {
    const { first, last, references } = framesOf(request, { last: true, references: 1 });
    noteLosses(request, target, ['ratio', 'negativePrompt', 'seed', 'audio']);
    const [subject] = references;
    return {
      path: '/video_generation',
      body: jsonBody(
        given({
          model: target.model,
          prompt: request.prompt,
          first_frame_image: first && dataUri(first),
          last_frame_image: last && dataUri(last),
          subject_reference: subject && [{ type: 'character', image: [dataUri(subject)] }],
          duration: secondsFrom(request, target, [6, 10]),
          resolution: resolutionOf(request),
        }),
      ),
    };
  },
  accepted(answer) {
    const detail = goodAnswer(answer);
    return { ...jobOf({ status: 'queued', detail }), remoteId: requiredText(detail['task_id'], 'task_id') };
  },
  poll: (remoteId) => ({ method: 'GET', path: `/query/video_generation?task_id=${encodeURIComponent(remoteId)}` }),
  job(answer) {
    const detail = objectOf(answer);
    const status = statusOf(WORDS, detail['status']);
    // A job that failed says why where other answers say that they did.
    if (status !== 'failed') goodAnswer(answer);
    const base = inside(detail, 'base_resp');
    return jobOf({
      status,
      detail,
      code: base['status_code'] === 0 ? undefined : textOf(base['status_code']),
      message: base['status_code'] === 0 ? undefined : textOf(base['status_msg']),
      ...(status === 'completed' ? { outputs: [outputOf(requiredText(detail['file_id'], 'file_id'))] } : {}),
    });
  },
};
