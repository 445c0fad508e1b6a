import { type JsonObject, parseObject } from '../ir/index.ts';

/*
 * Finds members in the bytes of a body without parsing all of it. A quote in a text is escaped there, so a name in quotes
 * with a colon after it is a member.
 */

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN = 123;
const CLOSE = 125;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const COLON = 58;

const isSpace = (byte: number | undefined): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9;

/** The end of the object that begins at `from`, past its brace; -1 when it does not end. */
function objectEnd(body: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; at < body.length; at++) {
    const byte = body[at];
    if (byte === QUOTE) {
      for (at++; at < body.length && body[at] !== QUOTE; at++) if (body[at] === BACKSLASH) at++;
    } else if (byte === OPEN) depth++;
    else if (byte === CLOSE && --depth === 0) return at + 1;
  }
  return -1;
}

/** Where a member's value begins, past its colon; -1 when what stands there is no member's name. */
function valueAt(body: Buffer, at: number, length: number): number {
  if (at < 0 || body[at - 1] === BACKSLASH) return -1;
  let next = at + length;
  while (isSpace(body[next])) next++;
  if (body[next] !== COLON) return -1;
  next++;
  while (isSpace(body[next])) next++;
  return next;
}

/** The object of that name nearest the end which `fits`; `name` with its quotes. */
export function lastObject(body: Buffer, name: string, fits: (value: JsonObject) => boolean): JsonObject | undefined {
  for (let at = body.lastIndexOf(name); at >= 0; at = at === 0 ? -1 : body.lastIndexOf(name, at - 1)) {
    const from = valueAt(body, at, name.length);
    const to = from >= 0 && body[from] === OPEN ? objectEnd(body, from) : -1;
    const value = to < 0 ? undefined : parseObject(body.toString('utf8', from, to));
    if (value && fits(value)) return value;
  }
  return undefined;
}

/** Whether there is a member of that name with that string, the name and the string in quotes. */
export function hasString(body: Buffer, name: string, value: string): boolean {
  for (let at = body.indexOf(value); at >= 0; at = body.indexOf(value, at + value.length)) {
    let before = at - 1;
    while (isSpace(body[before])) before--;
    if (body[before] !== COLON) continue;
    before--;
    while (isSpace(body[before])) before--;
    const from = before + 1 - name.length;
    if (from >= 0 && body.toString('latin1', from, before + 1) === name) return true;
  }
  return false;
}

/** The string of the member whose name, in quotes, stands at `at`; `undefined` when there is none, or something else. */
function stringAt(body: Buffer, name: string, at: number): string | undefined {
  const from = valueAt(body, at, name.length);
  if (from < 0 || body[from] !== QUOTE) return undefined;
  let to = from + 1;
  while (to < body.length && body[to] !== QUOTE) to += body[to] === BACKSLASH ? 2 : 1;
  try {
    const value: unknown = JSON.parse(body.toString('utf8', from, to + 1));
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The string member of that name nearest the beginning; `name` with its quotes. */
export const firstString = (body: Buffer, name: string): string | undefined => stringAt(body, name, body.indexOf(name));

/** The string member of that name nearest the end; `name` with its quotes. */
export const lastString = (body: Buffer, name: string): string | undefined => stringAt(body, name, body.lastIndexOf(name));

/** Whether the first member of that name is a list with something in it; `name` with its quotes. */
export function hasElement(body: Buffer, name: string): boolean {
  const from = valueAt(body, body.indexOf(name), name.length);
  if (from < 0 || body[from] !== OPEN_LIST) return false;
  let next = from + 1;
  while (isSpace(body[next])) next++;
  return body[next] !== CLOSE_LIST;
}
