import type { IncomingMessage } from 'node:http';
import { badField, isObject, type Json, type JsonObject, parseObject } from '../../../ir/index.ts';
import type { MediaFetcher } from '../../../exchange/ports.ts';
import { mediaTypeOf } from '../../../media/media-type.ts';
import type { VideoFieldNames, VideoFile, VideoImage, VideoRequest } from '../../../media/videos/shape.ts';
import type { TaskWebhook } from '../../../tasks/ports.ts';
import { optionalBoolean, optionalObject, optionalString, requiredString, wrongKind } from '../../../wire/fields.ts';
import type { Visit } from '../visit.ts';
import { blankFor, type GivenImage, loadImage, textAt } from './images-read.ts';
import { type HeldFile, isForm, readForm } from './multipart.ts';
import { type Fields, readJson, takeFormRouting } from './read-json.ts';

/*
 * What clients of OpenAI's videos send: JSON or a form; images as files, URLs, data URIs or bare base64, one or several.
 * https://platform.openai.com/docs/api-reference/videos/create
 */

/** A body in one form, however it came. */
export interface VideoBody extends Fields {
  readonly files: readonly HeldFile[];
}

/** Files of a form are held: so much of them together. */
const HELD_BYTES = 128 * 1024 * 1024;
const MAX_IMAGES = 16;
const MAX_SECONDS = 600;
const MAX_PIXELS = 16_384;

const IMAGES = 'input_reference';

/** What notes call the fields of a client of OpenAI. */
const NAMES: VideoFieldNames = {
  prompt: 'prompt',
  images: IMAGES,
  seconds: 'seconds',
  size: 'size',
  ratio: 'aspect_ratio',
  resolution: 'resolution',
  negativePrompt: 'negative_prompt',
  seed: 'seed',
  audio: 'generate_audio',
};

/** Members that this file reads; others go to providers of the same dialect. */
const KNOWN: ReadonlySet<string> = new Set([...Object.values(NAMES), 'model', 'webhook', `${IMAGES}[]`, 'last_frame', 'video']);

/** Members of a form that are not texts. */
function formValue(name: string, value: string): Json {
  if (name === 'seed' && /^-?\d{1,10}$/.test(value.trim())) return Number(value);
  if (name === 'generate_audio' && /^(?:true|false|1|0)$/i.test(value.trim())) return /^(?:true|1)$/i.test(value.trim());
  if ((name === 'webhook' || name === 'video' || name === IMAGES) && value.trimStart().startsWith('{')) return parseObject(value) ?? value;
  return value;
}

/** Reads a body, JSON or form. Throws the 4xx. */
export async function readVideoBody(visit: Visit, request: IncomingMessage): Promise<VideoBody> {
  if (!isForm(request)) return { ...(await readJson(visit, request)), files: [] };
  const { limits } = visit.snapshot.config;
  const { fields, files } = await readForm(request, {
    files: [IMAGES, 'last_frame', 'video'],
    limit: limits.upload,
    maxFiles: MAX_IMAGES,
    fieldBytes: limits.body,
    heldBytes: HELD_BYTES,
  });
  const out = new Map<string, Json>();
  for (const { name, sentAs, value } of fields) {
    // SDKs write an object's members as parts of their own: `video[id]`.
    const [, object, member] = /^(\w{1,64})\[([A-Za-z_]{1,64})\]$/.exec(sentAs) ?? [];
    if (name === IMAGES || object === IMAGES) {
      const before = out.get(IMAGES);
      const one = member === undefined ? formValue(IMAGES, value) : { [member]: value };
      out.set(IMAGES, [...(Array.isArray(before) ? (before as readonly Json[]) : []), one]);
    } else if (object !== undefined && member !== undefined) {
      const before = out.get(object);
      out.set(object, { ...(isObject(before) ? before : {}), [member]: value });
    } else if (name === 'models') {
      const before = out.get(name);
      out.set(name, [...(Array.isArray(before) ? (before as readonly Json[]) : []), value]);
    } else out.set(sentAs, formValue(sentAs, value));
  }
  return { ...takeFormRouting(Object.fromEntries(out), visit), files };
}

/** Everything of a body, for its fingerprint. */
export function* piecesOf({ fields, files, routing }: VideoBody): Iterable<string | Uint8Array> {
  yield JSON.stringify(routing ? [fields, routing] : fields);
  for (const { name, data } of files) {
    yield `\n${name} ${data.length}\n`;
    yield data;
  }
}

