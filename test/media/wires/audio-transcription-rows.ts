import type { JsonObject } from '../../../src/ir/index.ts';
import type { SentField } from '../../../src/media/transcription/shape.ts';
import type { ProviderSettings } from '../../../src/presets/preset.ts';
import type { MediaRefusal, MediaRow } from './media-row.ts';

/** What a listening wire is held to: the form (or body) that goes out, and what is written of the answer. */
export interface TranscriptionRow extends MediaRow {
  readonly ability: 'transcription' | 'translation';
  readonly settings?: Omit<Partial<ProviderSettings>, 'preset'>;
  /** Fields of the client's form beside file and model. */
  readonly sent: readonly (readonly [string, string])[];
  readonly url: string;
  /** All but `content-type`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The form's fields in order, the file as `@name type bytes`; or a JSON body. */
  readonly form?: readonly (readonly [string, string])[];
  readonly body?: JsonObject;
  /** The file itself is the body. */
  readonly bytes?: boolean;
  readonly reply: JsonObject | string;
  readonly replyType?: string;
  readonly contentType: string;
  readonly written: JsonObject | string;
  readonly input?: number;
  readonly refusal: MediaRefusal;
  readonly notes?: string;
}

const BEARER = { authorization: 'Bearer k' };

/** The file of every row. */
export const FILE = { filename: 'a.wav', mediaType: 'audio/wav', data: Buffer.from('RIFF\x04\x00\x00\x00WAVEdata') };

const FILE_FIELD = ['file', '@a.wav audio/wav 16'] as const;

const OPENAI_REFUSAL: MediaRefusal = {
  status: 400,
  body: {
    error: { message: 'Audio file might be corrupted or unsupported', type: 'invalid_request_error', param: 'file', code: 'invalid_value' },
  },
  kind: 'bad_request',
  message: 'Audio file might be corrupted or unsupported',
};

const JSON_REPLY = {
  reply: { text: 'Hello.', usage: { type: 'tokens', input_tokens: 14, output_tokens: 3, total_tokens: 17 } },
  contentType: 'application/json',
  written: { text: 'Hello.', usage: { type: 'tokens', input_tokens: 14, output_tokens: 3, total_tokens: 17 } },
  input: 14,
};

const SENT = [
  ['language', 'en'],
  ['temperature', '0.5'],
  ['new_field', 'x'],
] as const;

type Short = Omit<TranscriptionRow, 'ability' | 'sent' | 'headers' | 'refusal' | 'reply' | 'contentType' | 'written'> &
  Partial<TranscriptionRow>;

const openai = (row: Short): TranscriptionRow => ({
  ability: 'transcription',
  sent: SENT,
  headers: BEARER,
  refusal: OPENAI_REFUSAL,
  form: [['model', row.model], FILE_FIELD, ...SENT],
  ...JSON_REPLY,
  ...row,
});

const TIMED_REPLY: JsonObject = {
  task: 'transcribe',
  language: 'english',
  duration: 2.5,
  text: 'Hello. Bye.',
  segments: [
    { id: 0, start: 0, end: 1.25, text: ' Hello.' },
    { id: 1, start: 1.25, end: 2.5, text: ' Bye.' },
  ],
};

const SRT = '1\n00:00:00,000 --> 00:00:01,250\nHello.\n\n2\n00:00:01,250 --> 00:00:02,500\nBye.\n\n';

const geminiBody = (text: string, more: JsonObject = {}): JsonObject => ({
  contents: [{ role: 'user', parts: [{ text }, { inlineData: { mimeType: 'audio/wav', data: FILE.data.toString('base64') } }] }],
  generationConfig: more,
});

const geminiReply = (text: string): JsonObject => ({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 139, candidatesTokenCount: 10, thoughtsTokenCount: 6 },
  modelVersion: 'gemini-2.5-flash',
});

const GEMINI_REFUSAL: MediaRefusal = {
  status: 400,
  body: { error: { code: 400, message: 'Unable to process input audio.', status: 'INVALID_ARGUMENT' } },
  kind: 'bad_request',
  message: 'Unable to process input audio.',
};

