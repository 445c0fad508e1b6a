import { endianness } from 'node:os';
import type { Json } from '../../ir/index.ts';
import type { Vector } from './shape.ts';

const IS_LITTLE = endianness() === 'LE';

/** The bytes of float32 numbers, the low byte first on every machine. */
const littleEndian = (bytes: Buffer): Buffer => (IS_LITTLE ? bytes : Buffer.from(bytes).swap32());

/** The numbers of a vector; those of base64 are exactly the float32 that it holds. */
export function numbersOf(vector: Vector): readonly number[] {
  if (typeof vector !== 'string') return vector;
  const bytes = littleEndian(Buffer.from(vector, 'base64'));
  // A copy of its own: views of four bytes must begin at a multiple of four.
  return Array.from(new Float32Array(new Uint8Array(bytes).buffer));
}

/** The base64 of a vector as little-endian float32; one that came so is not touched. */
export function base64Of(vector: Vector): string {
  if (typeof vector === 'string') return vector;
  return littleEndian(Buffer.from(Float32Array.from(vector).buffer)).toString('base64');
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

function isFloats(text: string): boolean {
  return text.length % 4 === 0 && BASE64.test(text) && Buffer.byteLength(text, 'base64') % 4 === 0;
}

/** Reads a vector; throws where it is none. */
export function vectorOf(value: Json | undefined): Vector {
  if (typeof value === 'string' && isFloats(value)) return value;
  if (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'number')) return value as readonly number[];
  throw new Error('a reply with something that is no vector');
}

/** Puts vectors that carry an index in their places; throws where one is missing or there twice. */
export function inOrder(found: readonly { readonly index: number; readonly vector: Vector }[], count: number): readonly Vector[] {
  const vectors: (Vector | undefined)[] = Array.from({ length: count });
  for (const { index, vector } of found) {
    if (!(index >= 0 && index < count) || vectors[index] !== undefined) throw new Error('a vector of no input');
    vectors[index] = vector;
  }
  return vectors.map((vector) => {
    if (vector === undefined) throw new Error('an input without a vector');
    return vector;
  });
}

/** Vectors of a list in the order of the inputs; throws where their number differs. */
export function listed(list: Json | undefined, count: number): readonly Vector[] {
  if (!Array.isArray(list) || list.length !== count) throw new Error('another number of vectors than of inputs');
  return list.map((one: Json) => vectorOf(one));
}
