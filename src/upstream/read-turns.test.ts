import { describe, expect, it } from 'vitest';
import { createReadTurns, type Reader } from './read-turns.ts';

interface Stream {
  readonly name: string;
  readonly owner: string;
  /** When it began. */
  readonly since: number;
  /** Reads that it is good for; each turn brings one. */
  readonly reads: number;
  /** What one takes, in milliseconds; as all others if left out. `waited`: turns since the last one. */
  readonly cost?: (waited: number) => number;
}

/** What streams read in each turn of an event loop, where a read takes so many milliseconds. */
function run(streams: readonly Stream[], readMs: number, turns: number) {
  let now = 0;
  let next: (() => void) | undefined;
  const readTurns = createReadTurns((turn) => (next = turn));
  const open = new Set<string>();
  const readers = streams.map((stream) => {
    open.add(stream.name);
    const reader: Reader = { owner: stream.owner, since: stream.since, resume: () => void open.add(stream.name) };
    return { ...stream, left: stream.reads, reader, lastAt: -1 };
  });
  const read: string[][] = [];
  const waited: number[] = [];
  const lengths: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const done: string[] = [];
    const began = now;
    for (const one of readers) {
      if (one.left === 0 || !open.has(one.name)) continue;
      const ms = one.cost?.(turn - one.lastAt) ?? readMs;
      one.lastAt = turn;
      now += ms;
      done.push(one.name);
      if (--one.left === 0) readTurns.left(one.reader);
      else if (!readTurns.took(one.reader, ms, now)) open.delete(one.name);
    }
    lengths.push(now - began);
    read.push(done);
    waited.push(readTurns.waitedMs(now));
    now += 1;
    const due = next;
    next = undefined;
    due?.();
  }
  return { read, waited, lengths };
}

const many = (count: number, owner: string, reads = 1000): Stream[] =>
  Array.from({ length: count }, (_, index) => ({ name: `${owner}${index}`, owner, since: index, reads }));

/** How often each was read. */
const counts = (read: readonly string[][], names: readonly Stream[]): number[] =>
  names.map(({ name }) => read.flat().filter((one) => one === name).length);

describe('reads of one turn', () => {
  it('wait for nobody where there is time for all', () => {
    const { read, waited } = run(many(10, 'a'), 0.1, 20);
    for (const turn of read) expect(turn).toHaveLength(10);
    expect(Math.max(...waited)).toBe(0);
  });

  it('are as many as there is time for, once there are more', () => {
    const { read, waited } = run(many(200, 'a'), 0.1, 300);
    // What nobody has told to wait yet cannot be held back.
    expect(read[0]).toHaveLength(200);
    const later = read.slice(100).map((turn) => turn.length);
    expect(Math.max(...later)).toBeLessThanOrEqual(25);
    expect(Math.min(...later)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...waited)).toBeGreaterThan(50);
  });

  it('are one at least, however long that takes', () => {
    const { read } = run(many(3, 'a'), 50, 20);
    for (const turn of read.slice(1)) expect(turn.length).toBeGreaterThanOrEqual(1);
  });

  it('take no longer together where those who waited have more to read than those who began first', () => {
    const streams = many(100, 'a').map((one) => ({ ...one, cost: (waited: number) => Math.min(1.2, waited * 0.03) }));
    const { lengths } = run(streams, 0, 3000);
    expect(Math.max(...lengths.slice(1000))).toBeLessThan(1.5 + 1.2 + 0.2);
  });

  it('come to all; those that began first do not wait for the others', () => {
    const streams = many(200, 'a');
    const { read } = run(streams, 0.1, 300);
    const times = counts(read, streams);
    expect(Math.min(...times)).toBeGreaterThan(3);
    expect(Math.min(...times.slice(0, 8))).toBeGreaterThan(250);
  });

  it('go to the next ones when the first have ended', () => {
    const streams = many(100, 'a', 50);
    const { read } = run(streams, 0.1, 2000);
    expect(counts(read, streams)).toEqual(streams.map(() => 50));
    expect(read.findIndex((turn) => turn.includes('a0'))).toBe(0);
    const ends = streams.map(({ name }) => read.findLastIndex((turn) => turn.includes(name)));
    expect(ends[0]).toBeLessThan(100);
    expect(ends[0]).toBeLessThan(ends[99] ?? 0);
  });
});

describe('owners', () => {
  it('share the time alike: whoever reads little waits for nobody who reads much', () => {
    const [few, all] = [many(3, 'few'), many(300, 'much')];
    const { read } = run([...all, ...few], 0.1, 300);
    expect(Math.min(...counts(read, few))).toBe(300);
  });

  it('each have a part of it where all read much', () => {
    const groups = ['a', 'b', 'c'].map((owner) => many(100, owner));
    const { read } = run(groups.flat(), 0.1, 600);
    const sums = groups.map((group) => counts(read.slice(100), group).reduce((sum, one) => sum + one, 0));
    for (const sum of sums) expect(sum / Math.max(...sums)).toBeGreaterThan(0.8);
  });

  it('have what others leave', () => {
    const { read } = run([...many(1, 'few', 3), ...many(200, 'much')], 0.1, 100);
    expect(Math.min(...read.slice(50).map((turn) => turn.length))).toBeGreaterThanOrEqual(10);
  });
});
