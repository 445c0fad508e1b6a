import { dashscopeSpeech } from './dashscope.ts';
import { deepgramSpeech } from './deepgram.ts';
import { elevenlabsSpeech } from './elevenlabs.ts';
import { geminiSpeech } from './gemini.ts';
import { minimaxSpeech } from './minimax.ts';
import { openaiSpeech } from './openai.ts';
import type { SpeechCodec } from './shape.ts';
import { xaiSpeech } from './xai.ts';

/** Who can be asked to speak, by the name that presets use. */
export const speechCodecs: ReadonlyMap<string, SpeechCodec> = new Map(
  [openaiSpeech, geminiSpeech, elevenlabsSpeech, minimaxSpeech, dashscopeSpeech, xaiSpeech, deepgramSpeech].map((codec) => [
    codec.id,
    codec,
  ]),
);
