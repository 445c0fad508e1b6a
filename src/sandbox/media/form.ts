import { badField, GatewayError, gatewayFault, type Json, type JsonObject, parseObject } from '../../ir/index.ts';
import { boundaryOf, type PartHead, textIn } from '../../wire/multipart-head.ts';
import { createMultipartReader } from '../../wire/multipart.ts';

/** A file of a form. */
export interface FormFile {
  /** Name of its part, without `[]`. */
  readonly name: string;
  readonly filename?: string;
  readonly mediaType?: string;
  readonly bytes: Buffer;
}

/** A request's body, JSON or multipart. */
export interface Form {
  /** Of a multipart body: texts; a list where a name ends in `[]` or comes twice. */
  readonly fields: JsonObject;
  readonly files: readonly FormFile[];
}

const MAX_PARTS = 256;

const unreadable = (): GatewayError =>
  new GatewayError(
    gatewayFault('bad_request', 'Invalid request: the multipart body cannot be read', { code: 'invalid_multipart', by: 'upstream' }),
  );

interface RawPart {
  readonly head: PartHead;
  readonly pieces: Buffer[];
}

function rawParts(body: Buffer, boundary: string): readonly RawPart[] {
  const parts: RawPart[] = [];
  const reader = createMultipartReader(boundary, {
    part(head) {
      if (parts.length >= MAX_PARTS) throw unreadable();
      parts.push({ head, pieces: [] });
    },
    data: (bytes) => void parts.at(-1)?.pieces.push(bytes),
    partEnd() {},
    end() {},
    broken() {
      throw unreadable();
    },
  });
  reader.push(body);
  reader.end();
  return parts;
}

function readMultipart(body: Buffer, contentType: string): Form {
  const boundary = boundaryOf(contentType);
  if (boundary === undefined) throw unreadable();
  const fields: Record<string, Json> = {};
  const files: FormFile[] = [];
  for (const { head, pieces } of rawParts(body, boundary)) {
    const { name: sentAs, filename, mediaType, charset } = head;
    if (sentAs === undefined) throw unreadable();
    const name = sentAs.replace(/\[\d*\]$/, '');
    const bytes = Buffer.concat(pieces);
    if (filename !== undefined || (mediaType !== undefined && !mediaType.startsWith('text/'))) {
      files.push({ name, bytes, ...(filename === undefined ? {} : { filename }), ...(mediaType === undefined ? {} : { mediaType }) });
      continue;
    }
    const value = textIn(bytes, charset);
    const so = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (so === undefined) fields[name] = sentAs === name ? value : [value];
    else fields[name] = [...(Array.isArray(so) ? (so as readonly Json[]) : [so]), value];
  }
  return { fields, files };
}

/** Reads a body by its type. Throws `GatewayError`. */
export function readForm(body: Buffer, contentType: string): Form {
  if (/^\s*multipart\/form-data/i.test(contentType)) return readMultipart(body, contentType);
  const fields = parseObject(body.toString('utf8'));
  if (!fields)
    throw new GatewayError(
      gatewayFault('bad_request', 'Invalid request: the body is neither a JSON object nor a form', {
        code: 'invalid_json',
        by: 'upstream',
      }),
    );
  return { fields, files: [] };
}

/** A text of a form; `undefined` when it is not there. Throws `GatewayError`. */
export function textField({ fields }: Form, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw badField(name, `Invalid request: '${name}' must be a string`);
  return value;
}

/** A number, also one that a form gives as text. Throws `GatewayError`. */
export function numberField({ fields }: Form, name: string, least: number, most: number): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return undefined;
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || !(number >= least && number <= most))
    throw badField(name, `Invalid request: '${name}' must be a number from ${least} to ${most}`);
  return number;
}

/** As `numberField`, whole. */
export function countField(form: Form, name: string, least: number, most: number): number | undefined {
  const number = numberField(form, name, least, most);
  if (number !== undefined && !Number.isInteger(number)) throw badField(name, `Invalid request: '${name}' must be a whole number`);
  return number;
}

/** True or false, also as text. Throws `GatewayError`. */
export function flagField({ fields }: Form, name: string): boolean {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return false;
  const flag = typeof value === 'boolean' ? value : value === 'true' ? true : value === 'false' ? false : undefined;
  if (flag === undefined) throw badField(name, `Invalid request: '${name}' must be true or false`);
  return flag;
}

/** One of some words. Throws `GatewayError` that lists them. */
export function wordField<Word extends string>(form: Form, name: string, words: readonly Word[]): Word | undefined {
  const value = textField(form, name);
  const found = words.find((word) => word === value);
  if (value !== undefined && found === undefined)
    throw badField(
      name,
      `Invalid request: '${name}' is '${value.slice(0, 100)}'; the sandbox takes ${words.map((word) => `'${word}'`).join(', ')}`,
    );
  return found;
}

/** A list of texts, also one text alone. Throws `GatewayError`. */
export function listField({ fields }: Form, name: string): readonly Json[] {
  const value = fields[name];
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? (value as readonly Json[]) : [value];
}
