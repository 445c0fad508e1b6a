import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, stream } from '../../fakes/upstream.ts';
import { chat, type Data, type Dialect, DIALECTS, gemini, messages, responses, TEXT } from '../dialects.ts';
import { type Got, setStage, type Stage, told } from '../stage.ts';
import { answering, keeping, OTHER_KEY, put, type Question } from './asking.ts';

let stage: Stage;
let clock = 1_700_000_000_000;

beforeAll(async () => {
  stage = await setStage(keeping(), { clock: { now: () => clock, monotonic: () => performance.now() } });
});
afterAll(() => stage.close());

const heard = (client: Dialect, got: Got, isStream: boolean): string => {
  if (!isStream) return client.wholeText(JSON.parse(got.text));
  const { text, finished, error } = told(client, got);
  expect([finished, error]).toEqual([true, undefined]);
  return text;
};

const FORMS = [false, true];

describe('an answer is given again, in whatever protocol and form it was first given', () => {
  const rows = DIALECTS.flatMap((upstream) =>
    DIALECTS.flatMap((first) =>
      FORMS.map((isStream) => ({ name: `${upstream.id} for ${first.id}, ${isStream ? 'streamed' : 'whole'}`, upstream, first, isStream })),
    ),
  );
  it.each(rows)('$name', async ({ name, upstream, first, isStream }) => {
    stage.upstream.answer = answering(upstream);
    const before = stage.upstream.seen.length;
    const model = `kept-${upstream.provider}`;
    const made = await put(stage, { client: first, model, stream: isStream, text: name });
    expect([made.status, made.headers['x-pailou-cache'], made.headers['age']]).toEqual([200, 'miss', undefined]);
    expect(heard(first, made, isStream)).toBe(TEXT);
    clock += 7000;
    for (const client of DIALECTS) {
      for (const form of FORMS) {
        const got = await put(stage, { client, model, stream: form, text: name });
        expect([client.id, form, got.status, got.headers['x-pailou-cache'], got.headers['age']]).toEqual([
          client.id,
          form,
          200,
          'hit',
          '7',
        ]);
        expect(heard(client, got, form)).toBe(TEXT);
        expect(got.headers['x-pailou-served-by']).toBe(`${upstream.provider}/up`);
        expect(got.headers['x-pailou-request-id']).not.toBe(made.headers['x-pailou-request-id']);
        if (client === first && form === isStream) expect(got.text).toBe(made.text);
      }
    }
    expect(stage.upstream.seen.length - before).toBe(1);
  });
});

/** How often the provider is asked, and what the answers say of the cache, when these come one after another. */
async function asked(...questions: readonly Partial<Question>[]): Promise<{ calls: number; told: readonly unknown[] }> {
  stage.upstream.answer = answering(chat);
  const before = stage.upstream.seen.length;
  const said: unknown[] = [];
  for (const one of questions) said.push((await put(stage, { client: chat, model: 'kept-oai', ...one })).headers['x-pailou-cache']);
  return { calls: stage.upstream.seen.length - before, told: said };
}

