import type { Language } from '../config/language.ts';
import { searchedFolders } from '../config/find-file.ts';
import { loadConfig } from '../config/load.ts';
import { ConfigError, type Problem, problemJson, problemLine } from '../config/problem.ts';
import { loadOptions } from './load-options.ts';
import type { Messages } from './messages.ts';
import type { Args } from './parse-args.ts';
import { type CliPorts, EXIT } from './ports.ts';

/** What a check came to. */
interface Outcome {
  readonly file: string | null;
  readonly problems: readonly Problem[];
  readonly summary: string;
}

/** Says what is wrong with a configuration, on stdout for programs, on stderr for people. */
export function reportProblems(
  problems: readonly Problem[],
  isJson: boolean,
  ports: CliPorts,
  messages: Messages,
  language: Language,
): void {
  const errors = problems.filter((one) => one.severity === 'error').length;
  if (isJson) {
    ports.stdout.write(`${JSON.stringify({ ok: errors === 0, problems: problems.map(problemJson) }, undefined, 2)}\n`);
    return;
  }
  for (const problem of problems) ports.stderr.write(`${problemLine(problem, language)}\n`);
  ports.stderr.write(`${messages.problemsFound(errors, problems.length - errors)}\n`);
}

/** `pailou check [FILE]`: 0 when the configuration can be used, 3 when not. */
export async function checkCommand(args: Args, ports: CliPorts, messages: Messages, language: Language): Promise<number> {
  const [file] = args.words;
  const options = { ...loadOptions(args, ports), ...(file === undefined ? {} : { path: file }) };
  const outcome = await check(options, messages);
  const isStrict = args.on.has('strict');
  const problems = outcome.problems.map((one): Problem => (isStrict ? { ...one, severity: 'error' } : one));
  const ok = problems.every((one) => one.severity === 'warning');
  if (args.on.has('json')) {
    ports.stdout.write(`${JSON.stringify({ ok, file: outcome.file, problems: problems.map(problemJson) }, undefined, 2)}\n`);
  } else {
    const shown = args.on.has('quiet') ? problems.filter((one) => one.severity === 'error') : problems;
    if (!ok) reportProblems(shown, false, ports, messages, language);
    else for (const problem of shown) ports.stderr.write(`${problemLine(problem, language)}\n`);
    if (ok && !args.on.has('quiet')) ports.stderr.write(`${outcome.summary}\n`);
  }
  return ok ? EXIT.done : EXIT.configInvalid;
}

async function check(options: ReturnType<typeof loadOptions>, messages: Messages): Promise<Outcome> {
  try {
    const { file, config, warnings } = await loadConfig(options);
    if (file === undefined) {
      const folders = searchedFolders(options).join(messages.comma);
      const what = [messages.noFileFound(folders), messages.noFileFound(folders)] as const;
      return { file: null, problems: [{ severity: 'error', code: 'no_file', path: '', what }], summary: '' };
    }
    const summary = messages.fileIsValid(file, Object.keys(config.providers).length, Object.keys(config.models).length);
    return { file, problems: warnings, summary };
  } catch (error) {
    if (error instanceof ConfigError) return { file: options.path ?? null, problems: error.problems, summary: '' };
    throw error;
  }
}
