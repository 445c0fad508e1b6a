import { geminiAudioWires } from './audio-wires.ts';
import type { JsonObject } from '../ir/index.ts';
import { google } from './auth.ts';
import { CHAT_LIKE, CHAT_LIKE_QUIRKS } from './chat-like.ts';
import { claudeRules } from './claude-models.ts';
import { geminiRules } from './gemini-models.ts';
import { openModelRules } from './open-models.ts';
import { vertexImageWires } from './image-wires.ts';
import { definePreset } from './preset.ts';
import { vertexVideoWires } from './video-wires.ts';
import { drop } from './quirks.ts';

const LOCATION = '/v1/projects/{project}/locations/{region}';

/** Claude's body here names its version itself, and its model nowhere; `stream` stands in it beside the address. */
function claudeBody(body: JsonObject, _model: string, stream: boolean): JsonObject {
  const { model: _named, ...rest } = body;
  return { anthropic_version: 'vertex-2023-10-16', ...rest, ...(stream ? { stream } : {}) };
}

export const vertex = definePreset({
  id: 'vertex',
  label: 'Google Vertex AI',
  docs: [
    'https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference',
    'https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude',
    'https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations',
    'https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/grok/capabilities/reasoning',
  ],
  env: ['GOOGLE_VERTEX_API_KEY'],
  envElsewhere: ['GOOGLE_APPLICATION_CREDENTIALS'],
  keyOptional: true,
  settings: [
    { name: 'project', env: ['GOOGLE_VERTEX_PROJECT', 'GOOGLE_CLOUD_PROJECT'] },
    { name: 'region', env: ['GOOGLE_VERTEX_LOCATION', 'GOOGLE_CLOUD_LOCATION', 'CLOUD_ML_REGION'], default: 'global' },
  ],
  origin: 'https://{region}-aiplatform.googleapis.com',
  regions: {
    global: 'https://aiplatform.googleapis.com',
    us: 'https://aiplatform.us.rep.googleapis.com',
    eu: 'https://aiplatform.eu.rep.googleapis.com',
  },
  auth: google,
  speaks: {
    gemini: {
      base: `${LOCATION}/publishers/google`,
      models: ['!*claude*', '!*/*'],
      facts: {
        hostedTools: ['web-search', 'web-fetch', 'code-execution'],
        media: { image: 'url-and-bytes', document: 'url-and-bytes', audio: 'url-and-bytes', video: 'url-and-bytes' },
      },
      countTokens: (model) => `/models/${encodeURIComponent(model)}:countTokens`,
      modelIn: 'path',
      mark: 'recorded',
    },
    'anthropic-messages': {
      base: `${LOCATION}/publishers/anthropic`,
      path: (model, stream) => `/models/${encodeURIComponent(model)}:${stream ? 'streamRawPredict' : 'rawPredict'}`,
      models: ['*claude*'],
      facts: { hostedTools: ['web-search'] },
      quirks: [drop('context_management')],
      finish: claudeBody,
      modelIn: 'path',
      countTokens: () => '/models/count-tokens:rawPredict',
      mark: 'recorded',
    },
    // Models of other makers, as `xai/grok-…` and `meta/llama-…`.
    'openai-chat': {
      base: `${LOCATION}/endpoints/openapi`,
      models: ['*/*'],
      facts: CHAT_LIKE,
      quirks: CHAT_LIKE_QUIRKS,
      mark: 'documented',
    },
  },
  // Signatures of Claude open on each of its platforms.
  // https://platform.claude.com/docs/en/build-with-claude/extended-thinking
  sealMaker: 'anthropic',
  knows: [],
  rules: [...geminiRules, ...claudeRules, ...openModelRules],
  media: {
    ...vertexImageWires(`${LOCATION}/publishers/google`),
    embeddings: [
      // One text a request: https://cloud.google.com/vertex-ai/generative-ai/docs/embeddings/get-text-embeddings
      { codec: 'vertex', base: `${LOCATION}/publishers/google`, models: ['gemini-embedding-001*'], batch: 1, mark: 'recorded' },
      {
        codec: 'gemini',
        base: `${LOCATION}/publishers/google`,
        models: ['gemini-*'],
        batch: 1,
        options: { single: true },
        mark: 'recorded',
      },
      { codec: 'vertex', base: `${LOCATION}/publishers/google`, models: ['text*embedding*'], mark: 'recorded' },
    ],
    ...geminiAudioWires(`${LOCATION}/publishers/google`),
    ...vertexVideoWires(`${LOCATION}/publishers/google`),
  },
});
