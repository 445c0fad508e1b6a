import type Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { anthropicAt, at, CALLS, googleAt, openaiAt, PROVIDERS, UPSTREAMS, WAYS, WEATHER } from './stage.ts';

let server: TestServer;

beforeAll(async () => {
  const routes = UPSTREAMS.map((protocol) => [`kept-${protocol}`, { targets: [{ to: at(protocol, 'chat') }], cache: 600_000 }] as const);
  server = await startTestServer({ providers: PROVIDERS, models: Object.fromEntries(routes) });
});
afterAll(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
});

/** What a client's SDK makes of an answer. */
interface Understood {
  readonly text: string;
  readonly calls: readonly unknown[];
  /** What it thought, in dialects that have a word for it. */
  readonly thought?: string;
  readonly end: unknown;
  readonly used: boolean;
}

interface Speaker {
  readonly name: string;
  ask(model: string, prompt: string, streamed: boolean): Promise<Understood>;
}

const SAY = 'Be brief';

const chat: Speaker = {
  name: 'OpenAI chat',
  async ask(model, prompt, streamed) {
    const client = openaiAt(server.url, server.key);
    const params = {
      model,
      max_tokens: 4000,
      messages: [
        { role: 'system' as const, content: SAY },
        { role: 'user' as const, content: prompt },
      ],
      tools: [{ type: 'function' as const, function: { name: 'get_weather', parameters: { ...WEATHER } } }],
    };
    const reply = streamed
      ? await client.chat.completions.stream({ ...params, stream_options: { include_usage: true } }).finalChatCompletion()
      : await client.chat.completions.create(params);
    const [choice] = reply.choices;
    const calls = choice?.message.tool_calls ?? [];
    return {
      text: choice?.message.content ?? '',
      calls: calls.map((call) => (call.type === 'function' ? [call.function.name, JSON.parse(call.function.arguments)] : [])),
      end: choice?.finish_reason,
      used: (reply.usage?.completion_tokens ?? 0) > 0,
    };
  },
};

const responses: Speaker = {
  name: 'OpenAI responses',
  async ask(model, prompt, streamed) {
    const client = openaiAt(server.url, server.key);
    const params = {
      model,
      max_output_tokens: 4000,
      instructions: SAY,
      input: prompt,
      tools: [{ type: 'function' as const, name: 'get_weather', parameters: { ...WEATHER }, strict: null }],
    };
    const reply = streamed ? await client.responses.stream(params).finalResponse() : await client.responses.create(params);
    return {
      text: reply.output_text,
      calls: reply.output.flatMap((item) => (item.type === 'function_call' ? [[item.name, JSON.parse(item.arguments)]] : [])),
      end: reply.status,
      used: (reply.usage?.output_tokens ?? 0) > 0,
    };
  },
};

const messages: Speaker = {
  name: 'Anthropic messages',
  async ask(model, prompt, streamed) {
    const client = anthropicAt(server.url, server.key);
    const params: Anthropic.MessageCreateParamsNonStreaming = {
      model,
      max_tokens: 4000,
      system: SAY,
      messages: [{ role: 'user', content: prompt }],
      tools: [{ name: 'get_weather', input_schema: { ...WEATHER, required: [...WEATHER.required] } }],
    };
    const reply = streamed ? await client.messages.stream(params).finalMessage() : await client.messages.create(params);
    return {
      text: reply.content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
      thought: reply.content
        .map((block) => (block.type === 'thinking' ? `${block.thinking}${block.signature === '' ? '' : ', signed'}` : ''))
        .join(''),
      calls: reply.content.flatMap((block) => (block.type === 'tool_use' ? [[block.name, block.input]] : [])),
      end: reply.stop_reason,
      used: reply.usage.output_tokens > 0,
    };
  },
};

