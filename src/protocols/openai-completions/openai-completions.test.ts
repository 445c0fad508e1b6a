import { describe, expect, it } from 'vitest';
import {
  type ChatRequest,
  createNotes,
  DEFAULT_FACTS,
  GatewayError,
  type JsonObject,
  type Reply,
  type ReplyEvent,
  unfold,
} from '../../ir/index.ts';
import type { ReplyContext } from '../protocol.ts';
import { openaiCompletions } from './index.ts';

const ask = (more: JsonObject = {}): ChatRequest => openaiCompletions.decodeRequest({ model: 'm', prompt: 'Once', ...more });
const context = (body: JsonObject = {}): ReplyContext => ({
  request: { ...ask(body), includeUsage: true },
  body,
  newId: (prefix) => `${prefix}new`,
  now: () => 1_760_000_000,
  notes: createNotes(),
});
const reply: Reply = {
  id: '',
  model: 'gpt',
  parts: [
    { kind: 'reasoning', text: 'hm' },
    { kind: 'text', text: ' upon a' },
    { kind: 'refusal', text: ' time' },
  ],
  stop: { reason: 'length' },
  others: [{ parts: [{ kind: 'text', text: ' more' }], stop: { reason: 'stop' } }],
  usage: { input: 1, output: 4 },
};

describe('a prompt', () => {
  it.each<[string, JsonObject['x'], string]>([
    ['is a text', 'Once', 'Once'],
    ['is a list of one', ['Once'], 'Once'],
  ])('%s', (_, prompt, said) => expect(ask({ prompt }).turns).toEqual([{ role: 'user', parts: [{ kind: 'text', text: said }] }]));

  it.each<[string, JsonObject['x'], string]>([
    ['that is missing', null, 'missing_parameter'],
    ['of tokens', [1, 2], 'unsupported_prompt'],
    ['of lists of tokens', [[1], [2]], 'unsupported_prompt'],
    ['of several texts', ['a', 'b'], 'unsupported_prompt'],
    ['of none', [], 'unsupported_prompt'],
    ['that is an object', {}, 'invalid_type'],
  ])('%s is refused', (_, prompt, code) => {
    try {
      ask({ prompt });
    } catch (error) {
      expect(error).toBeInstanceOf(GatewayError);
      expect(error).toMatchObject({ fault: { code, status: 400, param: expect.stringContaining('prompt') as unknown } });
      return;
    }
    expect.fail('it was taken');
  });
});

describe('a request', () => {
  const write = (request: ChatRequest): JsonObject =>
    openaiCompletions.encodeRequest(request, {
      model: 'gpt',
      facts: { ...DEFAULT_FACTS, ...openaiCompletions.facts },
      maker: 'openai',
      notes: createNotes(),
    });

  it("goes as it came, the gap's other side too", () => {
    const body = { model: 'm', prompt: 'a', suffix: 'c', max_tokens: 5, temperature: 0.5, stop: ['x'], n: 2, logprobs: 3, user: 'u' };
    expect(write(openaiCompletions.decodeRequest(body))).toEqual({ ...body, model: 'gpt' });
  });

  it('that is a conversation is refused', () => {
    const turns = [
      { role: 'user', parts: [] },
      { role: 'assistant', parts: [] },
    ] as const;
    expect(() => write({ ...ask(), turns })).toThrow('takes no conversation');
  });
});

describe('a reply', () => {
  it('is text alone', () => {
    expect(openaiCompletions.encodeReply(reply, context())).toEqual({
      id: 'cmpl-new',
      object: 'text_completion',
      created: 1_760_000_000,
      model: 'gpt',
      choices: [
        { text: ' upon a time', index: 0, logprobs: null, finish_reason: 'length' },
        { text: ' more', index: 1, logprobs: null, finish_reason: 'stop' },
      ],
      usage: expect.objectContaining({ prompt_tokens: 1, completion_tokens: 4, total_tokens: 5 }),
    });
  });

  it('is the same as a stream, and begins with the prompt for who asked for the echo', () => {
    const frames: string[] = [];
    const encoder = openaiCompletions.streamEncoder(context({ model: 'm', prompt: 'Once', echo: true }));
    unfold(reply, (event: ReplyEvent) => encoder.event(event, (data) => frames.push(data)));
    expect(frames.at(-1)).toBe('[DONE]');
    const chunks = frames
      .slice(0, -1)
      .map((data) => JSON.parse(data) as { choices: { index: number; text: string; finish_reason: string | null }[]; usage?: unknown });
    const told = (index: number): string =>
      chunks.flatMap((chunk) => chunk.choices.filter((choice) => choice.index === index).map((choice) => choice.text)).join('');
    expect([told(0), told(1)]).toEqual(['Once upon a time', 'Once more']);
    expect(chunks.flatMap((chunk) => chunk.choices.flatMap((choice) => choice.finish_reason ?? []))).toEqual(['length', 'stop']);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 5 } });
  });

  it('that fails ends in the error, not in the last word', () => {
    const frames: string[] = [];
    const encoder = openaiCompletions.streamEncoder(context());
    const events: readonly ReplyEvent[] = [
      { type: 'reply-start', id: 'x', model: 'gpt' },
      { type: 'part-start', part: { kind: 'text' } },
      { type: 'part-delta', text: 'Once' },
      { type: 'fault', fault: { kind: 'upstream', status: 502, message: 'It broke off', by: 'gateway' } },
    ];
    for (const event of events) encoder.event(event, (data) => frames.push(data));
    expect(JSON.parse(frames.at(-1) ?? '')).toMatchObject({ error: { message: 'It broke off', type: 'api_error' } });
    expect(frames.join()).not.toContain('[DONE]');
  });
});
