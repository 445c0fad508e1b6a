import type Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { anthropicAt, at, BREAKS, CALL, CALLS, CITIES, gatewayOfThisFile, PDF, PNG, STRICT_WEATHER } from './stage.ts';
import { countsTokens, stopsAt, untilBroken, UPSTREAMS, WAYS, WEATHER } from './stage.ts';

const gateway = gatewayOfThisFile();
const client = (): Anthropic => anthropicAt(gateway().url, gateway().key);

type Ask = Omit<Anthropic.MessageCreateParamsNonStreaming, 'max_tokens'> & { readonly max_tokens?: number };

/** Asks for a whole answer, or lets the SDK put a stream together. */
async function ask(streamed: boolean, params: Ask): Promise<Anthropic.Message> {
  const bounded = { max_tokens: 4000, ...params };
  return streamed ? client().messages.stream(bounded).finalMessage() : client().messages.create(bounded);
}

const user = (content: Anthropic.MessageParam['content']): Anthropic.MessageParam => ({ role: 'user', content });
const textOf = ({ content }: Anthropic.Message): string => content.map((block) => (block.type === 'text' ? block.text : '')).join('');
const callsOf = ({ content }: Anthropic.Message): Anthropic.ToolUseBlock[] => content.filter((block) => block.type === 'tool_use');
const tools: Anthropic.Tool[] = [{ name: 'get_weather', input_schema: { ...WEATHER, required: [...WEATHER.required] } }];

/** The turn and the results of its calls. */
const after = (reply: Anthropic.Message, content: NonNullable<Anthropic.ToolResultBlockParam['content']>): Anthropic.MessageParam[] => [
  { role: 'assistant', content: reply.content },
  user(callsOf(reply).map((call) => ({ type: 'tool_result', tool_use_id: call.id, content }))),
];

