import type { Span } from './top-level-scan.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const SPACE = 0x20;

/** The byte after the string whose first character is at `from`. */
function afterString(body: Buffer, from: number): number {
  for (let at = body.indexOf(QUOTE, from); at >= 0; at = body.indexOf(QUOTE, at + 1)) {
    let slashes = 0;
    while (body[at - 1 - slashes] === BACKSLASH) slashes++;
    if ((slashes & 1) === 0) return at + 1;
  }
  return body.length;
}

/**
 * How many elements a JSON array has, without parsing it; `span` is what a scan found. A list of numbers counts as one: it
 * is one input. Stops at the first above `most`. 0: empty, or no array.
 */
export function countElements(body: Buffer, span: Span, most: number): number {
  if (body[span.from] !== 0x5b) return 0;
  let at = span.from + 1;
  while ((body[at] as number) <= SPACE) at++;
  const first = body[at] as number;
  if (first === 0x5d) return 0;
  // A digit: tokens.
  if (first >= 0x30 && first <= 0x39) return 1;
  let count = 1;
  let depth = 1;
  while (at < span.to && count <= most) {
    const byte = body[at] as number;
    if (byte === QUOTE) {
      at = afterString(body, at + 1);
      continue;
    }
    if (byte === COMMA && depth === 1) count++;
    else if (byte === 0x5b || byte === 0x7b) depth++;
    else if (byte === 0x5d || byte === 0x7d) depth--;
    at++;
  }
  return count;
}
