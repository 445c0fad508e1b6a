import { join } from 'node:path';
import { expect, test } from 'vitest';
import { countReport } from '../../scripts/vitest-report.ts';
import { scratchFolder } from '../config/scratch.ts';

interface Result {
  readonly name: string;
  readonly status?: string;
  readonly seconds?: number;
  readonly tests?: Readonly<Record<string, string>>;
}

function counted(results: readonly Result[], isGood: boolean) {
  const testResults = results.map(({ name, status = 'passed', seconds = 1, tests = {} }) => ({
    name: `/clone/${name}`,
    status,
    startTime: 0,
    endTime: seconds * 1000,
    assertionResults: Object.entries(tests).map(([fullName, one]) => ({ fullName, status: one })),
  }));
  const folder = scratchFolder({ 'report.json': JSON.stringify({ testResults }) });
  return countReport(join(folder, 'report.json'), isGood, '/clone');
}

test.each([
  ['all good', [{ name: 'a.ts', tests: { one: 'passed', two: 'passed' } }], true, { passed: 2, failed: 0, skipped: 0, remarks: [] }],
  [
    'one failed',
    [{ name: 'a.ts', status: 'failed', tests: { one: 'passed', two: 'failed' } }],
    false,
    { passed: 1, failed: 1, skipped: 0, remarks: ['failed: a.ts: two'] },
  ],
  [
    'a file that cannot be loaded is one failure',
    [{ name: 'a.ts', status: 'failed' }],
    false,
    { passed: 0, failed: 1, skipped: 0, remarks: ['failed: a.ts'] },
  ],
  [
    'a failure outside of tests is one',
    [{ name: 'a.ts', tests: { one: 'passed' } }],
    false,
    { passed: 1, failed: 1, skipped: 0, remarks: [] },
  ],
  [
    'skipped ones are named',
    [{ name: 'a.ts', tests: { one: 'pending', two: 'todo', three: 'skipped' } }],
    true,
    { passed: 0, failed: 0, skipped: 3, remarks: ['skipped: one', 'skipped: two', 'skipped: three'] },
  ],
  [
    'slow files are named, the slowest first',
    [
      { name: 'a.ts', seconds: 12, tests: { one: 'passed' } },
      { name: 'b.ts', seconds: 34, tests: { two: 'passed' } },
    ],
    true,
    { passed: 2, failed: 0, skipped: 0, remarks: ['slow: b.ts 34 s', 'slow: a.ts 12 s'] },
  ],
] as const)('%s', (_name, results, isGood, expected) => expect(counted(results, isGood)).toEqual(expected));

test('no report is a failure', () => {
  expect(countReport('/nowhere/report.json', true, '/clone')).toMatchObject({ passed: 0, failed: 1 });
});
