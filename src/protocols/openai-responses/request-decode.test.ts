import { describe, expect, it } from 'vitest';
import { createNotes, DEFAULT_FACTS, GatewayError, type JsonObject } from '../../ir/index.ts';
import { openaiResponses } from './index.ts';

const decode = (more: JsonObject) => openaiResponses.decodeRequest({ model: 'm', input: 'x', ...more });
const turnsOf = (...input: JsonObject[]) => decode({ input }).turns;
const PNG = 'data:image/png;base64,iVBORw0KGgo=';

describe('input', () => {
  it.each([
    { name: 'a string', input: 'Hello', turns: [{ role: 'user', parts: [{ kind: 'text', text: 'Hello' }] }] },
    {
      name: 'easy messages, with and without a type',
      input: [
        { role: 'developer', content: 'Be brief.' },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] },
        { role: 'assistant', content: 'Hello' },
      ],
      turns: [
        { role: 'developer', parts: [{ kind: 'text', text: 'Be brief.' }] },
        { role: 'user', parts: [{ kind: 'text', text: 'Hi' }] },
        { role: 'assistant', parts: [{ kind: 'text', text: 'Hello' }] },
      ],
    },
    {
      name: 'media by address, bytes and id',
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_image', image_url: PNG, detail: 'low' },
            { type: 'input_image', image_url: 'https://a.example/b.jpg' },
            { type: 'input_image', file_id: 'file-1' },
            { type: 'input_file', file_url: 'https://a.example/b.pdf' },
            { type: 'input_file', filename: 'a.txt', file_data: 'data:text/plain;base64,aGk=' },
            { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
          ],
        },
      ],
      turns: [
        {
          role: 'user',
          parts: [
            { kind: 'media', media: 'image', mediaType: 'image/png', source: { type: 'base64', data: 'iVBORw0KGgo=' }, detail: 'low' },
            { kind: 'media', media: 'image', mediaType: 'image/jpeg', source: { type: 'url', url: 'https://a.example/b.jpg' } },
            { kind: 'media', media: 'image', source: { type: 'file', id: 'file-1', by: 'openai-responses' } },
            { kind: 'media', media: 'document', mediaType: 'application/pdf', source: { type: 'url', url: 'https://a.example/b.pdf' } },
            { kind: 'media', media: 'document', mediaType: 'text/plain', source: { type: 'base64', data: 'aGk=' }, filename: 'a.txt' },
            { kind: 'media', media: 'audio', mediaType: 'audio/wav', source: { type: 'base64', data: 'UklGRg==' } },
          ],
        },
      ],
    },
  ])('$name', ({ input, turns }) => expect(decode({ input }).turns).toEqual(turns));

  it('what the model made in one turn is one turn, up to its next message or new thoughts', () => {
    const call = (id: string): JsonObject => ({ type: 'function_call', call_id: id, name: 'f', arguments: '{}' });
    const turns = turnsOf(
      { role: 'user', content: 'x' },
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'enc' },
      { type: 'message', role: 'assistant', id: 'msg_1', content: [{ type: 'output_text', text: 'I look.', annotations: [] }] },
      call('a'),
      call('b'),
      { type: 'reasoning', id: 'rs_2', summary: [{ type: 'summary_text', text: 'Again.' }] },
      call('c'),
      { type: 'function_call_output', call_id: 'a', output: '1' },
      { type: 'function_call_output', call_id: 'b', output: [{ type: 'input_text', text: '2' }] },
    );
    expect(turns.map((turn) => [turn.role, turn.parts.map((part) => part.kind).join(' ')])).toEqual([
      ['user', 'text'],
      ['assistant', 'reasoning text tool-call tool-call'],
      ['assistant', 'reasoning tool-call'],
      ['user', 'tool-result tool-result'],
    ]);
    expect(turns[1]?.parts[0]).toEqual({ kind: 'reasoning', text: '', id: 'rs_1', seal: { by: 'openai-responses', value: 'enc' } });
  });

  it('thoughts of two items without ids stay two, their pieces one', () => {
    const input = [
      {
        type: 'reasoning',
        summary: [],
        content: [
          { type: 'reasoning_text', text: 'a' },
          { type: 'reasoning_text', text: 'b' },
        ],
      },
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'c' }] },
    ];
    const request = decode({ input: [...input, { role: 'user', content: 'x' }] });
    expect(request.turns[0]?.parts.map((part) => part.kind === 'reasoning' && [part.text, part.form])).toEqual([
      ['a', undefined],
      ['b', undefined],
      ['c', 'summary'],
    ]);
    const notes = createNotes();
    const { input: again } = openaiResponses.encodeRequest(request, { model: 'm', facts: DEFAULT_FACTS, maker: 'them', notes });
    expect((again as JsonObject[]).slice(0, 2)).toEqual([input[0], input[1]]);
  });

  it('items that only this dialect has stay as they are; what the model was told must not be lost', () => {
    const reference = { type: 'item_reference', id: 'msg_1' };
    const compaction = { type: 'compaction', id: 'cmp_1', encrypted_content: 'x' };
    const listed = { type: 'mcp_list_tools', id: 'mcpl_1', server_label: 's', tools: [] };
    expect(turnsOf(reference, compaction, listed)).toEqual([
      { role: 'user', parts: [{ kind: 'native', by: 'openai-responses', value: reference }] },
      { role: 'user', parts: [{ kind: 'native', by: 'openai-responses', value: compaction }] },
      { role: 'assistant', parts: [{ kind: 'native', by: 'openai-responses', value: listed }] },
    ]);
  });

  it('tools of provider stand with what they gave', () => {
    const code = {
      type: 'code_interpreter_call',
      id: 'ci_1',
      status: 'completed',
      code: '1+1',
      container_id: 'c',
      outputs: [{ type: 'logs', logs: '2' }],
    };
    expect(turnsOf(code)[0]?.parts).toMatchObject([
      { kind: 'hosted-call', id: 'ci_1', tool: 'code-execution', inputJson: '{"code":"1+1","language":"python"}' },
      { kind: 'hosted-result', callId: 'ci_1', tool: 'code-execution', text: '2', isError: false },
    ]);
  });
});

