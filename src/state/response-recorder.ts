import { isObject, type Json, type JsonObject, parseObject } from '../ir/index.ts';
import type { OutHeaders } from '../exchange/client-sink.ts';
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

/** Passes a reply of the Responses protocol on with the gateway's own members in it, and keeps its last word. */
export function recordResponse(next: ReplyHandler, recording: Recording): ReplyHandler {
  let last: JsonObject | undefined;
  let over = false;

  const final = (response: JsonObject): void => {
    if (over) return;
    over = true;
    recording.onFinal(response);
  };
  const nothing = (fault?: Json): void => {
    if (over) return;
    over = true;
    recording.onNothing(fault);
  };
  const own = (response: JsonObject): JsonObject => {
    // A failure of bytes that passed by knows nothing of the response that had begun.
    const bare = last !== undefined && response['created_at'] === 0 && response['status'] === 'failed';
    return { ...(bare ? { ...last, status: 'failed', error: response['error'] ?? null } : response), ...recording.members };
  };

  next.onGone(() => nothing());
  return {
    hasBegun: () => next.hasBegun(),
    isClosed: () => next.isClosed(),
    begin: (headers) => next.begin(headers),
    frame(data, event) {
      const lifecycle = lifecycleFrame(data, event);
      if (lifecycle) {
        last = own(lifecycle.response);
        recording.onResponse?.(last);
        if (lifecycle.isFinal) final(last);
        return next.frame(JSON.stringify({ ...lifecycle.body, response: last }), event);
      }
      const error = errorFrame(data, event);
      if (error) {
        if (last) final(failedBy(error, last));
        else nothing(error);
      }
      return next.frame(data, event);
    },
    end() {
      nothing();
      next.end();
    },
    whole(status: number, headers: OutHeaders, body: Buffer) {
      const response = status === 200 ? parseObject(body.toString('utf8')) : undefined;
      if (!response) {
        nothing(errorIn(body));
        next.whole(status, headers, body);
        return;
      }
      const kept = own(response);
      final(kept);
      next.whole(status, headers, Buffer.from(JSON.stringify(kept)));
    },
    abort() {
      nothing();
      next.abort();
    },
    onGone: (listener) => next.onGone(listener),
    onDrain: (listener) => next.onDrain(listener),
  };
}

function errorIn(body: Buffer): Json | undefined {
  const error = parseObject(body.toString('utf8'))?.['error'];
  return isObject(error) ? error : undefined;
}
