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
import { anthropicMessages } from './index.ts';

/** A request of another dialect. */
const ask = (more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: 'm',
  instructions: [],
  turns: [{ role: 'user', parts: [{ kind: 'text', text: 'Hi' }] }],
  tools: [],
  stream: false,
  ...more,
});
const text = (said: string): Part => ({ kind: 'text', text: said });
const turn = (role: Turn['role'], ...parts: readonly (Part | string)[]): Turn => ({
  role,
  parts: parts.map((part) => (typeof part === 'string' ? text(part) : part)),
});
const call = (id: string, name = 'f'): Part => ({ kind: 'tool-call', id, name, argumentsJson: '{"a":1}' });
const result = (callId: string, ...content: readonly Part[]): Part => ({ kind: 'tool-result', callId, content, isError: false });
const tool = (name: string, more: object = {}) =>
  ({ kind: 'function', name, parameters: { type: 'object', properties: {} }, ...more }) as const;

function write(request: ChatRequest, changes: FactChanges = {}): { readonly body: JsonObject; readonly notes: readonly string[] } {
  const notes = createNotes();
  const facts = { ...DEFAULT_FACTS, ...anthropicMessages.facts, ...changes };
  const body = anthropicMessages.encodeRequest(request, { model: 'claude', facts, maker: 'anthropic', notes });
  return { body, notes: notes.list.map((note) => `${note.field} ${note.what}`) };
}
const messages = (...turns: readonly Turn[]): unknown => write(ask({ turns })).body['messages'];

function refusal(request: ChatRequest, changes: FactChanges = {}): string | undefined {
  try {
    write(request, changes);
  } catch (error) {
    if (error instanceof GatewayError) return error.fault.param;
    throw error;
  }
  return undefined;
}

describe('the conversation in the order that the API asks for', () => {
  it.each<[string, readonly Turn[], unknown]>([
    [
      'neighbours of one role are one message',
      [turn('user', 'a'), turn('user', 'b')],
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
    ],
    [
      'leading instructions go to system',
      [turn('system', 's'), turn('developer', 'd'), turn('user', 'a')],
      [{ role: 'user', content: 'a' }],
    ],
    [
      'the assistant does not begin',
      [turn('assistant', 'a'), turn('user', 'b')],
      [
        { role: 'user', content: expect.any(String) },
        { role: 'assistant', content: 'a' },
        { role: 'user', content: 'b' },
      ],
    ],
    [
      'the last words of the assistant end in no white space',
      [turn('user', 'a'), turn('assistant', 'b \n')],
      [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
      ],
    ],
    [
      'what says nothing goes',
      [turn('user', 'a'), turn('assistant', ' '), turn('user', 'b')],
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
    ],
    ['of nothing at all something is said', [turn('user', '')], [{ role: 'user', content: expect.any(String) }]],
  ])('%s', (_, turns, wanted) => expect(messages(...turns)).toEqual(wanted));

  it('results stand first in the message after their calls, in the order of the calls', () => {
    const turns = [
      turn('user', 'a'),
      turn('assistant', call('one'), call('two')),
      turn('user', 'wait', result('two', text('2')), result('one', text('1'))),
    ];
    expect(messages(...turns)).toEqual([
      { role: 'user', content: 'a' },
      { role: 'assistant', content: [expect.objectContaining({ id: 'one' }), expect.objectContaining({ id: 'two' })] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'one', content: '1' },
          { type: 'tool_result', tool_use_id: 'two', content: '2' },
          { type: 'text', text: 'wait' },
        ],
      },
    ]);
  });

  it('a call without a result is given one that says so, a result without its call is told as text', () => {
    const turns = [turn('user', 'a', result('lost', text('found'))), turn('assistant', call('one')), turn('user', 'b')];
    expect(messages(...turns)).toMatchObject([
      { role: 'user', content: [{ text: 'a' }, { text: 'Result of the tool call lost:\nfound' }] },
      { role: 'assistant', content: [{ type: 'tool_use' }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'one', is_error: true }, { text: 'b' }] },
    ]);
  });

  it('ids are such as the API takes, each once', () => {
    const again = [turn('assistant', call('functions.f:0')), turn('user', result('functions.f:0', text('1')))];
    const [, first, , second] = messages(turn('user', 'a'), ...again, ...again) as { content: { id: string }[] }[];
    const ids = [first?.content[0]?.id, second?.content[0]?.id];
    expect(ids[0]).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(ids[1]).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('instructions in mid-conversation are said by the user, or by the system where the model takes that', () => {
    const turns = [turn('user', 'a'), turn('system', 's'), turn('assistant', 'b')];
    expect(write(ask({ turns })).body['messages']).toMatchObject([
      { role: 'user', content: [{ text: 'a' }, { text: 's' }] },
      { role: 'assistant' },
    ]);
    expect(write(ask({ turns }), { midSystem: true }).body['messages']).toMatchObject([
      { role: 'user' },
      { role: 'system', content: 's' },
      { role: 'assistant' },
    ]);
  });
});

