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
import { openaiChat } from './index.ts';

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
const image: Part = { kind: 'media', media: 'image', mediaType: 'image/png', source: { type: 'base64', data: 'iVBORw==' } };
const turn = (role: Turn['role'], ...parts: readonly (Part | string)[]): Turn => ({
  role,
  parts: parts.map((part) => (typeof part === 'string' ? text(part) : part)),
});
const call = (id: string, name = 'f'): Part => ({ kind: 'tool-call', id, name, argumentsJson: '' });
const result = (callId: string, ...content: readonly Part[]): Part => ({ kind: 'tool-result', callId, content, isError: false });
const tool = (name: string) => ({ kind: 'function', name, parameters: { type: 'object', properties: {} } }) as const;

function write(request: ChatRequest, changes: FactChanges = {}): { readonly body: JsonObject; readonly notes: readonly string[] } {
  const notes = createNotes();
  const facts = { ...DEFAULT_FACTS, ...openaiChat.facts, ...changes };
  const body = openaiChat.encodeRequest(request, { model: 'gpt', facts, maker: 'openai', notes });
  return { body, notes: notes.list.map((note) => `${note.field} ${note.what}`) };
}
const messages = (turns: readonly Turn[], changes: FactChanges = {}): unknown => write(ask({ turns }), changes).body['messages'];

function refusal(request: ChatRequest, changes: FactChanges = {}): string | undefined {
  try {
    write(request, changes);
  } catch (error) {
    if (error instanceof GatewayError) return error.fault.param;
    throw error;
  }
  return undefined;
}

describe('the conversation in the order that the wire asks for', () => {
  it.each<[string, readonly Turn[], FactChanges, unknown]>([
    [
      'developers are the system where they are not known',
      [turn('developer', 'd'), turn('user', 'a')],
      {},
      [
        { role: 'system', content: 'd' },
        { role: 'user', content: 'a' },
      ],
    ],
    [
      'developers stay where they are',
      [turn('developer', 'd'), turn('user', 'a')],
      { developerRole: true },
      [
        { role: 'developer', content: 'd' },
        { role: 'user', content: 'a' },
      ],
    ],
    [
      'neighbouring messages of the user are one',
      [turn('user', 'a'), turn('user', image)],
      {},
      [{ role: 'user', content: [{ type: 'text', text: 'a' }, expect.objectContaining({ type: 'image_url' })] }],
    ],
    [
      'results are messages of their own, what the user says besides follows',
      [
        turn('user', 'a'),
        turn('assistant', 'b', call('one'), call('two')),
        turn('user', result('two', text('2')), result('one', text('1')), 'and?'),
      ],
      {},
      [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b', tool_calls: [expect.objectContaining({ id: 'one' }), expect.objectContaining({ id: 'two' })] },
        { role: 'tool', tool_call_id: 'one', content: '1' },
        { role: 'tool', tool_call_id: 'two', content: '2' },
        { role: 'user', content: 'and?' },
      ],
    ],
    [
      'images of results follow in a message of the user, with what the user says',
      [turn('assistant', call('one')), turn('user', result('one', image), 'and?')],
      {},
      [
        { role: 'assistant', content: null, tool_calls: [{ id: 'one', type: 'function', function: { name: 'f', arguments: '{}' } }] },
        { role: 'tool', tool_call_id: 'one', content: expect.any(String) },
        { role: 'user', content: [expect.objectContaining({ type: 'image_url' }), { type: 'text', text: 'and?' }] },
      ],
    ],
    [
      'images stay in results where that is taken',
      [turn('assistant', call('one')), turn('user', result('one', image))],
      { mediaInToolResults: true },
      [expect.anything(), { role: 'tool', tool_call_id: 'one', content: [expect.objectContaining({ type: 'image_url' })] }],
    ],
    [
      'thoughts go where the target has a field',
      [turn('assistant', { kind: 'reasoning', text: 'hm' }, 'b'), turn('user', 'c')],
      { reasoningField: 'reasoning' },
      [
        { role: 'assistant', content: 'b', reasoning: 'hm' },
        { role: 'user', content: 'c' },
      ],
    ],
    [
      'and nowhere where it has none',
      [turn('assistant', { kind: 'reasoning', text: 'hm' }, 'b'), turn('user', 'c')],
      { reasoningField: 'none' },
      [
        { role: 'assistant', content: 'b' },
        { role: 'user', content: 'c' },
      ],
    ],
    [
      'ids have the length that the target asks for',
      [turn('assistant', call('toolu_01'))],
      { toolId: { max: 9, exact: 9, charset: 'word' } },
      [
        { role: 'assistant', content: null, tool_calls: [expect.objectContaining({ id: expect.stringMatching(/^\w{9}$/) as unknown })] },
        expect.anything(),
      ],
    ],
    [
      'content is one string where nothing else is taken',
      [turn('user', 'a', 'b')],
      { stringContent: true },
      [{ role: 'user', content: 'a\nb' }],
    ],
  ])('%s', (_, turns, facts, wanted) => expect(messages(turns, facts)).toEqual(wanted));
});

