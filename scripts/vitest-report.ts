import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** Numbers of tests; a check that has none inside counts as one. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
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
function remarksOf({ testResults }: VitestReport, root: string): readonly string[] {
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
export function countReport(file: string, isGood: boolean, root: string): Counts & { readonly remarks: readonly string[] } {
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
    remarks: remarksOf(report, root),
  };
}
