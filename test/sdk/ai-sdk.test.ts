import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateText, jsonSchema, type LanguageModel, type ModelMessage, Output, stepCountIs, streamText, tool } from 'ai';
import { describe, expect, it } from 'vitest';
import type { ProtocolId } from '../../src/ir/index.ts';
import { all, at, BREAKS, CALLS, CITIES, gatewayOfThisFile, PDF, PNG, STRICT_WEATHER, UPSTREAMS, WAYS, WEATHER } from './stage.ts';

// It warns that it does not know our names of models.
globalThis.AI_SDK_LOG_WARNINGS = false;

const gateway = gatewayOfThisFile();
const v1 = (): { readonly baseURL: string; readonly apiKey: string } => ({ baseURL: `${gateway().url}/v1`, apiKey: gateway().key });

type Asked = Parameters<typeof generateText>[0];

/** A provider package of the AI SDK, and how its models are told to think. */
interface Client {
  readonly name: string;
  readonly dialect: ProtocolId;
  readonly model: (id: string) => LanguageModel;
  readonly thinking: NonNullable<Asked['providerOptions']>;
}

const CLIENTS: readonly Client[] = [
  {
    name: '@ai-sdk/openai, chat',
    dialect: 'openai-chat',
    model: (id) => createOpenAI(v1()).chat(id),
    thinking: { openai: { reasoningEffort: 'low', forceReasoning: true } },
  },
  {
    name: '@ai-sdk/openai, responses',
    dialect: 'openai-responses',
    model: (id) => createOpenAI(v1()).responses(id),
    // Without storing it sends all items back, sealed thoughts among them.
    thinking: { openai: { reasoningEffort: 'low', reasoningSummary: 'auto', forceReasoning: true, store: false } },
  },
  {
    name: '@ai-sdk/anthropic',
    dialect: 'anthropic-messages',
    model: (id) => createAnthropic(v1())(id),
    thinking: { anthropic: { thinking: { type: 'enabled', budgetTokens: 1024 } } },
  },
  {
    name: '@ai-sdk/google',
    dialect: 'gemini',
    model: (id) => createGoogle({ baseURL: `${gateway().url}/v1beta`, apiKey: gateway().key })(id),
    thinking: { google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } } },
  },
  {
    name: '@ai-sdk/openai-compatible',
    dialect: 'openai-chat',
    model: (id) => createOpenAICompatible({ ...v1(), name: 'pailou', includeUsage: true, supportsStructuredOutputs: true })(id),
    thinking: { pailou: { reasoningEffort: 'low' } },
  },
];

/** What was said in the end, whole or streamed. */
interface Said {
  readonly text: string;
  readonly thoughts: string;
  readonly finish: string;
  readonly input: number;
  readonly output: number;
  readonly steps: number;
  readonly messages: readonly ModelMessage[];
  readonly object: unknown;
}

async function ask(streamed: boolean, asked: Asked): Promise<Said> {
  const options = { maxRetries: 0, ...asked } as Asked;
  const raised: unknown[] = [];
  const onError = ({ error }: { readonly error: unknown }): void => void raised.push(error);
  const result = streamed ? streamText({ ...options, onError } as Parameters<typeof streamText>[0]) : await generateText(options);
  // A stream tells of its errors aside: what its promises reject with says only that there is no answer.
  const usage = await Promise.resolve(result.totalUsage).catch((error: unknown) => Promise.reject(raised[0] ?? error));
  const steps = await result.steps;
  return {
    text: await result.text,
    thoughts: steps.map((step) => step.reasoningText ?? '').join(''),
    finish: await result.finishReason,
    input: usage.inputTokens ?? 0,
    output: usage.outputTokens ?? 0,
    steps: steps.length,
    messages: await result.responseMessages,
    object: asked.output ? await result.output : undefined,
  };
}

/** A tool that remembers what it was asked. */
function weather() {
  const asked: unknown[] = [];
  const get_weather = tool({
    description: 'The weather in a city',
    inputSchema: jsonSchema<{ city: string }>({ ...WEATHER, required: [...WEATHER.required] }),
    execute: (input) => {
      asked.push(input);
      return Promise.resolve({ degrees: 20 + asked.length });
    },
  });
  return { asked, tools: { get_weather } };
}

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was raised');
}

