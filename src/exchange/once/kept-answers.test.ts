import { expect, it } from 'vitest';
import { createAnswerMemory, type KeptAnswer } from './kept-answers.ts';

const ANSWER: KeptAnswer = { at: 0, provider: 'p', model: 'm', events: [], bytes: 100 };

/** Two processes that can ask each other, or one whose neighbour is as told. */
function processes(limit: number) {
  const answers: ((key: unknown) => unknown)[] = [];
  let now = 0;
  const made = [0, 1].map((own) =>
    createAnswerMemory(
      () => now,
      () => limit,
      {
        count: 2,
        ask: (_, key) => Promise.resolve(answers[1 - own]?.(key)),
        answer: (_, answer) => void (answers[own] = answer),
      },
    ),
  );
  return { stores: made, later: (ms: number) => void (now += ms) };
}

it('what one process keeps another gives, no longer than the first would', async () => {
  const { stores, later } = processes(2 ** 20);
  const [one, two] = stores;
  one?.put('k', ANSWER, 1000);
  later(600);
  expect(await two?.get('k')).toEqual(ANSWER);
  expect(await two?.get('other')).toBeUndefined();
  later(300);
  expect(await two?.get('k')).toEqual(ANSWER);
  later(101);
  expect([await one?.get('k'), await two?.get('k')]).toEqual([undefined, undefined]);
});

it('all processes together keep no more than the limit', async () => {
  const { stores } = processes(4096);
  const [one] = stores;
  for (let at = 0; at < 8; at++) one?.put(`k${at}`, ANSWER, 1000);
  const there = await Promise.all(Array.from({ length: 8 }, (_, at) => one?.get(`k${at}`)));
  expect(there.filter((answer) => answer !== undefined)).toHaveLength(3);
  one?.put('larger than all of it', { ...ANSWER, bytes: 5000 }, 1000);
  expect(await one?.get('larger than all of it')).toBeUndefined();
});

it.each([
  { what: 'fails', ask: () => Promise.reject(new Error('gone')) },
  { what: 'says nothing', ask: () => new Promise<never>(() => {}) },
])('a neighbour that $what is as one that has nothing', async ({ ask }) => {
  const store = createAnswerMemory(
    () => 0,
    () => 2 ** 20,
    { count: 2, ask, answer: () => {} },
  );
  expect(await store.get('k')).toBeUndefined();
  store.put('k', ANSWER, 1000);
  expect(await store.get('k')).toEqual(ANSWER);
});
