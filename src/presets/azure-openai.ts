import { azureAudioWires } from './audio-wires.ts';
import { azure } from './auth.ts';
import { claudeRules } from './claude-models.ts';
import { azureImageWires } from './image-wires.ts';
import { embeddingsAt } from './media-wires.ts';
import { forModels } from './model-rule.ts';
import { openaiRules } from './openai-models.ts';
import { definePreset } from './preset.ts';
import { azureVideoWires } from './video-wires.ts';

type Settings = Readonly<Record<string, string>>;

/** The v1 API has no version in the address; an `apiVersion` asks for the older one, with the deployment in the path. */
const chatPath = (model: string, _stream: boolean, { apiVersion }: Settings): string =>
  apiVersion
    ? `/deployments/${encodeURIComponent(model)}/chat/completions?api-version=${encodeURIComponent(apiVersion)}`
    : '/v1/chat/completions';

const responsesPath = (_model: string, _stream: boolean, { apiVersion }: Settings): string =>
  apiVersion ? `/responses?api-version=${encodeURIComponent(apiVersion)}` : '/v1/responses';

export const azureOpenai = definePreset({
  id: 'azure-openai',
  label: 'Azure OpenAI',
  docs: [
    'https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle',
    'https://learn.microsoft.com/azure/ai-foundry/openai/reference',
    'https://platform.claude.com/docs/en/build-with-claude/claude-in-microsoft-foundry',
  ],
  env: ['AZURE_OPENAI_API_KEY', 'AZURE_API_KEY'],
  settings: [
    { name: 'resource', env: ['AZURE_RESOURCE_NAME', 'AZURE_OPENAI_RESOURCE_NAME'] },
    { name: 'apiVersion', env: ['OPENAI_API_VERSION', 'AZURE_OPENAI_API_VERSION'], default: '' },
  ],
  origin: 'https://{resource}.openai.azure.com',
  auth: azure('api-key'),
  speaks: {
    'openai-responses': {
      base: '/openai',
      path: responsesPath,
      models: ['!*claude*'],
      facts: { developerRole: true, encryptedReasoning: true },
      mark: 'recorded',
    },
    'openai-chat': {
      base: '/openai',
      path: chatPath,
      models: ['!*claude*'],
      facts: {
        toolId: { max: 40, charset: 'any' },
        developerRole: true,
        maxTokensField: 'max_completion_tokens',
        maxStop: 4,
        reasoningField: 'none',
        media: { image: 'url-and-bytes', document: 'none', audio: 'bytes', video: 'none' },
      },
      mark: 'recorded',
    },
    'anthropic-messages': {
      origin: 'https://{resource}.services.ai.azure.com',
      base: '/anthropic/v1',
      models: ['*claude*'],
      auth: azure('x-api-key'),
      headers: { 'anthropic-version': '2023-06-01' },
      facts: { hostedTools: ['web-search', 'web-fetch', 'code-execution', 'mcp'] },
      mark: 'documented',
    },
  },
  // Deployments are named by their owner.
  knows: [],
  rules: [
    ...openaiRules,
    ...claudeRules,
    // Their own gateway there answers 422 to OpenAI's newer word.
    ...forModels(['*mistral*', '*ministral*', '*codestral*'], { maxTokensField: 'max_tokens' }, 'openai-chat'),
  ],
  models: { path: '/openai/v1/models', shape: 'openai' },
  media: {
    ...azureImageWires,
    embeddings: embeddingsAt('/openai', { versioned: true }, { models: ['!*claude*'] }),
    ...azureAudioWires,
    ...azureVideoWires,
  },
});
