import { afterEach, describe, expect, it } from 'vitest';
import { candidatesOf } from '../../../src/policy/kept-decision.ts';
import { type Answer, json } from '../../fakes/upstream.ts';
import { CHAT, counts, setTrials, textOf, type TrialOptions, type Trials } from './trials.ts';

let trials: Trials;
afterEach(() => trials.close());
const set = async (options: TrialOptions): Promise<void> => void (trials = await setTrials(options));

/** Holds every request until it is let go, and remembers in which order they came. */
function gate(): { readonly answer: Answer; readonly came: string[]; go(): void; readonly most: () => number } {
  const waiting: (() => void)[] = [];
  const came: string[] = [];
  let running = 0;
  let most = 0;
  return {
    came,
    most: () => most,
    answer(request, response) {
      came.push(JSON.parse(request.body).messages[0].content);
      most = Math.max(most, ++running);
      waiting.push(() => {
        running--;
        json(CHAT.whole)(request, response);
      });
    },
    go: () => waiting.shift()?.(),
  };
}

const keys = [
  { name: 'loud', value: 'pk-loud-0123456789' },
  { name: 'quiet', value: 'pk-quiet-0123456789' },
];

describe('a provider that takes two calls at once', () => {
  it('gets two at once; the others wait in turn, by key', async () => {
    const held = gate();
    await set({ answers: [held.answer], settings: [{ concurrency: 2 }], config: { keys } });
    const ask = (who: string, at: number) => trials.ask({ model: 'a/up', text: `${who}${at}`, key: `pk-${who}-0123456789` });
    const asked = Array.from({ length: 10 }, (_, at) => ask('loud', at));
    await expect.poll(() => held.came.length).toBe(2);
    // All ten have come; the eleventh waits for one other only.
    await expect.poll(() => trials.server.app.active()).toBe(10);
    asked.push(ask('quiet', 0));
    await expect.poll(() => trials.server.app.active()).toBe(11);
    for (let done = 0; done < 11; done++) {
      await expect.poll(() => held.came.length).toBe(Math.min(11, done + 2));
      held.go();
    }
    for (const got of await Promise.all(asked)) textOf(got);
    expect(held.most()).toBe(2);
    expect(held.came.indexOf('quiet0')).toBeLessThanOrEqual(4);
  });

  it('is left alone where another has room', async () => {
    const held = gate();
    await set({ answers: [held.answer, json(CHAT.whole)], settings: [{ concurrency: 1 }] });
    const first = trials.ask();
    await expect.poll(() => held.came.length).toBe(1);
    const second = await trials.ask();
    expect(second.headers).toMatchObject({ 'x-pailou-served-by': 'b/up', 'x-pailou-attempts': '1' });
    await expect.poll(() => trials.server.records.length).toBe(1);
    const [{ failed, route } = {}] = trials.server.records;
    expect(failed).toBe(undefined);
    expect(route && candidatesOf(route).map(({ provider, verdict, reasons }) => [provider, verdict, reasons.at(-1)])).toEqual([
      ['a', 'eligible', 'concurrency_full'],
      ['b', 'chosen', 'priority'],
    ]);
    held.go();
    textOf(await first);
    expect(counts(trials)).toEqual([1, 1]);
  });

  it('is gone back to when the other fails, and waited for where it is still full', async () => {
    const held = gate();
    const failing: Answer = (request, response) => json(CHAT.error(500, 'no'), 500)(request, response);
    await set({ answers: [held.answer, failing], settings: [{ concurrency: 1 }] });
    const first = trials.ask({ text: 'first' });
    await expect.poll(() => held.came).toEqual(['first']);
    const second = trials.ask({ text: 'second' });
    await expect.poll(() => trials.upstreams[1]?.seen.length).toBe(1);
    held.go();
    textOf(await first);
    await expect.poll(() => held.came).toEqual(['first', 'second']);
    held.go();
    expect((await second).headers).toMatchObject({ 'x-pailou-served-by': 'a/up', 'x-pailou-attempts': '2' });
    await expect.poll(() => trials.server.records.length).toBe(2);
    const [, { route } = {}] = trials.server.records;
    expect(route && candidatesOf(route).map(({ provider, verdict }) => `${provider} ${verdict}`)).toEqual(['a eligible', 'b chosen']);
  });

  it('is the chosen one where all are full, and waited for', async () => {
    const held = gate();
    const other = gate();
    await set({ answers: [held.answer, other.answer], settings: [{ concurrency: 1 }, { concurrency: 1 }] });
    const asked = [trials.ask({ text: 'first' })];
    await expect.poll(() => held.came).toEqual(['first']);
    asked.push(trials.ask({ text: 'second' }));
    await expect.poll(() => other.came).toEqual(['second']);
    asked.push(trials.ask({ text: 'third' }));
    await expect.poll(() => trials.server.app.active()).toBe(3);
    held.go();
    await expect.poll(() => held.came).toEqual(['first', 'third']);
    held.go();
    other.go();
    for (const got of await Promise.all(asked)) textOf(got);
    const waited = trials.server.records.find(
      ({ route }) => route && candidatesOf(route).every(({ reasons }) => reasons.includes('concurrency_full')),
    );
    expect(waited?.route && candidatesOf(waited.route).map(({ provider, verdict }) => `${provider} ${verdict}`)).toEqual([
      'a chosen',
      'b eligible',
    ]);
  });

  it('lets those go who do not wait any longer', async () => {
    const held = gate();
    await set({ answers: [held.answer], settings: [{ concurrency: 1 }] });
    const first = trials.ask({ model: 'a/up', text: 'first' });
    await expect.poll(() => held.came.length).toBe(1);
    const leaving = new AbortController();
    const { server } = trials;
    const gone = fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      signal: leaving.signal,
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
      body: JSON.stringify(CHAT.body('a/up', false, 'gone')),
    }).catch(() => 'gone');
    await expect.poll(() => server.app.active()).toBe(2);
    leaving.abort();
    await gone;
    await expect.poll(() => server.app.active()).toBe(1);
    const third = trials.ask({ model: 'a/up', text: 'third' });
    await expect.poll(() => server.app.active()).toBe(2);
    held.go();
    textOf(await first);
    await expect.poll(() => held.came).toEqual(['first', 'third']);
    held.go();
    textOf(await third);
    expect(server.records.find(({ status }) => status === 499)).toMatchObject({ endedBy: 'client', attempts: 0 });
  });

  it('refuses at once when too many wait, and says when to come back', async () => {
    const held = gate();
    await set({ answers: [held.answer], settings: [{ concurrency: 1 }] });
    const asked = Array.from({ length: 251 }, () => trials.ask({ model: 'a/up' }));
    await expect.poll(() => trials.server.app.active(), { timeout: 10_000 }).toBe(251);
    const got = await trials.ask({ model: 'a/up' });
    expect(got.status).toBe(503);
    expect(got.headers['retry-after']).toBe('2');
    expect(got.text).toContain("'concurrency'");
    const letting = setInterval(held.go, 0);
    const all = await Promise.all(asked);
    clearInterval(letting);
    for (const one of all) textOf(one);
  });
});