describe('what makes another question', () => {
  const rows: readonly { readonly name: string; readonly first?: Partial<Question>; readonly second: Partial<Question> }[] = [
    { name: 'another text', second: { text: 'something else' } },
    { name: 'another temperature', second: { body: { temperature: 0.1 } } },
    { name: 'a bound on the answer', second: { body: { max_tokens: 99 } } },
    { name: 'a seed', second: { body: { seed: 7 } } },
    { name: 'two answers', second: { body: { n: 2 } } },
    { name: 'a member that only the dialect knows', second: { body: { logit_bias: { 50256: -100 } } } },
    { name: 'a tool', second: { body: { tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }] } } },
    {
      name: 'a schema whose members stand in another order',
      first: {
        body: { tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object', properties: { a: {}, b: {} } } } }] },
      },
      second: {
        body: { tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object', properties: { b: {}, a: {} } } } }] },
      },
    },
    { name: 'strictness', second: { headers: { 'x-strict': '1' } } },
    { name: 'a wish for certain providers', second: { body: { provider: { only: ['oai'] } } } },
    { name: 'a wish to be without some', second: { body: { provider: { ignore: ['ant'] } } } },
    { name: 'other collection of data', second: { body: { provider: { data_collection: 'allow' } } } },
    { name: 'names to go to after it', second: { body: { models: ['kept-oai', 'kept-claude'] } } },
    {
      name: 'a beta of the dialect',
      first: { client: messages },
      second: { client: messages, headers: { 'anthropic-beta': 'some-beta' } },
    },
    { name: 'another key', second: { key: OTHER_KEY } },
    { name: 'another model', second: { model: 'also-oai' } },
  ];
  it.each(rows)('$name', async ({ name, first = {}, second }) => {
    expect(await asked({ text: name, ...first }, { text: name, ...second })).toEqual({ calls: 2, told: ['miss', 'miss'] });
  });
});

describe('what makes no other question', () => {
  const rows: readonly { readonly name: string; readonly second: Partial<Question> }[] = [
    { name: 'whose user it is for', second: { body: { user: 'someone' } } },
    { name: 'whom a provider knows its user by', second: { body: { safety_identifier: 'someone' } } },
    { name: 'metadata', second: { body: { metadata: { trace: '1' } } } },
    { name: 'one answer, in so many words', second: { body: { n: 1 } } },
    { name: 'a member that is null', second: { body: { seed: null } } },
    { name: 'a mark for the provider’s own cache', second: { client: messages, body: { cache_control: { type: 'ephemeral' } } } },
    { name: 'no report of usage', second: { stream: true, body: { stream_options: { include_usage: false } } } },
    {
      name: 'the version that all clients of a dialect send',
      second: { client: messages, headers: { 'anthropic-version': '2023-06-01' } },
    },
  ];
  it.each(rows)('$name', async ({ name, second }) => {
    expect(await asked({ text: name }, { text: name, ...second })).toEqual({ calls: 1, told: ['miss', 'hit'] });
  });
});

it('a conversation with tools and images means the same in every dialect that can say it', async () => {
  stage.upstream.answer = answering(chat);
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  const schema = { type: 'object', properties: { a: { type: 'number' } } };
  const model = 'kept-oai';
  const calls = [1, 2].map((a) => ({ id: `call_${a}`, arguments: `{"a":${a}}` }));
  const asChat = {
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'look' },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
        ],
      },
      {
        role: 'assistant',
        content: 'ok',
        tool_calls: calls.map((one) => ({ id: one.id, type: 'function', function: { name: 'f', arguments: one.arguments } })),
      },
      ...calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: '42' })),
      { role: 'user', content: 'and now?' },
    ],
    tools: [{ type: 'function', function: { name: 'f', parameters: schema } }],
  };
  const asMessages = {
    system: undefined,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'look' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'ok' },
          ...calls.map((one) => ({ type: 'tool_use', id: one.id, name: 'f', input: JSON.parse(one.arguments) as Data })),
        ],
      },
      {
        role: 'user',
        content: [...calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: '42' })), { type: 'text', text: 'and now?' }],
      },
    ],
    tools: [{ name: 'f', input_schema: schema }],
  };
  const asResponses = {
    instructions: undefined,
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'look' },
          { type: 'input_image', image_url: `data:image/png;base64,${png}` },
        ],
      },
      { role: 'assistant', content: 'ok' },
      ...calls.map((one) => ({ type: 'function_call', call_id: one.id, name: 'f', arguments: one.arguments })),
      ...calls.map(({ id }) => ({ type: 'function_call_output', call_id: id, output: '42' })),
      { role: 'user', content: 'and now?' },
    ],
    tools: [{ type: 'function', name: 'f', parameters: schema }],
  };
  const told = [
    await put(stage, { client: chat, model, body: asChat }),
    await put(stage, { client: messages, model, body: asMessages }),
    await put(stage, { client: responses, model, body: asResponses }),
  ];
  expect(told.map(({ status, headers }) => [status, headers['x-pailou-cache']])).toEqual([
    [200, 'miss'],
    [200, 'hit'],
    [200, 'hit'],
  ]);
});

