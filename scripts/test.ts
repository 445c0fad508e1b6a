// npm test: every check, in order, then a summary. The last line, `N passed, N failed, N skipped`, is for machines.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { killRunning, runCheck } from './run-check.ts';
import { type Counts, countReport } from './vitest-report.ts';

const root = join(import.meta.dirname, '..');
const tools = join(root, 'node_modules', '.bin');
const temporary = join(root, '.tmp');

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
  return { name, command: [tool('vitest'), 'run', ...reporters, ...args], report: file, isLive: true, minutes: 15 };
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
  { name: 'corpus, SDKs', command: [node, 'test/corpus/sdk.ts'], skip: corpusMissing(), minutes: 5 },
  { name: 'corpus, AI SDK', command: [node, 'test/corpus/sdk-ai.ts'], skip: corpusMissing(), minutes: 5 },
  { name: 'corpus, endings', command: [node, 'test/corpus/endings-run.ts'], skip: corpusMissing(), minutes: 3 },
  { name: 'corpus, vectors', command: [node, 'test/corpus/media/whole.ts'], skip: corpusMissing(), minutes: 2 },
  { name: 'corpus, audio', command: [node, 'test/corpus/media/audio.ts'], skip: corpusMissing(), minutes: 2 },
  { name: 'corpus, images', command: [node, 'test/corpus/media/images.ts'], skip: corpusMissing(), minutes: 2 },
  { name: 'corpus, videos', command: [node, 'test/corpus/media/videos.ts'], skip: corpusMissing(), minutes: 2 },
  { name: 'counts', command: [node, 'test/corpus/count.ts'], skip: corpusMissing(), minutes: 2 },
];

/** The environment of every check: programs of the packages, and the Node that runs this, come first. */
const env = { ...process.env, PATH: [tools, process.env['PATH'] ?? ''].join(delimiter) };

async function perform(check: Check): Promise<Outcome> {
  const { name, skip, report } = check;
  if (skip !== undefined) return { name, passed: 0, failed: 0, skipped: 1, seconds: 0, remarks: [skip] };
  if (report !== undefined) rmSync(report, { force: true });
  const { isGood, output, seconds } = await runCheck({ ...check, cwd: root, env });
  if (!isGood) console.log(`\n— ${name} —\n${output}`);
  if (report === undefined) return { name, passed: isGood ? 1 : 0, failed: isGood ? 0 : 1, skipped: 0, seconds, remarks: [] };
  return { name, seconds, ...countReport(report, isGood, root) };
}

function summaryRow({ name, passed, failed, skipped, seconds, remarks }: Outcome): string {
  const verdict = failed > 0 ? 'FAILED' : passed === 0 && skipped > 0 ? 'skipped' : 'ok';
  const counts = passed + failed + skipped > 1 ? `${passed} passed, ${failed} failed, ${skipped} skipped; ` : '';
  const row = `  ${name.padEnd(14)} ${verdict.padEnd(8)} ${counts}${seconds.toFixed(1)} s`;
  return [row, ...remarks.map((remark) => `    ${remark}`)].join('\n');
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    killRunning();
    process.exit(code);
  });
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
