import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI, type Part as GeminiPart, Type } from '@google/genai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProtocolId } from '../../src/ir/index.ts';
import { startTestServer, type TestServer } from '../server.ts';

/** Each upstream protocol is one provider: the built-in one, asked in that protocol only. */
const UPSTREAMS: readonly ProtocolId[] = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'];
const nameOf = (protocol: ProtocolId): string => `up-${protocol}`;
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    providers: Object.fromEntries(UPSTREAMS.map((protocol) => [nameOf(protocol), { preset: 'sandbox', protocols: [protocol] }])),
  });
});
afterAll(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
});

const openai = (): OpenAI => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.key, maxRetries: 0 });
const anthropic = (): Anthropic => new Anthropic({ baseURL: server.url, apiKey: server.key, maxRetries: 0 });
const google = (): GoogleGenAI => new GoogleGenAI({ apiKey: server.key, httpOptions: { baseUrl: server.url } });

const WEATHER = {
  type: 'object',
  properties: { city: { type: 'string' }, unit: { type: 'string', enum: ['c', 'f'] } },
  required: ['city'],
} as const;
const CALL = 'Look it up: [[call get_weather {"city":"Suzhou"}]]';
const CALLS = `${CALL} [[call get_weather {"city":"Hangzhou"}]]`;

describe.each(UPSTREAMS)('OpenAI Chat SDK over %s', (protocol) => {
  const model = `${nameOf(protocol)}/echo`;
  const chat = `${nameOf(protocol)}/chat`;
  const tools = [
    { type: 'function' as const, function: { name: 'get_weather', parameters: WEATHER as unknown as Record<string, unknown> } },
  ];

  it('plain', async () => {
    const reply = await openai().chat.completions.create({ model, messages: [{ role: 'user', content: 'say 牌楼' }] });
    expect(reply.choices[0]?.message.content).toContain('牌楼');
    expect(reply.choices[0]?.finish_reason).toBe('stop');
    expect(reply.usage?.total_tokens).toBeGreaterThan(0);
  });

  it('streamed', async () => {
    const stream = await openai().chat.completions.create({
      model,
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'say 牌楼 🏮' }],
    });
    let text = '';
    let total = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      total = chunk.usage?.total_tokens ?? total;
    }
    expect(text).toContain('牌楼 🏮');
    expect(total).toBeGreaterThan(0);
  });

  it('a tools round trip, and parallel calls', async () => {
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: CALLS }];
    const first = await openai().chat.completions.create({ model: chat, messages, tools });
    const message = first.choices[0]?.message;
    expect(first.choices[0]?.finish_reason).toBe('tool_calls');
    expect(message?.tool_calls?.map((call) => (call.type === 'function' ? JSON.parse(call.function.arguments) : undefined))).toEqual([
      { city: 'Suzhou' },
      { city: 'Hangzhou' },
    ]);
    if (!message) throw new Error('no message');
    messages.push(
      message,
      ...(message.tool_calls ?? []).map((call, at) => ({
        role: 'tool' as const,
        tool_call_id: call.id,
        content: `{"degrees":${21 + at}}`,
      })),
    );
    const second = await openai().chat.completions.create({ model: chat, messages, tools });
    expect(second.choices[0]?.message.content).toContain('21');
  });

  it('a streamed tool call', async () => {
    const runner = openai().chat.completions.stream({ model: chat, messages: [{ role: 'user', content: CALL }], tools });
    const final = await runner.finalChatCompletion();
    const call = final.choices[0]?.message.tool_calls?.[0];
    expect(call?.type === 'function' ? JSON.parse(call.function.arguments) : undefined).toEqual({ city: 'Suzhou' });
  });

  it('an image', async () => {
    const reply = await openai().chat.completions.create({
      model: chat,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is in the picture?' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
          ],
        },
      ],
    });
    expect(reply.choices[0]?.message.content).toMatch(/png/i);
  });

  it('structured output', async () => {
    const reply = await openai().chat.completions.create({
      model: chat,
      messages: [{ role: 'user', content: 'The weather in Suzhou' }],
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'weather',
          strict: true,
          schema: { ...WEATHER, required: ['city', 'unit'], additionalProperties: false } as unknown as Record<string, unknown>,
        },
      },
    });
    expect(JSON.parse(reply.choices[0]?.message.content ?? '')).toMatchObject({ city: expect.any(String) });
  });

  it('errors as the right exceptions', async () => {
    const ask = (name: string): Promise<unknown> =>
      openai().chat.completions.create({ model: `${nameOf(protocol)}/${name}`, messages: [{ role: 'user', content: 'x' }] });
    await expect(ask('status-429')).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    await expect(ask('status-400')).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    await expect(ask('status-500')).rejects.toBeInstanceOf(OpenAI.InternalServerError);
    await expect(openai().chat.completions.create({ model: 'no/such', messages: [{ role: 'user', content: 'x' }] })).rejects.toBeInstanceOf(
      OpenAI.NotFoundError,
    );
    await expect(new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'wrong', maxRetries: 0 }).models.list()).rejects.toBeInstanceOf(
      OpenAI.AuthenticationError,
    );
  });

  it.each(['cut-after-3', 'error-after-3', 'garbage-after-3'])('a stream that breaks raises: %s', async (name) => {
    const stream = await openai().chat.completions.create({
      model: `${nameOf(protocol)}/${name}`,
      stream: true,
      messages: [{ role: 'user', content: 'tell me a long story' }],
    });
    const finishes: unknown[] = [];
    await expect(
      (async () => {
        for await (const chunk of stream) if (chunk.choices[0]?.finish_reason) finishes.push(chunk.choices[0].finish_reason);
      })(),
    ).rejects.toThrow();
    expect(finishes).toEqual([]);
  });
});

