import { describe, expect, it } from 'vitest';
import {
  type ChatRequest,
  createNotes,
  DEFAULT_FACTS,
  type FactChanges,
  GatewayError,
  type JsonObject,
  type Part,
  type Turn,
} from '../../ir/index.ts';
import { gemini } from './index.ts';

/* How requests of other dialects are written; the laws look after this dialect's own. */

const MAKER = 'google';
const say = (text: string): Turn => ({ role: 'user', parts: [{ kind: 'text', text }] });
const model = (...parts: readonly Part[]): Turn => ({ role: 'assistant', parts });
const user = (...parts: readonly Part[]): Turn => ({ role: 'user', parts });
const text = (of: string): Part => ({ kind: 'text', text: of });
const call = (id: string, name = 'look', argumentsJson = '{"at":3}'): Part => ({ kind: 'tool-call', id, name, argumentsJson });
const result = (callId: string, said: string, more: { readonly isError?: boolean } = {}): Part => ({
  kind: 'tool-result',
  callId,
  content: [{ kind: 'text', text: said }],
  isError: more.isError ?? false,
});
const PNG: Part = { kind: 'media', media: 'image', source: { type: 'base64', data: 'iVBORw0KGgo=' } };
const LOOK = { kind: 'function', name: 'look', parameters: { type: 'object', properties: { at: { type: 'integer' } } } } as const;

function write(request: Partial<ChatRequest>, facts: FactChanges = {}): { readonly body: JsonObject; readonly notes: readonly string[] } {
  const notes = createNotes();
  const whole: ChatRequest = { model: 'm', instructions: [], turns: [say('Hi')], tools: [], stream: false, ...request };
  const context = { model: 'm', facts: { ...DEFAULT_FACTS, ...gemini.facts, ...facts }, maker: MAKER, notes };
  return { body: gemini.encodeRequest(whole, context), notes: notes.list.map((note) => `${note.field};${note.what}`) };
}

const contents = (turns: readonly Turn[], facts?: FactChanges): unknown => write({ turns }, facts).body['contents'];
const configOf = (request: Partial<ChatRequest>, facts?: FactChanges): unknown => write(request, facts).body['generationConfig'];

/** The one `response` that a result is written as. */
function responseOf(part: Part): unknown {
  const [, , last] = contents([say('?'), model(call('a')), user(part)]) as { parts: { functionResponse: JsonObject }[] }[];
  return last?.parts[0]?.functionResponse['response'];
}

describe('the result of a tool', () => {
  const cases: readonly (readonly [string, Part, unknown])[] = [
    ['text', result('a', 'dust'), { result: 'dust' }],
    ['an object', result('a', '{"found":"dust","n":1}'), { found: 'dust', n: 1 }],
    ['a list', result('a', '[1,2]'), { result: '[1,2]' }],
    ['broken JSON', result('a', '{"found":'), { result: '{"found":' }],
    ['an error', result('a', 'no light', { isError: true }), { error: 'no light' }],
    ['an object that reads as an error', result('a', '{"error":"x"}'), { result: '{"error":"x"}' }],
    ['a schema, whose $ref Google would follow', result('a', '{"p":{"$ref":"#/$defs/x"}}'), { result: '{"p":{"$ref":"#/$defs/x"}}' }],
    ['nothing', result('a', ''), { result: '' }],
  ];
  it.each(cases)('%s', (_name, part, wanted) => {
    expect(responseOf(part)).toEqual(wanted);
  });

  it('has its media inside where the target takes them there, else beside', () => {
    const turns = [say('?'), model(call('a')), user({ kind: 'tool-result', callId: 'a', content: [text('see'), PNG], isError: false })];
    const media = { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } };
    const response = { name: 'look', response: { result: 'see' } };
    const last = (facts: FactChanges): unknown => (contents(turns, facts) as unknown[])[2];
    expect(last({ reasoningControl: 'budget' })).toEqual({ role: 'user', parts: [{ functionResponse: response }, media] });
    expect(last({ mediaInToolResults: true })).toEqual({ role: 'user', parts: [{ functionResponse: { ...response, parts: [media] } }] });
  });
});

