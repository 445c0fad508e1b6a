import { type JsonObject, ownText, parseObject } from '../../ir/index.ts';

/** Text that a chunk adds to the one answer, and nothing else. */
export interface PlainDelta {
  readonly kind: 'text' | 'reasoning';
  readonly text: string;
}

/** The same, its text also as the JSON string literal that stood there. */
export interface MatchedDelta extends PlainDelta {
  readonly literal: string;
}

/**
 * Recognises chunks that differ from an earlier one in their text only, without parsing them. What stands around the text
 * is proved once by parsing a probe in its place, so a match says the same as the parser: a fuzz test holds it to that.
 */
export interface ChunkTemplate {
  match(data: string): MatchedDelta | undefined;
  /** Learns from a chunk that was read as `found`. */
  learn(data: string, found: PlainDelta): void;
}

/** What stands around the text. `tail` follows random padding (OpenAI's `obfuscation`, Mistral's `p`), where there is some. */
interface Around {
  readonly kind: PlainDelta['kind'];
  readonly prefix: string;
  readonly suffix: string;
  readonly tail: string | undefined;
}

const PROBE = 'probe';
const PADDING = /"(?:obfuscation|p)":"/g;

/** The place of random padding in what follows the text. */
function split(suffix: string): Pick<Around, 'suffix' | 'tail'> {
  PADDING.lastIndex = 0;
  if (!PADDING.test(suffix)) return { suffix, tail: undefined };
  const from = PADDING.lastIndex;
  const to = suffix.indexOf('"', from);
  return isPadding(suffix.slice(from, to)) ? { suffix: suffix.slice(0, from), tail: suffix.slice(to) } : { suffix, tail: undefined };
}

const isPadding = (text: string): boolean => !/[^A-Za-z0-9]/.test(text);

/** Whether `data` ends, from `at`, in padding and the tail. */
function endsAsPadded(data: string, at: number, tail: string): boolean {
  const quote = data.indexOf('"', at);
  return quote >= 0 && data.length - quote === tail.length && data.endsWith(tail) && isPadding(data.slice(at, quote));
}

/** The text of a literal; `undefined` when it is none. */
function textOf(literal: string): string | undefined {
  const last = literal.length - 1;
  if (last < 1 || literal.charCodeAt(0) !== 34) return undefined;
  // The usual literal: no escapes, no control characters, its second quote its last.
  if (literal.indexOf('"', 1) === last && !literal.includes('\\') && !hasControl(literal)) return literal.slice(1, last);
  try {
    const value: unknown = JSON.parse(literal);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 32) return true;
  return false;
}

/** `read`: what a parsed chunk adds, where it adds one text and nothing else. */
export function createChunkTemplate(read: (value: JsonObject) => PlainDelta | undefined): ChunkTemplate {
  let around: Around | undefined;
  /** Chunks that never repeat are not worth learning from: each lesson costs what several matches earn. */
  let credit = 4;

  function prove(data: string, literal: string, at: number, kind: PlainDelta['kind']): boolean {
    const probed = parseObject(`${data.slice(0, at)}"${PROBE}"${data.slice(at + literal.length)}`);
    const said = probed && read(probed);
    return said !== undefined && said.kind === kind && said.text === PROBE;
  }

  return {
    match(data) {
      if (!around || !data.startsWith(around.prefix)) return undefined;
      const { prefix, suffix, tail, kind } = around;
      // Quotes in a literal are escaped: what follows the text cannot stand in it.
      const end = tail === undefined ? data.length - suffix.length : data.indexOf(suffix, prefix.length);
      if (end < prefix.length || (tail === undefined ? !data.endsWith(suffix) : !endsAsPadded(data, end + suffix.length, tail)))
        return undefined;
      const literal = data.slice(prefix.length, end);
      const text = textOf(literal);
      if (text === undefined) return undefined;
      if (credit < 64) credit++;
      return { kind, text, literal };
    },
    learn(data, { kind, text }) {
      if (credit <= 0 || text === '') return;
      credit -= 4;
      const literal = JSON.stringify(text);
      const at = data.indexOf(literal);
      if (at < 0 || !prove(data, literal, at, kind)) return;
      // It is kept for as long as the stream runs, what was read with it is not.
      const own = ownText(data);
      around = { kind, prefix: own.slice(0, at), ...split(own.slice(at + literal.length)) };
    },
  };
}
