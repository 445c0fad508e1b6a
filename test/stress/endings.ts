// Every recorded stream cut at every event, in every way, and read by the official SDK of every protocol.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Found, FoundShare } from './cut-streams.ts';
import type { Measured, Part } from './part.ts';

/** A share of the streams, in a process of its own. */
async function foundBy(most: number, share: number, shares: number): Promise<FoundShare> {
  const child = fork(join(import.meta.dirname, 'cut-streams.ts'), [most, share, shares].map(String), { stdio: 'inherit' });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`cutting ended with ${String(code)}`);
  });
  return ((await Promise.race([once(child, 'message'), ended])) as [FoundShare])[0];
}

function merge(into: Found, { cuts, wrong, uncounted, example }: Found): void {
  into.cuts += cuts;
  into.wrong += wrong;
  into.uncounted += uncounted;
  if (example !== undefined) into.example ??= example;
}

/** `most`: places of each stream at most. */
async function* endingRows(most: number): AsyncIterable<Measured> {
  const shares = availableParallelism();
  const all = await Promise.all(Array.from({ length: shares }, (_, share) => foundBy(most, share, shares)));
  const pairs = new Map<string, Found>();
  for (const [pair, found] of all.flatMap((one) => one.pairs)) {
    const known = pairs.get(pair);
    if (known) merge(known, found);
    else pairs.set(pair, { ...found });
  }
  const isSound = all.every(({ defects }) => defects === 0);
  for (const [about, { cuts, wrong, uncounted, example }] of pairs) {
    const detail = example === undefined ? {} : { detail: example };
    yield { promise: 'streams.sdk', about, value: wrong, many: cuts, isKept: wrong === 0 && isSound, ...detail };
    yield { promise: 'streams.counted', about, value: uncounted, many: cuts, isKept: uncounted === 0 };
  }
}

export const endings: Part = { name: 'endings', rows: ({ cuts }) => endingRows(cuts) };
