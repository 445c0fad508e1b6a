import type { IncomingMessage } from 'node:http';
import { badField, isObject, type Json, type JsonObject, missingField } from '../../../ir/index.ts';
import type { MediaFetcher } from '../../../exchange/ports.ts';
import { imageMistake, imageType } from '../../../media/images/image-type.ts';
import { type ImageFieldNames, type ImageFile, type ImageRequest, MOST_IMAGES } from '../../../media/images/shape.ts';
import { readSize } from '../../../media/images/sizes.ts';
import { optionalBoolean, optionalCount, optionalString, requiredString, wrongKind } from '../../../wire/fields.ts';
import type { Visit } from '../visit.ts';
import { type HeldFile, isForm, readForm } from './multipart.ts';
import { type Fields, readJson, takeFormRouting } from './read-json.ts';

/*
 * What clients of OpenAI's images send: JSON or a form, images as files, URLs, data URIs or bare base64, one or many.
 * https://platform.openai.com/docs/api-reference/images
 */

/** A body in one form, however it came. */
export interface ImageBody extends Fields {
  readonly files: readonly HeldFile[];
}

/** Files of a form are held: so much of them together. */
const HELD_BYTES = 128 * 1024 * 1024;
const MAX_IMAGES = 16;

/** Members of a form that are not texts. */
const NUMBERS: ReadonlySet<string> = new Set(['n', 'partial_images', 'output_compression', 'seed']);
const FLAGS: ReadonlySet<string> = new Set(['stream', 'async']);
const IMAGE_FIELDS: ReadonlySet<string> = new Set(['image', 'images']);

function formValue(name: string, value: string): Json {
  if (NUMBERS.has(name) && /^-?\d{1,10}(?:\.\d{1,10})?$/.test(value.trim())) return Number(value);
  if (FLAGS.has(name) && /^(?:true|false|1|0)$/i.test(value.trim())) return /^(?:true|1)$/i.test(value.trim());
  return value;
}

/** Reads a body, JSON or form. Throws the 4xx. */
export async function readImageBody(visit: Visit, request: IncomingMessage): Promise<ImageBody> {
  if (!isForm(request)) return { ...(await readJson(visit, request)), files: [] };
  const { limits } = visit.snapshot.config;
  const rules = {
    files: ['image', 'images', 'mask'],
    limit: limits.upload,
    maxFiles: MAX_IMAGES + 1,
    fieldBytes: limits.body,
    heldBytes: HELD_BYTES,
  };
  const { fields, files } = await readForm(request, rules);
  const out: Record<string, Json> = Object.create(null) as Record<string, Json>;
  for (const { name, sentAs, value } of fields) {
    const before = out[name];
    if (IMAGE_FIELDS.has(name) || name === 'models') out[name] = [...(Array.isArray(before) ? (before as readonly Json[]) : []), value];
    else out[sentAs] = formValue(sentAs, value);
  }
  return { ...takeFormRouting({ ...out }, visit), files };
}

/** An image as it stands in a body: where it is, and what is said of it. */
export interface GivenImage {
  readonly at: string;
  readonly text?: string;
  readonly data?: Buffer;
}

/** The text of one image: itself, or in one of the objects that vendors write. */
export function textAt(value: Json, at: string): string {
  if (typeof value === 'string') return value;
  if (!isObject(value)) throw wrongKind(at, 'a URL, a data URI or base64', value);
  if (value['file_id'] !== undefined) {
    throw badField(
      `${at}.file_id`,
      `Invalid request: '${at}.file_id' names a file of a provider; send the image itself or its URL`,
      'unsupported_parameter',
    );
  }
  for (const key of ['image_url', 'url', 'b64_json']) {
    const inner = value[key];
    if (inner !== undefined && inner !== null) return textAt(inner, `${at}.${key}`);
  }
  throw missingField(`${at}.image_url`);
}

