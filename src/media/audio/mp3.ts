import { setImmediate } from 'node:timers/promises';

/** A tenth of a second at 24 kHz: about half a millisecond of work. */
const STEP_BYTES = 4800;
const KBIT = 64;

/** Samples as MP3, in small steps between which other calls run. The encoder is loaded with its first use. */
export async function* mp3Of(samples: AsyncIterable<Buffer>, sampleRate: number): AsyncGenerator<Buffer> {
  const { createMp3Encoder } = await import('wasm-media-encoders');
  const encoder = await createMp3Encoder();
  encoder.configure({ channels: 1, sampleRate, bitrate: KBIT });
  for await (const piece of samples) {
    for (let from = 0; from < piece.length; from += STEP_BYTES) {
      const step = piece.subarray(from, from + STEP_BYTES);
      const floats = new Float32Array(step.length / 2);
      for (let i = 0; i < floats.length; i++) floats[i] = step.readInt16LE(i * 2) / 32_768;
      // A view of the encoder's own memory, which its next step writes over.
      const bytes = Buffer.from(encoder.encode([floats]));
      if (bytes.length > 0) yield bytes;
      await setImmediate();
    }
  }
  const bytes = Buffer.from(encoder.finalize());
  if (bytes.length > 0) yield bytes;
}
