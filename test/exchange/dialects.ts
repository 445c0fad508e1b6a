import type { ProviderSettings } from '../../src/presets/preset.ts';
import type { ProtocolId } from '../../src/ir/index.ts';

/** What the texts of every fixture here add up to. */
export const WORDS = ['One ', '牌楼 ', 'three.'] as const;
export const TEXT = WORDS.join('');

// oxlint-disable-next-line typescript/no-explicit-any -- wire data of unknown shape, looked into by tests only
export type Data = any;

/** One of the four protocols as the clients and providers of these tests speak it. */
export interface Dialect {
  readonly id: ProtocolId;
  /** The provider of this protocol in these tests. */
  readonly provider: string;
  readonly settings: (url: string) => ProviderSettings;
  path(model: string, stream: boolean): string;
  body(model: string, stream: boolean, text?: string): Record<string, unknown>;
  /** The events of a whole stream: a start, three texts, the finish, the last word. */
  readonly events: readonly string[];
  /** How many of `events` come before the finish. */
  readonly before: number;
  readonly whole: Record<string, unknown>;
  readonly errorEvent: string;
  error(status: number, message: string): Record<string, unknown>;
  textOf(data: readonly Data[]): string;
  isFinished(data: readonly Data[]): boolean;
  errorIn(data: readonly Data[]): string | undefined;
  wholeText(body: Data): string;
  /** What an error envelope says; throws when it is none of this dialect. */
  envelope(body: Data, status: number): { readonly message: string; readonly type: string; readonly param?: unknown };
}

const sse = (value: unknown, event?: string): string => `${event ? `event: ${event}\n` : ''}data: ${JSON.stringify(value)}\n\n`;

const CHUNK = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'up' };
const CHAT_USAGE = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 };
const chunk = (delta: unknown, finish: string | null = null): string =>
  sse({ ...CHUNK, choices: [{ index: 0, delta, finish_reason: finish }] });

const OPENAI_TYPES = new Set(
  'invalid_request_error authentication_error insufficient_quota permission_error not_found_error rate_limit_error api_error overloaded_error server_error'.split(
    ' ',
  ),
);

function openaiEnvelope(body: Data): { message: string; type: string; param: unknown } {
  const { message, type, param, code } = body.error;
  if (typeof message !== 'string' || !OPENAI_TYPES.has(type) || param === undefined || code === undefined)
    throw new Error(JSON.stringify(body));
  return { message, type, param };
}

const openaiError = (status: number, message: string): Record<string, unknown> => ({
  error: { message, type: status === 429 ? 'rate_limit_error' : 'invalid_request_error', param: null, code: null },
});

const chat: Dialect = {
  id: 'openai-chat',
  provider: 'oai',
  settings: (url) => ({ preset: 'openai-compatible', baseUrl: url, key: 'up-secret', protocols: ['openai-chat'] }),
  path: () => '/v1/chat/completions',
  body: (model, stream, text = 'hello') => ({ model, messages: [{ role: 'user', content: text }], ...(stream ? { stream } : {}) }),
  events: [
    chunk({ role: 'assistant', content: '' }),
    ...WORDS.map((content) => chunk({ content })),
    chunk({}, 'stop'),
    sse({ ...CHUNK, choices: [], usage: CHAT_USAGE }),
    'data: [DONE]\n\n',
  ],
  before: 4,
  whole: {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'up',
    choices: [{ index: 0, message: { role: 'assistant', content: TEXT }, finish_reason: 'stop' }],
    usage: CHAT_USAGE,
  },
  errorEvent: sse({ error: { message: 'it broke', type: 'server_error', param: null, code: null } }),
  error: openaiError,
  textOf: (data) => data.map((one) => one.choices?.[0]?.delta?.content ?? '').join(''),
  isFinished: (data) => data.some((one) => one === '[DONE]' || typeof one.choices?.[0]?.finish_reason === 'string'),
  errorIn: (data) => data.find((one) => one.error)?.error.message,
  wholeText: (body) => body.choices[0].message.content,
  envelope: openaiEnvelope,
};

const PART = { type: 'output_text', text: TEXT, annotations: [] };
const ITEM = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [PART] };
const response = (status: string, output: readonly unknown[], usage: unknown): Record<string, unknown> => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status,
  error: null,
  incomplete_details: null,
  instructions: null,
  metadata: {},
  model: 'up',
  output,
  parallel_tool_calls: true,
  temperature: 1,
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  usage,
});
const RESPONSES_USAGE = {
  input_tokens: 5,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 3,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 8,
};
const AT = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const RESPONSES_EVENTS: readonly Record<string, unknown>[] = [
  { type: 'response.created', response: response('in_progress', [], null) },
  { type: 'response.output_item.added', output_index: 0, item: { ...ITEM, status: 'in_progress', content: [] } },
  { type: 'response.content_part.added', ...AT, part: { ...PART, text: '' } },
  ...WORDS.map((delta) => ({ type: 'response.output_text.delta', ...AT, delta, logprobs: [] })),
  { type: 'response.output_text.done', ...AT, text: TEXT, logprobs: [] },
  { type: 'response.content_part.done', ...AT, part: PART },
  { type: 'response.output_item.done', output_index: 0, item: ITEM },
  { type: 'response.completed', response: response('completed', [ITEM], RESPONSES_USAGE) },
];

