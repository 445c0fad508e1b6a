/** The formats that speech can be asked for in. https://platform.openai.com/docs/api-reference/audio/createSpeech */
export const AUDIO_FORMATS = ['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm'] as const;

/** One of them. */
export type AudioFormat = (typeof AUDIO_FORMATS)[number];

/** A sound's form. Raw samples (`pcm`) are signed 16 bit, little-endian, one channel. */
export interface Sound {
  readonly format: AudioFormat;
  /** Samples a second; counts for `pcm` only, the others say it themselves. */
  readonly sampleRate: number;
  /** How long it is, where that is known before. */
  readonly bytes?: number;
}

/** What raw samples are delivered in, by OpenAI's and Gemini's contracts alike. */
export const PCM_RATE = 24_000;

/** What the bytes of a format are. */
export const CONTENT_TYPES: Readonly<Record<AudioFormat, string>> = {
  mp3: 'audio/mpeg',
  opus: 'audio/ogg; codecs=opus',
  aac: 'audio/aac',
  flac: 'audio/flac',
  wav: 'audio/wav',
  pcm: 'audio/pcm',
};
