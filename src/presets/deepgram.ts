import { deepgramAudioWires } from './audio-wires.ts';
import { definePreset } from './preset.ts';

export const deepgram = definePreset({
  id: 'deepgram',
  label: 'Deepgram',
  docs: [
    'https://developers.deepgram.com/reference/text-to-speech/speak-request',
    'https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded',
  ],
  env: ['DEEPGRAM_API_KEY'],
  origin: 'https://api.deepgram.com',
  auth: { kind: 'fixed', headers: (key) => ({ authorization: `Token ${key}` }) },
  speaks: {},
  knows: ['aura-*', 'nova-*'],
  media: deepgramAudioWires,
});
