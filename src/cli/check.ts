import type { Config } from '../config/config.ts';
import type { Language } from '../config/language.ts';
import { searchedFolders } from '../config/find-file.ts';
import { loadConfig } from '../config/load.ts';
import { ConfigError, type Problem, problemJson, problemLine } from '../config/problem.ts';
import type { RouteTestResult } from '../policy/routes/route-tests.ts';
import { loadOptions } from './load-options.ts';
import type { Messages } from './messages.ts';
import type { Args } from './parse-args.ts';
import { type CliPorts, EXIT } from './ports.ts';

/** What a check came to. */
interface Outcome {
  readonly config?: Config;
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

/** Runs the configuration's route tests. What they need is loaded only here. */
async function routeTests(config: Config): Promise<readonly RouteTestResult[]> {
  const { compileSnapshot } = await import('../compile-snapshot.ts');
  const { runRouteTests } = await import('../policy/routes/route-tests.ts');
  return runRouteTests(compileSnapshot(config, 1), config.routeTests ?? []);
}

/** Says how route tests came out: each that failed with the decision that it met. */
async function reportTests(results: readonly RouteTestResult[], quiet: boolean, ports: CliPorts, messages: Messages, language: Language) {
  const { decisionText } = await import('./decision-text.ts');
  const failed = results.filter(({ ok }) => !ok);
  for (const { name, expected, decision } of failed) {
    ports.stderr.write(`${messages.testFailed(name, JSON.stringify(expected))}\n${decisionText(decision, messages, language)}`);
  }
  if (failed.length > 0) ports.stderr.write(`${messages.testsFailed(failed.length, results.length)}\n`);
  else if (!quiet) ports.stderr.write(`${results.length === 0 ? messages.noTests : messages.testsPassed(results.length)}\n`);
}

/** `pailou check [FILE]`: 0 when the configuration can be used, 3 when not, 9 when one of its route tests fails. */
export async function checkCommand(args: Args, ports: CliPorts, messages: Messages, language: Language): Promise<number> {
  const [file] = args.words;
  const options = { ...loadOptions(args, ports), ...(file === undefined ? {} : { path: file }) };
  const outcome = await check(options, messages);
  const isStrict = args.on.has('strict');
  const problems = outcome.problems.map((one): Problem => (isStrict ? { ...one, severity: 'error' } : one));
  const ok = problems.every((one) => one.severity === 'warning');
  const results = ok && outcome.config && args.on.has('tests') ? await routeTests(outcome.config) : undefined;
  const passed = results?.every((one) => one.ok) ?? true;
  if (args.on.has('json')) {
    const tests = results ? { tests: results } : {};
    const document = { ok: ok && passed, file: outcome.file, problems: problems.map(problemJson), ...tests };
    ports.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  } else {
    const shown = args.on.has('quiet') ? problems.filter((one) => one.severity === 'error') : problems;
    if (!ok) reportProblems(shown, false, ports, messages, language);
    else for (const problem of shown) ports.stderr.write(`${problemLine(problem, language)}\n`);
    if (ok && !args.on.has('quiet')) ports.stderr.write(`${outcome.summary}\n`);
    if (results) await reportTests(results, args.on.has('quiet'), ports, messages, language);
  }
  if (!ok) return EXIT.configInvalid;
  return passed ? EXIT.done : EXIT.routeTestFailed;
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
    return { file, config, problems: warnings, summary };
  } catch (error) {
    if (error instanceof ConfigError) return { file: options.path ?? null, problems: error.problems, summary: '' };
    throw error;
  }
}
