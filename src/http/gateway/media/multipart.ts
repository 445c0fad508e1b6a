import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { badField, GatewayError, gatewayFault } from '../../../ir/index.ts';
import { type ByteQueue, createByteQueue } from '../../../wire/byte-queue.ts';
import { boundaryOf, type PartHead, textIn } from '../../../wire/multipart-head.ts';
import { createMultipartReader, type MultipartMistake, type MultipartSink } from '../../../wire/multipart.ts';
import { incomplete, letGo, sourceOf, tooLarge } from '../read-body.ts';

/*
 * Forms with files. `formParts` gives the parts in the order in which they come, a file's bytes as a stream that holds the
 * client back while nobody reads it; `readForm` collects a small form within a bound. Both throw the 4xx that names the part.
 */

/** What a form may hold. */
export interface FormRules {
  /** Parts that may hold files, without `[]`: `image` stands for `image`, `image[]` and `image[0]`. */
  readonly files: readonly string[];
  /** The parts in `files` hold bytes also where the client gave neither a file name nor a type. Otherwise such a part is text. */
  readonly onlyFiles?: boolean;
  /** Bytes of the whole body (`limits.upload`). */
  readonly limit: number;
  /** How many files; default 1. */
  readonly maxFiles?: number;
  /** Bytes of one text field; default 1 MiB. */
  readonly fieldBytes?: number;
  /** Aborted: nobody wants the rest. */
  readonly signal?: AbortSignal;
}

/** A text part. */
export interface FormField {
  readonly kind: 'field';
  /** Without `[]` or `[0]`. */
  readonly name: string;
  /** As the client wrote it. */
  readonly sentAs: string;
  readonly value: string;
}

/** A file as it comes. Its body must be read before the next part is asked for; what is not read by then is skipped. */
export interface FormFile {
  readonly kind: 'file';
  readonly name: string;
  readonly sentAs: string;
  readonly filename?: string;
  /** The type that the client gave; absent where it gave none that says anything. */
  readonly mediaType?: string;
  /** Fails with the `GatewayError` of what is wrong with the rest of the body. */
  readonly body: AsyncIterable<Buffer>;
}

/** One part of a form. */
export type FormPart = FormField | FormFile;

const MAX_FIELDS = 128;
const FIELD_BYTES = 1024 * 1024;
/** Of a file that nobody reads yet. */
const FILE_AHEAD_BYTES = 64 * 1024;

const malformed = (message: string, param?: string): GatewayError =>
  new GatewayError(gatewayFault('bad_request', message, { code: 'invalid_multipart', ...(param === undefined ? {} : { param }) }));

const baseName = (sentAs: string): string => sentAs.replace(/\[\d{0,9}\]$/, '');

const shown = (name: string): string => name.slice(0, 100);

const listed = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(' or ');

/** Whether a request's body is a form. */
export const isForm = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  /^multipart\/form-data\b/i.test(headers['content-type']?.trim() ?? '');

/** A part that came, and where the bytes of a file are. */
interface Arrival {
  readonly part: FormPart;
  readonly bytes?: ByteQueue;
}

/** Where the parts of one body are. */
interface Reading {
  readonly request: IncomingMessage;
  readonly rules: FormRules;
  /** The body, unpacked. */
  readonly source: Readable;
  /** What came, in order, for whoever takes it next. */
  readonly waiting: Arrival[];
  over?: 'done' | GatewayError;
  wake?: () => void;
  /** The text that is coming. */
  field?: { readonly head: PartHead; readonly pieces: Buffer[]; length: number };
  /** The file whose bytes are coming. */
  file?: ByteQueue;
  /** The part that came last, as the client calls it. */
  last: string;
  fields: number;
  files: number;
  bytes: number;
  isPaused: boolean;
  isLeft: boolean;
}

function end(reading: Reading, how: 'done' | GatewayError): void {
  if (reading.over) return;
  reading.over = how;
  if (how !== 'done') reading.file?.fail(how);
  reading.wake?.();
}

function add(reading: Reading, one: Arrival): void {
  if (reading.over) return;
  reading.waiting.push(one);
  reading.wake?.();
}

/** Has the client go on, where it was held back. */
function goOn(reading: Reading): void {
  if (!reading.isPaused) return;
  reading.isPaused = false;
  reading.source.resume();
}

