import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { at, BREAKS, CALL, CALLS, CITIES, gatewayOfThisFile, openaiAt, PDF, PNG, STRICT_WEATHER } from './stage.ts';
import { countsTokens, untilBroken, UPSTREAMS, WAYS, WEATHER } from './stage.ts';

const gateway = gatewayOfThisFile();
const client = (): OpenAI => openaiAt(gateway().url, gateway().key);

type Ask = Omit<OpenAI.Responses.ResponseCreateParamsNonStreaming, 'stream'>;
type Response = OpenAI.Responses.Response;
type Item = OpenAI.Responses.ResponseInputItem;

/** Asks for a whole answer, or lets the SDK put a stream together. */
async function ask(streamed: boolean, params: Ask): Promise<Response> {
  const kept = { store: false, ...params };
  return streamed ? client().responses.stream(kept).finalResponse() : client().responses.create(kept);
}

const user = (content: string | OpenAI.Responses.ResponseInputMessageContentList): Item => ({ role: 'user', content });
const callsOf = (reply: Response): OpenAI.Responses.ResponseFunctionToolCall[] =>
  reply.output.filter((item) => item.type === 'function_call');
const argumentsOf = (reply: Response): unknown[] => callsOf(reply).map((call) => JSON.parse(call.arguments) as unknown);
const tools: OpenAI.Responses.Tool[] = [{ type: 'function', name: 'get_weather', parameters: { ...WEATHER }, strict: false }];

/** What a client that keeps the conversation itself sends next. */
const after = (reply: Response, output: string): Item[] => [
  ...(reply.output as Item[]),
  ...callsOf(reply).map((call): Item => ({ type: 'function_call_output', call_id: call.call_id, output })),
];

describe.each(UPSTREAMS)('over %s', (protocol) => {
  const model = at(protocol, 'echo');
  const chat = at(protocol, 'chat');

  describe.each(WAYS)('$way', ({ streamed }) => {
    it('text, why it ended, and usage', async () => {
      const reply = await ask(streamed, { model, input: 'say 牌楼 🏮' });
      expect(reply.output_text).toBe('say 牌楼 🏮');
      expect(reply.status).toBe('completed');
      const { input_tokens: input = 0, output_tokens: output = 0, total_tokens: total } = reply.usage ?? {};
      expect(input).toBeGreaterThan(0);
      expect(output).toBeGreaterThan(0);
      expect(total).toBe(input + output);
    });

    it('instructions, and the turns before', async () => {
      const input: Item[] = [
        { role: 'developer', content: 'You are kind' },
        user('My name is Ada'),
        { role: 'assistant', content: 'Hello, Ada.' },
        user('What is my name?'),
      ];
      expect((await ask(streamed, { model: chat, instructions: 'You are brief', input })).output_text).toContain('Ada');
    });

    it('parallel calls of tools, and their results', async () => {
      const input = [user(CALLS)];
      const first = await ask(streamed, { model: chat, input, tools });
      expect(argumentsOf(first)).toEqual(CITIES);
      expect(new Set(callsOf(first).map((call) => call.call_id)).size).toBe(2);
      input.push(...after(first, '{"degrees":21}'));
      expect((await ask(streamed, { model: chat, input, tools })).output_text).toContain('21');
    });

    it.each([
      { choice: 'none', calls: 0 },
      { choice: 'required', calls: 1 },
      { choice: { type: 'function', name: 'get_weather' }, calls: 1 },
    ] as const)('a choice of tools: $choice', async ({ choice, calls }) => {
      const reply = await ask(streamed, { model: chat, input: 'the weather in Oslo', tools, tool_choice: choice });
      expect(callsOf(reply)).toHaveLength(calls);
    });

    it('sealed reasoning over turns with tools', async () => {
      const asked: Ask = { model: chat, tools, reasoning: { effort: 'low', summary: 'auto' }, include: ['reasoning.encrypted_content'] };
      const input = [user(CALL)];
      const first = await ask(streamed, { ...asked, input });
      const thought = first.output.find((item) => item.type === 'reasoning');
      expect(thought?.summary.map((part) => part.text).join('') || thought?.content?.map((part) => part.text).join('')).toBeTruthy();
      expect(thought?.encrypted_content).toBeTruthy();
      input.push(...after(first, '21 degrees'));
      expect((await ask(streamed, { ...asked, input })).output_text).toContain('21');
      const seals = await ask(streamed, { ...asked, input: [...input, user('[[seals]]')] });
      expect(seals.output_text).toBe('own seals: 1, foreign seals: 0');
    });

    it('the turn before by its id', async () => {
      const first = await ask(streamed, { model: chat, input: CALL, tools, store: true });
      const outputs = callsOf(first).map((call): Item => ({ type: 'function_call_output', call_id: call.call_id, output: '21' }));
      const second = await ask(streamed, { model: chat, previous_response_id: first.id, input: outputs, tools, store: true });
      expect(second.output_text).toContain('21');
    });

    it('an image and a file', async () => {
      const input = [
        user([
          { type: 'input_text', text: 'What is it?' },
          { type: 'input_image', image_url: `data:image/png;base64,${PNG}`, detail: 'auto' },
          { type: 'input_file', filename: 'a.pdf', file_data: `data:application/pdf;base64,${PDF}` },
        ]),
      ];
      const seen = (await ask(streamed, { model: chat, input })).output_text;
      expect(seen).toMatch(/png/i);
      expect(seen).toMatch(/pdf/i);
    });

    it('structured output', async () => {
      const format = { type: 'json_schema' as const, name: 'weather', schema: STRICT_WEATHER, strict: true };
      const reply = await ask(streamed, { model: chat, input: 'The weather in Suzhou', text: { format } });
      expect(JSON.parse(reply.output_text)).toMatchObject({ city: expect.any(String), unit: expect.stringMatching(/^[cf]$/) });
    });

    it('a maximum of tokens', async () => {
      const reply = await ask(streamed, { model: chat, input: '[[words 100]]', max_output_tokens: 5 });
      expect(reply.status).toBe('incomplete');
      expect(reply.incomplete_details?.reason).toBe('max_output_tokens');
    });
  });

  it('counts of tokens; what cannot be counted is an error', async () => {
    const count = (input: string): Promise<number> =>
      client()
        .responses.inputTokens.count({ model: chat, input })
        .then((reply) => reply.input_tokens);
    const few = count('hello');
    if (!countsTokens(protocol)) return expect(few).rejects.toMatchObject({ status: 501 });
    expect(await few).toBeGreaterThan(0);
    expect(await count('hello '.repeat(100))).toBeGreaterThan((await few) + 50);
  });

  it.each(BREAKS)('a stream that breaks never completes: %s', async (name) => {
    const stream = await client().responses.create({ model: at(protocol, name), input: 'a long story', stream: true, store: false });
    const { came, thrown } = await untilBroken(stream);
    const types = came.map((event) => event.type);
    expect(thrown !== undefined || types.at(-1) === 'response.failed').toBe(true);
    expect(types).toContain('response.output_text.delta');
    expect(types).not.toContain('response.completed');
  });
});
