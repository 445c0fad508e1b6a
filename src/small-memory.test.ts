import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('V8 knows what it is asked for: of a word that it does not know it would complain', () => {
  const module = new URL('small-memory.ts', import.meta.url).href;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `const { keepMemorySmall, collectLess } = await import('${module}'); keepMemorySmall(); collectLess(true); collectLess(false);`,
    ],
    {
      encoding: 'utf8',
    },
  );
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
});
