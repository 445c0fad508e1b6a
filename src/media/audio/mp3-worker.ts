// A thread of its own: loading the encoder alone takes longer than the main loop may be held.
import { parentPort } from 'node:worker_threads';
import type { createMp3Encoder } from 'wasm-media-encoders';
import type { Mp3Answer, Mp3Job } from './mp3-job.ts';

type Encoder = Awaited<ReturnType<typeof createMp3Encoder>>;

const KBIT = 64;
const NOTHING = new Uint8Array(0);
const encoders = new Map<number, Encoder>();

/** A thread that was started anew knows nothing of sounds that an earlier one began. */
function encoderOf(stream: number): Encoder {
  const encoder = encoders.get(stream);
  if (!encoder) throw new Error('no such sound');
  return encoder;
}

async function begin(stream: number, sampleRate: number): Promise<Uint8Array> {
  const lib = await import('wasm-media-encoders');
  const encoder = await lib.createMp3Encoder();
  encoder.configure({ channels: 1, sampleRate, bitrate: KBIT });
  encoders.set(stream, encoder);
  return NOTHING;
}

function encode(stream: number, samples: Uint8Array): Uint8Array {
  const view = new DataView(samples.buffer, samples.byteOffset, samples.byteLength);
  const floats = new Float32Array(samples.byteLength / 2);
  for (let i = 0; i < floats.length; i++) floats[i] = view.getInt16(i * 2, true) / 32_768;
  // A view of the encoder's own memory, which its next step writes over.
  return Uint8Array.from(encoderOf(stream).encode([floats]));
}

function end(stream: number): Uint8Array {
  const bytes = Uint8Array.from(encoderOf(stream).finalize());
  encoders.delete(stream);
  return bytes;
}

async function perform(job: Mp3Job): Promise<Uint8Array> {
  switch (job.step) {
    case 'begin':
      return begin(job.stream, job.sampleRate);
    case 'encode':
      return encode(job.stream, job.samples);
    case 'end':
      return end(job.stream);
    case 'drop':
      encoders.delete(job.stream);
      return NOTHING;
  }
}

parentPort?.on('message', (job: Mp3Job) => {
  const { id } = job;
  const reply = (answer: Mp3Answer): void => parentPort?.postMessage(answer, []);
  perform(job).then(
    (bytes) => reply({ id, bytes }),
    () => reply({ id }),
  );
});
