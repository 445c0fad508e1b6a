import { createHash, type Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { badField, type Json, type JsonObject, missingField } from '../../../ir/index.ts';
import { runMedia } from '../../../exchange/media/media-exchange.ts';
import { type SettledUpload, transcribe, type Upload, writeTranscription } from '../../../exchange/media/transcription.ts';
import type { Writing } from '../../../exchange/media/writing.ts';
import { audioTypeOf, HEAD_BYTES } from '../../../media/audio/sniff.ts';
import { TRANSCRIPT_FORMATS, type SentField, type TranscriptionRequest } from '../../../media/transcription/shape.ts';
import type { MediaOperation } from '../endpoints.ts';
import type { Visit } from '../visit.ts';
import { fingerprintOf, idempotencyKey, onlyOnce } from '../idempotency.ts';
import { brokenOff, type Form, stayAlive } from '../stay-alive.ts';
import type { MediaEndpoint } from './endpoint.ts';
import { type FormFile, formParts, type FormPart } from './multipart.ts';
import { mediaCall, takeFormRouting } from './read-json.ts';
import { spool, type Spooled } from './spool.ts';

type Parts = AsyncGenerator<FormPart, void, undefined>;

const valueOf = (fields: readonly SentField[], name: string): string | undefined => {
  const value = fields.find((field) => field.name === name)?.value;
  return value === '' ? undefined : value;
};

const oneOf = <T extends string>(value: string, words: readonly T[], name: string): T => {
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw badField(name, `Invalid request: '${name}' must be one of ${words.join(', ')}, not '${value.slice(0, 40)}'`);
};

function readTemperature(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || value > 2)
    throw badField('temperature', "Invalid request: 'temperature' must be a number from 0 to 1");
  return value;
}

/** What the fields of a form ask for. Throws the 400 that names the field. */
export function readAsked(task: TranscriptionRequest['task'], fields: readonly SentField[]): TranscriptionRequest {
  const [language, prompt] = [valueOf(fields, 'language'), valueOf(fields, 'prompt')];
  const temperature = readTemperature(valueOf(fields, 'temperature'));
  const stream = oneOf(valueOf(fields, 'stream')?.toLowerCase() ?? 'false', ['true', 'false'], 'stream') === 'true';
  return {
    task,
    format: oneOf(valueOf(fields, 'response_format') ?? 'json', TRANSCRIPT_FORMATS, 'response_format'),
    // Translations have no events. https://platform.openai.com/docs/api-reference/audio/createTranslation
    stream: stream && task === 'transcribe',
    granularities: fields
      .filter(({ name }) => name === 'timestamp_granularities')
      .flatMap(({ value }) => value.split(','))
      .map((value) => oneOf(value.trim(), ['word', 'segment'] as const, 'timestamp_granularities')),
    fields: fields.filter(({ name }) => name !== 'model' && name !== 'models' && name !== 'provider'),
    ...(language === undefined ? {} : { language }),
    ...(prompt === undefined ? {} : { prompt }),
    ...(temperature === undefined ? {} : { temperature }),
  };
}