describe('who may wait', () => {
  const NARROW = { concurrency: 1 };

  it.each([
    ['nobody', 'off' as const, ['loud 503'], "none may wait there ('queue')"],
    ['nobody, as a number', { calls: 0 }, ['loud 503'], "none may wait there ('queue')"],
    ['so many', { calls: 2, perCaller: 2 }, ['loud waits', 'quiet waits', 'quiet 503'], "2 may ('queue.calls')"],
    [
      'so many of one caller',
      { calls: 5, perCaller: 1 },
      ['loud waits', 'loud 503', 'quiet waits', 'quiet 503'],
      "1 of one caller may ('queue.perCaller')",
    ],
    ['for so long', { wait: 50 }, ['quiet 503'], "no call ended in time ('queue.wait')"],
  ])('is as it says: %s', async (_, queue, told, why) => {
    const held = gate();
    await set({ answers: [held.answer], settings: [{ ...NARROW, queue }], config: { keys } });
    const ask = (who: string) => trials.ask({ model: 'a/up', key: `pk-${who}-0123456789` });
    const asked = [ask('loud')];
    await expect.poll(() => held.came.length).toBe(1);
    for (const [who = '', what] of told.map((one) => one.split(' '))) {
      const got = ask(who);
      if (what === 'waits') {
        asked.push(got);
        await expect.poll(() => trials.server.app.active()).toBe(asked.length);
        continue;
      }
      expect((await got).headers['retry-after']).toBe('2');
      expect(await got).toMatchObject({ status: 503, text: expect.stringContaining(why) });
    }
    const letting = setInterval(held.go, 0);
    for (const one of await Promise.all(asked)) textOf(one);
    clearInterval(letting);
  });

  it('and where nobody may, the next is waited for that lets one', async () => {
    const [held, other] = [gate(), gate()];
    await set({ answers: [held.answer, other.answer], settings: [{ ...NARROW, queue: 'off' }, NARROW] });
    const asked = [trials.ask({ text: 'first' })];
    await expect.poll(() => held.came).toEqual(['first']);
    asked.push(trials.ask({ text: 'second' }));
    await expect.poll(() => other.came).toEqual(['second']);
    asked.push(trials.ask({ text: 'third' }));
    await expect.poll(() => trials.server.app.active()).toBe(3);
    other.go();
    await expect.poll(() => other.came).toEqual(['second', 'third']);
    other.go();
    held.go();
    expect((await Promise.all(asked)).map(({ headers }) => headers['x-pailou-served-by'])).toEqual(['a/up', 'b/up', 'b/up']);
    const waited = trials.server.records.find(
      ({ route }) => route && candidatesOf(route).every(({ reasons }) => reasons.includes('concurrency_full')),
    );
    expect(waited?.route && candidatesOf(waited.route).map(({ provider, verdict }) => `${provider} ${verdict}`)).toEqual([
      'a eligible',
      'b chosen',
    ]);
    expect(waited?.failed).toBe(undefined);
  });

  it('and who has waited in vain goes where room is by then, and waits nowhere else', async () => {
    const [held, other] = [gate(), gate()];
    await set({ answers: [held.answer, other.answer], settings: [{ ...NARROW, queue: { wait: 300 } }, NARROW] });
    const asked = [trials.ask({ text: 'first' })];
    await expect.poll(() => held.came).toEqual(['first']);
    asked.push(trials.ask({ text: 'second' }));
    await expect.poll(() => other.came).toEqual(['second']);
    expect(await trials.ask({ text: 'in vain' })).toMatchObject({ status: 503, text: expect.stringContaining('no call ended in time') });
    const waits = trials.ask({ text: 'third' });
    await expect.poll(() => trials.server.app.active()).toBe(3);
    other.go();
    await expect.poll(() => other.came).toEqual(['second', 'third']);
    other.go();
    held.go();
    expect((await waits).headers).toMatchObject({ 'x-pailou-served-by': 'b/up', 'x-pailou-attempts': '1' });
    await Promise.all(asked);
    expect(trials.server.records.find(({ failed }) => failed)?.failed).toEqual('a/up;concurrency_full');
  });
});