describe('the order of a conversation', () => {
  const plain: FactChanges = { reasoningControl: 'budget' };
  const functionCall = { name: 'look', args: { at: 3 } };
  const answered = (said: string): unknown => ({ functionResponse: { name: 'look', response: { result: said } } });

  it('results follow their calls, all of them, in one turn', () => {
    const turns = [say('?'), model(call('a'), call('b')), user(result('b', 'B')), say('and'), user(result('a', 'A'))];
    expect(contents(turns, plain)).toEqual([
      { role: 'user', parts: [{ text: '?' }] },
      { role: 'model', parts: [{ functionCall }, { functionCall }] },
      { role: 'user', parts: [answered('A'), answered('B'), { text: 'and' }] },
    ]);
  });

  it('a call without a result gets one, a result without a call becomes text', () => {
    const { body, notes } = write({ turns: [say('?'), model(call('a')), user(result('x', 'X'))] }, plain);
    expect(body['contents']).toEqual([
      { role: 'user', parts: [{ text: '?' }] },
      { role: 'model', parts: [{ functionCall }] },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'look', response: { error: 'There is no result of this call.' } } },
          { text: 'Result of the tool call x:\nX' },
        ],
      },
    ]);
    expect(notes).toEqual(['messages;emulated', 'messages;approximated']);
  });

  it('a conversation does not begin with a call', () => {
    expect(contents([model(call('a')), user(result('a', 'A'))], plain)).toMatchObject([
      { role: 'user' },
      { role: 'model' },
      { role: 'user' },
    ]);
  });

  it('instructions before the first message are the system, later ones are said by the user', () => {
    const system = (said: string): Turn => ({ role: 'system', parts: [text(said)] });
    const { body, notes } = write({ instructions: [text('one')], turns: [system('two'), say('Hi'), model(text('Yes')), system('three')] });
    expect(body['systemInstruction']).toEqual({ parts: [{ text: 'one' }, { text: 'two' }] });
    expect(body['contents']).toMatchObject([{ role: 'user' }, { role: 'model' }, { role: 'user', parts: [{ text: 'three' }] }]);
    expect(notes).toEqual(['messages[2].role;moved']);
  });

  it('instructions alone are the message', () => {
    expect(write({ instructions: [text('Tell a joke')], turns: [] }).body).toEqual({
      contents: [{ role: 'user', parts: [{ text: 'Tell a joke' }] }],
    });
  });

  it('ids go along where the target takes them, rewritten where they are too long', () => {
    const long = 'x'.repeat(90);
    const turns = [say('?'), model(call(long)), user(result(long, 'A'))];
    const [, asked, told] = contents(turns, { geminiToolIds: true }) as { parts: Record<string, JsonObject>[] }[];
    const id = asked?.parts[0]?.['functionCall']?.['id'];
    expect(id).toMatch(/^call_\w+$/);
    expect(told?.parts[0]?.['functionResponse']?.['id']).toBe(id);
  });
});

describe('sealed state', () => {
  const own = { by: 'gemini', maker: MAKER, value: 'c2ln' } as const;
  const foreign = { by: 'anthropic-messages', maker: 'anthropic', value: 'EqQB' } as const;
  const modelParts = (parts: readonly Part[], facts: FactChanges = {}): unknown =>
    (
      contents(
        [say('?'), model(...parts), ...parts.flatMap((part) => (part.kind === 'tool-call' ? [user(result(part.id, 'R'))] : []))],
        facts,
      ) as {
        parts: unknown;
      }[]
    )[1]?.parts;
  const functionCall = { name: 'look', args: { at: 3 } };

  it('goes back to its maker, on calls, texts and empty texts', () => {
    const parts: Part[] = [
      { kind: 'reasoning', text: 'hm', seal: own },
      { kind: 'text', text: 'I look', seal: own },
      { ...call('a'), seal: own } as Part,
      { kind: 'text', text: '', seal: own },
    ];
    expect(modelParts(parts)).toEqual([
      { text: 'hm', thought: true, thoughtSignature: 'c2ln' },
      { text: 'I look', thoughtSignature: 'c2ln' },
      { functionCall, thoughtSignature: 'c2ln' },
      { text: '', thoughtSignature: 'c2ln' },
    ]);
  });

  it('of another maker stays away; the first call of a turn says so where the model insists', () => {
    const parts: Part[] = [{ kind: 'reasoning', text: 'hm', seal: foreign }, { ...call('a'), seal: foreign } as Part, call('b')];
    const skip = 'skip_thought_signature_validator';
    expect(modelParts(parts)).toEqual([{ functionCall, thoughtSignature: skip }, { functionCall }]);
    expect(modelParts(parts, { reasoningControl: 'budget' })).toEqual([{ functionCall }, { functionCall }]);
    const other = { ...own, maker: 'another-google' };
    expect(modelParts([{ ...call('a'), seal: other } as Part])).toEqual([{ functionCall, thoughtSignature: skip }]);
  });
});

