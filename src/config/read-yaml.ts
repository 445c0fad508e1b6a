import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Node,
  type Range,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import type { Words } from './language.ts';
import { ConfigError, type Place, type Problem } from './problem.ts';
import { duplicateKey } from './read-json.ts';
import type { MapEntry, Tree } from './tree.ts';

/** More than any configuration holds: anchors that refer to each other can grow without end. */
const MAX_NODES = 100_000;

/** What people most often meant when YAML says something cryptic. */
function hintFor(error: YAMLError, line: string): Words | undefined {
  if (error.code === 'TAB_AS_INDENT') return ['spaces: YAML takes no tabs for indentation', '空格：YAML 不允许用制表符缩进'];
  if (line.includes('${') && /[{[]/.test(line))
    return ['quotes around "${…}" where it stands inside { } or [ ]', '在 { } 或 [ ] 内的 "${…}" 外加引号'];
  if (error.code === 'BAD_ALIAS' || /(?:^|[\s{,])\*/.test(line))
    return ['quotes around a name that begins with *: "*-mini"', '以 * 开头的名称外加引号："*-mini"'];
  return undefined;
}

/** Reads YAML with the place of everything in it. Throws `ConfigError` with all that the parser found. */
export function readYaml(text: string, file: string): Tree {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, stringKeys: true, resolveKnownTags: false });
  const placeAt = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const faults = [...document.errors, ...document.warnings]
    .toSorted((a, b) => a.pos[0] - b.pos[0])
    .map((error) => syntaxProblem(error, placeAt(error.pos[0]), text));
  // What follows on the same line is most often the same mistake, seen again.
  const firstOfLine = faults.filter(({ place }, index) => faults.findIndex((one) => one.place?.line === place?.line) === index);
  if (firstOfLine.length > 0) throw new ConfigError(firstOfLine);
  return readNode(document.contents, { document, placeAt, left: { nodes: MAX_NODES } });
}

function syntaxProblem(error: YAMLError, place: Place, text: string): Problem {
  const line = text.split('\n')[place.line - 1] ?? '';
  if (error.code === 'DUPLICATE_KEY') return duplicateKey(/^\s*"?([^":]*)/.exec(text.slice(error.pos[0]))?.[1]?.trim() ?? '', place);
  const right = hintFor(error, line);
  return {
    severity: 'error',
    code: 'syntax',
    place,
    path: '',
    what: [`This is no valid YAML: ${error.message}`, `YAML 语法有误：${error.message}`],
    ...(right ? { right } : {}),
  };
}

interface Walk {
  readonly document: Document;
  readonly placeAt: (offset: number) => Place;
  readonly left: { nodes: number };
}

function readNode(node: Node | null, walk: Walk): Tree {
  const place = walk.placeAt((node?.range as Range | null | undefined)?.[0] ?? 0);
  if (walk.left.nodes-- <= 0) throw new ConfigError([tooLarge(place)]);
  if (isAlias(node)) {
    const target = node.resolve(walk.document);
    return target ? readNode(target, walk) : { kind: 'scalar', place, value: null };
  }
  if (isMap(node)) return { kind: 'map', place, entries: node.items.map((pair) => readPair(pair, walk)) };
  if (isSeq(node)) return { kind: 'list', place, items: node.items.map((item) => readNode(item as Node | null, walk)) };
  const value = isScalar(node) ? node.value : null;
  const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null;
  return { kind: 'scalar', place, value: isPlain ? value : String(value) };
}

function readPair(pair: YAMLMap['items'][number], walk: Walk): MapEntry {
  const key = pair.key as Node | null;
  const keyPlace = walk.placeAt((key?.range as Range | null | undefined)?.[0] ?? 0);
  const value = pair.value === null ? ({ kind: 'scalar', place: keyPlace, value: null } as const) : readNode(pair.value as Node, walk);
  return { key: isScalar(key) ? String(key.value) : '', keyPlace, value };
}

const tooLarge = (place: Place): Problem => ({
  severity: 'error',
  code: 'too_large',
  place,
  path: '',
  what: ['The configuration is too large once its anchors are filled in', '锚点展开后的配置过大'],
});
