import { badField, type GatewayError } from '../../ir/index.ts';
import { byFfmpeg } from './ffmpeg.ts';
import { AUDIO_FORMATS, type AudioFormat, PCM_RATE, type Sound } from './formats.ts';
import { mp3Of } from './mp3.ts';
import { resampled, wholeSamples } from './samples.ts';
import { samplesOfWav, wavHeader } from './wav.ts';

/** What can be made of samples without any program. */
const ALWAYS: ReadonlySet<AudioFormat> = new Set(['wav', 'pcm', 'mp3'] as const);
/** What to ask a provider for where it has not what was wanted, the best to go on from first. */
const SOURCES: readonly AudioFormat[] = ['pcm', 'wav', 'flac', 'mp3', 'opus', 'aac'];

/** https://www.iso.org/standard/22412.html and its predecessor */
const MP3_RATES: ReadonlySet<number> = new Set([8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]);

const isSamples = (format: AudioFormat): boolean => format === 'pcm' || format === 'wav';

const canMake = (from: AudioFormat, to: AudioFormat, ffmpeg: string | undefined): boolean =>
  from === to || ffmpeg !== undefined || (isSamples(from) && ALWAYS.has(to));

/**
 * The format to ask a provider for that has these, so that `wanted` comes out. Throws the 400 that lists what can be had.
 */
export function sourceFormat(wanted: AudioFormat, native: readonly AudioFormat[], ffmpeg: string | undefined): AudioFormat {
  if (native.includes(wanted)) return wanted;
  const source = SOURCES.find((format) => native.includes(format) && canMake(format, wanted, ffmpeg));
  if (source) return source;
  throw cannotMake(wanted, native, ffmpeg);
}

function cannotMake(wanted: AudioFormat, native: readonly AudioFormat[], ffmpeg: string | undefined): GatewayError {
  const able = AUDIO_FORMATS.filter((to) => native.some((from) => canMake(from, to, ffmpeg)));
  const hint = ffmpeg === undefined ? '. The others need ffmpeg on the PATH of the server' : '';
  return badField(
    'response_format',
    `Invalid request: 'response_format' ${wanted} cannot be made of what this model gives. It can be: ${able.join(', ')}${hint}`,
    'unsupported_format',
  );
}

async function* withFirst(first: IteratorResult<Buffer>, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (first.done !== true) yield first.value;
  yield* rest;
}

/** Samples of either form, with their rate known once the first have come. */
async function samplesOf(source: AsyncIterable<Buffer>, from: Sound): Promise<{ rate: number; samples: AsyncIterable<Buffer> }> {
  if (from.format !== 'wav') return { rate: from.sampleRate, samples: wholeSamples(source) };
  let rate = PCM_RATE;
  const samples = samplesOfWav(source, (sampleRate) => (rate = sampleRate));
  const first = await samples.next();
  return { rate, samples: withFirst(first, samples) };
}

async function* withHeader(samples: AsyncIterable<Buffer>, rate: number, bytes: number | undefined): AsyncGenerator<Buffer> {
  let begun = false;
  for await (const piece of samples) {
    if (!begun) yield wavHeader(rate, bytes);
    begun = true;
    yield piece;
  }
}

/** A sound in another format, as it comes; `sourceFormat` has said that it can be made. */
export async function* converted(
  source: AsyncIterable<Buffer>,
  from: Sound,
  to: AudioFormat,
  ffmpeg: string | undefined,
): AsyncGenerator<Buffer> {
  const isSame = from.format === to && (to !== 'pcm' || from.sampleRate === PCM_RATE);
  if (isSame) return yield* source;
  if (!isSamples(from.format) || !ALWAYS.has(to)) {
    if (ffmpeg === undefined) throw cannotMake(to, [from.format], ffmpeg);
    return yield* byFfmpeg(ffmpeg, source, from, to);
  }
  const { rate, samples } = await samplesOf(source, from);
  if (to === 'wav') return yield* withHeader(samples, rate, from.bytes);
  if (to === 'pcm') return yield* resampled(samples, rate, PCM_RATE);
  const playable = MP3_RATES.has(rate) ? rate : PCM_RATE;
  return yield* mp3Of(resampled(samples, rate, playable), playable);
}
