import { isObject, type JsonObject, type ReplyEvent } from '../../src/ir/index.ts';
import type { Recording } from './recordings.ts';
import { type Codec, decodeFrames, framesOf, SOURCE, unfolded } from './replay.ts';

const CHAT_ENDPOINTS = new Set(['messages', 'chat.completions', 'responses', 'generateContent', 'streamGenerateContent', 'completions']);

/** Whether it is a call of a model; reports of the account's usage end in the same word. */
export const isCall = ({ endpoint, request }: Recording): boolean =>
  CHAT_ENDPOINTS.has(endpoint) && !request?.path.includes('/organization/');

/** The recorded body of a reply that was no stream of events. */
const replyBody = ({ response }: Recording): unknown => response.body ?? JSON.parse(response.bodyText ?? 'null');

/** The recorded reply's events; a body that is an error throws its fault. */
export function recordedEvents(recording: Recording, codec: Codec): ReplyEvent[] {
  const { response } = recording;
  if (response.sse) return decodeFrames(codec, framesOf(Buffer.from(response.sse.join(''))));
  const body = replyBody(recording) as JsonObject | readonly JsonObject[];
  // Gemini's other form of a stream: one array of what would be events.
  if (Array.isArray(body))
    return decodeFrames(
      codec,
      body.map((one: JsonObject) => ({ data: JSON.stringify(one) })),
    );
  return unfolded(codec.decodeReply(body as JsonObject, SOURCE));
}

/** Whether an error stands in what was recorded, whatever its status. */
export const isErrorRecording = ({ response }: Recording): boolean =>
  /"error"\s*:\s*[{"]|^event: error/m.test(response.sse?.at(-1) ?? '') ||
  /"error"\s*:\s*[{"]|^event: error/m.test(response.sse?.at(-2) ?? '') ||
  /"error"\s*:\s*[{"]/.test(response.bodyText ?? JSON.stringify(response.body ?? ''));

/** A background job that was taken on, and not yet answered. */
export const isQueued = ({ response }: Recording): boolean =>
  isObject(response.body) && (response.body['status'] === 'queued' || response.body['status'] === 'in_progress');
