import { afterAll, expect, it } from 'vitest';
import { killAll } from '../e2e/program.ts';
import { killRounds } from './kill-rounds.ts';

afterAll(killAll);

/** `npm run test:tasks` does a hundred. */
it('ten kills at random: no task is lost, none is submitted twice, none is seen by another key', { timeout: 180_000 }, async () => {
  const report = await killRounds(10);
  expect(report).toMatchObject({ lost: [], twice: [], leaked: [] });
  expect(report.completed).toBeGreaterThan(0);
});
