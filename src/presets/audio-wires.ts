import type { Ability } from '../ir/index.ts';
import { bearer } from './auth.ts';
import type { MediaWire } from './preset.ts';
import { GEMINI_AS_OPENAI, voicesLike } from './voices.ts';

/** Speech, transcription and translation of one preset. */
type AudioWires = { readonly [A in Extract<Ability, 'speech' | 'transcription' | 'translation'>]?: MediaWire | readonly MediaWire[] };

type Wire = Omit<MediaWire, 'mark'> & Partial<Pick<MediaWire, 'mark'>>;

const wire = (one: Wire): MediaWire => ({ mark: 'documented', ...one });

const OPENAI_VOICES = { voices: GEMINI_AS_OPENAI, defaultVoice: 'alloy' };

/** https://platform.openai.com/docs/api-reference/audio */
export const openaiAudioWires: AudioWires = {
  speech: wire({ codec: 'openai', base: '/v1', models: ['*tts*'], options: { events: true }, ...OPENAI_VOICES, mark: 'recorded' }),
  transcription: wire({ codec: 'openai', base: '/v1', models: ['whisper-*', '*-transcribe*'], mark: 'recorded' }),
  translation: wire({ codec: 'openai', base: '/v1', models: ['whisper-*'], mark: 'recorded' }),
};

/** Any server of OpenAI's endpoints. */
export const compatibleAudioWires: AudioWires = {
  speech: wire({ codec: 'openai', base: '/v1', options: { events: true }, ...OPENAI_VOICES }),
  transcription: wire({ codec: 'openai', base: '/v1' }),
  translation: wire({ codec: 'openai', base: '/v1' }),
};

function listening(base: string, more: Partial<Wire> = {}): Pick<Required<AudioWires>, 'transcription' | 'translation'> {
  return { transcription: wire({ codec: 'openai', base, ...more }), translation: wire({ codec: 'openai', base, ...more }) };
}

/** Servers of one's own with OpenAI's endpoints; none of them has its events of speech. */
const ownServer = { speech: wire({ codec: 'openai', base: '/v1' }), ...listening('/v1') };

/** https://docs.vllm.ai/en/latest/serving/openai_compatible_server/#transcriptions-api */
export const vllmAudioWires: AudioWires = listening('/v1');

/** https://inference.readthedocs.io/en/latest/models/model_abilities/audio.html */
export const xinferenceAudioWires: AudioWires = ownServer;

/** https://localai.io/features/text-to-audio/ https://localai.io/features/audio-to-text/ */
export const localAiAudioWires: AudioWires = { speech: ownServer.speech, transcription: ownServer.transcription };

/** https://docs.together.ai/reference/audio-speech https://docs.together.ai/reference/audio-transcriptions */
export const togetherAudioWires: AudioWires = {
  speech: wire({
    codec: 'openai',
    base: '/v1',
    models: ['*orpheus*', '*sonic*', '*kokoro*', '*Kokoro*', '*tts*', '*TTS*'],
    options: { formats: 'mp3 wav', speed: false, instructions: false },
  }),
  ...listening('/v1', { models: ['*whisper*', '*parakeet*', '*voxtral*', '*Voxtral*'], options: { formats: 'json verbose_json' } }),
};

/** https://platform.stepfun.com/docs/zh/api-reference/audio/create_audio https://platform.stepfun.com/docs/zh/api-reference/audio/transcriptions */
export const stepfunAudioWires: AudioWires = {
  speech: wire({
    codec: 'openai',
    base: '/v1',
    models: ['step-tts-*', 'step-audio-tts*'],
    options: { formats: 'mp3 opus flac wav pcm', instructions: false },
    voices: voicesLike({
      alloy: 'cixingnansheng',
      ash: 'cixingnansheng',
      coral: 'tianmeinvsheng',
      echo: 'zhengpaiqingnian',
      fable: 'yuanqinansheng',
      nova: 'yuanqishaonv',
      onyx: 'boyinnansheng',
      sage: 'wenrounvsheng',
      shimmer: 'qinqienvsheng',
    }),
    defaultVoice: 'cixingnansheng',
  }),
  transcription: wire({ codec: 'openai', base: '/v1', models: ['step-asr*'], options: { formats: 'json text srt vtt' } }),
};

