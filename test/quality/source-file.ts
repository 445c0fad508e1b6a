import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseAst } from 'vitest/node';

/** An import, re-export or `import()` of a file. */
export interface ImportOf {
  /** As written: `../ir/index.ts`, `node:fs`, `undici`. */
  readonly from: string;
  /** The file that it leads to, from the root of the checkout; absent: a package. */
  readonly file?: string;
  /** Gone once types are stripped. */
  readonly isType: boolean;
  readonly line: number;
}

/** A name that other files can import. */
export interface ExportedName {
  readonly name: string;
  readonly line: number;
  readonly isDocumented: boolean;
  /** The function that its value is made by: `definePreset`. */
  readonly madeBy?: string;
}

/** A word of the code: an identifier, a property, a piece of a string. */
export interface CodeWord {
  readonly kind: 'name' | 'text';
  readonly text: string;
  readonly line: number;
}

/** A getter, generator or class that a function makes when it runs. */
export interface MadeWithin {
  readonly kind: 'getter' | 'generator' | 'class';
  readonly name: string;
  readonly line: number;
}

/** A collection that may grow, and outlive the function that works with it. */
export interface HeldCollection {
  readonly name: string;
  readonly line: number;
}

/** What the rules look at in a file. Comments are no part of it. */
export interface SourceFile {
  /** From the root of the checkout, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly ImportOf[];
  readonly exports: readonly ExportedName[];
  readonly words: readonly CodeWord[];
  readonly functions: readonly { readonly name: string; readonly line: number; readonly lines: number }[];
  /** What has a hidden class of its own, and stands in a function: each run of that makes one more. */
  readonly madeWithin: readonly MadeWithin[];
  readonly held: readonly HeldCollection[];
  /** Lines with `await`, `async` functions and `for await`. */
  readonly waits: readonly number[];
  /** `===`, `!==` and `case` against a text: what is compared, as written, and with what. */
  readonly comparisons: readonly { readonly of: string; readonly with: string; readonly line: number }[];
}

interface AstNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const isNode = (value: unknown): value is AstNode =>
  typeof value === 'object' && value !== null && typeof (value as AstNode).type === 'string';

