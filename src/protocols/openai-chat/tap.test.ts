import { describe, expect, it } from 'vitest';
import type { SseFrame } from '../../wire/sse.ts';
import type { Tapped } from '../protocol.ts';
import { tap } from './tap.ts';

const NOTHING: Tapped = { done: false, finished: false };
const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
const frame = (value: unknown, event?: string): SseFrame => ({
  data: typeof value === 'string' ? value : JSON.stringify(value),
  ...(event ? { event } : {}),
});

describe('the tap on a stream', () => {
  it('holds from the finish on, reads usage after it, and knows the last word', () => {
    const finish = tap.read(frame({ model: 'm', choices: [{ index: 0, delta: {}, finish_reason: 'length' }] }), NOTHING);
    expect(finish).toMatchObject({ finish: true, finished: true, stop: { reason: 'length' }, model: 'm' });
    const { finish: _held, ...after } = finish;
    const counted = tap.read(frame({ choices: [], usage }), after);
    expect(counted).toMatchObject({ usage: { input: 3, output: 4 }, done: false });
    expect(tap.read(frame('[DONE]'), counted)).toMatchObject({ done: true });
  });

  it.each([
    ['a chunk with an error', frame({ choices: [{ index: 0, delta: {} }], error: { code: 502, message: 'gone' } })],
    ['an error event', frame({ error: { message: 'gone' } }, 'error')],
    ['an error event without a member for it', frame({ message: 'gone' }, 'error')],
    ['an error in a choice', frame({ choices: [{ index: 0, delta: {}, finish_reason: null, error: { message: 'gone' } }] })],
  ])('sees %s', (_name, one) => {
    expect(tap.read(one, NOTHING).fault?.message).toBe('gone');
  });

  it('takes a word for breaking off as a fault', () => {
    expect(
      tap.read(frame({ choices: [{ index: 0, delta: {}, finish_reason: 'insufficient_system_resource' }] }), NOTHING).fault,
    ).toMatchObject({ code: 'upstream_broke_off' });
  });

  it('takes "error": null for nothing', () => {
    expect(tap.read(frame({ error: null, choices: [{ index: 0, delta: { content: 'x' } }] }), NOTHING).fault).toBeUndefined();
  });

  it('has a needle in every frame that matters, in both spacings', () => {
    const hits = (text: string): boolean => tap.needles.some((needle) => text.includes(needle));
    expect(hits('{"choices":[{"finish_reason":"stop"}]}')).toBe(true);
    expect(hits('{"choices": [{"finish_reason": "stop"}]}')).toBe(true);
    expect(hits('{"error":{"message":"x"}}')).toBe(true);
    expect(hits('[DONE]')).toBe(true);
    expect(hits('{"choices":[{"delta":{"content":"\\"finish_reason\\":\\"stop\\""},"finish_reason":null}]}')).toBe(false);
  });
});

describe('the tap on a whole reply', () => {
  const whole = (value: unknown, space?: number): Tapped => tap.whole(Buffer.from(JSON.stringify(value, null, space)));

  it.each([undefined, 2])('finds usage, model and stop by searching (indent %s)', (space) => {
    const body = {
      id: 'x',
      model: 'gpt-"x"',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Say "usage": {"prompt_tokens": 9} and "finish_reason":"length"' },
          finish_reason: 'stop',
        },
      ],
      usage,
    };
    expect(whole(body, space)).toMatchObject({
      model: 'gpt-"x"',
      usage: { input: 3, output: 4 },
      stop: { reason: 'stop', raw: 'stop' },
      done: true,
    });
  });

  it('is not misled by a usage in arguments, or in a member after it', () => {
    const body = {
      model: 'm',
      choices: [
        {
          message: { tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{"usage":{"prompt_tokens":1,"completion_tokens":1}}' } }] },
          finish_reason: 'stop',
        },
      ],
      usage,
      x: { usage: 'none', y: { usage: {} } },
    };
    expect(whole(body)).toMatchObject({ usage: { input: 3 }, stop: { reason: 'tool-calls' } });
  });

  it('reads it all where there is no usage to find', () => {
    expect(whole({ model: 'm', choices: [{ message: { content: 'x' }, finish_reason: 'length' }] })).toMatchObject({
      stop: { reason: 'length' },
      done: true,
    });
    expect(whole({ error: { message: 'no' } }).fault?.message).toBe('no');
    expect(tap.whole(Buffer.from('<html>'))).toEqual({ done: true, finished: true });
  });
});
