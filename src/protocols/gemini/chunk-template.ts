import { isObject, type JsonObject, parseObject } from '../../ir/index.ts';

/** Text that a chunk adds to the first candidate, and nothing else but the usage so far. */
export interface PlainDelta {
  readonly kind: 'text' | 'reasoning';
  readonly text: string;
}

/** The same, its text also as the JSON string literal that stood there, and the usage as its JSON text. */
export interface MatchedDelta extends PlainDelta {
  readonly literal: string;
  readonly usage: string | undefined;
}

/**
 * Recognises chunks that differ from an earlier one in their text and the numbers of their usage only, without parsing them.
 * What stands around both is proved once by parsing probes in their places, so a match says the same as the parser: a fuzz
 * test holds it to that.
 */
export interface ChunkTemplate {
  match(data: string): MatchedDelta | undefined;
  /** Learns from a chunk that was parsed as `value`, where it is a plain one. */
  learn(data: string, value: JsonObject): void;
}

/** What a chunk is made of, around its text. */
interface Around {
  readonly kind: PlainDelta['kind'];
  readonly prefix: string;
  /** Between the text and the usage; all that follows the text where there is no usage. */
  readonly middle: string;
  readonly usage: string | undefined;
  readonly tail: string;
}

const PROBE = 'probe';

const hasOnly = (value: JsonObject, known: ReadonlySet<string>): boolean => {
  for (const key in value) if (!known.has(key)) return false;
  return true;
};
const CANDIDATE: ReadonlySet<string> = new Set(['content', 'index']);
const CONTENT: ReadonlySet<string> = new Set(['parts', 'role']);
const PART: ReadonlySet<string> = new Set(['text', 'thought']);

/** The one text that a chunk adds to the first candidate; `undefined` when it says anything else. */
export function plainDelta(value: JsonObject): PlainDelta | undefined {
  const list = value['candidates'];
  if (!Array.isArray(list) || list.length !== 1 || 'error' in value || 'promptFeedback' in value) return undefined;
  if (value['usageMetadata'] !== undefined && !isObject(value['usageMetadata'])) return undefined;
  const candidate: unknown = list[0];
  if (!isObject(candidate) || !hasOnly(candidate, CANDIDATE) || (candidate['index'] ?? 0) !== 0) return undefined;
  const { content } = candidate;
  if (!isObject(content) || !hasOnly(content, CONTENT) || !Array.isArray(content['parts']) || content['parts'].length !== 1)
    return undefined;
  const part: unknown = content['parts'][0];
  if (!isObject(part) || !hasOnly(part, PART) || typeof part['text'] !== 'string' || part['text'] === '') return undefined;
  return { kind: part['thought'] === true ? 'reasoning' : 'text', text: part['text'] };
}

/** The end of the object that begins at `from`, past its brace; -1 when it does not end. */
function objectEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
    } else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) return at + 1;
  }
  return -1;
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** Whether two JSON texts differ in the digits of whole numbers only. */
function sameButNumbers(one: string, other: string): boolean {
  let a = 0;
  let b = 0;
  while (a < one.length && b < other.length) {
    const code = one.charCodeAt(a);
    if (!isDigit(code)) {
      if (code !== other.charCodeAt(b)) return false;
      a++;
      b++;
      continue;
    }
    const from = b;
    while (isDigit(one.charCodeAt(a))) a++;
    while (isDigit(other.charCodeAt(b))) b++;
    if (b === from || (b > from + 1 && other.charCodeAt(from) === 48)) return false;
  }
  return a === one.length && b === other.length;
}

/** What a JSON string cannot be copied past without a look. */
const SPECIAL = /[\\\u0000-\u001f]/; // eslint-disable-line no-control-regex

/** The end of the string literal that begins at `from`, past its quote; -1 when it does not end. */
function literalEnd(data: string, from: number): number {
  for (let at = data.indexOf('"', from + 1); at >= 0; at = data.indexOf('"', at + 1)) {
    let slashes = 0;
    while (data.charCodeAt(at - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return at + 1;
  }
  return -1;
}

function textOf(literal: string): string | undefined {
  const inner = literal.slice(1, -1);
  if (!SPECIAL.test(inner)) return inner;
  try {
    return JSON.parse(literal) as string;
  } catch {
    return undefined;
  }
}

/** The place of the usage in what follows the text. */
function split(rest: string): Pick<Around, 'middle' | 'usage' | 'tail'> {
  const name = /"usageMetadata"\s*:\s*(?=\{)/.exec(rest);
  const from = name ? name.index + name[0].length : -1;
  const to = from < 0 ? -1 : objectEnd(rest, from);
  if (to < 0) return { middle: rest, usage: undefined, tail: '' };
  return { middle: rest.slice(0, from), usage: rest.slice(from, to), tail: rest.slice(to) };
}

/** Whether the chunk with probes in its places reads as a chunk of them. */
function isProved({ kind, prefix, middle, usage, tail }: Around): boolean {
  const probed = parseObject(`${prefix}"${PROBE}"${middle}${usage === undefined ? '' : `{"${PROBE}":1}`}${tail}`);
  const said = probed && plainDelta(probed);
  if (said?.kind !== kind || said.text !== PROBE) return false;
  const found = probed?.['usageMetadata'];
  return usage === undefined ? found === undefined : isObject(found) && found[PROBE] === 1;
}

export function createChunkTemplate(): ChunkTemplate {
  let around: Around | undefined;
  /** Chunks that never repeat are not worth learning from: each lesson costs what several matches earn. */
  let credit = 4;
  return {
    match(data) {
      if (!around || !data.startsWith(around.prefix)) return undefined;
      const { kind, prefix, middle, usage, tail } = around;
      const end = data.charCodeAt(prefix.length) === 34 ? literalEnd(data, prefix.length) : -1;
      if (end < 0 || !data.startsWith(middle, end)) return undefined;
      const from = end + middle.length;
      const to = data.length - tail.length;
      if (to < from || !data.endsWith(tail)) return undefined;
      const told = data.slice(from, to);
      if (usage === undefined ? told !== '' : !sameButNumbers(usage, told)) return undefined;
      const literal = data.slice(prefix.length, end);
      const text = textOf(literal);
      if (text === undefined || text === '') return undefined;
      if (credit < 64) credit++;
      return { kind, text, literal, usage: usage === undefined ? undefined : told };
    },
    learn(data, value) {
      const plain = credit > 0 ? plainDelta(value) : undefined;
      if (!plain) return;
      credit -= 4;
      const literal = JSON.stringify(plain.text);
      const at = data.indexOf(literal);
      if (at < 0) return;
      const next: Around = { kind: plain.kind, prefix: data.slice(0, at), ...split(data.slice(at + literal.length)) };
      if (isProved(next)) around = next;
    },
  };
}
