import { type Fault, gatewayFault, kindOfStatus } from '../ir/index.ts';
import type { ClientCodec, ReplyContext, WriteFrame } from '../protocols/protocol.ts';
import { sseText } from '../wire/sse.ts';
import type { Trouble } from './behaviour.ts';
import type { Performance } from './chat-model.ts';
import type { Step } from './play.ts';
import { replyEvents } from './reply-events.ts';

/** What is known of one request when its answer is written. */
export interface Answering {
  readonly codec: ClientCodec;
  readonly context: ReplyContext;
  readonly requestId: string;
  /** `whole`: not a stream. `array`: Gemini's streamed JSON array. */
  readonly form: 'whole' | 'sse' | 'array';
  readonly lineEnd: '\n' | '\r\n';
}

/** How an answer is framed. */
type Form = Pick<Answering, 'form' | 'lineEnd'>;
/** What a failure is written with. */
export type Failing = Form & Pick<Answering, 'codec' | 'requestId'>;

type Headers = Readonly<Record<string, string>>;

const PAGE =
  '<!DOCTYPE html>\n<html><head><title>Not what you asked for</title></head>\n<body><h1>Not what you asked for</h1><p>A page of the sandbox, as a proxy in between would send it.</p></body></html>\n';

/** Bytes that are no JSON and, in a stream, no event that could be read: cut JSON, bytes that are not UTF-8, a stray line. */
const GARBAGE = Buffer.concat([
  Buffer.from('data: {"unfinished": [{"'),
  Buffer.from([0xff, 0xfe, 0x00, 0xc3]),
  Buffer.from('\n\n<<< garbage >>>\n\n'),
]);

/** The type of every answer that is JSON. */
export const JSON_TYPE = 'application/json; charset=utf-8';

/** A pause, where there is one. */
export const wait = (ms: number): readonly Step[] => (ms > 0 ? [{ do: 'wait', ms }] : []);

/** A whole answer in one piece. */
function whole(status: number, body: string | Buffer, contentType: string, more: Headers): readonly Step[] {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
  const headers = { 'content-type': contentType, 'content-length': String(bytes.length), ...more };
  return [{ do: 'head', status, headers }, ...(bytes.length > 0 ? [{ do: 'bytes', bytes } as const] : []), { do: 'end' }];
}

/** The header that every answer carries. */
export const idHeader = (requestId: string): Headers => ({ 'x-request-id': requestId });

function retryHeaders(retryAfterMs: number | undefined): Headers {
  if (retryAfterMs === undefined) return {};
  return {
    'retry-after': String(Math.ceil(retryAfterMs / 1000)),
    ...(retryAfterMs % 1000 === 0 ? {} : { 'retry-after-ms': String(retryAfterMs) }),
  };
}

/** An answer that is JSON, a reply or any other. */
export const jsonSteps = (status: number, body: unknown, requestId: string): readonly Step[] =>
  whole(status, JSON.stringify(body), JSON_TYPE, idHeader(requestId));

/** A failure in the envelope of the protocol; the status is the fault's own, also where the codec would choose another. */
export function faultSteps(codec: ClientCodec, fault: Fault, requestId: string): readonly Step[] {
  const { body } = codec.encodeFault(fault, requestId);
  return whole(fault.status, JSON.stringify(body), JSON_TYPE, { ...idHeader(requestId), ...retryHeaders(fault.retryAfterMs) });
}

