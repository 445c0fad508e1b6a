import { describe, expect, it } from 'vitest';
import { type ChatRequest, GatewayError, type JsonObject, type Part } from '../../ir/index.ts';
import { decodeRequest } from './request-decode.ts';

const ask = (content: unknown, more: JsonObject = {}): ChatRequest =>
  decodeRequest({ model: 'm', messages: [{ role: 'user', content: content as string }], ...more });
const parts = (content: unknown): readonly Part[] => ask(content).turns[0]?.parts ?? [];
const message = (of: JsonObject): readonly Part[] =>
  decodeRequest({ model: 'm', messages: [{ role: 'user', content: 'x' }, of] }).turns[1]?.parts ?? [];

function refusal(body: unknown): { param: string | undefined; code: string | undefined; status: number; message: string } {
  try {
    decodeRequest(body as JsonObject);
  } catch (error) {
    if (error instanceof GatewayError) {
      const { param, code, status, message: said } = error.fault;
      return { param, code, status, message: said };
    }
    throw error;
  }
  throw new Error('it was taken');
}

const user = [{ role: 'user', content: 'x' }];

describe('a wrong request is refused by the name of the field', () => {
  it.each<[string, unknown, string, string?]>([
    ['no model', { messages: user }, 'model', 'missing_parameter'],
    ['an empty model', { model: '', messages: user }, 'model'],
    ['a model that is a number', { model: 4, messages: user }, 'model', 'invalid_type'],
    ['no messages', { model: 'm' }, 'messages', 'missing_parameter'],
    ['null messages', { model: 'm', messages: null }, 'messages', 'missing_parameter'],
    ['messages that are a string', { model: 'm', messages: 'hi' }, 'messages', 'invalid_type'],
    ['empty messages', { model: 'm', messages: [] }, 'messages', 'empty_array'],
    ['a message that is a string', { model: 'm', messages: ['hi'] }, 'messages[0]'],
    ['no role', { model: 'm', messages: [{ content: 'x' }] }, 'messages[0].role', 'missing_parameter'],
    ['an unknown role', { model: 'm', messages: [{ role: 'robot', content: 'x' }] }, 'messages[0].role'],
    ['no content', { model: 'm', messages: [{ role: 'user' }] }, 'messages[0].content', 'missing_parameter'],
    ['content that is a number', { model: 'm', messages: [{ role: 'user', content: 5 }] }, 'messages[0].content'],
    [
      'a part without a type',
      { model: 'm', messages: [{ role: 'user', content: [{}] }] },
      'messages[0].content[0].type',
      'missing_parameter',
    ],
    ['a text part without text', { model: 'm', messages: [{ role: 'user', content: [{ type: 'text' }] }] }, 'messages[0].content[0].text'],
    [
      'an image without an address',
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] },
      'messages[0].content[0].image_url.url',
    ],
    [
      'an image that is no base64',
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'not base64!' } }] }] },
      'messages[0].content[0].image_url.url',
      'invalid_base64',
    ],
    [
      'a data URI with bad base64',
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,@@' } }] }] },
      'messages[0].content[0].image_url.url',
      'invalid_base64',
    ],
    [
      'a file of nothing',
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'file', file: {} }] }] },
      'messages[0].content[0].file',
      'missing_parameter',
    ],
    [
      'audio that is no base64',
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: '{}', format: 'wav' } }] }] },
      'messages[0].content[0].input_audio.data',
      'invalid_base64',
    ],
    [
      'a result without its call',
      { model: 'm', messages: [{ role: 'tool', content: 'x' }] },
      'messages[0].tool_call_id',
      'missing_parameter',
    ],
    [
      'a call without a name',
      { model: 'm', messages: [{ role: 'assistant', tool_calls: [{ id: 'a', function: {} }] }] },
      'messages[0].tool_calls[0].function.name',
    ],
    ['a temperature that is a string', { model: 'm', messages: user, temperature: 'hot' }, 'temperature'],
    ['a negative maximum', { model: 'm', messages: user, max_tokens: -1 }, 'max_tokens'],
    ['no answers at all', { model: 'm', messages: user, n: 0 }, 'n'],
    ['a stop that is a number', { model: 'm', messages: user, stop: [1] }, 'stop[0]'],
    ['a stream that is a string', { model: 'm', messages: user, stream: 'yes' }, 'stream'],
    ['tools that are an object', { model: 'm', messages: user, tools: {} }, 'tools'],
    ['a tool without a function', { model: 'm', messages: user, tools: [{ type: 'function' }] }, 'tools[0].function'],
    ['a tool without a name', { model: 'm', messages: user, tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name'],
    ['a choice that is no word', { model: 'm', messages: user, tool_choice: 'maybe' }, 'tool_choice'],
    ['a choice of nobody', { model: 'm', messages: user, tool_choice: { type: 'function', function: {} } }, 'tool_choice.function.name'],
    ['a format without a type', { model: 'm', messages: user, response_format: {} }, 'response_format.type'],
    [
      'a schema that is none',
      { model: 'm', messages: user, response_format: { type: 'json_schema', json_schema: { name: 'x' } } },
      'response_format.json_schema.schema',
    ],
    ['an effort that is a number', { model: 'm', messages: user, reasoning_effort: 3 }, 'reasoning_effort'],
    ['a budget that is a string', { model: 'm', messages: user, thinking_budget: 'much' }, 'thinking_budget'],
    ['functions that hold a string', { model: 'm', messages: user, functions: ['f'] }, 'functions[0]'],
  ])('%s', (_name, body, param, code) => {
    expect(refusal(body)).toMatchObject({ param, status: 400, ...(code ? { code } : {}) });
  });

  it('says a missing parameter in the words of the contract', () => {
    expect(refusal({ messages: user }).message).toBe("Invalid request: missing required parameter 'model'");
  });
});

