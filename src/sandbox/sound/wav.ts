/** The head of a WAV file of 16-bit samples, one channel. http://soundfile.sapp.org/doc/WaveFormat/ */
export function wavHead(sampleRate: number, dataBytes: number): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + dataBytes, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(sampleRate, 24);
  head.writeUInt32LE(sampleRate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(dataBytes, 40);
  return head;
}

/** What a WAV file holds. */
export interface Wav {
  readonly sampleRate: number;
  readonly channels: number;
  readonly bits: number;
  /** 1: whole numbers. */
  readonly coding: number;
  readonly data: Buffer;
}

/** Reads a WAV file; lengths that lie (streams write all ones) end with the file. */
export function readWav(bytes: Buffer): Wav | undefined {
  if (bytes.length < 20 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') return undefined;
  let format: Buffer | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const name = bytes.toString('latin1', at, at + 4);
    const length = bytes.readUInt32LE(at + 4);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (name === 'fmt ' && body.length >= 16) format = body;
    if (name === 'data') {
      if (!format) return undefined;
      const bits = format.readUInt16LE(14);
      return { coding: format.readUInt16LE(0), channels: format.readUInt16LE(2), sampleRate: format.readUInt32LE(4), bits, data: body };
    }
    at += 8 + length + (length & 1);
  }
  return undefined;
}

/** The samples of the first channel; `undefined` where they are not whole numbers of 16 bits. */
export function firstChannel({ coding, channels, bits, data }: Wav): Int16Array | undefined {
  // 0xfffe: the extensible form, whole numbers in nearly all files.
  if ((coding !== 1 && coding !== 0xfffe) || bits !== 16 || channels < 1) return undefined;
  const samples = new Int16Array(Math.floor(data.length / 2 / channels));
  for (let at = 0; at < samples.length; at++) samples[at] = data.readInt16LE(at * 2 * channels);
  return samples;
}
