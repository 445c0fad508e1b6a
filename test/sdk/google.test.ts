import {
  type Content,
  FunctionCallingConfigMode,
  type GenerateContentParameters,
  type GenerateContentResponse,
  type GoogleGenAI,
  type Part,
  Type,
} from '@google/genai';
import { describe, expect, it } from 'vitest';
import { all, at, BREAKS, CALL, CALLS, CITIES, gatewayOfThisFile, googleAt, PDF, PNG, STRICT_WEATHER } from './stage.ts';
import { countsTokens, stopsAt, untilBroken, UPSTREAMS, WAYS } from './stage.ts';

const gateway = gatewayOfThisFile();
const client = (): GoogleGenAI => googleAt(gateway().url, gateway().key);

/** What an answer says, put together from one reply or from the chunks of a stream. */
interface Said {
  readonly text: string;
  readonly thoughts: string;
  readonly parts: readonly Part[];
  readonly finish: string | undefined;
  readonly usage: GenerateContentResponse['usageMetadata'];
}

async function ask(streamed: boolean, params: GenerateContentParameters): Promise<Said> {
  const replies = streamed
    ? await all(await client().models.generateContentStream(params))
    : [await client().models.generateContent(params)];
  const parts = replies.flatMap((reply) => reply.candidates?.[0]?.content?.parts ?? []);
  const texts = (thought: boolean): string => parts.map((part) => (Boolean(part.thought) === thought ? (part.text ?? '') : '')).join('');
  return {
    parts,
    text: texts(false),
    thoughts: texts(true),
    finish: replies.findLast((reply) => reply.candidates?.[0]?.finishReason)?.candidates?.[0]?.finishReason,
    usage: replies.findLast((reply) => reply.usageMetadata)?.usageMetadata,
  };
}

const user = (...parts: readonly Part[]): Content => ({ role: 'user', parts: [...parts] });
const callsOf = (said: Said): NonNullable<Part['functionCall']>[] => said.parts.flatMap((part) => part.functionCall ?? []);
const declaration = {
  name: 'get_weather',
  parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ['city'] },
};
const tools = [{ functionDeclarations: [declaration] }];

/** The turn and the results of its calls. */
const after = (said: Said, degrees: number): Content[] => [
  { role: 'model', parts: [...said.parts] },
  user(
    ...callsOf(said).map((call, index) => ({
      functionResponse: { ...(call.id ? { id: call.id } : {}), name: call.name ?? '', response: { degrees: degrees + index } },
    })),
  ),
];

