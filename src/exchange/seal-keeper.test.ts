import { describe, expect, it } from 'vitest';
import type { ChatRequest, Part, ReplyEvent, Seal, Turn } from '../ir/index.ts';
import { bareIds, createSealKeeper, restoreSeals } from './seal-keeper.ts';

const SEAL: Seal = { by: 'gemini', maker: 'g', value: 'c2VhbA==' };
const asked: Turn = { role: 'user', parts: [{ kind: 'text', text: 'why?' }] };
const answer = (...parts: readonly Part[]): Turn => ({ role: 'assistant', parts });
const text = (said: string, seal?: Seal): Part => ({ kind: 'text', text: said, ...(seal ? { seal } : {}) });
const request = (...turns: readonly Turn[]): ChatRequest => ({ model: 'm', instructions: [], tools: [], stream: false, turns });

const END: ReplyEvent = { type: 'reply-end', stop: { reason: 'stop' } };

/** A text part in pieces, and the seal that it ends with. */
const told = (pieces: readonly string[], seal?: Seal, choice = 0): ReplyEvent[] => [
  { type: 'part-start', part: { kind: 'text' }, ...(choice > 0 ? { choice } : {}) },
  ...pieces.map((piece): ReplyEvent => ({ type: 'part-delta', text: piece })),
  { type: 'part-end', ...(seal ? { seal } : {}) },
];

function keptOf(events: readonly ReplyEvent[], before: Turn | undefined = asked): ReturnType<typeof createSealKeeper>['kept'] {
  const keeper = createSealKeeper('g', before);
  for (const event of [...events, END]) keeper.event(event);
  return keeper.kept;
}

const sealsIn = ({ turns }: ChatRequest): unknown[] =>
  turns.flatMap(({ parts }) => parts.map((part) => ('seal' in part ? part.seal : undefined)));

describe('the seal of a text', () => {
  const kept = keptOf(told(['Be', 'cause.'], SEAL));
  const back = (...turns: readonly Turn[]): unknown[] => sealsIn(restoreSeals(request(...turns), kept));

  it.each<{ name: string; turns: readonly Turn[]; seals: readonly unknown[] }>([
    { name: 'comes back on the same words', turns: [asked, answer(text('Because.'))], seals: [undefined, SEAL] },
    {
      name: 'on the last part that says something',
      turns: [asked, answer(text('Be'), text('cause.'), text(''))],
      seals: [undefined, undefined, SEAL, undefined],
    },
    {
      name: 'not where the client brings one',
      turns: [asked, answer(text('Because.', { ...SEAL, value: 'other' }))],
      seals: [undefined, { ...SEAL, value: 'other' }],
    },
    { name: 'not on other words', turns: [asked, answer(text('Because!'))], seals: [undefined, undefined] },
    {
      name: 'not as the answer to something else',
      turns: [{ ...asked, parts: [text('how?')] }, answer(text('Because.'))],
      seals: [undefined, undefined],
    },
    { name: 'not on what the user says', turns: [asked, { role: 'user', parts: [text('Because.')] }], seals: [undefined, undefined] },
  ])('$name', ({ turns, seals }) => expect(back(...turns)).toEqual(seals));

  it('is looked for under the id that it is kept by', () => {
    expect(bareIds(request(asked, answer(text('Because.'))))).toEqual([...kept.keys()]);
  });

  it('may end a part of its own', () => {
    expect([...keptOf([...told(['Because.']), ...told([], SEAL)]).keys()]).toEqual([...kept.keys()]);
  });

  it.each<{ name: string; events: readonly ReplyEvent[] }>([
    { name: 'nothing was said', events: told([], SEAL) },
    { name: 'nothing was sealed', events: told(['Because.']) },
    { name: 'it is another choice', events: told(['Because.'], SEAL, 1) },
    { name: 'it is too long', events: told(['x'.repeat(300_000)], SEAL) },
  ])('is not kept where $name', ({ events }) => expect(keptOf(events).size).toBe(0));

  it('is not looked for far back', () => {
    const turns = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? asked : answer(text(`Because ${index}.`))));
    expect(bareIds(request(...turns))).toHaveLength(16);
  });
});

describe('the thoughts before a tool call', () => {
  const calledAs = (id: string): readonly ReplyEvent[] => [
    { type: 'part-start', part: { kind: 'reasoning' } },
    { type: 'part-delta', text: 'I look it up.' },
    { type: 'part-end' },
    { type: 'part-start', part: { kind: 'tool-call', id, name: 'lookup' } },
    { type: 'part-delta', text: '{}' },
    { type: 'part-end' },
  ];
  const other: Turn = { ...asked, parts: [text('another conversation')] };

  it.each([
    { id: 'functions.lookup:0', elsewhere: false },
    { id: 'tool_0_lookup', elsewhere: false },
    { id: '3', elsewhere: false },
    { id: 'call_1', elsewhere: false },
    { id: 'call_8xYbZk27LqPaWn3v', elsewhere: true },
    { id: 'D681PevKs', elsewhere: true },
  ])('under $id: come back, and to another turn: $elsewhere', ({ id, elsewhere }) => {
    const kept = keptOf(calledAs(id));
    const call: Turn = answer({ kind: 'tool-call', id, name: 'lookup', argumentsJson: '{}' });
    const kinds = (before: Turn): readonly string[] =>
      restoreSeals(request(before, call), kept)
        .turns.at(-1)
        ?.parts.map((part) => part.kind) ?? [];
    expect(kinds(asked)).toEqual(['reasoning', 'tool-call']);
    expect(kinds(other)).toEqual(elsewhere ? ['reasoning', 'tool-call'] : ['tool-call']);
    expect(bareIds(request(asked, call))).toEqual([...kept.keys()]);
  });
});
