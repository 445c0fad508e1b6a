import { expect, it } from 'vitest';
import { endRows } from './waits.ts';

it('every wait at every endpoint ends when it was told to, and not before', async () => {
  const broken: unknown[] = [];
  const measured = new Set<string>();
  // Longer than is promised: machines that test are busy. What another wait ends, or nothing, is found all the same.
  for await (const row of endRows({ setMs: 500, lateMs: 8000, clients: 1, apartMs: 5 })) {
    measured.add(row.promise);
    if (!row.isKept) broken.push(row);
  }
  expect(broken).toEqual([]);
  expect([...measured]).toEqual(['time.connect', 'time.headers', 'time.first-token', 'time.idle', 'time.total']);
}, 120_000);
