import type { MediaWire, Preset } from './preset.ts';

/*
 * Who makes images, and how: the `images`, `image-edits` and `image-variations` of presets, side by side, since they differ in a few
 * words only. What the options mean stands in the codecs of `src/media/images`.
 */

type ImageWires = Pick<NonNullable<Preset['media']>, 'images' | 'image-edits' | 'image-variations'>;

const DALL_E_2: MediaWire = {
  codec: 'openai',
  base: '/v1',
  models: ['dall-e-2*'],
  options: { format: 'b64_json', sizes: '256x256 512x512 1024x1024' },
  mark: 'recorded',
};
const DALL_E_3: MediaWire = {
  ...DALL_E_2,
  models: ['dall-e-3*'],
  options: { format: 'b64_json', sizes: '1024x1024 1792x1024 1024x1792', most: 1 },
};
/** Any size whose sides are multiples of 16. https://platform.openai.com/docs/guides/image-generation */
const GPT_IMAGE_ANY: MediaWire = {
  codec: 'openai',
  base: '/v1',
  models: ['gpt-image-2*', 'chatgpt-image-*'],
  options: { sizes: 'any', stream: true },
  mark: 'recorded',
};
const GPT_IMAGE: MediaWire = { ...GPT_IMAGE_ANY, models: ['gpt-image-*'], options: { stream: true } };

/** OpenAI. */
export const openaiImageWires: ImageWires = {
  images: [GPT_IMAGE_ANY, GPT_IMAGE, DALL_E_3, DALL_E_2],
  'image-edits': [GPT_IMAGE_ANY, GPT_IMAGE, DALL_E_2],
  'image-variations': DALL_E_2,
};

/** Any server that copies OpenAI's: which models make images is known to its operator only. */
const COPY: MediaWire = { codec: 'openai', base: '/v1', options: { stream: true, sizes: 'any' }, mark: 'documented' };
/** Any copy. */
export const openaiCopyImageWires: ImageWires = { images: COPY, 'image-edits': COPY, 'image-variations': COPY };

/** https://ai.google.dev/gemini-api/docs/image-generation */
const GEMINI_IMAGE: MediaWire = { codec: 'gemini', base: '/v1beta', models: ['gemini-*image*'], options: {}, mark: 'recorded' };
/** Larger images since Gemini 3. */
const GEMINI_3_IMAGE: MediaWire = { ...GEMINI_IMAGE, models: ['gemini-3*image*'], options: { sizes: true } };

/** Gemini's models that make images in a conversation. */
export const geminiImageWires: ImageWires = {
  images: [GEMINI_3_IMAGE, GEMINI_IMAGE],
  'image-edits': [GEMINI_3_IMAGE, GEMINI_IMAGE],
};

/** https://ai.google.dev/gemini-api/docs/imagen */
const IMAGEN: MediaWire = { codec: 'imagen', base: '/v1beta', models: ['imagen-*'], mark: 'documented' };

/** Gemini and Imagen, with a key of AI Studio. */
export const googleImageWires: ImageWires = { ...geminiImageWires, images: [GEMINI_3_IMAGE, GEMINI_IMAGE, IMAGEN] };

/** The same models by Vertex AI; Imagen's edits have a model of their own. */
export function vertexImageWires(base: string): ImageWires {
  const at = (wire: MediaWire, more: Partial<MediaWire> = {}): MediaWire => ({ ...wire, base, ...more });
  const imagen = at(IMAGEN, { options: { vertex: true }, mark: 'recorded' });
  return {
    images: [at(GEMINI_3_IMAGE), at(GEMINI_IMAGE), imagen],
    'image-edits': [at(GEMINI_3_IMAGE), at(GEMINI_IMAGE), { ...imagen, models: ['imagen-*capability*'], mark: 'documented' }],
  };
}

/** Deployments are named by their owner. https://learn.microsoft.com/azure/ai-foundry/openai/how-to/dall-e */
const AZURE: MediaWire = {
  codec: 'openai',
  base: '/openai',
  models: ['!*claude*'],
  options: { azure: true, stream: true },
  mark: 'documented',
};
/** Azure OpenAI. */
export const azureImageWires: ImageWires = { images: AZURE, 'image-edits': AZURE };

/** https://docs.x.ai/docs/guides/image-generations */
const XAI: MediaWire = { codec: 'xai', base: '/v1', models: ['grok-imagine-image*'], options: { ratios: true }, mark: 'recorded' };
/** xAI. */
export const xaiImageWires: ImageWires = {
  images: [
    { ...XAI, mark: 'documented' },
    { ...XAI, models: ['grok-*image*'], options: {}, mark: 'documented' },
  ],
  'image-edits': XAI,
};

