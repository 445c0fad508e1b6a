/*
 * A string that a regular expression matches, for the expressions that people write in schemas: literals, classes,
 * groups, alternatives, repeats, anchors. What is beyond that gives a string that does not match; callers check.
 */

interface Cursor {
  readonly source: string;
  at: number;
}

const CLASSES: Readonly<Record<string, string>> = {
  d: '0123456789',
  w: 'abcxyz019_',
  s: ' ',
  D: 'a',
  W: '-',
  S: 'a',
  n: '\n',
  t: '\t',
  r: '\r',
};
const ANYTHING = 'a';
/** Longer patterns are not read, longer strings not made: repeats may be nested. */
const MAX_PATTERN = 2000;
const MAX_MADE = 10_000;

/** What one character of an escape (`\d`, `\.`) may be. */
function escaped(cursor: Cursor): string {
  const char = cursor.source[cursor.at++] ?? '';
  if (char === 'b' || char === 'B') return '';
  if (char === 'u') {
    const code = Number.parseInt(cursor.source.slice(cursor.at, cursor.at + 4), 16);
    cursor.at += 4;
    return String.fromCharCode(code || 97);
  }
  return CLASSES[char] ?? char;
}

/** A class's first characters, `[a-f0-9_]`; a negated one gives something that is not in it. */
function classChars(cursor: Cursor): string {
  const { source } = cursor;
  const negated = source[cursor.at] === '^';
  if (negated) cursor.at++;
  let chars = '';
  while (cursor.at < source.length && source[cursor.at] !== ']') {
    const char = source[cursor.at++] ?? '';
    if (char === '\\') {
      chars += escaped(cursor);
      continue;
    }
    if (source[cursor.at] === '-' && source[cursor.at + 1] !== ']') {
      const to = (source[cursor.at + 1] ?? char).charCodeAt(0);
      cursor.at += 2;
      for (let code = char.charCodeAt(0); code <= to && chars.length < 300; code++) chars += String.fromCharCode(code);
    } else chars += char;
  }
  cursor.at++;
  return negated ? ([...'abcxyzABC019 -_.'].find((char) => !chars.includes(char)) ?? '~') : chars;
}

/** How often the thing before is repeated: the least that is allowed, but once where that may be. */
function repeats(cursor: Cursor): number {
  const { source } = cursor;
  const char = source[cursor.at];
  let times = 1;
  if (char === '*' || char === '+' || char === '?') cursor.at++;
  else if (char === '{') {
    const match = /^\{(\d+)(,(\d*))?\}/.exec(source.slice(cursor.at, cursor.at + 20));
    if (!match) return 1;
    cursor.at += match[0].length;
    const least = Number(match[1]);
    times = least === 0 && match[2] !== undefined && match[3] !== '0' ? 1 : least;
  } else return 1;
  if (source[cursor.at] === '?') cursor.at++;
  return Math.min(times, 1000);
}

/** Repeats a choice of characters, taking another one each time (`[a-f]{3}` → `abc`). */
function spread(chars: string, times: number): string {
  let out = '';
  for (let i = 0; i < times; i++) out += chars[i % Math.max(1, chars.length)] ?? '';
  return out;
}

function group(cursor: Cursor): string {
  const rest = cursor.source.slice(cursor.at);
  const head = /^\?(?::|<[a-zA-Z]\w*>|=|!|<=|<!)/.exec(rest)?.[0] ?? '';
  cursor.at += head.length;
  const inside = alternatives(cursor);
  cursor.at++;
  // What a look-around holds is not part of the string.
  return head === '' || head === '?:' || /^\?<[a-zA-Z]/.test(head) ? inside : '';
}

function sequence(cursor: Cursor): string {
  const { source } = cursor;
  let out = '';
  while (cursor.at < source.length && source[cursor.at] !== '|' && source[cursor.at] !== ')') {
    const char = source[cursor.at++] ?? '';
    if (char === '^' || char === '$') continue;
    if (char === '(') {
      const inside = group(cursor);
      out += inside.repeat(Math.min(repeats(cursor), Math.floor(MAX_MADE / (inside.length + 1))));
      continue;
    }
    const chars = char === '[' ? classChars(cursor) : char === '\\' ? escaped(cursor) : char === '.' ? ANYTHING : char;
    out += spread(chars, repeats(cursor));
  }
  return out;
}

/** The first alternative; the others are read past. */
function alternatives(cursor: Cursor): string {
  const first = sequence(cursor);
  while (cursor.source[cursor.at] === '|') {
    cursor.at++;
    sequence(cursor);
  }
  return first;
}

/**
 * Whether a pattern can be tried on a short text without taking long, whoever wrote it: repeats of groups, and many variable
 * repeats or alternatives, may take exponential time.
 */
function isTame(pattern: string): boolean {
  if (pattern.length > 200) return false;
  const bare = pattern.replaceAll(/\\.|\[(?:\\.|[^\][\\])*\]/g, 'x');
  const variable = bare.match(/[*+?]|\{\d+,/g)?.length ?? 0;
  return !/\)[*+?{]/.test(bare) && variable <= 4 && (bare.match(/\|/g)?.length ?? 0) <= 8;
}

const MAX_TRIED = 100;

/** Whether a text matches a schema's pattern; `false` also where trying it might take long. */
export function matchesTamely(pattern: string, text: string): boolean {
  if (text.length > MAX_TRIED || !isTame(pattern)) return false;
  try {
    return new RegExp(pattern, 'u').test(text);
  } catch {
    return false;
  }
}

/** A string that `pattern` matches, or `undefined` when none was found. What is too wild to be tried is believed. */
export function patternInstance(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN) return undefined;
  const made = alternatives({ source: pattern, at: 0 });
  return !isTame(pattern) || made.length > MAX_TRIED || matchesTamely(pattern, made) ? made : undefined;
}
