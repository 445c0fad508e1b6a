import { nearestNames } from '../policy/nearest.ts';
import type { Filled } from './fill-in.ts';
import type { Words } from './language.ts';
import type { Place, Problem, Trouble } from './problem.ts';
import type { ListShape, MapShape, ObjectShape, Shape, TextShape, ValueOf } from './shape.ts';
import { type ListTree, type MapTree, memberPath, type ScalarTree, type Tree } from './tree.ts';
import { isSecretOrigin } from './secret-origin.ts';
import { durationMs, durationText, sizeBytes, sizeText } from './units.ts';

/** Where a value comes from. */
export interface Source {
  readonly kind: 'file' | 'default' | 'environment' | 'flag';
  /** In a file. */
  readonly place?: Place;
  /** Variables and files that it was filled in from, or the flag: `env OPENAI_API_KEY`. */
  readonly from: readonly string[];
}

/** What is gathered while a file is read. */
export interface Reading {
  readonly problems: Problem[];
  /** By path. Only of values that stand alone (no lists or maps). */
  readonly sources: Map<string, Source>;
  /** Place of each name, by the path of what it names. */
  readonly keyPlaces: Map<string, Place>;
  /** Paths whose values are never shown. */
  readonly secrets: Set<string>;
  readonly fill: (text: string) => Filled;
}

const INDEXED: Words = ['a list', '列表'];

/** What would be right, in words. */
function expectation(shape: Shape): Words {
  switch (shape.kind) {
    case 'text':
      return ['text', '文本'];
    case 'word':
      return [`one of: ${shape.words.join(', ')}`, `以下之一：${shape.words.join('、')}`];
    case 'number':
      if (shape.min === shape.max) return [`${shape.min}`, ` ${shape.min}`];
      return [`a whole number from ${shape.min} to ${shape.max}`, ` ${shape.min} 到 ${shape.max} 的整数`];
    case 'flag':
      return ['true or false', ' true 或 false'];
    case 'duration':
      return ['a duration with its unit: 500ms, 2s, 10m, 1h, 30d', '带单位的时长：500ms、2s、10m、1h、30d'];
    case 'size':
      return ['a size: 512KiB, 32MiB, 1GiB', '大小：512KiB、32MiB、1GiB'];
    case 'list':
      return INDEXED;
    case 'map':
    case 'object':
      return ['names with values', '名称与值的映射'];
    case 'either': {
      const each = shape.of.map(expectation);
      return [each.map(([en]) => en).join(', or '), each.map(([, zh]) => zh).join('，或')];
    }
  }
}

/** What would be right where a duration or a size was read, and is beyond a bound; `undefined`: it is within, or was none. */
function boundOf(shape: Shape, value: string | number | boolean | null): Words | undefined {
  if (shape.kind !== 'duration' && shape.kind !== 'size') return undefined;
  const measured = shape.kind === 'duration' ? durationMs(String(value)) : sizeBytes(String(value));
  // A duration without a unit lacks that first.
  if (measured === undefined) return undefined;
  const [least, most] = shape.kind === 'duration' ? [shape.minMs, shape.maxMs] : [shape.min, shape.max];
  const text = shape.kind === 'duration' ? durationText : sizeText;
  if (measured < least) return [`${text(least)} or more`, `不小于 ${text(least)} 的值`];
  return measured > most ? [`${text(most)} or less`, `不大于 ${text(most)} 的值`] : undefined;
}

/** What is there, in words. Text of a secret is not quoted. */
function description(tree: Tree, secret: boolean): Words {
  if (tree.kind === 'list') return INDEXED;
  if (tree.kind === 'map') return ['names with values', '名称与值的映射'];
  if (tree.value === null) return ['nothing', '空值'];
  if (typeof tree.value !== 'string') return secret ? ['a number', '数字'] : [String(tree.value), ` ${tree.value}`];
  if (secret) return ['text (not shown)', '文本（不显示）'];
  const short = tree.value.length > 60 ? `${tree.value.slice(0, 60)}…` : tree.value;
  return [`the text "${short}"`, `文本“${short}”`];
}

function report(reading: Reading, place: Place | undefined, path: string, trouble: Trouble): undefined {
  reading.problems.push({ ...trouble, path, ...(place ? { place } : {}) });
  return undefined;
}

function mismatch(shape: Shape, tree: Tree, path: string, reading: Reading, right: Words = expectation(shape)): undefined {
  const secret = (shape.kind === 'text' && shape.secret === true) || (reading.sources.get(path)?.from.some(isSecretOrigin) ?? false);
  const near = shape.kind === 'word' && tree.kind === 'scalar' ? nearestNames(String(tree.value), shape.words, 1)[0] : undefined;
  return report(reading, tree.place, path, {
    severity: 'error',
    code: 'wrong_value',
    what: ['Wrong value', '值不正确'],
    found: description(tree, secret),
    right: shape.kind === 'word' && near !== undefined ? expectation({ ...shape, words: fewWords(shape.words) }) : right,
    ...(near === undefined ? {} : { didYouMean: near }),
  });
}

