import { isObject, type JsonObject, ownText, parseObject } from '../../ir/index.ts';

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

/** The text of a literal; `undefined` when it is none. */
function textOf(literal: string): string | undefined {
  if (!literal.includes('\\')) return literal.slice(1, -1);
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

/** Inside of a string literal: no control characters, quotes escaped. */
const INNER = String.raw`[^"\\\u0000-\u001f]*(?:\\[^\u0000-\u001f][^"\\\u0000-\u001f]*)*`;
const NUMBER = '(?:0|[1-9][0-9]*)';

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);

/** A chunk of this make with any text and any whole numbers in its usage. Nothing in it can match in two ways, so it never goes back. */
function patternOf({ prefix, middle, usage, tail }: Around): RegExp {
  const numbers = (usage ?? '')
    .split(/[0-9]+/)
    .map(escaped)
    .join(NUMBER);
  return new RegExp(`^${escaped(prefix)}("${INNER}")${escaped(middle)}(${numbers})${escaped(tail)}$`);
}

/** Longer chunks are parsed. */
const MAX_LENGTH = 64 * 1024;

export function createChunkTemplate(): ChunkTemplate {
  let around: Around | undefined;
  let pattern: RegExp | undefined;
  /** Chunks that never repeat are not worth learning from: each lesson costs what several matches earn. */
  let credit = 4;
  return {
    match(data) {
      const found = around && pattern && data.length <= MAX_LENGTH ? pattern.exec(data) : null;
      const literal = found?.[1];
      const text = literal === undefined ? undefined : textOf(literal);
      if (!around || !found || literal === undefined || text === undefined || text === '') return undefined;
      if (credit < 64) credit++;
      return { kind: around.kind, text, literal, usage: around.usage === undefined ? undefined : found[2] };
    },
    learn(data, value) {
      const plain = credit > 0 && data.length <= MAX_LENGTH ? plainDelta(value) : undefined;
      if (!plain) return;
      credit -= 4;
      const literal = JSON.stringify(plain.text);
      const at = data.indexOf(literal);
      if (at < 0) return;
      // It is kept for as long as the stream runs, what was read with it is not.
      const own = ownText(data);
      const next: Around = { kind: plain.kind, prefix: own.slice(0, at), ...split(own.slice(at + literal.length)) };
      if (!isProved(next)) return;
      around = next;
      pattern = patternOf(next);
    },
  };
}
