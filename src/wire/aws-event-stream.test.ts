import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventStreamReader } from './aws-event-stream.ts';
import type { SseFrame } from './sse.ts';

// AWS's own writer makes what we read.
const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString('utf8'),
  (text) => Buffer.from(text),
);

type Headers = Record<string, string>;

const message = (headers: Headers, payload: string): Buffer =>
  Buffer.from(
    codec.encode({
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, { type: 'string' as const, value }])),
      body: Buffer.from(payload),
    }),
  );

const event = (type: string, payload: object): Buffer =>
  message({ ':message-type': 'event', ':event-type': type, ':content-type': 'application/json' }, JSON.stringify(payload));

function read(pieces: readonly Buffer[], max?: number): SseFrame[] {
  const frames: SseFrame[] = [];
  const reader = createEventStreamReader(max);
  for (const piece of pieces) reader.push(piece, (frame) => frames.push(frame));
  reader.end((frame) => frames.push(frame));
  return frames;
}

const STREAM = Buffer.concat([
  event('messageStart', { role: 'assistant' }),
  event('contentBlockDelta', { delta: { text: '牌楼 🏮' }, contentBlockIndex: 0 }),
  event('messageStop', { stopReason: 'end_turn' }),
]);
const FRAMES: readonly SseFrame[] = [
  { event: 'messageStart', data: '{"role":"assistant"}' },
  { event: 'contentBlockDelta', data: '{"delta":{"text":"牌楼 🏮"},"contentBlockIndex":0}' },
  { event: 'messageStop', data: '{"stopReason":"end_turn"}' },
];

describe('AWS event stream', () => {
  it('gives the event type and the payload of each message', () => expect(read([STREAM])).toEqual(FRAMES));

  it('does not care where the bytes are cut in two', () => {
    for (let at = 0; at <= STREAM.length; at++) expect(read([STREAM.subarray(0, at), STREAM.subarray(at)])).toEqual(FRAMES);
  });

  it('does not care into how many pieces the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: STREAM.length }), { maxLength: 20 }), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), STREAM.length];
        expect(read(at.slice(1).map((to, index) => STREAM.subarray(at[index], to)))).toEqual(FRAMES);
      }),
    );
  });

  it.each([
    {
      name: 'a modelled exception',
      bytes: message({ ':message-type': 'exception', ':exception-type': 'throttlingException' }, '{"message":"Too many tokens"}'),
      error: { type: 'throttlingException', message: 'Too many tokens' },
    },
    {
      name: 'an error that is not modelled',
      bytes: message({ ':message-type': 'error', ':error-code': 'InternalError', ':error-message': 'Out of luck' }, ''),
      error: { type: 'InternalError', message: 'Out of luck' },
    },
  ])('tells $name as an exception', ({ bytes, error }) => {
    expect(read([bytes])).toEqual([{ event: 'exception', data: JSON.stringify({ type: 'error', error }) }]);
  });

  it('reads past headers that are not strings', () => {
    const bytes = codec.encode({
      headers: {
        flag: { type: 'boolean', value: true },
        small: { type: 'byte', value: 3 },
        short: { type: 'short', value: 300 },
        number: { type: 'integer', value: 7 },
        blob: { type: 'binary', value: Buffer.from([1, 2, 3]) },
        when: { type: 'timestamp', value: new Date(0) },
        id: { type: 'uuid', value: '01234567-89ab-cdef-0123-456789abcdef' },
        ':event-type': { type: 'string', value: 'metadata' },
      },
      body: Buffer.from('{}'),
    });
    expect(read([Buffer.from(bytes)])).toEqual([{ event: 'metadata', data: '{}' }]);
  });

  it('drops a last message of which a part is missing', () =>
    expect(read([STREAM.subarray(0, STREAM.length - 1)])).toEqual(FRAMES.slice(0, 2)));

  it.each([
    { name: 'a length', at: 3 },
    { name: 'the checksum of the lengths', at: 9 },
    { name: 'a header', at: 20 },
    { name: 'the payload', at: event('messageStart', {}).length - 6 },
    { name: 'the checksum of it all', at: event('messageStart', {}).length - 1 },
  ])('refuses a message in which $name has changed', ({ at }) => {
    const bytes = Buffer.from(event('messageStart', {}));
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    // A length that grew is waited for, unless its own checksum tells.
    expect(() => read([bytes])).toThrow('damaged');
  });

  it('refuses a message that is too long before it has come', () => {
    expect(() => read([event('messageStart', { text: 'x'.repeat(100) }).subarray(0, 12)], 100)).toThrow('damaged');
  });

  it('refuses bytes that are something else', () => expect(() => read([Buffer.from('HTTP/1.1 200 OK\r\n\r\n')])).toThrow('damaged'));

  it('holds of a message that has not all come no more than has come of it', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const held = (): number => {
      collect();
      return process.memoryUsage().arrayBuffers;
    };
    const many = 200;
    const long = event('contentBlockDelta', { delta: { text: 'a'.repeat(16_000) } });
    const before = held();
    const readers = Array.from({ length: many }, () => {
      const reader = createEventStreamReader();
      reader.push(Buffer.concat([long, STREAM.subarray(0, 20)]), () => {});
      return reader;
    });
    // What a collection frees is swept by another thread: it shows a little later.
    await expect.poll(() => (held() - before) / readers.length, { timeout: 10_000 }).toBeLessThan(1024);
    expect(readers).toHaveLength(many);
  });
});
