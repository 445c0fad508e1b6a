import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseObject } from '../../ir/index.ts';
import { createEventTemplate, plainDelta } from './event-template.ts';

interface Said {
  readonly text: string;
  readonly number?: number | undefined;
  readonly padding?: string | undefined;
  readonly item?: string;
}

/** An event as OpenAI writes it now, members in the order of the alphabet. */
const newer = ({ text, number, padding, item = 'msg_1' }: Said): string =>
  JSON.stringify({
    type: 'response.output_text.delta',
    content_index: 0,
    delta: text,
    item_id: item,
    logprobs: [],
    ...(padding === undefined ? {} : { obfuscation: padding }),
    output_index: 1,
    ...(number === undefined ? {} : { sequence_number: number }),
  });

/** As it wrote them, and others do: the number before the text. */
const older = ({ text, number, padding, item = 'msg_1' }: Said): string =>
  JSON.stringify({
    type: 'response.reasoning_summary_text.delta',
    ...(number === undefined ? {} : { sequence_number: number }),
    item_id: item,
    output_index: 1,
    summary_index: 2,
    delta: text,
    ...(padding === undefined ? {} : { obfuscation: padding }),
  });

const read = (data: string) => {
  const value = parseObject(data);
  return value && plainDelta(value);
};

function taught(data: string) {
  const template = createEventTemplate();
  const found = read(data);
  if (found) template.learn(data, found);
  return template;
}

describe.each([
  { name: 'newer order', event: newer },
  { name: 'older order', event: older },
])('an event template, $name', ({ event }) => {
  it('knows what differs in its text, number and padding only', () => {
    const template = taught(event({ text: 'one', number: 9, padding: 'aB1' }));
    expect(template.match(event({ text: 'two "牌楼"\n', number: 10, padding: '' }))).toMatchObject({
      text: 'two "牌楼"\n',
      literal: '"two \\"牌楼\\"\\n"',
      outputIndex: 1,
    });
    expect(template.match(event({ text: 'two', number: 10, padding: 'x', item: 'msg_2' }))).toBeUndefined();
    expect(template.match(event({ text: 'two', padding: 'x' }))).toBeUndefined();
    expect(template.match(event({ text: 'two', number: 10, padding: 'x"y' }))).toBeUndefined();
    expect(template.match(event({ text: '', number: 10, padding: 'x' }))).toBeUndefined();
  });

  it('works without numbers and padding', () => {
    expect(taught(event({ text: 'one' })).match(event({ text: ' two' }))?.text).toBe(' two');
  });

  it('takes no number that is none', () => {
    const data = event({ text: 'one', number: 9 });
    const template = taught(data);
    for (const number of ['007', '', '-1', '1e9', '9999999999999999'])
      expect(template.match(data.replace('"sequence_number":9', `"sequence_number":${number}`))).toBeUndefined();
  });

  it('never says other than the parser, whatever comes', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('"', '\\', '","obfuscation":"', ',"item_id":"', '"sequence_number":3,', '"delta":"x"', '\u0000', '}'),
    );
    const padding = fc.option(fc.constantFrom('', 'ab', 'Zz9'), { nil: undefined });
    const number = fc.option(fc.nat(1e6), { nil: undefined });
    const damaged = fc.record({ text, padding, number, at: fc.nat(250), put: fc.string({ maxLength: 3 }), cut: fc.nat(3) });
    fc.assert(
      fc.property(text, padding, number, fc.array(damaged, { maxLength: 20 }), (first, pad, seq, rest) => {
        const template = taught(event({ text: first, padding: pad, number: seq }));
        for (const one of rest) {
          const whole = event(one);
          const data = one.put === '' && one.cut === 0 ? whole : whole.slice(0, one.at) + one.put + whole.slice(one.at + one.cut);
          const found = template.match(data);
          if (!found) continue;
          const { literal, ...said } = found;
          expect(read(data)).toEqual(said);
          expect(JSON.parse(literal)).toBe(found.text);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('gives up on events that never repeat', () => {
    const template = createEventTemplate();
    const teach = (item: string): void => {
      const data = event({ text: 'x', item });
      const found = read(data);
      if (found) template.learn(data, found);
    };
    for (let n = 0; n < 40; n++) teach(`msg_${n}`);
    teach('msg_100');
    expect(template.match(event({ text: 'y', item: 'msg_100' }))).toBeUndefined();
  });
});