describe.each(CLIENTS)('$name', ({ model, thinking, dialect }) => {
  describe.each(UPSTREAMS)('over %s', (protocol) => {
    const echo = (): LanguageModel => model(at(protocol, 'echo'));
    const chat = (): LanguageModel => model(at(protocol, 'chat'));

    describe.each(WAYS)('$way', ({ streamed }) => {
      it('text, why it ended, and usage', async () => {
        const said = await ask(streamed, { model: echo(), prompt: 'say 牌楼 🏮' });
        expect(said).toMatchObject({ text: 'say 牌楼 🏮', finish: 'stop' });
        expect(said.input).toBeGreaterThan(0);
        expect(said.output).toBeGreaterThan(0);
      });

      it('instructions, the turns before, and a maximum', async () => {
        const messages: ModelMessage[] = [
          { role: 'user', content: 'My name is Ada' },
          { role: 'assistant', content: 'Hello, Ada.' },
          { role: 'user', content: 'What is my name?' },
        ];
        expect((await ask(streamed, { model: chat(), instructions: 'You are brief', messages })).text).toContain('Ada');
        expect((await ask(streamed, { model: chat(), prompt: '[[words 100]]', maxOutputTokens: 20 })).finish).toBe('length');
      });

      it('a loop of steps with parallel tools', async () => {
        const { asked, tools } = weather();
        const said = await ask(streamed, { model: chat(), prompt: CALLS, tools, stopWhen: stepCountIs(4) });
        expect(asked).toEqual(CITIES);
        expect(said.steps).toBe(2);
        expect(said.text).toContain('21');
        expect(said.text).toContain('22');
      });

      it('reasoning carried over the steps', async () => {
        const { asked, tools } = weather();
        const options = { model: chat(), tools, stopWhen: stepCountIs(4), providerOptions: thinking };
        const messages: ModelMessage[] = [{ role: 'user', content: CALLS }];
        const said = await ask(streamed, { ...options, messages });
        expect(asked).toHaveLength(2);
        messages.push(...said.messages, { role: 'user', content: '[[seals]]' });
        const { text } = await ask(streamed, { ...options, messages });
        // Chat passes as it is between equals, and these clients leave out what only `reasoning_details` says.
        const isLeftOut = protocol === 'openai-chat' && dialect === 'openai-chat';
        expect(text).toMatch(isLeftOut ? /^own seals: 0, foreign seals: 0$/ : /^own seals: [12], foreign seals: 0$/);
      });

      it('an object by its schema', async () => {
        const output = Output.object({ schema: jsonSchema<{ city: string }>(STRICT_WEATHER) });
        const said = await ask(streamed, { model: chat(), prompt: 'The weather in Suzhou', output });
        expect(said.object).toMatchObject({ city: expect.any(String), unit: expect.stringMatching(/^[cf]$/) });
      });

      it('an image and a file', async () => {
        const messages: ModelMessage[] = [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is it?' },
              { type: 'file', mediaType: 'image/png', data: PNG },
              { type: 'file', mediaType: 'application/pdf', data: PDF, filename: 'a.pdf' },
            ],
          },
        ];
        const { text } = await ask(streamed, { model: chat(), messages });
        expect(text).toMatch(/png/i);
        expect(text).toMatch(/pdf/i);
      });

      it.each([
        { name: 'status-400', status: 400, again: false },
        { name: 'status-404', status: 404, again: false },
        { name: 'status-413', status: 413, again: false },
        { name: 'status-429', status: 429, again: true },
        { name: 'status-500', status: 502, again: true },
        { name: 'status-503', status: 503, again: true },
        { name: 'status-504', status: 504, again: true },
      ])('$name as an APICallError', async ({ name, status, again }) => {
        const thrown = await thrownBy(ask(streamed, { model: model(at(protocol, name)), prompt: 'x' }));
        if (!APICallError.isInstance(thrown)) throw thrown;
        // Messages has a status of its own for overload.
        expect(thrown.statusCode === 529 ? 503 : thrown.statusCode).toBe(status);
        expect(thrown.isRetryable).toBe(again);
        // Which is the message of the provider's own, and not a default for what could not be read.
        expect(thrown.message.length).toBeGreaterThan(10);
      });
    });

    it.each(BREAKS)('a stream that breaks is never taken for finished: %s', async (name) => {
      const result = streamText({
        model: model(at(protocol, name)),
        prompt: 'a long story',
        maxRetries: 0,
        onError: () => {},
      });
      const parts = await all(result.stream);
      expect(parts.some((part) => part.type === 'text-delta')).toBe(true);
      expect(parts.some((part) => part.type === 'error')).toBe(true);
      expect(parts.filter((part) => part.type === 'finish' && part.finishReason === 'stop')).toEqual([]);
    });

    it('a client that hangs up', async () => {
      const count = gateway().records.length;
      const controller = new AbortController();
      const result = streamText({
        model: model(at(protocol, 'stall-after-3')),
        prompt: 'a long story',
        maxRetries: 0,
        abortSignal: controller.signal,
        onError: () => {},
      });
      const kinds: string[] = [];
      for await (const part of result.stream) {
        kinds.push(part.type);
        if (part.type === 'text-delta') controller.abort();
      }
      expect(kinds).toContain('abort');
      await expect.poll(() => gateway().records.length, { interval: 5, timeout: 5000 }).toBe(count + 1);
      expect(gateway().records.at(-1)).toMatchObject({ endedBy: 'client', provider: `up-${protocol}` });
    });
  });
});
