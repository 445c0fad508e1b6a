import { describe, expect, it } from 'vitest';
import { gatewayFault, parseObject } from '../../ir/index.ts';
import type { Tapped, TapRules } from '../../protocols/protocol.ts';
import { tap as gemini } from '../../protocols/gemini/tap.ts';
import { createRawRelay, lastEventEnd } from './raw-relay.ts';

/** Rules of a small dialect: `fin` finishes, `END` is the last word, `bad` is an error. */
const rules: TapRules = {
  needles: ['"fin"', 'END', '"bad"'],
  first: false,
  read(frame, soFar): Tapped & { finish?: boolean } {
    if (frame.data === 'END') return { ...soFar, done: true };
    const object = parseObject(frame.data);
    if (object?.['bad'] !== undefined) return { ...soFar, fault: gatewayFault('upstream', 'bad') };
    if (object?.['fin'] === undefined) return soFar;
    return { ...soFar, finished: true, finish: true, usage: { input: 1, output: Number(object['fin']) } };
  },
  whole: () => ({ done: true, finished: true }),
};

interface Outcome {
  /** What went on before the end. */
  readonly live: string;
  /** What went on after it. */
  readonly last: string;
  readonly complete: boolean;
  readonly output: number | undefined;
}

function relay(pieces: readonly Buffer[], clean = true, finishIsEnd = false): Outcome {
  const it = createRawRelay({ ...rules, finishIsEnd }, false);
  let live = '';
  for (const piece of pieces) live += it.push(piece)?.toString() ?? '';
  const { held, complete, tapped } = it.end(clean);
  return { live, last: held?.toString() ?? '', complete, output: tapped.usage?.output };
}

const STREAM = ': hello\n\ndata: {"t":"one"}\n\ndata: {"t":"牌楼"}\n\ndata: {"fin":7}\n\ndata: END\n\n';

describe('the raw relay', () => {
  it('holds the finish event and what follows, whatever the cuts, and loses no byte', () => {
    const bytes = Buffer.from(STREAM);
    for (let at = 0; at <= bytes.length; at++) {
      const { live, last, complete, output } = relay([bytes.subarray(0, at), bytes.subarray(at)]);
      expect(live + last).toBe(STREAM);
      expect(live).not.toContain('fin');
      expect({ complete, output }).toEqual({ complete: true, output: 7 });
    }
  });

  it('never calls a cut stream complete, and gives out whole events only', () => {
    const bytes = Buffer.from(STREAM);
    for (let at = 0; at < bytes.length; at++) {
      const { live, complete } = relay([bytes.subarray(0, at)], false);
      const done = at >= bytes.indexOf('END') + 3;
      expect(complete, `cut at ${at}`).toBe(done);
      expect(STREAM.startsWith(live)).toBe(true);
      expect(live === '' || live.endsWith('\n\n')).toBe(true);
      expect(live).not.toContain('fin');
    }
  });

  it('takes a clean end after the finish event where the dialect has no last word', () => {
    const bytes = Buffer.from('data: {"t":1}\n\ndata: {"fin":1}\n\n');
    expect(relay([bytes], true, true).complete).toBe(true);
    expect(relay([bytes], true, false).complete).toBe(false);
    expect(relay([bytes], false, true).complete).toBe(false);
  });

  it('sees the word in text as text', () => {
    const text = 'data: {"t":"say \\"fin\\": 1 or END"}\n\ndata: {"fin":1}\n\ndata: END\n\n';
    const { live, complete } = relay([Buffer.from(text)]);
    expect(live).toBe('data: {"t":"say \\"fin\\": 1 or END"}\n\n');
    expect(complete).toBe(true);
  });

  it('reports an error event, and gives it out alone: no finish before it, nothing after it', () => {
    const it = createRawRelay(rules, false);
    expect(it.push(Buffer.from('data: {"t":1}\n\ndata: {"fin":1}\n\ndata: {"bad":1}\n\ndata: END\n\n'))?.toString()).toBe(
      'data: {"t":1}\n\n',
    );
    expect(it.tapped().fault?.message).toBe('bad');
    const { held, error, complete } = it.end(true);
    expect({ held, error: error?.toString(), complete }).toEqual({ held: undefined, error: 'data: {"bad":1}\n\n', complete: false });
  });

  it('ends an error event that lacks its blank line', () => {
    const it = createRawRelay(rules, false);
    it.push(Buffer.from('data: {"t":1}\n\ndata: {"bad":1}'));
    expect(it.end(true).error?.toString()).toBe('data: {"bad":1}\n\n');
  });

  it('keeps back half an event at a proper end, and gives out a whole one that lacks its blank line', () => {
    const half = createRawRelay(rules, false);
    half.push(Buffer.from('data: {"t":1}\n\ndata: {"t"'));
    expect(half.end(true)).toMatchObject({ complete: false, held: undefined });
    const whole = createRawRelay({ ...rules, finishIsEnd: true }, false);
    whole.push(Buffer.from('data: {"fin":1}\n\ndata: {"t":2}'));
    expect(whole.end(true).held?.toString()).toBe('data: {"fin":1}\n\ndata: {"t":2}');
  });

  it('does not take a bare last word for a reply', () => {
    const it = createRawRelay(rules, false);
    expect(it.push(Buffer.from(': hello\n\ndata: END\n\n'))?.toString()).toBe(': hello\n\n');
    expect(it.hasBegun()).toBe(false);
    expect(it.end(true)).toMatchObject({ complete: false, held: undefined });
  });

  it('gives out what other choices said after the first had finished, when all was cut', () => {
    const it = createRawRelay(rules, false);
    it.push(Buffer.from('data: {"t":1}\n\ndata: {"fin":1}\n\ndata: {"t":2}\n\ndata: {"t"'));
    const { held, complete } = it.end(false);
    expect({ held: held?.toString(), complete }).toEqual({ held: 'data: {"t":2}\n\n', complete: false });
  });

  it('takes out the usage chunk that the client did not ask for', () => {
    const it = createRawRelay({ ...rules, needles: ['"fin"'] }, true);
    it.push(Buffer.from('data: {"fin":1}\n\ndata: {"choices":[],"usage":{"total_tokens":3}}\n\ndata: END\n\n'));
    expect(it.end(true).held?.toString()).toBe('data: {"fin":1}\n\ndata: END\n\n');
  });

  it('keeps a long event until it is whole, and finds the finish in it', () => {
    const it = createRawRelay({ ...rules, finishIsEnd: true }, false);
    const long = Buffer.from(`data: {"t":"${'x'.repeat(3_000_000)}","fin":2}\r\n\r\n`);
    for (let at = 0; at < long.length; at += 65_537) expect(it.push(long.subarray(at, at + 65_537))).toBeUndefined();
    expect(it.end(true).held?.equals(long)).toBe(true);
    expect(it.tapped().finished).toBe(true);
  });

  it('gives a long event on when its blank line is cut in two', () => {
    for (let cut = 1; cut < 4; cut++) {
      const it = createRawRelay(rules, false);
      const long = Buffer.from(`data: {"t":"${'x'.repeat(100_000)}"}\r\n\r\n`);
      it.push(long.subarray(0, long.length - cut));
      expect(it.push(long.subarray(long.length - cut))?.equals(long)).toBe(true);
    }
  });

  it('does not hold for ever what floods after the finish', () => {
    const it = createRawRelay(rules, false);
    it.push(Buffer.from('data: {"fin":1}\n\n'));
    const more = Buffer.from(`data: {"t":"${'x'.repeat(1_000_000)}"}\n\n`);
    expect(() => {
      for (let i = 0; i < 20; i++) it.push(more);
    }).toThrow('too much');
  });
});