describe.each(UPSTREAMS)('OpenAI Responses SDK over %s', (protocol) => {
  const chat = `${nameOf(protocol)}/chat`;
  const tools = [
    { type: 'function' as const, name: 'get_weather', parameters: WEATHER as unknown as Record<string, unknown>, strict: false },
  ];

  it('plain and streamed', async () => {
    const model = `${nameOf(protocol)}/echo`;
    const reply = await openai().responses.create({ model, input: 'say 牌楼', store: false });
    expect(reply.output_text).toContain('牌楼');
    expect(reply.status).toBe('completed');
    const stream = openai().responses.stream({ model, input: 'say 牌楼 🏮', store: false });
    expect((await stream.finalResponse()).output_text).toContain('牌楼 🏮');
  });

  it('a tools round trip with reasoning', async () => {
    const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: CALLS }];
    const first = await openai().responses.create({
      model: chat,
      input,
      tools,
      store: false,
      reasoning: { effort: 'low' },
      include: ['reasoning.encrypted_content'],
    });
    const calls = first.output.filter((item) => item.type === 'function_call');
    expect(calls.map((call) => JSON.parse(call.arguments) as unknown)).toEqual([{ city: 'Suzhou' }, { city: 'Hangzhou' }]);
    input.push(
      ...(first.output as OpenAI.Responses.ResponseInputItem[]),
      ...calls.map((call) => ({ type: 'function_call_output' as const, call_id: call.call_id, output: '{"degrees":21}' })),
    );
    const second = await openai().responses.create({ model: chat, input, tools, store: false });
    expect(second.output_text).toContain('21');
  });

  it('structured output', async () => {
    const reply = await openai().responses.create({
      model: chat,
      input: 'The weather',
      store: false,
      text: {
        format: {
          type: 'json_schema',
          name: 'weather',
          schema: { ...WEATHER, required: ['city', 'unit'], additionalProperties: false } as unknown as Record<string, unknown>,
          strict: true,
        },
      },
    });
    expect(JSON.parse(reply.output_text)).toMatchObject({ city: expect.any(String) });
  });

  it('errors, and a stream that breaks', async () => {
    await expect(openai().responses.create({ model: `${nameOf(protocol)}/status-429`, input: 'x', store: false })).rejects.toBeInstanceOf(
      OpenAI.RateLimitError,
    );
    const broken = await openai().responses.create({
      model: `${nameOf(protocol)}/cut-after-3`,
      input: 'a long story',
      stream: true,
      store: false,
    });
    const types: string[] = [];
    await expect(
      (async () => {
        for await (const event of broken) types.push(event.type);
      })(),
    ).rejects.toThrow();
    expect(types).not.toContain('response.completed');
  });
});

