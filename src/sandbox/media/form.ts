import { badField, GatewayError, gatewayFault, type Json, type JsonObject, parseObject } from '../../ir/index.ts';

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

/** What one parameter of a header says: `name="file"`. */
function parameter(header: string, name: string): string | undefined {
  const match = new RegExp(`[;\\s]${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]+))`, 'i').exec(header);
  return match?.[1]?.replace(/\\(.)/g, '$1') ?? match?.[2];
}

interface RawPart {
  readonly disposition: string;
  readonly mediaType?: string;
  readonly bytes: Buffer;
}

/** The parts between the boundaries. https://www.rfc-editor.org/rfc/rfc7578 */
function rawParts(body: Buffer, boundary: string): readonly RawPart[] {
  const mark = Buffer.from(`\r\n--${boundary}`, 'latin1');
  // The first boundary has no line before it.
  const whole = Buffer.concat([Buffer.from('\r\n'), body]);
  const parts: RawPart[] = [];
  for (let at = whole.indexOf(mark); at >= 0 && parts.length < MAX_PARTS;) {
    const from = at + mark.length;
    if (whole.toString('latin1', from, from + 2) === '--') return parts;
    const blank = whole.indexOf('\r\n\r\n', from, 'latin1');
    const next = whole.indexOf(mark, from);
    if (blank < 0 || next < blank) throw unreadable();
    const heads = whole.toString('utf8', from, blank).split('\r\n');
    const head = (name: string): string | undefined =>
      heads.find((line) => line.toLowerCase().startsWith(`${name}:`))?.slice(name.length + 1);
    const mediaType = head('content-type')?.trim();
    parts.push({
      disposition: head('content-disposition') ?? '',
      bytes: whole.subarray(blank + 4, next),
      ...(mediaType === undefined ? {} : { mediaType }),
    });
    at = next;
  }
  throw unreadable();
}

function readMultipart(body: Buffer, contentType: string): Form {
  const boundary = parameter(contentType, 'boundary');
  if (boundary === undefined) throw unreadable();
  const fields: Record<string, Json> = {};
  const files: FormFile[] = [];
  for (const { disposition, mediaType, bytes } of rawParts(body, boundary)) {
    const sentAs = parameter(disposition, 'name');
    if (sentAs === undefined) throw unreadable();
    const name = sentAs.replace(/\[\d*\]$/, '');
    const filename = parameter(disposition, 'filename');
    if (filename !== undefined || (mediaType !== undefined && !mediaType.startsWith('text/'))) {
      files.push({ name, bytes, ...(filename === undefined ? {} : { filename }), ...(mediaType === undefined ? {} : { mediaType }) });
      continue;
    }
    const value = bytes.toString('utf8');
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
