import { deepgramTranscription } from './deepgram.ts';
import { elevenlabsTranscription } from './elevenlabs.ts';
import { geminiTranscription } from './gemini.ts';
import { mistralTranscription } from './mistral.ts';
import { openaiTranscription } from './openai.ts';
import type { TranscriptionCodec } from './shape.ts';

/** Who can be asked to write down what was said, by the name that presets use. */
export const transcriptionCodecs: ReadonlyMap<string, TranscriptionCodec> = new Map(
  [openaiTranscription, mistralTranscription, elevenlabsTranscription, geminiTranscription, deepgramTranscription].map((codec) => [
    codec.id,
    codec,
  ]),
);
