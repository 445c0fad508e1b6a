import { isObject, type Json, type JsonObject, ownText, parseObject, wordTable } from '../../ir/index.ts';

/** The kinds of text that come in many small events. */
export type PlainKind = 'text' | 'thought' | 'summary';

/** Text that an event adds to one part, and nothing else. */
export interface PlainDelta {
  readonly kind: PlainKind;
  readonly outputIndex: number;
  /** Of the content part, or of the summary's. */
  readonly index: number;
  readonly text: string;
}

/** The same, its text also as the JSON string literal that stood there. */
export interface MatchedDelta extends PlainDelta {
  readonly literal: string;
}

/**
 * Recognises events that differ from an earlier one in their text, number and padding only, without parsing them. What
 * stands around those is proved once by parsing probes in their places, so a match says the same as the parser: a fuzz
 * test holds it to that.
 */
export interface EventTemplate {
  match(data: string): MatchedDelta | undefined;
  /** Learns from an event that was read as `found`. */
  learn(data: string, found: PlainDelta): void;
}

const KINDS: Readonly<Record<string, PlainKind>> = wordTable({
  'response.output_text.delta': 'text',
  'response.reasoning_text.delta': 'thought',
  'response.reasoning_summary_text.delta': 'summary',
});

const isIndex = (value: Json | undefined): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0;

const isNothing = (value: Json | undefined): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0);

/** The usual event, more text of a part; `undefined` when it is another. */
export function plainDelta(event: JsonObject): PlainDelta | undefined {
  const kind = KINDS[String(event['type'])];
  const { delta, output_index: outputIndex, logprobs } = event;
  if (kind === undefined || typeof delta !== 'string' || delta === '' || !isIndex(outputIndex) || !isNothing(logprobs)) return undefined;
  const index = event[kind === 'summary' ? 'summary_index' : 'content_index'];
  return isIndex(index) ? { kind, outputIndex, index, text: delta } : undefined;
}

type Hole = 'number' | 'padding';

/** Constant text, then pairs of a hole and the constant text after it. */
interface Pieces {
  readonly first: string;
  readonly rest: readonly { readonly hole: Hole; readonly next: string }[];
}

interface Around extends Omit<PlainDelta, 'text'> {
  readonly before: Pieces;
  readonly after: Pieces;
}

const HOLES = /"sequence_number":(0|[1-9]\d{0,14})(?=[,}])|"obfuscation":"([A-Za-z0-9]*)"/g;

/** Cuts text at its number and its padding. */
function cut(text: string): Pieces {
  const rest: { hole: Hole; next: string }[] = [];
  let first: string | undefined;
  let from = 0;
  const add = (piece: string): void => {
    const last = rest.at(-1);
    if (last) last.next = piece;
    else first = piece;
  };
  for (const found of text.matchAll(HOLES)) {
    const isNumber = found[1] !== undefined;
    const value = found[1] ?? found[2] ?? '';
    const at = found.index + found[0].length - value.length - (isNumber ? 0 : 1);
    add(text.slice(from, at));
    rest.push({ hole: isNumber ? 'number' : 'padding', next: '' });
    from = at + value.length;
  }
  add(text.slice(from));
  return { first: first ?? '', rest };
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isPadding = (code: number): boolean => isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);

/** The end of what fills a hole that begins at `at`; -1 when that is no number. */
function holeEnd(data: string, at: number, hole: Hole): number {
  let end = at;
  if (hole === 'padding') {
    while (isPadding(data.charCodeAt(end))) end++;
    return end;
  }
  while (isDigit(data.charCodeAt(end))) end++;
  return end === at || end - at > 15 || (end - at > 1 && data.charCodeAt(at) === 48) ? -1 : end;
}

/** The end of the holes and what stands between them, from `at`; -1 when they are not there. */
function restEnd(data: string, at: number, rest: Pieces['rest']): number {
  let end = at;
  for (const { hole, next } of rest) {
    end = holeEnd(data, end, hole);
    if (end < 0 || !data.startsWith(next, end)) return -1;
    end += next.length;
  }
  return end;
}

/** The usual literal: no escapes, no control characters, its second quote its last. */
const PLAIN = /^"[ !#-[\]-\uffff]*"$/;

/** The text of a literal; `undefined` when it is none. */
function textOf(literal: string): string | undefined {
  if (PLAIN.test(literal)) return literal.slice(1, -1);
  try {
    const value: unknown = JSON.parse(literal);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

const PROBE = 'probe';

const probed = ({ first, rest }: Pieces): string => first + rest.map(({ hole, next }) => (hole === 'number' ? '7' : 'x') + next).join('');

function prove(around: Around): boolean {
  const value = parseObject(`${probed(around.before)}"${PROBE}"${probed(around.after)}`);
  const said = isObject(value) ? plainDelta(value) : undefined;
  return said?.text === PROBE && said.kind === around.kind && said.outputIndex === around.outputIndex && said.index === around.index;
}

export function createEventTemplate(): EventTemplate {
  let around: Around | undefined;
  /** Events that never repeat are not worth learning from: each lesson costs what several matches earn. */
  let credit = 4;

  return {
    match(data) {
      if (!around) return undefined;
      const { before, after, kind, outputIndex, index } = around;
      if (!data.startsWith(before.first)) return undefined;
      const from = restEnd(data, before.first.length, before.rest);
      if (from < 0) return undefined;
      // Quotes in a literal are escaped: what follows the text cannot stand in it.
      const end = after.rest.length === 0 ? data.lastIndexOf(after.first) : data.indexOf(after.first, from);
      if (end <= from || restEnd(data, end + after.first.length, after.rest) !== data.length) return undefined;
      const literal = data.slice(from, end);
      const text = textOf(literal);
      if (text === undefined || text === '') return undefined;
      if (credit < 64) credit++;
      return { kind, outputIndex, index, text, literal };
    },
    learn(data, { text, ...where }) {
      if (credit <= 0) return;
      credit -= 4;
      const literal = JSON.stringify(text);
      const at = data.indexOf(`"delta":${literal}`);
      if (at < 0) return;
      const start = at + '"delta":'.length;
      // It is kept for as long as the stream runs, what was read with it is not.
      const own = ownText(data);
      const next: Around = { ...where, before: cut(own.slice(0, start)), after: cut(own.slice(start + literal.length)) };
      // Without a quote what follows could stand in a text.
      if (next.after.rest.length > 0 && !next.after.first.includes('"')) return;
      if (prove(next)) around = next;
    },
  };
}
