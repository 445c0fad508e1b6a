import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TextJob } from '../../src/tokens/text-job.ts';
import { createTextReader, type TextReader } from '../../src/tokens/text-reader.ts';

/** A thread that does as it is told by the text: answers, dies, throws, or never ends. */
const THREAD = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', ({ texts }) => {
    const [word] = texts.all;
    if (word === 'exit') process.exit(1);
    if (word === 'throw') throw new Error('thrown');
    if (word === 'spin') for (;;);
    if (word === 'silent') return;
    parentPort.postMessage({ all: { tokens: word.length } });
  });
`;

const readers: TextReader[] = [];
/** Threads that run: how long one takes to start is the machine's, and no job's. */
const ready: Worker[] = [];
const MOST = 2;
beforeEach(async () => {
  ready.push(...Array.from({ length: MOST }, () => new Worker(THREAD, { eval: true })));
  await Promise.all(ready.map((thread) => once(thread, 'online')));
});
afterEach(() =>
  Promise.all([...readers.splice(0).map((reader) => reader.close()), ...ready.splice(0).map((thread) => thread.terminate())]),
);

function reader(limits: Parameters<typeof createTextReader>[0] = {}): { readonly one: TextReader; readonly started: () => number } {
  let started = 0;
  const one = createTextReader({ jobMs: 500, ...limits }, () => {
    started++;
    return ready.shift() ?? new Worker(THREAD, { eval: true });
  });
  readers.push(one);
  return { one, started: () => started };
}

const job = (word: string): TextJob<'all'> => ({ encoding: 'o200k', texts: { all: [word] } });

describe('the thread that reads texts', () => {
  it('starts with the first job, and stays', async () => {
    const { one, started } = reader();
    expect(started()).toBe(0);
    expect(await one.read(job('four'))).toEqual({ all: { tokens: 4 } });
    expect(await one.read(job('sixsix'))).toEqual({ all: { tokens: 6 } });
    expect(started()).toBe(1);
  });

  it.each([
    ['exits', 'exit', 'failed'],
    ['throws', 'throw', 'failed'],
    ['never ends', 'spin', 'slow'],
    ['never answers', 'silent', 'slow'],
  ])('that %s is replaced; only its own job is lost', async (_name, word, trouble) => {
    const { one, started } = reader();
    const outcomes = await Promise.all([one.read(job('a')), one.read(job(word)), one.read(job('abc'))]);
    expect(outcomes).toEqual([{ all: { tokens: 1 } }, trouble, { all: { tokens: 3 } }]);
    expect(started()).toBe(2);
  });

  it('turns jobs away when too many wait, and those that waited too long', async () => {
    const { one } = reader({ waiting: 2, waitMs: 50, jobMs: 300 });
    const outcomes = await Promise.all([one.read(job('silent')), one.read(job('b')), one.read(job('c')), one.read(job('d'))]);
    expect(outcomes).toEqual(['slow', 'busy', 'busy', 'busy']);
    expect(await one.read(job('again'))).toEqual({ all: { tokens: 5 } });
  });

  it('answers each job its own, in order', async () => {
    const { one, started } = reader({ waiting: 100 });
    const words = Array.from({ length: 60 }, (_, index) => 'x'.repeat(index + 1));
    const outcomes = await Promise.all(words.map((word) => one.read(job(word))));
    expect(outcomes).toEqual(words.map((word) => ({ all: { tokens: word.length } })));
    expect(started()).toBe(1);
  });

  it('lets nobody wait after it was closed', async () => {
    const { one } = reader();
    const running = one.read(job('silent'));
    const waiting = one.read(job('x'));
    await one.close();
    expect(await Promise.all([running, waiting, one.read(job('y'))])).toEqual(['busy', 'busy', 'busy']);
  });
});
