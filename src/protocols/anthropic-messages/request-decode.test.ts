import { describe, expect, it } from 'vitest';
import { type ChatRequest, GatewayError, type JsonObject, type Part, sealToken } from '../../ir/index.ts';
import { clientToolId, makersToolId } from './client-tool-id.ts';
import { decodeRequest } from './request-decode.ts';

const user = [{ role: 'user', content: 'x' }];
const body = (more: JsonObject): JsonObject => ({ model: 'm', max_tokens: 9, messages: user, ...more });
const ask = (more: JsonObject): ChatRequest => decodeRequest(body(more));
const said = (role: string, content: JsonObject['x']): readonly Part[] =>
  ask({ messages: [...user, { role, content }] }).turns[1]?.parts ?? [];

function refusal(of: JsonObject): { param: string | undefined; code: string | undefined; status: number } {
  try {
    decodeRequest(of);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { param, code, status } = error.fault;
    return { param, code, status };
  }
  throw new Error('it was taken');
}

describe('a wrong request is refused by the name of the field', () => {
  it.each<[string, JsonObject, string, string?]>([
    ['no model', { max_tokens: 1, messages: user }, 'model', 'missing_parameter'],
    ['a model that is a number', { model: 4, messages: user }, 'model'],
    ['no messages', { model: 'm' }, 'messages', 'missing_parameter'],
    ['messages that are a string', { model: 'm', messages: 'hi' }, 'messages'],
    ['a message that is a string', { model: 'm', messages: ['hi'] }, 'messages[0]'],
    ['no role', { model: 'm', messages: [{ content: 'x' }] }, 'messages[0].role', 'missing_parameter'],
    ['an unknown role', { model: 'm', messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].role'],
    ['no content', { model: 'm', messages: [{ role: 'user' }] }, 'messages[0].content', 'missing_parameter'],
    ['content that is a number', { model: 'm', messages: [{ role: 'user', content: 5 }] }, 'messages[0].content'],
    [
      'a block without a type',
      { model: 'm', messages: [{ role: 'user', content: [{}] }] },
      'messages[0].content[0].type',
      'missing_parameter',
    ],
    ['a text without text', { model: 'm', messages: [{ role: 'user', content: [{ type: 'text' }] }] }, 'messages[0].content[0].text'],
    [
      'an image without a source',
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'image' }] }] },
      'messages[0].content[0].source',
    ],
    [
      'an image that is no base64',
      {
        model: 'm',
        messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: '{no}' } }] }],
      },
      'messages[0].content[0].source.data',
      'invalid_base64',
    ],
    [
      'a result in a result without its call',
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'tool_result', content: 'x' }] }] },
      'messages[0].content[0].tool_use_id',
      'missing_parameter',
    ],
    [
      'a call whose input is a string',
      { model: 'm', messages: [{ role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'b', input: '{}' }] }] },
      'messages[0].content[0].input',
    ],
    ['max_tokens that is a word', body({ max_tokens: 'many' }), 'max_tokens'],
    ['max_tokens below nought', body({ max_tokens: -1 }), 'max_tokens'],
    ['a temperature that is a word', body({ temperature: 'hot' }), 'temperature'],
    ['stop sequences of numbers', body({ stop_sequences: ['a', 3] }), 'stop_sequences[1]'],
    ['tools that are an object', body({ tools: {} }), 'tools'],
    ['a tool without a name', body({ tools: [{ input_schema: {} }] }), 'tools[0].name', 'missing_parameter'],
    ['a schema that is a string', body({ tools: [{ name: 'a', input_schema: 'x' }] }), 'tools[0].input_schema'],
    ['a choice without a type', body({ tool_choice: {} }), 'tool_choice.type', 'missing_parameter'],
    ['a choice of a nameless tool', body({ tool_choice: { type: 'tool' } }), 'tool_choice.name', 'missing_parameter'],
    ['thinking without a type', body({ thinking: {} }), 'thinking.type', 'missing_parameter'],
    ['a format without its schema', body({ output_config: { format: { type: 'json_schema' } } }), 'output_config.format.schema'],
    ['a stream that is a word', body({ stream: 'yes' }), 'stream'],
    ['a mark that is a word', body({ system: [{ type: 'text', text: 'x', cache_control: 'long' }] }), 'system[0].cache_control'],
  ])('%s', (_, of, param, code) => {
    const found = refusal(of);
    expect(found).toMatchObject({ param, status: 400, ...(code === undefined ? {} : { code }) });
  });
});

