import { expect, it } from 'vitest';
import { createTestSandbox } from '../../sandbox.ts';
import { NEAR_TEXTS } from './near-texts.ts';

/** Vectors of the sandbox, over its own wire. */
async function vectorsOf(input: readonly string[], dimensions: number): Promise<readonly (readonly number[])[]> {
  const pieces: Buffer[] = [];
  const body = Buffer.from(JSON.stringify({ model: 'embed', input, dimensions }));
  await new Promise<void>((resolve, reject) => {
    createTestSandbox().handle(
      { method: 'POST', path: '/v1/embeddings', headers: {}, body },
      { head() {}, body: (bytes) => pieces.push(bytes) > 0, end: resolve, error: reject },
    );
  });
  const { data } = JSON.parse(Buffer.concat(pieces).toString()) as { data: { embedding: number[] }[] };
  return data.map(({ embedding }) => embedding);
}

/** How often a near pair is nearer than one that is not: 1 is always, a half is chance. */
function areaUnderCurve(near: readonly number[], far: readonly number[]): number {
  const wins = near.flatMap((a) => far.map((b): number => (a > b ? 1 : a === b ? 0.5 : 0)));
  return wins.reduce((sum, win) => sum + win, 0) / wins.length;
}

it('are two hundred, half of them near, and none twice', () => {
  expect(NEAR_TEXTS.filter(({ near }) => near)).toHaveLength(100);
  expect(NEAR_TEXTS).toHaveLength(200);
  expect(new Set(NEAR_TEXTS.map(({ a, b }) => `${a}|${b}`)).size).toBe(200);
});

it.each([256, 512, 1536])('are told apart by vectors of %d', async (dimensions) => {
  const left = await vectorsOf(
    NEAR_TEXTS.map(({ a }) => a),
    dimensions,
  );
  const right = await vectorsOf(
    NEAR_TEXTS.map(({ b }) => b),
    dimensions,
  );
  const likeness = NEAR_TEXTS.map((_, at) => (left[at] ?? []).reduce((sum, value, place) => sum + value * (right[at]?.[place] ?? 0), 0));
  const of = (near: boolean): readonly number[] => likeness.filter((_, at) => NEAR_TEXTS[at]?.near === near);
  expect(areaUnderCurve(of(true), of(false))).toBeGreaterThanOrEqual(0.9);
});