describe.each(UPSTREAMS)('over %s', (protocol) => {
  const model = at(protocol, 'echo');
  const chat = at(protocol, 'chat');

  describe.each(WAYS)('$way', ({ streamed }) => {
    it('text, why it ended, and usage', async () => {
      const reply = await ask(streamed, { model, messages: [user('say 牌楼 🏮')] });
      expect(textOf(reply)).toBe('say 牌楼 🏮');
      expect(reply.stop_reason).toBe('end_turn');
      expect(reply.usage.input_tokens).toBeGreaterThan(0);
      expect(reply.usage.output_tokens).toBeGreaterThan(0);
    });

    it('system instructions, and the turns before', async () => {
      const messages = [user('My name is Ada'), { role: 'assistant' as const, content: 'Hello, Ada.' }, user('What is my name?')];
      const system = [{ type: 'text' as const, text: 'You are brief', cache_control: { type: 'ephemeral' as const } }];
      expect(textOf(await ask(streamed, { model: chat, system, messages }))).toContain('Ada');
    });

    it('parallel calls of tools, and their results', async () => {
      const messages = [user(CALLS)];
      const first = await ask(streamed, { model: chat, messages, tools });
      expect(first.stop_reason).toBe('tool_use');
      expect(callsOf(first).map((call) => call.input)).toEqual(CITIES);
      expect(new Set(callsOf(first).map((call) => call.id)).size).toBe(2);
      messages.push(...after(first, '{"degrees":21}'));
      expect(textOf(await ask(streamed, { model: chat, messages, tools }))).toContain('21');
    });

    it.each([
      { choice: { type: 'none' }, calls: 0 },
      { choice: { type: 'any' }, calls: 1 },
      { choice: { type: 'tool', name: 'get_weather' }, calls: 1 },
    ] as const)('a choice of tools: $choice', async ({ choice, calls }) => {
      const reply = await ask(streamed, { model: chat, messages: [user('the weather in Oslo')], tools, tool_choice: choice });
      expect(callsOf(reply)).toHaveLength(calls);
    });

    it('signed thinking over turns with tools', async () => {
      const asked = { model: chat, tools, thinking: { type: 'enabled' as const, budget_tokens: 1024 } };
      const messages = [user(CALL)];
      const first = await ask(streamed, { ...asked, messages });
      const thought = first.content.find((block) => block.type === 'thinking');
      expect(thought?.thinking).toBeTruthy();
      expect(thought?.signature).toBeTruthy();
      messages.push(...after(first, '21 degrees'));
      expect(textOf(await ask(streamed, { ...asked, messages }))).toContain('21');
      const seals = await ask(streamed, { ...asked, messages: [...messages, user('[[seals]]')] });
      expect(textOf(seals)).toBe('own seals: 1, foreign seals: 0');
    });

    it('an answer ends in its text, and what sealed it comes back all the same', async () => {
      const asked = { model: chat, thinking: { type: 'enabled' as const, budget_tokens: 1024 } };
      const messages = [user('hello')];
      const first = await ask(streamed, { ...asked, messages });
      // Claude Code prints the last block as the answer.
      expect(first.content.at(-1)).toMatchObject({ type: 'text', text: expect.stringMatching(/\w/) });
      messages.push({ role: 'assistant', content: first.content }, user('[[seals]]'));
      expect(textOf(await ask(streamed, { ...asked, messages }))).toBe('own seals: 1, foreign seals: 0');
    });

    it('images and documents, also as what a tool gave', async () => {
      const image = { type: 'image' as const, source: { type: 'base64' as const, media_type: 'image/png' as const, data: PNG } };
      const document = {
        type: 'document' as const,
        source: { type: 'base64' as const, media_type: 'application/pdf' as const, data: PDF },
      };
      const seen = textOf(await ask(streamed, { model: chat, messages: [user([image, document, { type: 'text', text: 'What is it?' }])] }));
      expect(seen).toMatch(/png/i);
      expect(seen).toMatch(/pdf/i);
      const first = await ask(streamed, { model: chat, tools, messages: [user(CALL)] });
      const messages = [user(CALL), ...after(first, [{ type: 'text', text: 'It shows 21' }, image])];
      expect(textOf(await ask(streamed, { model: chat, tools, messages }))).toContain('21');
    });

    it('structured output', async () => {
      const output_config = { format: { type: 'json_schema' as const, schema: STRICT_WEATHER } };
      const reply = await ask(streamed, { model: chat, messages: [user('The weather in Suzhou')], output_config });
      expect(JSON.parse(textOf(reply))).toMatchObject({ city: expect.any(String), unit: expect.stringMatching(/^[cf]$/) });
    });

    it('stop sequences and a maximum', async () => {
      const stopped = await ask(streamed, { model: chat, messages: [user('[[say one two END three]]')], stop_sequences: ['END'] });
      expect(textOf(stopped).trim()).toBe(stopsAt(protocol) ? 'one two' : 'one two END three');
      expect(['stop_sequence', 'end_turn']).toContain(stopped.stop_reason);
      const short = await ask(streamed, { model: chat, messages: [user('[[words 100]]')], max_tokens: 5 });
      expect(short.stop_reason).toBe('max_tokens');
    });

    it('a refusal', async () => {
      expect((await ask(streamed, { model: chat, messages: [user('[[refuse]]')] })).stop_reason).toBe('refusal');
    });
  });

  it('the tool runner', async () => {
    const asked: unknown[] = [];
    const weather = {
      ...tools[0],
      type: 'custom' as const,
      name: 'get_weather',
      input_schema: { ...WEATHER, required: [...WEATHER.required] },
      run: (input: unknown) => {
        asked.push(input);
        return '{"degrees":21}';
      },
      parse: (input: unknown) => input,
    };
    const final = await client().beta.messages.toolRunner({
      model: chat,
      max_tokens: 1000,
      messages: [{ role: 'user', content: CALLS }],
      tools: [weather],
    });
    expect(asked).toEqual(CITIES);
    expect(final.content.map((block) => (block.type === 'text' ? block.text : '')).join('')).toContain('21');
  });

  it('counts of tokens; what cannot be counted is an error', async () => {
    const count = (params: Omit<Anthropic.MessageCountTokensParams, 'model'>): Promise<number> =>
      client()
        .messages.countTokens({ model: chat, ...params })
        .then((reply) => reply.input_tokens);
    const few = count({ messages: [user('hello')] });
    if (!countsTokens(protocol)) return expect(few).rejects.toMatchObject({ status: 501 });
    expect(await few).toBeGreaterThan(0);
    expect(await count({ tools, messages: [user('hello '.repeat(100))] })).toBeGreaterThan((await few) + 50);
  });

  it.each(BREAKS)('a stream that breaks raises and has not stopped: %s', async (name) => {
    const stream = client().messages.stream({ model: at(protocol, name), max_tokens: 100, messages: [user('a long story')] });
    const { came, thrown } = await untilBroken(stream);
    expect(thrown).toBeInstanceOf(Error);
    expect(came.map((event) => event.type)).toContain('content_block_delta');
    expect(came.map((event) => event.type)).not.toContain('message_stop');
    await expect(stream.finalMessage()).rejects.toThrow();
  });
});