/** Where one word is suggested, a long list is only in the way. */
const fewWords = (words: readonly string[]): readonly string[] => (words.length > 12 ? [...words.slice(0, 6), '…'] : words);

interface Scalar {
  readonly value: string | number | boolean;
  /** Parts were filled in: then text also stands for numbers and the like. */
  readonly isFilled: boolean;
}

/** The value of a scalar, its `${…}` filled in; `undefined` when that failed, which is told. */
function scalarOf(tree: ScalarTree, path: string, reading: Reading): Scalar | undefined {
  const { value, place } = tree;
  if (value === null) return undefined;
  const filled = typeof value === 'string' && value.includes('${') ? reading.fill(value) : undefined;
  reading.sources.set(path, { kind: 'file', place, from: filled?.from ?? [] });
  for (const trouble of filled?.troubles ?? []) report(reading, place, path, trouble);
  if (filled && filled.troubles.length > 0) return undefined;
  return { value: filled?.text ?? value, isFilled: filled !== undefined && filled.from.length > 0 };
}

const LITERAL_SECRET: Pick<Trouble, 'severity' | 'code' | 'what' | 'right'> = {
  severity: 'warning',
  code: 'literal_secret',
  what: ['This secret can be read by everyone who reads the file', '密钥以明文写在文件中'],
  right: ['"${env:NAME}" or "${file:/path}"', ' "${env:NAME}" 或 "${file:/路径}"'],
};

function readText(shape: TextShape, tree: ScalarTree, path: string, reading: Reading): string | undefined {
  if (shape.secret) reading.secrets.add(path);
  const scalar = scalarOf(tree, path, reading);
  if (!scalar) return undefined;
  if (typeof scalar.value !== 'string') {
    return mismatch(shape, tree, path, reading, ['text: put quotes around it', '文本：请加引号']);
  }
  if (shape.secret && !scalar.isFilled && scalar.value !== '') report(reading, tree.place, path, LITERAL_SECRET);
  const right = shape.check?.(scalar.value);
  if (!right) return scalar.value;
  return mismatch(shape, scalar.isFilled ? { ...tree, value: scalar.value } : tree, path, reading, right);
}

/** A number out of text that was filled in, or as it stands. */
function readMeasured(
  shape: Shape,
  tree: ScalarTree,
  path: string,
  reading: Reading,
  right?: Words,
): number | boolean | string | undefined {
  const scalar = scalarOf(tree, path, reading);
  if (!scalar) return undefined;
  const value = measure(shape, scalar);
  if (value !== undefined) return value;
  return mismatch(shape, { ...tree, value: scalar.value }, path, reading, right ?? boundOf(shape, scalar.value));
}

function measure(shape: Shape, { value, isFilled }: Scalar): number | boolean | string | undefined {
  switch (shape.kind) {
    case 'word':
      return typeof value === 'string' && shape.words.includes(value) ? value : undefined;
    case 'flag':
      if (isFilled && (value === 'true' || value === 'false')) return value === 'true';
      return typeof value === 'boolean' ? value : undefined;
    case 'number': {
      const number = isFilled && /^\d+$/.test(String(value)) ? Number(value) : value;
      return typeof number === 'number' && Number.isInteger(number) ? within(number, shape.min, shape.max) : undefined;
    }
    case 'duration':
      return within(typeof value === 'string' ? durationMs(value) : undefined, shape.minMs, shape.maxMs);
    case 'size':
      return within(typeof value === 'boolean' ? undefined : sizeBytes(String(value)), shape.min, shape.max);
    default:
      return undefined;
  }
}

const within = (value: number | undefined, min: number, max: number): number | undefined =>
  value !== undefined && value >= min && value <= max ? value : undefined;

const isAbsent = (tree: Tree | undefined): boolean => tree === undefined || (tree.kind === 'scalar' && tree.value === null);

function unknownKey(key: string, path: string, place: Place, known: readonly string[], reading: Reading): void {
  const near = nearestNames(key, known, 1)[0];
  report(reading, place, path, {
    severity: 'error',
    code: 'unknown_key',
    what: [`Unknown key '${key}'`, `未知的键“${key}”`],
    right: [known.join(', '), `：${known.join('、')}`],
    ...(near === undefined ? {} : { didYouMean: near }),
  });
}

function readObject(shape: ObjectShape, tree: MapTree | undefined, path: string, reading: Reading): Readonly<Record<string, unknown>> {
  const known = Object.keys(shape.fields);
  const members = new Map<string, Tree>();
  for (const { key, keyPlace, value } of tree?.entries ?? []) {
    reading.keyPlaces.set(memberPath(path, key), keyPlace);
    if (Object.hasOwn(shape.fields, key)) members.set(key, value);
    else unknownKey(key, memberPath(path, key), keyPlace, known, reading);
  }
  const out: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(shape.fields)) {
    const member = members.get(key);
    const value = isAbsent(member)
      ? absentValue(field, memberPath(path, key), reading)
      : readValue(field, member as Tree, memberPath(path, key), reading);
    if (value !== undefined) out[key] = value;
    else if (!isAbsent(member)) putDefault(out, key, field, path, reading);
    else if (shape.required?.includes(key)) missing(key, field, path, tree?.place, reading);
  }
  return out;
}