const GEMINI_ROW = {
  sent: [['temperature', '0']],
  reply: geminiReply('Hello.\n'),
  contentType: 'application/json',
  written: { text: 'Hello.', usage: { type: 'tokens', input_tokens: 139, output_tokens: 16, total_tokens: 155 } },
  input: 139,
  refusal: GEMINI_REFUSAL,
} as const;

const PLAIN_PROMPT =
  'Transcribe what is said in the audio, word for word, in the language in which it is said.\n' +
  'Answer with the text of the transcript only. If nothing is said, answer with nothing.';
const ENGLISH_PROMPT =
  'Translate what is said in the audio into English.\n' +
  'Answer with the text of the transcript only. If nothing is said, answer with nothing.';

const VERTEX = { settings: { settings: { project: 'p' } } };
const VERTEX_URL =
  'https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash:generateContent';

const TRANSLATION_FIELDS = [['prompt', 'Names: Ada'], ...SENT] as const;

/** The fields of a row as the gateway reads them. */
export const sentFields = (row: TranscriptionRow): readonly SentField[] =>
  row.sent.map(([sentAs, value]) => ({ sentAs, name: sentAs.replace('[]', ''), value }));

const AZURE = { settings: { settings: { resource: 'r', apiVersion: '2024-10-21' } }, headers: { 'api-key': 'k' } };