function givenIn({ fields, files }: ImageBody): readonly GivenImage[] {
  const found: GivenImage[] = [];
  for (const name of IMAGE_FIELDS) {
    const value = fields[name];
    if (value === undefined || value === null) continue;
    const list: readonly Json[] = Array.isArray(value) ? value : [value];
    const isList = Array.isArray(value) && (list.length > 1 || name === 'images');
    list.forEach((one, index) => {
      const at = isList ? `${name}[${index}]` : name;
      found.push({ at, text: textAt(one, at) });
    });
  }
  const sent = files.filter(({ name }) => IMAGE_FIELDS.has(name));
  sent.forEach(({ data, sentAs, name }, index) => found.push({ at: sent.length > 1 ? `${name}[${index}]` : sentAs, data }));
  if (found.length > MAX_IMAGES)
    throw badField(found[MAX_IMAGES]?.at ?? 'image', `Invalid request: at most ${MAX_IMAGES} images are taken`, 'too_many_images');
  return found;
}

function maskIn({ fields, files }: ImageBody): GivenImage | undefined {
  const file = files.filter(({ name }) => name === 'mask');
  if (file.length > 1) throw badField('mask', 'Invalid request: at most one mask is taken', 'too_many_files');
  const { mask } = fields;
  if (file[0]) return { at: 'mask', data: file[0].data };
  return mask === undefined || mask === null ? undefined : { at: 'mask', text: textAt(mask, 'mask') };
}

const DATA_URI = /^data:([^;,]{0,100})((?:;[^;,]{1,100})*),/i;

/** The bytes of base64, in either alphabet, line breaks allowed; `undefined` when it is none. */
function bytesOf(text: string): Buffer | undefined {
  const bare = text.replace(/[\r\n\s]+/g, '');
  if (bare === '' || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(bare)) return undefined;
  return Buffer.from(bare, 'base64');
}