/** What is wrong is told; what stands there is the default, so that the rest can be checked all the same. */
function putDefault(out: Record<string, unknown>, key: string, field: Shape, path: string, reading: Reading): void {
  const member = memberPath(path, key);
  const source = reading.sources.get(member);
  const fallback = absentValue(field, member, reading);
  if (source) reading.sources.set(member, source);
  if (fallback !== undefined) out[key] = fallback;
}

function missing(key: string, field: Shape, path: string, place: Place | undefined, reading: Reading): void {
  const what: Words = [`'${key}' is missing`, `缺少“${key}”`];
  report(reading, place, memberPath(path, key), { severity: 'error', code: 'missing', what, right: expectation(field) });
}

/** What a setting is when the file is silent about it. */
function absentValue(shape: Shape, path: string, reading: Reading): unknown {
  if (shape.kind === 'object' && shape.filled) return readObject(shape, undefined, path, reading);
  if (shape.default === undefined) return undefined;
  reading.sources.set(path, { kind: 'default', from: [] });
  const { kind } = shape;
  if (kind === 'duration' || kind === 'size') return measure(shape, { value: String(shape.default), isFilled: true });
  return shape.default;
}

function readMap(shape: MapShape, tree: MapTree, path: string, reading: Reading): Readonly<Record<string, unknown>> {
  // No prototype: a name such as `__proto__` is a name like any other.
  const out = Object.create(null) as Record<string, unknown>;
  for (const { key, keyPlace, value } of tree.entries) {
    const member = memberPath(path, key);
    reading.keyPlaces.set(member, keyPlace);
    if (shape.keys && !shape.keys.includes(key)) {
      unknownKey(key, member, keyPlace, shape.keys, reading);
      continue;
    }
    if (isAbsent(value)) {
      report(reading, keyPlace, member, {
        severity: 'error',
        code: 'missing',
        what: [`'${key}' has no value`, `“${key}”没有值`],
        right: expectation(shape.of),
      });
      continue;
    }
    const isSecret = shape.of.kind === 'text' && shape.secretNames?.test(key) === true;
    const read = readValue(isSecret ? { ...(shape.of as TextShape), secret: true } : shape.of, value, member, reading);
    if (read !== undefined) out[key] = read;
  }
  return out;
}

function readList(shape: ListShape, tree: ListTree, path: string, reading: Reading): readonly unknown[] {
  return tree.items.flatMap((item, index) => {
    const value = readValue(shape.of, item, `${path}[${index}]`, reading);
    return value === undefined ? [] : [value];
  });
}

const accepts = (shape: Shape, tree: Tree): boolean => {
  if (shape.kind === 'list') return tree.kind === 'list';
  if (shape.kind === 'map' || shape.kind === 'object') return tree.kind === 'map';
  if (tree.kind !== 'scalar') return false;
  if (shape.kind === 'number') return typeof tree.value === 'number' || /\$\{/.test(String(tree.value));
  if (shape.kind === 'flag') return typeof tree.value === 'boolean' || /\$\{/.test(String(tree.value));
  return true;
};

function readValue(shape: Shape, tree: Tree, path: string, reading: Reading): unknown {
  if (shape.kind === 'either') {
    const fitting = shape.of.find((one) => accepts(one, tree));
    if (!fitting) return mismatch(shape, tree, path, reading);
    // A wrong word may have been meant for any of them.
    if (fitting.kind === 'word') return readMeasured(fitting, tree as ScalarTree, path, reading, expectation(shape));
    return readValue(fitting, tree, path, reading);
  }
  if (tree.kind === 'scalar') {
    if (shape.kind === 'text') return readText(shape, tree, path, reading);
    if (shape.kind !== 'object' && shape.kind !== 'map' && shape.kind !== 'list') return readMeasured(shape, tree, path, reading);
  } else if (tree.kind === 'map') {
    if (shape.kind === 'object') return readObject(shape, tree, path, reading);
    if (shape.kind === 'map') return readMap(shape, tree, path, reading);
  } else if (shape.kind === 'list') return readList(shape, tree, path, reading);
  return mismatch(shape, tree, path, reading);
}

/** Reads a tree by a shape. What is wrong goes to `reading.problems` and is left out, so that all of it is told at once. */
export function readShape<const S extends Shape>(shape: S, tree: Tree, path: string, reading: Reading): ValueOf<S> | undefined {
  return readValue(shape, tree, path, reading) as ValueOf<S> | undefined;
}
