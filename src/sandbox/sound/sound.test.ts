import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBitWriter } from '../film/bit-writer.ts';
import { readFlac } from './flac.ts';
import { findHidden, fromJson, type HiddenText } from './hidden-text.ts';
import { createMp3, id3Tag, readTag } from './mp3.ts';
import { soundFacts } from './sound-facts.ts';
import { beatsOf, lengthOf, SAMPLE_RATE, speak } from './speak.ts';
import { describeSound, transcribe, transcribeSamples } from './transcribe.ts';
import { firstChannel, readWav, wavHead } from './wav.ts';

const hidden = (text: string, more: Partial<HiddenText> = {}): HiddenText => ({ text, voice: 'alloy', speed: 1, ...more });

function join(...parts: readonly Int16Array[]): Int16Array {
  const all = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const said = (text: string, more: Partial<HiddenText> = {}): Int16Array => join(...speak(hidden(text, more)));
const bytesOf = (samples: Int16Array): Buffer => Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
const wavOf = (samples: Int16Array): Buffer => Buffer.concat([wavHead(SAMPLE_RATE, samples.length * 2), bytesOf(samples)]);
const textsIn = (samples: Int16Array): readonly string[] => findHidden(samples, lengthOf).map(({ text }) => text);

describe('what is hidden in a sound', () => {
  it('is found, whatever was said', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), fc.constantFrom(0.25, 1, 4), (text, speed) => {
        const samples = said(text, { speed });
        expect(samples.length).toBe(lengthOf(hidden(text, { speed })));
        expect(findHidden(samples, lengthOf)).toMatchObject([{ text, voice: 'alloy', speed, from: 0, to: samples.length }]);
      }),
      { numRuns: 60 },
    );
  });

  it('is found where a sound was cut or joined', () => {
    const first = said('Good morning to all of you.');
    const second = said('早上好。', { voice: 'onyx' });
    expect(textsIn(first.subarray(3001))).toEqual(['Good morning to all of you.']);
    expect(textsIn(first.subarray(0, first.length / 2))).toEqual(['Good morning to all of you.']);
    expect(textsIn(join(first, second, second, first))).toEqual([
      'Good morning to all of you.',
      '早上好。',
      '早上好。',
      'Good morning to all of you.',
    ]);
    expect(textsIn(join(new Int16Array(999), first, new Int16Array(5000), second))).toEqual(['Good morning to all of you.', '早上好。']);
  });

  it('is not found in other sounds, nor in a broken copy', () => {
    expect(textsIn(new Int16Array(100_000))).toEqual([]);
    expect(textsIn(new Int16Array(100_000).fill(-1))).toEqual([]);
    expect(textsIn(Int16Array.from({ length: 200_000 }, (_, at) => Math.imul(at, 0x9e37_79b1) >> 16))).toEqual([]);
    const broken = said('Hi').map((sample, at) => (at % 90 === 0 ? sample ^ 1 : sample));
    expect(textsIn(broken)).toEqual([]);
  });

  it('is not looked for without end where a sound is full of marks', () => {
    const head = Buffer.alloc(12);
    head.writeUInt32BE(0x5061_694c, 0);
    head.writeUInt32BE(60_000, 4);
    const samples = Int16Array.from({ length: 2_000_000 }, (_, at) => ((head[(at >> 3) % 12] ?? 0) >> (7 - (at & 7))) & 1);
    const began = performance.now();
    expect(textsIn(samples)).toEqual([]);
    // To look behind every mark would take minutes.
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it.each([
    '',
    '{}',
    '[]',
    '{"text":1,"voice":"a","speed":1}',
    '{"text":"a","voice":"a","speed":0}',
    '{"text":"a","voice":"a","speed":1e9}',
  ])('%j is none', (json) => expect(fromJson(json)).toBeUndefined());
});

describe('speech', () => {
  it('says words one after the other, waits at marks, and never clips', () => {
    const beats = beatsOf(hidden('One, two. 三四'));
    expect(beats.filter(({ sounding }) => sounding > 0).map(({ text }) => text)).toEqual(['One', 'two', '三', '四']);
    for (const [index, beat] of beats.entries()) expect(beat.from + beat.samples).toBe(beats[index + 1]?.from ?? beat.from + beat.samples);
    const loudest = said('Hello').reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    expect(loudest).toBeGreaterThan(5000);
    expect(loudest).toBeLessThan(20_000);
  });

  it('is higher for some voices than for others', () => {
    const crossings = (voice: string): number =>
      said('aaaaaaaaaa', { voice }).reduce((sum, sample, at, all) => sum + (sample >= 0 !== (all[at - 1] ?? 0) >= 0 ? 1 : 0), 0);
    expect(new Set(['alloy', 'onyx', 'nova', 'Kore', 'Puck'].map(crossings)).size).toBeGreaterThan(3);
  });
});