it('what was lost of the question is said with every answer to it', async () => {
  stage.upstream.answer = answering(messages);
  const ask = { model: 'kept-claude', text: 'with a seed' };
  const told = [
    await put(stage, { ...ask, client: chat, body: { seed: 7 } }),
    await put(stage, { ...ask, client: chat, body: { seed: 7 } }),
    await put(stage, { ...ask, client: gemini, body: { generationConfig: { maxOutputTokens: 100, temperature: 0, seed: 7 } } }),
    await put(stage, { ...ask, client: chat, stream: true, body: { seed: 7 } }),
  ];
  expect(told.map(({ headers }) => [headers['x-pailou-cache'], headers['x-pailou-notes']])).toEqual([
    ['miss', 'seed;dropped'],
    ['hit', 'seed;dropped'],
    ['hit', 'seed;dropped'],
    ['hit', 'seed;dropped'],
  ]);
});

describe('what a client says of kept answers', () => {
  const rows: readonly { readonly control: string; readonly second: unknown; readonly third: unknown; readonly calls: number }[] = [
    { control: 'no-cache', second: 'bypass', third: 'hit', calls: 2 },
    { control: 'No-Cache', second: 'bypass', third: 'hit', calls: 2 },
    { control: 'no-store', second: 'bypass', third: 'hit', calls: 2 },
    { control: 'max-age=0', second: 'miss', third: 'hit', calls: 2 },
    { control: 'max-age=60', second: 'hit', third: 'hit', calls: 1 },
    { control: 'nothing-known', second: 'hit', third: 'hit', calls: 1 },
  ];
  it.each(rows)('cache-control: $control', async ({ control, second, third, calls }) => {
    const text = `control ${control}`;
    await asked({ text });
    clock += 1000;
    expect(await asked({ text, headers: { 'cache-control': control } }, { text })).toEqual({ calls: calls - 1, told: [second, third] });
  });

  it('no-store keeps nothing either', async () => {
    const once = { text: 'kept by nobody', headers: { 'cache-control': 'no-store' } };
    expect(await asked(once, { text: once.text })).toEqual({ calls: 2, told: ['bypass', 'miss'] });
  });
});