describe('tools', () => {
  const f = (name: string): JsonObject => ({ type: 'function', name, parameters: { type: 'object' } });

  it('functions, custom tools, groups and the provider’s own', () => {
    const { tools } = decode({
      tools: [
        { ...f('a'), strict: true, description: 'A' },
        { type: 'custom', name: 'b', format: { type: 'text' } },
        { type: 'namespace', name: 'g', description: 'G', tools: [f('a'), f('c')] },
        {
          type: 'web_search_2025_08_26',
          filters: { allowed_domains: ['a.example'] },
          user_location: { type: 'approximate', country: 'CN' },
        },
        { type: 'mcp', server_label: 's' },
        { type: 'from_the_future' },
      ],
    });
    expect(tools.map((tool) => [tool.kind, tool.kind === 'hosted' ? tool.tool : (tool.namespace ?? ''), tool.name])).toEqual([
      ['function', '', 'a'],
      ['custom', '', 'b'],
      ['function', 'g', 'a'],
      ['function', 'g', 'c'],
      ['hosted', 'web-search', 'web_search_2025_08_26'],
      ['hosted', 'mcp', 'mcp'],
      ['hosted', 'other', 'from_the_future'],
    ]);
    expect(tools[0]).toMatchObject({ strict: true, description: 'A' });
    expect(tools[4]).toMatchObject({ allowedDomains: ['a.example'], userLocation: { country: 'CN' } });
  });

  it('those that a search found are there for other dialects', () => {
    const { tools } = decode({ tools: [f('a')], input: [{ type: 'tool_search_output', call_id: 'c', tools: [f('a'), f('z')] }] });
    expect(tools.map((tool) => tool.name)).toEqual(['a', 'z']);
  });

  it.each([
    ['auto', { type: 'auto' }],
    ['required', { type: 'required' }],
    [
      { type: 'function', name: 'a' },
      { type: 'tool', name: 'a' },
    ],
    [
      { type: 'custom', name: 'b' },
      { type: 'tool', name: 'b' },
    ],
    [{ type: 'web_search_preview' }, { type: 'hosted', tool: 'web-search' }],
    [
      { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'a' }, { type: 'web_search' }] },
      { type: 'allowed', mode: 'required', names: ['a', 'web-search'] },
    ],
  ] as const)('a choice %j', (tool_choice, choice) => expect(decode({ tool_choice }).toolChoice).toMatchObject(choice));
});