const responses: Dialect = {
  id: 'openai-responses',
  provider: 'resp',
  settings: (url) => ({ preset: 'openai-compatible', baseUrl: url, key: 'up-secret', protocols: ['openai-responses'] }),
  path: () => '/v1/responses',
  body: (model, stream, text = 'hello') => ({ model, input: text, store: false, ...(stream ? { stream } : {}) }),
  events: RESPONSES_EVENTS.map((event, sequence_number) => sse({ ...event, sequence_number }, String(event['type']))),
  before: 9,
  whole: response('completed', [ITEM], RESPONSES_USAGE),
  errorEvent: sse({ type: 'error', code: 'server_error', message: 'it broke', param: null, sequence_number: 99 }, 'error'),
  error: openaiError,
  textOf: (data) => data.map((one) => (one.type === 'response.output_text.delta' ? one.delta : '')).join(''),
  isFinished: (data) => data.some((one) => one === '[DONE]' || one.type === 'response.completed' || one.type === 'response.incomplete'),
  errorIn: (data) => {
    const found = data.find((one) => one.type === 'error' || one.type === 'response.failed');
    return found && (found.message ?? found.error?.message ?? found.response?.error?.message);
  },
  wholeText: (body) => body.output.find((item: Data) => item.type === 'message').content[0].text,
  envelope: openaiEnvelope,
};

const CLAUDE_USAGE = { input_tokens: 5, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 3 };
const CLAUDE = { id: 'msg_1', type: 'message', role: 'assistant', model: 'up' };
const named = (value: Record<string, unknown>): string => sse(value, String(value['type']));
const CLAUDE_TYPES =
  /^(invalid_request|authentication|billing|permission|not_found|rate_limit|api|overloaded|timeout)_error$|^request_too_large$/;

const messages: Dialect = {
  id: 'anthropic-messages',
  provider: 'claude',
  settings: (url) => ({ preset: 'anthropic-compatible', baseUrl: url, key: 'up-secret' }),
  path: () => '/v1/messages',
  body: (model, stream, text = 'hello') => ({
    model,
    max_tokens: 100,
    messages: [{ role: 'user', content: text }],
    ...(stream ? { stream } : {}),
  }),
  events: [
    named({ type: 'message_start', message: { ...CLAUDE, content: [], stop_reason: null, stop_sequence: null, usage: CLAUDE_USAGE } }),
    named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    ...WORDS.map((text) => named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
    named({ type: 'content_block_stop', index: 0 }),
    named({ type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: CLAUDE_USAGE }),
    named({ type: 'message_stop' }),
  ],
  before: 6,
  whole: { ...CLAUDE, content: [{ type: 'text', text: TEXT }], stop_reason: 'end_turn', stop_sequence: null, usage: CLAUDE_USAGE },
  errorEvent: named({ type: 'error', error: { type: 'api_error', message: 'it broke' } }),
  error: (status, message) => ({
    type: 'error',
    error: { type: status === 429 ? 'rate_limit_error' : 'invalid_request_error', message },
  }),
  textOf: (data) => data.map((one) => (one.type === 'content_block_delta' ? (one.delta.text ?? '') : '')).join(''),
  isFinished: (data) => data.some((one) => one.type === 'message_stop' || (one.type === 'message_delta' && one.delta.stop_reason)),
  errorIn: (data) => data.find((one) => one.type === 'error')?.error.message,
  wholeText: (body) => body.content[0].text,
  envelope(body) {
    const { message, type } = body.error;
    if (body.type !== 'error' || typeof message !== 'string' || !CLAUDE_TYPES.test(type)) throw new Error(JSON.stringify(body));
    return { message, type };
  },
};

const piece = (text: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0, ...more }],
  usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 3, totalTokenCount: 8 },
  modelVersion: 'up',
  responseId: 'r1',
});
const crlf = (value: unknown): string => `data: ${JSON.stringify(value)}\r\n\r\n`;

const gemini: Dialect = {
  id: 'gemini',
  provider: 'gem',
  settings: (url) => ({ preset: 'gemini-compatible', baseUrl: url, key: 'up-secret' }),
  path: (model, stream) => `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  body: (_model, _stream, text = 'hello') => ({ contents: [{ role: 'user', parts: [{ text }] }] }),
  events: [...WORDS.map((text) => crlf(piece(text))), crlf(piece('', { finishReason: 'STOP' }))],
  before: 3,
  whole: piece(TEXT, { finishReason: 'STOP' }),
  errorEvent: crlf({ error: { code: 500, message: 'it broke', status: 'INTERNAL' } }),
  error: (status, message) => ({ error: { code: status, message, status: status === 429 ? 'RESOURCE_EXHAUSTED' : 'INVALID_ARGUMENT' } }),
  textOf: (data) => data.map((one) => one.candidates?.[0]?.content?.parts?.map((part: Data) => part.text ?? '').join('') ?? '').join(''),
  isFinished: (data) => data.some((one) => one.candidates?.[0]?.finishReason),
  errorIn: (data) => data.find((one) => one.error)?.error.message,
  wholeText: (body) => body.candidates[0].content.parts[0].text,
  envelope(body, status) {
    const { code, message, status: word } = body.error;
    if (code !== status || typeof message !== 'string' || !/^[A-Z_]+$/.test(word)) throw new Error(JSON.stringify(body));
    return { message, type: word };
  },
};

export const DIALECTS: readonly Dialect[] = [chat, responses, messages, gemini];
export { chat, gemini, messages, responses };

/** Every client with an upstream of its own protocol, and with each of the others. */
export const PAIRS: readonly { readonly name: string; readonly client: Dialect; readonly upstream: Dialect }[] = DIALECTS.flatMap(
  (client) => DIALECTS.map((upstream) => ({ name: `${client.id} over ${upstream.id}`, client, upstream })),
);

/** Reads the data of a stream's events; what has no blank line after it is read too. */
export function dataOf(text: string): Data[] {
  return text
    .split(/\r?\n\r?\n/)
    .map((event) =>
      event
        .split(/\r?\n/)
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trim())
        .join('\n'),
    )
    .filter((data) => data !== '')
    .map((data): Data => (data === '[DONE]' ? data : JSON.parse(data)));
}
