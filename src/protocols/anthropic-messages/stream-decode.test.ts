import { expect, it } from 'vitest';
import type { ReplyEvent } from '../../ir/index.ts';
import { createStreamDecoder } from './stream-decode.ts';

it.each([
  { delta: { type: 'text_delta', text: 'One' }, kind: 'text' },
  { delta: { type: 'thinking_delta', thinking: 'One' }, kind: 'reasoning' },
])('$kind whose block was not started is told all the same', ({ delta, kind }) => {
  const events: ReplyEvent[] = [];
  const decoder = createStreamDecoder({ maker: 'm', newId: (prefix) => `${prefix}1` });
  const say = (value: object): void => decoder.frame({ data: JSON.stringify(value) }, (event) => void events.push(event));
  say({ type: 'message_start', message: { id: 'msg_1', model: 'm', usage: { input_tokens: 1, output_tokens: 1 } } });
  say({ type: 'content_block_delta', index: 0, delta });
  expect(events).toContainEqual({ type: 'part-start', part: { kind } });
  expect(events).toContainEqual({ type: 'part-delta', text: 'One' });
});
