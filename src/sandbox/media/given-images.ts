import { badField, GatewayError, gatewayFault, isObject, type Json } from '../../ir/index.ts';
import { imageSize } from '../../media/image-size.ts';
import { decodePng, type Pixels } from '../picture/read-png.ts';
import { type Form, listField } from './form.ts';

/** A picture that came with a request. */
export interface GivenImage {
  /** What it is, in words. */
  readonly facts: string;
  /** Where it could be read. */
  readonly pixels?: Pixels;
}

const MAX_IMAGES = 16;
const MAX_BYTES = 50 * 1024 * 1024;

/** Pixels of one request that are read; the rest of its pictures are only described. */
const MAX_PIXELS_READ = 8_388_608;

/** How many pixels may still be read. */
interface Budget {
  pixels: number;
}

/** A picture by its bytes. Throws `GatewayError` naming the field where they are none. */
function imageOfBytes(bytes: Buffer, field: string, budget: Budget): GivenImage {
  if (bytes.length > MAX_BYTES)
    throw new GatewayError(
      gatewayFault('too_large', `Invalid request: '${field}' has ${bytes.length} bytes, at most ${MAX_BYTES} are taken`, {
        param: field,
        code: 'file_too_large',
        by: 'upstream',
      }),
    );
  const size = imageSize(bytes);
  if (!size)
    throw badField(field, `Invalid image: the ${bytes.length} bytes in '${field}' are no picture of a known kind`, 'invalid_image');
  const facts = `${size.format} ${size.width}×${size.height}, ${bytes.length} bytes`;
  budget.pixels -= size.width * size.height;
  const pixels = size.format === 'PNG' && budget.pixels >= 0 ? decodePng(bytes) : undefined;
  return pixels ? { facts, pixels } : { facts };
}

const DATA_URI = /^data:[^,]{0,200};base64,/i;

/** A picture as a JSON body has it: an address (it is named, not fetched), a data URI, bare base64, an object with one of them. */
function imageOfJson(value: Json, field: string, budget: Budget): GivenImage {
  if (isObject(value)) {
    const { image_url: url, file_id: id } = value;
    if (typeof id === 'string') return { facts: `file ${id.slice(0, 60)}` };
    if (url !== undefined && url !== null) return imageOfJson(isObject(url) ? (url['url'] ?? null) : url, `${field}.image_url`, budget);
  }
  if (typeof value !== 'string' || value === '')
    throw badField(field, `Invalid request: '${field}' must be an address, a data URI or base64`);
  if (/^https?:\/\//i.test(value)) return { facts: `URL ${value.slice(0, 80)}` };
  return imageOfBytes(Buffer.from(value.replace(DATA_URI, ''), 'base64'), field, budget);
}

/** The pictures of a part, as files or in JSON, by the names that clients use. Throws `GatewayError`. */
export function givenImages(form: Form, names: readonly string[]): readonly GivenImage[] {
  const budget: Budget = { pixels: MAX_PIXELS_READ };
  const found = names.flatMap((name) => [
    ...form.files.filter((file) => file.name === name).map((file) => imageOfBytes(file.bytes, name, budget)),
    ...listField(form, name).map((value, at, all) => imageOfJson(value, all.length > 1 ? `${name}[${at}]` : name, budget)),
  ]);
  if (found.length > MAX_IMAGES)
    throw badField(names[0] ?? 'image', `Invalid request: ${found.length} images, at most ${MAX_IMAGES} are taken`);
  return found;
}