/** The fault that a status asked for stands for. */
function askedFault(status: number, retryAfterMs?: number): Fault {
  return {
    ...gatewayFault(kindOfStatus(status), `The sandbox answers with status ${status}, as it was asked to`, {
      code: 'sandbox_failure',
      by: 'upstream',
    }),
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

const IN_STREAM = gatewayFault('internal', 'The sandbox fails in the middle of its answer, as it was asked to', {
  code: 'sandbox_failure',
  by: 'upstream',
});

/** Writes frames as bytes in the form that was asked for. */
interface FrameWriter {
  readonly contentType: string;
  /** What `make` writes, as one piece of bytes; `undefined` when it wrote nothing. */
  bytes(make: (write: WriteFrame) => void): Buffer | undefined;
  /** What closes a stream that ends by its own will. */
  readonly close: string;
}

function frameWriter({ form, lineEnd }: Form): FrameWriter {
  let first = true;
  const frame = (data: string, event?: string): string => {
    if (form === 'sse') return lineEnd === '\n' ? sseText(data, event) : sseText(data, event).replaceAll('\n', lineEnd);
    const head = first ? '[' : ',\r\n';
    first = false;
    return head + data;
  };
  return {
    contentType: form === 'sse' ? 'text/event-stream; charset=utf-8' : JSON_TYPE,
    close: form === 'sse' ? '' : ']',
    bytes(make) {
      let text = '';
      make((data, event) => (text += frame(data, event)));
      return text === '' ? undefined : Buffer.from(text);
    },
  };
}

type MidTrouble = Extract<Trouble, { after: number }>;
/** Whether a failure comes in the middle of an answer. */
export const isMid = (trouble: Trouble | undefined): trouble is MidTrouble => trouble !== undefined && 'after' in trouble;

/** How a mid-answer failure ends it, whatever the form; `stall` does not end. */
export function* lastWords(kind: MidTrouble['kind']): Iterable<Step> {
  if (kind === 'garbage') {
    yield { do: 'bytes', bytes: GARBAGE };
    yield { do: 'end' };
  } else if (kind === 'cut' || kind === 'reset') yield { do: 'break', how: kind };
}

/** A reply as a stream, in its time, until it ends or fails as it was asked to. */
function* streamSteps({ reply, behaviour }: Performance, answering: Answering): Iterable<Step> {
  const { pace } = behaviour;
  const trouble = isMid(behaviour.trouble) ? behaviour.trouble : undefined;
  const encoder = answering.codec.streamEncoder(answering.context);
  const writer = frameWriter(answering);
  const after = trouble?.after ?? Number.POSITIVE_INFINITY;
  let sent = 0;
  yield { do: 'head', status: 200, headers: { 'content-type': writer.contentType, ...idHeader(answering.requestId) } };
  for (const event of replyEvents(reply)) {
    const fails = after < 0 || (sent >= after && event.type !== 'reply-start') || event.type === 'reply-end';
    if (trouble && fails) {
      const bytes =
        trouble.kind === 'error' ? writer.bytes((write) => encoder.event({ type: 'fault', fault: IN_STREAM }, write)) : undefined;
      if (bytes) yield { do: 'bytes', bytes };
      yield* lastWords(trouble.kind);
      if (trouble.kind !== 'error') return;
      break;
    }
    if (event.type === 'part-delta') yield* wait(sent++ === 0 ? pace.firstMs : pace.betweenMs);
    const bytes = writer.bytes((write) => encoder.event(event, write));
    if (bytes) yield { do: 'bytes', bytes };
  }
  if (writer.close !== '') yield { do: 'bytes', bytes: Buffer.from(writer.close) };
  yield { do: 'end' };
}

/** The error event of a stream that fails in the middle. */
export function errorFrame({ codec, requestId, ...form }: Failing): Buffer {
  return frameWriter(form).bytes((write) => codec.faultFrame(IN_STREAM, requestId, write)) ?? Buffer.alloc(0);
}

/** A whole body, or as much of it as a failure in its middle leaves. `pieces`: how many it counts for. */
export function* bodySteps(
  bytes: Buffer,
  contentType: string,
  pieces: number,
  trouble: Trouble | undefined,
  { codec, requestId }: Pick<Failing, 'codec' | 'requestId'>,
): Iterable<Step> {
  if (!isMid(trouble)) {
    yield* whole(200, bytes, contentType, idHeader(requestId));
    return;
  }
  if (trouble.kind === 'error') {
    yield* faultSteps(codec, IN_STREAM, requestId);
    return;
  }
  // As much of the body as of the answer, never all of it.
  const share = trouble.after < 0 ? 0 : Math.min((trouble.after + 1) / (pieces + 1), 1);
  const part = bytes.subarray(0, Math.min(Math.floor(bytes.length * share), bytes.length - 1));
  const length: Headers = trouble.kind === 'garbage' ? {} : { 'content-length': String(bytes.length) };
  yield { do: 'head', status: 200, headers: { 'content-type': contentType, ...length, ...idHeader(requestId) } };
  if (part.length > 0) yield { do: 'bytes', bytes: part };
  yield* lastWords(trouble.kind);
}

/** A reply in one piece, after the time that it would have taken as a stream. */
function* wholeSteps({ reply, behaviour }: Performance, answering: Answering): Iterable<Step> {
  const { pace, trouble } = behaviour;
  const { codec, context, requestId } = answering;
  const bytes = Buffer.from(JSON.stringify(codec.encodeReply(reply, context)));
  let pieces = 0;
  for (const event of replyEvents(reply)) if (event.type === 'part-delta') pieces++;
  yield* wait(pace.firstMs + pace.betweenMs * Math.max(0, pieces - 1));
  yield* bodySteps(bytes, JSON_TYPE, pieces, trouble, { codec, requestId });
}

/** An error where an answer was due, with a success status. */
function errorInside(answering: Failing): readonly Step[] {
  const { codec, requestId, form } = answering;
  const fault = askedFault(500);
  if (form === 'whole') return jsonSteps(200, codec.encodeFault(fault, requestId).body, requestId);
  const writer = frameWriter(answering);
  const frame = writer.bytes((write) => codec.faultFrame(fault, requestId, write)) ?? Buffer.alloc(0);
  return [
    { do: 'head', status: 200, headers: { 'content-type': writer.contentType, ...idHeader(requestId) } },
    { do: 'bytes', bytes: Buffer.concat([frame, Buffer.from(writer.close)]) },
    { do: 'end' },
  ];
}

/** Failures that leave nothing of the answer; `undefined` when there is an answer. */
export function failedSteps(trouble: Trouble | undefined, answering: Failing): readonly Step[] | undefined {
  const { codec, requestId, form } = answering;
  switch (trouble?.kind) {
    case 'status':
      return faultSteps(codec, askedFault(trouble.status, trouble.retryAfterMs), requestId);
    case 'hang-up':
      return [{ do: 'break', how: 'cut' }];
    case 'html':
      return whole(trouble.status, PAGE, 'text/html; charset=utf-8', idHeader(requestId));
    case 'empty':
      return whole(200, '', form === 'sse' ? 'text/event-stream; charset=utf-8' : JSON_TYPE, idHeader(requestId));
    case 'error-in-200':
      return errorInside(answering);
    default:
      return undefined;
  }
}

/** All that happens in the answer to one request. */
export function* answerSteps(performance: Performance, answering: Answering): Iterable<Step> {
  const { pace, trouble } = performance.behaviour;
  yield* wait(pace.headMs);
  const failed = failedSteps(trouble, answering);
  if (failed) yield* failed;
  else if (answering.form === 'whole') yield* wholeSteps(performance, answering);
  else yield* streamSteps(performance, answering);
}
