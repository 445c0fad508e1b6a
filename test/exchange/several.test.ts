import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, conduct, json, stream } from '../fakes/upstream.ts';
import { chat, type Data, dataOf, type Dialect, messages, responses } from './dialects.ts';
import { call, type Got, lastRecord, setStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  // A chat server whose preset says that it gives one answer a call.
  stage = await setStage();
  const { config } = stage.server.app.snapshot();
  const single = { preset: 'groq', baseUrl: stage.upstream.url, key: 'up-secret' };
  const narrow = { ...single, concurrency: 1 };
  stage.server.app.reload({ ...config, providers: { ...config.providers, single, narrow } });
});
afterAll(() => stage.close());

/** Each call gets an answer of its own: its number in the text, wherever the wire has it. */
function numbered(upstream: Dialect, streamed: boolean): Answer {
  let calls = 0;
  return (seen, response) => {
    const mark = `answer ${calls++}`;
    const text = streamed ? upstream.events.join('').replaceAll('three.', mark) : JSON.stringify(upstream.whole).replaceAll('three.', mark);
    (streamed ? stream([text]) : json(text))(seen, response);
  };
}

const ask = (model: string, more: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Got> =>
  call(`${stage.server.url}/v1/chat/completions`, JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }], ...more }), {
    authorization: `Bearer ${stage.server.key}`,
    ...headers,
  });

const TARGETS: readonly { name: string; model: string; upstream: Dialect }[] = [
  { name: 'Anthropic', model: 'claude/up', upstream: messages },
  { name: 'Responses', model: 'resp/up', upstream: responses },
  { name: 'a chat server without n', model: 'single/up', upstream: chat },
];

describe.each(TARGETS)('several answers from $name', ({ model, upstream }) => {
  it('are one call each, merged as choices, with all of their usage', async () => {
    const before = stage.server.records.length;
    stage.upstream.seen.length = 0;
    stage.upstream.answer = numbered(upstream, false);
    const got = await ask(model, { n: 3, seed: 7 });
    const body: Data = JSON.parse(got.text);
    expect(got.status, got.text).toBe(200);
    expect(body.choices.map((choice: Data) => choice.index)).toEqual([0, 1, 2]);
    expect(body.choices.map((choice: Data) => choice.message.content.slice(-8)).toSorted()).toEqual(['answer 0', 'answer 1', 'answer 2']);
    expect(body.choices.every((choice: Data) => choice.finish_reason === 'stop')).toBe(true);
    expect(body.usage).toMatchObject({ prompt_tokens: 15, completion_tokens: 9, total_tokens: 24 });
    expect(got.headers['x-pailou-notes']).toContain('n;emulated');
    expect(stage.upstream.seen.length).toBe(3);
    for (const { body: sent } of stage.upstream.seen) expect(JSON.parse(sent)).not.toHaveProperty('n');
    expect(await lastRecord(stage, before + 1)).toMatchObject({ input: 15, output: 9, stop: 'stop' });
  });

  it('stream choice by choice', async () => {
    stage.upstream.answer = numbered(upstream, true);
    const got = await ask(model, { n: 3, stream: true, stream_options: { include_usage: true } });
    const data = dataOf(got.text);
    expect(got.status).toBe(200);
    const texts = ['', '', ''];
    const finished = new Set<number>();
    for (const one of data) {
      for (const choice of one.choices ?? []) {
        texts[choice.index] += choice.delta.content ?? '';
        if (choice.finish_reason) finished.add(choice.index);
      }
    }
    expect(texts.map((text) => text.slice(-8)).toSorted()).toEqual(['answer 0', 'answer 1', 'answer 2']);
    expect([...finished].toSorted()).toEqual([0, 1, 2]);
    expect(data.find((one) => one.usage)?.usage).toMatchObject({ prompt_tokens: 15, completion_tokens: 9 });
    expect(data.at(-1)).toBe('[DONE]');
  });

  it('fail together, with the status of the one that failed', async () => {
    let calls = 0;
    const good = numbered(upstream, false);
    stage.upstream.answer = (seen, response) => {
      if (calls++ === 1) json(upstream.error(429, 'slow down'), 429, { 'retry-after': '3' })(seen, response);
      else good(seen, response);
    };
    const got = await ask(model, { n: 3 });
    expect(got.status).toBe(429);
    expect(chat.envelope(JSON.parse(got.text), 429).message).toBe('slow down');
    expect(got.headers['retry-after']).toBe('3');
  });

  it('are let go when one of them breaks in mid-stream', async () => {
    const plays = [conduct(), conduct()];
    let at = 0;
    stage.upstream.answer = (seen, response) => plays[at++]?.answer(seen, response);
    const asked = ask(model, { n: 2, stream: true });
    const [one, two] = plays as [ReturnType<typeof conduct>, ReturnType<typeof conduct>];
    await Promise.all([one.asked, two.asked]);
    for (const play of [one, two]) {
      play.head();
      await play.write(upstream.events.slice(0, upstream.before - 1).join(''));
    }
    two.cut('fin');
    await one.hungUp;
    const data = dataOf((await asked).text);
    expect(chat.isFinished(data)).toBe(false);
    expect(chat.errorIn(data)).toBeTypeOf('string');
  });

  it('are let go when the client leaves', async () => {
    const before = stage.server.records.length;
    const plays = [conduct(), conduct()];
    let at = 0;
    stage.upstream.answer = (seen, response) => plays[at++]?.answer(seen, response);
    const gone = new AbortController();
    const asked = fetch(`${stage.server.url}/v1/chat/completions`, {
      method: 'POST',
      signal: gone.signal,
      headers: { authorization: `Bearer ${stage.server.key}` },
      body: JSON.stringify({ ...chat.body(model, true), n: 2 }),
    }).catch(() => undefined);
    await Promise.all(plays.map((play) => play.asked));
    gone.abort();
    await Promise.all(plays.map((play) => play.hungUp));
    await asked;
    expect(await lastRecord(stage, before + 1)).toMatchObject({ endedBy: 'client' });
  });
});

