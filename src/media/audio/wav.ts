import { GatewayError, gatewayFault } from '../../ir/index.ts';

const HEADER_BYTES = 44;
/** What a length is where it is not known yet: players read to the end. */
const UNKNOWN = 0xffff_ffff;

/** The header of a WAV file of raw samples; without `bytes` one whose length is not known. http://soundfile.sapp.org/doc/WaveFormat/ */
export function wavHeader(sampleRate: number, bytes?: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(bytes === undefined ? UNKNOWN : bytes + HEADER_BYTES - 8, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(bytes ?? UNKNOWN, 40);
  return header;
}

/** What a WAV file's header says, and where its samples begin. */
interface WavFacts {
  readonly channels: number;
  readonly sampleRate: number;
  readonly bits: number;
  /** 1: linear samples. */
  readonly encoding: number;
  /** Where the samples begin. */
  readonly start: number;
  /** How many bytes of samples there are, where the header knows. */
  readonly bytes?: number;
}

/** Chunks before the samples that are looked through: comments, cue lists. */
const MAX_HEADER_BYTES = 256 * 1024;

const unreadable = (): GatewayError =>
  new GatewayError(gatewayFault('upstream', 'The audio is not a WAV file of 16-bit samples', { code: 'upstream_malformed' }));

/** Reads a header as far as it has come; `undefined`: more is needed. Throws where the bytes are no WAV. */
function readWavHeader(bytes: Buffer): WavFacts | undefined {
  if (bytes.length < 12) return undefined;
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') throw unreadable();
  let format: Omit<WavFacts, 'start'> | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const name = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const body = at + 8;
    if (name === 'data') {
      if (!format) throw unreadable();
      return { ...format, start: body, ...(size === UNKNOWN || size === 0 ? {} : { bytes: size }) };
    }
    if (size > MAX_HEADER_BYTES) throw unreadable();
    if (name === 'fmt ') {
      if (body + 16 > bytes.length) return undefined;
      format = {
        encoding: bytes.readUInt16LE(body),
        channels: bytes.readUInt16LE(body + 2),
        sampleRate: bytes.readUInt32LE(body + 4),
        bits: bytes.readUInt16LE(body + 14),
      };
    }
    at = body + size + (size % 2);
  }
  if (bytes.length > MAX_HEADER_BYTES) throw unreadable();
  return undefined;
}

/** Two channels made one: each pair of samples becomes its mean. */
function toMono(samples: Buffer): Buffer {
  const out = Buffer.allocUnsafe(samples.length / 2);
  for (let at = 0; at < out.length; at += 2) out.writeInt16LE((samples.readInt16LE(at * 2) + samples.readInt16LE(at * 2 + 2)) >> 1, at);
  return out;
}

/** The samples of a WAV file as it comes, one channel; `onRate` is told their rate before the first. */
export async function* samplesOfWav(source: AsyncIterable<Buffer>, onRate: (sampleRate: number) => void): AsyncGenerator<Buffer> {
  let facts: WavFacts | undefined;
  let held: Buffer = Buffer.alloc(0);
  let left = Infinity;
  for await (const piece of source) {
    held = held.length === 0 ? piece : Buffer.concat([held, piece]);
    if (!facts) {
      facts = readWavHeader(held);
      if (!facts) continue;
      // 0xfffe: the extensible form, whose samples are linear in all that speech services send.
      if ((facts.encoding !== 1 && facts.encoding !== 0xfffe) || facts.bits !== 16 || facts.channels < 1 || facts.channels > 2) {
        throw unreadable();
      }
      onRate(facts.sampleRate);
      left = facts.bytes ?? Infinity;
      held = held.subarray(facts.start);
    }
    const frame = facts.channels * 2;
    const taken = Math.min(held.length - (held.length % frame), left - (left % frame || 0));
    if (taken <= 0) continue;
    const samples = held.subarray(0, taken);
    left -= taken;
    held = held.subarray(taken);
    yield facts.channels === 1 ? samples : toMono(samples);
    if (left <= 0) return;
  }
  if (!facts) throw unreadable();
}
