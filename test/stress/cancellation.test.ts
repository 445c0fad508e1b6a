import { afterAll, expect, it } from 'vitest';
import { killAll } from '../e2e/program.ts';
import { cancellationRows, HURRIED } from './cancellation.ts';
import { orderRows } from './left-orders.ts';

afterAll(killAll);

it('whoever leaves any endpoint takes the upstream’s work along, wherever that was, and nobody asks for it again', async () => {
  const broken: unknown[] = [];
  let places = 0;
  // Longer than is promised: machines that test are busy. What is never let go is found all the same.
  for await (const row of cancellationRows(2, 2500)) {
    if (row.about !== undefined) places++;
    if (!row.isKept) broken.push(row);
  }
  expect(broken).toEqual([]);
  expect(places).toBe(3 * HURRIED.length);
}, 60_000);

it('whoever leaves while a film is ordered finds it made', async () => {
  for await (const row of orderRows(2)) expect(row).toMatchObject({ isKept: true });
}, 60_000);
