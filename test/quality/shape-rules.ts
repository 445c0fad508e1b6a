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