describe.each(UPSTREAMS)('Anthropic SDK over %s', (protocol) => {
  const chat = `${nameOf(protocol)}/chat`;
  const tools: Anthropic.Tool[] = [{ name: 'get_weather', input_schema: WEATHER as unknown as Anthropic.Tool.InputSchema }];
  const textOf = (message: Anthropic.Message): string => message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');

  it('plain and streamed', async () => {
    const model = `${nameOf(protocol)}/echo`;
    const reply = await anthropic().messages.create({ model, max_tokens: 200, messages: [{ role: 'user', content: 'say 牌楼' }] });
    expect(textOf(reply)).toContain('牌楼');
    expect(reply.stop_reason).toBe('end_turn');
    const stream = anthropic().messages.stream({ model, max_tokens: 200, messages: [{ role: 'user', content: 'say 牌楼 🏮' }] });
    const final = await stream.finalMessage();
    expect(textOf(final)).toContain('牌楼 🏮');
    expect(final.usage.output_tokens).toBeGreaterThan(0);
  });

  it('thinking over a tools round trip', async () => {
    const messages: Anthropic.MessageParam[] = [{ role: 'user', content: CALLS }];
    const ask = { model: chat, max_tokens: 4000, tools, thinking: { type: 'enabled' as const, budget_tokens: 1024 } };
    const first = await anthropic()
      .messages.stream({ ...ask, messages })
      .finalMessage();
    expect(first.stop_reason).toBe('tool_use');
    expect(first.content.some((block) => block.type === 'thinking')).toBe(true);
    const calls = first.content.filter((block) => block.type === 'tool_use');
    expect(calls.map((call) => call.input)).toEqual([{ city: 'Suzhou' }, { city: 'Hangzhou' }]);
    messages.push(
      { role: 'assistant', content: first.content },
      { role: 'user', content: calls.map((call) => ({ type: 'tool_result' as const, tool_use_id: call.id, content: '{"degrees":21}' })) },
    );
    const second = await anthropic().messages.create({ ...ask, messages });
    expect(textOf(second)).toContain('21');
  });

  it('an image', async () => {
    const source = { type: 'base64' as const, media_type: 'image/png' as const, data: PNG };
    const reply = await anthropic().messages.create({
      model: chat,
      max_tokens: 200,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source },
            { type: 'text', text: 'What is it?' },
          ],
        },
      ],
    });
    expect(textOf(reply)).toMatch(/png/i);
  });

  it('errors, and a stream that breaks', async () => {
    const ask = (name: string): Promise<unknown> =>
      anthropic().messages.create({ model: `${nameOf(protocol)}/${name}`, max_tokens: 10, messages: [{ role: 'user', content: 'x' }] });
    await expect(ask('status-429')).rejects.toBeInstanceOf(Anthropic.RateLimitError);
    await expect(ask('status-400')).rejects.toBeInstanceOf(Anthropic.BadRequestError);
    await expect(
      anthropic()
        .messages.stream({ model: `${nameOf(protocol)}/cut-after-3`, max_tokens: 100, messages: [{ role: 'user', content: 'a story' }] })
        .finalMessage(),
    ).rejects.toThrow();
  });
});

describe.each(UPSTREAMS)('Google GenAI SDK over %s', (protocol) => {
  const chat = `${nameOf(protocol)}/chat`;
  const config = {
    tools: [
      {
        functionDeclarations: [
          { name: 'get_weather', parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ['city'] } },
        ],
      },
    ],
  };

  it('plain and streamed', async () => {
    const model = `${nameOf(protocol)}/echo`;
    const reply = await google().models.generateContent({ model, contents: 'say 牌楼' });
    expect(reply.text).toContain('牌楼');
    expect(reply.candidates?.[0]?.finishReason).toBe('STOP');
    let text = '';
    for await (const chunk of await google().models.generateContentStream({ model, contents: 'say 牌楼 🏮' })) text += chunk.text ?? '';
    expect(text).toContain('牌楼 🏮');
  });

  it('a tools round trip', async () => {
    const first = await google().models.generateContent({ model: chat, contents: CALLS, config });
    expect(first.functionCalls?.map((call) => call.args)).toEqual([{ city: 'Suzhou' }, { city: 'Hangzhou' }]);
    const results: GeminiPart[] = (first.functionCalls ?? []).map((call) => ({
      functionResponse: { ...(call.id ? { id: call.id } : {}), name: call.name ?? '', response: { degrees: 21 } },
    }));
    const contents = [{ role: 'user', parts: [{ text: CALLS }] }, first.candidates?.[0]?.content ?? {}, { role: 'user', parts: results }];
    const second = await google().models.generateContent({ model: chat, contents, config });
    expect(second.text).toContain('21');
  });

  it('structured output and an image', async () => {
    const structured = await google().models.generateContent({
      model: chat,
      contents: 'The weather',
      config: {
        responseMimeType: 'application/json',
        responseSchema: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ['city'] },
      },
    });
    expect(JSON.parse(structured.text ?? '')).toMatchObject({ city: expect.any(String) });
    const seen = await google().models.generateContent({
      model: chat,
      contents: [{ role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: PNG } }, { text: 'What is it?' }] }],
    });
    expect(seen.text).toMatch(/png/i);
  });

  it('errors, and a stream that breaks', async () => {
    await expect(google().models.generateContent({ model: `${nameOf(protocol)}/status-429`, contents: 'x' })).rejects.toMatchObject({
      status: 429,
    });
    const stream = await google().models.generateContentStream({ model: `${nameOf(protocol)}/cut-after-3`, contents: 'a long story' });
    const reasons: unknown[] = [];
    await expect(
      (async () => {
        for await (const chunk of stream) if (chunk.candidates?.[0]?.finishReason) reasons.push(chunk.candidates[0].finishReason);
      })(),
    ).rejects.toThrow();
    expect(reasons).toEqual([]);
  });
});