it('what a call waits for room is part of its time', async () => {
  const held = gate();
  const timeouts = { connect: 1000, headers: 5000, firstToken: 5000, idle: 5000, total: 700 };
  await set({ answers: [held.answer], settings: [{ concurrency: 1, timeouts }] });
  const first = trials.ask({ model: 'a/up', text: 'first' });
  await expect.poll(() => held.came.length).toBe(1);
  const started = performance.now();
  const second = trials.ask({ model: 'a/up', text: 'second' });
  await expect.poll(() => trials.server.app.active()).toBe(2);
  held.go();
  textOf(await first);
  expect((await second).status).toBe(504);
  expect(performance.now() - started).toBeLessThan(1500);
});

it('and where that ends the wait, the refusal says so', async () => {
  const held = gate();
  const models = { brief: { targets: [{ to: 'a/up', timeouts: { total: 100 } }] } };
  await set({ answers: [held.answer], settings: [{ concurrency: 1 }], config: { models } });
  const first = trials.ask({ model: 'a/up', text: 'first' });
  await expect.poll(() => held.came.length).toBe(1);
  const why = "no call ended in time ('timeouts.total')";
  expect(await trials.ask({ model: 'brief' })).toMatchObject({ status: 503, text: expect.stringContaining(why) });
  held.go();
  textOf(await first);
});

