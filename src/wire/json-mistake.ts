/** Where and how a text stops being JSON. */
export interface JsonMistake {
  /** UTF-16 units before it. */
  readonly at: number;
  readonly line: number;
  readonly column: number;
  /** What stands there, in words that hold nothing of the text but one character of JSON's own. */
  readonly found: string;
}

const SPACE = /[\t\n\r ]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const PUNCTUATION = '{}[]:,"';

/** Moves past what the pattern matches at `at`. */
function past(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

/** The end of the string that begins at `at`; negative: where it breaks off, less one. */
function stringEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) return at + 1;
    if (unit < 0x20) break;
    const next = unit === 0x5c ? past(ESCAPE, text, at) : at + 1;
    if (next === at) break;
    at = next;
  }
  return -at - 1;
}

/** The first place at which a text is not JSON, read with a stack of our own: depth costs no recursion. `undefined`: it is JSON. */
function firstMistake(text: string): number | undefined {
  const open: string[] = [];
  let at = past(SPACE, text, 0);
  let wants: 'value' | 'value-or-end' | 'name' | 'name-or-end' | 'after' = 'value';
  for (;;) {
    const unit = text[at];
    if (wants === 'after') {
      const inner = open.at(-1);
      if (inner === undefined) return at === text.length ? undefined : at;
      if (unit === ',') wants = inner === '{' ? 'name' : 'value';
      else if (unit === (inner === '{' ? '}' : ']')) open.pop();
      else return at;
      at = past(SPACE, text, at + 1);
      continue;
    }
    if ((wants === 'name-or-end' && unit === '}') || (wants === 'value-or-end' && unit === ']')) {
      open.pop();
      wants = 'after';
      at = past(SPACE, text, at + 1);
      continue;
    }
    if (unit === '"') {
      const end = stringEnd(text, at);
      if (end < 0) return -end - 1;
      at = past(SPACE, text, end);
      if (wants === 'value' || wants === 'value-or-end') wants = 'after';
      else if (text[at] === ':') {
        at = past(SPACE, text, at + 1);
        wants = 'value';
      } else return at;
      continue;
    }
    if (wants === 'name' || wants === 'name-or-end') return at;
    if (unit === '{' || unit === '[') {
      open.push(unit);
      wants = unit === '{' ? 'name-or-end' : 'value-or-end';
      at = past(SPACE, text, at + 1);
      continue;
    }
    const end = Math.max(past(NUMBER, text, at), past(WORD, text, at));
    if (end === at) return at;
    at = past(SPACE, text, end);
    wants = 'after';
  }
}

function whatStands(text: string, at: number): string {
  const unit = text[at];
  if (unit === undefined) return 'the end of the text';
  if (PUNCTUATION.includes(unit)) return `'${unit}'`;
  return unit < ' ' ? 'a control character' : 'an unexpected character';
}

/** Finds the first mistake of a text that `JSON.parse` refuses. Only for error messages: the engine's own quote the text, secrets and all. */
export function findJsonMistake(text: string): JsonMistake | undefined {
  const at = firstMistake(text);
  if (at === undefined) return undefined;
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  return { at, line, column: at - before.lastIndexOf('\n'), found: whatStands(text, at) };
}