describe('what is not known is never an error', () => {
  it('null is absent', () => {
    expect(
      ask({ system: null, tools: null, tool_choice: null, thinking: null, metadata: null, stop_sequences: null, top_p: null }),
    ).toEqual(ask({}));
  });

  it('-1 is "not used"', () => expect(ask({ top_k: -1, top_p: -1 })).toEqual(ask({})));

  it('fields, and kinds of known ones, are kept for their own dialect', () => {
    const rest = ask({
      container: 'c',
      thinking: { type: 'tomorrow' },
      tool_choice: { type: 'best' },
      output_config: { effort: 'heroic', task_budget: 3 },
      metadata: { user_id: 'u', team: 't' },
    });
    expect(rest.user).toBe('u');
    expect(rest.residue).toEqual({
      'anthropic-messages': {
        container: 'c',
        thinking: { type: 'tomorrow' },
        tool_choice: { type: 'best' },
        output_config: { effort: 'heroic', task_budget: 3 },
        metadata: { team: 't' },
      },
    });
  });

  it('a block of tomorrow is kept as it is', () => {
    expect(said('user', [{ type: 'hologram', of: 'a gate' }])).toEqual([
      { kind: 'native', by: 'anthropic-messages', value: { type: 'hologram', of: 'a gate' } },
    ]);
  });

  it('a system message between the others may be bare, and a message may have an output_config of its own', () => {
    const { turns } = ask({ messages: [...user, { role: 'system' }, { role: 'user', content: 'y', output_config: { effort: 'low' } }] });
    expect(turns[1]).toEqual({ role: 'system', parts: [], residue: { 'anthropic-messages': {} } });
    expect(turns[2]?.residue).toEqual({ 'anthropic-messages': { output_config: { effort: 'low' } } });
  });
});

describe('how to think', () => {
  it.each<[JsonObject, ChatRequest['reasoning']]>([
    [{ thinking: { type: 'enabled', budget_tokens: 2048 } }, { enabled: true, budgetTokens: 2048 }],
    [{ thinking: { type: 'disabled' } }, { enabled: false }],
    [{ thinking: { type: 'adaptive', display: 'omitted' } }, { adaptive: true, show: 'none' }],
    [
      { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'max' } },
      { adaptive: true, show: 'auto', effort: 'max' },
    ],
    [{ output_config: { effort: 'low' } }, { effort: 'low' }],
    [{}, undefined],
  ])('%j', (more, reasoning) => expect(ask(more).reasoning).toEqual(reasoning));
});

describe('sealed state of other dialects on its way back', () => {
  const seal = { by: 'gemini', maker: 'gemini', value: 'c2VhbA==' } as const;
  const token = sealToken(seal);

  it('stands in the signature of thinking', () => {
    expect(said('assistant', [{ type: 'thinking', thinking: 'hm', signature: token }])).toEqual([{ kind: 'reasoning', text: 'hm', seal }]);
  });

  it('follows a call that has no place for it', () => {
    const call = { type: 'tool_use', id: 'a', name: 'b', input: {} };
    expect(said('assistant', [call, { type: 'redacted_thinking', data: token }])).toMatchObject([{ kind: 'tool-call', id: 'a', seal }]);
  });

  it('is none when it was damaged', () => {
    expect(said('assistant', [{ type: 'thinking', thinking: 'hm', signature: `${token.slice(0, 20)}!` }])).toEqual([
      { kind: 'reasoning', text: 'hm' },
    ]);
  });
});

describe('ids of calls', () => {
  it.each(['functions.Bash:0', 'tool 1', 'ü', ''])('%j fits the wire and comes back', (id) => {
    expect(clientToolId(id)).toMatch(/^[a-zA-Z0-9_-]+$/);
    expect(makersToolId(clientToolId(id))).toBe(id);
  });

  it.each(['toolu_01AbC', 'call_x', 'toolu_p64_!', 'toolu_p64_Y2FsbF94'])('%j is as it is', (id) => expect(makersToolId(id)).toBe(id));
});
