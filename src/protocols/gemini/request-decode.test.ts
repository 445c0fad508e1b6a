import { describe, expect, it } from 'vitest';
import { type ChatRequest, GatewayError, type JsonObject, type Part } from '../../ir/index.ts';
import { gemini } from './index.ts';

const HI = [{ role: 'user', parts: [{ text: 'Hi' }] }];
const read = (body: JsonObject): ChatRequest => gemini.decodeRequest({ model: 'm', contents: HI, ...body });
const partsOf = (parts: JsonObject[], role = 'user'): readonly Part[] => read({ contents: [{ role, parts }] }).turns[0]?.parts ?? [];

describe('a request', () => {
  it.each<readonly [string, JsonObject, Partial<ChatRequest>]>([
    ['contents as a text', { contents: 'Hi' }, { turns: [{ role: 'user', parts: [{ kind: 'text', text: 'Hi' }] }] }],
    ['one content, no list', { contents: { parts: { text: 'Hi' } } }, { turns: [{ role: 'user', parts: [{ kind: 'text', text: 'Hi' }] }] }],
    ['instructions as a text', { systemInstruction: 'Be brief' }, { instructions: [{ kind: 'text', text: 'Be brief' }] }],
    [
      'null for what is absent',
      { generationConfig: { temperature: null }, tools: null, systemInstruction: null },
      { tools: [], instructions: [] },
    ],
    [
      'a schema beside plain text is none',
      { generationConfig: { responseMimeType: 'text/plain', responseSchema: { type: 'OBJECT' } } },
      { tools: [] },
    ],
    ['JSON without a schema', { generationConfig: { responseMimeType: 'application/json' } }, { output: { type: 'json' } }],
    ['a level to think on', { generationConfig: { thinkingConfig: { thinkingLevel: 'HIGH' } } }, { reasoning: { effort: 'high' } }],
    [
      'one function that must be called',
      { toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } } },
      { toolChoice: { type: 'tool', name: 'f' } },
    ],
    [
      'unknown fields',
      { labels: { a: 'b' }, generationConfig: { speechConfig: {} } },
      { residue: { gemini: { labels: { a: 'b' }, generationConfig: { speechConfig: {} } } } },
    ],
  ])('%s', (_name, body, wanted) => {
    expect(read(body)).toMatchObject(wanted);
    if (!('output' in wanted)) expect(read(body).output).toBeUndefined();
  });

  it.each<readonly [string, JsonObject, string]>([
    ['no contents', { contents: [] }, 'contents'],
    ['contents of numbers', { contents: 7 }, 'contents'],
    ['a part that is a number', { contents: [{ parts: [7] }] }, 'contents[0].parts[0]'],
    ['a text that is a number', { contents: [{ parts: [{ text: 7 }] }] }, 'contents[0].parts[0].text'],
    ['no bytes', { contents: [{ parts: [{ inlineData: { mimeType: 'image/png' } }] }] }, 'contents[0].parts[0].inlineData.data'],
    ['bytes that are not base64', { contents: [{ parts: [{ inlineData: { data: '<svg>' } }] }] }, 'contents[0].parts[0].inlineData.data'],
    ['a call without a name', { contents: [{ parts: [{ functionCall: { args: {} } }] }] }, 'contents[0].parts[0].functionCall.name'],
    [
      'arguments that are a text',
      { contents: [{ parts: [{ functionCall: { name: 'f', args: 'x' } }] }] },
      'contents[0].parts[0].functionCall.args',
    ],
    ['a temperature in words', { generationConfig: { temperature: 'hot' } }, 'generationConfig.temperature'],
    ['half a token', { generationConfig: { maxOutputTokens: 0.5 } }, 'generationConfig.maxOutputTokens'],
    ['tools that are none', { tools: [7] }, 'tools[0]'],
    ['a function without a name', { tools: [{ functionDeclarations: [{}] }] }, 'tools[0].functionDeclarations[0].name'],
  ])('refuses %s by the name of the field', (_name, body, param) => {
    try {
      read(body);
      expect.fail('not refused');
    } catch (error) {
      expect(error instanceof GatewayError && error.fault).toMatchObject({ kind: 'bad_request', param });
    }
  });
});

describe('calls and results', () => {
  const call = (name: string, id?: string): JsonObject => ({ functionCall: { name, args: {}, ...(id === undefined ? {} : { id }) } });
  const answer = (name: string, id?: string): JsonObject => ({
    functionResponse: { name, response: {}, ...(id === undefined ? {} : { id }) },
  });
  const pairs = (calls: JsonObject[], answers: JsonObject[]): unknown => {
    const { turns } = read({ contents: [...HI, { role: 'model', parts: calls }, { role: 'function', parts: answers }] });
    const ids = turns[1]?.parts.map((part) => (part.kind === 'tool-call' ? part.id : '')) ?? [];
    return turns[2]?.parts.map((part) => (part.kind === 'tool-result' ? ids.indexOf(part.callId) : undefined));
  };
  it.each<readonly [string, JsonObject[], JsonObject[], readonly number[]]>([
    ['by id', [call('f', 'a'), call('f', 'b')], [answer('f', 'b'), answer('f', 'a')], [1, 0]],
    ['by name, in order', [call('f'), call('g'), call('f')], [answer('f'), answer('f'), answer('g')], [0, 2, 1]],
    ['by name, where only the result has an id', [call('f')], [answer('f', 'x')], [0]],
    ['not at all', [call('f', 'a')], [answer('f', 'x')], [-1]],
  ])('%s', (_name, calls, answers, wanted) => {
    expect(pairs(calls, answers)).toEqual(wanted);
  });

  it('ids that are made are the same each time the conversation is sent', () => {
    const ids = (): unknown => partsOf([call('f'), call('f')], 'model').map((part) => (part.kind === 'tool-call' ? part.id : ''));
    expect(ids()).toEqual(ids());
    expect(new Set(ids() as string[]).size).toBe(2);
  });
});

describe('parts', () => {
  it.each<readonly [string, JsonObject, Partial<Part>]>([
    [
      'a file of the store',
      { fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/x1', mimeType: 'image/png' } },
      {
        kind: 'media',
        media: 'image',
        source: { type: 'file', id: 'https://generativelanguage.googleapis.com/v1beta/files/x1', by: 'gemini' },
      },
    ],
    [
      'a file in the cloud',
      { fileData: { fileUri: 'gs://b/o.pdf' } },
      { kind: 'media', media: 'document', source: { type: 'file', id: 'gs://b/o.pdf', by: 'gemini' } },
    ],
    [
      'a file elsewhere',
      { file_data: { file_uri: 'https://x.example/a.mp3', mime_type: 'audio/mp3' } },
      { kind: 'media', media: 'audio', source: { type: 'url', url: 'https://x.example/a.mp3' } },
    ],
    [
      'an error',
      { functionResponse: { name: 'f', response: { error: 'no' } } },
      { kind: 'tool-result', isError: true, content: [{ kind: 'text', text: 'no' }] },
    ],
    ['a word of the next version', { hologram: { x: 1 } }, { kind: 'native', by: 'gemini', value: { hologram: { x: 1 } } }],
  ])('%s', (_name, part, wanted) => {
    expect(partsOf([part])[0]).toMatchObject(wanted);
  });
});