describe('what is never given again', () => {
  const choice = (finish: string): Data => ({
    ...chat.whole,
    choices: [{ index: 0, message: { role: 'assistant', content: 'No' }, finish_reason: finish }],
  });
  const rows: readonly {
    readonly name: string;
    readonly answer: Parameters<typeof json>;
    readonly status: number;
    readonly stream?: boolean;
  }[] = [
    { name: 'a mistake of the caller', answer: [chat.error(400, 'no such thing'), 400], status: 400 },
    { name: 'a provider that is down', answer: ['down', 500], status: 502 },
    { name: 'a limit', answer: [chat.error(429, 'slow down'), 429], status: 429 },
    { name: 'an answer that was filtered', answer: [choice('content_filter')], status: 200 },
    { name: 'an end that nobody knows', answer: [choice('whatever')], status: 200 },
    { name: 'half an answer', answer: ['{"id":"x","choi'], status: 502 },
    { name: 'an error with status 200', answer: [{ error: { message: 'it broke', type: 'server_error' } }], status: 502 },
  ];
  it.each(rows)('$name', async ({ name, answer, status }) => {
    const before = stage.upstream.seen.length;
    stage.upstream.answer = json(...answer);
    const refused = await put(stage, { client: chat, model: 'kept-oai', text: name });
    expect(refused.status).toBe(status);
    const calls = stage.upstream.seen.length - before;
    expect(calls).toBeGreaterThan(0);
    stage.upstream.answer = answering(chat);
    const again = await put(stage, { client: chat, model: 'kept-oai', text: name });
    expect([again.status, again.headers['x-pailou-cache'], chat.wholeText(JSON.parse(again.text))]).toEqual([200, 'miss', TEXT]);
  });

  it('a stream that was cut', async () => {
    stage.upstream.answer = stream(chat.events.slice(0, 3));
    const cut = await put(stage, { client: chat, model: 'kept-oai', stream: true, text: 'cut' });
    expect(told(chat, cut).finished).toBe(false);
    expect(await asked({ text: 'cut' })).toEqual({ calls: 1, told: ['miss'] });
  });

  it('a tool that does something at the provider', async () => {
    stage.upstream.answer = answering(responses);
    const question = {
      client: responses,
      model: 'kept-resp',
      body: { tools: [{ type: 'code_interpreter', container: { type: 'auto' } }] },
    };
    const before = stage.upstream.seen.length;
    for (const _ of [1, 2]) expect((await put(stage, question)).headers['x-pailou-cache']).toBe('bypass');
    expect(stage.upstream.seen.length - before).toBe(2);
  });

  it('a response that goes on from another', async () => {
    stage.upstream.answer = answering(chat);
    const question = { client: responses, model: 'kept-oai', text: 'to be continued' };
    const { id } = JSON.parse((await put(stage, { ...question, body: { store: true } })).text) as Data;
    const before = stage.upstream.seen.length;
    for (const _ of [1, 2]) {
      const got = await put(stage, { ...question, body: { store: true, previous_response_id: id } });
      expect([got.status, got.headers['x-pailou-cache']]).toEqual([200, 'bypass']);
    }
    expect(stage.upstream.seen.length - before).toBe(2);
  });
});

it('an answer is gone when its time is over', async () => {
  const text = 'for a minute';
  await asked({ text });
  clock += 59_000;
  expect(await asked({ text })).toEqual({ calls: 0, told: ['hit'] });
  clock += 2000;
  expect(await asked({ text }, { text })).toEqual({ calls: 1, told: ['miss', 'hit'] });
});

it('a hit is a record of its own, without usage: that stands in the record of the call that was made', async () => {
  const before = stage.server.records.length;
  await asked({ text: 'recorded' }, { text: 'recorded', client: messages, stream: true });
  await expect.poll(() => stage.server.records.length).toBe(before + 2);
  const [made, given] = stage.server.records.slice(before);
  expect(made).toMatchObject({ attempts: 1, input: 5, output: 3, provider: 'oai', endedBy: 'upstream' });
  expect(given).toMatchObject({
    cache: 'hit',
    attempts: 0,
    status: 200,
    provider: 'oai',
    model: 'up',
    protocol: 'anthropic-messages',
    stop: 'stop',
    endedBy: 'gateway',
    route: { o: ['1cA oai/up'] },
  });
  expect(given).not.toHaveProperty('input');
});

it('a response that the gateway stores has an id of its own, whoever was told the same before', async () => {
  stage.upstream.answer = answering(chat);
  const question = { client: responses, model: 'kept-oai', text: 'stored', body: { store: true } } as const;
  const [first, second] = [await put(stage, question), await put(stage, question)];
  expect([first.headers['x-pailou-cache'], second.headers['x-pailou-cache']]).toEqual(['miss', 'hit']);
  const ids = [first, second].map(({ text }) => JSON.parse(text).id as string);
  expect(ids[0]).not.toBe(ids[1]);
  for (const id of ids) {
    const got = await fetch(`${stage.server.url}/v1/responses/${id}`, { headers: { authorization: `Bearer ${stage.server.key}` } });
    expect(((await got.json()) as Data).output[0].content[0].text).toBe(TEXT);
  }
});
