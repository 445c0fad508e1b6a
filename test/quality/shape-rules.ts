import type { SourceFile } from './source-file.ts';

/** Presets are values with a label and their vendors' pages: they describe themselves. */
const describesItself = (path: string, madeBy: string | undefined): boolean => path.startsWith('src/presets/') && madeBy !== undefined;

/** `createCollector` makes a `Collector`: described there, it is described. */
const makesDescribed = (name: string, exports: SourceFile['exports']): boolean =>
  name.startsWith('create') && exports.some((one) => one.isDocumented && one.name === name.slice('create'.length));

/** Exports that nobody described. A comment holds for a run of lines without a gap: a table of readers needs one. */
export const undocumentedExports = (files: readonly SourceFile[]): readonly string[] =>
  files.flatMap(({ path, exports }) =>
    exports
      .filter((one) => !one.isDocumented && !describesItself(path, one.madeBy) && !makesDescribed(one.name, exports))
      .map(({ name, line }) => `${path}:${line}: '${name}' is exported without a /** comment */ that says what it is`),
  );

/** Lines, blank ones and comments included; the lint rule of 150 counts neither. A factory of many small closures counts as one. */
export const MAX_FUNCTION_LINES = 180;
export const MAX_FILE_LINES = 450;

/** Functions and files that nobody reads in one go. */
export const longParts = (files: readonly SourceFile[]): readonly string[] =>
  files.flatMap(({ path, text, functions }) => {
    const longest = functions.toSorted((a, b) => b.lines - a.lines)[0];
    const lines = text.split('\n').length - 1;
    return [
      ...(longest && longest.lines > MAX_FUNCTION_LINES
        ? [`${path}:${longest.line}: ${longest.name} has ${longest.lines} lines, ${MAX_FUNCTION_LINES} at most: name its parts`]
        : []),
      ...(lines > MAX_FILE_LINES ? [`${path}: ${lines} lines, ${MAX_FILE_LINES} at most: split it by topic`] : []),
    ];
  });

/** Getters of what is made once for a process or a server, and what that is. */
const MADE_ONCE: Readonly<Record<string, string>> = {
  'src/http/connections.ts active': 'who is connected to a server',
  'src/http/gateway/websocket.ts size': 'the WebSockets of a server',
  'src/http/keep-alive.ts size': 'what keeps answers alive',
  'src/http/key-loads.ts active': 'the loads of all keys',
  'src/http/overload.ts active': 'the guard of a server',
  'src/policy/standing.ts down': 'who is in trouble, of all providers',
  'src/policy/troubles.ts size': 'the troubles of all providers',
  'src/state/index.ts exchange': 'what all turns have in common',
  'src/store/journal.ts isEmpty': 'the lines that wait for a journal',
};

const INSTEAD: Readonly<Record<SourceFile['madeWithin'][number]['kind'], string>> = {
  getter: 'make it a function, a field that is written or a getter of a class of the module',
  generator: 'make it a function of the module that is given what it needs',
  class: 'make it a class of the module',
};

/**
 * Getters, generators and classes that a function makes whenever it runs. V8 gives each a hidden class of its own, which keeps until the
 * next large collection all that the call had (`test/stress/promoted.test.ts`).
 */
export const outlivingCalls = (files: readonly SourceFile[]): readonly string[] =>
  files.flatMap(({ path, madeWithin }) =>
    madeWithin
      .filter(({ kind, name }) => kind !== 'getter' || !Object.hasOwn(MADE_ONCE, `${path} ${name}`))
      .map(({ kind, name, line }) => `${path}:${line}: ${kind} '${name}' is made anew by each call of a function: ${INSTEAD[kind]}`),
  );
