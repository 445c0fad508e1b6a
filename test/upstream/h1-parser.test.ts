import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/ir/index.ts';
import { CHUNKED, CUT, GOOD, OK, REFUSED, ROWS, type Told } from '../fakes/framings.ts';
import { createResponseParser } from '../../src/upstream/h1-parser.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** What a parser tells of pieces, and of the connection's close after them. */
function read(pieces: readonly Buffer[], { isHead = false, close = false } = {}): Told {
  const told: Told = { headers: {}, body: '', end: 'waits' };
  const parser = createResponseParser({
    head(status, headers) {
      expect(told.status).toBeUndefined();
      Object.assign(told, { status, headers: { ...headers } });
    },
    body(bytes) {
      expect([told.status === undefined, told.end]).toEqual([false, 'waits']);
      expect(bytes.length).toBeGreaterThan(0);
      told.body += bytes.toString('latin1');
    },
    end(keepMs) {
      expect(told.end).toBe('waits');
      told.end = keepMs > 0 ? 'kept' : 'closed';
    },
  });
  parser.begin(isHead);
  // As a connection reads: always into the same memory.
  const shared = Buffer.alloc(Math.max(1, ...pieces.map((piece) => piece.length)));
  try {
    for (const piece of pieces) {
      // What nobody asked for: its connection is not used again.
      if (piece.length > 0 && told.end === 'kept') told.end = 'closed';
      piece.copy(shared);
      parser.push(shared.subarray(0, piece.length));
      shared.fill(0x21);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).fault.code).toBe('upstream_malformed');
    told.end = 'malformed';
    // It says nothing more.
    parser.push(latin1('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'));
  }
  if (close && told.end === 'waits' && !parser.close()) told.end = 'cut';
  return told;
}

describe.each([
  { what: 'reads', rows: GOOD },
  { what: 'refuses', rows: REFUSED },
  { what: 'knows what was cut', rows: CUT },
])('an answer: $what', ({ rows }) => {
  it.each(rows.map(([name, wire, told, options]) => ({ name, wire, told, options })))('$name', ({ wire, told, options }) => {
    const bytes = latin1(wire);
    const whole = read([bytes], options);
    expect(whole).toMatchObject(told);
    for (let at = 0; at <= bytes.length; at++)
      expect(read([bytes.subarray(0, at), bytes.subarray(at)], options), `cut at ${at}`).toEqual(whole);
    expect(
      read(
        [...bytes].map((byte) => Buffer.of(byte)),
        options,
      ),
    ).toEqual(whole);
  });
});

/** Pieces of bytes, cut at the offsets. */
function cutAt(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const places = [0, ...offsets.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((to, at) => bytes.subarray(places[at], to));
}

describe('any answer', () => {
  it('is read the same however it is cut', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ROWS), fc.array(fc.nat(), { maxLength: 12 }), ([, wire, , options], offsets) => {
        expect(read(cutAt(latin1(wire), offsets), options)).toEqual(read([latin1(wire)], options));
      }),
      { numRuns: 2000 },
    );
  });

  it('gives any chunks back as they were', () => {
    const piece = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), fc.array(fc.nat(), { maxLength: 12 }), (chunks, offsets) => {
        const framed = chunks.flatMap((chunk) => [latin1(`${chunk.length.toString(16)}\r\n`), chunk, latin1('\r\n')]);
        const told = read(cutAt(Buffer.concat([latin1(CHUNKED), ...framed, latin1('0\r\n\r\n')]), offsets));
        expect(told).toMatchObject({ end: 'kept', body: Buffer.concat(chunks).toString('latin1') });
      }),
      { numRuns: 500 },
    );
  });

  it('of random bytes is refused or waited for; nothing else is thrown', () => {
    const words = fc.constantFrom(
      OK,
      CHUNKED,
      'HTTP/1.1 ',
      '\r\n',
      '\r\n\r\n',
      'content-length: 3',
      '3\r\nabc\r\n',
      '0\r\n',
      ';',
      ': ',
      '\0',
      '\r',
      '\n',
      'f',
      ' ',
    );
    const noise = fc.oneof(
      words.map(latin1),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 30 }), fc.boolean(), (pieces, isHead) => {
        const told = read(pieces, { isHead, close: true });
        expect(told.end).not.toBe('waits');
        expect(told).toEqual(read([Buffer.concat(pieces)], { isHead, close: true }));
      }),
      { numRuns: 5000 },
    );
  });
});

