import { elevenlabsAudioWires } from './audio-wires.ts';
import { header } from './auth.ts';
import { definePreset } from './preset.ts';

export const elevenlabs = definePreset({
  id: 'elevenlabs',
  label: 'ElevenLabs',
  docs: [
    'https://elevenlabs.io/docs/api-reference/text-to-speech/stream',
    'https://elevenlabs.io/docs/api-reference/speech-to-text/convert',
  ],
  env: ['ELEVENLABS_API_KEY', 'XI_API_KEY'],
  origin: 'https://api.elevenlabs.io',
  auth: header('xi-api-key'),
  speaks: {},
  knows: ['eleven_*', 'scribe_*'],
  media: elevenlabsAudioWires,
});