function* childrenOf(node: AstNode): Iterable<AstNode> {
  for (const value of Object.values(node)) {
    if (isNode(value)) yield value;
    else if (Array.isArray(value)) for (const one of value as readonly unknown[]) if (isNode(one)) yield one;
  }
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** All nodes below one, itself included, each with its parent and whether it stands in a function. */
function* walk(node: AstNode, parent?: AstNode, isWithin = false): Iterable<readonly [AstNode, AstNode | undefined, boolean]> {
  yield [node, parent, isWithin];
  for (const child of childrenOf(node)) yield* walk(child, node, isWithin || FUNCTIONS.has(node.type));
}

type LineOf = (offset: number) => number;

function lineCounter(text: string): LineOf {
  const starts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
  return (offset) => starts.findLastIndex((start) => start <= offset) + 1;
}

/** Whether every name of an import or export statement is a type. */
function isTypeOnly(node: AstNode): boolean {
  if (node['importKind'] === 'type' || node['exportKind'] === 'type') return true;
  const specifiers = (node['specifiers'] ?? []) as readonly AstNode[];
  return specifiers.length > 0 && specifiers.every((one) => one['importKind'] === 'type' || one['exportKind'] === 'type');
}

function importOf(node: AstNode, path: string, lineOf: LineOf): ImportOf | undefined {
  const isStatement = node.type === 'ImportDeclaration' || node.type === 'ExportNamedDeclaration' || node.type === 'ExportAllDeclaration';
  if (!isStatement && node.type !== 'ImportExpression' && node.type !== 'TSImportType') return undefined;
  const source = node['source'] ?? node['argument'];
  const from = isNode(source) ? source['value'] : undefined;
  if (typeof from !== 'string') return undefined;
  const file = from.startsWith('.') ? posix.normalize(posix.join(posix.dirname(path), from)) : undefined;
  const isType = node.type === 'TSImportType' || (isStatement && isTypeOnly(node));
  return { from, ...(file === undefined ? {} : { file }), isType, line: lineOf(node.start) };
}

/** Names that a declaration brings: one, or one for each variable. */
function declared(declaration: AstNode): readonly AstNode[] {
  if (declaration.type !== 'VariableDeclaration') return [declaration];
  return (declaration['declarations'] as readonly AstNode[]) ?? [];
}

/** Whether a comment stands right before, or before the run of lines without a gap that this ends: a table shares one. */
function hasComment(before: string): boolean {
  if (before.trimEnd().endsWith('*/')) return true;
  const run = before.slice(before.lastIndexOf('\n\n') + 1).trimStart();
  return run.startsWith('/**');
}

function exportsOf(node: AstNode, text: string, lineOf: LineOf): readonly ExportedName[] {
  const declaration = node['declaration'];
  if (node.type !== 'ExportNamedDeclaration' || !isNode(declaration)) return [];
  const isDocumented = hasComment(text.slice(0, node.start));
  return declared(declaration).map((one) => {
    const id = one['id'];
    const call = one['init'];
    const callee = isNode(call) && call.type === 'CallExpression' ? call['callee'] : undefined;
    const madeBy = isNode(callee) && callee.type === 'Identifier' ? String(callee['name']) : undefined;
    const name = isNode(id) && typeof id['name'] === 'string' ? id['name'] : '?';
    return { name, line: lineOf(node.start), isDocumented, ...(madeBy === undefined ? {} : { madeBy }) };
  });
}

function wordOf(node: AstNode, lineOf: LineOf): CodeWord | undefined {
  const line = lineOf(node.start);
  if (node.type === 'Identifier' && typeof node['name'] === 'string') return { kind: 'name', text: node['name'], line };
  if (node.type === 'Literal' && typeof node['value'] === 'string') return { kind: 'text', text: node['value'], line };
  if (node.type === 'Literal' && isRegExp(node['regex'])) return { kind: 'text', text: node['regex'].pattern, line };
  if (node.type !== 'TemplateElement') return undefined;
  const { cooked, raw } = node['value'] as { readonly cooked?: string; readonly raw: string };
  return { kind: 'text', text: cooked ?? raw, line };
}

const isRegExp = (value: unknown): value is { readonly pattern: string } =>
  typeof value === 'object' && value !== null && typeof (value as { pattern?: unknown }).pattern === 'string';

/** What a function or the like is called, from itself or from what it is given to. */
function nameOf(node: AstNode, parent: AstNode | undefined): string {
  for (const named of [node['id'], node['key'], parent?.['key'], parent?.['id']]) {
    if (isNode(named) && typeof named['name'] === 'string') return named['name'];
  }
  return '(without a name)';
}

/** What of its own kind a node makes: a getter of an object (those of a class are made with that), a generator, a class. */
function kindMade(node: AstNode): MadeWithin['kind'] | undefined {
  if (node.type === 'Property' && (node['kind'] === 'get' || node['kind'] === 'set')) return 'getter';
  if (FUNCTIONS.has(node.type) && node['generator'] === true) return 'generator';
  return node.type === 'ClassDeclaration' || node.type === 'ClassExpression' ? 'class' : undefined;
}

const isWait = (node: AstNode): boolean =>
  node.type === 'AwaitExpression' || node['await'] === true || (FUNCTIONS.has(node.type) && node['async'] === true);

const literalText = (node: unknown): string | undefined =>
  isNode(node) && node.type === 'Literal' && typeof node['value'] === 'string' ? node['value'] : undefined;

const textOf = (node: unknown, text: string): string => (isNode(node) ? text.slice(node.start, node.end) : '');

/** What a node compares with texts. */
function comparisonsOf(node: AstNode, text: string): readonly { readonly of: string; readonly with: string }[] {
  if (node.type === 'BinaryExpression' && /^[!=]==?$/.test(String(node['operator']))) {
    const { left, right } = node;
    const found = literalText(right) ?? literalText(left);
    return found === undefined ? [] : [{ of: textOf(literalText(right) === undefined ? right : left, text), with: found }];
  }
  if (node.type !== 'SwitchStatement') return [];
  const cases = (node['cases'] as readonly AstNode[]).flatMap((one) => literalText(one['test']) ?? []);
  return cases.map((one) => ({ of: textOf(node['discriminant'], text), with: one }));
}

/** The parts of a statement that are no words of the code: where it imports from. */
const isImportSource = (node: AstNode, parent: AstNode | undefined): boolean => parent !== undefined && parent['source'] === node;

const COLLECTIONS = new Set(['Map', 'Set', 'WeakMap', 'WeakSet', 'LRUCache']);
const GROWING = new Set(['set', 'add', 'push', 'unshift', 'splice']);
/** What these hold is of one request, stream, file or command, but for what stands in their modules. */
const OF_ONE_CALL = /^src\/(?:protocols|ir|media|config|cli)\//;
/** What makes something that is kept. */
const FACTORY = /^(?:create|new|open)[A-Z]/;

/** Whether a value is an empty collection: one that is made with its members is a table. */
function emptyCollection(value: unknown): 'list' | 'other' | undefined {
  if (!isNode(value)) return undefined;
  if (value.type === 'TSAsExpression' || value.type === 'TSSatisfiesExpression') return emptyCollection(value['expression']);
  if (value.type === 'ArrayExpression') return (value['elements'] as readonly unknown[]).length === 0 ? 'list' : undefined;
  const { callee } = value;
  const made = value.type === 'NewExpression' && isNode(callee) ? String(callee['name']) : '';
  const isEmpty = made === 'LRUCache' || (value['arguments'] as readonly unknown[] | undefined)?.length === 0;
  return COLLECTIONS.has(made) && isEmpty ? 'other' : undefined;
}

/** A name that something is given, with the value. */
function given(node: AstNode): readonly [name: string, value: unknown] | undefined {
  const wordOfKey = (key: unknown): string => {
    if (!isNode(key)) return '?';
    return key.type === 'MemberExpression'
      ? wordOfKey(key['property'])
      : `${key.type === 'PrivateIdentifier' ? '#' : ''}${String(key['name'])}`;
  };
  if (node.type === 'VariableDeclarator') {
    const { init } = node;
    return [wordOfKey(node['id']), isNode(init) && FUNCTIONS.has(init.type) ? init['body'] : init];
  }
  if (node.type === 'Property' || node.type === 'PropertyDefinition') return [wordOfKey(node['key']), node['value']];
  return node.type === 'AssignmentExpression' ? [wordOfKey(node['left']), node['right']] : undefined;
}

/** Names that are made longer in a function within the one that they stand in, or anywhere where they stand in the module. */
function grownWithin(root: AstNode): (name: string, owner: AstNode | undefined) => boolean {
  const grown: { readonly name: string; readonly within: readonly AstNode[] }[] = [];
  const look = (node: AstNode, within: readonly AstNode[]): void => {
    const { object, property } = node;
    if (node.type === 'MemberExpression' && isNode(object) && isNode(property) && GROWING.has(String(property['name'])))
      grown.push({ name: String(object['name']), within });
    const inner = FUNCTIONS.has(node.type) ? [...within, node] : within;
    for (const child of childrenOf(node)) look(child, inner);
  };
  look(root, []);
  return (name, owner) => grown.some((one) => one.name === name && (!owner || (one.within.includes(owner) && one.within.at(-1) !== owner)));
}

/** Collections of a file that may outlive a call. */
function heldIn(root: AstNode, path: string, lineOf: LineOf): readonly HeldCollection[] {
  const held: HeldCollection[] = [];
  const grows = grownWithin(root);
  const isKept = (node: AstNode, name: string, kind: 'list' | 'other', owners: readonly (readonly [AstNode, string])[]): boolean => {
    const [owner, factory] = owners.at(-1) ?? [];
    if (node.type === 'VariableDeclarator' && kind === 'list') return grows(name, owner) && (!owner || !OF_ONE_CALL.test(path));
    if (!owner && node.type === 'VariableDeclarator') return true;
    if (OF_ONE_CALL.test(path)) return false;
    if (node.type === 'PropertyDefinition' || kind === 'other') return true;
    return node.type === 'Property' && FACTORY.test(factory ?? '');
  };
  const look = (node: AstNode, parent: AstNode | undefined, owners: readonly (readonly [AstNode, string])[]): void => {
    const [name, value] = given(node) ?? [];
    const kind = emptyCollection(value);
    if (name !== undefined && kind && isKept(node, name, kind, owners)) held.push({ name, line: lineOf(node.start) });
    const inner = FUNCTIONS.has(node.type) ? [...owners, [node, nameOf(node, parent)] as const] : owners;
    for (const child of childrenOf(node)) look(child, node, inner);
  };
  look(root, undefined, []);
  return held;
}

/** Reads one TypeScript file. */
export function readSource(path: string, text: string): SourceFile {
  const lineOf = lineCounter(text);
  const imports: ImportOf[] = [];
  const exported: ExportedName[] = [];
  const words: CodeWord[] = [];
  const functions: { name: string; line: number; lines: number }[] = [];
  const madeWithin: MadeWithin[] = [];
  const waits: number[] = [];
  const comparisons: { of: string; with: string; line: number }[] = [];
  const root = parseAst(text, { lang: 'ts' }) as unknown as AstNode;
  for (const [node, parent, isWithin] of walk(root)) {
    const found = importOf(node, path, lineOf);
    if (found) imports.push(found);
    exported.push(...exportsOf(node, text, lineOf));
    const word = isImportSource(node, parent) ? undefined : wordOf(node, lineOf);
    if (word) words.push(word);
    const line = lineOf(node.start);
    if (FUNCTIONS.has(node.type)) functions.push({ name: nameOf(node, parent), line, lines: lineOf(node.end) - line + 1 });
    const kind = isWithin ? kindMade(node) : undefined;
    if (kind) madeWithin.push({ kind, name: nameOf(node, parent), line });
    if (isWait(node)) waits.push(line);
    comparisons.push(...comparisonsOf(node, text).map((one) => ({ ...one, line })));
  }
  return { path, text, imports, exports: exported, words, functions, madeWithin, held: heldIn(root, path, lineOf), waits, comparisons };
}

/** The root of the checkout. */
export const ROOT = join(import.meta.dirname, '..', '..');

/** Files below some folders of the checkout, by the end of their names. */
export function filesBelow(folders: readonly string[], endings: readonly string[]): readonly string[] {
  return folders
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => posix.join(folder, name)))
    .filter((path) => endings.some((ending) => path.endsWith(ending)) && !path.includes('node_modules/'))
    .toSorted();
}

/** All TypeScript of some folders. */
export const readSources = (folders: readonly string[]): readonly SourceFile[] =>
  filesBelow(folders, ['.ts']).map((path) => readSource(path, readFileSync(join(ROOT, path), 'utf8')));

/** A test file, or something that only tests use. */
export const isTest = (path: string): boolean => path.endsWith('.test.ts') || !path.startsWith('src/');
