import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { isObject, type JsonObject, parseObject } from '../../ir/index.ts';
import { type Behaviour, behaviourOf, changed, readWord } from '../behaviour.ts';
import { checksum } from '../seals.ts';

/**
 * A film that was asked for. All that is known of it stands in its id: the sandbox keeps no jobs, so none is lost when the
 * server is killed.
 */
export interface VideoJob {
  readonly model: string;
  /** As much of it as is drawn. */
  readonly prompt: string;
  readonly seconds: number;
  readonly width: number;
  readonly height: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** What becomes of it. */
  readonly end?: 'failed' | 'filtered' | 'stuck';
  readonly takesMs: number;
  /** Changes of behaviour that the prompt asked for, as words. */
  readonly words: readonly string[];
  /** What was given to begin with. */
  readonly from?: string;
  readonly remixOf?: string;
}

/** Letters of a prompt that an id has room for. */
export const MAX_PROMPT_KEPT = 120;
const PREFIX = 'video_';
const MAX_ID = 1500;
const MAX_JOB_BYTES = 4096;

/** The id that a job is known by. `mark`: something unique. */
export function jobId(job: VideoJob, mark: string): string {
  const { model, prompt, seconds, width, height, createdAt, end, takesMs, words, from, remixOf } = job;
  const packed = deflateRawSync(
    JSON.stringify([mark, model, prompt, seconds, width, height, createdAt, end ?? null, takesMs, words, from ?? null, remixOf ?? null]),
  ).toString('base64url');
  return `${PREFIX}${checksum(packed)}${packed}`;
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;

function unpacked(packed: string): readonly unknown[] {
  try {
    const text = inflateRawSync(Buffer.from(packed, 'base64url'), { maxOutputLength: MAX_JOB_BYTES }).toString('utf8');
    const { list } = parseObject(`{"list":${text}}`) ?? {};
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

/** The job of an id; `undefined` where the sandbox never gave such a one. */
export function jobOf(id: string): VideoJob | undefined {
  if (!id.startsWith(PREFIX) || id.length > MAX_ID) return undefined;
  const [mark, packed] = [id.slice(PREFIX.length, PREFIX.length + 8), id.slice(PREFIX.length + 8)];
  if (checksum(packed) !== mark) return undefined;
  const [, model, prompt, seconds, width, height, createdAt, end, takesMs, words, from, remixOf] = unpacked(packed);
  const isWhole = isText(model) && isText(prompt) && [seconds, width, height, createdAt, takesMs].every(isCount) && Array.isArray(words);
  if (!isWhole || !isCount(seconds) || !isCount(width) || !isCount(height) || !isCount(createdAt) || !isCount(takesMs)) return undefined;
  return {
    model,
    prompt,
    seconds,
    width,
    height,
    createdAt,
    takesMs,
    words: words.filter(isText),
    ...(end === 'failed' || end === 'filtered' || end === 'stuck' ? { end } : {}),
    ...(isText(from) ? { from } : {}),
    ...(isText(remixOf) ? { remixOf } : {}),
  };
}

/** What its model and its prompt asked for. */
export function behaviourOfJob({ model, words }: VideoJob): Behaviour | undefined {
  const named = behaviourOf(model);
  return named && words.reduce((behaviour, word) => changed(behaviour, readWord(word) ?? {}), named);
}

/** Time in the queue: a share of the whole. */
const QUEUED = 0.1;
/** Where a job fails that is to fail. */
const FAILS_AT = 0.6;
/** A job that is stuck goes no further. */
const STICKS_AT = 0.5;
const KEPT_SECONDS = 3600;

const ERRORS = {
  failed: { code: 'video_generation_failed', message: 'The sandbox failed at this video, as it was asked to' },
  filtered: { code: 'moderation_blocked', message: 'Your request was blocked by the moderation system, as it was asked to' },
} as const;

/** How far a job is. */
export interface JobState {
  readonly status: 'queued' | 'in_progress' | 'completed' | 'failed';
  readonly progress: number;
  readonly error?: { readonly code: string; readonly message: string };
  /** Seconds since 1970. */
  readonly completedAt?: number;
  readonly expiresAt?: number;
}

/** How far a job is at a time: that alone decides. */
export function stateOf(job: VideoJob, nowMs: number): JobState {
  const { createdAt, takesMs, end } = job;
  const share = takesMs === 0 ? 1 : Math.max(0, nowMs - createdAt) / takesMs;
  const rising = (most: number): JobState =>
    share < QUEUED ? { status: 'queued', progress: 0 } : { status: 'in_progress', progress: Math.floor(Math.min(share, most) * 100) };
  if (end === 'stuck') return rising(STICKS_AT);
  if (end && share >= FAILS_AT)
    return {
      status: 'failed',
      progress: Math.floor(FAILS_AT * 100),
      error: ERRORS[end],
      completedAt: Math.floor((createdAt + takesMs * FAILS_AT) / 1000),
    };
  if (share < 1) return rising(0.99);
  const completedAt = Math.floor((createdAt + takesMs) / 1000);
  return { status: 'completed', progress: 100, completedAt, expiresAt: completedAt + KEPT_SECONDS };
}

/** Whether its bytes are still there. */
export const isExpired = ({ expiresAt }: JobState, nowMs: number): boolean => expiresAt !== undefined && nowMs / 1000 >= expiresAt;

/** A job as the wire has it. https://platform.openai.com/docs/api-reference/videos/object */
export function videoObject(id: string, job: VideoJob, nowMs: number): JsonObject {
  const { status, progress, error, completedAt, expiresAt } = stateOf(job, nowMs);
  return {
    id,
    object: 'video',
    created_at: Math.floor(job.createdAt / 1000),
    completed_at: completedAt ?? null,
    expires_at: expiresAt ?? null,
    status,
    progress,
    model: job.model,
    prompt: job.prompt,
    seconds: String(job.seconds),
    size: `${job.width}x${job.height}`,
    remixed_from_video_id: job.remixOf ?? null,
    error: isObject(error) ? error : null,
  };
}
