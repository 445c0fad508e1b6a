import { describe, expect, it } from 'vitest';
import type { Candidate } from '../policy/candidate.ts';
import { lookAhead } from './look-ahead.ts';

const MEBIBYTE = 1024 * 1024;

/** Targets by how they stand: `f` fits, `m` does not, `F` and `M` are out. */
const candidatesOf = (letters: string): readonly Candidate[] =>
  [...letters].map((letter, at) => ({
    provider: `p${at}`,
    model: letter.toLowerCase(),
    verdict: letter === letter.toLowerCase() ? 'eligible' : 'rejected',
    reasons: [],
  }));

const ROWS: readonly (readonly [name: string, letters: string, bytes: number, looked: string])[] = [
  ['three that fit are enough', 'ffffff', 9, 'p0 p1 p2'],
  ['what does not fit does not count', 'mfmfmfmf', 9, 'p0 p1 p2 p3 p4 p5'],
  ['nor what is out', 'FFffffM', 9, 'p0 p1 p2 p3 p4'],
  ['all, where few fit', 'mmmmmf', MEBIBYTE, 'p0 p1 p2 p3 p4 p5'],
  ['of a large body three in all', 'mmmmmf', MEBIBYTE + 1, 'p0 p1 p2'],
  ['of a large body what is out is not looked at', 'FmMmff', MEBIBYTE + 1, 'p1 p3 p4'],
];

describe('how far it is looked ahead, with three tries', () => {
  it.each(ROWS)('%s', (_name, letters, bytes, looked) => {
    const seen: string[] = [];
    lookAhead(candidatesOf(letters), { tries: 3, bytes }, ({ provider, model }) => {
      seen.push(provider);
      return model === 'f';
    });
    expect(seen.join(' ')).toBe(looked);
  });
});
