import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import { badField, GatewayError, gatewayFault } from '../../../ir/index.ts';
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
  readonly body: Readable;
}

/** One part of a form. */
export type FormPart = FormField | FormFile;

const MAX_FIELDS = 128;
const FIELD_BYTES = 1024 * 1024;
/** Names and types of a part; RFC 7578 knows no others. */
const HEADER_PAIRS = 32;
const HEADER_BYTES = 8 * 1024;

const malformed = (message: string, param?: string): GatewayError =>
  new GatewayError(gatewayFault('bad_request', message, { code: 'invalid_multipart', ...(param === undefined ? {} : { param }) }));

const baseName = (sentAs: string): string => sentAs.replace(/\[\d{0,9}\]$/, '');

const shown = (name: string): string => name.slice(0, 100);

const listed = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(' or ');

/** Whether a request's body is a form. */
export const isForm = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  /^multipart\/form-data\b/i.test(headers['content-type']?.trim() ?? '');

/** What came, in order, for whoever takes it next. */
interface Arrivals {
  readonly waiting: FormPart[];
  /** The file whose bytes are coming. */
  open?: Readable;
  over?: 'done' | GatewayError;
  wake?: () => void;
}

function createParser(request: IncomingMessage, rules: FormRules, onName: (sentAs: string) => void) {
  const { files, onlyFiles = false, maxFiles = 1, fieldBytes = FIELD_BYTES } = rules;
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      limits: {
        fields: MAX_FIELDS,
        files: maxFiles,
        fieldSize: fieldBytes,
        headerPairs: HEADER_PAIRS,
        headerSize: HEADER_BYTES,
      },
      isPartAFile(sentAs = '', type, filename) {
        onName(sentAs);
        if (filename !== undefined || type === 'application/octet-stream') return true;
        const isNamed = files.includes(baseName(sentAs));
        return isNamed && (onlyFiles || (type !== undefined && !type.startsWith('text/')));
      },
    });
  } catch {
    throw malformed("Invalid request: the Content-Type of the form has no usable 'boundary'");
  }
}

/** A file's bytes apart from the parser's stream, which says in words of its own that the form is broken, before we can. */
function ownStream(file: Readable): Readable {
  const own = new Readable({
    read: () => void file.resume(),
    destroy(error, done) {
      file.destroy();
      done(error);
    },
  });
  file.on('data', (bytes: Buffer) => {
    if (!own.push(bytes)) file.pause();
  });
  file.on('end', () => own.push(null));
  file.on('error', () => {});
  // Said to whoever reads it; nobody need be reading.
  own.on('error', () => {});
  file.pause();
  return own;
}

/** What the pieces below share. */
interface Reading {
  readonly request: IncomingMessage;
  readonly rules: FormRules;
  /** The body, unpacked. */
  readonly source: Readable;
  readonly parser: ReturnType<typeof createParser>;
  readonly arrivals: Arrivals;
  /** The part that came last. */
  part: string;
  bytes: number;
  isLeft: boolean;
}

function end({ arrivals, source, parser }: Reading, how: 'done' | GatewayError): void {
  if (arrivals.over) return;
  arrivals.over = how;
  source.unpipe(parser);
  if (how !== 'done') arrivals.open?.destroy(how);
  arrivals.wake?.();
}

function add({ arrivals }: Reading, one: FormPart): void {
  if (arrivals.over) return;
  arrivals.waiting.push(one);
  arrivals.wake?.();
}

function addFile(reading: Reading, sentAs: string, file: Readable, filename: string | undefined, mediaType: string): void {
  const { files } = reading.rules;
  const body = ownStream(file);
  const name = baseName(sentAs);
  if (!files.includes(name)) {
    const message = `Invalid request: part '${shown(sentAs)}' holds a file; files are taken in ${listed(files) || 'no part'} here`;
    return end(reading, badField(shown(sentAs), message, 'unexpected_file'));
  }
  const says = mediaType !== 'application/octet-stream' && mediaType !== 'text/plain';
  reading.arrivals.open = body;
  add(reading, {
    kind: 'file',
    name,
    sentAs,
    body,
    ...(filename === undefined ? {} : { filename }),
    ...(says ? { mediaType } : {}),
  });
}

