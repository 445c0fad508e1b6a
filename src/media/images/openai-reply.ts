import { isObject, type Json, type JsonObject, parseObject } from '../../ir/index.ts';
import type { MediaAnswer } from '../codec.ts';
import { refusedByFilter } from './losses.ts';
import type { ImageReply, MadeImage } from './shape.ts';
import { readUsage } from './usage.ts';

const textOf = (value: Json | undefined): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** One image as OpenAI and its copies write it. */
export function readImage(one: Json): MadeImage | undefined {
  if (!isObject(one)) return undefined;
  const data = textOf(one['b64_json']) ?? textOf(one['b64']);
  const url = textOf(one['url']) ?? (isObject(one['image_url']) ? textOf(one['image_url']['url']) : undefined);
  if (data === undefined && url === undefined) return undefined;
  const revisedPrompt = textOf(one['revised_prompt']);
  return {
    ...(data === undefined ? {} : { data }),
    ...(url === undefined ? {} : { url }),
    ...(revisedPrompt === undefined ? {} : { revisedPrompt }),
  };
}

/** Members beside the images that clients of OpenAI read. */
const ABOUT = ['background', 'output_format', 'quality', 'size'] as const;

/** What is said of all images. */
export const readAbout = (from: JsonObject): JsonObject =>
  Object.fromEntries(ABOUT.flatMap((key) => (typeof from[key] === 'string' ? [[key, from[key]]] : [])));

/** A reply as OpenAI and its copies write it; throws where it holds no image. https://platform.openai.com/docs/api-reference/images/object */
export function readImages({ body }: Pick<MediaAnswer, 'body'>): ImageReply {
  const reply = parseObject(body.toString('utf8'));
  const list = reply?.['data'] ?? reply?.['images'];
  if (!reply || !Array.isArray(list)) throw new Error('a reply without images');
  const images = list.flatMap((one: Json) => readImage(one) ?? []);
  if (images.length === 0) {
    const [first] = list as readonly Json[];
    const error = isObject(first) && isObject(first['error']) ? first['error'] : undefined;
    if (error) throw refusedByFilter(textOf(error['message']) ?? textOf(error['code']) ?? 'no reason was given');
    throw new Error('a reply without images');
  }
  const usage = readUsage(reply['usage']);
  return {
    images,
    about: readAbout(reply),
    ...(typeof reply['created'] === 'number' ? { created: Math.floor(reply['created']) } : {}),
    ...(typeof reply['model'] === 'string' ? { model: reply['model'] } : {}),
    ...(usage ? { usage } : {}),
  };
}
