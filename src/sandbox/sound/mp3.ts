import { fromJson, type HiddenText } from './hidden-text.ts';
import { SAMPLE_RATE } from './speak.ts';

/** Where the text stands in the tag before the sound. */
const DESCRIPTION = 'pailou-sandbox';

/** Four bytes of seven bits. https://id3.org/id3v2.4.0-structure §6.2 */
const synchsafe = (value: number): readonly number[] => [21, 14, 7, 0].map((shift) => (value >> shift) & 0x7f);
const fromSynchsafe = (bytes: Buffer): number => bytes.reduce((sum, byte) => (sum << 7) | (byte & 0x7f), 0);

/** An ID3v2.4 tag with one frame that holds what is said, as UTF-8. */
export function id3Tag({ text, voice, speed }: HiddenText): Buffer {
  const body = Buffer.concat([
    Buffer.from([3]),
    Buffer.from(`${DESCRIPTION}\0`, 'latin1'),
    Buffer.from(JSON.stringify({ text, voice, speed })),
  ]);
  const frame = Buffer.concat([Buffer.from('TXXX', 'latin1'), Buffer.from([...synchsafe(body.length), 0, 0]), body]);
  return Buffer.concat([Buffer.from('ID3\x04\x00\x00', 'latin1'), Buffer.from(synchsafe(frame.length)), frame]);
}

/** Where the sound begins: after the tag, where there is one. */
export const afterTag = (bytes: Buffer): number =>
  bytes.length >= 10 && bytes.toString('latin1', 0, 3) === 'ID3' ? 10 + fromSynchsafe(bytes.subarray(6, 10)) : 0;

/** What such a tag says of what is said; `undefined` where it is another's. */
export function readTag(bytes: Buffer): HiddenText | undefined {
  const tag = bytes.subarray(0, afterTag(bytes));
  const mark = Buffer.from(`\x03${DESCRIPTION}\0`, 'latin1');
  const at = tag.indexOf(mark);
  if (at < 10) return undefined;
  const length = fromSynchsafe(tag.subarray(at - 6, at - 2));
  return fromJson(tag.toString('utf8', at + mark.length, at + length));
}

/** Makes MP3 of samples, piece by piece. */
export interface Mp3Encoder {
  encode(samples: Int16Array): Buffer;
  end(): Buffer;
}

/** An encoder of its own for one sound; the library comes when it is first needed. */
export async function createMp3(): Promise<Mp3Encoder> {
  const { createMp3Encoder } = await import('wasm-media-encoders');
  const encoder = await createMp3Encoder();
  encoder.configure({ sampleRate: SAMPLE_RATE, channels: 1, bitrate: 48, outputSampleRate: SAMPLE_RATE });
  // What it gives is its own memory, which the next call writes over.
  return {
    encode: (samples) => Buffer.from(encoder.encode([Float32Array.from(samples, (sample) => sample / 32_768)])),
    end: () => Buffer.from(encoder.finalize()),
  };
}