function addField(reading: Reading, sentAs: string | undefined, value: string, isCut: boolean): void {
  const { fieldBytes = FIELD_BYTES } = reading.rules;
  if (sentAs === undefined) return end(reading, malformed("Invalid request: a part of the form has no 'name'"));
  if (isCut) {
    const message = `Invalid request: part '${shown(sentAs)}' is longer than the ${fieldBytes} bytes that its text may have`;
    return end(reading, badField(shown(sentAs), message, 'field_too_large'));
  }
  add(reading, { kind: 'field', name: baseName(sentAs), sentAs, value });
}

function endCutOff(reading: Reading): void {
  const param = reading.part === '' ? undefined : shown(reading.part);
  const where = param === undefined ? '' : ` in part '${param}'`;
  end(reading, malformed(`Invalid request: the form ends${where} without its closing boundary`, param));
}

/** What the parser finds. */
function takeParts(reading: Reading): void {
  const { parser, rules } = reading;
  const { maxFiles = 1 } = rules;
  parser.on('file', (sentAs = '', file, filename, _encoding, mediaType) => addFile(reading, sentAs, file, filename, mediaType));
  parser.on('field', (sentAs: string | undefined, value, _nameCut, isCut) => addField(reading, sentAs, value, isCut));
  parser.on('filesLimit', () => {
    end(reading, badField(shown(reading.part), `Invalid request: at most ${maxFiles} file(s) are taken`, 'too_many_files'));
  });
  parser.on('fieldsLimit', () => end(reading, malformed(`Invalid request: the form has more than ${MAX_FIELDS} fields`)));
  parser.on('error', () => endCutOff(reading));
  parser.on('finish', () => end(reading, 'done'));
}

/** What becomes of the body itself. */
function watchBody(reading: Reading): void {
  const { request, source, rules } = reading;
  source.on('data', (chunk: Buffer) => {
    reading.bytes += chunk.length;
    if (reading.bytes > rules.limit) end(reading, new GatewayError(tooLarge(rules.limit, 'limits.upload')));
  });
  request.on('error', () => end(reading, new GatewayError(incomplete)));
  if (source === request) return;
  source.on('error', () => end(reading, malformed('The request body is not what its Content-Encoding says')));
}

/** Lets go of what has not come yet. */
function stop(reading: Reading): void {
  if (reading.isLeft) return;
  reading.isLeft = true;
  const { request, source, arrivals } = reading;
  // An error costs as much as the rest of this.
  if (!arrivals.over) end(reading, new GatewayError(incomplete));
  for (const one of arrivals.waiting) if (one.kind === 'file') one.body.destroy();
  if (source !== request) source.destroy();
  letGo(request);
}

function startReading(request: IncomingMessage, rules: FormRules): Reading {
  if (!isForm(request)) {
    throw badField('content-type', "Invalid request: the body must be 'multipart/form-data'", 'unsupported_content_type');
  }
  const { limit, signal } = rules;
  if (Number(request.headers['content-length']) > limit) throw new GatewayError(tooLarge(limit, 'limits.upload'));
  const source = sourceOf(request);
  if (!('on' in source)) throw new GatewayError(source);
  const parser = createParser(request, rules, (sentAs) => (reading.part = sentAs));
  const reading: Reading = { request, rules, source, parser, arrivals: { waiting: [] }, part: '', bytes: 0, isLeft: false };
  takeParts(reading);
  watchBody(reading);
  source.pipe(parser);
  if (signal?.aborted) stop(reading);
  else signal?.addEventListener('abort', () => stop(reading), { once: true });
  return reading;
}

/** Skips what was not read of a file. */
function ended(body: Readable): Promise<void> {
  if (body.readableEnded || body.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    body.once('end', resolve);
    body.once('close', resolve);
    body.resume();
  });
}

/**
 * The parts of a form as they come. The client is held back while the caller does not ask for more. Throws the 4xx. Leaving
 * the loop early lets go of the rest of the request.
 */
export async function* formParts(request: IncomingMessage, rules: FormRules): AsyncGenerator<FormPart, void, undefined> {
  const reading = startReading(request, rules);
  const { arrivals } = reading;
  try {
    for (;;) {
      const next = arrivals.waiting.shift();
      if (next) {
        yield next;
        if (next.kind === 'file') await ended(next.body);
        // Nobody wants the rest of a file that was broken off, nor what comes after it.
        if (next.kind === 'file' && !next.body.readableEnded && !arrivals.over) return;
      } else if (arrivals.over === 'done') return;
      else if (arrivals.over) throw arrivals.over;
      else await new Promise<void>((resolve) => (arrivals.wake = resolve));
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
  for await (const piece of file.body as AsyncIterable<Buffer>) {
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