/** https://docs.z.ai/api-reference/image/generate-image */
const ZAI: MediaWire = { codec: 'zai', base: '/api/paas/v4', models: ['cogview-*'], mark: 'documented' };
/** Z.ai. */
export const zaiImageWires: ImageWires = {
  images: [ZAI, { ...ZAI, models: ['glm-image*'], options: { step: 32, min: 1024, max: 2048 } }],
};

const SILICONFLOW: MediaWire = { codec: 'siliconflow', base: '/v1', mark: 'documented' };
/** SiliconFlow. */
export const siliconflowImageWires: ImageWires = {
  images: [{ ...SILICONFLOW, models: ['*Kolors*'], options: { most: 4 } }, SILICONFLOW],
  'image-edits': SILICONFLOW,
};

/** https://www.volcengine.com/docs/82379/1541523 */
const SEEDREAM: MediaWire = {
  codec: 'volcengine',
  base: '/api/v3',
  models: ['*seedream-*', 'ep-*'],
  options: { images: 10 },
  mark: 'documented',
};
const SEEDREAM_LARGE: MediaWire = { ...SEEDREAM, models: ['*seedream-4-5*', '*seedream-5*'], options: { images: 14, area: 2560 * 1440 } };
const SEEDEDIT: MediaWire = { ...SEEDREAM, models: ['*seededit-*'], options: {} };
/** Volcengine Ark. */
export const volcengineImageWires: ImageWires = {
  images: [SEEDREAM_LARGE, SEEDREAM],
  'image-edits': [SEEDREAM_LARGE, { ...SEEDREAM, models: ['*seedream-4*', 'ep-*'] }, SEEDEDIT],
};

const DASHSCOPE: MediaWire = { codec: 'dashscope', base: '/api/v1', mark: 'documented' };
const QWEN_SIZES = '1664x928 1472x1104 1328x1328 1104x1472 928x1664';
/** DashScope: Qwen Image, Wan, Z-Image. */
export const dashscopeImageWires: ImageWires = {
  images: [
    { ...DASHSCOPE, models: ['qwen-image-2*'], options: { form: 'conversation', most: 6, max: 2048 } },
    { ...DASHSCOPE, models: ['qwen-image*'], options: { form: 'conversation', most: 1, sizes: QWEN_SIZES } },
    { ...DASHSCOPE, models: ['wan2.6-t2i*'], options: { form: 'conversation' } },
    { ...DASHSCOPE, models: ['wan2.7-image*'], options: { form: 'conversation', max: 2048 } },
    { ...DASHSCOPE, models: ['z-image*'], options: { form: 'conversation', most: 1, max: 2048 } },
    { ...DASHSCOPE, models: ['wan2*-t2i*', 'wanx*-t2i*'] },
  ],
  'image-edits': [
    { ...DASHSCOPE, models: ['qwen-image-edit', 'qwen-image-edit-2025*'], options: { form: 'conversation', most: 1 } },
    { ...DASHSCOPE, models: ['qwen-image-edit-*', 'qwen-image-2*'], options: { form: 'conversation', most: 6, max: 2048 } },
    { ...DASHSCOPE, models: ['wan2.6-image*'], options: { form: 'conversation', images: 4 } },
    { ...DASHSCOPE, models: ['wan2.7-image*'], options: { form: 'conversation', images: 9, max: 2048 } },
    { ...DASHSCOPE, models: ['wan2.5-i2i*'] },
    { ...DASHSCOPE, models: ['wanx2.1-imageedit*'], options: { edits: 'base_image_url' } },
  ],
};

const TOGETHER: MediaWire = { codec: 'together', base: '/v1', mark: 'documented' };
/** Together. */
export const togetherImageWires: ImageWires = {
  images: TOGETHER,
  'image-edits': { ...TOGETHER, models: ['*kontext*', '*FLUX.2*', '*flash-image*', '*dit*'] },
};

const FIREWORKS: MediaWire = { codec: 'fireworks', base: '/inference/v1', models: ['!*kontext*'], mark: 'documented' };
const FIREWORKS_JOB: MediaWire = { ...FIREWORKS, models: ['*kontext*'], options: { job: true } };
/** Fireworks. */
export const fireworksImageWires: ImageWires = { images: [FIREWORKS_JOB, FIREWORKS], 'image-edits': FIREWORKS_JOB };

const OPENROUTER: MediaWire = {
  codec: 'chat',
  base: '/api/v1',
  models: ['*image*', 'black-forest-labs/*', '*seedream*', 'sourceful/*'],
  mark: 'documented',
};
/** OpenRouter: images out of chat. */
export const openrouterImageWires: ImageWires = { images: OPENROUTER, 'image-edits': OPENROUTER };
