import type { JsonObject } from '../../../src/ir/index.ts';
import type { SpeechWish } from '../../../src/exchange/media/speech.ts';
import type { ProviderSettings } from '../../../src/presets/preset.ts';
import type { MediaRefusal, MediaRow } from './media-row.ts';

/** What a speaking wire is held to: what goes out for a wish, and what sound is read out of the answer. */
export interface SpeechRow extends MediaRow {
  readonly ability: 'speech';
  readonly settings?: Omit<Partial<ProviderSettings>, 'preset'>;
  readonly wish: Partial<SpeechWish>;
  readonly url: string;
  /** All but `content-type`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
  readonly reply: string;
  readonly replyType: string;
  readonly contentType: string;
  /** The sound's first bytes, as text. */
  readonly sound: string;
  readonly input?: number;
  readonly refusal: MediaRefusal;
  readonly notes?: string;
}

const BEARER = { authorization: 'Bearer k' };
const MP3 = { reply: 'ID3sound', replyType: 'audio/mpeg', contentType: 'audio/mpeg', sound: 'ID3sound' };

const OPENAI_REFUSAL: MediaRefusal = {
  status: 400,
  body: { error: { message: 'Unknown voice', type: 'invalid_request_error', param: 'voice', code: null } },
  kind: 'bad_request',
  message: 'Unknown voice',
};

type Short = Omit<SpeechRow, 'ability' | 'headers' | 'refusal' | 'wish' | 'reply' | 'replyType' | 'contentType' | 'sound'> &
  Partial<SpeechRow>;

const openai = (row: Short): SpeechRow => ({
  ability: 'speech',
  headers: BEARER,
  wish: { voice: 'nova', speed: 1.5, instructions: 'Softly.' },
  refusal: OPENAI_REFUSAL,
  ...MP3,
  ...row,
});

const OPENAI_BODY = { input: 'Hello', voice: 'nova', instructions: 'Softly.', response_format: 'mp3', speed: 1.5 };

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const events = (list: readonly object[]): string => list.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('');

const geminiReply = (data: string, more: object = {}): object => ({
  candidates: [
    { content: { role: 'model', parts: [{ inlineData: { mimeType: 'audio/L16;codec=pcm;rate=24000', data: base64(data) } }] }, ...more },
  ],
});

const GEMINI_REFUSAL: MediaRefusal = {
  status: 400,
  body: { error: { code: 400, message: 'Voice name x is not supported.', status: 'INVALID_ARGUMENT' } },
  kind: 'bad_request',
  message: 'Voice name x is not supported.',
};

const GEMINI_STREAM = {
  reply: events([
    geminiReply('abcd'),
    {
      ...geminiReply('efgh', { finishReason: 'STOP' }),
      usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 25, totalTokenCount: 28 },
    },
  ]),
  replyType: 'text/event-stream',
  contentType: 'audio/pcm',
  sound: 'abcdefgh',
  input: 3,
};

const geminiBody = (text: string, voiceName: string): JsonObject => ({
  contents: [{ role: 'user', parts: [{ text }] }],
  generationConfig: { responseModalities: ['AUDIO'], speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName } } } },
});

