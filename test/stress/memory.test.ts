import { expect, it } from 'vitest';
import { leftRows } from './memory.ts';

it('after requests at every endpoint, clients that left, and a stop, the event loop waits for nothing of the server', async () => {
  const broken: unknown[] = [];
  for await (const row of leftRows(200)) if (!row.isKept) broken.push(row);
  expect(broken).toEqual([]);
}, 60_000);
