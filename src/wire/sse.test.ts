import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSseReader, type SseFrame } from './sse.ts';

function read(...pieces: readonly (string | Buffer)[]): SseFrame[] {
  const frames: SseFrame[] = [];
  const reader = createSseReader();
  for (const piece of pieces) reader.push(Buffer.from(piece as string), (frame) => frames.push(frame));
  reader.end((frame) => frames.push(frame));
  return frames;
}

const REALITIES: readonly { name: string; bytes: string; frames: readonly SseFrame[] }[] = [
  { name: 'LF', bytes: 'data: a\n\ndata: b\n\n', frames: [{ data: 'a' }, { data: 'b' }] },
  { name: 'CRLF', bytes: 'data: a\r\n\r\ndata: b\r\n\r\n', frames: [{ data: 'a' }, { data: 'b' }] },
  { name: 'CR alone', bytes: 'data: a\r\rdata: b\r\r', frames: [{ data: 'a' }, { data: 'b' }] },
  { name: 'line ends mixed', bytes: 'data: a\r\n\ndata: b\r\r\n', frames: [{ data: 'a' }, { data: 'b' }] },
  { name: 'a byte order mark first', bytes: '\uFEFFdata: a\n\n', frames: [{ data: 'a' }] },
  { name: 'comments, also before the first event', bytes: ': PROCESSING\n\n: again\ndata: a\n\n', frames: [{ data: 'a' }] },
  { name: 'several data lines', bytes: 'data: a\ndata: b\n\n', frames: [{ data: 'a\nb' }] },
  { name: 'no space after the colon', bytes: 'data:a\nevent:e\n\n', frames: [{ data: 'a', event: 'e' }] },
  { name: 'a second space is data', bytes: 'data:  a\n\n', frames: [{ data: ' a' }] },
  { name: 'event names', bytes: 'event: x\ndata: a\n\ndata: b\n\n', frames: [{ event: 'x', data: 'a' }, { data: 'b' }] },
  { name: 'an event without data is none', bytes: 'event: x\n\ndata: a\n\n', frames: [{ data: 'a' }] },
  { name: 'id and retry are passed over', bytes: 'id: 1\nretry: 5\ndata: a\n\n', frames: [{ data: 'a' }] },
  { name: 'a bare data field', bytes: 'data\n\n', frames: [{ data: '' }] },
  { name: 'the last event without its blank line', bytes: 'data: a\n\ndata: b', frames: [{ data: 'a' }, { data: 'b' }] },
  { name: 'the last line without its line end, CR before', bytes: 'data: a\r', frames: [{ data: 'a' }] },
  { name: 'characters of two, three and four bytes', bytes: 'data: é牌🏮\n\n', frames: [{ data: 'é牌🏮' }] },
  { name: 'nothing', bytes: '', frames: [] },
];

describe('the SSE reader', () => {
  for (const { name, bytes, frames } of REALITIES) {
    it(`reads ${name}, cut at every offset`, () => {
      expect(read(bytes)).toEqual(frames);
      const whole = Buffer.from(bytes);
      for (let at = 0; at <= whole.length; at++) expect(read(whole.subarray(0, at), whole.subarray(at)), `cut at ${at}`).toEqual(frames);
      expect(read(...[...whole].map((byte) => Buffer.from([byte])))).toEqual(frames);
    });
  }

  it('gives the same frames whatever the cuts', () => {
    const line = fc.constantFrom('data: x', 'data: 牌楼', 'event: e', ': c', '', '', 'data:', 'id: 3');
    const text = fc
      .array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 20 })
      .map((lines) => lines.map(([one, end]) => one + end).join(''));
    fc.assert(
      fc.property(text, fc.array(fc.nat(300), { maxLength: 8 }), (whole, cuts) => {
        const bytes = Buffer.from(whole);
        const at = [...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort((a, b) => a - b);
        let from = 0;
        const pieces = at.map((to) => {
          const piece = bytes.subarray(from, to);
          from = to;
          return piece;
        });
        expect(read(...pieces)).toEqual(read(bytes));
      }),
    );
  });

  it('tells an event once, also where whoever takes it throws', () => {
    const reader = createSseReader();
    const taken: string[] = [];
    const take = ({ data }: SseFrame): void => {
      taken.push(data);
      if (data === 'one') throw new Error('no more');
    };
    expect(() => reader.push(Buffer.from('event: a\ndata: one\n\n'), take)).toThrow('no more');
    reader.push(Buffer.from('data: two\n\n'), take);
    expect(taken).toEqual(['one', 'two']);
  });

  it('refuses a line without end', () => {
    const reader = createSseReader(100);
    const piece = Buffer.from('x'.repeat(60));
    reader.push(piece, () => {});
    expect(() => reader.push(piece, () => {})).toThrow(/too long/);
  });
});

it('reads an event whose lines come in reads of their own, whatever half characters and signs they hold', () => {
  const long = 'x'.repeat(5000);
  const pieces = ['data: one\n\nevent: speech.audio.delta\n', 'data: "牌楼" \\ 😀\n', `data: ${long}\n`, '\n'];
  expect(read(...pieces)).toEqual([{ data: 'one' }, { event: 'speech.audio.delta', data: `"牌楼" \\ 😀\n${long}` }]);
});
