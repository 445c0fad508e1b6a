import { dashscopeAudioWires } from './audio-wires.ts';
import { bearer, header } from './auth.ts';
import { ANTHROPIC_VERSION, CHAT_LIKE, CHAT_LIKE_QUIRKS, MESSAGES_LIKE, RESPONSES_LIKE } from './chat-like.ts';
import { dashscopeImageWires } from './image-wires.ts';
import { embeddingsAt, rerankAt } from './media-wires.ts';
import { forModels } from './model-rule.ts';
import { definePreset } from './preset.ts';
import { audioAsUri } from './quirks.ts';
import { dashscopeVideoWires } from './video-wires.ts';

export const dashscope = definePreset({
  id: 'dashscope',
  label: 'Alibaba Cloud Model Studio (DashScope, Qwen)',
  docs: [
    'https://www.alibabacloud.com/help/en/model-studio/base-url',
    'https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope',
    'https://www.alibabacloud.com/help/en/model-studio/anthropic-api-messages',
    'https://www.alibabacloud.com/help/en/model-studio/deep-thinking',
  ],
  env: ['DASHSCOPE_API_KEY', 'ALIBABA_API_KEY'],
  origin: 'https://dashscope-intl.aliyuncs.com',
  regions: {
    intl: 'https://dashscope-intl.aliyuncs.com',
    us: 'https://dashscope-us.aliyuncs.com',
    cn: 'https://dashscope.aliyuncs.com',
    hk: 'https://cn-hongkong.dashscope.aliyuncs.com',
  },
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/compatible-mode/v1',
      facts: {
        ...CHAT_LIKE,
        topK: true,
        reasoningField: 'reasoning_content',
        reasoningControl: 'enable-thinking',
        efforts: ['none', 'minimal', 'low', 'medium', 'high'],
        forcedToolChoice: false,
        n: false,
        media: { image: 'url-and-bytes', document: 'none', audio: 'url-and-bytes', video: 'url-and-bytes' },
      },
      quirks: [...CHAT_LIKE_QUIRKS, audioAsUri],
      mark: 'recorded',
    },
    'anthropic-messages': {
      base: '/apps/anthropic/v1',
      auth: header('x-api-key'),
      headers: ANTHROPIC_VERSION,
      facts: MESSAGES_LIKE,
      mark: 'documented',
    },
    'openai-responses': { base: '/compatible-mode/v1', facts: RESPONSES_LIKE, mark: 'documented' },
  },
  knows: ['qwen*', 'qwq-*', 'qvq-*', 'wan2*', 'wan3*', 'wanx*', 'text-embedding-v*'],
  rules: forModels(['*-instruct*', 'qwen-max*', 'qwen2*', 'qwen3-coder*', 'qwen-long*', 'qwen-mt*'], { reasoningControl: 'none' }),
  models: { path: '/compatible-mode/v1/models', shape: 'openai' },
  media: {
    ...dashscopeImageWires,
    ...dashscopeVideoWires,
    embeddings: [
      { codec: 'dashscope', base: '/api/v1', models: ['text-embedding-*'], batch: 10, mark: 'documented' },
      // For clients of OpenAI's dialect, whose bytes pass.
      embeddingsAt('/compatible-mode/v1', { base64: false, tokens: false, user: false }, { batch: 10 }),
    ],
    rerank: [
      rerankAt('/compatible-api/v1', { path: '/reranks', echoes: false }, { models: ['qwen3-rerank*'] }),
      { codec: 'dashscope', base: '/api/v1', models: ['*rerank*'], mark: 'documented' },
    ],
    ...dashscopeAudioWires,
  },
});
