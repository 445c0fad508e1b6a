/** Where a member of the outermost object stands in a body, in bytes from its start; `to` is exclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What a scan of a JSON body found without parsing it. */
export interface TopLevel {
  /** Spans of the values of the wanted members. */
  readonly values: ReadonlyMap<string, Span>;
  /** Byte after the outermost `{`: where a member can be put in. */
  readonly inside: number;
  /** The outermost object has no members. */
  readonly empty: boolean;
  /** The deepest nesting; the outermost object is 1. */
  readonly depth: number;
}

/** Why a scan stopped. `odd`: legal JSON that the scanner does not follow (a wanted member's name, escaped): parse it instead. */
export type ScanFailure = 'not-an-object' | 'unterminated' | 'trailing' | 'duplicate' | 'too-deep' | 'odd' | 'malformed';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** The quote that ends the string whose first character is at `from`, or -1. */
function stringEnd(body: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const quote = body.indexOf(QUOTE, at);
    if (quote < 0) return -1;
    let slashes = 0;
    for (let i = quote - 1; i >= from && body[i] === BACKSLASH; i--) slashes++;
    if ((slashes & 1) === 0) return quote;
    at = quote + 1;
  }
}

/** End of the value that begins at `from`: the byte after it, or -1. Brackets are counted, not matched by kind: the parser of the target does that. */
function valueEnd(body: Buffer, from: number, limit: number, deepest: { depth: number }): number {
  let depth = 0;
  let at = from;
  const end = body.length;
  while (at < end) {
    const byte = body[at] as number;
    if (byte === QUOTE) {
      const quote = stringEnd(body, at + 1);
      if (quote < 0) return -1;
      at = quote + 1;
      if (depth === 0) return at;
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
      if (depth + 1 > deepest.depth) deepest.depth = depth + 1;
      if (depth >= limit) return -2;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return at; // the outermost object's own end, after a number or a word
      depth--;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (byte === COMMA || isSpace(byte))) return at;
    at++;
  }
  return -1;
}

function skipSpace(body: Buffer, from: number): number {
  let at = from;
  while (at < body.length && isSpace(body[at] as number)) at++;
  return at;
}

/** Escaped names that are looked at: nobody sends more. */
const MAX_ESCAPED = 100;

/** What an escaped string says; `undefined`: no JSON. */
function unescaped(body: Buffer, from: number, to: number): string | undefined {
  try {
    return JSON.parse(body.toString('utf8', from, to)) as string;
  } catch {
    return undefined;
  }
}

/**
 * Finds members of the outermost object by bytes: 236 µs of parsing and printing per 100 KB become a search for quotes.
 * Members of inner objects are never mistaken for it. Two members of a wanted name are refused: the target might read the other.
 * `mayEscape`: a wanted name may be escaped, which a printed one never is. Then a body with many escaped names is 'odd': to look at
 * each costs more than to parse it.
 */
export function scanTopLevel(
  body: Buffer,
  wanted: Pick<ReadonlySet<string>, 'has'>,
  maxDepth = 128,
  mayEscape = true,
): TopLevel | ScanFailure {
  let escaped = 0;
  let at = skipSpace(body, body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0);
  if (body[at] !== OPEN_BRACE) return 'not-an-object';
  const inside = at + 1;
  const values = new Map<string, Span>();
  const deepest = { depth: 1 };
  at = skipSpace(body, inside);
  if (body[at] === CLOSE_BRACE) {
    return skipSpace(body, at + 1) === body.length ? { values, inside, empty: true, depth: 1 } : 'trailing';
  }
  for (;;) {
    if (at >= body.length) return 'unterminated';
    if (body[at] !== QUOTE) return 'malformed';
    const nameEnd = stringEnd(body, at + 1);
    if (nameEnd < 0) return 'unterminated';
    const name = body.toString('latin1', at + 1, nameEnd);
    if (mayEscape && name.includes('\\')) {
      if (++escaped > MAX_ESCAPED) return 'odd';
      const meant = unescaped(body, at, nameEnd + 1);
      if (meant === undefined) return 'malformed';
      if (wanted.has(meant)) return 'odd';
    }
    at = skipSpace(body, nameEnd + 1);
    if (body[at] !== COLON) return at >= body.length ? 'unterminated' : 'malformed';
    const from = skipSpace(body, at + 1);
    const to = valueEnd(body, from, maxDepth, deepest);
    if (to === -2) return 'too-deep';
    if (to < 0) return 'unterminated';
    if (to === from) return 'malformed';
    if (wanted.has(name)) {
      if (values.has(name)) return 'duplicate';
      values.set(name, { from, to });
    }
    at = skipSpace(body, to);
    if (body[at] === CLOSE_BRACE) break;
    if (body[at] !== COMMA) return at >= body.length ? 'unterminated' : 'malformed';
    at = skipSpace(body, at + 1);
  }
  if (skipSpace(body, at + 1) !== body.length) return 'trailing';
  return { values, inside, empty: false, depth: deepest.depth };
}

/** Where the elements of an array stand, in bytes from its start; `undefined` where it cannot be followed. */
export function scanElements(array: Buffer, maxDepth = 128): readonly Span[] | undefined {
  const spans: Span[] = [];
  const deepest = { depth: 1 };
  let at = skipSpace(array, 0);
  if (array[at] !== OPEN_BRACKET) return undefined;
  at = skipSpace(array, at + 1);
  if (array[at] === CLOSE_BRACKET) return spans;
  for (;;) {
    const to = valueEnd(array, at, maxDepth, deepest);
    if (to <= at) return undefined;
    spans.push({ from: at, to });
    at = skipSpace(array, to);
    if (array[at] === CLOSE_BRACKET) return spans;
    if (array[at] !== COMMA) return undefined;
    at = skipSpace(array, at + 1);
  }
}

/** A change to a body: these bytes are replaced by this text. `from === to` inserts. */
export interface Edit extends Span {
  readonly text: string;
}

/** The body with the edits made, as pieces: what is unchanged is not copied. Edits must not overlap. */
export function editPieces(body: Buffer, edits: readonly Edit[]): readonly Buffer[] {
  if (edits.length === 0) return [body];
  const pieces: Buffer[] = [];
  let at = 0;
  for (const edit of edits.toSorted((a, b) => a.from - b.from)) {
    if (edit.from > at) pieces.push(body.subarray(at, edit.from));
    if (edit.text !== '') pieces.push(Buffer.from(edit.text));
    at = edit.to;
  }
  if (at < body.length) pieces.push(body.subarray(at));
  return pieces;
}