describe('a bound', () => {
  const sized = (bytes: number): Buffer => {
    const rest = `${OK}content-length: 0\r\na: `;
    return latin1(`${rest}${'x'.repeat(bytes - rest.length - 4)}\r\n\r\n`);
  };
  it.each([
    ['a head of 64 KiB', sized(65_536), 'kept'],
    ['a head of more', sized(65_537), 'malformed'],
    ['a head without an end', latin1(`${OK}a: ${'x'.repeat(70_000)}`), 'malformed'],
    ['an extension of 16 KiB', latin1(`${CHUNKED}0;${'x'.repeat(16_384)}\r\n\r\n`), 'kept'],
    ['an extension of more', latin1(`${CHUNKED}0;${'x'.repeat(16_385)}\r\n\r\n`), 'malformed'],
    ['trailers of 60 KiB', latin1(`${CHUNKED}0\r\n${'a: bc\r\n'.repeat(8700)}\r\n`), 'kept'],
    ['trailers of more than 64 KiB', latin1(`${CHUNKED}0\r\n${'a: bc\r\n'.repeat(9500)}\r\n`), 'malformed'],
    ['trailers without an end', latin1(`${CHUNKED}0\r\na: ${'x'.repeat(70_000)}`), 'malformed'],
  ] as const)('%s', (_, bytes, end) => {
    expect(read([bytes]).end).toBe(end);
    for (const size of [1000, 4096, 65_535, 65_536]) expect(read(cutAt(bytes, [size, 2 * size])).end).toBe(end);
  });

  it('holds whatever the cut near a limit of trailers', () => {
    for (let length = 65_520; length < 65_545; length++) {
      const bytes = latin1(`${CHUNKED}0\r\na: ${'x'.repeat(length - 5)}\r\n\r\n`);
      const whole = read([bytes]).end;
      for (let back = 0; back < 8; back++)
        expect(read([bytes.subarray(0, bytes.length - back), bytes.subarray(bytes.length - back)]).end).toBe(whole);
    }
  });
});

describe('a parser that is stopped', () => {
  it.each(['head', 'body'] as const)('in its %s says nothing more', (when) => {
    const told: string[] = [];
    const say = (what: string) => (): void => {
      told.push(what);
      if (what === when) parser.stop();
    };
    const parser = createResponseParser({ head: say('head'), body: say('body'), end: say('end') });
    parser.begin(false);
    parser.push(latin1(`${CHUNKED}1\r\na\r\n1\r\nb\r\nzzz`));
    parser.push(latin1(`${CHUNKED}1\r\na\r\n0\r\n\r\n`));
    expect(told).toEqual(when === 'head' ? ['head'] : ['head', 'body']);
    expect(parser.close()).toBe(false);
  });

  it('reads the next answer after another', () => {
    const bodies: string[] = [];
    const parser = createResponseParser({ head: () => {}, body: (bytes) => bodies.push(bytes.toString()), end: () => bodies.push('.') });
    for (const wire of [`${CHUNKED}1\r\na\r\n0\r\nx: y\r\n\r\n`, `${CHUNKED}1\r\nb\r\n0\r\n\r\n`, `${OK}content-length: 1\r\n\r\nc`]) {
      parser.begin(false);
      parser.push(latin1(wire));
      parser.push(latin1('unasked'));
    }
    expect(bodies.join('')).toBe('a.b.c.');
  });
});
