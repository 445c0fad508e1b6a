import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../ir/index.ts';
import type { Tapped } from '../protocol.ts';
import { tap } from './tap.ts';

const START: Tapped = { done: false, finished: false };
const USAGE = { input_tokens: 3, output_tokens: 4, total_tokens: 7 };
const response = (more: JsonObject): JsonObject => ({
  id: 'r',
  object: 'response',
  model: 'm',
  output: [],
  error: null,
  usage: USAGE,
  ...more,
});
const frame = (value: JsonObject, event?: string) => ({ data: JSON.stringify(value), ...(event === undefined ? {} : { event }) });
const hit = (text: string): boolean => tap.needles.some((needle) => text.includes(needle));

it.each([
  ['response.created', 'question'],
  ['response.in_progress', 'question'],
  ['response.queued', 'question'],
  ['response.mcp_list_tools.in_progress', undefined],
  ['response.output_item.added', undefined],
  ['response.output_text.delta', undefined],
  ['response.output_text.done', 'answer'],
  ['response.output_item.done', 'answer'],
  ['response.completed', 'answer'],
  ['response.incomplete', 'answer'],
])('%s repeats of question and answer: %s', (type, what) => {
  const begins = (space: string): string => `event: ${type}\ndata: {"type":${space}"${type}","sequence_number":3,"item_id":"a`;
  expect([begins(''), begins(' ')].map((event) => tap.repeats?.(event))).toEqual([what, what]);
});

describe('frames of a stream', () => {
  it.each([
    { name: 'completed', status: 'completed', more: {}, stop: 'stop' },
    { name: 'completed with a call', status: 'completed', more: { output: [{ type: 'function_call' }] }, stop: 'tool-calls' },
    { name: 'cut off', status: 'incomplete', more: { incomplete_details: { reason: 'max_output_tokens' } }, stop: 'length' },
  ])('$name: the last word, held', ({ status, more, stop }) => {
    const last = frame({ type: `response.${status}`, response: response({ status, ...more }) });
    expect(hit(last.data)).toBe(true);
    expect(tap.read(last, START)).toMatchObject({
      finish: true,
      done: true,
      finished: true,
      model: 'm',
      stop: { reason: stop },
      usage: { input: 3 },
    });
  });

  it('an error, and the failed response after it: one fault, the first', () => {
    const error = frame({ type: 'error', error: { type: 'insufficient_quota', code: 'insufficient_quota', message: 'no money' } }, 'error');
    const failed = frame({
      type: 'response.failed',
      response: response({ status: 'failed', error: { code: 'server_error', message: 'other' } }),
    });
    expect(hit(`event: error\ndata: ${error.data}`) && hit(failed.data)).toBe(true);
    const first = tap.read(error, START);
    expect(first).toMatchObject({ finish: true, done: false, fault: { kind: 'billing', message: 'no money' } });
    expect(tap.read(failed, first)).toMatchObject({ done: true, fault: { message: 'no money' } });
  });

  it.each([
    { name: "xAI's error", value: { code: 'invalid-argument', error: 'bad key' } },
    { name: 'an error without a type', value: { error: { message: 'bad key' } } },
  ])('$name is a fault', ({ value }) => {
    const error = frame(value);
    expect(hit(error.data)).toBe(true);
    expect(tap.read(error, START).fault).toMatchObject({ message: 'bad key' });
  });

  it('what begins, and text about the end, is passed by', () => {
    const begun = frame({ type: 'response.created', response: response({ status: 'in_progress', usage: null }) });
    const text = frame({ type: 'response.output_text.delta', delta: '"response.completed" {"error":{"a":1}}' });
    for (const one of [begun, text]) expect(hit(one.data)).toBe(false);
    expect(tap.read(text, START)).toBe(START);
  });

  it('nothing counts after the last word', () => {
    const over: Tapped = { done: true, finished: true };
    expect(tap.read(frame({ type: 'error', error: { message: 'late' } }), over)).toBe(over);
  });
});

describe('whole bodies', () => {
  const whole = (value: JsonObject, space?: number): Tapped => tap.whole(Buffer.from(JSON.stringify(value, null, space)));

  it.each([undefined, 2])('usage, stop and model by search, printed with spaces of %s', (space) => {
    const said = { type: 'message', content: [{ type: 'output_text', text: '"usage":{"input_tokens":99} "type":"function_call"' }] };
    expect(whole(response({ status: 'completed', output: [said] }), space)).toMatchObject({
      model: 'm',
      stop: { reason: 'stop' },
      usage: { input: 3 },
    });
    expect(whole(response({ output: [{ type: 'function_call' }] }), space).stop).toMatchObject({ reason: 'tool-calls' });
    expect(whole(response({ status: 'incomplete', incomplete_details: { reason: 'content_filter' } }), space).stop).toMatchObject({
      reason: 'content-filter',
    });
  });

  it('without usage it is read', () => {
    expect(whole(response({ usage: null, status: 'failed', error: { code: 'server_error', message: 'broke' } })).fault).toMatchObject({
      message: 'broke',
    });
    expect(tap.whole(Buffer.from('<html>'))).toEqual({ done: true, finished: true });
  });
});
