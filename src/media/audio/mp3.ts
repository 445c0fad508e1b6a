import { Worker } from 'node:worker_threads';
import { GatewayError, gatewayFault } from '../../ir/index.ts';
import type { Mp3Answer, Mp3Job } from './mp3-job.ts';

/** A second at 24 kHz: a few milliseconds of work. */
const STEP_BYTES = 48_000;

const broken = (): GatewayError =>
  new GatewayError(gatewayFault('internal', 'The audio could not be encoded', { code: 'encoding_failed' }));

const isBuilt = import.meta.url.endsWith('.js');

interface Waiting {
  resolve(bytes: Buffer): void;
  reject(error: Error): void;
}

type Step = Mp3Job extends infer Job ? (Job extends Mp3Job ? Omit<Job, 'id'> : never) : never;

/** One thread for all sounds, started by the first and kept from then on; it never keeps the process alive. */
let thread: Worker | undefined;
let jobs = 0;
let streams = 0;
const waiting = new Map<number, Waiting>();

function startThread(): Worker {
  const fresh = new Worker(isBuilt ? new URL('./mp3-worker.js', import.meta.url) : new URL('./mp3-worker.ts', import.meta.url));
  fresh.unref();
  fresh.on('message', ({ id, bytes }: Mp3Answer) => {
    if (bytes) waiting.get(id)?.resolve(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    else waiting.get(id)?.reject(broken());
    waiting.delete(id);
  });
  const lost = (): void => {
    if (thread !== fresh) return;
    thread = undefined;
    for (const one of waiting.values()) one.reject(broken());
    waiting.clear();
  };
  fresh.on('error', lost);
  fresh.on('exit', lost);
  return fresh;
}

function ask(step: Step): Promise<Buffer> {
  thread ??= startThread();
  const id = ++jobs;
  const asked = new Promise<Buffer>((resolve, reject) => waiting.set(id, { resolve, reject }));
  thread.postMessage({ ...step, id }, []);
  return asked;
}

/** Samples as MP3, as they come, encoded beside the main loop. The encoder is loaded with its first use. */
export async function* mp3Of(samples: AsyncIterable<Buffer>, sampleRate: number): AsyncGenerator<Buffer> {
  const stream = ++streams;
  let isOver = false;
  await ask({ stream, step: 'begin', sampleRate });
  try {
    for await (const piece of samples) {
      for (let from = 0; from < piece.length; from += STEP_BYTES) {
        // A copy: a view would take all that it looks into along to the other thread.
        const bytes = await ask({ stream, step: 'encode', samples: new Uint8Array(piece.subarray(from, from + STEP_BYTES)) });
        if (bytes.length > 0) yield bytes;
      }
    }
    isOver = true;
    const rest = await ask({ stream, step: 'end' });
    if (rest.length > 0) yield rest;
  } finally {
    if (!isOver) ask({ stream, step: 'drop' }).catch(() => undefined);
  }
}