/** Writes bits of FLAC, and nothing that a reader does not look at is right. */
function packFlac(samples: Int16Array): Buffer {
  const out = createBitWriter();
  const signed = (value: number, bits: number): void => out.bits(value < 0 ? value + 2 ** bits : value, bits);
  const residual = (values: Iterable<number>): void => {
    // Rice codes with a parameter of 6, in one part.
    out.bits(0, 6);
    out.bits(6, 4);
    for (const value of values) {
      const folded = value < 0 ? -2 * value - 1 : 2 * value;
      for (let zeros = folded >> 6; zeros > 0; zeros--) out.bits(0, 1);
      out.bits(1, 1);
      out.bits(folded & 63, 6);
    }
  };
  const SIZE = 576;
  for (let at = 0, block = 0; at < samples.length; at += SIZE, block++) {
    const part = [...samples.subarray(at, at + SIZE)];
    // Sync, a fixed size; 16 bits of size; the rate of the file, one channel, 16 bits; number, size, checksum.
    out.bits(0xfff8, 16);
    out.bits(0x70, 8);
    out.bits(0b0000_1000, 8);
    out.bits(block % 128, 8);
    out.bits(part.length - 1, 16);
    out.bits(0, 8);
    const isConstant = part.every((sample) => sample === part[0]);
    const kind = isConstant ? 0 : (['bare', 'fixed', 'linear'] as const)[block % 3];
    out.bits(kind === 0 ? 0 : kind === 'bare' ? 2 : kind === 'fixed' ? 18 : 64, 8);
    if (kind === 0) signed(part[0] ?? 0, 16);
    else if (kind === 'bare') for (const sample of part) signed(sample, 16);
    else {
      signed(part[0] ?? 0, 16);
      if (kind === 'linear') {
        // One weight of 3/4: precision of 3 bits, a shift of 2.
        out.bits(2, 4);
        out.bits(2, 5);
        out.bits(3, 3);
      }
      residual(
        part.slice(1).map((sample, index) => sample - (kind === 'fixed' ? (part[index] ?? 0) : Math.floor((3 * (part[index] ?? 0)) / 4))),
      );
    }
    out.align();
    out.bits(0, 16);
  }
  const head = Buffer.alloc(42);
  head.write('fLaC', 'latin1');
  head.writeUInt8(0x80, 4);
  head.writeUIntBE(34, 5, 3);
  head.writeUIntBE(SAMPLE_RATE << 4, 18, 3);
  head.writeUInt8(0xf0, 21);
  head.writeUInt32BE(samples.length, 22);
  // The writer closes with a byte of its own.
  return Buffer.concat([head, out.end().subarray(0, -1)]);
}

