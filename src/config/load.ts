import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { checkEffects } from './check-effects.ts';
import { checkModels } from './check-models.ts';
import { checkPrices } from './check-prices.ts';
import { checkRoutes } from './check-routes.ts';
import { checkProviders, type Report } from './check-providers.ts';
import type { Config, KeySettings } from './config.ts';
import { findInEnvironment, type Found, mayDiscover } from './discover.ts';
import { type FileConfig, fileShape } from './file-shape.ts';
import { fillIn } from './fill-in.ts';
import { fingerprintOf } from './fingerprint.ts';
import { findFile, type Places } from './find-file.ts';
import type { Words } from './language.ts';
import { ConfigError, type Problem } from './problem.ts';
import { type Reading, readShape, type Source } from './read-shape.ts';
import { isLoopback, resolveConfig } from './resolve.ts';
import { resolveProviders } from './resolve-providers.ts';
import { memberPath, type MapTree, type Tree } from './tree.ts';

/** What wins over the file. */
export interface Overrides {
  readonly host?: string;
  readonly port?: number;
}

/** Where to look, and what wins over the file. */
export interface LoadOptions extends Places {
  readonly overrides?: Overrides;
}

/** A configuration that can be used, and how it came to be. */
export interface Loaded {
  readonly config: Config;
  /** The file, absolute; absent: zero configuration. */
  readonly file?: string;
  /** That file and those that it takes values from. */
  readonly files: readonly string[];
  /** Of what those held when they were read. */
  readonly fingerprint: string;
  readonly warnings: readonly Problem[];
  /** Providers from the environment, that nobody configured. */
  readonly found: readonly Found[];
  /** Local servers may be looked for as well. */
  readonly discovers: boolean;
  /** What the file says, with defaults, overrides and what was found. */
  readonly values: FileConfig;
  /** Where single values come from, by path. */
  readonly sources: ReadonlyMap<string, Source>;
  /** Paths whose values must not be shown. */
  readonly secrets: ReadonlySet<string>;
}

const MAX_FILE = 4 * 1024 * 1024;