async function dataOf({ at, text, data }: GivenImage, fetcher: MediaFetcher, signal: AbortSignal): Promise<Buffer> {
  if (data) return data;
  const given = (text ?? '').trim();
  if (/^https?:\/\//i.test(given)) return (await fetcher.fetch(given, at, signal)).data;
  const uri = DATA_URI.exec(given);
  if (uri && !/;base64$/i.test(uri[2] ?? ''))
    throw badField(at, `Invalid request: '${at}' must be base64 where it is a data URI`, 'invalid_image');
  const bytes = bytesOf(uri ? given.slice(uri[0].length) : given);
  if (!bytes)
    throw badField(
      at,
      `Invalid request: '${at}' must be an image: a URL (http or https), a data URI, base64, or a file of a form`,
      'invalid_image',
    );
  return bytes;
}

/** Brings one image here. Throws the 4xx that names its field. */
export async function loadImage(given: GivenImage, fetcher: MediaFetcher, signal: AbortSignal): Promise<ImageFile> {
  const data = await dataOf(given, fetcher, signal);
  const mistake = imageMistake(data);
  if (mistake !== undefined) throw badField(given.at, `Invalid request: '${given.at}' ${mistake}`, 'invalid_image');
  return { data, mediaType: imageType(data) ?? 'image/png', at: given.at };
}

/** 1 × 1: stands for an image where it matters only that there is one. */
const BLANK = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg==', 'base64');

/** Stands for an image that has not been brought here yet. */
export const blankFor = ({ at }: Pick<GivenImage, 'at'>): ImageFile => ({ data: BLANK, mediaType: 'image/png', at });

/** As `loadImages`, with something that stands for each of them. */
export function blankImages(body: ImageBody): Pick<ImageRequest, 'images' | 'mask'> {
  const mask = maskIn(body);
  return { images: givenIn(body).map(blankFor), ...(mask ? { mask: { ...blankFor(mask), form: 'alpha' as const } } : {}) };
}

/** What notes call the fields of a client of OpenAI. */
const NAMES: ImageFieldNames = {
  size: 'size',
  quality: 'quality',
  style: 'style',
  background: 'background',
  outputFormat: 'output_format',
  compression: 'output_compression',
  moderation: 'moderation',
  fidelity: 'input_fidelity',
  user: 'user',
  seed: 'seed',
  negativePrompt: 'negative_prompt',
  mask: 'mask',
  n: 'n',
};

/** Members that this file reads; others go to providers of the same dialect. */
const KNOWN: ReadonlySet<string> = new Set([
  ...Object.values(NAMES),
  'model',
  'prompt',
  'image',
  'images',
  'response_format',
  'stream',
  'partial_images',
  'aspect_ratio',
  'resolution',
  'async',
  'webhook',
  'safety_identifier',
]);

function sizeOf(fields: JsonObject): ImageRequest['size'] {
  let wish: ImageRequest['size'] = {};
  for (const name of ['size', 'aspect_ratio', 'resolution']) {
    const text = optionalString(fields, name);
    if (text === undefined || text === '') continue;
    const read = readSize(text.trim());
    if (!read) {
      throw badField(name, `Invalid request: '${name}' must be like 1024x1024, 16:9, 2K or auto, found '${text.slice(0, 40)}'`);
    }
    wish = { ...wish, ...read };
  }
  return wish;
}

const FORMATS = ['b64_json', 'url'] as const;

/** How the client wants its images. */
export function formatOf(fields: JsonObject): (typeof FORMATS)[number] {
  const format = optionalString(fields, 'response_format') ?? 'b64_json';
  const found = FORMATS.find((one) => one === format);
  if (!found)
    throw badField('response_format', `Invalid request: 'response_format' must be ${FORMATS.join(' or ')}, found '${format.slice(0, 40)}'`);
  return found;
}

function countOf(fields: JsonObject): number {
  const n = optionalCount(fields, 'n') ?? 1;
  if (n < 1 || n > MOST_IMAGES) throw badField('n', `Invalid request: 'n' must be 1 to ${MOST_IMAGES}, found ${n}`);
  return n;
}

function streamOf(fields: JsonObject): Pick<ImageRequest, 'stream'> {
  const partials = optionalCount(fields, 'partial_images') ?? 0;
  if (partials > 3) throw badField('partial_images', `Invalid request: 'partial_images' must be 0 to 3, found ${partials}`);
  return optionalBoolean(fields, 'stream') === true ? { stream: { partials } } : {};
}

function promptOf(fields: JsonObject, task: ImageRequest['task']): string {
  if (task === 'variation') return optionalString(fields, 'prompt') ?? '';
  const prompt = requiredString(fields, 'prompt');
  if (prompt.trim() === '') throw badField('prompt', "Invalid request: 'prompt' must not be empty");
  return prompt;
}

/** Settings that are texts or numbers, as far as they are there. */
function settingsOf(fields: JsonObject): Partial<ImageRequest> {
  const out: Record<string, string | number> = {};
  for (const key of ['quality', 'style', 'background', 'outputFormat', 'moderation', 'fidelity', 'negativePrompt'] as const) {
    const value = optionalString(fields, NAMES[key]);
    if (value !== undefined && value !== '') out[key] = value;
  }
  for (const key of ['compression', 'seed'] as const) {
    const value = fields[NAMES[key]];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongKind(NAMES[key], 'an integer', value);
    out[key] = value;
  }
  const user = optionalString(fields, 'safety_identifier') || optionalString(fields, 'user');
  if (user) out['user'] = user;
  return out;
}

/** Reads what is asked for, all but the images themselves. Throws the 400. */
export function readImageRequest(body: ImageBody, task: ImageRequest['task']): Omit<ImageRequest, 'images' | 'mask'> {
  const { fields } = body;
  const rest = Object.fromEntries(Object.entries(fields).filter(([key, value]) => !KNOWN.has(key) && value !== null));
  return {
    task,
    prompt: promptOf(fields, task),
    n: countOf(fields),
    size: sizeOf(fields),
    ...settingsOf(fields),
    ...streamOf(fields),
    names: NAMES,
    rest,
  };
}

/** Whether a body brings images. */
export const hasImages = ({ fields, files }: ImageBody): boolean =>
  files.some(({ name }) => IMAGE_FIELDS.has(name)) || [...IMAGE_FIELDS].some((name) => fields[name] !== undefined && fields[name] !== null);

/** Brings the images of a body here, URLs through the egress guard. Throws the 4xx that names the field. */
export async function loadImages(
  body: ImageBody,
  task: ImageRequest['task'],
  fetcher: MediaFetcher,
  signal: AbortSignal,
): Promise<Pick<ImageRequest, 'images' | 'mask'>> {
  const given = givenIn(body);
  if (given.length === 0 && task !== 'generation') throw missingField('image');
  if (task === 'variation' && given.length > 1)
    throw badField(given[1]?.at ?? 'image', 'Invalid request: one image is varied at a time', 'too_many_images');
  const wanted = maskIn(body);
  const images = await Promise.all(given.map((one) => loadImage(one, fetcher, signal)));
  return { images, ...(wanted ? { mask: { ...(await loadImage(wanted, fetcher, signal)), form: 'alpha' as const } } : {}) };
}
