import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Language } from '../../src/config/language.ts';
import { type Loaded, type LoadOptions, loadConfig } from '../../src/config/load.ts';
import { ConfigError, type Problem, problemLine } from '../../src/config/problem.ts';

/** A folder of its own for one test, with some files; gone when the test has finished. */
export function scratchFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'pailou-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** Where a test's configuration is looked for: nowhere but in its folder. */
export const optionsIn = (folder: string, changes: Partial<LoadOptions> = {}): LoadOptions => ({
  env: {},
  cwd: folder,
  home: join(folder, 'home'),
  system: join(folder, 'etc'),
  ...changes,
});

/** What came of loading: the configuration, or what is wrong with it. */
export interface Loading {
  readonly loaded?: Loaded;
  /** Warnings included. */
  readonly problems: readonly Problem[];
}

/** Loads one file of a folder of its own. */
export async function loadText(
  text: string,
  changes: Partial<LoadOptions> & { readonly name?: string; readonly files?: Readonly<Record<string, string>> } = {},
): Promise<Loading> {
  const { name = 'pailou.yaml', files = {}, ...options } = changes;
  try {
    const loaded = await loadConfig(optionsIn(scratchFolder({ ...files, [name]: text }), options));
    return { loaded, problems: loaded.warnings };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { problems: error.problems };
  }
}

/** Problems as people read them. */
export const linesOf = (problems: readonly Problem[], language: Language = 'en'): readonly string[] =>
  problems.map((one) => problemLine(one, language));