/** `head`: not held once it was read. */
async function* allOf(head: Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield* head.splice(0).filter(({ length }) => length > 0);
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

/** The first bytes of a file, and all of it once more. */
async function peeked(file: FormFile): Promise<{ readonly head: Buffer; readonly bytes: AsyncIterable<Buffer> }> {
  const rest = file.body[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  let isOver = false;
  while (head.length < HEAD_BYTES && !isOver) {
    const next = await rest.next();
    if (next.done === true) isOver = true;
    else head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return { head: head.subarray(0, HEAD_BYTES), bytes: allOf([head], rest) };
}

/** Reads fields up to the file or the end. */
async function fieldsUntilFile(parts: Parts, fields: SentField[]): Promise<FormFile | undefined> {
  for (let next = await parts.next(); next.done !== true; next = await parts.next()) {
    if (next.value.kind === 'file') return next.value;
    fields.push(next.value);
  }
  return undefined;
}

interface Arriving extends Omit<Upload, 'onEvents'> {
  readonly model: string;
  /** The fields that were there by the time at which it was known where it goes. */
  readonly told: JsonObject;
  /** What is asked by then: more may come behind the file. */
  soFar(): TranscriptionRequest;
  /** Whether any of the file has been read: then it cannot be sent again. */
  isSpent(): boolean;
}

/** Bytes to be read once, that tell when somebody begins to. */
function watched(bytes: AsyncIterable<Buffer>, onRead: () => void): AsyncIterable<Buffer> {
  return {
    [Symbol.asyncIterator]() {
      onRead();
      return bytes[Symbol.asyncIterator]();
    },
  };
}

/** The fields of a form by name; what comes twice is a list. */
function toldBy(fields: readonly SentField[]): JsonObject {
  const told = new Map<string, Json>();
  for (const { name, value } of fields) {
    const before = told.get(name);
    told.set(name, before === undefined ? value : [...(Array.isArray(before) ? (before as readonly Json[]) : [before]), value]);
  }
  return Object.fromEntries(told);
}

/** Keeps a file, and remembers it so that it is let go of. */
type Keep = (bytes: AsyncIterable<Buffer>) => Promise<Spooled>;

/**
 * Reads a form as far as is needed to know where it goes. Where the model stands before the file, the file goes through as it
 * comes; else it is kept until the model is known.
 */
async function arrive(parts: Parts, task: TranscriptionRequest['task'], keep: Keep): Promise<Arriving> {
  const fields: SentField[] = [];
  const file = await fieldsUntilFile(parts, fields);
  if (!file) throw missingField('file');
  const { filename } = file;
  const { head, bytes } = await peeked(file);
  const type = audioTypeOf(head, file);
  const named = {
    ...(filename === undefined ? {} : { filename }),
    ...(type === undefined ? {} : { mediaType: type }),
  };
  let spent = false;
  const onRead = (): void => void (spent = true);
  const told = toldBy(fields);
  const model = valueOf(fields, 'model');
  const rest = async (): Promise<TranscriptionRequest> => {
    await fieldsUntilFile(parts, fields);
    return readAsked(task, fields);
  };
  let settling: Promise<SettledUpload> | undefined;
  const settle = async (): Promise<SettledUpload> => {
    const { bytes: kept, length } = await keep(bytes);
    return { bytes: watched({ [Symbol.asyncIterator]: () => kept()[Symbol.asyncIterator]() }, onRead), length, known: await rest() };
  };
  const settled = (): Promise<SettledUpload> => (settling ??= settle());
  const isSpent = (): boolean => spent;
  const soFar = (): TranscriptionRequest => readAsked(task, fields);
  if (model !== undefined) return { ...named, bytes: watched(bytes, onRead), rest, settled, model, told, soFar, isSpent };
  const whole = await settled();
  const late = valueOf(fields, 'model');
  if (late === undefined) throw missingField('model');
  return { ...named, ...whole, rest: () => Promise.resolve(whole.known), settled, model: late, told: toldBy(fields), soFar, isSpent };
}

async function* hashed(bytes: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const piece of bytes) {
    hash.update(piece);
    yield piece;
  }
}

/** What has arrived, now that all of it is here. */
const whole = (arriving: Arriving, settled: SettledUpload): Arriving => ({
  ...arriving,
  ...settled,
  rest: () => Promise.resolve(settled.known),
  settled: () => Promise.resolve(settled),
});

/** How an answer is awaited; `undefined`: as a text or subtitles, in front of which white space would be read as part of them. */
function formOf({ stream, format }: TranscriptionRequest): Form | undefined {
  if (stream) return 'sse';
  return format.endsWith('json') ? 'whole' : undefined;
}

/** Tells what is asked as soon as that is known: the fields may come behind the file. */
function telling(arriving: Arriving, onKnown: (asked: TranscriptionRequest) => void): Arriving {
  if (arriving.known) onKnown(arriving.known);
  return {
    ...arriving,
    async rest() {
      const asked = await arriving.rest();
      onKnown(asked);
      return asked;
    },
    async settled() {
      const settled = await arriving.settled();
      onKnown(settled.known);
      return settled;
    },
  };
}

const partsOf = (visit: Visit, request: IncomingMessage, signal: AbortSignal): Parts =>
  formParts(request, { files: ['file'], onlyFiles: true, limit: visit.snapshot.config.limits.upload, signal });

const taskOf = ({ ability }: MediaOperation): TranscriptionRequest['task'] => (ability === 'translation' ? 'translate' : 'transcribe');

/** POST /v1/audio/transcriptions and /v1/audio/translations. */
export const transcriptionEndpoint: MediaEndpoint = async (visit, operation, request, ports) => {
  const leaving = new AbortController();
  let kept: Spooled | undefined;
  // Of a file that comes under an `Idempotency-Key` it must be known whether it is the same before it is sent on.
  const hash = idempotencyKey(visit) === undefined ? undefined : createHash('sha256');
  const keep: Keep = async (bytes) => (kept = await spool(hash ? hashed(bytes, hash) : bytes, ports.spoolFolder ?? tmpdir()));
  try {
    const arriving = await arrive(partsOf(visit, request, leaving.signal), taskOf(operation), keep);
    const arrived = hash ? whole(arriving, await arriving.settled()) : arriving;
    const told = takeFormRouting({ ...arrived.told, model: arrived.model }, visit);
    const write = (writing: Writing): void => writeTranscription(writing, arrived.soFar());
    const call = { ...mediaCall(visit, operation, told), write, inBand: false, stream: true, isSpent: arrived.isSpent };
    let form: Form | undefined;
    const onKnown = (asked: TranscriptionRequest): void => {
      if (form !== undefined) return;
      form = formOf(asked);
      call.inBand = form === 'sse';
      call.stream = form !== 'whole';
      if (form !== undefined) stayAlive(visit, form, ports);
    };
    const upload: Upload = { ...telling(arrived, onKnown), onEvents: () => void (call.inBand = true) };
    const answered = onlyOnce(visit, ports, {
      fingerprint: () => fingerprintOf(visit, [JSON.stringify([arrived.model, told.routing ?? null, arrived.known]), hash?.digest() ?? '']),
      about: { operation: operation.ability, asked: arrived.model },
      work: (within) => runMedia(call, within.sink, ports, (context) => transcribe(context, upload)),
    });
    await (call.stream ? answered : brokenOff(answered, visit.sink));
  } finally {
    // A reason of its own: the one that it would get costs as much as reading a form.
    leaving.abort('over');
    await kept?.close();
  }
};
