import { siliconflowAudioWires, stepfunAudioWires } from './audio-wires.ts';
import { bearer, header } from './auth.ts';
import { ANTHROPIC_VERSION, CHAT_LIKE, CHAT_LIKE_QUIRKS, MESSAGES_LIKE, RESPONSES_LIKE } from './chat-like.ts';
import { siliconflowImageWires, volcengineImageWires } from './image-wires.ts';
import { embeddingsAt, rerankAt } from './media-wires.ts';
import { forModels } from './model-rule.ts';
import { definePreset } from './preset.ts';
import { volcengineVideoWires } from './video-wires.ts';

/** Clouds and makers in China that differ from each other by data only. */

export const siliconflow = definePreset({
  id: 'siliconflow',
  label: 'SiliconFlow',
  docs: [
    'https://docs.siliconflow.com/en/api-reference/chat-completions/chat-completions',
    'https://docs.siliconflow.cn/docs/api/chat-completions-post',
    'https://api-docs.siliconflow.cn/docs/api/messages-post',
  ],
  env: ['SILICONFLOW_API_KEY', 'SILICONFLOW_CN_API_KEY'],
  envRegions: { SILICONFLOW_CN_API_KEY: 'cn' },
  origin: 'https://api.siliconflow.com',
  regions: { intl: 'https://api.siliconflow.com', cn: 'https://api.siliconflow.cn' },
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/v1',
      facts: {
        ...CHAT_LIKE,
        topK: true,
        maxStop: 4,
        reasoningField: 'reasoning_content',
        reasoningControl: 'enable-thinking',
        efforts: ['none', 'minimal', 'low', 'medium', 'high'],
        output: 'json-object',
      },
      quirks: CHAT_LIKE_QUIRKS,
      mark: 'documented',
    },
    'anthropic-messages': { base: '/v1', headers: ANTHROPIC_VERSION, facts: MESSAGES_LIKE, mark: 'documented' },
  },
  knows: [],
  rules: forModels(['*-instruct*', '*llama*', '*qwen2*', '*coder*'], { reasoningControl: 'none' }),
  models: { path: '/v1/models', shape: 'openai' },
  media: {
    ...siliconflowImageWires,
    embeddings: embeddingsAt('/v1', { tokens: false, user: false }, { batch: 32, models: ['!*rerank*'] }),
    rerank: rerankAt('/v1', {}, { models: ['*rerank*'] }),
    ...siliconflowAudioWires,
  },
});

export const volcengine = definePreset({
  id: 'volcengine',
  label: 'Volcengine Ark (Doubao)',
  docs: [
    'https://www.volcengine.com/docs/82379/1494384',
    'https://www.volcengine.com/docs/82379/1569618',
    'https://www.volcengine.com/docs/82379/1928262',
    'https://docs.byteplus.com/en/docs/ModelArk/1494384',
  ],
  env: ['ARK_API_KEY', 'VOLCENGINE_API_KEY'],
  origin: 'https://ark.cn-beijing.volces.com',
  regions: { cn: 'https://ark.cn-beijing.volces.com', intl: 'https://ark.ap-southeast.bytepluses.com' },
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/api/v3',
      facts: {
        ...CHAT_LIKE,
        reasoningField: 'reasoning_content',
        reasoningControl: 'thinking-type',
        efforts: ['none', 'minimal', 'low', 'medium', 'high'],
        n: false,
        seed: false,
        media: { image: 'url-and-bytes', document: 'none', audio: 'none', video: 'url-and-bytes' },
      },
      quirks: CHAT_LIKE_QUIRKS,
      mark: 'documented',
    },
    'openai-responses': {
      base: '/api/v3',
      facts: {
        ...RESPONSES_LIKE,
        store: true,
        efforts: ['minimal', 'low', 'medium', 'high'],
        media: { image: 'url-and-bytes', document: 'url-and-bytes', audio: 'none', video: 'url-and-bytes' },
      },
      mark: 'documented',
    },
    // The coding plan's; its chat is at /api/coding/v3.
    'anthropic-messages': { base: '/api/coding/v1', optional: true, headers: ANTHROPIC_VERSION, facts: MESSAGES_LIKE, mark: 'documented' },
  },
  knows: ['doubao-*', 'ep-*'],
  models: { path: '/api/v3/models', shape: 'openai' },
  media: {
    ...volcengineImageWires,
    ...volcengineVideoWires,
    embeddings: embeddingsAt('/api/v3', { tokens: false, user: false }, { batch: 256 }),
  },
});