function givenIn({ fields, files }: VideoBody): readonly GivenImage[] {
  const found: GivenImage[] = [];
  for (const name of [IMAGES, `${IMAGES}[]`]) {
    const value = fields[name];
    if (value === undefined || value === null || value === '') continue;
    const list: readonly Json[] = Array.isArray(value) ? (value as readonly Json[]) : [value];
    for (const [index, one] of list.entries()) {
      const at = list.length > 1 ? `${IMAGES}[${index}]` : IMAGES;
      found.push({ at, text: textAt(one, at) });
    }
  }
  const sent = files.filter(({ name }) => name === IMAGES);
  for (const [index, { data }] of sent.entries()) found.push({ at: sent.length > 1 ? `${IMAGES}[${index}]` : IMAGES, data });
  if (found.length > MAX_IMAGES) throw badField(IMAGES, `Invalid request: at most ${MAX_IMAGES} images are taken`, 'too_many_images');
  return found;
}

function lastFrameIn({ fields, files }: VideoBody): GivenImage | undefined {
  const file = files.find(({ name }) => name === 'last_frame');
  if (file) return { at: 'last_frame', data: file.data };
  const value = fields['last_frame'];
  return value === undefined || value === null ? undefined : { at: 'last_frame', text: textAt(value, 'last_frame') };
}

async function load(
  given: GivenImage,
  role: NonNullable<VideoImage['role']>,
  fetcher: MediaFetcher,
  signal: AbortSignal,
): Promise<VideoImage> {
  const image = await loadImage(given, fetcher, signal);
  const text = given.text?.trim() ?? '';
  return { ...image, role, ...(/^https?:\/\//i.test(text) ? { url: text } : {}) };
}

/** The images of a body, each with what it is for. */
function rolesIn(body: VideoBody): readonly { readonly given: GivenImage; readonly role: NonNullable<VideoImage['role']> }[] {
  const last = lastFrameIn(body);
  const images = givenIn(body);
  return [
    ...images.map((given) => ({ given, role: images.length === 1 ? ('first' as const) : ('reference' as const) })),
    ...(last ? [{ given: last, role: 'last' as const }] : []),
  ];
}

/** Brings the images of a body here, URLs through the egress guard. Throws the 4xx that names the field. */
export const loadVideoImages = (body: VideoBody, fetcher: MediaFetcher, signal: AbortSignal): Promise<readonly VideoImage[]> =>
  Promise.all(rolesIn(body).map(({ given, role }) => load(given, role, fetcher, signal)));

/** As `loadVideoImages`, with something that stands for each of them. `publicUrl`: where those may be got that came without an address. */
export const blankVideoImages = (body: VideoBody, publicUrl: string | undefined): readonly VideoImage[] =>
  rolesIn(body).map(({ given, role }) => {
    const text = given.text?.trim() ?? '';
    const url = /^https?:\/\//i.test(text) ? text : publicUrl;
    return { ...blankFor(given), role, ...(url === undefined ? {} : { url }) };
  });

/** `8`, `"8"`, `"8s"`. */
export function secondsAt(fields: JsonObject, name: string, at = name): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'number' && typeof value !== 'string') throw wrongKind(at, 'a number of seconds', value);
  const number = Number(typeof value === 'string' ? value.trim().replace(/s$/, '') : value);
  if (number > 0 && number <= MAX_SECONDS) return number;
  throw badField(
    at,
    `Invalid request: '${at}' must be seconds, more than 0 and at most ${MAX_SECONDS}, found '${String(value).slice(0, 40)}'`,
  );
}

/** The smallest whole numbers of a ratio, or one of the usual ones where it is near. */
function ratioOf(width: number, height: number): string {
  const usual = ['16:9', '9:16', '1:1', '4:3', '3:4', '3:2', '2:3', '21:9'];
  const near = usual.find((ratio) => {
    const [w = 1, h = 1] = ratio.split(':').map(Number);
    return Math.abs(width / height / (w / h) - 1) < 0.03;
  });
  return near ?? `${width}:${height}`;
}

const STEPS: readonly (readonly [number, string])[] = [
  [480, '480p'],
  [540, '540p'],
  [720, '720p'],
  [1080, '1080p'],
  [2160, '4k'],
];

const resolutionOf = (width: number, height: number): string => {
  const side = Math.min(width, height);
  return (STEPS.find(([most]) => side <= most) ?? ([0, '4k'] as const))[1];
};

type Measure = Pick<VideoRequest, 'size' | 'ratio' | 'resolution'>;