describe('thinking', () => {
  const BUDGET: FactChanges = { reasoningControl: 'budget', maxBudgetTokens: 32_000, defaultMaxTokens: 8192 };
  const ADAPTIVE: FactChanges = { reasoningControl: 'adaptive', efforts: ['none', 'low', 'medium', 'high', 'xhigh', 'max'] };
  it.each<[string, Partial<ChatRequest>, FactChanges, JsonObject, readonly string[]]>([
    [
      'an effort is a budget',
      { reasoning: { effort: 'low' } },
      BUDGET,
      { thinking: { type: 'enabled', budget_tokens: 2048 }, max_tokens: 10_240 },
      [],
    ],
    [
      'an effort is an effort',
      { reasoning: { effort: 'low' } },
      ADAPTIVE,
      { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
      [],
    ],
    [
      'a budget stays below the maximum',
      { reasoning: { budgetTokens: 9000 }, maxOutputTokens: 4000 },
      BUDGET,
      { thinking: { type: 'enabled', budget_tokens: 2976 }, max_tokens: 4000 },
      ['reasoning.budget approximated'],
    ],
    ['no room to think', { reasoning: { effort: 'high' }, maxOutputTokens: 1000 }, BUDGET, { max_tokens: 1000 }, ['reasoning dropped']],
    [
      'a budget is an effort where the model chooses',
      { reasoning: { budgetTokens: 9000 } },
      ADAPTIVE,
      { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } },
      ['thinking.budget_tokens approximated'],
    ],
    ['switched off', { reasoning: { effort: 'none' } }, ADAPTIVE, { thinking: { type: 'disabled' } }, []],
    [
      'a model that always thinks',
      { reasoning: { effort: 'none' } },
      { ...ADAPTIVE, efforts: ['low', 'high'] },
      { output_config: { effort: 'low' } },
      ['reasoning.effort approximated'],
    ],
    [
      'not with a forced tool',
      { reasoning: { effort: 'high' }, tools: [tool('f')], toolChoice: { type: 'required' } },
      BUDGET,
      { tool_choice: { type: 'any' } },
      ['reasoning dropped'],
    ],
    [
      'not with another temperature',
      { reasoning: { effort: 'low' }, temperature: 0.2 },
      BUDGET,
      { thinking: { type: 'enabled', budget_tokens: 2048 } },
      ['temperature dropped'],
    ],
    ['a model that does not think', { reasoning: { effort: 'low' } }, { reasoningControl: 'none' }, {}, ['reasoning dropped']],
  ])('%s', (_, more, facts, wanted, notes) => {
    const written = write(ask(more), facts);
    expect(written.body).toMatchObject(wanted);
    expect({ ...written.body, ...wanted }).toEqual(written.body);
    if (wanted['thinking'] === undefined) expect(written.body['thinking']).toBeUndefined();
    expect(written.notes).toEqual(notes);
  });

  it('of another maker is not sent, of this one goes back as it was', () => {
    const thought = (maker: string): Part => ({ kind: 'reasoning', text: 'hm', seal: { by: 'anthropic-messages', maker, value: 'c2ln' } });
    const turns = [
      turn('user', 'a'),
      turn('assistant', thought('anthropic'), 'b'),
      turn('assistant', thought('elsewhere'), 'c'),
      turn('user', 'd'),
    ];
    expect(messages(...turns)).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: [{ type: 'thinking', thinking: 'hm', signature: 'c2ln' }, { text: 'b' }, { text: 'c' }] },
      { role: 'user' },
    ]);
  });
});

