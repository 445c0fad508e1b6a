import { bedrock as bedrockAuth } from './auth.ts';
import { claudeRules } from './claude-models.ts';
import { forModels } from './model-rule.ts';
import { openaiRules } from './openai-models.ts';
import { definePreset } from './preset.ts';
import { drop } from './quirks.ts';

/** What an id begins with when the model is called in any region of a place. */
const REGION_PROFILE = /^(?:us|us-gov|eu|apac|jp|au|ca|global)\./;

export const bedrock = definePreset({
  id: 'bedrock',
  label: 'Amazon Bedrock',
  docs: [
    'https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html',
    'https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html',
    'https://docs.aws.amazon.com/bedrock/latest/userguide/inference-messages-api.html',
    'https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html',
    'https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html',
    'https://docs.aws.amazon.com/bedrock/latest/userguide/models-api-compatibility.html',
  ],
  env: ['AWS_BEARER_TOKEN_BEDROCK'],
  envPair: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
  settings: [{ name: 'region', env: ['AWS_REGION', 'AWS_DEFAULT_REGION'], default: 'us-east-1' }],
  origin: 'https://bedrock-runtime.{region}.amazonaws.com',
  auth: bedrockAuth,
  speaks: {
    // The makers' own protocols say more than Converse does; it has every model.
    'anthropic-messages': {
      base: '/anthropic/v1',
      models: ['*anthropic.claude*'],
      headers: { 'anthropic-version': '2023-06-01' },
      quirks: [drop('context_management')],
      mark: 'documented',
    },
    'openai-responses': {
      base: '/openai/v1',
      models: ['*openai.gpt-*', '!*gpt-oss*'],
      facts: { developerRole: true, encryptedReasoning: true },
      mark: 'documented',
    },
    'openai-chat': {
      base: '/openai/v1',
      models: ['*openai.*'],
      facts: { maxTokensField: 'max_completion_tokens', store: false, reasoningField: 'reasoning' },
      mark: 'documented',
    },
    'bedrock-converse': {
      base: '',
      framing: 'aws-event-stream',
      modelIn: 'path',
      // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html; it knows models, not profiles of regions.
      countTokens: (model) => `/model/${encodeURIComponent(model.replace(REGION_PROFILE, ''))}/count-tokens`,
      mark: 'recorded',
    },
  },
  media: {
    embeddings: [
      { codec: 'titan', base: '', models: ['*amazon.titan-embed-text-v2*'], mark: 'documented' },
      { codec: 'titan', base: '', models: ['*amazon.titan-embed-*text*'], options: { dimensions: 'none' }, mark: 'documented' },
      { codec: 'cohere', base: '', models: ['*cohere.embed-*'], options: { invoke: true }, mark: 'documented' },
    ],
    rerank: { codec: 'bedrock', base: '', models: ['*cohere.rerank-*'], mark: 'documented' },
  },
  // Signatures of Claude open on each of its platforms.
  // https://platform.claude.com/docs/en/build-with-claude/extended-thinking
  sealMaker: 'anthropic',
  knows: [
    'anthropic.*',
    'amazon.*',
    'us.anthropic.*',
    'eu.anthropic.*',
    'apac.anthropic.*',
    'global.anthropic.*',
    'us.amazon.*',
    'us.meta.*',
    'meta.*',
    'openai.gpt-*',
    'cohere.*',
  ],
  rules: [
    ...openaiRules,
    ...claudeRules,
    ...forModels(['*gpt-oss*'], { reasoningControl: 'effort', efforts: ['low', 'medium', 'high'] }),
    ...forModels(['*claude*'], { cacheControl: true, output: 'json-schema', strictTools: true }, 'bedrock-converse'),
    ...forModels(
      ['*claude-2*', '*claude-instant*', '*claude-3*', '*claude-opus-4-2025*', '*claude-sonnet-4-2025*', '*claude-opus-4-1*'],
      { output: 'none', strictTools: false },
      'bedrock-converse',
    ),
    ...forModels(['*amazon.nova*'], { cacheControl: true, maxStop: 4 }, 'bedrock-converse'),
    ...forModels(['*amazon.nova-2*'], { reasoningControl: 'level', efforts: ['none', 'low', 'medium', 'high'] }, 'bedrock-converse'),
    ...forModels(
      ['*meta.*', '*mistral.*', '*ai21.*', '*deepseek.*', '*amazon.titan*'],
      { forcedToolChoice: false, mediaInToolResults: false },
      'bedrock-converse',
    ),
  ],
});