function readText(file: string, shown: string, reading: FileReading): string {
  try {
    const bytes = readBytes(file, reading);
    if (bytes.length > MAX_FILE) throw new Error('too large');
    return bytes.toString('utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const what: Words = [`The file cannot be read: ${why}`, `无法读取文件：${why}`];
    throw new ConfigError([{ severity: 'error', code: 'file_unreadable', place: { file: shown, line: 1, column: 1 }, path: '', what }]);
  }
}

/** Parses a file by its name. The YAML parser is loaded only where there is YAML. */
async function parseFile(file: string, shown: string, reading: FileReading): Promise<Tree> {
  const text = readText(file, shown, reading);
  if (file.endsWith('.json')) return (await import('./read-json.ts')).readJson(text, shown);
  return (await import('./read-yaml.ts')).readYaml(text, shown);
}

/** How a file is called in messages: short where it is below the current folder. */
function shownName(file: string, cwd: string): string {
  const below = relative(cwd, file);
  return below.startsWith('..') || isAbsolute(below) ? file : below;
}

interface FileReading extends Reading {
  readonly files: string[];
  /** What each of them held. */
  readonly contents: Buffer[];
  /** Values that came from where secrets are. */
  readonly hidden: Set<string>;
}

function readBytes(path: string, { files, contents }: Pick<FileReading, 'files' | 'contents'>): Buffer {
  const bytes = readFileSync(path);
  files.push(path);
  contents.push(bytes);
  return bytes;
}

function startReading(options: LoadOptions, file: string | undefined): FileReading {
  const read = { files: [], contents: [] };
  const folder = file === undefined ? options.cwd : dirname(file);
  const readFile = (name: string): string | undefined => {
    const path = name.startsWith('~/') ? join(options.home, name.slice(2)) : resolve(folder, name);
    try {
      const bytes = readBytes(path, read);
      return bytes.length > MAX_FILE ? undefined : bytes.toString('utf8');
    } catch {
      return undefined;
    }
  };
  const hidden = new Set<string>();
  const fill: Reading['fill'] = (text) => {
    const filled = fillIn(text, { env: options.env, readFile });
    for (const value of filled.hidden) hidden.add(value);
    return filled;
  };
  return {
    problems: [],
    sources: new Map(),
    keyPlaces: new Map(),
    secrets: new Set(),
    hidden,
    ...read,
    fill,
  };
}

const emptyTree = (shown: string): MapTree => ({ kind: 'map', place: { file: shown, line: 1, column: 1 }, entries: [] });

const NO_VERSION: Pick<Problem, 'severity' | 'code' | 'path' | 'what' | 'right'> = {
  severity: 'warning',
  code: 'no_version',
  path: 'version',
  what: ["'version' is missing", '缺少“version”'],
  right: ['version: 1', ' version: 1'],
};

/** What the file says, with its defaults; mistakes go to `reading`. */
async function readFileConfig(file: string | undefined, reading: FileReading, cwd: string): Promise<FileConfig> {
  const shown = file === undefined ? '' : shownName(file, cwd);
  const parsed = file === undefined ? undefined : await parseFile(file, shown, reading);
  const isEmpty = parsed === undefined || (parsed.kind === 'scalar' && parsed.value === null);
  const tree = isEmpty ? emptyTree(shown) : parsed;
  const values = readShape(fileShape, tree, '', reading);
  if (!values) throw new ConfigError(withoutHidden(reading.problems, reading));
  if (!isEmpty && tree.kind === 'map' && values.version === undefined && !tree.entries.some(({ key }) => key === 'version')) {
    reading.problems.push({ ...NO_VERSION, place: tree.place });
  }
  return values;
}

/** Flags win over the file. */
function applyOverrides(values: FileConfig, overrides: Overrides, reading: Reading): FileConfig {
  for (const [name, value] of Object.entries(overrides)) {
    if (value !== undefined) reading.sources.set(`server.${name}`, { kind: 'flag', from: [`--${name}`] });
  }
  const { host = values.server.host, port = values.server.port } = overrides;
  return { ...values, server: { ...values.server, host, port } };
}

function addFound(values: FileConfig, found: readonly Found[], reading: Reading): FileConfig {
  if (found.length === 0) return values;
  for (const { name, settings, from } of found) {
    const path = memberPath('providers', name);
    const source: Source = { kind: 'environment', from: from.map((variable) => `env ${variable}`) };
    for (const key of Object.keys(settings)) reading.sources.set(memberPath(path, key), source);
    for (const key of Object.keys(settings.settings ?? {})) reading.sources.set(memberPath(`${path}.settings`, key), source);
    reading.secrets.add(`${path}.key`);
  }
  const providers = Object.fromEntries(found.map(({ name, settings }) => [name, settings]));
  return { ...values, providers: providers as unknown as FileConfig['providers'] & {} };
}

function checkKeys(keys: readonly KeySettings[], report: Report): void {
  const names = new Map<string, number>();
  const values = new Map<string, number>();
  for (const [index, { name, value }] of keys.entries()) {
    const sameName = names.get(name);
    const sameValue = values.get(value);
    const right: Words = ['one of its own', '各不相同'];
    if (sameName !== undefined) {
      const what: Words = [`Key ${sameName + 1} has the name '${name}' already`, `第 ${sameName + 1} 个密钥已使用名称“${name}”`];
      report(`keys[${index}].name`, { severity: 'error', code: 'duplicate_name', what, right });
    }
    if (sameValue !== undefined) {
      const what: Words = [`Key ${sameValue + 1} has the same value`, `与第 ${sameValue + 1} 个密钥的值相同`];
      report(`keys[${index}].value`, { severity: 'error', code: 'duplicate_key_value', what, right });
    }
    if (value.length < SHORT_KEY) report(`keys[${index}].value`, SHORT);
    names.set(name, index);
    values.set(value, index);
  }
}

/** Shorter keys can be guessed. */
const SHORT_KEY = 16;
const SHORT: Pick<Problem, 'severity' | 'code' | 'what' | 'right'> = {
  severity: 'warning',
  code: 'short_key',
  what: ['This key is short enough to be guessed', '该密钥过短，容易被猜到'],
  right: [`${SHORT_KEY} characters or more, random`, ` ${SHORT_KEY} 个以上的随机字符`],
};

/** What no shape can say: that providers can be made, that names lead somewhere. Of what has mistakes already nothing more is said. */
function checkMeaning(values: FileConfig, reading: Reading, discovers: boolean): void {
  const wrong = reading.problems.filter((one) => one.severity === 'error').map((one) => one.path);
  const isWrong = (path: string): boolean => wrong.some((one) => one === path || one.startsWith(`${path}.`) || one.startsWith(`${path}[`));
  const report: Report = (path, trouble, onKey = false) => {
    const place = onKey ? undefined : placeOfValue(path, reading);
    const found = place ?? reading.keyPlaces.get(path) ?? reading.keyPlaces.get(path.slice(0, path.lastIndexOf('.')));
    reading.problems.push({ ...trouble, path, ...(found ? { place: found } : {}) });
  };
  const providers = resolveProviders(values.providers);
  checkPrices(values.providers ?? {}, report);
  if (!isWrong('keys')) checkKeys(values.keys ?? [], report);
  checkProviders(Object.fromEntries(Object.entries(providers).filter(([name]) => !isWrong(memberPath('providers', name)))), report);
  const sandbox = values.sandbox === 'auto' ? isLoopback(values.server.host) : values.sandbox;
  const { keys = [], defaultModel, routeTests } = values;
  const naming = { keys, ...(defaultModel === undefined ? {} : { defaultModel }), ...(routeTests ? { routeTests } : {}) };
  const tables = keys.map(({ routes = {} }, index) => [`keys[${index}].routes`, routes] as const);
  checkRoutes([['models', values.models ?? {}], ...tables], providers, isWrong, report);
  checkModels(values.models ?? {}, naming, { providers, sandbox, discovers }, isWrong, report);
  checkEffects({ models: values.models ?? {}, providers, discovers, tries: values.limits.retries.tries, ...naming }, isWrong, report);
}

const placeOfValue = (path: string, reading: Reading): Problem['place'] => reading.sources.get(path)?.place;

/** Below are no secrets, and words that messages are made of. */
const MIN_HIDDEN = 8;

/** Problems without values that came from where secrets are: a name of a model may quote one. */
function withoutHidden(problems: readonly Problem[], { hidden }: FileReading): readonly Problem[] {
  const values = [...hidden].filter((value) => value.length >= MIN_HIDDEN);
  if (values.length === 0) return problems;
  const clean = (text: string): string => values.reduce((rest, value) => rest.replaceAll(value, '****'), text);
  const cleanWords = ([en, zh]: Words): Words => [clean(en), clean(zh)];
  return problems.map(({ what, found, right, didYouMean, ...rest }) => ({
    ...rest,
    what: cleanWords(what),
    ...(found ? { found: cleanWords(found) } : {}),
    ...(right ? { right: cleanWords(right) } : {}),
    ...(didYouMean === undefined ? {} : { didYouMean: clean(didYouMean) }),
  }));
}

const hasErrors = (problems: readonly Problem[]): boolean => problems.some((one) => one.severity === 'error');

const inFileOrder = (problems: readonly Problem[]): readonly Problem[] =>
  problems.toSorted((a, b) => (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0));

/** Finds, reads, checks and resolves the configuration. Throws `ConfigError` with everything that is wrong with it. */
export async function loadConfig(options: LoadOptions): Promise<Loaded> {
  const file = findFile(options);
  const reading = startReading(options, file);
  const written = applyOverrides(await readFileConfig(file, reading, options.cwd), options.overrides ?? {}, reading);
  const discovers = mayDiscover(resolveConfig(written));
  const found = discovers ? findInEnvironment(options.env) : [];
  const values = addFound(written, found, reading);
  checkMeaning(values, reading, discovers);
  const problems = withoutHidden(inFileOrder(reading.problems), reading);
  if (hasErrors(problems)) throw new ConfigError(problems);
  const { files, contents, sources, secrets } = reading;
  return {
    config: resolveConfig(values),
    ...(file === undefined ? {} : { file }),
    files,
    fingerprint: fingerprintOf(contents),
    warnings: problems,
    found,
    discovers,
    values,
    sources,
    secrets,
  };
}