describe('files', () => {
  it('WAV comes back, whatever its lengths say', () => {
    const samples = said('Hi');
    const wav = wavOf(samples);
    expect(readWav(wav)).toMatchObject({ sampleRate: 24_000, channels: 1, bits: 16, coding: 1 });
    wav.writeUInt32LE(0xffff_ffff, 40);
    wav.writeUInt32LE(0, 4);
    const read = readWav(wav);
    expect(read && firstChannel(read)).toEqual(samples);
    expect(transcribe(wav)?.text).toBe('Hi');
    expect(transcribeSamples(bytesOf(samples))?.text).toBe('Hi');
    expect(transcribeSamples(Buffer.from('not a sound'))).toBeUndefined();
  });

  it('WAV with another chunk first, and in stereo, is read too', () => {
    const samples = said('Hi');
    const list = Buffer.concat([Buffer.from('LIST\x03\0\0\0abc\0', 'latin1')]);
    const plain = wavOf(samples);
    expect(transcribe(Buffer.concat([plain.subarray(0, 12), list, plain.subarray(12)]))?.text).toBe('Hi');
    const stereo = Buffer.concat([
      wavHead(SAMPLE_RATE, samples.length * 4),
      bytesOf(Int16Array.from({ length: samples.length * 2 }, (_, at) => samples[at >> 1] ?? 0)),
    ]);
    stereo.writeUInt16LE(2, 22);
    expect(transcribe(stereo)).toMatchObject({ text: 'Hi', seconds: samples.length / SAMPLE_RATE });
  });

  it('MP3 has its text in its tag and its frames behind it', async () => {
    const spoken = hidden('你好 there');
    const encoder = await createMp3();
    const mp3 = Buffer.concat([id3Tag(spoken), ...[...speak(spoken)].map((samples) => encoder.encode(samples)), encoder.end()]);
    expect(readTag(mp3)).toEqual(spoken);
    const facts = soundFacts(mp3);
    expect(facts).toMatchObject({ format: 'MP3', sampleRate: 24_000, channels: 1 });
    expect(facts?.seconds).toBeCloseTo(lengthOf(spoken) / SAMPLE_RATE, 0);
    expect(transcribe(mp3)?.text).toBe('你好 there');
    expect(transcribe(mp3.subarray(id3Tag(spoken).length))?.text).toMatch(/^A sound without words of the sandbox \(MP3, /);
  });

  it('FLAC is unpacked: bare, constant and predicted blocks', () => {
    const samples = said('Hi');
    const packed = packFlac(samples);
    expect(readFlac(packed)).toEqual(samples);
    expect(transcribe(packed)?.text).toBe('Hi');
    expect(readFlac(packFlac(new Int16Array(600)))).toEqual(new Int16Array(600));
    expect(readFlac(packed.subarray(0, packed.length - 5))?.length).toBeLessThan(samples.length);
    const stereo = Buffer.from(packed);
    stereo.writeUInt8(stereo.readUInt8(20) | 2, 20);
    expect(readFlac(stereo)).toBeUndefined();
  });

  const flac = Buffer.alloc(42);
  flac.write('fLaC', 'latin1');
  flac.writeUIntBE((44_100 << 4) | (1 << 1), 18, 3);
  flac.writeUInt32BE(88_200, 22);
  const ogg = Buffer.alloc(80);
  ogg.write('OggS', 0, 'latin1');
  ogg.write('OpusHead\x01\x02', 28, 'latin1');
  ogg.write('OggS', 60, 'latin1');
  ogg.writeBigUInt64LE(96_000n, 66);
  const mp4 = Buffer.alloc(60);
  mp4.write('ftypM4A ', 4, 'latin1');
  mp4.write('mvhd', 16, 'latin1');
  mp4.writeUInt32BE(1000, 32);
  mp4.writeUInt32BE(2500, 36);
  const webm = Buffer.alloc(40);
  webm.writeUInt32BE(0x1a45_dfa3, 0);
  webm.set([0x44, 0x89, 0x84], 20);
  webm.writeFloatBE(1500, 23);

  it.each([
    ['FLAC', flac, { format: 'FLAC', sampleRate: 44_100, channels: 2, seconds: 2 }],
    ['a FLAC stream', Buffer.concat([flac.subarray(0, 22), Buffer.alloc(20)]), { format: 'FLAC', sampleRate: 44_100, channels: 2 }],
    ['Ogg', ogg, { format: 'Ogg', sampleRate: 48_000, channels: 2, seconds: 2 }],
    ['MP4', mp4, { format: 'MP4', seconds: 2.5 }],
    ['WebM', webm, { format: 'WebM', seconds: 1.5 }],
    ['AAC', Buffer.from('fff15080037ffc', 'hex'), { format: 'AAC' }],
    ['a WAV file without samples', Buffer.from('RIFF\0\0\0\0WAVE', 'latin1'), { format: 'WAV' }],
    ['a FLAC file that is cut', Buffer.from('fLaC'), { format: 'FLAC' }],
    ['an Ogg file that is cut', Buffer.from('OggS'), { format: 'Ogg' }],
    ['an MP4 file that is cut', Buffer.from('\0\0\0\x18ftyp', 'latin1'), { format: 'MP4' }],
  ])('%s says what it is', (_, bytes, facts) => expect(soundFacts(bytes)).toEqual(facts));

  it.each(['', 'RIFX', 'hello there, I am a text', '\x89PNG\r\n\x1a\n', '%PDF-1.7', '\xff\xfb', '\xff\xd8\xff\xe0'])(
    '%j is no sound',
    (text) => expect(soundFacts(Buffer.from(text, 'latin1'))).toBeUndefined(),
  );

  it('no bytes do harm', () => {
    const heads = [packFlac(said('Hi')).subarray(0, 400), flac, ogg, mp4, webm, wavOf(said('Hi')).subarray(0, 200), id3Tag(hidden('x'))];
    fc.assert(
      fc.property(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 60 }), fc.nat(60), (head, noise, at) => {
        const bytes = Buffer.from(head);
        bytes.set(noise.subarray(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length));
        const facts = soundFacts(bytes);
        if (facts) expect(describeSound(facts, bytes.length)).not.toContain('NaN');
        transcribe(bytes);
        transcribe(bytes.subarray(0, at));
      }),
      { numRuns: 300 },
    );
  });
});