describe('where each event reports what was used until then', () => {
  const chunk = (candidate: object, output: number, text = 'x'): Buffer =>
    Buffer.from(
      `data: ${JSON.stringify({
        candidates: [{ content: { role: 'model', parts: [{ text }] }, ...candidate }],
        usageMetadata: { promptTokenCount: 5, candidatesTokenCount: output, totalTokenCount: 5 + output },
        modelVersion: 'up',
      })}\r\n\r\n`,
    );
  const call = { content: { parts: [{ functionCall: { name: 'look', args: {} } }] } };
  const finish = { finishReason: 'STOP' };
  it.each([
    { what: 'before any that is read', pieces: [chunk({}, 3), chunk({}, 7)], output: 7 },
    { what: 'after one that is read', pieces: [chunk({}, 3), chunk(call, 5), chunk({}, 9)], output: 9 },
    { what: 'of two that came together', pieces: [Buffer.concat([chunk(call, 5), chunk({}, 9)])], output: 9 },
    { what: 'behind a long text', pieces: [chunk({}, 3), chunk({}, 2000, 'long '.repeat(2000))], output: 2000 },
    { what: 'half of the next has come', pieces: [chunk({}, 3), chunk({}, 7), chunk({}, 9).subarray(0, 50)], output: 7 },
    { what: 'in the finish', pieces: [chunk({}, 3), chunk(finish, 11)], output: 11 },
  ])('the last report counts in a stream that is cut: $what', ({ pieces, output }) => {
    const it = createRawRelay(gemini, false);
    for (const piece of pieces) it.push(piece);
    expect(it.soFar().usage?.output).toBe(output);
    expect(it.end(false).tapped.usage?.output).toBe(output);
  });
});

describe('the end of the last whole event', () => {
  it.each([
    ['a\n\nb', 3],
    ['a\r\n\r\nb', 5],
    ['a\r\rb', 3],
    ['a\nb\n', 0],
    ['a\r\n', 0],
    ['', 0],
    ['\n\n', 2],
    ['a\n\n\n', 4],
  ])('of %j is %i', (text, end) => expect(lastEventEnd(Buffer.from(text))).toBe(end));
});
