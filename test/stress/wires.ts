// How each protocol streams numbered text, and how its clients read it: written from the vendors' formats and not from our
// codecs, so that both cannot be wrong in the same way.
import type { ProtocolId } from '../../src/ir/index.ts';

export type Chat = Extract<ProtocolId, 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini'>;
export const CHATS: readonly Chat[] = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'];

/** The text of the event of this number: characters of one to four bytes, and what JSON must escape. */
export const textOf = (index: number): string => `№${index} 牌楼\t"🏮"é\\;`;

/** The text of the event of this number. */
type TextAt = (index: number) => string;

interface Wire {
  readonly preset: string;
  readonly path: (model: string) => string;
  readonly request: (model: string) => object;
  /** All events of a stream as SSE texts, each made when it is asked for. */
  events(count: number, textAt?: TextAt): Iterable<string>;
  /** The text in one frame of a client's stream; `null`: the frame that ends a complete reply. */
  read(frame: { readonly event?: string; readonly data: string }): string | null;
}

type Frame = Parameters<Wire['read']>[0];

/** Some writers escape beyond ASCII, some do not: clients must not see a difference. */
const json = (value: object, index: number): string => {
  const text = JSON.stringify(value);
  return index % 7 === 3 ? text.replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`) : text;
};
const sse = (data: string, event?: string): string => `${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`;

function* chatEvents(count: number, textAt: TextAt = textOf): Iterable<string> {
  const chunk = (delta: object, index: number, finish: string | null = null): string =>
    sse(
      json(
        {
          id: 'chatcmpl-1',
          object: 'chat.completion.chunk',
          created: 1,
          model: 'm',
          choices: [{ index: 0, delta, finish_reason: finish }],
        },
        index,
      ),
    );
  yield chunk({ role: 'assistant', content: '' }, 0);
  for (let index = 0; index < count; index++) yield chunk({ content: textAt(index) }, index);
  yield chunk({}, 0, 'stop');
  yield sse('[DONE]');
}

function* responsesEvents(count: number, textAt: TextAt = textOf): Iterable<string> {
  let sequence_number = 0;
  const event = (type: string, more: object, index = 0): string =>
    sse(json({ type, sequence_number: sequence_number++, ...more }, index), type);
  const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', status: 'in_progress', output: [] };
  const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  yield event('response.created', { response });
  yield event('response.output_item.added', {
    output_index: 0,
    item: { id: 'msg_1', type: 'message', role: 'assistant', status: 'in_progress', content: [] },
  });
  yield event('response.content_part.added', { ...place, part: { type: 'output_text', text: '', annotations: [] } });
  let text = '';
  for (let index = 0; index < count; index++) {
    const delta = textAt(index);
    text += delta;
    yield event('response.output_text.delta', { ...place, delta, obfuscation: 'x'.repeat(index % 9) }, index);
  }
  const part = { type: 'output_text', text, annotations: [] };
  const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
  yield event('response.output_text.done', { ...place, text });
  yield event('response.content_part.done', { ...place, part });
  yield event('response.output_item.done', { output_index: 0, item });
  const usage = { input_tokens: 3, output_tokens: count, total_tokens: count + 3 };
  yield event('response.completed', { response: { ...response, status: 'completed', output: [item], usage } });
}

function* messagesEvents(count: number, textAt: TextAt = textOf): Iterable<string> {
  const event = (type: string, more: object, index = 0): string => sse(json({ type, ...more }, index), type);
  const usage = { input_tokens: 3, output_tokens: 1 };
  yield event('message_start', {
    message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, stop_sequence: null, usage },
  });
  yield event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
  for (let index = 0; index < count; index++)
    yield event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: textAt(index) } }, index);
  yield event('content_block_stop', { index: 0 });
  yield event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: count } });
  yield event('message_stop', {});
}

function* geminiEvents(count: number, textAt: TextAt = textOf): Iterable<string> {
  const usageMetadata = { promptTokenCount: 3, candidatesTokenCount: count, totalTokenCount: count + 3 };
  for (let index = 0; index < count; index++) {
    const content = { role: 'model', parts: [{ text: textAt(index) }] };
    const finish = index === count - 1 ? { finishReason: 'STOP' } : {};
    yield `data: ${json({ candidates: [{ content, ...finish, index: 0 }], usageMetadata, modelVersion: 'm', responseId: 'r' }, index)}\r\n\r\n`;
  }
}

interface ChatChunk {
  readonly choices: readonly { readonly delta: { readonly content?: string | null } }[];
}

const readChat = ({ data }: Frame): string | null => {
  if (data === '[DONE]') return null;
  return (JSON.parse(data) as ChatChunk).choices[0]?.delta.content ?? '';
};
const readResponses = ({ data }: Frame): string | null => {
  const event = JSON.parse(data) as { readonly type: string; readonly delta?: string };
  if (event.type === 'response.completed') return null;
  return event.type === 'response.output_text.delta' ? (event.delta ?? '') : '';
};
const readMessages = ({ data }: Frame): string | null => {
  const event = JSON.parse(data) as { readonly type: string; readonly delta?: { readonly text?: string } };
  if (event.type === 'message_stop') return null;
  return event.type === 'content_block_delta' ? (event.delta?.text ?? '') : '';
};

export const WIRES: Readonly<Record<Chat, Wire>> = {
  'openai-chat': {
    preset: 'openai',
    path: () => '/v1/chat/completions',
    request: (model) => ({ model, stream: true, messages: [{ role: 'user', content: 'go' }] }),
    events: chatEvents,
    read: readChat,
  },
  'openai-responses': {
    preset: 'openai',
    path: () => '/v1/responses',
    request: (model) => ({ model, stream: true, store: false, input: 'go' }),
    events: responsesEvents,
    read: readResponses,
  },
  'anthropic-messages': {
    preset: 'anthropic',
    path: () => '/v1/messages',
    request: (model) => ({ model, stream: true, max_tokens: 100_000, messages: [{ role: 'user', content: 'go' }] }),
    events: messagesEvents,
    read: readMessages,
  },
  gemini: {
    preset: 'gemini',
    path: (model) => `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
    request: () => ({ contents: [{ role: 'user', parts: [{ text: 'go' }] }] }),
    events: geminiEvents,
    // It has no last word: the end of the bytes is the end, and the finish reason must have come before it.
    read: ({ data }) => {
      const { candidates } = JSON.parse(data) as {
        readonly candidates?: readonly { readonly content?: { readonly parts?: readonly { readonly text?: string }[] } }[];
      };
      return (candidates?.[0]?.content?.parts ?? []).map(({ text }) => text ?? '').join('');
    },
  },
};

/** Whether a client's stream holds its protocol's word for a complete reply. */
export const ENDINGS: Readonly<Record<Chat, RegExp>> = {
  'openai-chat': /"finish_reason":"stop"/,
  'openai-responses': /"type":"response\.completed"/,
  'anthropic-messages': /"stop_reason":"end_turn"/,
  gemini: /"finishReason":"STOP"/,
};
