import { afterTag } from './mp3.ts';
import { readWav } from './wav.ts';

/** What the bytes of a sound say of themselves. */
export interface SoundFacts {
  readonly format: 'WAV' | 'MP3' | 'FLAC' | 'Ogg' | 'MP4' | 'WebM' | 'AAC';
  readonly seconds?: number;
  readonly sampleRate?: number;
  readonly channels?: number;
}

const latin = (bytes: Buffer, from: number, to: number): string => bytes.toString('latin1', from, to);

function wav(bytes: Buffer): SoundFacts {
  const read = readWav(bytes);
  if (!read || read.sampleRate === 0 || read.channels === 0 || read.bits < 8) return { format: 'WAV' };
  const { sampleRate, channels, bits, data } = read;
  return { format: 'WAV', sampleRate, channels, seconds: data.length / (sampleRate * channels * (bits >> 3)) };
}

/** What was written as a stream says 0 samples. https://www.rfc-editor.org/rfc/rfc9639#name-streaminfo */
function flac(bytes: Buffer): SoundFacts {
  if (bytes.length < 26) return { format: 'FLAC' };
  const sampleRate = bytes.readUIntBE(18, 3) >> 4;
  const channels = ((bytes.readUInt8(20) >> 1) & 7) + 1;
  const samples = (bytes.readUInt8(21) & 0x0f) * 2 ** 32 + bytes.readUInt32BE(22);
  return {
    format: 'FLAC',
    channels,
    ...(sampleRate > 0 ? { sampleRate } : {}),
    ...(sampleRate > 0 && samples > 0 ? { seconds: samples / sampleRate } : {}),
  };
}

/** The position of the last page, by the rate of the codec. https://www.rfc-editor.org/rfc/rfc3533 */
function ogg(bytes: Buffer): SoundFacts {
  const opus = bytes.indexOf('OpusHead', 0, 'latin1');
  const vorbis = bytes.indexOf('\x01vorbis', 0, 'latin1');
  const last = bytes.lastIndexOf('OggS', undefined, 'latin1');
  const head = opus >= 0 ? opus : vorbis;
  if (head < 0 || head + 16 > bytes.length || last < 0 || last + 14 > bytes.length) return { format: 'Ogg' };
  // Opus counts positions at 48 kHz, whatever was recorded.
  const sampleRate = opus >= 0 ? 48_000 : bytes.readUInt32LE(vorbis + 12);
  const channels = bytes.readUInt8(opus >= 0 ? opus + 9 : vorbis + 11);
  const position = Number(bytes.readBigUInt64LE(last + 6));
  const seconds = sampleRate > 0 ? position / sampleRate : undefined;
  return { format: 'Ogg', channels, sampleRate, ...(seconds !== undefined && seconds < 1e6 ? { seconds } : {}) };
}

/** The film's own length in its header. ISO/IEC 14496-12 §8.2.2 */
function mp4(bytes: Buffer): SoundFacts {
  const at = bytes.indexOf('mvhd', 0, 'latin1');
  if (at < 0 || at + 36 > bytes.length) return { format: 'MP4' };
  const isLong = bytes.readUInt8(at + 4) === 1;
  const scale = bytes.readUInt32BE(at + (isLong ? 24 : 16));
  const length = isLong ? Number(bytes.readBigUInt64BE(at + 28)) : bytes.readUInt32BE(at + 20);
  return { format: 'MP4', ...(scale > 0 ? { seconds: length / scale } : {}) };
}

/** Matroska's `Duration`, in milliseconds unless the file says otherwise. https://www.rfc-editor.org/rfc/rfc9559#section-5.1.2.11 */
function webm(bytes: Buffer): SoundFacts {
  const at = bytes.subarray(0, 4096).indexOf(Buffer.from([0x44, 0x89]));
  const size = at >= 0 ? bytes[at + 2] : undefined;
  if ((size !== 0x84 && size !== 0x88) || at + 11 > bytes.length) return { format: 'WebM' };
  const ms = size === 0x84 ? bytes.readFloatBE(at + 3) : bytes.readDoubleBE(at + 3);
  return { format: 'WebM', ...(ms > 0 && ms < 1e9 ? { seconds: ms / 1000 } : {}) };
}

const MP3_RATES: readonly (readonly [number, number, number] | undefined)[] = [
  [11_025, 12_000, 8000],
  undefined,
  [22_050, 24_000, 16_000],
  [44_100, 48_000, 32_000],
];
const MPEG1_KBITS = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const MPEG2_KBITS = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

interface Mp3Frame {
  readonly bytes: number;
  readonly samples: number;
  readonly sampleRate: number;
  readonly channels: number;
}

/** The head of one frame of layer III. http://www.mp3-tech.org/programmer/frame_header.html */
function mp3Frame(bytes: Buffer, at: number): Mp3Frame | undefined {
  if (at + 4 > bytes.length) return undefined;
  const head = bytes.readUInt32BE(at);
  const version = (head >>> 19) & 3;
  if (head >>> 21 !== 0x7ff || ((head >>> 17) & 3) !== 1) return undefined;
  const sampleRate = MP3_RATES[version]?.[((head >>> 10) & 3) as 0];
  const kbits = (version === 3 ? MPEG1_KBITS : MPEG2_KBITS)[(head >>> 12) & 15];
  if (sampleRate === undefined || !kbits) return undefined;
  const samples = version === 3 ? 1152 : 576;
  const size = Math.floor(((samples / 8) * kbits * 1000) / sampleRate) + ((head >>> 9) & 1);
  return { bytes: size, samples, sampleRate, channels: ((head >>> 6) & 3) === 3 ? 1 : 2 };
}

function mp3(bytes: Buffer): SoundFacts | undefined {
  let at = afterTag(bytes);
  const first = mp3Frame(bytes, at);
  if (!first) return latin(bytes, 0, 3) === 'ID3' ? { format: 'MP3' } : undefined;
  // Two bytes of a frame's head may stand anywhere: what follows the first frame, if anything does, must be one too.
  const next = at + first.bytes;
  if (next < bytes.length && !mp3Frame(bytes, next) && latin(bytes, next, next + 3) !== 'TAG') return undefined;
  let samples = 0;
  for (let frame: Mp3Frame | undefined = first; frame; frame = mp3Frame(bytes, at)) {
    samples += frame.samples;
    at += frame.bytes;
  }
  return { format: 'MP3', sampleRate: first.sampleRate, channels: first.channels, seconds: samples / first.sampleRate };
}

const isAdts = (bytes: Buffer): boolean => bytes.length >= 7 && bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xf6) === 0xf0;

/** Tells what a sound is by its bytes; `undefined` when they are no sound that is known here. */
export function soundFacts(bytes: Buffer): SoundFacts | undefined {
  const head = latin(bytes, 0, 4);
  if (head === 'RIFF' && latin(bytes, 8, 12) === 'WAVE') return wav(bytes);
  if (head === 'fLaC') return flac(bytes);
  if (head === 'OggS') return ogg(bytes);
  if (latin(bytes, 4, 8) === 'ftyp') return mp4(bytes);
  if (bytes.length > 16 && bytes.readUInt32BE(0) === 0x1a45_dfa3) return webm(bytes);
  return isAdts(bytes) ? { format: 'AAC' } : mp3(bytes);
}