export const TRANSCRIPTION_ROWS: readonly TranscriptionRow[] = [
  openai({
    preset: 'openai',
    page: 'https://platform.openai.com/docs/api-reference/audio/createTranscription',
    model: 'gpt-4o-transcribe',
    url: 'https://api.openai.com/v1/audio/transcriptions',
  }),
  openai({
    preset: 'openai',
    ability: 'translation',
    page: 'https://platform.openai.com/docs/api-reference/audio/createTranslation',
    model: 'whisper-1',
    url: 'https://api.openai.com/v1/audio/translations',
    sent: TRANSLATION_FIELDS,
    form: [['model', 'whisper-1'], FILE_FIELD, ...TRANSLATION_FIELDS],
  }),
  openai({
    preset: 'azure-openai',
    page: 'https://learn.microsoft.com/azure/ai-foundry/openai/reference#transcriptions---create',
    model: 'my-whisper',
    ...AZURE,
    url: 'https://r.openai.azure.com/openai/deployments/my-whisper/audio/transcriptions?api-version=2024-10-21',
  }),
  openai({
    preset: 'azure-openai',
    ability: 'translation',
    page: 'https://learn.microsoft.com/azure/ai-foundry/openai/reference#translations---create',
    model: 'my-whisper',
    ...AZURE,
    url: 'https://r.openai.azure.com/openai/deployments/my-whisper/audio/translations?api-version=2024-10-21',
  }),
  openai({
    preset: 'openai-compatible',
    page: 'https://platform.openai.com/docs/api-reference/audio/createTranscription',
    model: 'Systran/faster-whisper-small',
    settings: { baseUrl: 'http://127.0.0.1:9' },
    url: 'http://127.0.0.1:9/v1/audio/transcriptions',
    sent: [['response_format', 'srt']],
    form: [['model', 'Systran/faster-whisper-small'], FILE_FIELD, ['response_format', 'srt']],
    reply: SRT,
    replyType: 'text/plain',
    contentType: 'text/plain',
    written: SRT,
    input: 0,
  }),
  openai({
    preset: 'openai-compatible',
    ability: 'translation',
    page: 'https://platform.openai.com/docs/api-reference/audio/createTranslation',
    model: 'whisper',
    settings: { baseUrl: 'http://127.0.0.1:9' },
    url: 'http://127.0.0.1:9/v1/audio/translations',
  }),
  openai({
    preset: 'groq',
    page: 'https://console.groq.com/docs/speech-to-text',
    model: 'whisper-large-v3-turbo',
    url: 'https://api.groq.com/openai/v1/audio/transcriptions',
    sent: [
      ['response_format', 'srt'],
      ['language', 'en'],
    ],
    form: [['model', 'whisper-large-v3-turbo'], FILE_FIELD, ['language', 'en'], ['response_format', 'verbose_json']],
    reply: TIMED_REPLY,
    contentType: 'application/x-subrip; charset=utf-8',
    written: SRT,
    input: 0,
  }),
  openai({
    preset: 'groq',
    ability: 'translation',
    page: 'https://console.groq.com/docs/speech-to-text',
    model: 'whisper-large-v3',
    url: 'https://api.groq.com/openai/v1/audio/translations',
    sent: [['response_format', 'text']],
    form: [['model', 'whisper-large-v3'], FILE_FIELD, ['response_format', 'text']],
    reply: ' Hello.',
    replyType: 'text/plain; charset=UTF-8',
    contentType: 'text/plain; charset=UTF-8',
    written: ' Hello.',
    input: 0,
  }),
  openai({
    preset: 'siliconflow',
    page: 'https://docs.siliconflow.cn/en/api-reference/audio/create-audio-transcriptions',
    model: 'FunAudioLLM/SenseVoiceSmall',
    url: 'https://api.siliconflow.com/v1/audio/transcriptions',
    sent: [['response_format', 'text']],
    form: [['model', 'FunAudioLLM/SenseVoiceSmall'], FILE_FIELD],
    reply: { text: 'Hello.' },
    contentType: 'text/plain; charset=utf-8',
    written: 'Hello.\n',
    input: 0,
    refusal: {
      status: 400,
      body: { code: 20_012, message: 'File is invalid', data: null },
      kind: 'bad_request',
      message: 'File is invalid',
    },
  }),
  openai({
    preset: 'openrouter',
    page: 'https://openrouter.ai/docs/features/multimodal/audio',
    model: 'openai/gpt-4o-mini-transcribe',
    url: 'https://openrouter.ai/api/v1/audio/transcriptions',
  }),
  openai({
    preset: 'cohere',
    page: 'https://docs.cohere.com/reference/create-audio-transcription',
    model: 'cohere-transcribe-03-2026',
    url: 'https://api.cohere.ai/v2/audio/transcriptions',
    sent: [['language', 'en']],
    form: [['model', 'cohere-transcribe-03-2026'], FILE_FIELD, ['language', 'en']],
    reply: { text: ' Hello.' },
    written: { text: ' Hello.' },
    input: 0,
    refusal: { status: 400, body: { id: 'x', message: 'language is required' }, kind: 'bad_request', message: 'language is required' },
  }),
  openai({
    preset: 'vllm',
    page: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server/#transcriptions-api',
    model: 'openai/whisper-large-v3',
    url: 'http://127.0.0.1:8000/v1/audio/transcriptions',
  }),
  openai({
    preset: 'vllm',
    ability: 'translation',
    page: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server/#translations-api',
    model: 'openai/whisper-large-v3',
    url: 'http://127.0.0.1:8000/v1/audio/translations',
  }),
  openai({
    preset: 'xinference',
    page: 'https://inference.readthedocs.io/en/latest/models/model_abilities/audio.html',
    model: 'whisper-large-v3',
    url: 'http://127.0.0.1:9997/v1/audio/transcriptions',
  }),
  openai({
    preset: 'xinference',
    ability: 'translation',
    page: 'https://inference.readthedocs.io/en/latest/models/model_abilities/audio.html',
    model: 'whisper-large-v3',
    url: 'http://127.0.0.1:9997/v1/audio/translations',
  }),
  openai({
    preset: 'localai',
    page: 'https://localai.io/features/audio-to-text/',
    model: 'whisper-1',
    url: 'http://127.0.0.1:8080/v1/audio/transcriptions',
  }),
  openai({
    preset: 'together',
    page: 'https://docs.together.ai/reference/audio-transcriptions',
    model: 'openai/whisper-large-v3',
    url: 'https://api.together.ai/v1/audio/transcriptions',
    sent: [['response_format', 'text']],
    form: [['model', 'openai/whisper-large-v3'], FILE_FIELD],
    reply: { text: 'Hello.' },
    contentType: 'text/plain; charset=utf-8',
    written: 'Hello.\n',
    input: 0,
  }),
  openai({
    preset: 'together',
    ability: 'translation',
    page: 'https://docs.together.ai/reference/audio-translations',
    model: 'openai/whisper-large-v3',
    url: 'https://api.together.ai/v1/audio/translations',
    sent: [['response_format', 'srt']],
    form: [['model', 'openai/whisper-large-v3'], FILE_FIELD, ['response_format', 'verbose_json']],
    reply: TIMED_REPLY,
    contentType: 'application/x-subrip; charset=utf-8',
    written: SRT,
    input: 0,
  }),
  openai({
    preset: 'stepfun',
    page: 'https://platform.stepfun.com/docs/zh/api-reference/audio/transcriptions',
    model: 'step-asr',
    url: 'https://api.stepfun.ai/v1/audio/transcriptions',
    sent: [['response_format', 'srt']],
    form: [['model', 'step-asr'], FILE_FIELD, ['response_format', 'srt']],
    reply: SRT,
    replyType: 'text/plain',
    contentType: 'text/plain',
    written: SRT,
    input: 0,
  }),
  {
    preset: 'mistral',
    ability: 'transcription',
    page: 'https://docs.mistral.ai/api/endpoint/audio/transcriptions',
    model: 'voxtral-mini-latest',
    url: 'https://api.mistral.ai/v1/audio/transcriptions',
    headers: BEARER,
    sent: [
      ['response_format', 'diarized_json'],
      ['prompt', 'Ada'],
      ['temperature', '0.2'],
    ],
    form: [
      ['model', 'voxtral-mini-latest'],
      FILE_FIELD,
      ['temperature', '0.2'],
      ['timestamp_granularities[]', 'segment'],
      ['diarize', 'true'],
    ],
    reply: {
      model: 'voxtral-mini-latest',
      text: 'Hello.',
      language: null,
      segments: [{ type: 'transcription_segment', text: 'Hello.', start: 0.1, end: 3.6, speaker_id: 'speaker_1' }],
      usage: { prompt_audio_seconds: 3, prompt_tokens: 5, total_tokens: 400, completion_tokens: 20 },
    },
    contentType: 'application/json',
    written: {
      task: 'transcribe',
      duration: 3,
      text: 'Hello.',
      segments: [{ type: 'transcript.text.segment', id: 'seg_0', start: 0.1, end: 3.6, text: 'Hello.', speaker: 'speaker_1' }],
      usage: { type: 'tokens', input_tokens: 380, output_tokens: 20, total_tokens: 400 },
    },
    input: 380,
    refusal: {
      status: 422,
      body: { detail: [{ type: 'missing', loc: ['body', 'file'], msg: 'Field required' }] },
      kind: 'bad_request',
      message: 'Field required',
    },
    notes: 'prompt;dropped',
  },
  {
    preset: 'elevenlabs',
    ability: 'transcription',
    page: 'https://elevenlabs.io/docs/api-reference/speech-to-text/convert',
    model: 'scribe_v2',
    url: 'https://api.elevenlabs.io/v1/speech-to-text',
    headers: { 'xi-api-key': 'k' },
    sent: [
      ['response_format', 'vtt'],
      ['language', 'en'],
      ['prompt', 'Ada'],
    ],
    form: [
      ['model_id', 'scribe_v2'],
      FILE_FIELD,
      ['language_code', 'en'],
      ['timestamps_granularity', 'word'],
      ['tag_audio_events', 'false'],
    ],
    reply: {
      language_code: 'eng',
      language_probability: 0.98,
      text: 'Hello there. Bye <3',
      words: [
        { text: 'Hello', start: 0.119, end: 0.5, type: 'word', speaker_id: 'speaker_0' },
        { text: ' ', start: 0.5, end: 0.6, type: 'spacing', speaker_id: 'speaker_0' },
        { text: 'there.', start: 0.6, end: 0.9, type: 'word', speaker_id: 'speaker_0' },
        { text: ' ', start: 0.9, end: 1, type: 'spacing', speaker_id: 'speaker_0' },
        { text: 'Bye', start: 1, end: 1.2, type: 'word', speaker_id: 'speaker_0' },
        { text: '<3', start: 1.2, end: 1.4, type: 'word', speaker_id: 'speaker_0' },
      ],
    },
    contentType: 'text/vtt; charset=utf-8',
    written: 'WEBVTT\n\n00:00:00.119 --> 00:00:00.900\nHello there.\n\n00:00:01.000 --> 00:00:01.400\nBye &lt;3\n\n',
    refusal: {
      status: 401,
      body: { detail: { status: 'invalid_api_key', message: 'Invalid API key' } },
      kind: 'upstream',
      message: 'refused the gateway',
    },
    notes: 'prompt;dropped',
  },
  {
    preset: 'deepgram',
    ability: 'transcription',
    page: 'https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded',
    model: 'nova-3-general',
    url: 'https://api.deepgram.com/v1/listen?language=en&model=nova-3-general&smart_format=true&utterances=true&diarize=true',
    headers: { authorization: 'Token k' },
    sent: [
      ['response_format', 'diarized_json'],
      ['language', 'en'],
      ['temperature', '0'],
    ],
    bytes: true,
    reply: {
      metadata: { duration: 3.7 },
      results: {
        channels: [
          {
            alternatives: [
              { transcript: 'Hello.', words: [{ word: 'hello', punctuated_word: 'Hello.', start: 0.1, end: 0.5, speaker: 1 }] },
            ],
          },
        ],
        utterances: [{ start: 0.1, end: 0.5, transcript: 'Hello.', speaker: 1 }],
      },
    },
    contentType: 'application/json',
    written: {
      task: 'transcribe',
      duration: 3.7,
      text: 'Hello.',
      segments: [{ type: 'transcript.text.segment', id: 'seg_0', start: 0.1, end: 0.5, text: 'Hello.', speaker: 'B' }],
      usage: { type: 'duration', seconds: 4 },
    },
    refusal: {
      status: 400,
      body: { err_code: 'Bad Request', err_msg: 'Bad Request: failed to process audio: corrupt or unsupported data', request_id: 'r' },
      kind: 'bad_request',
      message: 'corrupt or unsupported data',
    },
    notes: 'temperature;dropped',
  },
  {
    preset: 'gemini',
    ability: 'transcription',
    page: 'https://ai.google.dev/gemini-api/docs/audio',
    model: 'gemini-2.5-flash',
    url: 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent',
    headers: { 'x-goog-api-key': 'k' },
    body: geminiBody(PLAIN_PROMPT, { temperature: 0 }),
    ...GEMINI_ROW,
  },
  {
    preset: 'gemini',
    ability: 'translation',
    page: 'https://ai.google.dev/gemini-api/docs/audio',
    model: 'gemini-2.5-flash',
    url: 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent',
    headers: { 'x-goog-api-key': 'k' },
    body: geminiBody(ENGLISH_PROMPT, { temperature: 0 }),
    ...GEMINI_ROW,
  },
  {
    preset: 'vertex',
    ability: 'transcription',
    page: 'https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/audio-understanding',
    model: 'gemini-2.5-flash',
    ...VERTEX,
    url: VERTEX_URL,
    headers: { 'x-goog-api-key': 'k' },
    body: geminiBody(PLAIN_PROMPT, { temperature: 0 }),
    ...GEMINI_ROW,
  },
  {
    preset: 'vertex',
    ability: 'translation',
    page: 'https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/audio-understanding',
    model: 'gemini-2.5-flash',
    ...VERTEX,
    url: VERTEX_URL,
    headers: { 'x-goog-api-key': 'k' },
    body: geminiBody(ENGLISH_PROMPT, { temperature: 0 }),
    ...GEMINI_ROW,
  },
];
