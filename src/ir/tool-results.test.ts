import { describe, expect, it } from 'vitest';
import { createNotes } from './note.ts';
import type { Part, ToolResultPart } from './part.ts';
import type { Turn } from './request.ts';
import { DEFAULT_FACTS } from './target.ts';
import { mediaAfterResults, mediaBesideResults, orphanResult, toolResults } from './tool-results.ts';

const text = (said: string): Part => ({ kind: 'text', text: said });
const result = (callId: string, ...content: readonly Part[]): ToolResultPart => ({ kind: 'tool-result', callId, content, isError: false });
const user = (...parts: readonly Part[]): Turn => ({ role: 'user', parts });
const PICTURE: Part = { kind: 'media', media: 'image', mediaType: 'image/png', source: { type: 'base64', data: 'iVBORw0KGgo=' } };

describe('results are handed out', () => {
  const [before, first, second] = [result('a', text('0')), result('a', text('1')), result('a', text('2'))];
  const turns = [user(before), user(), user(first), user(), user(second)];

  it('in order where ids are used again, each once, and never to a call that comes after them', () => {
    const results = toolResults(turns);
    expect(results.take('a', 1)).toEqual({ at: 2, part: first });
    expect([before, first, second].map((part) => results.isTaken(part))).toEqual([false, true, false]);
    expect(results.take('a', 3)).toEqual({ at: 4, part: second });
    expect(results.take('a', 3)).toBeUndefined();
    expect(results.take('b', 0)).toBeUndefined();
  });

  it('one after the other to two calls of one turn with one id', () => {
    const results = toolResults(turns);
    expect([results.take('a', 1), results.take('a', 1)].map((found) => found?.part)).toEqual([first, second]);
  });
});

it('a result without its call is told as text, its media beside it', () => {
  const notes = createNotes();
  expect(orphanResult(result('a', text('x'), PICTURE, text('y')), notes)).toEqual([text('Result of the tool call a:\nx\ny'), PICTURE]);
  expect(notes.list).toMatchObject([{ field: 'messages', what: 'approximated' }]);
});

describe('media of results', () => {
  const turns = [user(result('a', text('x'), PICTURE), result('b', PICTURE), text('So?'))];
  const context = (mediaInToolResults: boolean) => ({ facts: { ...DEFAULT_FACTS, mediaInToolResults }, notes: createNotes() });

  it.each([
    { name: 'stay where the target takes them', takes: true, move: mediaBesideResults, parts: turns[0]?.parts },
    { name: 'stay where the target takes them, likewise', takes: true, move: mediaAfterResults, parts: turns[0]?.parts },
    {
      name: 'stand between the results and the rest',
      takes: false,
      move: mediaBesideResults,
      parts: [result('a', text('x')), result('b'), PICTURE, PICTURE, text('So?')],
    },
    {
      name: 'stand after all, and a result that was nothing else says so',
      takes: false,
      move: mediaAfterResults,
      parts: [
        result('a', text('x')),
        result('b', text('The result follows in the next message of the user.')),
        text('So?'),
        PICTURE,
        PICTURE,
      ],
    },
  ])('$name', ({ takes, move, parts }) => {
    const to = context(takes);
    expect(move(turns, to)).toEqual([user(...(parts ?? []))]);
    expect(to.notes.list.map(({ what }) => what)).toEqual(takes ? [] : ['moved']);
  });
});