describe('fields', () => {
  it('are read in the shared words; null is absent; the unknown is kept', () => {
    expect(
      decode({
        instructions: 'Be brief.',
        text: { format: { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true }, verbosity: 'low', future: 1 },
        reasoning: { effort: 'high', summary: 'auto', context: 'x' },
        include: ['message.output_text.logprobs'],
        top_logprobs: 3,
        max_output_tokens: 9,
        temperature: null,
        store: false,
        previous_response_id: 'resp_1',
        conversation: { id: 'conv_1' },
        background: false,
        truncation: 'auto',
      }),
    ).toEqual({
      model: 'm',
      instructions: [{ kind: 'text', text: 'Be brief.' }],
      turns: [{ role: 'user', parts: [{ kind: 'text', text: 'x' }] }],
      tools: [],
      output: { type: 'json-schema', name: 'n', schema: { type: 'object' }, strict: true },
      verbosity: 'low',
      reasoning: { effort: 'high', show: 'auto' },
      logprobs: { top: 3 },
      maxOutputTokens: 9,
      store: false,
      stream: false,
      residue: {
        'openai-responses': {
          include: ['message.output_text.logprobs'],
          previous_response_id: 'resp_1',
          conversation: { id: 'conv_1' },
          background: false,
          truncation: 'auto',
          text: { future: 1 },
          reasoning: { context: 'x' },
        },
      },
    });
  });

  it('without input something else must say what to answer', () => {
    expect(openaiResponses.decodeRequest({ model: 'm', previous_response_id: 'resp_1' }).turns).toEqual([]);
    expect(() => openaiResponses.decodeRequest({ model: 'm' })).toThrow("Invalid request: missing required parameter 'input'");
  });
});

describe('mistakes name the field', () => {
  it.each<readonly [JsonObject, string]>([
    [{ model: 7 }, 'model'],
    [{ model: '' }, 'model'],
    [{ input: 7 }, 'input'],
    [{ input: ['x'] }, 'input[0]'],
    [{ input: [{ role: 'robot', content: 'x' }] }, 'input[0].role'],
    [{ input: [{ role: 'user' }] }, 'input[0].content'],
    [{ input: [{ role: 'user', content: [{ type: 'input_text' }] }] }, 'input[0].content[0].text'],
    [{ input: [{ role: 'user', content: [{ type: 'input_image' }] }] }, 'input[0].content[0]'],
    [
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'data:image/png;base64,§' }] }] },
      'input[0].content[0].image_url',
    ],
    [{ input: [{ type: 'function_call', name: 'f' }] }, 'input[0].call_id'],
    [{ input: [{ type: 'function_call_output', call_id: 'c', output: 7 }] }, 'input[0].output'],
    [{ tools: [{ type: 'function' }] }, 'tools[0].name'],
    [{ tools: [{ type: 'namespace', name: 'g', tools: [{ name: 7 }] }] }, 'tools[0].tools[0].name'],
    [{ tool_choice: 'maybe' }, 'tool_choice'],
    [{ text: { format: { type: 'json_schema', name: 'n' } } }, 'text.format.schema'],
    [{ max_output_tokens: -1 }, 'max_output_tokens'],
    [{ include: 'x' }, 'include'],
    [{ stream: 'yes' }, 'stream'],
  ])('%j', (more, param) => {
    let found: unknown;
    try {
      decode(more);
    } catch (error) {
      found = error instanceof GatewayError ? error.fault : error;
    }
    expect(found).toMatchObject({ kind: 'bad_request', status: 400, param });
  });
});