/** Pixels, a ratio or a resolution, each in the field of any. */
function measureOf(text: string, at: string): Measure {
  const [, width, height] = /^(\d{2,5})\s*[x×*]\s*(\d{2,5})$/i.exec(text) ?? [];
  if (width !== undefined && height !== undefined) {
    const size = { width: Number(width), height: Number(height) };
    if (Math.max(size.width, size.height) <= MAX_PIXELS) {
      return { size, ratio: ratioOf(size.width, size.height), resolution: resolutionOf(size.width, size.height) };
    }
  }
  if (/^\d{1,3}:\d{1,3}$/.test(text)) return { ratio: text };
  if (/^\d{3,4}p$/i.test(text)) return { resolution: text.toLowerCase() };
  if (/^[24]k$/i.test(text)) return { resolution: text.toLowerCase() };
  throw badField(at, `Invalid request: '${at}' must be like 1280x720, 16:9 or 720p, found '${text.slice(0, 40)}'`);
}

/** What is said of the measures of a video, the fields in order. */
export function measuresIn(fields: JsonObject, names: readonly string[], prefix = ''): Measure {
  let measure: Measure = {};
  for (const name of names) {
    const text = optionalString(fields, name, prefix)?.trim();
    if (text !== undefined && text !== '' && text !== 'auto')
      measure = { ...measure, ...measureOf(text, prefix === '' ? name : `${prefix}.${name}`) };
  }
  return measure;
}

function seedIn(fields: JsonObject): Pick<VideoRequest, 'seed'> {
  const { seed } = fields;
  if (seed === undefined || seed === null) return {};
  if (typeof seed !== 'number' || !Number.isInteger(seed)) throw wrongKind('seed', 'an integer', seed);
  return { seed };
}

/** Reads what is asked for, all but the images themselves. Throws the 400. */
export function readVideoRequest({ fields }: VideoBody): Omit<VideoRequest, 'images'> {
  const prompt = requiredString(fields, 'prompt');
  if (prompt.trim() === '') throw badField('prompt', "Invalid request: 'prompt' must not be empty");
  const seconds = secondsAt(fields, 'seconds');
  const negativePrompt = optionalString(fields, 'negative_prompt');
  const audio = optionalBoolean(fields, 'generate_audio');
  return {
    prompt,
    ...measuresIn(fields, ['size', 'aspect_ratio', 'resolution']),
    ...seedIn(fields),
    ...(seconds === undefined ? {} : { seconds }),
    ...(negativePrompt === undefined || negativePrompt === '' ? {} : { negativePrompt }),
    ...(audio === undefined ? {} : { audio }),
    names: NAMES,
    rest: Object.fromEntries(Object.entries(fields).filter(([key, value]) => !KNOWN.has(key) && value !== null)),
  };
}

/** A webhook that a client wants called: an address that may be reached, and the secret that it will check by. */
export async function readWebhook(fields: JsonObject, fetcher: MediaFetcher): Promise<TaskWebhook | undefined> {
  const value = optionalObject(fields, 'webhook');
  if (!value) return undefined;
  const url = requiredString(value, 'url', 'webhook');
  const secret = requiredString(value, 'secret', 'webhook');
  const bytes = /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(secret) ? Buffer.from(secret.slice(6), 'base64').length : 0;
  if (bytes < 16 || bytes > 128) {
    throw badField('webhook.secret', "Invalid request: 'webhook.secret' must be whsec_ and the base64 of 24 to 64 random bytes");
  }
  await fetcher.check(url, 'webhook.url');
  return { url, secret };
}

/** A video that came as a file, if one did. Throws the 400 where it is none. */
export function videoFileIn({ files }: VideoBody): VideoFile | undefined {
  const file = files.find(({ name }) => name === 'video');
  if (!file) return undefined;
  const { data } = file;
  const mediaType = mediaTypeOf(data, file.mediaType);
  // Every brand of MP4 and QuickTime has it there. https://www.iso.org/standard/83102.html
  const isMovie = data.toString('latin1', 4, 8) === 'ftyp';
  if (!isMovie && mediaType !== 'video/webm') {
    throw badField('video', "Invalid request: 'video' must be an MP4, QuickTime or WebM file", 'invalid_video');
  }
  return { data, mediaType: mediaType.startsWith('video/') ? mediaType : 'video/mp4' };
}

/** The task that a video is made of: `{"id": …}`. */
export function sourceIdIn(fields: JsonObject): string {
  const { video } = fields;
  if (typeof video === 'string' && video !== '') return video;
  if (isObject(video)) return requiredString(video, 'id', 'video');
  return requiredString(fields, 'video');
}