describe.each(UPSTREAMS)('over %s', (protocol) => {
  const model = at(protocol, 'echo');
  const chat = at(protocol, 'chat');

  describe.each(WAYS)('$way', ({ streamed }) => {
    it('text, why it ended, and usage', async () => {
      const said = await ask(streamed, { model, contents: 'say 牌楼 🏮' });
      expect(said.text).toBe('say 牌楼 🏮');
      expect(said.finish).toBe('STOP');
      const { promptTokenCount: input = 0, candidatesTokenCount: output = 0, totalTokenCount: total } = said.usage ?? {};
      expect(input).toBeGreaterThan(0);
      expect(output).toBeGreaterThan(0);
      expect(total).toBe(input + output);
    });

    it('system instructions, and the turns before', async () => {
      const contents = [
        user({ text: 'My name is Ada' }),
        { role: 'model', parts: [{ text: 'Hello, Ada.' }] },
        user({ text: 'What is my name?' }),
      ];
      expect((await ask(streamed, { model: chat, contents, config: { systemInstruction: 'You are brief' } })).text).toContain('Ada');
    });

    it('parallel calls of tools, and their results', async () => {
      const contents = [user({ text: CALLS })];
      const first = await ask(streamed, { model: chat, contents, config: { tools } });
      expect(callsOf(first).map((call) => call.args)).toEqual(CITIES);
      contents.push(...after(first, 21));
      const second = await ask(streamed, { model: chat, contents, config: { tools } });
      expect(second.text).toContain('21');
      expect(second.text).toContain('22');
    });

    it.each([
      { mode: FunctionCallingConfigMode.NONE, calls: 0 },
      { mode: FunctionCallingConfigMode.ANY, calls: 1 },
    ])('a choice of tools: $mode', async ({ mode, calls }) => {
      const config = { tools, toolConfig: { functionCallingConfig: { mode } } };
      expect(callsOf(await ask(streamed, { model: chat, contents: 'the weather in Oslo', config }))).toHaveLength(calls);
    });

    it('signed thoughts over turns with tools', async () => {
      const config = { tools, thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } };
      const contents = [user({ text: CALL })];
      const first = await ask(streamed, { model: chat, contents, config });
      expect(first.thoughts).not.toBe('');
      expect(first.parts.some((part) => part.thoughtSignature)).toBe(true);
      contents.push(...after(first, 21));
      expect((await ask(streamed, { model: chat, contents, config })).text).toContain('21');
      const seals = await ask(streamed, { model: chat, contents: [...contents, user({ text: '[[seals]]' })], config });
      expect(seals.text).toBe('own seals: 1, foreign seals: 0');
    });

    it('an image and a file', async () => {
      const contents = [
        user(
          { inlineData: { mimeType: 'image/png', data: PNG } },
          { inlineData: { mimeType: 'application/pdf', data: PDF } },
          { text: 'What is it?' },
        ),
      ];
      const { text } = await ask(streamed, { model: chat, contents });
      expect(text).toMatch(/png/i);
      expect(text).toMatch(/pdf/i);
    });

    it.each([
      {
        form: 'a schema of its own',
        schema: {
          responseSchema: {
            type: Type.OBJECT,
            properties: { city: { type: Type.STRING }, unit: { type: Type.STRING, enum: ['c', 'f'] } },
            required: ['city', 'unit'],
          },
        },
      },
      { form: 'JSON Schema', schema: { responseJsonSchema: STRICT_WEATHER } },
    ])('structured output by $form', async ({ schema }) => {
      const config = { responseMimeType: 'application/json', ...schema };
      const { text } = await ask(streamed, { model: chat, contents: 'The weather in Suzhou', config });
      expect(JSON.parse(text)).toMatchObject({ city: expect.any(String), unit: expect.stringMatching(/^[cf]$/) });
    });

    it('stop sequences and a maximum', async () => {
      const stopped = await ask(streamed, { model: chat, contents: '[[say one two END three]]', config: { stopSequences: ['END'] } });
      expect(stopped.text.trim()).toBe(stopsAt(protocol) ? 'one two' : 'one two END three');
      expect(stopped.finish).toBe('STOP');
      const short = await ask(streamed, { model: chat, contents: '[[words 100]]', config: { maxOutputTokens: 5 } });
      expect(short.finish).toBe('MAX_TOKENS');
    });

    it('an answer that a filter stopped', async () => {
      expect((await ask(streamed, { model: chat, contents: '[[filter]]' })).finish).toBe('SAFETY');
    });
  });

  it('a chat session that calls functions by itself', async () => {
    const asked: unknown[] = [];
    const callable = {
      tool: () => Promise.resolve({ functionDeclarations: [declaration] }),
      callTool: (calls: readonly NonNullable<Part['functionCall']>[]) => {
        asked.push(...calls.map((call) => call.args));
        return Promise.resolve(
          calls.map((call) => ({
            functionResponse: { ...(call.id ? { id: call.id } : {}), name: call.name ?? '', response: { degrees: 21 } },
          })),
        );
      },
    };
    const reply = await client().models.generateContent({ model: chat, contents: CALLS, config: { tools: [callable] } });
    expect(asked).toEqual(CITIES);
    expect(reply.text).toContain('21');
  });

  it('counts of tokens; what cannot be counted is an error', async () => {
    const count = (contents: string): Promise<number> =>
      client()
        .models.countTokens({ model: chat, contents })
        .then((reply) => reply.totalTokens ?? 0);
    const few = count('hello');
    if (!countsTokens(protocol)) return expect(few).rejects.toMatchObject({ name: 'ApiError', status: 501 });
    expect(await few).toBeGreaterThan(0);
    expect(await count('hello '.repeat(100))).toBeGreaterThan((await few) + 50);
  });

  it.each(BREAKS)('a stream that breaks raises and has no reason to end: %s', async (name) => {
    const stream = await client().models.generateContentStream({ model: at(protocol, name), contents: 'a long story' });
    const { came, thrown } = await untilBroken(stream);
    expect(thrown).toBeInstanceOf(Error);
    expect(came.map((chunk) => chunk.text ?? '').join('')).not.toBe('');
    expect(came.filter((chunk) => chunk.candidates?.[0]?.finishReason)).toEqual([]);
  });
});
