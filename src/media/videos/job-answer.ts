import { isObject, type Json, type JsonObject, parseObject } from '../../ir/index.ts';
import type { MediaAnswer } from '../codec.ts';
import type { VideoJob, VideoOutput } from './shape.ts';

/*
 * What answers of vendors have in common: a word for how the job stands, and reasons in places of their own.
 */

/** The JSON object of an answer. Throws where it is none. */
export function objectOf({ body }: MediaAnswer): JsonObject {
  const object = parseObject(body.toString('utf8'));
  if (!object) throw new Error('not a JSON object');
  return object;
}

/** A member that should be an object; empty where it is none. */
export const inside = (value: JsonObject, key: string): JsonObject => {
  const member = value[key];
  return isObject(member) ? member : {};
};

/** Text that is not empty, or a number as text. */
export const textOf = (value: Json | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;

/** Text that must be there. */
export function requiredText(value: Json | undefined, what: string): string {
  const text = textOf(value);
  if (text === undefined) throw new Error(`no ${what}`);
  return text;
}

/** What each vendor calls the five statuses, in lower case. */
export type StatusWords = Readonly<Record<string, VideoJob['status']>>;

/** The status that a word means; one that nobody knows yet means that it is not over. */
export const statusOf = (words: StatusWords, word: Json | undefined): VideoJob['status'] =>
  words[String(word ?? '').toLowerCase()] ?? 'in_progress';

/** Why a job failed, where its vendor says nothing. */
const NO_REASON = 'The provider says that the video could not be made, and not why';

/** What is known of a job. */
interface Facts {
  readonly status: VideoJob['status'];
  readonly detail: JsonObject;
  readonly progress?: number | undefined;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly outputs?: readonly VideoOutput[];
  readonly expiresAt?: number | undefined;
}

/** A job of what is known of it: reasons count where it failed, outputs where it is done. */
export function jobOf({ status, detail, progress, code, message, outputs, expiresAt }: Facts): VideoJob {
  return {
    status,
    detail,
    ...(progress === undefined || Number.isNaN(progress) ? {} : { progress }),
    ...(expiresAt === undefined || Number.isNaN(expiresAt) ? {} : { expiresAt }),
    ...(status === 'failed' ? { error: { code: code ?? 'video_generation_failed', message: message ?? NO_REASON } } : {}),
    ...(status === 'completed' && outputs ? { outputs } : {}),
  };
}

/** The video at an address, and a picture of it where there is one. Throws where a done job names no video. */
export function outputsAt(
  video: Json | undefined,
  more: Partial<Record<VideoOutput['variant'], Json | undefined>> = {},
): readonly VideoOutput[] {
  const views = (Object.entries(more) as [VideoOutput['variant'], Json | undefined][]).flatMap(([variant, url]): VideoOutput[] =>
    typeof url === 'string' && url !== '' ? [{ variant, isOptional: true, from: { url } }] : [],
  );
  return [{ variant: 'video', from: { url: requiredText(video, 'address of the video') } }, ...views];
}
