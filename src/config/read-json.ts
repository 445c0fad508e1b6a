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

/**
 * Reads JSON with the place of everything in it, without loading a YAML parser (which costs a start 15 ms). Stops at the
 * first mistake. Throws `ConfigError`.
 */
export function readJson(text: string, file: string): Tree {
  const lineStarts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
  const placeOf = (at: number): Tree['place'] => {
    let line = lineStarts.findLastIndex((start) => start <= at);
    if (line < 0) line = 0;
    return { file, line: line + 1, column: at - (lineStarts[line] ?? 0) + 1 };
  };
  const fail = (at: number, right: Words, found: string): never => {
    const what = ['This is no valid JSON', 'JSON 语法有误'] as const;
    const shown = found === '' ? (['the end of the file', '文件结尾'] as const) : ([`\`${found}\``, `\`${found}\``] as const);
    throw new ConfigError([{ severity: 'error', code: 'syntax', place: placeOf(at), path: '', what, found: shown, right }]);
  };

  let position = text.startsWith('\uFEFF') ? 1 : 0;
  const next = (): Token => {
    TOKEN.lastIndex = position;
    const match = TOKEN.exec(text);
    if (!match) {
      const at = position + (/^\s*/.exec(text.slice(position))?.[0].length ?? 0);
      return fail(at, ['a value or a sign of JSON', ' JSON 的值或符号'], text.slice(at, at + 1));
    }
    position = TOKEN.lastIndex;
    const token = match[1] ?? match[2] ?? match[3] ?? '';
    return { text: token, at: position - token.length };
  };
  const textOf = ({ text: quoted, at }: Token): string => {
    try {
      return JSON.parse(quoted) as string;
    } catch {
      return fail(at, ['a text with valid escapes', '转义正确的文本'], quoted[0] ?? '');
    }
  };

  const readMap = (open: Token, depth: number): MapTree => {
    const entries: MapEntry[] = [];
    const seen = new Set<string>();
    for (let token = next(); token.text !== '}';) {
      if (!token.text.startsWith('"')) fail(token.at, ['a name in double quotes, or }', '双引号中的名称，或 }'], token.text[0] ?? '');
      const key = textOf(token);
      if (seen.has(key)) throw new ConfigError([duplicateKey(key, placeOf(token.at))]);
      seen.add(key);
      const colon = next();
      if (colon.text !== ':') fail(colon.at, [': after the name', '名称后的冒号'], colon.text[0] ?? '');
      entries.push({ key, keyPlace: placeOf(token.at), value: readValue(next(), depth) });
      token = afterItem('}');
    }
    return { kind: 'map', place: placeOf(open.at), entries };
  };
  const readList = (open: Token, depth: number): ListTree => {
    const items: Tree[] = [];
    for (let token = next(); token.text !== ']';) {
      items.push(readValue(token, depth));
      token = afterItem(']');
    }
    return { kind: 'list', place: placeOf(open.at), items };
  };
  /** The token that begins the next item, or the closing one. */
  const afterItem = (close: string): Token => {
    const token = next();
    if (token.text === close) return token;
    if (token.text !== ',') return fail(token.at, [`a comma, or ${close}`, `逗号，或 ${close}`], token.text[0] ?? '');
    const item = next();
    return item.text === close ? fail(token.at, [`no comma before ${close}`, ` ${close} 之前没有逗号`], ',') : item;
  };
  const readScalar = (token: Token): ScalarTree => {
    const value = token.text.startsWith('"') ? textOf(token) : (JSON.parse(token.text) as number | boolean | null);
    return { kind: 'scalar', place: placeOf(token.at), value };
  };
  function readValue(token: Token, depth: number): Tree {
    if (depth > MAX_DEPTH) return fail(token.at, [`at most ${MAX_DEPTH} levels`, `最多 ${MAX_DEPTH} 层`], token.text);
    if (token.text === '{') return readMap(token, depth + 1);
    if (token.text === '[') return readList(token, depth + 1);
    if (token.text === '' || /^[}\],:]$/.test(token.text)) return fail(token.at, ['a value', '值'], token.text);
    return readScalar(token);
  }

  const tree = readValue(next(), 0);
  const rest = next();
  if (rest.text !== '') fail(rest.at, ['the end of the file', '文件结尾'], rest.text[0] ?? '');
  return tree;
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
