import { readFlac } from './flac.ts';
import { findHidden, type Found, type HiddenText } from './hidden-text.ts';
import { readTag } from './mp3.ts';
import { soundFacts, type SoundFacts } from './sound-facts.ts';
import { beatsOf, lengthOf, SAMPLE_RATE } from './speak.ts';
import { firstChannel, readWav } from './wav.ts';

/** A stretch of a transcript. Times in seconds. */
export interface Stretch {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What was heard. */
export interface Transcript {
  readonly text: string;
  readonly language: 'english' | 'chinese';
  readonly seconds: number;
  readonly sentences: readonly (Stretch & { readonly voice: string })[];
  readonly words: readonly Stretch[];
}

const seconds = (samples: number): number => Math.round((samples / SAMPLE_RATE) * 1000) / 1000;

const count = (text: string, what: RegExp): number => text.match(what)?.length ?? 0;

const isChinese = (text: string): boolean => count(text, /\p{sc=Han}/gu) > count(text, /[a-z]+/gi);

/** The words of one thing that was said, and the sentences that they make. */
function stretches(hidden: HiddenText, from: number): Pick<Transcript, 'sentences' | 'words'> {
  const words: Stretch[] = [];
  const sentences: (Stretch & { voice: string })[] = [];
  let open: { text: string; start: number; end: number } | undefined;
  const close = (): void => {
    if (open && open.text.trim() !== '') sentences.push({ ...open, text: open.text.trim(), voice: hidden.voice });
    open = undefined;
  };
  for (const beat of beatsOf(hidden)) {
    const [start, end] = [seconds(from + beat.from), seconds(from + beat.from + Math.max(beat.sounding, 1))];
    if (beat.sounding > 0) words.push({ text: beat.text, start, end });
    open = { text: (open?.text ?? '') + beat.text, start: open?.start ?? start, end: beat.sounding > 0 ? end : (open?.end ?? end) };
    if (/[.!?。！？…\n]/u.test(beat.text)) close();
  }
  close();
  return { words, sentences };
}

function ofFound(found: readonly Found[], total: number): Transcript {
  const parts = found.map((one) => stretches(one, one.from));
  const text = found.map((one) => one.text.trim()).join(' ');
  return {
    text,
    language: isChinese(text) ? 'chinese' : 'english',
    seconds: total,
    sentences: parts.flatMap((part) => part.sentences),
    words: parts.flatMap((part) => part.words),
  };
}

/** A sound of somebody else, in words: no words are made up for it. */
export function describeSound({ format, seconds: long, sampleRate, channels }: SoundFacts, bytes: number): string {
  const facts = [
    format,
    ...(long === undefined ? [] : [`${long.toFixed(2)} s`]),
    ...(sampleRate === undefined ? [] : [`${sampleRate} Hz`]),
    ...(channels === undefined ? [] : [channels === 1 ? 'mono' : channels === 2 ? 'stereo' : `${channels} channels`]),
    `${bytes} bytes`,
  ];
  return `A sound without words of the sandbox (${facts.join(', ')}): it hears only what it said itself.`;
}

/** What is hidden in the samples of a sound, or in the tag before them. */
function hiddenIn(bytes: Buffer, format: SoundFacts['format']): readonly Found[] {
  if (format === 'MP3') {
    const tag = readTag(bytes);
    return tag ? [{ ...tag, from: 0, to: lengthOf(tag) }] : [];
  }
  const wav = format === 'WAV' ? readWav(bytes) : undefined;
  const samples = format === 'FLAC' ? readFlac(bytes) : wav && firstChannel(wav);
  return samples ? findHidden(samples, lengthOf) : [];
}

/** Writes down what a sound says: the text of the sandbox's own, what it is of any other. `undefined`: these bytes are no sound. */
export function transcribe(bytes: Buffer): Transcript | undefined {
  const facts = soundFacts(bytes);
  if (!facts) return undefined;
  const found = hiddenIn(bytes, facts.format);
  const last = found.at(-1);
  const total = Math.round((facts.seconds ?? seconds(last?.to ?? 0)) * 1000) / 1000;
  if (last) return ofFound(found, total);
  const text = describeSound(facts, bytes.length);
  const whole = { text, start: 0, end: total };
  return { text, language: 'english', seconds: total, sentences: [{ ...whole, voice: 'unknown' }], words: [] };
}

/** The same of bare samples, 16 bits, one channel, as chat sends them. */
export function transcribeSamples(bytes: Buffer): Transcript | undefined {
  const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~1)));
  const found = findHidden(samples, lengthOf);
  return found.length > 0 ? ofFound(found, seconds(samples.length)) : undefined;
}