/** https://learn.microsoft.com/azure/ai-foundry/openai/reference#transcriptions---create */
export const azureAudioWires: AudioWires = {
  speech: wire({ codec: 'openai', base: '/openai', models: ['!*claude*'], options: { versioned: true, events: true }, ...OPENAI_VOICES }),
  transcription: wire({ codec: 'openai', base: '/openai', models: ['!*claude*'], options: { versioned: true } }),
  translation: wire({ codec: 'openai', base: '/openai', models: ['!*claude*'], options: { versioned: true } }),
};

/** https://console.groq.com/docs/text-to-speech/orpheus https://console.groq.com/docs/speech-to-text */
export const groqAudioWires: AudioWires = {
  speech: wire({
    codec: 'openai',
    base: '/openai/v1',
    models: ['*orpheus*', '*tts*'],
    options: { formats: 'wav', speed: false, instructions: false },
    voices: voicesLike({
      alloy: 'hannah',
      ash: 'austin',
      coral: 'autumn',
      echo: 'daniel',
      fable: 'troy',
      nova: 'autumn',
      onyx: 'daniel',
      sage: 'diana',
      shimmer: 'diana',
    }),
    defaultVoice: 'hannah',
  }),
  transcription: wire({
    codec: 'openai',
    base: '/openai/v1',
    models: ['*whisper*'],
    options: { formats: 'json text verbose_json' },
    mark: 'recorded',
  }),
  translation: wire({ codec: 'openai', base: '/openai/v1', models: ['whisper-large-v3'], options: { formats: 'json text verbose_json' } }),
};

/** https://ai.google.dev/gemini-api/docs/speech-generation#voices */
const GEMINI_VOICES = {
  alloy: 'Kore',
  ash: 'Orus',
  ballad: 'Algieba',
  cedar: 'Alnilam',
  coral: 'Leda',
  echo: 'Charon',
  fable: 'Puck',
  marin: 'Aoede',
  nova: 'Zephyr',
  onyx: 'Algenib',
  sage: 'Sulafat',
  shimmer: 'Vindemiatrix',
  verse: 'Fenrir',
};

/** Gemini speaks and listens in `generateContent`. https://ai.google.dev/gemini-api/docs/audio */
export const geminiAudioWires = (base: string): AudioWires => ({
  speech: [
    // Only newer ones stream.
    wire({ codec: 'gemini', base, models: ['gemini-2*tts*'], options: { whole: true }, voices: GEMINI_VOICES }),
    wire({ codec: 'gemini', base, models: ['*tts*'], voices: GEMINI_VOICES }),
  ],
  transcription: wire({ codec: 'gemini', base, models: ['gemini-*', '!*tts*', '!*image*', '!*embedding*', '!*live*'], mark: 'recorded' }),
  translation: wire({ codec: 'gemini', base, models: ['gemini-*', '!*tts*', '!*image*', '!*embedding*', '!*live*'] }),
});

/** https://docs.mistral.ai/api/endpoint/audio/transcriptions */
export const mistralAudioWires: AudioWires = {
  transcription: wire({ codec: 'mistral', base: '/v1', models: ['voxtral-*', '!*-tts-*'], mark: 'recorded' }),
};

/** https://docs.siliconflow.cn/en/api-reference/audio/create-speech https://docs.siliconflow.cn/en/api-reference/audio/create-audio-transcriptions */
export const siliconflowAudioWires: AudioWires = {
  speech: wire({
    codec: 'openai',
    base: '/v1',
    models: ['*CosyVoice*', '*fish-speech*', '*IndexTTS*', '*MOSS-TTSD*', '*tts*', '*TTS*'],
    options: { formats: 'mp3 opus wav pcm', sampleRate: 24_000, instructions: false },
    voices: voicesLike({
      alloy: '{model}:anna',
      ash: '{model}:alex',
      coral: '{model}:diana',
      echo: '{model}:benjamin',
      fable: '{model}:david',
      nova: '{model}:bella',
      onyx: '{model}:charles',
      sage: '{model}:claire',
      shimmer: '{model}:claire',
    }),
    defaultVoice: '{model}:anna',
  }),
  transcription: wire({ codec: 'openai', base: '/v1', models: ['*SenseVoice*', '*ASR*', '*TeleSpeech*'], options: { formats: 'json' } }),
};

