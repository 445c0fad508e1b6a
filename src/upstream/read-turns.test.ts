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
  let turn = 0;
  let done: string[] = [];
  const readers = streams.map((stream) => {
    open.add(stream.name);
    let isLate = false;
    const reader: Reader = {
      owner: stream.owner,
      since: stream.since,
      waitsSince: undefined,
      resume() {
        if (isLate) work();
        else open.add(stream.name);
      },
    };
    const one = {
      left: stream.reads,
      read() {
        if (one.left === 0 || !open.has(stream.name)) return;
        open.delete(stream.name);
        isLate = readTurns.putsOff(reader, now);
        if (!isLate) work();
      },
    };
    let lastAt = -1;
    const work = (): void => {
      isLate = false;
      const ms = stream.cost?.(turn - lastAt) ?? readMs;
      lastAt = turn;
      now += ms;
      done.push(stream.name);
      if (--one.left === 0) readTurns.left(reader);
      else if (readTurns.took(reader, ms, now)) open.add(stream.name);
    };
    return one;
  });
  const read: string[][] = [];
  const waited: number[] = [];
  const lengths: number[] = [];
  for (; turn < turns; turn++) {
    done = [];
    const began = now;
    for (const one of readers) one.read();
    const due = next;
    next = undefined;
    due?.();
    lengths.push(now - began);
    read.push(done);
    waited.push(readTurns.waitedMs(now));
    now += 1;
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
    // Nobody is told to wait before a turn is full; what is read after that is put off.
    expect(read[0]?.length).toBeLessThanOrEqual(60);
    const later = read.slice(100).map((turn) => turn.length);
    expect(Math.max(...later)).toBeLessThanOrEqual(25);
    expect(Math.min(...later)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...waited)).toBeGreaterThan(50);
  });

  it('are one at least, however long that takes', () => {
    const { read } = run(many(3, 'a'), 50, 20);
    // After one in which what was put off was worked on, a turn may be empty.
    for (const [at, turn] of read.slice(1).entries()) expect(turn.length + (read[at]?.length ?? 0)).toBeGreaterThanOrEqual(1);
  });

  it('take no longer together where those who waited have more to read than those who began first', () => {
    const streams = many(100, 'a').map((one) => ({ ...one, cost: (waited: number) => Math.min(1.2, waited * 0.03) }));
    const { lengths } = run(streams, 0, 3000);
    expect(Math.max(...lengths.slice(1000))).toBeLessThan(1.5 + 1.2 + 0.2);
  });

  it('are worked on for so long, however many came at once and however much more work some are', () => {
    const streams = many(300, 'a').map((one, at) => ({ ...one, cost: () => (at % 7 === 0 ? 0.3 : 0.05) }));
    const { lengths, read } = run(streams, 0, 3000);
    expect(Math.max(...lengths)).toBeLessThan(3 + 1.5 + 1.5 + 0.6);
    const times = counts(read, streams);
    expect(Math.min(...times)).toBeGreaterThan(5);
    // Those that began first end first, all the same.
    expect(times.slice(0, 3)).toEqual([1000, 1000, 1000]);
  });

  it('come to all; those that began first do not wait for the others', () => {
    const streams = many(200, 'a');
    const { read } = run(streams, 0.1, 300);
    const times = counts(read, streams);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(3);
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
