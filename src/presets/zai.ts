import { bearer } from './auth.ts';
import { ANTHROPIC_VERSION, CHAT_LIKE, CHAT_LIKE_QUIRKS, MESSAGES_LIKE } from './chat-like.ts';
import { zaiImageWires } from './image-wires.ts';
import { embeddingsAt, rerankAt } from './media-wires.ts';
import { forModels } from './model-rule.ts';
import { definePreset } from './preset.ts';
import { zaiVideoWires } from './video-wires.ts';
import { clamp, drop, dropInTools } from './quirks.ts';

export const zai = definePreset({
  id: 'zai',
  label: 'Z.ai / BigModel (GLM)',
  docs: [
    'https://docs.z.ai/api-reference/llm/chat-completion',
    'https://docs.z.ai/guides/capabilities/thinking-mode',
    'https://docs.z.ai/scenario-example/develop-tools/claude',
    'https://docs.bigmodel.cn/api-reference/模型-api/对话补全',
  ],
  env: ['ZAI_API_KEY', 'ZHIPU_API_KEY', 'ZHIPUAI_API_KEY', 'Z_AI_API_KEY'],
  origin: 'https://api.z.ai',
  regions: { intl: 'https://api.z.ai', cn: 'https://open.bigmodel.cn' },
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/api/paas/v4',
      facts: {
        ...CHAT_LIKE,
        maxTemperature: 1,
        maxStop: 1,
        penalties: false,
        seed: false,
        logprobs: false,
        n: false,
        parallelToolCalls: false,
        forcedToolChoice: false,
        output: 'json-object',
        reasoningField: 'reasoning_content',
        thoughtsWithCalls: true,
        reasoningControl: 'thinking-type',
        efforts: [],
      },
      quirks: [...CHAT_LIKE_QUIRKS, clamp('temperature', 0, 1), drop('frequency_penalty', 'presence_penalty'), dropInTools('strict')],
      mark: 'recorded',
    },
    'anthropic-messages': { base: '/api/anthropic/v1', headers: ANTHROPIC_VERSION, facts: MESSAGES_LIKE, mark: 'documented' },
  },
  knows: ['glm-*', 'cogview-*', 'cogvideox*', 'z-model*', 'charglm-*', 'codegeex-*'],
  rules: [
    ...forModels(['glm-5.2*'], { efforts: ['high', 'max'] }, 'openai-chat'),
    // Thinks always.
    ...forModels(['glm-5.3*'], { reasoningControl: 'effort', efforts: ['low', 'high', 'max'] }, 'openai-chat'),
    ...forModels(['glm-4', 'glm-4-*', 'glm-4v*', 'glm-3*'], { reasoningControl: 'none' }, 'openai-chat'),
  ],
  models: { path: '/api/paas/v4/models', shape: 'openai' },
  media: {
    ...zaiImageWires,
    ...zaiVideoWires,
    embeddings: embeddingsAt('/api/paas/v4', { base64: false, tokens: false, user: false }, { batch: 64 }),
    rerank: rerankAt('/api/paas/v4', {}, { models: ['*rerank*'] }),
  },
});