/** https://platform.minimax.io/docs/api-reference/speech-t2a-http */
export const minimaxAudioWires: AudioWires = {
  speech: wire({
    codec: 'minimax',
    base: '/v1',
    models: ['speech-*'],
    voices: voicesLike({
      alloy: 'English_expressive_narrator',
      ash: 'English_magnetic_voiced_man',
      coral: 'English_radiant_girl',
      echo: 'English_Insightful_Speaker',
      fable: 'English_expressive_narrator',
      nova: 'English_Upbeat_Woman',
      onyx: 'English_magnetic_voiced_man',
      sage: 'English_CalmWoman',
      shimmer: 'English_Graceful_Lady',
    }),
    defaultVoice: 'English_expressive_narrator',
  }),
};

/** https://www.alibabacloud.com/help/en/model-studio/qwen-tts-api */
export const dashscopeAudioWires: AudioWires = {
  speech: wire({
    codec: 'dashscope',
    base: '/api/v1',
    models: ['qwen*-tts*', '!*realtime*'],
    voices: voicesLike({
      alloy: 'Cherry',
      ash: 'Ethan',
      coral: 'Jennifer',
      echo: 'Ryan',
      fable: 'Elias',
      nova: 'Serena',
      onyx: 'Ethan',
      sage: 'Katerina',
      shimmer: 'Chelsie',
    }),
    defaultVoice: 'Cherry',
  }),
};

/** https://openrouter.ai/docs/features/multimodal/audio */
export const openrouterAudioWires: AudioWires = {
  transcription: wire({
    codec: 'openai',
    base: '/api/v1',
    models: ['*transcri*', '*whisper*'],
    auth: bearer,
    options: { formats: 'json' },
    mark: 'recorded',
  }),
};

/** https://docs.cohere.com/reference/create-audio-transcription */
export const cohereAudioWires: AudioWires = {
  transcription: wire({ codec: 'openai', base: '/v2', models: ['*transcribe*'], options: { formats: 'json' }, mark: 'recorded' }),
};

/** https://docs.x.ai/developers/model-capabilities/audio/text-to-speech */
export const xaiAudioWires: AudioWires = {
  speech: wire({
    codec: 'xai',
    base: '/v1',
    models: ['*tts*'],
    voices: voicesLike({
      alloy: 'sal',
      ash: 'rex',
      coral: 'ara',
      echo: 'rex',
      fable: 'leo',
      nova: 'eve',
      onyx: 'leo',
      sage: 'ara',
      shimmer: 'ara',
    }),
    mark: 'recorded',
  }),
};

const DEEPGRAM_OWN = Object.fromEntries(
  ['alloy', 'ash', 'ballad', 'cedar', 'coral', 'echo', 'fable', 'marin', 'nova', 'onyx', 'sage', 'shimmer', 'verse'].map((voice) => [
    voice,
    '',
  ]),
);

/** https://developers.deepgram.com/docs/tts-models https://developers.deepgram.com/docs/models-languages-overview */
export const deepgramAudioWires: AudioWires = {
  // A model is a voice here: names of others' mean the one that the model names.
  speech: wire({ codec: 'deepgram', base: '/v1', models: ['aura-*'], voices: voicesLike(DEEPGRAM_OWN), mark: 'recorded' }),
  transcription: wire({ codec: 'deepgram', base: '/v1', models: ['nova-*', 'enhanced*', 'base*', 'whisper*'], mark: 'recorded' }),
};

/** Voices that every account has. https://elevenlabs.io/docs/overview/capabilities/voices#default-voices */
const ELEVENLABS_VOICES = {
  alloy: 'SAz9YHcvj6GT2YYXdXww',
  ash: 'CwhRBWXzGAHq8TQ4Fs17',
  coral: 'FGY2WhTYpPnrIDTdsKH5',
  echo: 'nPczCjzI2devNBz1zQrb',
  fable: 'JBFqnCBsd6RMkjVDRZzb',
  nova: 'cgSgspJ2msm6clMCkdW9',
  onyx: 'pqHfZKP75CvOlQylNhV4',
  sage: 'XrExE9yKIg1WjnnlVkGX',
  shimmer: 'EXAVITQu4vr4xnSDxMaL',
};

/** https://elevenlabs.io/docs/api-reference/text-to-speech/stream https://elevenlabs.io/docs/api-reference/speech-to-text/convert */
export const elevenlabsAudioWires: AudioWires = {
  speech: wire({
    codec: 'elevenlabs',
    base: '/v1',
    models: ['eleven_*', 'eleven-*'],
    voices: voicesLike(ELEVENLABS_VOICES),
    defaultVoice: ELEVENLABS_VOICES.fable,
  }),
  transcription: wire({ codec: 'elevenlabs', base: '/v1', models: ['scribe*'] }),
};
