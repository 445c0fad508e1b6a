import { checksum } from '../seals.ts';
import { type HiddenText, hiddenBits } from './hidden-text.ts';

/** Samples a second, as OpenAI's `pcm` has it. */
export const SAMPLE_RATE = 24_000;

/** Something to be spoken. */
export type Spoken = HiddenText;

/** One word, or one wide character, and when it sounds. In samples. */
export interface Beat {
  readonly text: string;
  readonly from: number;
  /** Samples of sound; a pause may follow. */
  readonly sounding: number;
  /** Sound and pause. */
  readonly samples: number;
  /** Tones, one for each syllable. */
  readonly notes: readonly number[];
}

const BEAT =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]|[^\s\p{P}\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]+|\p{P}+|\s+/gu;
const WIDE = /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]$/u;
const VOWELS = /[aeiouyäöüáéíóúàèìòùâêîôû]+/giu;

const LETTER_MS = 55;
const WIDE_MS = 170;
const LEAST_MS = 110;

/** How long a mark of punctuation is waited for. */
function pauseMs(mark: string): number {
  if (/[.!?。！？…]/u.test(mark)) return 260;
  return /[,;:，；：、—]/u.test(mark) ? 150 : 20;
}

const PENTATONIC = [0, 2, 4, 7, 9] as const;

/** Pitch of a syllable: steps of a scale, chosen by the syllable. */
const noteOf = (syllable: string): number => {
  const at = Number.parseInt(checksum(syllable), 16) % 10;
  return (PENTATONIC[at % 5] ?? 0) + (at > 4 ? 12 : 0);
};

function notesOf(word: string): readonly number[] {
  if (WIDE.test(word)) return [noteOf(word)];
  const count = Math.max(1, word.match(VOWELS)?.length ?? 1);
  return Array.from({ length: Math.min(count, 24) }, (_, at) => noteOf(`${word.toLowerCase()}/${at}`));
}

/** When each word of a text sounds. */
export function beatsOf({ text, speed }: Spoken): readonly Beat[] {
  const beats: Beat[] = [];
  let from = 0;
  const samplesOf = (ms: number): number => Math.round((ms * SAMPLE_RATE) / 1000 / speed);
  for (const [piece] of text.matchAll(BEAT)) {
    const isWord = /[\p{L}\p{N}\p{S}]/u.test(piece);
    const sounding = isWord ? samplesOf(WIDE.test(piece) ? WIDE_MS : Math.max(LEAST_MS, Math.min(piece.length, 40) * LETTER_MS)) : 0;
    const samples = sounding + samplesOf(isWord ? 20 : pauseMs(piece));
    beats.push({ text: piece, from, sounding, samples, notes: isWord ? notesOf(piece) : [] });
    from += samples;
  }
  return beats;
}

/** Samples of the whole speech: its words, and never less than what is hidden in it needs. */
export function lengthOf(spoken: Spoken, beats: readonly Beat[] = beatsOf(spoken)): number {
  const last = beats.at(-1);
  const said = last ? last.from + last.samples : 0;
  return Math.max(said, hiddenBits(spoken).length, SAMPLE_RATE / 5);
}

/** The pitch of a voice, in hertz: always the same for the same name. */
const basePitch = (voice: string): number => 110 * 2 ** ((Number.parseInt(checksum(voice.toLowerCase()), 16) % 25) / 24);

/** One word's sound: a tone with two overtones for each syllable, faded in and out. */
function sound(beat: Beat, pitch: number, out: Int16Array): void {
  const each = beat.sounding / Math.max(1, beat.notes.length);
  const fade = Math.min(SAMPLE_RATE / 100, each / 3);
  for (let at = 0; at < beat.sounding && at < out.length; at++) {
    const within = at % each;
    const hertz = pitch * 2 ** ((beat.notes[Math.floor(at / each)] ?? 0) / 12);
    const phase = (2 * Math.PI * hertz * at) / SAMPLE_RATE;
    const level = Math.min(1, within / fade, (each - within) / fade);
    const wave = Math.sin(phase) + 0.4 * Math.sin(2 * phase) + 0.2 * Math.sin(3 * phase);
    out[at] = Math.round(wave * level * 7000);
  }
}

/** Lays the hidden text over samples: the lowest bit of each, over and over. */
function hide(samples: Int16Array, from: number, bits: Uint8Array): void {
  for (let at = 0; at < samples.length; at++) samples[at] = ((samples[at] ?? 0) & ~1) | (bits[(from + at) % bits.length] ?? 0);
}

/** No more than this at once: long pauses of a slow speaker come in parts. */
const MOST = SAMPLE_RATE * 2;

/** Speaks: tones for words, made as they are asked for. The same is always said the same way. */
export function* speak(spoken: Spoken): Iterable<Int16Array> {
  const beats = beatsOf(spoken);
  const bits = hiddenBits(spoken);
  const pitch = basePitch(spoken.voice);
  const total = lengthOf(spoken, beats);
  let from = 0;
  for (const beat of beats) {
    const samples = new Int16Array(beat.samples);
    sound(beat, pitch, samples);
    hide(samples, from, bits);
    from += samples.length;
    if (samples.length > 0) yield samples;
  }
  while (from < total) {
    const samples = new Int16Array(Math.min(MOST, total - from));
    hide(samples, from, bits);
    from += samples.length;
    yield samples;
  }
}
