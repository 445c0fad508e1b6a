import { readFileSync } from 'node:fs';
import { Check } from 'typebox/schema';
import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { fileShape } from '../../src/config/file-shape.ts';
import { configJsonSchema, configJsonSchemaText } from '../../src/config/json-schema.ts';
import type { Shape } from '../../src/config/shape.ts';
import { linesOf, loadText } from './scratch.ts';

const schema = configJsonSchema();

test('the schema that is shipped is the one that the code makes', () => {
  expect(readFileSync(new URL('../../schema/v1.json', import.meta.url), 'utf8')).toBe(configJsonSchemaText());
});

/** Examples of the pages, which are promised to be valid. */
function yamlBlocks(page: string): readonly string[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
}

describe.each([
  'README.md',
  'docs/configuration.md',
  'docs/providers.md',
  'docs/caching.md',
  'docs/caching.zh-CN.md',
  'docs/routing.md',
  'docs/routing.zh-CN.md',
  'docs/sandbox.md',
  'docs/reliability.md',
  'docs/reliability.zh-CN.md',
])('the examples of %s', (page) => {
  const blocks = yamlBlocks(page);
  test('are there', () => expect(blocks.length).toBeGreaterThan(0));
  test.each(blocks)('are valid by the schema: %s', (block) => expect(Check(schema, parse(block) as unknown)).toBe(true));
  test.each(blocks)('load: %s', async (block) => {
    const needed = [...block.matchAll(/\$\{env:(\w+)\}/g)].map(([, name = '']) => [name, `value-of-${name.toLowerCase()}-0123456789`]);
    const files = {
      'secrets/service-account.json': '{}',
      'run/secrets/deepseek': 'sk-0123456789',
      'run/secrets/deepseek_b': 'sk-0123456789',
    };
    const { problems } = await loadText(block.replaceAll('${file:/', '${file:./'), {
      env: Object.fromEntries(needed) as Record<string, string>,
      files,
    });
    expect(linesOf(problems.filter(({ severity }) => severity === 'error'))).toEqual([]);
  });
});

/** Settings, and whether they are right: the schema and the loader must agree. */
const BOTH: readonly (readonly [text: string, isRight: boolean])[] = [
  ['server: { port: 80 }', true],
  ['server: { port: "${env:PORT}" }', true],
  ['server: { port: "80" }', false],
  ['server: { port: 65536 }', false],
  ['server: { prot: 80 }', false],
  ['server:', true],
  ['sever: { port: 80 }', false],
  ['limits: { body: 32MiB }', true],
  ['limits: { body: 4096 }', true],
  ['limits: { body: 32 parsecs }', false],
  ['limits: { retries: { budget: 100%, hedges: off } }', true],
  ['limits: { retries: { budget: 5%, hedges: "${env:HEDGES}" } }', true],
  ['limits: { retries: { budget: 101% } }', false],
  ['limits: { retries: { hedges: "10" } }', false],
  ['sandbox: auto', true],
  ['sandbox: true', true],
  ['sandbox: perhaps', false],
  ['discover: yes', false],
  ['keys: [{ name: a, value: "${env:KEY}" }]', true],
  ['keys: [{ name: a }]', false],
  ['keys: { name: a }', false],
  ['providers: { a: { preset: sandbox } }', true],
  ['providers: { a: { preset: acme } }', false],
  ['providers: { a: { preset: sandbox, timeouts: { idle: 1m30s } } }', true],
  ['providers: { a: { preset: sandbox, timeouts: { idle: 90 } } }', false],
  ['providers: { a: { preset: openai-compatible, baseUrl: { openai-chat: "http://h/v1" } } }', true],
  ['providers: { a: { preset: openai-compatible, baseUrl: { openai-chatt: "http://h/v1" } } }', false],
  ['providers: { a: { preset: sandbox, setAside: off } }', true],
  ['providers: { a: { preset: sandbox, setAside: { wait: 1m, longest: 1h, retryAfter: 10m } } }', true],
  ['providers: { a: { preset: sandbox, setAside: { wait: 60 } } }', false],
  ['providers: { a: { preset: sandbox, setAside: on } }', false],
  ['providers: { a: { preset: sandbox, retries: 9 } }', true],
  ['providers: { a: { preset: sandbox, retries: 10 } }', false],
  ['providers: { a: { preset: sandbox, retries: { times: 1, wait: 0s, longest: 5s, retryAfter: 0s, within: 1m } } }', true],
  ['providers: { a: { preset: sandbox, retries: { pause: 1s } } }', false],
  ['limits: { retries: { tries: 1, budget: 20%, hedges: off, reserve: 0 } }', true],
  ['limits: { retries: { tries: 0 } }', false],
  ['models: { a: sandbox/chat }', true],
  ['models: { a: [sandbox/chat] }', false],
  ['log: { level: warn }', true],
  ['version: 2', false],
];

test.each(BOTH)('schema and loader agree on: %s', async (text, isRight) => {
  const whole = text.startsWith('version') ? text : `version: 1\n${text}`;
  const { problems } = await loadText(whole, { env: { PORT: '8080', KEY: 'pk-0123456789abcdef', HEDGES: '10%' } });
  expect(problems.every(({ severity }) => severity !== 'error')).toBe(isRight);
  expect(Check(schema, parse(whole) as unknown)).toBe(isRight);
});

/** All shapes below one. */
function* shapesIn(shape: Shape, path = ''): Iterable<readonly [string, Shape]> {
  yield [path, shape];
  if (shape.kind === 'object') for (const [name, field] of Object.entries(shape.fields)) yield* shapesIn(field, `${path}.${name}`);
  else if (shape.kind === 'either') for (const one of shape.of) yield* shapesIn(one, path);
  else if (shape.kind === 'list' || shape.kind === 'map') yield* shapesIn(shape.of, `${path}[]`);
}

test('every setting is described in both languages', () => {
  for (const [path, { doc }] of shapesIn(fileShape)) {
    expect(doc[0], path).toMatch(/^[\x20-\x7e’`]+$/);
    expect(doc[1], path).toMatch(/[\u4e00-\u9fff]/);
  }
});

test('examples and defaults fit the settings that they stand at', () => {
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { examples, default: fallback, ...own } = node as { examples?: readonly unknown[]; default?: unknown };
    for (const one of [...(examples ?? []), ...(fallback === undefined ? [] : [fallback])]) {
      expect(Check(own, one), JSON.stringify(one)).toBe(true);
    }
    Object.values(node).forEach(walk);
  };
  walk((schema as { properties: unknown }).properties);
});
