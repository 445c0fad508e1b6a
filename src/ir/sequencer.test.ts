import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReplyEvent } from './event.ts';
import { createGrammarCheck } from './grammar.ts';
import { createSequencer } from './sequencer.ts';

type Step = (to: ReturnType<typeof createSequencer>) => void;
const start =
  (key: string, choice = 0): Step =>
  (to) =>
    to.start(key, { kind: 'tool-call', id: key, name: 'f' }, choice);
const say =
  (key: string, text: string): Step =>
  (to) =>
    to.push(key, { type: 'part-delta', text });
const end =
  (key: string): Step =>
  (to) =>
    to.end(key);

function told(...steps: readonly Step[]): ReplyEvent[] {
  const events: ReplyEvent[] = [];
  const sequencer = createSequencer((event) => events.push(event));
  for (const step of steps) step(sequencer);
  return events;
}

const short = (events: readonly ReplyEvent[]): string =>
  events
    .map((event) => {
      if (event.type === 'part-start')
        return `${event.choice ? `${event.choice}:` : ''}${event.part.kind === 'tool-call' ? event.part.id : ''}(`;
      return event.type === 'part-delta' ? event.text : ')';
    })
    .join('');

describe('parts that a dialect interleaves', () => {
  it.each<[string, readonly Step[], string]>([
    [
      'the first streams through, the others wait',
      [start('a'), start('b'), say('b', '2'), say('a', '1'), end('a'), say('b', '3'), end('b')],
      'a(1)b(23)',
    ],
    ['one that ended while it waited comes out whole', [start('a'), start('b'), say('b', '2'), end('b'), end('a')], 'a()b(2)'],
    ['more for a part that is not open is nothing', [say('x', '1'), start('a'), end('a'), say('a', '2'), end('a')], 'a()'],
    ['a key may be used again', [start('a'), end('a'), start('a'), say('a', '1'), end('a')], 'a()a(1)'],
    ['all that is open ends', [start('a'), start('b'), (to) => to.endAll()], 'a()b()'],
    [
      'a later choice waits for the earlier',
      [start('b', 1), say('b', '2'), start('a'), say('a', '1'), end('a'), (to) => to.choiceOver(0), end('b')],
      'a(1)1:b(2)',
    ],
    ['or for the end', [start('b', 1), end('b'), start('a'), end('a'), (to) => to.flush()], 'a()1:b()'],
    [
      'choices that waited come out in their order',
      [start('b', 2), end('b'), start('a', 1), end('a'), (to) => to.choiceOver(2)],
      '1:a()2:b()',
    ],
    [
      'what comes too late for a choice is not told',
      [start('a'), end('a'), (to) => to.choiceOver(0), start('b', 1), end('b'), start('c'), say('c', '3'), end('c')],
      'a()1:b()',
    ],
  ])('%s', (_, steps, wanted) => expect(short(told(...steps))).toBe(wanted));

  it('follow the grammar, whatever comes', () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.tuple(key, fc.nat({ max: 2 })).map(
        ([name, choice]) =>
          (to: Parameters<Step>[0]) =>
            to.has(name) ? undefined : start(name, choice)(to),
      ),
      key.map((name) => say(name, name)),
      key.map(end),
      fc.nat({ max: 2 }).map((choice) => (to: Parameters<Step>[0]) => to.choiceOver(choice)),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const check = createGrammarCheck();
        check.next({ type: 'reply-start', id: 'r', model: 'm' });
        const events = told(
          ...steps,
          (to) => to.endAll(),
          (to) => to.flush(),
        );
        for (const event of events) expect(check.next(event)).toBeUndefined();
        expect(check.next({ type: 'reply-end', stop: { reason: 'stop' } })).toBeUndefined();
      }),
    );
  });
});