function beginFile(reading: Reading, sentAs: string, { filename, mediaType }: PartHead): void {
  const { files, maxFiles = 1 } = reading.rules;
  const name = baseName(sentAs);
  if (!files.includes(name)) {
    const message = `Invalid request: part '${shown(sentAs)}' holds a file; files are taken in ${listed(files) || 'no part'} here`;
    return end(reading, badField(shown(sentAs), message, 'unexpected_file'));
  }
  if (++reading.files > maxFiles) {
    return end(reading, badField(shown(sentAs), `Invalid request: at most ${maxFiles} file(s) are taken`, 'too_many_files'));
  }
  const bytes = createByteQueue({ room: () => goOn(reading), left: () => goOn(reading) }, FILE_AHEAD_BYTES);
  reading.file = bytes;
  const says = mediaType !== undefined && mediaType !== 'application/octet-stream' && mediaType !== 'text/plain';
  const part: FormFile = {
    kind: 'file',
    name,
    sentAs,
    body: bytes,
    ...(filename === undefined ? {} : { filename }),
    ...(says ? { mediaType } : {}),
  };
  add(reading, { part, bytes });
}

/** Whether a part holds a file. */
function isFile(sentAs: string, { filename, mediaType }: PartHead, { files, onlyFiles = false }: FormRules): boolean {
  if (filename !== undefined || mediaType === 'application/octet-stream') return true;
  return files.includes(baseName(sentAs)) && (onlyFiles || (mediaType !== undefined && !mediaType.startsWith('text/')));
}

function beginPart(reading: Reading, head: PartHead): void {
  const { name } = head;
  if (name === undefined) return end(reading, malformed("Invalid request: a part of the form has no 'name'"));
  reading.last = name;
  if (isFile(name, head, reading.rules)) return beginFile(reading, name, head);
  if (++reading.fields > MAX_FIELDS) return end(reading, malformed(`Invalid request: the form has more than ${MAX_FIELDS} fields`));
  reading.field = { head, pieces: [], length: 0 };
}

function takeBytes(reading: Reading, bytes: Buffer): void {
  const { file, field, rules } = reading;
  if (file && !file.push(bytes) && !reading.isPaused) {
    reading.isPaused = true;
    reading.source.pause();
  }
  if (!field) return;
  const { fieldBytes = FIELD_BYTES } = rules;
  field.length += bytes.length;
  if (field.length <= fieldBytes) return void field.pieces.push(bytes);
  const param = shown(reading.last);
  const message = `Invalid request: part '${param}' is longer than the ${fieldBytes} bytes that its text may have`;
  end(reading, badField(param, message, 'field_too_large'));
}

function endPart(reading: Reading): void {
  const { field, file } = reading;
  delete reading.field;
  delete reading.file;
  file?.end();
  if (!field) return reading.wake?.();
  const sentAs = reading.last;
  const value = textIn(Buffer.concat(field.pieces, field.length), field.head.charset);
  add(reading, { part: { kind: 'field', name: baseName(sentAs), sentAs, value } });
}

/** `last`: the part that came last. */
const MISTAKES: Readonly<Record<MultipartMistake, (last?: string) => string>> = {
  cut: (last) => `the form ends${last === undefined ? '' : ` in part '${last}'`} without its closing boundary`,
  long_head: (last) => `the head of a part is too long${behind(last)}`,
  bad_head: (last) => `the head of a part cannot be read${behind(last)}`,
  bad_boundary: (last) => `a boundary of the form does not end its line${behind(last)}`,
};

const behind = (last?: string): string => (last === undefined ? '' : `, behind part '${last}'`);

function endBroken(reading: Reading, mistake: MultipartMistake): void {
  const last = reading.last === '' ? undefined : shown(reading.last);
  end(reading, malformed(`Invalid request: ${MISTAKES[mistake](last)}`, last));
}

/** What the reader of the body finds goes here, as long as it is wanted. */
const sinkOf = (reading: Reading): MultipartSink => ({
  part: (head) => reading.over ?? beginPart(reading, head),
  data: (bytes) => reading.over ?? takeBytes(reading, bytes),
  partEnd: () => reading.over ?? endPart(reading),
  end: () => end(reading, 'done'),
  broken: (mistake) => endBroken(reading, mistake),
});