describe('how much to think', () => {
  const flash: FactChanges = { reasoningControl: 'budget', maxBudgetTokens: 24_576, efforts: ['none', 'low', 'medium', 'high'] };
  const pro: FactChanges = { reasoningControl: 'budget', efforts: ['low', 'medium', 'high'] };
  const three: FactChanges = { reasoningControl: 'level', efforts: ['low', 'high'] };
  const cases: readonly (readonly [string, ChatRequest['reasoning'], FactChanges, JsonObject | undefined])[] = [
    ['an effort as a budget', { effort: 'low' }, flash, { thinkingBudget: 2048, includeThoughts: true }],
    ['the most that there is', { effort: 'max' }, flash, { thinkingBudget: 24_576, includeThoughts: true }],
    ['a budget', { budgetTokens: 999 }, flash, { thinkingBudget: 999, includeThoughts: true }],
    ['none', { effort: 'none' }, flash, { thinkingBudget: 0 }],
    ['none, of a model that always thinks', { enabled: false }, pro, { thinkingBudget: 128 }],
    ['as the model likes', { adaptive: true }, pro, { thinkingBudget: -1, includeThoughts: true }],
    ['an effort as a level', { effort: 'xhigh' }, three, { thinkingLevel: 'HIGH', includeThoughts: true }],
    ['a budget as a level', { budgetTokens: 1500 }, three, { thinkingLevel: 'LOW', includeThoughts: true }],
    ['on, as a level', { enabled: true }, three, { thinkingLevel: 'HIGH', includeThoughts: true }],
    ['unseen', { effort: 'high', show: 'none' }, three, { thinkingLevel: 'HIGH' }],
    ['seen, and no more', { show: 'auto' }, three, { includeThoughts: true }],
    ['by a model that does not', { effort: 'high' }, { reasoningControl: 'none' }, undefined],
  ];
  it.each(cases)('%s', (_name, reasoning, facts, wanted) => {
    expect((configOf(reasoning ? { reasoning } : {}, facts) as JsonObject | undefined)?.['thinkingConfig']).toEqual(wanted);
  });
});

describe('the form of the answer', () => {
  const schema = {
    type: 'object',
    properties: { n: { $ref: '#/$defs/n' } },
    $defs: { n: { type: 'integer' } },
    $schema: 'x',
    additionalProperties: false,
  };
  const output = { type: 'json-schema', schema } as const;

  it('is a whole JSON Schema where the target has the field for it', () => {
    const { $schema: _schema, ...rest } = schema;
    expect(configOf({ output })).toEqual({ responseMimeType: 'application/json', responseJsonSchema: rest });
  });

  it("is brought down to Google's words where it has not", () => {
    expect(configOf({ output }, { jsonSchemaFields: false })).toEqual({
      responseMimeType: 'application/json',
      responseSchema: { type: 'OBJECT', properties: { n: { type: 'INTEGER' } } },
    });
  });

  it.each<readonly [string, Partial<ChatRequest>, FactChanges]>([
    ['is asked for in words by models that know no JSON mode', { output }, { output: 'none' }],
    ['is asked for in words beside functions, before Gemini 3', { output, tools: [LOOK] }, { reasoningControl: 'budget' }],
  ])('%s', (_name, request, facts) => {
    const { body, notes } = write(request, facts);
    expect(body['generationConfig']).toBeUndefined();
    expect(JSON.stringify(body['systemInstruction'])).toContain('matches this JSON Schema');
    expect(notes).toContain('response_format;emulated');
  });
});

