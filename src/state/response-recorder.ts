import { isObject, type Json, type JsonObject, parseObject } from '../ir/index.ts';
import type { ReplyHandler } from './reply-handler.ts';
import { errorFrame, lifecycleFrame } from './response-frames.ts';

/** What a recorded reply is told and tells. */
export interface Recording {
  /** Members of every response that passes, over what the exchange says: id, store, previous_response_id and the like. */
  readonly members: JsonObject;
  /** The response as it stands, whenever a word of it passes. */
  readonly onResponse?: (response: JsonObject) => void;
  /** The reply is over, before its last word goes to the client: a read that comes after it must find what is kept now. */
  readonly onFinal: (response: JsonObject) => void;
  /** It ended without a response: refused, or cut off. */
  readonly onNothing: (fault: Json | undefined) => void;
}

/** The response that an error event leaves behind. */
function failedBy(error: JsonObject, last: JsonObject): JsonObject {
  const { code, message } = error;
  return {
    ...last,
    status: 'failed',
    error: {
      code: typeof code === 'string' ? code : 'server_error',
      message: typeof message === 'string' ? message : 'The response failed',
    },
  };
}

/** What the pieces below share. */
interface Recorded {
  readonly recording: Recording;
  /** The response as it stood when it last passed. */
  last: JsonObject | undefined;
  /** What became of it was told. */
  isOver: boolean;
}

function endWith(recorded: Recorded, response: JsonObject): void {
  if (recorded.isOver) return;
  recorded.isOver = true;
  recorded.recording.onFinal(response);
}

function endWithNothing(recorded: Recorded, fault?: Json): void {
  if (recorded.isOver) return;
  recorded.isOver = true;
  recorded.recording.onNothing(fault);
}

/** A response with the gateway's own members. */
function owned({ recording, last }: Recorded, response: JsonObject): JsonObject {
  // A failure of bytes that passed by knows nothing of the response that had begun.
  const bare = last !== undefined && response['created_at'] === 0 && response['status'] === 'failed';
  return { ...(bare ? { ...last, status: 'failed', error: response['error'] ?? null } : response), ...recording.members };
}

/** Takes notice of an event, and gives it as the client is to have it. */
function recordFrame(recorded: Recorded, data: string, event: string | undefined): string {
  const lifecycle = lifecycleFrame(data, event);
  if (lifecycle) {
    const response = owned(recorded, lifecycle.response);
    recorded.last = response;
    recorded.recording.onResponse?.(response);
    if (lifecycle.isFinal) endWith(recorded, response);
    return JSON.stringify({ ...lifecycle.body, response });
  }
  const error = errorFrame(data, event);
  if (error) {
    if (recorded.last) endWith(recorded, failedBy(error, recorded.last));
    else endWithNothing(recorded, error);
  }
  return data;
}

/** The same of an answer that comes whole. */
function recordWhole(recorded: Recorded, status: number, body: Buffer): Buffer {
  const response = status === 200 ? parseObject(body.toString('utf8')) : undefined;
  if (!response) {
    endWithNothing(recorded, errorIn(body));
    return body;
  }
  const kept = owned(recorded, response);
  endWith(recorded, kept);
  return Buffer.from(JSON.stringify(kept));
}

function errorIn(body: Buffer): Json | undefined {
  const error = parseObject(body.toString('utf8'))?.['error'];
  return isObject(error) ? error : undefined;
}

/** Passes a reply of the Responses protocol on with the gateway's own members in it, and keeps its last word. */
export function recordResponse(next: ReplyHandler, recording: Recording): ReplyHandler {
  const recorded: Recorded = { recording, last: undefined, isOver: false };
  next.onGone(() => endWithNothing(recorded));
  return {
    hasBegun: () => next.hasBegun(),
    isClosed: () => next.isClosed(),
    begin: (headers) => next.begin(headers),
    frame: (data, event) => next.frame(recordFrame(recorded, data, event), event),
    end() {
      endWithNothing(recorded);
      next.end();
    },
    whole: (status, headers, body) => next.whole(status, headers, recordWhole(recorded, status, body)),
    abort() {
      endWithNothing(recorded);
      next.abort();
    },
    onGone: (listener) => next.onGone(listener),
    onDrain: (listener) => next.onDrain(listener),
  };
}