describe('bounds of several answers', () => {
  it.each([9, 100])('%i are too many where they are emulated', async (n) => {
    const got = await ask('claude/up', { n });
    expect(got.status).toBe(400);
    expect(chat.envelope(JSON.parse(got.text), 400)).toMatchObject({ param: 'n' });
  });

  it.each(['two', 0, -1, 1.5])('n = %j is refused by name', async (n) => {
    const got = await ask('claude/up', { n });
    expect(got.status).toBe(400);
    expect(chat.envelope(JSON.parse(got.text), 400)).toMatchObject({ param: 'n' });
  });

  it('a server that gives several is asked for them in one call', async () => {
    stage.upstream.seen.length = 0;
    stage.upstream.answer = json(chat.whole);
    await ask('oai/up', { n: 3 });
    expect(stage.upstream.seen.map(({ body }) => JSON.parse(body).n)).toEqual([3]);
  });

  it('strict takes what is emulated', async () => {
    stage.upstream.answer = numbered(messages, false);
    expect((await ask('claude/up', { n: 2, max_tokens: 10 }, { 'x-strict': '1' })).status).toBe(200);
  });
});

describe('several answers of a target that takes one call at a time', () => {
  /** Answers each call a little later, and counts how many are under way. */
  function counting(answer: Answer): { readonly answer: Answer; readonly most: () => number } {
    let running = 0;
    let most = 0;
    return {
      most: () => most,
      answer(seen, response) {
        most = Math.max(most, ++running);
        response.on('close', () => running--);
        setImmediate(() => answer(seen, response));
      },
    };
  }

  it.each([false, true])('come one after another; stream: %s', async (streamed) => {
    const counted = counting(numbered(chat, streamed));
    stage.upstream.answer = counted.answer;
    const got = await ask('narrow/up', { n: 4, stream: streamed });
    expect(got.status, got.text).toBe(200);
    expect(counted.most()).toBe(1);
    const said: Data[] = streamed ? dataOf(got.text) : [JSON.parse(got.text)];
    const choices = new Set(said.flatMap((one) => one.choices ?? []).map((choice: Data) => choice.index));
    expect(choices).toEqual(new Set([0, 1, 2, 3]));
    for (let at = 0; at < 4; at++) expect(got.text).toContain(`answer ${at}`);
  });

  it('and none after one that failed', async () => {
    let calls = 0;
    stage.upstream.answer = (seen, response) => (++calls > 1 ? json(chat.error(400, 'no'), 400) : json(chat.whole))(seen, response);
    expect((await ask('narrow/up', { n: 4 })).status).toBe(400);
    expect(calls).toBe(2);
  });
});