describe('how to think', () => {
  it.each<[string, ChatRequest['reasoning'], FactChanges, JsonObject, readonly string[]]>([
    ['an effort', { effort: 'high' }, {}, { reasoning_effort: 'high' }, []],
    ['a budget as an effort', { budgetTokens: 9000 }, {}, { reasoning_effort: 'high' }, ['reasoning.budget approximated']],
    [
      'an effort that the target lacks',
      { effort: 'max' },
      { efforts: ['low', 'high'] },
      { reasoning_effort: 'high' },
      ['reasoning.effort approximated'],
    ],
    ['switched on without a word how much', { enabled: true }, {}, { reasoning_effort: 'medium' }, []],
    ['as the model likes', { adaptive: true }, {}, {}, []],
    ['off', { enabled: false }, {}, { reasoning_effort: 'none' }, []],
    ['off, at OpenRouter', { enabled: false }, { reasoningControl: 'openrouter' }, { reasoning: { enabled: false } }, []],
    [
      'a budget, at OpenRouter',
      { budgetTokens: 2000, show: 'none' },
      { reasoningControl: 'openrouter' },
      { reasoning: { max_tokens: 2000, exclude: true } },
      [],
    ],
    [
      'by type',
      { effort: 'low' },
      { reasoningControl: 'thinking-type' },
      { thinking: { type: 'enabled' } },
      ['reasoning.effort approximated'],
    ],
    ['by a switch', { budgetTokens: 2000 }, { reasoningControl: 'enable-thinking' }, { enable_thinking: true, thinking_budget: 2000 }, []],
    [
      'by the template',
      { enabled: false },
      { reasoningControl: 'chat-template' },
      { chat_template_kwargs: { enable_thinking: false } },
      [],
    ],
    ['not at all', { effort: 'low' }, { reasoningControl: 'none' }, {}, ['reasoning dropped']],
  ])('%s', (_, reasoning, facts, wanted, notes) => {
    const { body, notes: found } = write(ask(reasoning ? { reasoning } : {}), facts);
    const { model: _model, messages: _messages, ...rest } = body;
    expect(rest).toEqual(wanted);
    expect(found).toEqual(notes);
  });
});

