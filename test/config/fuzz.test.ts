import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readJson } from '../../src/config/read-json.ts';
import { ConfigError } from '../../src/config/problem.ts';
import type { Tree } from '../../src/config/tree.ts';
import { loadText } from './scratch.ts';

const VALID = `version: 1
server: { host: 127.0.0.1, port: 7117, cors: ["*"] }
keys:
  - { name: laptop, value: "\${env:KEY}", models: [fast] }
providers:
  box: { preset: sandbox, timeouts: { connect: 2s, total: 10m }, expose: ["*"] }
models:
  fast: box/chat
  "claude-*": fast
egress: { allow: [127.0.0.0/8] }
limits: { body: 32MiB, stored: { keep: 30d } }
sandbox: auto
`;

const SECRET = 'pk-0123456789-secret-of-the-test';

/** Whatever is in a file, the answer is a configuration or a list of mistakes, each with its place, none with the secret. */
async function answers(text: string, name: string): Promise<void> {
  const { loaded, problems } = await loadText(text, { name, env: { KEY: SECRET } });
  expect(loaded !== undefined || problems.some(({ severity }) => severity === 'error')).toBe(true);
  for (const { place } of problems) {
    if (!place) continue;
    expect(place.line).toBeGreaterThan(0);
    expect(place.line).toBeLessThanOrEqual(text.split('\n').length + 1);
    expect(place.column).toBeGreaterThan(0);
  }
  expect(JSON.stringify(problems)).not.toContain(SECRET);
}

test('a valid file with some characters changed', async () => {
  await loadText(VALID, { env: { KEY: SECRET } }).then(({ problems }) => expect(problems).toEqual([]));
  const edits = fc.array(fc.tuple(fc.nat(VALID.length), fc.nat(4), fc.string({ maxLength: 4, unit: 'grapheme' })), {
    minLength: 1,
    maxLength: 3,
  });
  await fc.assert(
    fc.asyncProperty(edits, async (changes) => {
      let text = VALID;
      for (const [at, gone, put] of changes) text = text.slice(0, at) + put + text.slice(at + gone);
      await answers(text, 'pailou.yaml');
    }),
    { numRuns: 400 },
  );
});

test('a file of anything', async () => {
  await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), fc.constantFrom('pailou.yaml', 'pailou.json'), answers), {
    numRuns: 300,
  });
});

test('JSON of any kind in every place', async () => {
  const names = fc.constantFrom(
    'version',
    'server',
    'port',
    'keys',
    'name',
    'value',
    'providers',
    'preset',
    'baseUrl',
    'models',
    '__proto__',
    'x',
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom<unknown>(null, true, 1, -1, 1e300, '', 'x', '${env:KEY}', '${env:NOPE}', 'sandbox', '2s'),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(names, tie('tree'), { maxKeys: 4 }),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(tree, (value) => answers(JSON.stringify(value), 'pailou.json')),
    { numRuns: 400 },
  );
});

/** The value of a tree, places left out. */
function valueOf(tree: Tree): unknown {
  if (tree.kind === 'scalar') return tree.value;
  if (tree.kind === 'list') return tree.items.map(valueOf);
  return Object.fromEntries(tree.entries.map(({ key, value }) => [key, valueOf(value)]));
}

test('JSON is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      expect(JSON.stringify(valueOf(readJson(text, 'x')))).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});

test('what JSON.parse refuses is refused', () => {
  const pieces = fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '1', '-', '0', '.5', 'true', 'null', ' ', '\n', '"', '\\', 'e3');
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const text = parts.join('');
      let isValid = true;
      try {
        JSON.parse(text);
      } catch {
        isValid = false;
      }
      if (isValid) return;
      expect(() => readJson(text, 'x')).toThrow(ConfigError);
    }),
    { numRuns: 2000 },
  );
});
