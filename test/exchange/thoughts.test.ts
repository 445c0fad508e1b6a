import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeUpstream, json, startUpstream, stream } from '../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';
import type { Data } from './dialects.ts';
import { call } from './stage.ts';

let upstream: FakeUpstream;
let server: TestServer;
beforeAll(async () => {
  upstream = await startUpstream();
  const at = { baseUrl: upstream.url, key: 'up-secret', protocols: ['openai-chat'] as const };
  server = await startTestServer({
    providers: {
      deepseek: { preset: 'deepseek', ...at },
      moonshot: { preset: 'moonshot', ...at },
      zai: { preset: 'zai', ...at },
      together: { preset: 'together', ...at },
      plain: { preset: 'openai-compatible', ...at },
    },
  });
});
beforeEach(() => {
  upstream.seen.length = 0;
});
afterAll(async () => {
  await server.close();
  await upstream.close();
  expect(server.defects).toEqual([]);
});

const THOUGHT = 'I look it up 牌楼.';
const TOOL_CALL = { id: 'call_8xYbZk27LqPaWn3v', type: 'function', function: { name: 'lookup', arguments: '{"q":"a"}' } };
const USAGE = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 };
const MESSAGE = { role: 'assistant', content: '', reasoning_content: THOUGHT, tool_calls: [TOOL_CALL] };
const WHOLE = {
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'up',
  choices: [{ index: 0, message: MESSAGE, finish_reason: 'tool_calls' }],
  usage: USAGE,
};
const chunk = (delta: Data, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'up', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const EVENTS = [
  chunk({ role: 'assistant', reasoning_content: 'I look it ' }),
  chunk({ reasoning_content: 'up 牌楼.' }),
  chunk({ tool_calls: [{ index: 0, ...TOOL_CALL }] }),
  chunk({}, 'tool_calls'),
  'data: [DONE]\n\n',
];

const TOOLS = [{ type: 'function', function: { name: 'lookup', parameters: { type: 'object', properties: { q: { type: 'string' } } } } }];
const bodyOf = (model: string, more: readonly Data[], extra: Data = {}): Data => ({
  model,
  vendor_field: { kept: [1, null] },
  messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'look it up' }, ...more],
  tools: TOOLS,
  ...extra,
});
const BARE = [
  { role: 'assistant', content: null, tool_calls: [TOOL_CALL] },
  { role: 'tool', tool_call_id: TOOL_CALL.id, content: 'found' },
];

const ask = (body: Data, headers: Record<string, string> = {}): ReturnType<typeof call> =>
  call(`${server.url}/v1/chat/completions`, JSON.stringify(body), { authorization: `Bearer ${server.key}`, ...headers });
const sent = (): Data => JSON.parse(upstream.seen.at(-1)?.body ?? '{}');

const MODELS = [
  { model: 'deepseek/deepseek-v4-pro', field: 'reasoning_content' },
  { model: 'moonshot/kimi-k2-thinking', field: 'reasoning_content' },
  { model: 'zai/glm-5.2', field: 'reasoning_content' },
  { model: 'together/moonshotai/Kimi-K2-Thinking', field: 'reasoning' },
];

describe.each(MODELS)('a chat client that knows no $field, and $model', ({ model, field }) => {
  it.each([false, true])('the thought comes back to its maker (streamed: %s), and the reply passes as it came', async (streamed) => {
    upstream.answer = streamed ? stream(EVENTS) : json(WHOLE);
    const first = await ask(bodyOf(model, [], { stream: streamed, stream_options: { include_usage: true } }));
    expect(first.text).toBe(streamed ? EVENTS.join('') : JSON.stringify(WHOLE));
    upstream.answer = json(WHOLE);
    expect((await ask(bodyOf(model, BARE))).status).toBe(200);
    const { messages, vendor_field, tools } = sent();
    expect(messages[2]).toMatchObject({ role: 'assistant', [field]: THOUGHT, tool_calls: [TOOL_CALL] });
    expect([messages[0], messages[1], messages[3]]).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'look it up' },
      { role: 'tool', tool_call_id: TOOL_CALL.id, content: 'found' },
    ]);
    expect({ vendor_field, tools }).toEqual({ vendor_field: { kept: [1, null] }, tools: TOOLS });
  });
});

