import { badField, GatewayError, gatewayFault, isObject, parseObject } from '../../ir/index.ts';
import { filenameFor } from '../../media/audio/sniff.ts';
import type { MediaRequest } from '../../media/codec.ts';
import { transcriptionCodecs } from '../../media/transcription/index.ts';
import type {
  BytesTranscription,
  FormTranscription,
  InlineTranscription,
  Transcript,
  TranscriptEvent,
  TranscriptionCodec,
  TranscriptionRequest,
} from '../../media/transcription/shape.ts';
import { diarizedSegment, usageOf, writeTranscript } from '../../media/transcription/write.ts';
import { collected } from '../../wire/collected.ts';
import { sseText } from '../../wire/sse.ts';
import { type Fields, streamedForm } from './form-stream.ts';
import { begun } from './begun.ts';
import type { MediaContext } from './media-exchange.ts';
import type { OpenAnswer } from './send-media.ts';
import { hasEvents, passingEvents } from './passing-events.ts';
import { codecOf, understood } from './whole.ts';
import { writeAll } from './write-all.ts';
import type { Writing } from './writing.ts';

/** A client's file on its way through, with what is asked of it. */
export interface Upload {
  readonly filename?: string;
  readonly mediaType?: string;
  /** Read once. */
  readonly bytes: AsyncIterable<Buffer>;
  readonly length?: number;
  /** What is asked, where all of it came before the file or the file is kept. */
  readonly known?: TranscriptionRequest;
  /** What is asked, once the file was read. */
  rest(): Promise<TranscriptionRequest>;
  /** The same with all that is asked known: where that came behind the file, it is kept meanwhile. */
  settled(): Promise<SettledUpload>;
  /** Events come that were not asked for: from here on errors can be told in them. */
  onEvents(): void;
}

/** A file that can be sent on with all that is asked of it. */
export interface SettledUpload {
  readonly bytes: AsyncIterable<Buffer>;
  readonly length: number;
  readonly known: TranscriptionRequest;
}

/** A transcript of hours, with times of words. */
const MAX_TRANSCRIPT_BYTES = 64 * 1024 * 1024;
const LAST_EVENT = 'transcript.text.done';

const EVENTS = 'text/event-stream; charset=utf-8';

const tooLong = (): GatewayError =>
  new GatewayError(gatewayFault('upstream', 'The upstream answered with more than can be held', { code: 'upstream_malformed' }));

/** The usage of an answer that passed, JSON or events. */
function countTapped(context: MediaContext, usage: unknown): void {
  if (!isObject(usage as never)) return;
  const { input_tokens: input, output_tokens: output } = usage as { input_tokens?: unknown; output_tokens?: unknown };
  if (typeof input === 'number' && typeof output === 'number') context.count({ input, output });
}

const noTranscript = (what: string): GatewayError =>
  new GatewayError(gatewayFault('upstream', `The upstream answered with ${what} instead of a transcript`, { code: 'upstream_malformed' }));

/** What passes as it is: events, to their last; texts and subtitles. What is JSON is read first: an error, or half of it, is no transcript. */
async function relay(
  codec: TranscriptionCodec,
  answer: OpenAnswer,
  request: TranscriptionRequest,
  context: MediaContext,
  upload: Upload,
): Promise<void> {
  const { headers, status } = answer;
  const type = String(headers['content-type'] ?? 'application/json');
  if (/^\s*text\/html\b/i.test(type)) {
    answer.body.leave();
    throw noTranscript('a page (text/html)');
  }
  const isEvents = hasEvents(headers);
  if (!isEvents && (type.includes('json') || request.stream)) {
    const body = await collected(answer.body, MAX_TRANSCRIPT_BYTES, tooLong);
    if (body.length === 0) throw noTranscript('nothing');
    const transcript = understood(context, () => codec.decode({ status, headers, body }, request));
    if (request.stream) return answerEvents(wholeEvents(transcript, request), request, context);
    countTapped(context, parseObject(body.toString('utf8'))?.['usage']);
    context.sink.begin(200, { ...context.headers(), 'content-type': type }, body.length);
    return context.sink.end(body);
  }
  const bytes = answer.body;
  const passing = isEvents ? passingEvents(bytes, LAST_EVENT, ({ usage }) => countTapped(context, usage)) : bytes;
  // An error before anything was said keeps its status.
  const pieces = await begun(passing, () => noTranscript('nothing'));
  if (isEvents) upload.onEvents();
  context.sink.begin(200, { ...context.headers(), 'content-type': type });
  await writeAll(context.sink, pieces);
  context.sink.end();
}

/** A whole transcript as the events of a stream. */
async function* wholeEvents(transcript: Transcript, { format }: TranscriptionRequest): AsyncGenerator<TranscriptEvent> {
  if (format === 'diarized_json') for (const segment of transcript.segments ?? []) yield { type: 'segment', segment };
  else if (transcript.text !== '') yield { type: 'delta', text: transcript.text };
  yield { type: 'done', transcript };
}

/** Events as OpenAI writes them. https://platform.openai.com/docs/api-reference/audio/transcript-text-delta-event */
async function* eventTexts(
  events: AsyncIterable<TranscriptEvent>,
  request: TranscriptionRequest,
  context: MediaContext,
): AsyncGenerator<string> {
  let segments = 0;
  for await (const event of events) {
    if (event.type === 'delta') yield sseText(JSON.stringify({ type: 'transcript.text.delta', delta: event.text }));
    else if (event.type === 'segment') {
      if (request.format === 'diarized_json') yield sseText(JSON.stringify(diarizedSegment(event.segment, segments++)));
    } else {
      const { transcript } = event;
      context.count(transcript.usage);
      yield sseText(JSON.stringify({ type: 'transcript.text.done', text: transcript.text, ...usageOf(transcript) }));
    }
  }
  yield sseText('[DONE]');
}