export const SPEECH_ROWS: readonly SpeechRow[] = [
  openai({
    preset: 'openai',
    page: 'https://platform.openai.com/docs/api-reference/audio/createSpeech',
    model: 'gpt-4o-mini-tts',
    url: 'https://api.openai.com/v1/audio/speech',
    body: { model: 'gpt-4o-mini-tts', ...OPENAI_BODY },
  }),
  openai({
    preset: 'azure-openai',
    page: 'https://learn.microsoft.com/azure/ai-foundry/openai/reference#speech---create',
    model: 'my-tts',
    settings: { settings: { resource: 'r', apiVersion: '2025-04-01-preview' } },
    url: 'https://r.openai.azure.com/openai/deployments/my-tts/audio/speech?api-version=2025-04-01-preview',
    headers: { 'api-key': 'k' },
    body: { model: 'my-tts', ...OPENAI_BODY },
  }),
  openai({
    preset: 'openai-compatible',
    page: 'https://platform.openai.com/docs/api-reference/audio/createSpeech',
    model: 'kokoro',
    settings: { baseUrl: 'http://127.0.0.1:9' },
    url: 'http://127.0.0.1:9/v1/audio/speech',
    wish: { voice: 'af_sky', more: { lang_code: 'a' } },
    body: { lang_code: 'a', model: 'kokoro', input: 'Hello', voice: 'af_sky', response_format: 'mp3' },
  }),
  openai({
    preset: 'groq',
    page: 'https://console.groq.com/docs/text-to-speech/orpheus',
    model: 'canopylabs/orpheus-v1-english',
    url: 'https://api.groq.com/openai/v1/audio/speech',
    wish: { format: 'wav', voice: 'nova', speed: 1.5 },
    body: { model: 'canopylabs/orpheus-v1-english', input: 'Hello', voice: 'autumn', response_format: 'wav' },
    reply: 'RIFFsound',
    replyType: 'audio/wav',
    contentType: 'audio/wav',
    sound: 'RIFFsound',
    notes: 'voice;approximated, speed;dropped',
  }),
  openai({
    preset: 'siliconflow',
    page: 'https://docs.siliconflow.cn/en/api-reference/audio/create-speech',
    model: 'FunAudioLLM/CosyVoice2-0.5B',
    url: 'https://api.siliconflow.com/v1/audio/speech',
    wish: { format: 'pcm', voice: 'FunAudioLLM/CosyVoice2-0.5B:alex', speed: 2 },
    body: {
      model: 'FunAudioLLM/CosyVoice2-0.5B',
      input: 'Hello',
      voice: 'FunAudioLLM/CosyVoice2-0.5B:alex',
      response_format: 'pcm',
      speed: 2,
      sample_rate: 24_000,
    },
    reply: 'samples!',
    replyType: 'application/octet-stream',
    contentType: 'audio/pcm',
    sound: 'samples!',
    refusal: { status: 400, body: { code: 20_012, message: 'Invalid voice', data: null }, kind: 'bad_request', message: 'Invalid voice' },
  }),
  openai({
    preset: 'xinference',
    page: 'https://inference.readthedocs.io/en/latest/models/model_abilities/audio.html',
    model: 'kokoro',
    url: 'http://127.0.0.1:9997/v1/audio/speech',
    wish: { voice: 'zf_xiaoxiao' },
    body: { model: 'kokoro', input: 'Hello', voice: 'zf_xiaoxiao', response_format: 'mp3' },
  }),
  openai({
    preset: 'localai',
    page: 'https://localai.io/features/text-to-audio/',
    model: 'piper',
    url: 'http://127.0.0.1:8080/v1/audio/speech',
    wish: { voice: 'en-us', format: 'wav' },
    body: { model: 'piper', input: 'Hello', voice: 'en-us', response_format: 'wav' },
    reply: 'RIFFsound',
    replyType: 'audio/x-wav',
    contentType: 'audio/x-wav',
    sound: 'RIFFsound',
  }),
  openai({
    preset: 'together',
    page: 'https://docs.together.ai/reference/audio-speech',
    model: 'canopylabs/orpheus-3b-0.1-ft',
    url: 'https://api.together.ai/v1/audio/speech',
    wish: { voice: 'tara', speed: 2 },
    body: { model: 'canopylabs/orpheus-3b-0.1-ft', input: 'Hello', voice: 'tara', response_format: 'mp3' },
    notes: 'speed;dropped',
  }),
  openai({
    preset: 'stepfun',
    page: 'https://platform.stepfun.com/docs/zh/api-reference/audio/create_audio',
    model: 'step-tts-2',
    url: 'https://api.stepfun.ai/v1/audio/speech',
    wish: { voice: 'sage', speed: 1.2 },
    body: { model: 'step-tts-2', input: 'Hello', voice: 'wenrounvsheng', response_format: 'mp3', speed: 1.2 },
    notes: 'voice;approximated',
  }),
  {
    preset: 'gemini',
    ability: 'speech',
    page: 'https://ai.google.dev/gemini-api/docs/speech-generation',
    model: 'gemini-3.1-flash-tts-preview',
    url: 'https://generativelanguage.googleapis.com/v1beta/models/gemini-3.1-flash-tts-preview:streamGenerateContent?alt=sse',
    headers: { 'x-goog-api-key': 'k' },
    wish: { format: 'pcm', voice: 'alloy', instructions: 'Say cheerfully:', speed: 2 },
    body: geminiBody('Say cheerfully:\n\nHello', 'Kore'),
    ...GEMINI_STREAM,
    refusal: GEMINI_REFUSAL,
    notes: 'voice;approximated, speed;dropped, instructions;moved',
  },
  {
    preset: 'gemini',
    ability: 'speech',
    page: 'https://ai.google.dev/gemini-api/docs/speech-generation',
    model: 'gemini-2.5-flash-preview-tts',
    url: 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash-preview-tts:generateContent',
    headers: { 'x-goog-api-key': 'k' },
    wish: { format: 'pcm', voice: 'Puck' },
    body: geminiBody('Hello', 'Puck'),
    reply: JSON.stringify({
      ...geminiReply('abcdefgh', { finishReason: 'STOP' }),
      usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 25 },
    }),
    replyType: 'application/json; charset=UTF-8',
    contentType: 'audio/pcm',
    sound: 'abcdefgh',
    input: 3,
    refusal: GEMINI_REFUSAL,
  },
  {
    preset: 'vertex',
    ability: 'speech',
    page: 'https://cloud.google.com/text-to-speech/docs/gemini-tts#vertex-ai',
    model: 'gemini-3.1-flash-tts-preview',
    settings: { settings: { project: 'p' } },
    url: 'https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/gemini-3.1-flash-tts-preview:streamGenerateContent?alt=sse',
    headers: { 'x-goog-api-key': 'k' },
    wish: { format: 'pcm', voice: 'Kore' },
    body: geminiBody('Hello', 'Kore'),
    ...GEMINI_STREAM,
    refusal: GEMINI_REFUSAL,
  },
  {
    preset: 'vertex',
    ability: 'speech',
    page: 'https://cloud.google.com/text-to-speech/docs/gemini-tts#vertex-ai',
    model: 'gemini-2.5-flash-tts',
    settings: { settings: { project: 'p' } },
    url: 'https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash-tts:generateContent',
    headers: { 'x-goog-api-key': 'k' },
    wish: { format: 'pcm', voice: 'Kore' },
    body: geminiBody('Hello', 'Kore'),
    reply: JSON.stringify(geminiReply('abcdefgh', { finishReason: 'STOP' })),
    replyType: 'application/json',
    contentType: 'audio/pcm',
    sound: 'abcdefgh',
    refusal: GEMINI_REFUSAL,
  },
  {
    preset: 'elevenlabs',
    ability: 'speech',
    page: 'https://elevenlabs.io/docs/api-reference/text-to-speech/stream',
    model: 'eleven_multilingual_v2',
    url: 'https://api.elevenlabs.io/v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb/stream?output_format=mp3_44100_128',
    headers: { 'xi-api-key': 'k' },
    wish: { voice: 'fable', speed: 4, instructions: 'Softly.' },
    body: { text: 'Hello', model_id: 'eleven_multilingual_v2', voice_settings: { speed: 1.2 } },
    ...MP3,
    refusal: {
      status: 404,
      body: { detail: { status: 'voice_not_found', message: 'A voice with that id was not found.' } },
      kind: 'not_found',
      message: 'A voice with that id was not found.',
    },
    notes: 'voice;approximated, instructions;dropped, speed;approximated',
  },
  {
    preset: 'xai',
    ability: 'speech',
    page: 'https://docs.x.ai/developers/model-capabilities/audio/text-to-speech',
    model: 'grok-tts',
    url: 'https://api.x.ai/v1/tts',
    headers: BEARER,
    wish: { format: 'wav', voice: 'nova', speed: 2, more: { language: 'en' } },
    body: { text: 'Hello', voice_id: 'eve', language: 'en', speed: 1.5, output_format: { codec: 'wav', sample_rate: 24_000 } },
    reply: 'RIFFsound',
    replyType: 'audio/wav',
    contentType: 'audio/wav',
    sound: 'RIFFsound',
    refusal: { status: 400, body: { code: 'invalid-argument', error: 'Unknown voice' }, kind: 'bad_request', message: 'Unknown voice' },
    notes: 'voice;approximated, speed;approximated',
  },
  {
    preset: 'deepgram',
    ability: 'speech',
    page: 'https://developers.deepgram.com/reference/text-to-speech/speak-request',
    model: 'aura-2-thalia-en',
    url: 'https://api.deepgram.com/v1/speak?model=aura-2-zeus-en&encoding=linear16&container=wav&sample_rate=24000',
    headers: { authorization: 'Token k' },
    wish: { format: 'wav', voice: 'zeus', speed: 2 },
    body: { text: 'Hello' },
    reply: 'RIFFsound',
    replyType: 'audio/wav',
    contentType: 'audio/wav',
    sound: 'RIFFsound',
    refusal: {
      status: 400,
      body: { err_code: 'INVALID_QUERY_PARAMETER', err_msg: 'No such model/version combination found.', request_id: 'r' },
      kind: 'bad_request',
      message: 'No such model/version combination found.',
    },
    notes: 'speed;dropped',
  },
  {
    preset: 'minimax',
    ability: 'speech',
    page: 'https://platform.minimax.io/docs/api-reference/speech-t2a-http',
    model: 'speech-2.6-hd',
    url: 'https://api.minimax.io/v1/t2a_v2',
    headers: BEARER,
    wish: { voice: 'English_CalmWoman', speed: 1.5 },
    body: {
      model: 'speech-2.6-hd',
      text: 'Hello',
      stream: true,
      stream_options: { exclude_aggregated_audio: true },
      voice_setting: { voice_id: 'English_CalmWoman', speed: 1.5 },
      audio_setting: { format: 'mp3', channel: 1, sample_rate: 32_000, bitrate: 128_000 },
    },
    reply: events([
      { data: { audio: Buffer.from('ID3').toString('hex'), status: 1 }, base_resp: { status_code: 0, status_msg: 'success' } },
      { data: { audio: Buffer.from('sound').toString('hex'), status: 1 } },
      { data: { audio: '', status: 2 }, extra_info: { audio_length: 9 }, base_resp: { status_code: 0, status_msg: 'success' } },
    ]),
    replyType: 'text/event-stream',
    contentType: 'audio/mpeg',
    sound: 'ID3sound',
    refusal: {
      status: 200,
      body: { base_resp: { status_code: 2013, status_msg: 'invalid params, voice_id' } },
      kind: 'bad_request',
      message: 'invalid params, voice_id',
    },
  },
  {
    preset: 'dashscope',
    ability: 'speech',
    page: 'https://www.alibabacloud.com/help/en/model-studio/qwen-tts-api',
    model: 'qwen3-tts-instruct-flash',
    url: 'https://dashscope-intl.aliyuncs.com/api/v1/services/aigc/multimodal-generation/generation',
    headers: { ...BEARER, 'x-dashscope-sse': 'enable' },
    wish: { format: 'pcm', voice: 'Cherry', instructions: 'Softly.', more: { language_type: 'English' } },
    body: {
      model: 'qwen3-tts-instruct-flash',
      input: { text: 'Hello', voice: 'Cherry', language_type: 'English', instructions: 'Softly.' },
    },
    reply: events([
      { output: { finish_reason: 'null', audio: { data: base64('abcd') } }, usage: { input_tokens: 4, output_tokens: 20 } },
      { output: { finish_reason: 'stop', audio: { data: '', url: 'http://x/y.wav' } }, usage: { input_tokens: 4, output_tokens: 40 } },
    ]),
    replyType: 'text/event-stream',
    contentType: 'audio/pcm',
    sound: 'abcd',
    input: 4,
    refusal: {
      status: 400,
      body: { code: 'InvalidParameter', message: 'voice is invalid', request_id: 'r' },
      kind: 'bad_request',
      message: 'voice is invalid',
    },
  },
];