export const hunyuan = definePreset({
  id: 'hunyuan',
  label: 'Tencent Hunyuan',
  docs: ['https://cloud.tencent.com/document/product/1729/111007', 'https://cloud.tencent.com/document/product/1729/127293'],
  env: ['HUNYUAN_API_KEY', 'TENCENT_HUNYUAN_API_KEY'],
  origin: 'https://api.hunyuan.cloud.tencent.com',
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/v1',
      facts: {
        ...CHAT_LIKE,
        penalties: false,
        logprobs: false,
        n: false,
        reasoningField: 'reasoning_content',
        reasoningControl: 'enable-thinking',
        efforts: ['none', 'low', 'medium', 'high'],
        output: 'none',
      },
      quirks: CHAT_LIKE_QUIRKS,
      mark: 'documented',
    },
    'anthropic-messages': {
      base: '/anthropic/v1',
      auth: header('x-api-key'),
      headers: ANTHROPIC_VERSION,
      facts: MESSAGES_LIKE,
      mark: 'documented',
    },
  },
  knows: ['hunyuan-*'],
  media: {
    embeddings: embeddingsAt('/v1', { dimensions: 'none', base64: false, tokens: false, user: false }, { batch: 50 }),
  },
});

export const qianfan = definePreset({
  id: 'qianfan',
  label: 'Baidu Qianfan (ERNIE)',
  docs: ['https://cloud.baidu.com/doc/qianfan-api/s/3m7of64lb', 'https://cloud.baidu.com/doc/qianfan-api/s/vmhejnuy8'],
  env: ['QIANFAN_API_KEY'],
  origin: 'https://qianfan.baidubce.com',
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/v2',
      facts: {
        ...CHAT_LIKE,
        maxStop: 4,
        logprobs: false,
        n: false,
        reasoningField: 'reasoning_content',
        reasoningControl: 'enable-thinking',
        efforts: ['none', 'low', 'medium', 'high'],
      },
      quirks: CHAT_LIKE_QUIRKS,
      mark: 'documented',
    },
    'openai-responses': { base: '/v2', facts: RESPONSES_LIKE, mark: 'documented' },
  },
  knows: ['ernie-*'],
  models: { path: '/v2/models', shape: 'openai' },
  media: {
    embeddings: embeddingsAt('/v2', { dimensions: 'none', base64: false, tokens: false }, { batch: 16 }),
  },
});

export const stepfun = definePreset({
  id: 'stepfun',
  label: 'StepFun',
  docs: [
    'https://platform.stepfun.com/docs/zh/api-reference/chat/chat-completion-create',
    'https://platform.stepfun.ai/docs/en/api-reference/chat/messages-create',
  ],
  env: ['STEPFUN_API_KEY', 'STEP_API_KEY'],
  origin: 'https://api.stepfun.ai',
  regions: { intl: 'https://api.stepfun.ai', cn: 'https://api.stepfun.com' },
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/v1',
      facts: {
        ...CHAT_LIKE,
        logprobs: false,
        reasoningField: 'reasoning',
        reasoningControl: 'effort',
        efforts: ['low', 'medium', 'high'],
        media: { image: 'url-and-bytes', document: 'none', audio: 'bytes', video: 'url-and-bytes' },
      },
      quirks: CHAT_LIKE_QUIRKS,
      mark: 'documented',
    },
    'anthropic-messages': {
      base: '/v1',
      headers: ANTHROPIC_VERSION,
      facts: { ...MESSAGES_LIKE, reasoningControl: 'effort', efforts: ['low', 'medium', 'high'], maxTemperature: 2 },
      mark: 'documented',
    },
  },
  knows: ['step-*'],
  rules: forModels(['step-1*', 'step-2*'], { reasoningControl: 'none' }),
  models: { path: '/v1/models', shape: 'openai' },
  media: stepfunAudioWires,
});
