import { createNotes, parseObject } from '../../ir/index.ts';
import type { Call, Decoded } from '../call.ts';
import { createAnswer, type Lane, type LaneContext, wrongTypeMode } from './lane.ts';
import { rawStream } from './raw-stream.ts';
import { rawWhole } from './raw-whole.ts';
import { translatedStream, translatedWhole } from './translated.ts';

/** The call read into the shared language, for answers that came in another form than was asked for. */
function decodedCall(call: Call): Decoded {
  const body = call.prepared?.body ?? parseObject(call.body.toString('utf8')) ?? {};
  return { request: call.client.decodeRequest({ ...body, model: call.model, stream: call.stream }), body, notes: createNotes() };
}

const nobody = (): void => {};

/** The raw lane: the client's protocol on both sides, bytes untouched. Answers in the other form (some servers ignore `stream`) are translated into the one that was asked for. */
export function createRawLane(context: LaneContext, dropUsageChunk: boolean): Lane {
  return createAnswer(context, (status, headers, contentType) => {
    const { stream, operation } = context.call;
    const isStream = contentType.startsWith('text/event-stream');
    const isJson = contentType.includes('json') || contentType === '';
    if (stream && isStream) return rawStream(context, headers, dropUsageChunk);
    if (!stream && isJson) return rawWhole(context, status, headers);
    if (operation === 'generate' && (isJson || isStream)) {
      const mode = isJson ? translatedWhole : translatedStream;
      return mode(context, decodedCall(context.call), headers, nobody);
    }
    return wrongTypeMode(context, contentType);
  });
}