describe('tools, form and length', () => {
  it.each<[string, Partial<ChatRequest>, FactChanges, JsonObject]>([
    ['required', { tools: [tool('f')], toolChoice: { type: 'required' } }, {}, { tool_choice: 'required' }],
    [
      'one by name',
      { tools: [tool('f')], toolChoice: { type: 'tool', name: 'f' } },
      {},
      { tool_choice: { type: 'function', function: { name: 'f' } } },
    ],
    [
      'some of them',
      { tools: [tool('f'), tool('g')], toolChoice: { type: 'allowed', mode: 'required', names: ['g'] } },
      {},
      { tool_choice: 'required', tools: [{ type: 'function', function: { name: 'g' } }] },
    ],
    [
      'a forced one, where that is not taken',
      { tools: [tool('f')], toolChoice: { type: 'required' } },
      { forcedToolChoice: false },
      { tool_choice: 'auto', messages: [{ role: 'system' }, { role: 'user' }] },
    ],
    ['one at a time', { tools: [tool('f')], parallelToolCalls: false }, {}, { parallel_tool_calls: false }],
    [
      'a schema',
      { output: { type: 'json-schema', schema: { type: 'object' } } },
      {},
      { response_format: { type: 'json_schema', json_schema: { name: 'response', schema: { type: 'object' } } } },
    ],
    [
      'a schema, where only JSON is taken',
      { output: { type: 'json-schema', schema: { type: 'object' } } },
      { output: 'json-object' },
      {
        response_format: { type: 'json_object' },
        messages: [{ role: 'system', content: expect.stringContaining('{"type":"object"}') as unknown as string }, {}],
      },
    ],
    [
      'JSON, of which the conversation does not speak',
      { output: { type: 'json' } },
      {},
      { response_format: { type: 'json_object' }, messages: [{ role: 'system' }, { role: 'user' }] },
    ],
    [
      'JSON, of which it does',
      { output: { type: 'json' }, turns: [turn('user', 'Answer in JSON')] },
      {},
      { response_format: { type: 'json_object' }, messages: [{ role: 'user' }] },
    ],
    [
      'the length where the target looks for it',
      { maxOutputTokens: 9 },
      { maxTokensField: 'max_completion_tokens' },
      { max_completion_tokens: 9 },
    ],
    ['usage of a stream', { stream: true }, {}, { stream: true, stream_options: { include_usage: true } }],
  ])('%s', (_, more, facts, wanted) => expect(write(ask(more), facts).body).toMatchObject(wanted));

  it('a choice without tools is left out', () => {
    const { body } = write(ask({ toolChoice: { type: 'required' }, parallelToolCalls: false }));
    expect(Object.keys(body)).toEqual(['model', 'messages']);
  });
});

describe('what cannot be said is refused by its name', () => {
  const document = (source: Extract<Part, { kind: 'media' }>['source']): Partial<ChatRequest> => ({
    turns: [turn('user', { kind: 'media', media: 'document', source })],
  });
  it.each<[string, Partial<ChatRequest>, FactChanges, string]>([
    ['several answers', { n: 2 }, { n: false }, 'n'],
    ['a file that another provider keeps', document({ type: 'file', id: 'f', by: 'anthropic-messages' }), {}, 'messages'],
    ['an address where only bytes are taken', document({ type: 'url', url: 'https://example.com/a.pdf' }), {}, 'messages'],
    [
      'a tool that another provider runs',
      { tools: [{ kind: 'hosted', tool: 'code-execution', name: 'code', native: { by: 'gemini', value: {} } }] },
      {},
      'tools',
    ],
    [
      'a block of another dialect',
      { turns: [turn('user', { kind: 'native', by: 'anthropic-messages', value: { type: 'container_upload' } })] },
      {},
      'messages',
    ],
    ['tools elsewhere', { residue: { 'anthropic-messages': { mcp_servers: [{ name: 'x' }] } } }, {}, 'mcp_servers'],
    ['a thread that nobody kept', { residue: { 'anthropic-messages': { thread: { type: 'continue' } } } }, {}, 'thread'],
  ])('%s', (_, more, facts, param) => expect(refusal(ask(more), facts)).toBe(param));
});

describe('what is lost is noted', () => {
  it.each<[string, Partial<ChatRequest>, FactChanges, string]>([
    ['top_k', { topK: 5 }, {}, 'top_k dropped'],
    ['sampling', { temperature: 0.2 }, { sampling: false }, 'temperature dropped'],
    ['a mark on a tool', { tools: [{ ...tool('f'), cache: {} }] }, {}, 'cache_control dropped'],
    ['a mark on the whole', { cache: {} }, {}, 'cache_control dropped'],
    [
      'that a call failed',
      { turns: [turn('assistant', call('a')), turn('user', { kind: 'tool-result', callId: 'a', content: [text('no')], isError: true })] },
      {},
      'tool_result.is_error dropped',
    ],
    [
      'fields of a message',
      { turns: [{ ...turn('user', 'a'), residue: { 'anthropic-messages': { output_config: { effort: 'low' } } } }] },
      {},
      'messages.output_config dropped',
    ],
    [
      'fields of a tool',
      { tools: [{ ...tool('f'), residue: { 'anthropic-messages': { defer_loading: true } } }] },
      {},
      'tools.defer_loading dropped',
    ],
    ['stop sequences above what is taken', { stop: ['a', 'b'] }, { maxStop: 1 }, 'stop dropped'],
  ])('%s', (_, more, facts, note) => expect(write(ask(more), facts).notes).toContain(note));
});
