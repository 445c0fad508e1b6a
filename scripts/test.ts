// npm test: every check, in order, then a summary. The last line, `N passed, N failed, N skipped`, is for machines.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const tools = join(root, 'node_modules', '.bin');
const temporary = join(root, '.tmp');

/** Numbers of tests; a check that has none inside counts as one. */
interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Outcome extends Counts {
  readonly name: string;
  readonly seconds: number;
  /** Said in the summary: why it was skipped, which tests were. */
  readonly remarks: readonly string[];
}

interface Check {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Why it cannot run here; absent: it can. */
  readonly skip?: string | undefined;
  /** A report of vitest, to count by. */
  readonly report?: string;
  /** Shows its output as it comes; else only when it fails. */
  readonly isLive?: boolean;
  readonly minutes: number;
}

const node = process.execPath;
const tool = (name: string): string => join(tools, name);

function vitest(name: string, report: string, args: readonly string[]): Check {
  const file = join(temporary, report);
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${file}`];
  return { name, command: [tool('vitest'), 'run', ...reporters, ...args], report: file, isLive: true, minutes: 6 };
}

/** Why the recorded exchanges cannot be replayed; they are too many to be part of the repository. */
function corpusMissing(): string | undefined {
  if (!existsSync(join(root, 'test', 'corpus'))) return 'test/corpus is not there';
  const folder = process.env['PAILOU_CORPUS'] ?? join(root, '..', 'shared', 'corpus');
  return existsSync(folder) ? undefined : 'recorded exchanges are not here ($PAILOU_CORPUS, ../shared/corpus)';
}

const CHECKS: readonly Check[] = [
  { name: 'format', command: [tool('oxfmt'), '--check'], minutes: 1 },
  { name: 'lint', command: [tool('oxlint'), '--deny-warnings'], minutes: 1 },
  { name: 'types', command: [tool('tsc'), '-p', '.'], minutes: 1 },
  { name: 'dead code', command: [tool('knip'), '--no-progress'], minutes: 1 },
  { name: 'schema', command: [node, 'scripts/schema.ts', '--check'], minutes: 1 },
  { name: 'settings page', command: [node, 'scripts/configuration-doc.ts', '--check'], minutes: 1 },
  vitest('house rules', 'house-rules.json', ['test/quality']),
  vitest('tests', 'tests.json', ['--exclude', 'test/quality/**']),
  { name: 'corpus', command: [node, 'test/corpus/run.ts'], skip: corpusMissing(), minutes: 4 },
  { name: 'counts', command: [node, 'test/corpus/count.ts'], skip: corpusMissing(), minutes: 2 },
];

/** The environment of every check: programs of the packages, and the Node that runs this, come first. */
const env = { ...process.env, PATH: [tools, process.env['PATH'] ?? ''].join(delimiter) };

/** Ends a check with everything that it started: it leads a process group of its own. */
function kill(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/** What runs now; a signal to this program ends it too. */
let running: ChildProcess | undefined;
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    if (running) kill(running);
    process.exit(code);
  });
}

interface Ended {
  readonly isGood: boolean;
  readonly output: string;
  readonly seconds: number;
}

function run({ command, isLive, minutes }: Check): Promise<Ended> {
  const started = performance.now();
  const [program, ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    running = child;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      kill(child);
    }, minutes * 60_000);
    let output = '';
    const take = (piece: Buffer): void => {
      if (isLive) process.stdout.write(piece);
      else output += piece.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const end = (isGood: boolean, more: string): void => {
      clearTimeout(timer);
      resolve({ isGood, output: output + more, seconds: (performance.now() - started) / 1000 });
    };
    child.on('error', (error) => end(false, `${error.message}\n`));
    child.on('exit', () => {
      // What it left behind would hold its output open, and this program with it.
      kill(child);
    });
    child.on('close', (code, signal) => {
      running = undefined;
      end(code === 0 && !isLate, isLate ? `\nended: it took more than ${minutes} min\n` : signal === null ? '' : `\nended by ${signal}\n`);
    });
  });
}

/** As far as it is read here: https://vitest.dev/guide/reporters#json-reporter */
interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly startTime: number;
    readonly endTime: number;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Files that take longer than this are named. */
const SLOW_SECONDS = 10;

/** What a report of vitest has to say beside its numbers: what failed, what was skipped, what took long. */
function remarksOf({ testResults }: VitestReport): readonly string[] {
  const nameOf = (path: string): string => relative(root, path);
  const tests = testResults.flatMap(({ name, assertionResults }) => assertionResults.map((one) => ({ ...one, file: nameOf(name) })));
  const broken = testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0);
  const slow = testResults
    .map(({ name, startTime, endTime }) => ({ name: nameOf(name), seconds: (endTime - startTime) / 1000 }))
    .filter(({ seconds }) => seconds >= SLOW_SECONDS)
    .toSorted((a, b) => b.seconds - a.seconds);
  return [
    ...broken.map(({ name }) => `failed: ${nameOf(name)}`),
    ...tests.filter(({ status }) => status === 'failed').map(({ file, fullName }) => `failed: ${file}: ${fullName}`),
    ...tests.filter(({ status }) => isSkipped(status)).map(({ fullName }) => `skipped: ${fullName}`),
    ...slow.slice(0, 5).map(({ name, seconds }) => `slow: ${name} ${seconds.toFixed(0)} s`),
  ];
}

const isSkipped = (status: string): boolean => ['skipped', 'pending', 'todo', 'disabled'].includes(status);

/** Counts a report of vitest. Without one, or when vitest failed without a failed test in it, that is one failure. */
function countReport(file: string, isGood: boolean): Counts & { readonly remarks: readonly string[] } {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0, remarks: ['failed: there is no report'] };
  const report = JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  const { testResults } = report;
  const tests = testResults.flatMap((result) => result.assertionResults);
  const brokenFiles = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.every((one) => one.status !== 'failed'),
  );
  const failed = tests.filter(({ status }) => status === 'failed').length + brokenFiles.length;
  const skipped = tests.filter(({ status }) => isSkipped(status));
  return {
    passed: tests.filter(({ status }) => status === 'passed').length,
    failed: failed === 0 && !isGood ? 1 : failed,
    skipped: skipped.length,
    remarks: remarksOf(report),
  };
}

async function perform(check: Check): Promise<Outcome> {
  const { name, skip, report } = check;
  if (skip !== undefined) return { name, passed: 0, failed: 0, skipped: 1, seconds: 0, remarks: [skip] };
  if (report !== undefined) rmSync(report, { force: true });
  const { isGood, output, seconds } = await run(check);
  if (!isGood) console.log(`\n— ${name} —\n${output}`);
  if (report === undefined) return { name, passed: isGood ? 1 : 0, failed: isGood ? 0 : 1, skipped: 0, seconds, remarks: [] };
  return { name, seconds, ...countReport(report, isGood) };
}

function summaryRow({ name, passed, failed, skipped, seconds, remarks }: Outcome): string {
  const verdict = failed > 0 ? 'FAILED' : passed === 0 && skipped > 0 ? 'skipped' : 'ok';
  const counts = passed + failed + skipped > 1 ? `${passed} passed, ${failed} failed, ${skipped} skipped; ` : '';
  const row = `  ${name.padEnd(13)} ${verdict.padEnd(8)} ${counts}${seconds.toFixed(1)} s`;
  return [row, ...remarks.map((remark) => `    ${remark}`)].join('\n');
}

mkdirSync(temporary, { recursive: true });
const outcomes: Outcome[] = [];
for (const check of CHECKS) {
  console.log(`${check.name} …`);
  outcomes.push(await perform(check));
}
const total = (of: keyof Counts): number => outcomes.reduce((sum, outcome) => sum + outcome[of], 0);
const seconds = outcomes.reduce((sum, outcome) => sum + outcome.seconds, 0);
console.log(`\n${outcomes.map(summaryRow).join('\n')}\n\nin ${seconds.toFixed(0)} s`);
console.log(`${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`);
process.exitCode = total('failed') > 0 ? 1 : 0;
