// What goes in and what comes back: shapes and sizes as providers have them. Every delta of a stream carries `~` and its
// number in six digits, so that loss, doubling and order can be checked whatever the stream is translated to.

/** Chunks in a stream: at once, 20 ms apart, 50 ms apart. A request's model names the one that it wants: `bench-burst`. */
export const STREAMS = {
  burst: { chunks: 200, delayMs: 0 },
  paced: { chunks: 100, delayMs: 20 },
  slow: { chunks: 200, delayMs: 50 },
} as const;
export type StreamName = keyof typeof STREAMS;

const WORDS = 'the gate stands at the head of the street and lets every caller through to the house that was asked for'.split(' ');

/** The same prose each time, of exactly this many characters. */
function prose(length: number, seed = 1): string {
  let text = '';
  for (let at = seed; text.length < length; at = (at * 75 + 74) % 65_537) text += `${WORDS[at % WORDS.length] ?? ''} `;
  return text.slice(0, length);
}

const delta = (index: number): string => `~${String(index).padStart(6, '0')} ${prose(16, index + 1)}`;

const SYSTEM = 'You are a careful assistant. Answer briefly and cite the documents you were given.';

/** An OpenAI Chat request of about this many bytes. */
export const chatRequest = (model: string, bytes: number, stream: boolean): object => ({
  model,
  messages: [
    { role: 'system', content: SYSTEM },
    { role: 'user', content: prose(bytes) },
  ],
  temperature: 0.2,
  max_tokens: 1024,
  ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
});

/** A streamed Anthropic Messages request. */
export const messagesRequest = (model: string): object => ({
  model,
  max_tokens: 1024,
  system: SYSTEM,
  messages: [{ role: 'user', content: prose(700) }],
  stream: true,
});

/** Sixteen texts to embed. */
export const embeddingsRequest = (model: string): object => ({
  model,
  input: Array.from({ length: 16 }, (_, index) => prose(200, index + 3)),
  encoding_format: 'float',
});

const chatUsage = { prompt_tokens: 187, completion_tokens: 141, total_tokens: 328, prompt_tokens_details: { cached_tokens: 0 } };
const chatHead = {
  id: 'chatcmpl-0123456789abcdefghijklmnopqrs',
  created: 1_757_000_000,
  model: 'bench',
  system_fingerprint: 'fp_0123456789',
};

/** A whole chat reply of about 1 KB. */
export const chatReply = (): string =>
  JSON.stringify({
    ...chatHead,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: prose(600), refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: chatUsage,
    service_tier: 'default',
  });

/** Sixteen vectors of 1,536 floats: about 300 KB. */
export function embeddingsReply(): string {
  let at = 12_345;
  const next = (): number => {
    at = (Math.imul(at, 1_103_515_245) + 12_345) >>> 0;
    return Number(((at / 2 ** 32 - 0.5) * 0.1).toFixed(9));
  };
  const data = Array.from({ length: 16 }, (_, index) => ({ object: 'embedding', index, embedding: Array.from({ length: 1536 }, next) }));
  return JSON.stringify({ object: 'list', data, model: 'bench', usage: { prompt_tokens: 640, total_tokens: 640 } });
}

const sse = (data: object | string, event?: string): string =>
  `${event === undefined ? '' : `event: ${event}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

function chatEvents(chunks: number): string[] {
  const chunk = (choices: readonly object[], usage: object | null = null): string =>
    sse({ ...chatHead, object: 'chat.completion.chunk', service_tier: 'default', choices, usage });
  const choice = (said: object, finish: string | null = null): object => ({ index: 0, delta: said, logprobs: null, finish_reason: finish });
  return [
    chunk([choice({ role: 'assistant', content: '', refusal: null })]),
    ...Array.from({ length: chunks }, (_, index) => chunk([choice({ content: delta(index) })])),
    chunk([choice({}, 'stop')]),
    chunk([], chatUsage),
    sse('[DONE]'),
  ];
}

function messagesEvents(chunks: number): string[] {
  const event = (type: string, more: object = {}): string => sse({ type, ...more }, type);
  const usage = { input_tokens: 187, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 };
  const message = {
    id: 'msg_0123456789abcdef',
    type: 'message',
    role: 'assistant',
    model: 'bench',
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
  return [
    event('message_start', { message: { ...message, usage } }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    event('ping'),
    ...Array.from({ length: chunks }, (_, index) =>
      event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: delta(index) } }),
    ),
    event('content_block_stop', { index: 0 }),
    event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 141 } }),
    event('message_stop'),
  ];
}

function geminiEvents(chunks: number): string[] {
  const usageMetadata = { promptTokenCount: 187, candidatesTokenCount: 141, totalTokenCount: 328 };
  return Array.from({ length: chunks }, (_, index) =>
    sse({
      candidates: [
        {
          content: { parts: [{ text: delta(index) }], role: 'model' },
          ...(index === chunks - 1 ? { finishReason: 'STOP' } : {}),
          index: 0,
        },
      ],
      usageMetadata,
      modelVersion: 'bench',
      responseId: '0123456789abcdef',
    }).replace(/\n\n$/, '\r\n\r\n'),
  );
}

/** The events of a stream in each of the upstream protocols. */
export const EVENTS = { chat: chatEvents, messages: messagesEvents, gemini: geminiEvents };
