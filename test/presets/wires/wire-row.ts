import type { JsonObject, ProtocolId } from '../../../src/ir/index.ts';
import type { ProviderSettings } from '../../../src/presets/preset.ts';

/*
 * What each wire of each preset is held to: the exact address and headers of a request, an answer in the provider's own
 * shape and what it says, and one of its errors. `docs/providers.md` lists what has a row here, and nothing else. The
 * bodies of the requests are in `../wire-bodies.json`.
 */

/** What an answer says, in words that all dialects share. */
export interface Said {
  readonly text?: string;
  readonly reasoning?: string;
  readonly calls?: readonly string[];
  readonly stop: string;
  readonly input: number;
  readonly output: number;
}

/** An answer of a provider, and what it says. */
export interface Answer {
  readonly reply: JsonObject;
  readonly said: Said;
}

/** An error of a provider, and what it is to a client. */
export interface Refusal {
  readonly status: number;
  readonly body: JsonObject | string;
  readonly kind: string;
  readonly message: string;
}

/** One wire of one preset. */
export interface WireRow {
  readonly preset: string;
  readonly protocol: ProtocolId;
  /** The vendor's page that was read for it. */
  readonly page: string;
  readonly settings?: Omit<Partial<ProviderSettings>, 'preset' | 'protocols'>;
  readonly model: string;
  readonly url: string;
  /** Where a streamed call has another address. */
  readonly streamUrl?: string;
  /** All headers but `content-type`; `sent` ones of a signature by their names only. */
  readonly headers: Readonly<Record<string, string>>;
  readonly answer: Answer;
  readonly refusal: Refusal;
}

// — Answers —

/** The tokens of every chat here. */
export const CHAT_USAGE = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
/** What a chat that thinks says. */
export const CHAT_SAID = { text: 'Nothing.', reasoning: 'Let me look.', stop: 'stop', input: 11, output: 7 };

/** A chat completion. */
export const chat = (message: JsonObject, more: JsonObject = {}, finish: JsonObject = {}): JsonObject => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_790_000_000,
  model: 'm-1',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Nothing.', ...message }, finish_reason: 'stop', ...finish }],
  usage: CHAT_USAGE,
  ...more,
});

/** As most do: thinking in `reasoning_content`. */
const THINKING: Answer = { reply: chat({ reasoning_content: 'Let me look.' }), said: CHAT_SAID };
/** As vLLM, Groq, Cerebras, Ollama and Together do: in `reasoning`. */
export const REASONING: Answer = { reply: chat({ reasoning: 'Let me look.' }), said: CHAT_SAID };
/** Without any, as OpenAI's own chat. */
export const PLAIN: Answer = {
  reply: chat({ refusal: null, annotations: [] }, { system_fingerprint: 'fp_1', service_tier: 'default' }, { logprobs: null }),
  said: { text: 'Nothing.', stop: 'stop', input: 11, output: 7 },
};
/** Calls a tool. */
export const CALLING: Answer = {
  reply: chat(
    { content: null, tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"at":3}' } }] },
    {},
    { finish_reason: 'tool_calls' },
  ),
  said: { calls: ['look {"at":3}'], stop: 'tool-calls', input: 11, output: 7 },
};

const RESPONSE: Answer = {
  reply: {
    id: 'resp_1',
    object: 'response',
    created_at: 1_790_000_000,
    status: 'completed',
    model: 'm-1',
    output: [
      { id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: 'Let me look.' }] },
      {
        id: 'msg_1',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'Nothing.', annotations: [] }],
      },
    ],
    usage: { input_tokens: 11, output_tokens: 7, total_tokens: 18 },
  },
  said: CHAT_SAID,
};

const MESSAGE: Answer = {
  reply: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm-1',
    content: [
      { type: 'thinking', thinking: 'Let me look.', signature: 'c2ln' },
      { type: 'text', text: 'Nothing.' },
    ],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 11, output_tokens: 7 },
  },
  said: CHAT_SAID,
};

