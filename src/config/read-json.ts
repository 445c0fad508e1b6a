import type { Words } from './language.ts';
import { ConfigError } from './problem.ts';
import type { ListTree, MapEntry, MapTree, ScalarTree, Tree } from './tree.ts';

/** Deeper than any configuration, and far from the end of the stack. */
const MAX_DEPTH = 100;

const TOKEN = /\s*(?:([{}[\],:])|("(?:[^"\\\n]|\\.)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.])|$)/y;

interface Token {
  readonly text: string;
  readonly at: number;
}

/** What the pieces below share: a text, and how far it was read. */
interface Reading {
  readonly text: string;
  readonly file: string;
  readonly lineStarts: readonly number[];
  position: number;
}

/**
 * Reads JSON with the place of everything in it, without loading a YAML parser (which costs a start 15 ms). Stops at the
 * first mistake. Throws `ConfigError`.
 */
export function readJson(text: string, file: string): Tree {
  const lineStarts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
  const reading: Reading = { text, file, lineStarts, position: text.startsWith('\uFEFF') ? 1 : 0 };
  const tree = readValue(reading, nextToken(reading), 0);
  const rest = nextToken(reading);
  if (rest.text !== '') fail(reading, rest.at, ['the end of the file', '文件结尾'], rest.text[0] ?? '');
  return tree;
}

function readValue(reading: Reading, token: Token, depth: number): Tree {
  if (depth > MAX_DEPTH) return fail(reading, token.at, [`at most ${MAX_DEPTH} levels`, `最多 ${MAX_DEPTH} 层`], token.text);
  if (token.text === '{') return readMap(reading, token, depth + 1);
  if (token.text === '[') return readList(reading, token, depth + 1);
  if (token.text === '' || /^[}\],:]$/.test(token.text)) return fail(reading, token.at, ['a value', '值'], token.text);
  return readScalar(reading, token);
}

function readMap(reading: Reading, open: Token, depth: number): MapTree {
  const entries: MapEntry[] = [];
  const seen = new Set<string>();
  for (let token = nextToken(reading); token.text !== '}';) {
    const { key, keyPlace } = readKey(reading, token);
    if (seen.has(key)) throw new ConfigError([duplicateKey(key, keyPlace)]);
    seen.add(key);
    const colon = nextToken(reading);
    if (colon.text !== ':') fail(reading, colon.at, [': after the name', '名称后的冒号'], colon.text[0] ?? '');
    entries.push({ key, keyPlace, value: readValue(reading, nextToken(reading), depth) });
    token = afterItem(reading, '}');
  }
  return { kind: 'map', place: placeOf(reading, open.at), entries };
}

function readKey(reading: Reading, token: Token): Pick<MapEntry, 'key' | 'keyPlace'> {
  if (!token.text.startsWith('"')) fail(reading, token.at, ['a name in double quotes, or }', '双引号中的名称，或 }'], token.text[0] ?? '');
  return { key: unquoted(reading, token), keyPlace: placeOf(reading, token.at) };
}

function readList(reading: Reading, open: Token, depth: number): ListTree {
  const items: Tree[] = [];
  for (let token = nextToken(reading); token.text !== ']';) {
    items.push(readValue(reading, token, depth));
    token = afterItem(reading, ']');
  }
  return { kind: 'list', place: placeOf(reading, open.at), items };
}

/** The token that begins the next item, or the closing one. */
function afterItem(reading: Reading, close: string): Token {
  const token = nextToken(reading);
  if (token.text === close) return token;
  if (token.text !== ',') return fail(reading, token.at, [`a comma, or ${close}`, `逗号，或 ${close}`], token.text[0] ?? '');
  const item = nextToken(reading);
  return item.text === close ? fail(reading, token.at, [`no comma before ${close}`, ` ${close} 之前没有逗号`], ',') : item;
}

function readScalar(reading: Reading, token: Token): ScalarTree {
  const value = token.text.startsWith('"') ? unquoted(reading, token) : (JSON.parse(token.text) as number | boolean | null);
  return { kind: 'scalar', place: placeOf(reading, token.at), value };
}

/** What stands between quotes, its escapes resolved. */
function unquoted(reading: Reading, { text: quoted, at }: Token): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return fail(reading, at, ['a text with valid escapes', '转义正确的文本'], quoted[0] ?? '');
  }
}

/** The next token, '' at the end of the text; it is read then. */
function nextToken(reading: Reading): Token {
  const { text, position } = reading;
  TOKEN.lastIndex = position;
  const match = TOKEN.exec(text);
  if (!match) {
    const at = position + (/^\s*/.exec(text.slice(position))?.[0].length ?? 0);
    return fail(reading, at, ['a value or a sign of JSON', ' JSON 的值或符号'], text.slice(at, at + 1));
  }
  reading.position = TOKEN.lastIndex;
  const token = match[1] ?? match[2] ?? match[3] ?? '';
  return { text: token, at: reading.position - token.length };
}

function placeOf({ file, lineStarts }: Reading, at: number): Tree['place'] {
  let line = lineStarts.findLastIndex((start) => start <= at);
  if (line < 0) line = 0;
  return { file, line: line + 1, column: at - (lineStarts[line] ?? 0) + 1 };
}

function fail(reading: Reading, at: number, right: Words, found: string): never {
  const what = ['This is no valid JSON', 'JSON 语法有误'] as const;
  const shown = found === '' ? (['the end of the file', '文件结尾'] as const) : ([`\`${found}\``, `\`${found}\``] as const);
  throw new ConfigError([{ severity: 'error', code: 'syntax', place: placeOf(reading, at), path: '', what, found: shown, right }]);
}

/** The same key twice in one map: one of the two would be lost in silence. */
export function duplicateKey(key: string, place: Tree['place']): ConfigError['problems'][number] {
  return {
    severity: 'error',
    code: 'duplicate_key',
    place,
    path: '',
    what: [`'${key}' is there twice`, `“${key}”出现了两次`],
    right: ['one of the two', '只保留其中一个'],
  };
}