describe('the raw lane stays raw', () => {
  const model = 'deepseek/deepseek-v4-pro';
  it('where the client brings the thought itself', async () => {
    upstream.answer = json(WHOLE);
    await ask(bodyOf(model, []));
    const body = bodyOf(model, [{ ...BARE[0], reasoning_content: 'My own words.' }, BARE[1]]);
    await ask(body);
    expect(upstream.seen.at(-1)?.body).toBe(JSON.stringify({ ...body, model: 'deepseek-v4-pro' }));
  });

  it('where nothing is kept', async () => {
    upstream.answer = json(WHOLE);
    const body = bodyOf(model, [{ ...BARE[0], tool_calls: [{ ...TOOL_CALL, id: 'call_nobody-knows-it' }] }, BARE[1]]);
    await ask(body);
    expect(upstream.seen.at(-1)?.body).toBe(JSON.stringify({ ...body, model: 'deepseek-v4-pro' }));
  });

  it('where the provider does not ask for it', async () => {
    upstream.answer = json(WHOLE);
    await ask(bodyOf('plain/some-model', []));
    await ask(bodyOf('plain/some-model', BARE));
    expect(upstream.seen.at(-1)?.body).toBe(JSON.stringify({ ...bodyOf('plain/some-model', BARE), model: 'some-model' }));
  });

  it('where the body cannot be read: its provider says so', async () => {
    upstream.answer = json({ error: { message: 'messages must be a list', type: 'invalid_request_error' } }, 400);
    const got = await ask({ model, messages: 'no list', tools: TOOLS });
    expect([got.status, JSON.parse(got.text).error.message]).toEqual([400, 'messages must be a list']);
  });

  it('where the answer cannot be read', async () => {
    upstream.answer = json({ choices: 'none' });
    expect((await ask(bodyOf(model, []))).text).toBe('{"choices":"none"}');
  });
});

interface Other {
  readonly name: string;
  readonly path: (model: string) => string;
  readonly body: (model: string, more: readonly Data[]) => Data;
  /** The client's next turns: its tool call bare of thoughts, and the result. */
  readonly next: (reply: Data) => readonly Data[];
}

const PARAMETERS = TOOLS[0]?.function.parameters ?? {};
const OTHERS: readonly Other[] = [
  {
    name: 'an Anthropic client',
    path: () => '/v1/messages',
    body: (model, more) => ({
      model,
      max_tokens: 1000,
      messages: [{ role: 'user', content: 'look it up' }, ...more],
      tools: [{ name: 'lookup', input_schema: PARAMETERS }],
    }),
    next: ({ content }) => {
      const use = content.find((block: Data) => block.type === 'tool_use');
      return [
        { role: 'assistant', content: [use] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: use.id, content: 'found' }] },
      ];
    },
  },
  {
    name: 'a Responses client',
    path: () => '/v1/responses',
    body: (model, more) => ({
      model,
      store: false,
      input: [{ role: 'user', content: 'look it up' }, ...more],
      tools: [{ type: 'function', name: 'lookup', parameters: PARAMETERS, strict: false }],
    }),
    next: ({ output }) => {
      const called = output.find((item: Data) => item.type === 'function_call');
      return [called, { type: 'function_call_output', call_id: called.call_id, output: 'found' }];
    },
  },
  {
    name: 'a Gemini client',
    path: (model) => `/v1beta/models/${model}:generateContent`,
    body: (_model, more) => ({
      contents: [{ role: 'user', parts: [{ text: 'look it up' }] }, ...more],
      tools: [{ functionDeclarations: [{ name: 'lookup', parametersJsonSchema: PARAMETERS }] }],
    }),
    next: ({ candidates }) => {
      const { functionCall } = candidates[0].content.parts.find((part: Data) => part.functionCall);
      return [
        { role: 'model', parts: [{ functionCall }] },
        { role: 'user', parts: [{ functionResponse: { id: functionCall.id, name: 'lookup', response: { output: 'found' } } }] },
      ];
    },
  },
];

describe.each(OTHERS)('$name that keeps no thoughts', ({ path, body, next }) => {
  it.each(MODELS)('$model gets its own back', async ({ model, field }) => {
    const send = async (more: readonly Data[]): Promise<Data> => {
      upstream.answer = json(WHOLE);
      const got = await call(server.url + path(model), JSON.stringify(body(model, more)), { authorization: `Bearer ${server.key}` });
      expect(got.status, got.text).toBe(200);
      return JSON.parse(got.text);
    };
    await send(next(await send([])));
    expect(sent().messages.find((message: Data) => message.role === 'assistant')).toMatchObject({
      [field]: THOUGHT,
      tool_calls: [TOOL_CALL],
    });
  });
});
