import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { all, at, BREAKS, CALL, CALLS, CITIES, gatewayOfThisFile, openaiAt, PDF, PNG, STRICT_WEATHER } from './stage.ts';
import { stopsAt, untilBroken, UPSTREAMS, WAYS, WEATHER } from './stage.ts';

const gateway = gatewayOfThisFile();
const client = (): OpenAI => openaiAt(gateway().url, gateway().key);

type Ask = OpenAI.ChatCompletionCreateParamsNonStreaming;

/** Asks for a whole answer, or lets the SDK put a stream together. */
async function ask(streamed: boolean, params: Ask): Promise<OpenAI.ChatCompletion> {
  if (!streamed) return client().chat.completions.create(params);
  return client()
    .chat.completions.stream({ ...params, stream: true, stream_options: { include_usage: true } })
    .finalChatCompletion();
}

const user = (content: OpenAI.ChatCompletionUserMessageParam['content']): OpenAI.ChatCompletionMessageParam => ({ role: 'user', content });
const textOf = (reply: OpenAI.ChatCompletion): string => reply.choices[0]?.message.content ?? '';
const callsOf = (message: OpenAI.ChatCompletionMessage | undefined): OpenAI.ChatCompletionMessageFunctionToolCall[] =>
  (message?.tool_calls ?? []).filter((call) => call.type === 'function');
const argumentsOf = (message: OpenAI.ChatCompletionMessage | undefined): unknown[] =>
  callsOf(message).map((call) => JSON.parse(call.function.arguments) as unknown);
const tools: OpenAI.ChatCompletionTool[] = [{ type: 'function', function: { name: 'get_weather', parameters: { ...WEATHER } } }];

describe.each(UPSTREAMS)('over %s', (protocol) => {
  const model = at(protocol, 'echo');
  const chat = at(protocol, 'chat');

  describe.each(WAYS)('$way', ({ streamed }) => {
    it('text, why it ended, and usage', async () => {
      const reply = await ask(streamed, { model, messages: [user('say 牌楼 🏮')] });
      expect(textOf(reply)).toBe('say 牌楼 🏮');
      expect(reply.choices[0]?.finish_reason).toBe('stop');
      const { prompt_tokens: input = 0, completion_tokens: output = 0, total_tokens: total } = reply.usage ?? {};
      expect(input).toBeGreaterThan(0);
      expect(output).toBeGreaterThan(0);
      expect(total).toBe(input + output);
    });

    it('system and developer instructions, and the turns before', async () => {
      const messages: OpenAI.ChatCompletionMessageParam[] = [
        { role: 'system', content: 'You are brief' },
        { role: 'developer', content: 'You are kind' },
        user('My name is Ada'),
        { role: 'assistant', content: 'Hello, Ada.' },
        user('What is my name?'),
      ];
      expect(textOf(await ask(streamed, { model: chat, messages }))).toContain('Ada');
    });

    it('parallel calls of tools, and their results', async () => {
      const messages = [user(CALLS)];
      const first = await ask(streamed, { model: chat, messages, tools });
      const message = first.choices[0]?.message;
      expect(first.choices[0]?.finish_reason).toBe('tool_calls');
      expect(argumentsOf(message)).toEqual(CITIES);
      expect(new Set(callsOf(message).map((call) => call.id)).size).toBe(2);
      if (message) messages.push(message);
      for (const [index, call] of callsOf(message).entries())
        messages.push({ role: 'tool', tool_call_id: call.id, content: `{"degrees":${21 + index}}` });
      const second = textOf(await ask(streamed, { model: chat, messages, tools }));
      expect(second).toContain('21');
      expect(second).toContain('22');
    });

    it.each([
      { choice: 'none', calls: 0 },
      { choice: 'required', calls: 1 },
      { choice: { type: 'function', function: { name: 'get_weather' } }, calls: 1 },
    ] as const)('a choice of tools: $choice', async ({ choice, calls }) => {
      const reply = await ask(streamed, { model: chat, messages: [user('the weather in Oslo')], tools, tool_choice: choice });
      expect(callsOf(reply.choices[0]?.message)).toHaveLength(calls);
    });

    it('reasoning over turns with tools', async () => {
      const asked = { model: chat, tools, reasoning_effort: 'low' as const };
      const messages = [user(CALL)];
      const first = await ask(streamed, { ...asked, messages });
      const message = first.choices[0]?.message;
      if (!message) throw new Error('no message');
      expect(argumentsOf(message)).toEqual([{ city: 'Suzhou' }]);
      messages.push(message, ...callsOf(message).map((call) => ({ role: 'tool' as const, tool_call_id: call.id, content: '21 degrees' })));
      expect(textOf(await ask(streamed, { ...asked, messages }))).toContain('21');
      // What the thought was sealed with is back at its maker, though chat has no place for it.
      const seals = textOf(await ask(streamed, { ...asked, messages: [...messages, user('[[seals]]')] }));
      expect(seals).toBe('own seals: 1, foreign seals: 0');
    });

    it('an image and a file', async () => {
      const image = { type: 'image_url' as const, image_url: { url: `data:image/png;base64,${PNG}` } };
      const file = { type: 'file' as const, file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${PDF}` } };
      const seen = textOf(await ask(streamed, { model: chat, messages: [user([{ type: 'text', text: 'What is it?' }, image, file])] }));
      expect(seen).toMatch(/png/i);
      expect(seen).toMatch(/pdf/i);
    });

    it('structured output', async () => {
      const json_schema = { name: 'weather', strict: true, schema: STRICT_WEATHER };
      const reply = await ask(streamed, {
        model: chat,
        messages: [user('The weather in Suzhou')],
        response_format: { type: 'json_schema', json_schema },
      });
      expect(JSON.parse(textOf(reply))).toMatchObject({ city: expect.any(String), unit: expect.stringMatching(/^[cf]$/) });
    });

    it('stop sequences and a maximum', async () => {
      const stopped = await ask(streamed, { model: chat, messages: [user('[[say one two END three]]')], stop: ['END'] });
      expect(textOf(stopped).trim()).toBe(stopsAt(protocol) ? 'one two' : 'one two END three');
      expect(stopped.choices[0]?.finish_reason).toBe('stop');
      const short = await ask(streamed, { model: chat, messages: [user('[[words 100]]')], max_completion_tokens: 5 });
      expect(short.choices[0]?.finish_reason).toBe('length');
    });
  });

  it.each(BREAKS)('a stream that breaks raises and has not finished: %s', async (name) => {
    const stream = await client().chat.completions.create({ model: at(protocol, name), stream: true, messages: [user('a long story')] });
    const { came, thrown } = await untilBroken(stream);
    expect(thrown).toBeInstanceOf(Error);
    expect(came.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).not.toBe('');
    expect(came.filter((chunk) => chunk.choices[0]?.finish_reason)).toEqual([]);
  });

  it('legacy completions, whole and streamed', async () => {
    const asked = { model, prompt: 'say 牌楼 🏮' };
    const whole = await client().completions.create(asked);
    expect(whole.choices[0]).toMatchObject({ text: 'say 牌楼 🏮', finish_reason: 'stop' });
    const chunks = await all(await client().completions.create({ ...asked, stream: true }));
    expect(chunks.map((chunk) => chunk.choices[0]?.text ?? '').join('')).toBe('say 牌楼 🏮');
  });

  it('usage comes with a stream only where it was asked for', async () => {
    const chunks = await all(await client().chat.completions.create({ model, stream: true, messages: [user('hi')] }));
    expect(chunks.filter((chunk) => chunk.usage)).toEqual([]);
  });
});
