import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { installScripts, type LockFile, lockTroubles, loosePins, type PackageFile, unlocked, unusedAndMissing } from './package-rules.ts';
import { isTest, readSources, ROOT } from './source-file.ts';

const readJson = (path: string): unknown => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
const own = readJson('package.json') as PackageFile;
const lock = readJson('package-lock.json') as LockFile;

/** What is installed and ships: the direct packages, and those that they bring. */
const shipped = Object.fromEntries(
  Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && !dev && existsSync(join(ROOT, path, 'package.json')))
    .map(([path]) => [path, readJson(`${path}/package.json`) as PackageFile]),
);

describe('the packages keep to', () => {
  test('exact versions', () => expect(loosePins(own)).toEqual([]));
  test('the same in the lockfile', () => expect(unlocked(own, lock)).toEqual([]));
  test('none without a use', () => {
    const files = readSources(['src']).filter(({ path }) => !isTest(path));
    const imported = files.flatMap(({ imports }) => imports.filter((one) => !one.isType).map((one) => one.from));
    expect(unusedAndMissing(own, imported)).toEqual([]);
    // Every source is read: a busy machine takes its time.
  }, 120_000);
  test('none runs scripts at install', () => {
    expect(Object.keys(shipped).length).toBeGreaterThan(Object.keys(own.dependencies ?? {}).length);
    expect(installScripts(shipped)).toEqual([]);
  });
  test('a lockfile for every registry', () => expect(lockTroubles(lock)).toEqual([]));
});

test.each(['^1.2.3', '~1.2.3', '1.x', 'latest', '>=1', '*', 'file:../x', '1.2'])('a loose version is found: %s', (version) => {
  expect(loosePins({ devDependencies: { acme: version } })).toEqual([expect.stringContaining('acme')]);
});
test('exact versions pass', () => expect(loosePins({ dependencies: { a: '1.2.3', b: '1.2.3-beta.1' } })).toEqual([]));

test('packages without a use and imports without a package are found', () => {
  const file = { dependencies: { used: '1.0.0', '@a/used': '1.0.0', idle: '1.0.0' } };
  expect(unusedAndMissing(file, ['used/sub', '@a/used/x.js', 'node:fs', './a.ts', 'stray'])).toEqual([
    expect.stringContaining('imports idle'),
    expect.stringContaining('src imports stray'),
  ]);
});

test('scripts at install are found', () => {
  expect(installScripts({ a: { scripts: { postinstall: 'node x' } }, b: { scripts: { test: 'x' } } })).toEqual([
    expect.stringContaining('a has'),
  ]);
  expect(lockTroubles({ packages: { 'node_modules/a': { version: '1.0.0', hasInstallScript: true } } })).toHaveLength(1);
});

test('addresses and differences in the lockfile are found', () => {
  const packages = { 'node_modules/a': { version: '1.0.0', resolved: 'https://registry.example.com/a.tgz' } };
  expect(lockTroubles({ packages })).toEqual([expect.stringContaining('names an address')]);
  expect(unlocked({ dependencies: { a: '1.0.1', b: '1.0.0' } }, { packages })).toHaveLength(2);
});