describe('a target of a route that takes one call at once', () => {
  const models = (more: readonly string[] = []) => ({
    narrow: { targets: [{ to: 'a/up', concurrency: 1 }, ...more.map((to) => ({ to }))], strategy: 'priority' as const },
  });

  it('is left alone where another has room', async () => {
    const held = gate();
    await set({ answers: [held.answer, json(CHAT.whole)], config: { models: models(['b/up']) } });
    const first = trials.ask({ model: 'narrow' });
    await expect.poll(() => held.came.length).toBe(1);
    expect((await trials.ask({ model: 'narrow' })).headers['x-pailou-served-by']).toBe('b/up');
    held.go();
    textOf(await first);
    expect(counts(trials)).toEqual([1, 1]);
  });

  it('is waited for where there is none, and takes others by other names meanwhile', async () => {
    const held = gate();
    await set({ answers: [held.answer], config: { models: models() } });
    const first = trials.ask({ model: 'narrow', text: 'first' });
    await expect.poll(() => held.came.length).toBe(1);
    const second = trials.ask({ model: 'narrow', text: 'second' });
    const other = trials.ask({ model: 'a/up', text: 'other' });
    await expect.poll(() => held.came).toEqual(['first', 'other']);
    held.go();
    textOf(await first);
    await expect.poll(() => held.came).toEqual(['first', 'other', 'second']);
    held.go();
    held.go();
    textOf(await second);
    textOf(await other);
  });

  it('says what is full', async () => {
    const held = gate();
    await set({ answers: [held.answer], config: { models: models() } });
    const asked = Array.from({ length: 251 }, () => trials.ask({ model: 'narrow' }));
    await expect.poll(() => trials.server.app.active(), { timeout: 10_000 }).toBe(251);
    const got = await trials.ask({ model: 'narrow' });
    expect(got.status).toBe(503);
    expect(got.text).toContain("Target 'a/up' of 'narrow' is busy to its limit of 1 at once");
    const letting = setInterval(held.go, 0);
    for (const one of await Promise.all(asked)) textOf(one);
    clearInterval(letting);
  });
});

describe('a key that takes one call at once', () => {
  it.each([
    ['two of them take two, the third call waits', [{ concurrency: 1 }, { concurrency: 1 }], ['0', '1'], 2],
    ['beside one without a limit it takes no more', [{ concurrency: 1 }, { weight: 0 }], ['0', '1', '1'], 3],
    ['alone it is waited for', [{ concurrency: 1 }], ['0'], 1],
  ] as const)('%s', async (_, shares, used, most) => {
    const held = gate();
    const paid: string[] = [];
    const answer: Answer = (request, response) => {
      paid.push(String(request.headers.authorization).slice(-1));
      held.answer(request, response);
    };
    const keys = shares.map((share, at) => ({ value: `key-of-a-${at}`, ...share }));
    await set({ answers: [answer], settings: [{ keys }] });
    const asked = ['x', 'y', 'z'].map((text) => trials.ask({ model: 'a/up', text, headers: { 'x-session-id': 'the same' } }));
    await expect.poll(() => held.came.length).toBe(most);
    await expect.poll(() => trials.server.app.active()).toBe(3);
    expect(paid.toSorted()).toEqual(used);
    for (let done = 0; done < 3; done++) {
      await expect.poll(() => held.came.length).toBe(Math.min(3, most + done));
      held.go();
    }
    for (const one of await Promise.all(asked)) textOf(one);
    expect(held.most()).toBe(most);
  });

  it('a limit of the key, of the target and of the provider hold together', async () => {
    const held = gate();
    await set({
      answers: [held.answer],
      settings: [{ concurrency: 2, keys: [{ value: 'key-one-1', concurrency: 1 }, { value: 'key-two-2' }] }],
      config: { models: { narrow: { targets: [{ to: 'a/up', concurrency: 3 }] } } },
    });
    const asked = Array.from({ length: 12 }, (_, at) => trials.ask({ model: at % 2 === 0 ? 'narrow' : 'a/up' }));
    for (let done = 0; done < 12; done++) {
      await expect.poll(() => held.came.length).toBe(Math.min(12, done + 2));
      held.go();
    }
    for (const one of await Promise.all(asked)) textOf(one);
    expect(held.most()).toBe(2);
  });
});