describe('tools', () => {
  it.each<readonly [string, ChatRequest['toolChoice'], unknown]>([
    ['auto', { type: 'auto' }, { mode: 'AUTO' }],
    ['none', { type: 'none' }, { mode: 'NONE' }],
    ['required', { type: 'required' }, { mode: 'ANY' }],
    ['one', { type: 'tool', name: 'look' }, { mode: 'ANY', allowedFunctionNames: ['look'] }],
    [
      'some, one of them',
      { type: 'allowed', mode: 'required', names: ['look', 'hear'] },
      { mode: 'ANY', allowedFunctionNames: ['look', 'hear'] },
    ],
    ['some, perhaps', { type: 'allowed', mode: 'auto', names: ['look'] }, { mode: 'VALIDATED', allowedFunctionNames: ['look'] }],
  ])('a choice: %s', (_name, toolChoice, wanted) => {
    const { body } = write({ tools: [LOOK], ...(toolChoice ? { toolChoice } : {}) });
    expect(body['toolConfig']).toEqual({ functionCallingConfig: wanted });
  });

  it('names that Google refuses are changed, the same way in calls and choices', () => {
    const tools = [{ kind: 'function', name: '7eleven/open' } as const];
    const { body } = write({
      tools,
      toolChoice: { type: 'tool', name: '7eleven/open' },
      turns: [say('?'), model(call('a', '7eleven/open')), user(result('a', 'R'))],
    });
    const told = JSON.stringify(body).match(/_7eleven_open_\w{8}/g);
    expect(told).toHaveLength(4);
    expect(new Set(told).size).toBe(1);
  });

  it("the provider's own are mapped where the target has them, and refused where not", () => {
    const search = {
      kind: 'hosted',
      tool: 'web-search',
      name: 'web_search',
      blockedDomains: ['spam.example'],
      native: { by: 'openai-responses', value: {} },
    } as const;
    const facts: FactChanges = { hostedTools: ['web-search'], geminiToolIds: true };
    expect(write({ tools: [search, LOOK] }, facts).body).toMatchObject({
      tools: [{ functionDeclarations: [{ name: 'look' }] }, { googleSearch: { excludeDomains: ['spam.example'] } }],
      toolConfig: { includeServerSideToolInvocations: true },
    });
    expect(() => write({ tools: [search] })).toThrow(
      expect.objectContaining({ fault: expect.objectContaining({ param: 'tools', code: 'unsupported_tool' }) }),
    );
  });
});

describe('what cannot be said', () => {
  it('is noted', () => {
    const { body, notes } = write(
      {
        seed: 2 ** 40 + 5,
        temperature: 2.5,
        stop: ['a', 'b', 'c', 'd', 'e', 'f'],
        user: 'u',
        metadata: { k: 'v' },
        serviceTier: 'flex',
        promptCacheKey: 'k',
        verbosity: 'low',
        tools: [{ ...LOOK, strict: true }],
        parallelToolCalls: false,
        residue: { 'openai-chat': { logit_bias: { 1: 2 } } },
      },
      {},
    );
    expect(body['generationConfig']).toEqual({ temperature: 2, seed: 5, stopSequences: ['a', 'b', 'c', 'd', 'e'] });
    expect(notes.toSorted()).toEqual([
      'logit_bias;dropped',
      'metadata;dropped',
      'parallel_tool_calls;dropped',
      'prompt_cache_key;dropped',
      'seed;approximated',
      'service_tier;dropped',
      'stop;dropped',
      'temperature;approximated',
      'tools.look.strict;dropped',
      'user;dropped',
      'verbosity;dropped',
    ]);
  });

  it("is refused when it is a file in another provider's store", () => {
    const file: Part = { kind: 'media', media: 'document', source: { type: 'file', id: 'file-1', by: 'openai-chat' } };
    expect(() => write({ turns: [user(file)] })).toThrow(GatewayError);
  });
});