async function answerEvents(events: AsyncIterable<TranscriptEvent>, request: TranscriptionRequest, context: MediaContext): Promise<void> {
  // An error before anything was said keeps its status.
  const texts = await begun(eventTexts(events, request, context), () => noTranscript('nothing'));
  context.sink.begin(200, { ...context.headers(), 'content-type': EVENTS, 'cache-control': 'no-cache' });
  await writeAll(context.sink, texts);
  context.sink.end();
}

async function answerTranslated(
  codec: TranscriptionCodec,
  answer: OpenAnswer,
  request: TranscriptionRequest,
  context: MediaContext,
): Promise<void> {
  const { status, headers } = answer;
  if (request.stream && codec.streams(request, context.target)) {
    return answerEvents(codec.events(answer.body, request), request, context);
  }
  const body = await collected(answer.body, MAX_TRANSCRIPT_BYTES, tooLong);
  const transcript = understood(context, () => codec.decode({ status, headers, body }, request));
  if (request.stream) return answerEvents(wholeEvents(transcript, request), request, context);
  context.count(transcript.usage);
  const written = Buffer.from(writeTranscript(transcript, request).body);
  context.sink.begin(200, { ...context.headers(), 'content-type': writeTranscript(transcript, request).contentType }, written.length);
  context.sink.end(written);
}

/** Sends the file on as it comes; what is asked of it may come behind it. */
async function byForm(codec: FormTranscription, context: MediaContext, upload: Upload): Promise<void> {
  const { target, call, ports } = context;
  const task = call.ability === 'translation' ? 'translate' : 'transcribe';
  const asked: { request?: TranscriptionRequest } = {};
  const fieldsOf = (request: TranscriptionRequest): Fields => {
    asked.request = request;
    return codec.fields(request, target);
  };
  const { filename = filenameFor(upload.mediaType), mediaType, bytes, length } = upload;
  const file = {
    name: 'file',
    filename,
    bytes,
    ...(mediaType === undefined ? {} : { mediaType }),
    ...(length === undefined ? {} : { length }),
  };
  const later = async (): Promise<Fields> => {
    const fields = fieldsOf(await upload.rest());
    context.refuseLosses();
    return fields;
  };
  const form = streamedForm(
    ports.newId('pailou-'),
    [[codec.modelField, target.model]],
    file,
    upload.known ? fieldsOf(upload.known) : later,
  );
  const request: MediaRequest = { path: codec.path(task, target), headers: { 'content-type': form.contentType }, stream: form.stream };
  const answer = await context.open(request, codec);
  if (!asked.request) {
    answer.body.leave();
    throw new GatewayError(
      gatewayFault('upstream', 'The upstream answered before it had the whole request', { code: 'upstream_malformed' }),
    );
  }
  if (codec.passes(asked.request, target)) return relay(codec, answer, asked.request, context, upload);
  return answerTranslated(codec, answer, asked.request, context);
}

/** Sends the file inside a JSON request, for which it is held. */
async function inline(codec: InlineTranscription, context: MediaContext, upload: Upload): Promise<void> {
  const tooLarge = (): GatewayError => {
    const message = `Invalid request: the file in 'file' is larger than the ${Math.floor(codec.maxBytes / 1024 / 1024)} MiB that this provider takes`;
    return new GatewayError(gatewayFault('too_large', message, { param: 'file', code: 'file_too_large' }));
  };
  if ((upload.length ?? 0) > codec.maxBytes) throw tooLarge();
  const data = await collected(upload.bytes, codec.maxBytes, tooLarge);
  const request = upload.known ?? (await upload.rest());
  const { mediaType } = upload;
  if (mediaType === undefined)
    throw badField('file', "Invalid request: nothing says what kind of audio 'file' is: give it a name or a type");
  const answer = await context.open(codec.encode(request, { data, mediaType }, context.target), codec);
  return answerTranslated(codec, answer, request, context);
}

/** Sends the file itself, once all is known that stands in the address. */
async function byBytes(codec: BytesTranscription, context: MediaContext, upload: Upload): Promise<void> {
  const { bytes, length, known } = await upload.settled();
  const { mediaType = 'application/octet-stream' } = upload;
  const request: MediaRequest = {
    path: codec.path(known, context.target),
    headers: { 'content-type': mediaType },
    stream: { bytes, length },
  };
  return answerTranslated(codec, await context.open(request, codec), known, context);
}

/**
 * Writes for a target what it would be asked beside the sound, so that it is known what it refuses or loses. `request`: as far as it is
 * known before the sound has come.
 */
export function writeTranscription(writing: Writing, request: TranscriptionRequest): void {
  const codec = codecOf(transcriptionCodecs, writing);
  if (codec.kind === 'form') codec.fields(request, writing.target);
  else if (codec.kind === 'bytes') codec.path(request, writing.target);
  else codec.encode(request, { data: Buffer.alloc(0), mediaType: 'audio/wav' }, writing.target);
}

/** Has the target write down what was said, and answers. */
export function transcribe(context: MediaContext, upload: Upload): Promise<void> {
  const codec = codecOf(transcriptionCodecs, context);
  if (codec.kind === 'form') return byForm(codec, context, upload);
  return codec.kind === 'inline' ? inline(codec, context, upload) : byBytes(codec, context, upload);
}