describe('null is absent', () => {
  it('for every optional field', () => {
    const names = [
      'temperature',
      'top_p',
      'stop',
      'tools',
      'tool_choice',
      'response_format',
      'n',
      'seed',
      'stream',
      'stream_options',
      'user',
      'metadata',
      'reasoning',
      'thinking',
      'functions',
      'odd',
    ];
    expect(ask('x', Object.fromEntries(names.map((name) => [name, null])))).toEqual(ask('x'));
  });
});

const PNG = 'iVBORw0KGgoAAAANSUhEUg==';

describe('parts of a content', () => {
  it.each<[string, unknown, object]>([
    [
      'an address',
      { type: 'image_url', image_url: { url: 'https://x.example/a.jpg', detail: 'high' } },
      { media: 'image', mediaType: 'image/jpeg', detail: 'high', source: { type: 'url', url: 'https://x.example/a.jpg' } },
    ],
    [
      'an address as a string',
      { type: 'image_url', image_url: 'https://x.example/a' },
      { media: 'image', source: { type: 'url', url: 'https://x.example/a' } },
    ],
    [
      'a data URI',
      { type: 'image_url', image_url: { url: `data:image/webp;base64,${PNG}` } },
      { mediaType: 'image/webp', source: { type: 'base64', data: PNG } },
    ],
    [
      'bare base64 of a PNG',
      { type: 'image_url', image_url: { url: PNG } },
      { mediaType: 'image/png', source: { type: 'base64', data: PNG } },
    ],
    ['bare base64 of a JPEG', { type: 'image_url', image_url: { url: '/9j/4AAQ' } }, { mediaType: 'image/jpeg' }],
    ['bare base64 of a GIF', { type: 'image_url', image_url: { url: 'R0lGODlhAQAB' } }, { mediaType: 'image/gif' }],
    ['bare base64 of a WebP', { type: 'image_url', image_url: { url: 'UklGRiIAAABXRUJQVlA4' } }, { mediaType: 'image/webp' }],
    [
      'a PDF',
      { type: 'file', file: { file_data: 'JVBERi0xLjQK', filename: 'a.pdf' } },
      { media: 'document', mediaType: 'application/pdf', filename: 'a.pdf' },
    ],
    [
      'a PDF at an address',
      { type: 'file', file: { file_data: 'https://x.example/b.pdf' } },
      { media: 'document', mediaType: 'application/pdf', source: { type: 'url', url: 'https://x.example/b.pdf' } },
    ],
    [
      'an image sent as a file',
      { type: 'file', file: { file_data: `data:image/png;base64,${PNG}` } },
      { media: 'image', mediaType: 'image/png' },
    ],
    [
      'text in a data URI',
      { type: 'file', file: { file_data: 'data:text/plain,a%20b' } },
      { mediaType: 'text/plain', source: { type: 'base64', data: 'YSBi' } },
    ],
    [
      'a file that the provider keeps',
      { type: 'file', file: { file_id: 'file-1' } },
      { media: 'document', source: { type: 'file', id: 'file-1', by: 'openai-chat' } },
    ],
    ['audio', { type: 'input_audio', input_audio: { data: 'SUQzBAAA', format: 'mp3' } }, { media: 'audio', mediaType: 'audio/mpeg' }],
    [
      'audio without a format',
      { type: 'input_audio', input_audio: { data: 'UklGRiQAAABXQVZFZm10' } },
      { media: 'audio', mediaType: 'audio/wav' },
    ],
    ['video', { type: 'video_url', video_url: { url: 'https://x.example/v.mp4' } }, { media: 'video', mediaType: 'video/mp4' }],
    [
      'a document by its address, as Mistral has it',
      { type: 'document_url', document_url: 'https://x.example/c.pdf' },
      { media: 'document', source: { type: 'url', url: 'https://x.example/c.pdf' } },
    ],
    ['a mark', { type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl: '1h' } }, { kind: 'text', cache: { ttl: '1h' } }],
    ['what is not known here', { type: 'hologram', z: 1 }, { kind: 'native', by: 'openai-chat', value: { type: 'hologram', z: 1 } }],
    ['unknown members', { type: 'text', text: 'x', odd: 1 }, { kind: 'text', residue: { 'openai-chat': { odd: 1 } } }],
  ])('%s', (_name, given, is) => {
    expect(parts([given])[0]).toMatchObject(is);
  });

  it('a mark on the message is one on its last part', () => {
    const turn = decodeRequest({ model: 'm', messages: [{ role: 'system', content: 'x', cache_control: { type: 'ephemeral' } }] }).turns[0];
    expect(turn?.parts).toEqual([{ kind: 'text', text: 'x', cache: {} }]);
  });

  it('takes megabytes of base64 in no time', () => {
    const big = 'A'.repeat(4_000_000);
    const start = performance.now();
    parts([{ type: 'image_url', image_url: { url: big } }]);
    expect(() => parts([{ type: 'image_url', image_url: { url: `${' '.repeat(1_000_000)}!` } }])).toThrow(GatewayError);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe('what the assistant said before', () => {
  it.each<[string, JsonObject, object[]]>([
    [
      'thoughts, text, refusal and calls, in that order',
      {
        role: 'assistant',
        content: 'a',
        refusal: 'no',
        reasoning_content: 'hm',
        tool_calls: [{ id: '1', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      [
        { kind: 'reasoning', text: 'hm' },
        { kind: 'text', text: 'a' },
        { kind: 'refusal', text: 'no' },
        { kind: 'tool-call', id: '1', name: 'f', argumentsJson: '{}' },
      ],
    ],
    [
      'thoughts under the other name',
      { role: 'assistant', content: 'a', reasoning: 'hm' },
      [{ kind: 'reasoning', text: 'hm' }, { kind: 'text' }],
    ],
    [
      'signed details are one seal',
      { role: 'assistant', content: '', reasoning_details: [{ type: 'reasoning.text', text: 'hm', signature: 's' }] },
      [{ kind: 'reasoning', text: 'hm', seal: { by: 'openai-chat', value: '[{"type":"reasoning.text","text":"hm","signature":"s"}]' } }],
    ],
    [
      'unsigned details are text',
      { role: 'assistant', content: '', reasoning: 'hm', reasoning_details: [{ type: 'reasoning.text', text: 'hm' }] },
      [{ kind: 'reasoning', text: 'hm' }],
    ],
    [
      'a free-text call',
      { role: 'assistant', tool_calls: [{ id: '1', type: 'custom', custom: { name: 'c', input: 'x' } }] },
      [{ kind: 'tool-call', input: 'text', argumentsJson: 'x' }],
    ],
    [
      'arguments as an object',
      { role: 'assistant', tool_calls: [{ id: '1', function: { name: 'f', arguments: { a: 1 } } }] },
      [{ argumentsJson: '{"a":1}' }],
    ],
    [
      'thinking in the content, as Mistral has it',
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
          { type: 'text', text: 'a' },
        ],
      },
      [
        { kind: 'reasoning', text: 'hm' },
        { kind: 'text', text: 'a' },
      ],
    ],
    [
      'images that it made',
      { role: 'assistant', content: 'a', images: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }] },
      [{ kind: 'text' }, { kind: 'media', media: 'image' }],
    ],
    [
      'audio that the provider keeps',
      { role: 'assistant', audio: { id: 'audio_1' } },
      [{ kind: 'native', value: { audio: { id: 'audio_1' } } }],
    ],
    [
      'a seal on a call, of Gemini’s compatible API',
      {
        role: 'assistant',
        tool_calls: [{ id: '1', function: { name: 'f', arguments: '{}' }, extra_content: { google: { thought_signature: 'x' } } }],
      },
      [{ kind: 'tool-call', seal: { by: 'openai-chat', value: '{"extra_content":{"google":{"thought_signature":"x"}}}' } }],
    ],
  ])('%s', (_name, given, is) => {
    const read = message(given);
    expect(read).toHaveLength(is.length);
    expect(read).toMatchObject(is);
  });

  it('pairs the older form of calls and results by name', () => {
    const { turns } = decodeRequest({
      model: 'm',
      messages: [
        { role: 'assistant', function_call: { name: 'f', arguments: '{}' } },
        { role: 'function', name: 'f', content: '1' },
        { role: 'assistant', function_call: { name: 'f', arguments: '{}' } },
        { role: 'function', name: 'f', content: '2' },
      ],
    });
    const ids = turns.map((turn) =>
      turn.parts.map((part) => (part.kind === 'tool-call' ? part.id : part.kind === 'tool-result' ? part.callId : '')).join(),
    );
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).toBe(ids[3]);
    expect(ids[0]).not.toBe(ids[2]);
  });
});

describe('fields of the request', () => {
  it.each<[string, JsonObject, object]>([
    ['max_completion_tokens wins', { max_tokens: 5, max_completion_tokens: 9 }, { maxOutputTokens: 9 }],
    ['one stop', { stop: 'END' }, { stop: ['END'] }],
    ['effort', { reasoning_effort: 'xhigh' }, { reasoning: { effort: 'xhigh' } }],
    ['an effort of tomorrow', { reasoning_effort: 'galactic' }, { residue: { 'openai-chat': { reasoning_effort: 'galactic' } } }],
    ['OpenRouter’s reasoning', { reasoning: { max_tokens: 900, exclude: true } }, { reasoning: { budgetTokens: 900, show: 'none' } }],
    ['thinking on', { thinking: { type: 'enabled', budget_tokens: 2000 } }, { reasoning: { enabled: true, budgetTokens: 2000 } }],
    ['thinking off', { thinking: { type: 'disabled' } }, { reasoning: { enabled: false } }],
    ['thinking left to the model', { thinking: { type: 'auto' } }, { reasoning: { adaptive: true } }],
    ['enable_thinking', { enable_thinking: false, thinking_budget: 0 }, { reasoning: { enabled: false, budgetTokens: 0 } }],
    ['a template’s switch', { chat_template_kwargs: { enable_thinking: true, x: 1 } }, { reasoning: { enabled: true } }],
    [
      'a schema',
      { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' }, strict: true } } },
      { output: { type: 'json-schema', name: 'n', schema: { type: 'object' }, strict: true } },
    ],
    [
      'a format of an open server stays',
      { response_format: { type: 'grammar', value: 'x' } },
      { residue: { 'openai-chat': { response_format: { type: 'grammar', value: 'x' } } } },
    ],
    ['log probabilities', { logprobs: true, top_logprobs: 3 }, { logprobs: { top: 3 } }],
    [
      'allowed tools',
      {
        tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'f' } }] } },
      },
      { toolChoice: { type: 'allowed', mode: 'required', names: ['f'] } },
    ],
    ['a free-text tool chosen', { tool_choice: { type: 'custom', custom: { name: 'c' } } }, { toolChoice: { type: 'tool', name: 'c' } }],
    ['Mistral’s word for required', { tool_choice: 'any' }, { toolChoice: { type: 'required' } }],
    [
      'the older choice',
      { functions: [{ name: 'f' }], function_call: { name: 'f' } },
      { tools: [{ kind: 'function', name: 'f' }], toolChoice: { type: 'tool', name: 'f' } },
    ],
    ['a tool without a type', { tools: [{ function: { name: 'f' } }] }, { tools: [{ kind: 'function', name: 'f' }] }],
    [
      'a tool as Responses has it',
      { tools: [{ type: 'function', name: 'f', parameters: { type: 'object' } }] },
      { tools: [{ kind: 'function', name: 'f', parameters: { type: 'object' } }] },
    ],
    [
      'a marked tool',
      { tools: [{ type: 'function', function: { name: 'f', strict: true }, cache_control: { type: 'ephemeral' } }] },
      { tools: [{ strict: true, cache: {} }] },
    ],
    [
      'a free-text tool',
      { tools: [{ type: 'custom', custom: { name: 'c', format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'x' } } } }] },
      { tools: [{ kind: 'custom', format: { type: 'grammar', syntax: 'lark', definition: 'x' } }] },
    ],
    [
      'web search options',
      { web_search_options: { search_context_size: 'low' } },
      { tools: [{ kind: 'hosted', tool: 'web-search', name: 'web_search_options' }] },
    ],
    [
      'a tool that the provider runs',
      { tools: [{ type: 'builtin_function', function: { name: '$web_search' } }] },
      { tools: [{ kind: 'hosted', tool: 'web-search', name: '$web_search' }] },
    ],
    [
      'usage asked for',
      { stream: true, stream_options: { include_usage: true, include_obfuscation: false } },
      { includeUsage: true, residue: { 'openai-chat': { stream_options: { include_obfuscation: false } } } },
    ],
    [
      'what nobody knows',
      { logit_bias: { 1: 2 }, brand_new: [1] },
      { residue: { 'openai-chat': { logit_bias: { 1: 2 }, brand_new: [1] } } },
    ],
  ])('%s', (_name, given, is) => {
    expect(ask('x', given)).toMatchObject(is);
  });
});
