import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { GatewayError, gatewayFault } from '../../ir/index.ts';
import type { AudioFormat, Sound } from './formats.ts';

/** How each format is asked for. https://ffmpeg.org/ffmpeg-formats.html */
const OUTPUT: Readonly<Record<AudioFormat, readonly string[]>> = {
  mp3: ['-c:a', 'libmp3lame', '-f', 'mp3'],
  opus: ['-c:a', 'libopus', '-f', 'ogg'],
  aac: ['-c:a', 'aac', '-f', 'adts'],
  flac: ['-c:a', 'flac', '-f', 'flac'],
  wav: ['-c:a', 'pcm_s16le', '-f', 'wav'],
  pcm: ['-c:a', 'pcm_s16le', '-ar', '24000', '-ac', '1', '-f', 's16le'],
};

/** Programs that run at once; more callers are told to come again. */
const MAX_RUNNING = 16;
let running = 0;

function lookFor(path: string): string | undefined {
  const name = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** How long what was found is true. */
const LOOK_AGAIN_MS = 10_000;
let known: { readonly path: string; readonly until: number; readonly program: string | undefined } | undefined;

/** The program, where it is on the PATH. It is looked for again after some seconds: a PATH has many folders, and each is a wait. */
export function findFfmpeg(path = process.env['PATH'] ?? ''): string | undefined {
  const now = performance.now();
  if (known?.path !== path || known.until < now) known = { path, until: now + LOOK_AGAIN_MS, program: lookFor(path) };
  return known.program;
}

const broken = (): GatewayError =>
  new GatewayError(
    gatewayFault('upstream', 'The audio that came could not be put into the format that was asked for', { code: 'encoding_failed' }),
  );

/** Writes as fast as the program reads. Gives what went wrong on the way in. */
async function feed({ stdin }: ChildProcess, source: AsyncIterable<Buffer>): Promise<void> {
  if (!stdin) return;
  // It may close its input before all was written: its exit code says why.
  stdin.on('error', () => {});
  try {
    for await (const piece of source) {
      if (stdin.destroyed) return;
      if (!stdin.write(piece)) {
        await new Promise<void>((resolve) => {
          stdin.once('drain', resolve);
          stdin.once('close', resolve);
        });
      }
    }
  } finally {
    stdin.end();
  }
}

/** Where its libraries are, and nothing else of ours: keys of providers are in the environment. */
const onlyLibraries = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    ['LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'SystemRoot'].flatMap((name) =>
      process.env[name] === undefined ? [] : [[name, process.env[name]]],
    ),
  );

/** A sound in another format by `ffmpeg`, as it comes. */
export async function* byFfmpeg(program: string, source: AsyncIterable<Buffer>, from: Sound, to: AudioFormat): AsyncGenerator<Buffer> {
  if (running >= MAX_RUNNING) {
    throw new GatewayError(gatewayFault('overloaded', 'Too much audio is being encoded. Try again shortly', { retryAfterMs: 1000 }));
  }
  const input = from.format === 'pcm' ? ['-f', 's16le', '-ar', String(from.sampleRate), '-ac', '1'] : [];
  // Only the pipe: a playlist for an input must not open anything.
  const child = spawn(
    program,
    [
      '-hide_banner',
      '-loglevel',
      'error',
      '-protocol_whitelist',
      'pipe',
      ...input,
      '-i',
      'pipe:0',
      '-vn',
      ...OUTPUT[to],
      '-flush_packets',
      '1',
      'pipe:1',
    ],
    { stdio: ['pipe', 'pipe', 'ignore'], env: onlyLibraries() },
  );
  running++;
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
  let wrong: { readonly error: unknown } | undefined;
  const fed = feed(child, source).catch((error: unknown) => {
    wrong = { error };
    child.kill('SIGKILL');
  });
  try {
    for await (const piece of child.stdout) yield piece as Buffer;
    const code = await ended;
    await fed;
    if (wrong) throw wrong.error;
    if (code !== 0) throw broken();
  } finally {
    running--;
    child.kill('SIGKILL');
  }
}