describe('tools', () => {
  const search = { kind: 'hosted', tool: 'web-search', name: 'web_search', native: { by: 'openai-responses', value: {} } } as const;
  it.each<[string, Partial<ChatRequest>, FactChanges, JsonObject]>([
    ['required', { toolChoice: { type: 'required' } }, {}, { tool_choice: { type: 'any' } }],
    ['one by name', { toolChoice: { type: 'tool', name: 'f' } }, {}, { tool_choice: { type: 'tool', name: 'f' } }],
    ['one at a time', { parallelToolCalls: false }, {}, { tool_choice: { type: 'auto', disable_parallel_tool_use: true } }],
    [
      'some of them',
      { tools: [tool('f'), tool('g')], toolChoice: { type: 'allowed', mode: 'auto', names: ['g'] } },
      {},
      { tools: [{ name: 'g' }] },
    ],
    [
      'a forced one, where that is not taken',
      { toolChoice: { type: 'tool', name: 'f' } },
      { forcedToolChoice: false },
      { tool_choice: { type: 'auto' }, system: expect.stringContaining("'f'") as unknown as string },
    ],
    [
      'a search of the web',
      { tools: [search] },
      { hostedTools: ['web-search'] },
      { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
    ],
    [
      'free text',
      { tools: [{ kind: 'custom', name: 'f', description: 'd' }] },
      {},
      { tools: [{ name: 'f', input_schema: { required: ['input'] } }] },
    ],
    [
      'held to their schema',
      { tools: [tool('f', { strict: true })] },
      {},
      { tools: [{ strict: true, input_schema: { additionalProperties: false } }] },
    ],
  ])('%s', (_, more, facts, wanted) => expect(write(ask({ tools: [tool('f')], ...more }), facts).body).toMatchObject(wanted));

  it('of earlier calls are defined anew, not to be called', () => {
    const turns = [turn('user', 'a'), turn('assistant', call('one')), turn('user', result('one', text('1')))];
    expect(write(ask({ turns })).body).toMatchObject({ tools: [{ name: 'f' }], tool_choice: { type: 'none' } });
  });
});

describe('what cannot be said is refused by its name', () => {
  it.each<[string, Partial<ChatRequest>, string]>([
    ['several answers', { n: 2 }, 'n'],
    ['audio', { turns: [turn('user', { kind: 'media', media: 'audio', source: { type: 'base64', data: 'AAAA' } })] }, 'messages'],
    [
      'a file that another provider keeps',
      { turns: [turn('user', { kind: 'media', media: 'document', source: { type: 'file', id: 'f', by: 'gemini' } })] },
      'messages',
    ],
    ['a block of another dialect', { turns: [turn('user', { kind: 'native', by: 'gemini', value: { a: 1 } })] }, 'messages'],
    [
      'a tool that another provider runs',
      { tools: [{ kind: 'hosted', tool: 'file-search', name: 'fileSearch', native: { by: 'gemini', value: {} } }] },
      'tools',
    ],
    ['a stored prompt', { residue: { gemini: { cachedContent: 'c' } } }, 'cachedContent'],
  ])('%s', (_, more, param) => expect(refusal(ask(more))).toBe(param));
});

describe('what is lost is noted', () => {
  it.each<[string, Partial<ChatRequest>, string]>([
    ['a seed', { seed: 7 }, 'seed dropped'],
    ['penalties', { presencePenalty: 1 }, 'presence_penalty dropped'],
    ['a temperature that is too high', { temperature: 1.7 }, 'temperature approximated'],
    ['the lesser of temperature and top_p', { temperature: 0.3, topP: 0.8 }, 'top_p dropped'],
    ['JSON without a schema', { output: { type: 'json' } }, 'response_format emulated'],
    ['fields of another dialect', { residue: { 'openai-chat': { logit_bias: { '1': 2 } } } }, 'logit_bias dropped'],
    [
      'cache marks above four',
      { turns: ['a', 'b', 'c', 'd', 'e'].map((said) => turn('user', { kind: 'text', text: said, cache: {} })) },
      'cache_control dropped',
    ],
  ])('%s', (_, more, note) => expect(write(ask(more)).notes).toContain(note));
});
