import { describe, expect, it } from 'vitest';
import { createNotes, type JsonObject } from '../ir/index.ts';
import type { Quirk } from './preset.ts';
import {
  audioAsUri,
  callsTogether,
  clamp,
  developerAsSystem,
  drop,
  dropInTools,
  dropNull,
  dropWord,
  onlyFor,
  rename,
  renameValue,
  thoughtsInTags,
  whereAbove,
} from './quirks.ts';

interface Row {
  readonly name: string;
  readonly quirk: Quirk;
  readonly body: JsonObject;
  readonly becomes: JsonObject;
  readonly notes?: readonly string[];
  readonly model?: string;
}

const ROWS: readonly Row[] = [
  { name: 'a field that is refused', quirk: drop('logprobs', 'seed'), body: { seed: 1, n: 2 }, becomes: { n: 2 }, notes: ['seed;dropped'] },
  { name: 'a null goes without a note: it is absent', quirk: drop('seed'), body: { seed: null }, becomes: {} },
  {
    name: 'a null that is refused',
    quirk: dropNull('encoding_format'),
    body: { encoding_format: null, input: 'x' },
    becomes: { input: 'x' },
  },
  {
    name: 'dropNull leaves values',
    quirk: dropNull('encoding_format'),
    body: { encoding_format: 'float' },
    becomes: { encoding_format: 'float' },
  },
  { name: 'a new name', quirk: rename('a', 'b'), body: { a: 1 }, becomes: { b: 1 } },
  { name: 'the known name stays where both are there', quirk: rename('a', 'b'), body: { a: 1, b: 2 }, becomes: { b: 2 } },
  { name: 'a null under the old name is not carried over', quirk: rename('a', 'b'), body: { a: null }, becomes: {} },
  { name: 'a number that is too high', quirk: clamp('t', 0, 1), body: { t: 1.7 }, becomes: { t: 1 }, notes: ['t;approximated'] },
  { name: 'a number within', quirk: clamp('t', 0, 1), body: { t: 0.3 }, becomes: { t: 0.3 } },
  { name: 'no number', quirk: clamp('t', 0, 1), body: { t: 'hot' }, becomes: { t: 'hot' } },
  {
    name: 'another word',
    quirk: renameValue('e', { xhigh: 'high' }),
    body: { e: 'xhigh' },
    becomes: { e: 'high' },
    notes: ['e;approximated'],
  },
  { name: 'a word that is known', quirk: renameValue('e', { xhigh: 'high' }), body: { e: 'low' }, becomes: { e: 'low' } },
  {
    name: 'only for some models: one of them',
    quirk: onlyFor(['a-*'], drop('x')),
    body: { x: 1 },
    becomes: {},
    notes: ['x;dropped'],
    model: 'a-1',
  },
  { name: 'only for some models: another', quirk: onlyFor(['a-*'], drop('x')), body: { x: 1 }, becomes: { x: 1 }, model: 'b-1' },
  {
    name: 'a developer becomes the system',
    quirk: developerAsSystem,
    body: {
      messages: [
        { role: 'developer', content: 'Be brief' },
        { role: 'user', content: 'developer' },
      ],
    },
    becomes: {
      messages: [
        { role: 'system', content: 'Be brief' },
        { role: 'user', content: 'developer' },
      ],
    },
  },
  {
    name: 'strict tools',
    quirk: dropInTools('strict'),
    body: { tools: [{ type: 'function', function: { name: 'a', strict: true } }, { type: 'web_search' }] },
    becomes: { tools: [{ type: 'function', function: { name: 'a' } }, { type: 'web_search' }] },
    notes: ['tools[].strict;dropped'],
  },
  {
    name: 'several answers, all the same',
    quirk: whereAbove('n', 1, clamp('t', 0.3, 1)),
    body: { n: 2, t: 0 },
    becomes: { n: 2, t: 0.3 },
    notes: ['t;approximated'],
  },
  { name: 'one answer', quirk: whereAbove('n', 1, clamp('t', 0.3, 1)), body: { n: 1, t: 0 }, becomes: { n: 1, t: 0 } },
  { name: 'a word that is refused', quirk: dropWord('e', 'none'), body: { e: 'none', x: 1 }, becomes: { x: 1 }, notes: ['e;dropped'] },
  { name: 'a word that is not', quirk: dropWord('e', 'none'), body: { e: 'low' }, becomes: { e: 'low' } },
  {
    name: 'sound as bare base64',
    quirk: audioAsUri,
    body: { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }] }] },
    becomes: {
      messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'data:;base64,UklGRg==', format: 'wav' } }] }],
    },
  },
  {
    name: 'sound by its address, and text',
    quirk: audioAsUri,
    body: {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'input_audio', input_audio: { data: 'https://a.example/a.wav' } },
          ],
        },
      ],
    },
    becomes: {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'input_audio', input_audio: { data: 'https://a.example/a.wav' } },
          ],
        },
      ],
    },
  },
  {
    name: 'thoughts between tags',
    quirk: thoughtsInTags('reasoning'),
    body: { messages: [{ role: 'assistant', reasoning: 'Hm.', content: null, tool_calls: [] }] },
    becomes: { messages: [{ role: 'assistant', content: '<think>Hm.</think>', tool_calls: [] }] },
  },
  {
    name: 'words between two calls',
    quirk: callsTogether,
    body: {
      input: [
        { role: 'user', content: 'a' },
        { type: 'function_call', call_id: '1' },
        { type: 'message', role: 'assistant', content: 'Now the other.' },
        { type: 'function_call', call_id: '2' },
        { type: 'message', role: 'assistant', content: 'Both asked.' },
        { type: 'function_call_output', call_id: '1' },
        { type: 'function_call_output', call_id: '2' },
        { type: 'message', role: 'assistant', content: 'Done.' },
      ],
    },
    becomes: {
      input: [
        { role: 'user', content: 'a' },
        { type: 'message', role: 'assistant', content: 'Now the other.' },
        { type: 'function_call', call_id: '1' },
        { type: 'function_call', call_id: '2' },
        { type: 'message', role: 'assistant', content: 'Both asked.' },
        { type: 'function_call_output', call_id: '1' },
        { type: 'function_call_output', call_id: '2' },
        { type: 'message', role: 'assistant', content: 'Done.' },
      ],
    },
  },
  {
    name: 'calls of two turns',
    quirk: callsTogether,
    body: { input: [{ type: 'function_call' }, { type: 'function_call_output' }, { role: 'assistant' }, { type: 'function_call' }] },
    becomes: { input: [{ type: 'function_call' }, { type: 'function_call_output' }, { role: 'assistant' }, { type: 'function_call' }] },
  },
  { name: 'an input that is text', quirk: callsTogether, body: { input: 'function_call' }, becomes: { input: 'function_call' } },
  {
    name: 'no thoughts',
    quirk: thoughtsInTags('reasoning'),
    body: {
      messages: [
        { role: 'user', content: 'reasoning' },
        { role: 'assistant', content: 'Yes.' },
      ],
    },
    becomes: {
      messages: [
        { role: 'user', content: 'reasoning' },
        { role: 'assistant', content: 'Yes.' },
      ],
    },
  },
];

describe('quirks', () => {
  it.each(ROWS)('$name', ({ quirk, body, becomes, notes: expected = [], model = 'm' }) => {
    const notes = createNotes();
    const before = JSON.stringify(body);
    expect(quirk.apply(body, notes, model)).toEqual(becomes);
    expect(notes.list.map((note) => `${note.field};${note.what}`)).toEqual(expected);
    expect(JSON.stringify(body)).toBe(before);
  });

  it.each(ROWS.filter(({ body, becomes }) => JSON.stringify(body) === JSON.stringify(becomes)))(
    'gives the same body back where nothing is to change: $name',
    ({ quirk, body, model = 'm' }) => expect(quirk.apply(body, createNotes(), model)).toBe(body),
  );

  it.each(ROWS.filter(({ body, becomes }) => JSON.stringify(body) !== JSON.stringify(becomes)))(
    'names a field that is in the body, so that the raw lane knows where to look: $name',
    ({ quirk, body }) => {
      const text = JSON.stringify(body);
      expect(quirk.fields.filter((field) => text.includes(`"${field}"`))).not.toEqual([]);
    },
  );
});
