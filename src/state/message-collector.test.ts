import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../ir/index.ts';
import { createMessageCollector } from './message-collector.ts';

const start = (index: number, content_block: JsonObject): JsonObject => ({ type: 'content_block_start', index, content_block });
const delta = (index: number, value: JsonObject): JsonObject => ({ type: 'content_block_delta', index, delta: value });
const stop = (index: number): JsonObject => ({ type: 'content_block_stop', index });

const CASES: readonly { readonly name: string; readonly events: readonly JsonObject[]; readonly content: readonly JsonObject[] }[] = [
  {
    name: 'text in pieces',
    events: [
      start(0, { type: 'text', text: '' }),
      delta(0, { type: 'text_delta', text: '牌' }),
      delta(0, { type: 'text_delta', text: '楼' }),
      stop(0),
    ],
    content: [{ type: 'text', text: '牌楼' }],
  },
  {
    name: 'a thought with its signature',
    events: [
      start(0, { type: 'thinking', thinking: '', signature: '' }),
      delta(0, { type: 'thinking_delta', thinking: 'hm' }),
      delta(0, { type: 'signature_delta', signature: 'signed' }),
      stop(0),
    ],
    content: [{ type: 'thinking', thinking: 'hm', signature: 'signed' }],
  },
  {
    name: 'a call whose input comes in pieces, beside one without any',
    events: [
      start(0, { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }),
      delta(0, { type: 'input_json_delta', partial_json: '' }),
      delta(0, { type: 'input_json_delta', partial_json: '{"city":' }),
      delta(0, { type: 'input_json_delta', partial_json: '"Suzhou"}' }),
      stop(0),
      start(1, { type: 'tool_use', id: 'toolu_2', name: 'now', input: {} }),
      stop(1),
    ],
    content: [
      { type: 'tool_use', id: 'toolu_1', name: 'look', input: { city: 'Suzhou' } },
      { type: 'tool_use', id: 'toolu_2', name: 'now', input: {} },
    ],
  },
  {
    name: 'citations',
    events: [
      start(0, { type: 'text', text: '' }),
      delta(0, { type: 'citations_delta', citation: { title: 'a' } }),
      delta(0, { type: 'text_delta', text: 'x' }),
      stop(0),
    ],
    content: [{ type: 'text', text: 'x', citations: [{ title: 'a' }] }],
  },
  {
    name: 'blocks that nobody knows, as they came',
    events: [start(0, { type: 'unheard_of', value: 7 }), delta(0, { type: 'unheard_of_delta', value: 8 }), stop(0)],
    content: [{ type: 'unheard_of', value: 7 }],
  },
  { name: 'a delta of a block that never began', events: [delta(3, { type: 'text_delta', text: 'x' }), stop(3)], content: [] },
];

describe('a collected message', () => {
  it.each(CASES)('has $name', ({ events, content }) => {
    const collector = createMessageCollector();
    for (const event of events) collector.event(event);
    expect(collector.content).toEqual(content);
    expect(collector.isComplete).toBe(false);
    collector.event({ type: 'message_delta', delta: { stop_reason: 'end_turn' } });
    collector.event({ type: 'message_stop' });
    expect(collector).toMatchObject({ isComplete: true, stopReason: 'end_turn' });
  });
});