/** Reads the body as it comes. */
function watchBody(reading: Reading, boundary: string): void {
  const { request, source, rules } = reading;
  const reader = createMultipartReader(boundary, sinkOf(reading));
  source.on('data', (chunk: Buffer) => {
    reading.bytes += chunk.length;
    if (reading.bytes > rules.limit) end(reading, new GatewayError(tooLarge(rules.limit, 'limits.upload')));
    if (!reading.over) reader.push(chunk);
  });
  source.on('end', () => reader.end());
  request.on('error', () => end(reading, new GatewayError(incomplete)));
  if (source === request) return;
  source.on('error', () => end(reading, malformed('The request body is not what its Content-Encoding says')));
}

/** Lets go of what has not come yet. */
function stop(reading: Reading): void {
  if (reading.isLeft) return;
  reading.isLeft = true;
  const { request, source } = reading;
  // An error costs as much as the rest of this.
  if (!reading.over) end(reading, new GatewayError(incomplete));
  for (const { bytes } of reading.waiting) bytes?.leave();
  if (source !== request) source.destroy();
  letGo(request);
}

function startReading(request: IncomingMessage, rules: FormRules): Reading {
  if (!isForm(request)) {
    throw badField('content-type', "Invalid request: the body must be 'multipart/form-data'", 'unsupported_content_type');
  }
  const { limit, signal } = rules;
  if (Number(request.headers['content-length']) > limit) throw new GatewayError(tooLarge(limit, 'limits.upload'));
  const boundary = boundaryOf(request.headers['content-type'] ?? '');
  if (boundary === undefined) throw malformed("Invalid request: the Content-Type of the form has no usable 'boundary'");
  const source = sourceOf(request);
  if (!('on' in source)) throw new GatewayError(source);
  const counts = { fields: 0, files: 0, bytes: 0 };
  const reading: Reading = { request, rules, source, waiting: [], last: '', ...counts, isPaused: false, isLeft: false };
  watchBody(reading, boundary);
  if (signal?.aborted) stop(reading);
  else signal?.addEventListener('abort', () => stop(reading), { once: true });
  return reading;
}

/** Waits for whatever comes next. */
async function more(reading: Reading): Promise<void> {
  goOn(reading);
  await new Promise<void>((resolve) => (reading.wake = resolve));
}

/** Skips what was not read of a file. False where its reader broke it off: nobody wants the rest, nor what comes after it. */
async function isPassed(reading: Reading, file: ByteQueue): Promise<boolean> {
  const isComing = (): boolean => reading.file === file && !reading.over;
  if (isComing() && file.isOver()) return false;
  file.leave();
  while (isComing()) await more(reading);
  return true;
}

/**
 * The parts of a form as they come. The client is held back while the caller does not ask for more. Throws the 4xx. Leaving
 * the loop early lets go of the rest of the request.
 */
export async function* formParts(request: IncomingMessage, rules: FormRules): AsyncGenerator<FormPart, void, undefined> {
  const reading = startReading(request, rules);
  try {
    for (;;) {
      const next = reading.waiting.shift();
      if (next) {
        yield next.part;
        if (next.bytes && !(await isPassed(reading, next.bytes))) return;
      } else if (reading.over === 'done') return;
      else if (reading.over) throw reading.over;
      else await more(reading);
    }
  } finally {
    stop(reading);
  }
}

/** A file that was read whole. */
export interface HeldFile extends Omit<FormFile, 'kind' | 'body'> {
  readonly data: Buffer;
}

/** A form that was read whole, each kind of part in the order in which it came. */
export interface Form {
  readonly fields: readonly FormField[];
  readonly files: readonly HeldFile[];
}

/** Collects a file of at most so many bytes. */
async function holdFile(file: FormFile, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of file.body) {
    bytes += piece.length;
    if (bytes > maxBytes) {
      const message = `Invalid request: the file in '${shown(file.sentAs)}' is larger than the ${maxBytes} bytes that are taken here`;
      throw new GatewayError(gatewayFault('too_large', message, { param: file.name, code: 'file_too_large' }));
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces, bytes);
}

/** Reads a form whose files are held in memory: at most `heldBytes` of them together. */
export async function readForm(request: IncomingMessage, rules: FormRules & { readonly heldBytes: number }): Promise<Form> {
  const fields: FormField[] = [];
  const files: HeldFile[] = [];
  let left = rules.heldBytes;
  for await (const part of formParts(request, rules)) {
    if (part.kind === 'field') {
      fields.push(part);
      continue;
    }
    const { kind: _, body: __, ...named } = part;
    const data = await holdFile(part, left);
    left -= data.length;
    files.push({ ...named, data });
  }
  return { fields, files };
}