const gemini: Speaker = {
  name: 'Gemini',
  async ask(model, prompt, streamed) {
    const { models } = googleAt(server.url, server.key);
    const params = {
      model,
      contents: prompt,
      config: {
        systemInstruction: SAY,
        maxOutputTokens: 4000,
        tools: [{ functionDeclarations: [{ name: 'get_weather', parametersJsonSchema: { ...WEATHER } }] }],
      },
    };
    const pieces = [];
    if (streamed) for await (const piece of await models.generateContentStream(params)) pieces.push(piece);
    else pieces.push(await models.generateContent(params));
    const parts = pieces.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []);
    return {
      text: parts.map(({ text, thought }) => (thought === true ? '' : (text ?? ''))).join(''),
      thought: parts.map(({ text, thought }) => (thought === true ? text : '')).join(''),
      calls: parts.flatMap(({ functionCall }) => (functionCall ? [[functionCall.name, functionCall.args]] : [])),
      end: pieces.at(-1)?.candidates?.[0]?.finishReason,
      used: (pieces.at(-1)?.usageMetadata?.candidatesTokenCount ?? 0) > 0,
    };
  },
};

const SPEAKERS = [chat, responses, messages, gemini];

const PROMPTS = [
  { what: 'text', prompt: 'Tell me of gates' },
  { what: 'parallel calls of tools', prompt: CALLS },
  { what: 'thoughts before text', prompt: 'Think it over: [[think of gates]]' },
];

describe.each(UPSTREAMS)('kept of a provider of %s, and given again to each SDK as the provider’s own answer', (protocol) => {
  const rows = PROMPTS.flatMap((one) =>
    SPEAKERS.map((first, at) => ({ ...one, name: `${one.what}, first for ${first.name}`, first, streamed: at % 2 === 0 })),
  );
  it.each(rows)('$name', async ({ name, prompt, first, streamed }) => {
    const asked = `${prompt} (${name})`;
    await first.ask(`kept-${protocol}`, asked, streamed);
    const before = server.records.length;
    for (const speaker of SPEAKERS) {
      for (const way of WAYS) {
        const again = await speaker.ask(`kept-${protocol}`, asked, way.streamed);
        const own = await speaker.ask(at(protocol, 'chat'), asked, way.streamed);
        expect([speaker.name, way.way, again]).toEqual([speaker.name, way.way, own]);
      }
    }
    await expect.poll(() => server.records.length).toBe(before + 4 * SPEAKERS.length);
    expect(server.records.slice(before).filter(({ cache }) => cache === 'hit')).toHaveLength(2 * SPEAKERS.length);
  });
});

it('an Idempotency-Key goes with any SDK: the same answer again', async () => {
  const options = { headers: { 'Idempotency-Key': 'from-an-sdk' } };
  const model = at('openai-chat', 'chat');
  const twice = async <T>(ask: () => Promise<T>): Promise<void> => expect(await ask()).toEqual(await ask());
  const openai = openaiAt(server.url, server.key);
  const claude = anthropicAt(server.url, server.key);
  const content = 'Roll a die';
  const user = [{ role: 'user' as const, content }];
  const before = server.records.length;
  await twice(() => openai.chat.completions.create({ model, messages: user }, { headers: { 'Idempotency-Key': 'a' } }));
  await twice(() =>
    openai.chat.completions.stream({ model, messages: user }, { headers: { 'Idempotency-Key': 'b' } }).finalChatCompletion(),
  );
  await twice(() => openai.responses.create({ model, input: content }, { headers: { 'Idempotency-Key': 'c' } }));
  await twice(() => openai.responses.stream({ model, input: content }, { headers: { 'Idempotency-Key': 'd' } }).finalResponse());
  await twice(() => claude.messages.create({ model, max_tokens: 100, messages: user }, { headers: { 'Idempotency-Key': 'e' } }));
  await twice(() =>
    claude.messages.stream({ model, max_tokens: 100, messages: user }, { headers: { 'Idempotency-Key': 'f' } }).finalMessage(),
  );
  const google = googleAt(server.url, server.key);
  const ask = async (): Promise<unknown> =>
    (await google.models.generateContent({ model, contents: content, config: { httpOptions: options } })).candidates;
  await twice(ask);
  await expect.poll(() => server.records.length).toBe(before + 14);
  expect(server.records.slice(before).filter(({ cache }) => cache === 'repeat')).toHaveLength(7);
});