const GENERATED: Answer = {
  reply: {
    candidates: [
      {
        content: { role: 'model', parts: [{ text: 'Let me look.', thought: true }, { text: 'Nothing.' }] },
        finishReason: 'STOP',
        index: 0,
      },
    ],
    usageMetadata: { promptTokenCount: 11, candidatesTokenCount: 4, thoughtsTokenCount: 3, totalTokenCount: 18 },
    modelVersion: 'm-1',
    responseId: 'r-1',
  },
  said: CHAT_SAID,
};

const COMPLETION: Answer = {
  reply: {
    id: 'cmpl-1',
    object: 'text_completion',
    created: 1_790_000_000,
    model: 'm-1',
    choices: [{ index: 0, text: ' there', finish_reason: 'stop', logprobs: null }],
    usage: CHAT_USAGE,
  },
  said: { text: ' there', stop: 'stop', input: 11, output: 7 },
};

// — Errors —

/** What every refusal says. */
export const SLOW = 'Slow down';

/** `{"error":{"message","type","param","code"}}`, as OpenAI and most after it. */
export const openaiError = (more: JsonObject = {}): Refusal => ({
  status: 429,
  body: { error: { message: SLOW, type: 'rate_limit_exceeded', param: null, code: 'rate_limit_exceeded', ...more } },
  kind: 'rate_limit',
  message: SLOW,
});
const anthropicError: Refusal = {
  status: 429,
  body: { type: 'error', error: { type: 'rate_limit_error', message: SLOW }, request_id: 'req_1' },
  kind: 'rate_limit',
  message: SLOW,
};
/** As Google’s own: `{"error":{"code","message","status"}}`. */
export const googleError: Refusal = {
  status: 429,
  body: { error: { code: 429, message: SLOW, status: 'RESOURCE_EXHAUSTED', details: [] } },
  kind: 'rate_limit',
  message: SLOW,
};
/** `{"object":"error","message","type","code"}`, as vLLM before 0.10 and what is built on it. */
export const bareError: Refusal = {
  status: 404,
  body: { object: 'error', message: 'The model `m` does not exist.', type: 'NotFoundError', param: null, code: 404 },
  kind: 'not_found',
  message: 'The model `m` does not exist.',
};
/** As AWS: a message alone. */
export const awsError: Refusal = { status: 429, body: { message: SLOW }, kind: 'rate_limit', message: SLOW };

// — Rows —

/** The key as most take it. */
export const BEARER = { authorization: 'Bearer k' };
/** The header that Anthropic’s API asks for. */
export const VERSIONED = { 'anthropic-version': '2023-06-01' };
/** A server that asks for none. */
export const NO_KEY = { key: '' };
/** A request that is signed. */
export const SIGNED = { authorization: 'sent', 'x-amz-content-sha256': 'sent', 'x-amz-date': 'sent' };

type Rest = Omit<WireRow, 'preset' | 'protocol'>;
type Short = Pick<Rest, 'page' | 'model' | 'url'> & Partial<Rest>;

const row =
  (protocol: ProtocolId, usual: Pick<Rest, 'headers' | 'answer' | 'refusal'>) =>
  (preset: string, rest: Short): WireRow => ({ preset, protocol, ...usual, ...rest });

/** Wires as those of each dialect usually are; a row says what differs. */
export const chatRow = row('openai-chat', { headers: BEARER, answer: THINKING, refusal: openaiError() });
export const responsesRow = row('openai-responses', { headers: BEARER, answer: RESPONSE, refusal: openaiError() });
export const messagesRow = row('anthropic-messages', { headers: { ...BEARER, ...VERSIONED }, answer: MESSAGE, refusal: anthropicError });
export const geminiRow = row('gemini', { headers: { 'x-goog-api-key': 'k' }, answer: GENERATED, refusal: googleError });
export const completionsRow = row('openai-completions', { headers: BEARER, answer: COMPLETION, refusal: openaiError() });
