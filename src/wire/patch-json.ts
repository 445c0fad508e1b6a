import { isObject, type Json, type JsonObject } from '../ir/index.ts';
import { scanElements, scanTopLevel } from './top-level-scan.ts';

/** More pieces than that are joined: each of them costs its part of a writev. */
const MAX_PIECES = 32;
/** How deep changes are followed: below, what changed is printed whole. */
const MAX_DEPTH = 16;
const EVERY = { has: () => true };

type Piece = Buffer | string;

function add(out: Piece[], piece: Piece): void {
  const last = out.at(-1);
  if (typeof piece === 'string' && typeof last === 'string') out[out.length - 1] = last + piece;
  else out.push(piece);
}

/** The members of an object, those that did not change as they stand in its text. `false`: the text cannot be followed. */
function patchObject(text: Buffer, before: JsonObject, after: JsonObject, depth: number, out: Piece[]): boolean {
  const scan = scanTopLevel(text, EVERY);
  if (typeof scan === 'string') return false;
  let mark = '{';
  for (const [name, value] of Object.entries(after)) {
    if (value === undefined) continue;
    add(out, `${mark}${JSON.stringify(name)}:`);
    mark = ',';
    const span = Object.hasOwn(before, name) ? scan.values.get(name) : undefined;
    if (span) patchValue(text.subarray(span.from, span.to), before[name], value, depth + 1, out);
    else add(out, JSON.stringify(value));
  }
  add(out, mark === '{' ? '{}' : '}');
  return true;
}

function patchArray(text: Buffer, before: readonly Json[], after: readonly Json[], depth: number, out: Piece[]): boolean {
  const spans = before.length === after.length ? scanElements(text) : undefined;
  if (spans?.length !== after.length) return false;
  for (const [index, { from, to }] of spans.entries()) {
    add(out, index === 0 ? '[' : ',');
    patchValue(text.subarray(from, to), before[index], after[index] ?? null, depth + 1, out);
  }
  add(out, after.length === 0 ? '[]' : ']');
  return true;
}

function patchValue(text: Buffer, before: Json | undefined, after: Json, depth: number, out: Piece[]): void {
  if (before === after) return add(out, text);
  if (depth < MAX_DEPTH) {
    if (Array.isArray(before) && Array.isArray(after) && patchArray(text, before, after, depth, out)) return;
    if (isObject(before) && isObject(after) && patchObject(text, before, after, depth, out)) return;
  }
  add(out, JSON.stringify(after));
}

/**
 * An object's text with changes: members and elements that are the same values as before, by identity, keep the bytes that they came in, so
 * that numbers beyond what a double holds are not rounded. `text` is what `before` was parsed from; `after` was made of `before`.
 */
export function patchJson(text: Buffer, before: JsonObject, after: JsonObject): readonly Buffer[] {
  const pieces: Piece[] = [];
  patchValue(text, before, after, 0, pieces);
  const bytes = pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece));
  return bytes.length > MAX_PIECES ? [Buffer.concat(bytes)] : bytes;
}
