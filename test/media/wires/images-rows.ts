import type { ImageRequest, MadeImage } from '../../../src/media/images/shape.ts';
import type { JsonObject, Usage } from '../../../src/ir/index.ts';
import type { ProviderSettings } from '../../../src/presets/preset.ts';
import type { MediaRefusal, MediaRow } from './media-row.ts';

/** One more request of a job, and its answer. */
export interface JobStep {
  readonly request: string;
  readonly body?: JsonObject;
  readonly reply: JsonObject;
}

/** What a wire for images is held to. Each is asked for the same, `ASKED` and one of `TASKS`. */
export interface ImagesRow extends MediaRow {
  readonly ability: 'images' | 'image-edits' | 'image-variations';
  readonly settings?: Omit<Partial<ProviderSettings>, 'preset'>;
  readonly asked?: Partial<ImageRequest>;
  readonly url: string;
  /** All but `content-type`. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, or the parts of a form in their order, files by their types. */
  readonly body?: JsonObject;
  readonly form?: readonly (readonly [name: string, value: string])[];
  readonly reply: JsonObject;
  readonly job?: readonly JobStep[];
  readonly images: readonly MadeImage[];
  readonly usage?: Usage;
  /** `field;what` pairs. */
  readonly notes?: string;
  readonly refusal: MediaRefusal;
}

export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAADklEQVR4nGNwgAEGOAsALRQEgQjZfUEAAAAASUVORK5CYII=';
const URI = `data:image/png;base64,${PNG}`;
const PROMPT = 'A lantern';

export const ASKED: Omit<ImageRequest, 'task' | 'images'> = {
  prompt: PROMPT,
  n: 1,
  size: { width: 1536, height: 1024, text: '1536x1024' },
  quality: 'high',
  seed: 7,
  negativePrompt: 'fog',
  outputFormat: 'png',
  user: 'user-1',
  rest: {},
  names: {
    size: 'size',
    quality: 'quality',
    style: 'style',
    background: 'background',
    outputFormat: 'output_format',
    compression: 'output_compression',
    moderation: 'moderation',
    fidelity: 'input_fidelity',
    user: 'user',
    seed: 'seed',
    negativePrompt: 'negative_prompt',
    mask: 'mask',
    n: 'n',
  },
};

/** White is edited. */
const MASKED: Partial<ImageRequest> = { mask: { data: Buffer.from(PNG, 'base64'), mediaType: 'image/png', at: 'mask', form: 'luma' } };

const BEARER = { authorization: 'Bearer k' };
const ERROR: MediaRefusal = {
  status: 400,
  body: { error: { message: 'Your request was rejected', type: 'image_generation_user_error', param: null, code: 'moderation_blocked' } },
  kind: 'bad_request',
  message: 'Your request was rejected',
};
const GOOGLE_ERROR: MediaRefusal = {
  status: 400,
  body: { error: { code: 400, message: 'Invalid aspect ratio', status: 'INVALID_ARGUMENT' } },
  kind: 'bad_request',
  message: 'Invalid aspect ratio',
};

const GPT_USAGE = {
  input_tokens: 10,
  input_tokens_details: { image_tokens: 0, text_tokens: 10 },
  output_tokens: 4160,
  output_tokens_details: { image_tokens: 4160, text_tokens: 0 },
  total_tokens: 4170,
};
const GPT_REPLY = {
  created: 1_790_000_000,
  background: 'opaque',
  data: [{ b64_json: PNG }],
  output_format: 'png',
  quality: 'high',
  size: '1536x1024',
  usage: GPT_USAGE,
};
const COUNTED: Usage = { input: 10, output: 4160, inputImage: 0, outputImage: 4160 };
const BYTES: readonly MadeImage[] = [{ data: PNG }];

const REMOTE = 'https://files.example.com/1.png';
const LINK: readonly MadeImage[] = [{ url: REMOTE }];
const LINK_REPLY = { created: 1_790_000_000, data: [{ url: REMOTE }] };
const BYTES_REPLY = { created: 1_790_000_000, data: [{ b64_json: PNG }] };

const TASK_WORDS = { images: 'generations', 'image-edits': 'edits', 'image-variations': 'variations' } as const;

// — OpenAI and its copies —

const OPENAI_PAGE = 'https://platform.openai.com/docs/api-reference/images';
/** What is asked of everybody, in OpenAI's own words. */
const openaiBody = (model: string, more: JsonObject = {}): JsonObject => ({
  model,
  prompt: PROMPT,
  n: 1,
  size: '1536x1024',
  quality: 'high',
  user: 'user-1',
  output_format: 'png',
  seed: 7,
  negative_prompt: 'fog',
  ...more,
});

type Short = Pick<ImagesRow, 'preset' | 'page' | 'model' | 'url'> & Partial<ImagesRow>;

const asForm = (body: JsonObject): readonly (readonly [string, string])[] =>
  Object.entries(body).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)] as const);

/** One row for each of OpenAI's tasks. */
function openaiRow(ability: ImagesRow['ability'], { model, ...row }: Short, more: JsonObject = {}): ImagesRow {
  const fields = openaiBody(model, more);
  const isForm = ability !== 'images';
  const { prompt: _prompt, ...unprompted } = fields;
  return {
    ability,
    headers: BEARER,
    ...(isForm ? { form: [...asForm(ability === 'image-variations' ? unprompted : fields), ['image', '(image/png)']] } : { body: fields }),
    reply: GPT_REPLY,
    images: BYTES,
    ...(row.reply ? {} : { usage: COUNTED }),
    refusal: ERROR,
    model,
    ...row,
  };
}

const openaiAt = (ability: ImagesRow['ability'], model: string, more: JsonObject = {}): ImagesRow =>
  openaiRow(ability, { preset: 'openai', page: OPENAI_PAGE, model, url: `https://api.openai.com/v1/images/${TASK_WORDS[ability]}` }, more);

const DALL_E = { response_format: 'b64_json' };

const OPENAI_ROWS: readonly ImagesRow[] = [
  ...(['images', 'image-edits'] as const).flatMap((ability) => [
    openaiAt(ability, 'gpt-image-2.5-sunburst'),
    openaiAt(ability, 'gpt-image-1.5'),
  ]),
  ...(['images', 'image-edits', 'image-variations'] as const).map((ability) => openaiAt(ability, 'dall-e-2', DALL_E)),
  openaiAt('images', 'dall-e-3', DALL_E),
  {
    ...openaiAt('images', 'gpt-image-2', { size: '1360x768' }),
    asked: { size: { ratio: '16:9' } },
  },
  {
    ...openaiAt('images', 'gpt-image-1', { size: '1536x1024' }),
    asked: { size: { ratio: '16:9' } },
    notes: 'size;approximated',
  },
];

const COPIES: readonly (readonly [preset: string, settings: ImagesRow['settings'], origin: string, page: string])[] = [
  ['openai-compatible', { baseUrl: 'http://10.0.0.5:9000/v1' }, 'http://10.0.0.5:9000', OPENAI_PAGE],
  ['xinference', {}, 'http://127.0.0.1:9997', 'https://inference.readthedocs.io/en/latest/models/model_abilities/image.html'],
  ['localai', {}, 'http://127.0.0.1:8080', 'https://localai.io/features/image-generation/'],
];

const COPY_ROWS: readonly ImagesRow[] = COPIES.flatMap(([preset, settings = {}, origin, page]) =>
  (['images', 'image-edits', 'image-variations'] as const).map((ability) =>
    openaiRow(ability, {
      preset,
      settings,
      page,
      model: 'flux.1-dev',
      url: `${origin}/v1/images/${TASK_WORDS[ability]}`,
      reply: LINK_REPLY,
      images: LINK,
    }),
  ),
);

const AZURE_PAGE = 'https://learn.microsoft.com/azure/ai-foundry/openai/reference';
const azure = (ability: ImagesRow['ability'], path: string, apiVersion?: string): ImagesRow =>
  openaiRow(ability, {
    preset: 'azure-openai',
    settings: { settings: { resource: 'acme', ...(apiVersion === undefined ? {} : { apiVersion }) } },
    page: AZURE_PAGE,
    model: 'my-images',
    url: `https://acme.openai.azure.com/openai${path}`,
    headers: { 'api-key': 'k' },
  });
const AZURE_ROWS: readonly ImagesRow[] = [
  azure('images', '/v1/images/generations'),
  azure('image-edits', '/v1/images/edits'),
  azure('images', '/deployments/my-images/images/generations?api-version=2025-04-01-preview', '2025-04-01-preview'),
];

// — Google —

const GOOGLE_KEY = { 'x-goog-api-key': 'k' };
const GEMINI_NOTES = 'quality;dropped, user;dropped, negative_prompt;moved';
const GEMINI_USAGE: Usage = { input: 6, output: 1300, outputImage: 1290 };
const GEMINI_REPLY = {
  candidates: [
    {
      content: {
        role: 'model',
        parts: [
          { thought: true, inlineData: { mimeType: 'image/png', data: 'ZHJhZnQ=' } },
          { text: 'Here.' },
          { inlineData: { mimeType: 'image/png', data: PNG } },
        ],
      },
      finishReason: 'STOP',
    },
  ],
  usageMetadata: {
    promptTokenCount: 6,
    candidatesTokenCount: 1290,
    thoughtsTokenCount: 10,
    candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1290 }],
  },
};

const geminiBody = (images: boolean, imageConfig: JsonObject): JsonObject => ({
  contents: [
    {
      role: 'user',
      parts: [...(images ? [{ inlineData: { mimeType: 'image/png', data: PNG } }] : []), { text: `${PROMPT}\n\nAvoid: fog` }],
    },
  ],
  generationConfig: { responseModalities: ['TEXT', 'IMAGE'], imageConfig, seed: 7 },
});

function geminiRow(ability: 'images' | 'image-edits', row: Short): ImagesRow {
  const isLarge = row.model.startsWith('gemini-3');
  return {
    ability,
    headers: GOOGLE_KEY,
    body: geminiBody(ability === 'image-edits', { aspectRatio: '3:2', ...(isLarge ? { imageSize: '2K' } : {}) }),
    reply: GEMINI_REPLY,
    images: BYTES,
    usage: GEMINI_USAGE,
    notes: GEMINI_NOTES,
    refusal: GOOGLE_ERROR,
    ...row,
    ...(isLarge ? { asked: { size: { width: 3072, height: 2048 } } } : {}),
  };
}

const GOOGLE: readonly (readonly [preset: string, settings: ImagesRow['settings'], base: string, page: string])[] = [
  ['gemini', {}, 'https://generativelanguage.googleapis.com/v1beta', 'https://ai.google.dev/gemini-api/docs/image-generation'],
  [
    'vertex',
    { region: 'us-central1', settings: { project: 'p-1' } },
    'https://us-central1-aiplatform.googleapis.com/v1/projects/p-1/locations/us-central1/publishers/google',
    'https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/image-generation',
  ],
  [
    'gemini-compatible',
    { baseUrl: 'http://10.0.0.5:9000' },
    'http://10.0.0.5:9000/v1beta',
    'https://ai.google.dev/gemini-api/docs/image-generation',
  ],
];

const IMAGEN_REPLY = { predictions: [{ bytesBase64Encoded: PNG, mimeType: 'image/png', prompt: 'A red lantern' }] };
const IMAGEN_IMAGES: readonly MadeImage[] = [{ data: PNG, revisedPrompt: 'A red lantern' }];
const VERTEX_PARAMETERS = {
  sampleCount: 1,
  aspectRatio: '4:3',
  negativePrompt: 'fog',
  seed: 7,
  addWatermark: false,
  outputOptions: { mimeType: 'image/png' },
};

function imagenRow(ability: 'images' | 'image-edits', row: Short, instance: JsonObject, parameters: JsonObject): ImagesRow {
  return {
    ability,
    headers: GOOGLE_KEY,
    body: { instances: [{ prompt: PROMPT, ...instance }], parameters },
    reply: IMAGEN_REPLY,
    images: IMAGEN_IMAGES,
    notes: 'quality;dropped, user;dropped, size;approximated',
    refusal: GOOGLE_ERROR,
    ...row,
  };
}

const VERTEX_BASE = 'https://us-central1-aiplatform.googleapis.com/v1/projects/p-1/locations/us-central1/publishers/google';
const VERTEX = { preset: 'vertex', settings: { region: 'us-central1', settings: { project: 'p-1' } } } as const;

const GOOGLE_ROWS: readonly ImagesRow[] = [
  ...GOOGLE.flatMap(([preset, settings = {}, base, page]) =>
    ['gemini-2.5-flash-image', 'gemini-3-pro-image-preview'].flatMap((model) =>
      (['images', 'image-edits'] as const).map((ability) =>
        geminiRow(ability, { preset, settings, page, model, url: `${base}/models/${model}:generateContent` }),
      ),
    ),
  ),
  imagenRow(
    'images',
    {
      preset: 'gemini',
      page: 'https://ai.google.dev/gemini-api/docs/imagen',
      model: 'imagen-4.0-generate-001',
      url: 'https://generativelanguage.googleapis.com/v1beta/models/imagen-4.0-generate-001:predict',
      notes: 'quality;dropped, user;dropped, seed;dropped, negative_prompt;dropped, size;approximated',
    },
    {},
    { sampleCount: 1, aspectRatio: '4:3', outputOptions: { mimeType: 'image/png' } },
  ),
  imagenRow(
    'images',
    {
      ...VERTEX,
      page: 'https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api',
      model: 'imagen-3.0-generate-002',
      url: `${VERTEX_BASE}/models/imagen-3.0-generate-002:predict`,
    },
    {},
    VERTEX_PARAMETERS,
  ),
  imagenRow(
    'image-edits',
    {
      ...VERTEX,
      page: 'https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api-customization',
      model: 'imagen-3.0-capability-001',
      url: `${VERTEX_BASE}/models/imagen-3.0-capability-001:predict`,
    },
    { referenceImages: [{ referenceType: 'REFERENCE_TYPE_RAW', referenceId: 1, referenceImage: { bytesBase64Encoded: PNG } }] },
    { ...VERTEX_PARAMETERS, editMode: 'EDIT_MODE_DEFAULT' },
  ),
  imagenRow(
    'image-edits',
    {
      ...VERTEX,
      page: 'https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api-edit',
      model: 'imagen-3.0-capability-001',
      url: `${VERTEX_BASE}/models/imagen-3.0-capability-001:predict`,
      asked: MASKED,
    },
    {
      referenceImages: [
        { referenceType: 'REFERENCE_TYPE_RAW', referenceId: 1, referenceImage: { bytesBase64Encoded: PNG } },
        {
          referenceType: 'REFERENCE_TYPE_MASK',
          referenceId: 2,
          referenceImage: { bytesBase64Encoded: PNG },
          maskImageConfig: { maskMode: 'MASK_MODE_USER_PROVIDED', dilation: 0 },
        },
      ],
    },
    { ...VERTEX_PARAMETERS, editMode: 'EDIT_MODE_INPAINT_INSERTION' },
  ),
];

// — Near to OpenAI's —

const XAI_PAGE = 'https://docs.x.ai/docs/guides/image-generations';
const XAI_REPLY = { data: [{ b64_json: PNG, mime_type: 'image/jpeg' }], usage: { cost_in_usd_ticks: 700_000_000 } };
const XAI_BODY = { model: 'grok-imagine-image-quality', prompt: PROMPT, n: 1, response_format: 'b64_json', user: 'user-1' };
const xai = (row: Partial<ImagesRow> & Pick<ImagesRow, 'ability' | 'body' | 'url'>): ImagesRow => ({
  preset: 'xai',
  page: XAI_PAGE,
  model: 'grok-imagine-image-quality',
  headers: BEARER,
  reply: XAI_REPLY,
  images: BYTES,
  notes: 'quality;dropped, seed;dropped, negative_prompt;dropped, output_format;approximated',
  refusal: {
    status: 400,
    body: { code: 'Client specified an invalid argument', error: 'Bad prompt' },
    kind: 'bad_request',
    message: 'Bad prompt',
  },
  ...row,
});

const ZAI_PAGE = 'https://docs.z.ai/api-reference/image/generate-image';
const zai = (model: string, size: string, notes: string): ImagesRow => ({
  preset: 'zai',
  ability: 'images',
  page: ZAI_PAGE,
  model,
  url: 'https://api.z.ai/api/paas/v4/images/generations',
  headers: BEARER,
  body: { model, prompt: PROMPT, size, quality: 'hd', user_id: 'user-1' },
  reply: { ...LINK_REPLY, content_filter: [{ role: 'assistant', level: 3 }] },
  images: LINK,
  notes,
  refusal: { status: 400, body: { error: { code: '1210', message: 'Invalid size' } }, kind: 'bad_request', message: 'Invalid size' },
});

const SILICON_PAGE = 'https://docs.siliconflow.com/en/api-reference/images/images-generations';
const siliconflow = (ability: 'images' | 'image-edits', model: string, more: JsonObject): ImagesRow => ({
  preset: 'siliconflow',
  ability,
  page: SILICON_PAGE,
  model,
  url: 'https://api.siliconflow.com/v1/images/generations',
  headers: BEARER,
  body: { model, prompt: PROMPT, seed: 7, negative_prompt: 'fog', ...more },
  reply: { images: [{ url: REMOTE }], timings: { inference: 1.2 }, seed: 7 },
  images: LINK,
  notes: 'quality;dropped, user;dropped',
  refusal: {
    status: 400,
    body: { code: 20012, message: 'Model does not exist', data: null },
    kind: 'bad_request',
    message: 'Model does not exist',
  },
});

const ARK_PAGE = 'https://www.volcengine.com/docs/82379/1541523';
const volcengine = (ability: 'images' | 'image-edits', model: string, more: JsonObject, notes = ''): ImagesRow => ({
  preset: 'volcengine',
  ability,
  page: ARK_PAGE,
  model,
  url: 'https://ark.cn-beijing.volces.com/api/v3/images/generations',
  headers: BEARER,
  body: { model, prompt: PROMPT, size: '1536x1024', seed: 7, response_format: 'b64_json', ...more },
  reply: { model, ...BYTES_REPLY, usage: { generated_images: 1, output_tokens: 4096, total_tokens: 4096 } },
  images: BYTES,
  usage: { input: 0, output: 4096 },
  notes: `quality;dropped, user;dropped, negative_prompt;dropped, output_format;approximated${notes}`,
  refusal: {
    status: 400,
    body: { error: { code: 'InvalidParameter', message: 'size is not valid', param: 'size', type: 'BadRequest' } },
    kind: 'bad_request',
    message: 'size is not valid',
  },
});

const together = (ability: 'images' | 'image-edits', model: string, more: JsonObject = {}): ImagesRow => ({
  preset: 'together',
  ability,
  page: 'https://docs.together.ai/reference/post-images-generations',
  model,
  url: 'https://api.together.ai/v1/images/generations',
  headers: BEARER,
  body: {
    model,
    prompt: PROMPT,
    n: 1,
    width: 1536,
    height: 1024,
    seed: 7,
    negative_prompt: 'fog',
    response_format: 'base64',
    output_format: 'png',
    ...more,
  },
  reply: { id: 'o-1', model, object: 'list', data: [{ index: 0, b64_json: PNG, type: 'b64_json' }] },
  images: BYTES,
  notes: 'quality;dropped, user;dropped',
  refusal: {
    status: 422,
    body: { id: 'o-2', error: { message: 'NSFW content', type: 'invalid_request_error', param: null, code: null } },
    kind: 'bad_request',
    message: 'NSFW content',
  },
});

const NEAR_ROWS: readonly ImagesRow[] = [
  xai({ ability: 'images', url: 'https://api.x.ai/v1/images/generations', body: { ...XAI_BODY, aspect_ratio: '3:2' } }),
  xai({
    ability: 'image-edits',
    url: 'https://api.x.ai/v1/images/edits',
    body: { ...XAI_BODY, aspect_ratio: '3:2', image: { url: URI, type: 'image_url' } },
  }),
  xai({
    ability: 'images',
    model: 'grok-2-image',
    url: 'https://api.x.ai/v1/images/generations',
    body: { ...XAI_BODY, model: 'grok-2-image' },
    notes: 'quality;dropped, seed;dropped, negative_prompt;dropped, output_format;approximated, size;dropped',
  }),
  zai('cogview-4-250304', '1536x1024', 'seed;dropped, negative_prompt;dropped'),
  zai('glm-image', '1536x1024', 'seed;dropped, negative_prompt;dropped'),
  siliconflow('images', 'Kwai-Kolors/Kolors', { image_size: '1536x1024', batch_size: 1 }),
  siliconflow('images', 'Qwen/Qwen-Image', { image_size: '1536x1024' }),
  siliconflow('image-edits', 'Qwen/Qwen-Image-Edit-2509', { image: URI }),
  volcengine('images', 'doubao-seedream-4-0-250828', {}),
  volcengine('images', 'doubao-seedream-4-5-251128', { size: '2352x1568' }, ', size;approximated'),
  volcengine('image-edits', 'doubao-seedream-4-0-250828', { image: URI }),
  volcengine('image-edits', 'doubao-seedream-4-5-251128', { image: URI, size: '2352x1568' }, ', size;approximated'),
  volcengine('image-edits', 'doubao-seededit-3-0-i2i-250628', { image: URI }),
  together('images', 'black-forest-labs/FLUX.1-schnell'),
  together('image-edits', 'black-forest-labs/FLUX.1-kontext-pro', { image_url: URI }),
];

const OPENROUTER_ROWS: readonly ImagesRow[] = (['images', 'image-edits'] as const).map((ability) => ({
  preset: 'openrouter',
  ability,
  page: 'https://openrouter.ai/docs/guides/overview/multimodal/image-generation',
  model: 'google/gemini-2.5-flash-image',
  url: 'https://openrouter.ai/api/v1/chat/completions',
  headers: BEARER,
  body: {
    model: 'google/gemini-2.5-flash-image',
    messages: [
      {
        role: 'user',
        content: [...(ability === 'images' ? [] : [{ type: 'image_url', image_url: { url: URI } }]), { type: 'text', text: PROMPT }],
      },
    ],
    modalities: ['image', 'text'],
    image_config: { aspect_ratio: '3:2' },
    seed: 7,
    user: 'user-1',
  },
  reply: {
    id: 'gen-1',
    model: 'google/gemini-2.5-flash-image',
    choices: [
      { message: { role: 'assistant', content: 'Here.', images: [{ type: 'image_url', image_url: { url: URI } }] }, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 6, completion_tokens: 1290, total_tokens: 1296 },
  },
  images: [{ url: URI }],
  usage: { input: 6, output: 1290 },
  notes: 'quality;dropped, negative_prompt;dropped',
  refusal: {
    status: 400,
    body: { error: { code: 400, message: 'No endpoints found' } },
    kind: 'bad_request',
    message: 'No endpoints found',
  },
}));

// — Dialects of their own —

const STABILITY_PAGE = 'https://platform.stability.ai/docs/api-reference#tag/Generate';
const STABILITY_NOTES = 'quality;dropped, user;dropped';
const stability = (model: string, service: string, form: ImagesRow['form'], ability: 'images' | 'image-edits' = 'images'): ImagesRow => ({
  preset: 'stability',
  ability,
  page: STABILITY_PAGE,
  model,
  url: `https://api.stability.ai/v2beta/stable-image/generate/${service}`,
  headers: { ...BEARER, accept: 'application/json' },
  form: [['prompt', PROMPT], ...(form ?? []), ['negative_prompt', 'fog'], ['seed', '7'], ['output_format', 'png']],
  reply: { image: PNG, finish_reason: 'SUCCESS', seed: 7 },
  images: BYTES,
  notes: STABILITY_NOTES,
  refusal: {
    status: 400,
    body: { id: 'e-1', name: 'bad_request', errors: ['prompt: must not be empty'] },
    kind: 'bad_request',
    message: 'prompt: must not be empty',
  },
});

const BFL_PAGE = 'https://docs.bfl.ai/quick_start/generating_images';
const BFL_NOTES = 'quality;dropped, user;dropped, negative_prompt;dropped';
const bfl = (ability: 'images' | 'image-edits', model: string, body: JsonObject, row: Partial<ImagesRow> = {}): ImagesRow => ({
  preset: 'bfl',
  ability,
  page: BFL_PAGE,
  model,
  url: `https://api.bfl.ai/v1/${model}`,
  headers: { 'x-key': 'k' },
  body: { prompt: PROMPT, ...body, seed: 7, output_format: 'png' },
  reply: { id: 'job-1', polling_url: 'https://api.us1.bfl.ai/v1/get_result?id=job-1' },
  job: [
    {
      request: 'GET https://api.us1.bfl.ai/v1/get_result?id=job-1',
      reply: { id: 'job-1', status: 'Pending', result: null, progress: 0.4 },
    },
    {
      request: 'GET https://api.us1.bfl.ai/v1/get_result?id=job-1',
      reply: { id: 'job-1', status: 'Ready', result: { sample: REMOTE, prompt: PROMPT, seed: 7 } },
    },
  ],
  images: LINK,
  notes: BFL_NOTES,
  refusal: {
    status: 422,
    body: { detail: [{ loc: ['body', 'width'], msg: 'ensure this value is a multiple of 32', type: 'value_error' }] },
    kind: 'bad_request',
    message: 'ensure this value is a multiple of 32',
  },
  ...row,
});

const FIREWORKS_NOTES = 'quality;dropped, user;dropped, negative_prompt;dropped';
const FIREWORKS_REFUSAL: MediaRefusal = {
  status: 400,
  body: { error: { object: 'error', type: 'invalid_request_error', code: 'invalid_request_error', message: 'Bad aspect ratio' } },
  kind: 'bad_request',
  message: 'Bad aspect ratio',
};
const KONTEXT = 'accounts/fireworks/models/flux-kontext-pro';
const kontext = (ability: 'images' | 'image-edits', more: JsonObject): ImagesRow => ({
  preset: 'fireworks',
  ability,
  page: 'https://docs.fireworks.ai/api-reference/generate-or-edit-image-using-flux-kontext',
  model: KONTEXT,
  url: `https://api.fireworks.ai/inference/v1/workflows/${KONTEXT}`,
  headers: BEARER,
  body: { prompt: PROMPT, ...more, aspect_ratio: '3:2', seed: 7, output_format: 'png' },
  reply: { request_id: 'r-1' },
  job: [
    {
      request: `POST https://api.fireworks.ai/inference/v1/workflows/${KONTEXT}/get_result`,
      body: { id: 'r-1' },
      reply: { id: 'r-1', status: 'Pending', result: null },
    },
    {
      request: `POST https://api.fireworks.ai/inference/v1/workflows/${KONTEXT}/get_result`,
      body: { id: 'r-1' },
      reply: { id: 'r-1', status: 'Ready', result: { sample: REMOTE } },
    },
  ],
  images: LINK,
  notes: FIREWORKS_NOTES,
  refusal: FIREWORKS_REFUSAL,
});

const DASHSCOPE_NOTES = 'quality;dropped, user;dropped';
const DASHSCOPE = 'https://dashscope-intl.aliyuncs.com/api/v1';
const DASHSCOPE_REFUSAL: MediaRefusal = {
  status: 400,
  body: { code: 'InvalidParameter', message: 'size is not valid', request_id: 'r-1' },
  kind: 'bad_request',
  message: 'size is not valid',
};
const job = (
  ability: 'images' | 'image-edits',
  model: string,
  page: string,
  input: JsonObject,
  parameters: JsonObject,
  notes = '',
): ImagesRow => ({
  preset: 'dashscope',
  ability,
  page,
  model,
  url: `${DASHSCOPE}/services/aigc/${ability === 'images' ? 'text2image' : 'image2image'}/image-synthesis`,
  headers: { ...BEARER, 'x-dashscope-async': 'enable' },
  body: { model, input: { prompt: PROMPT, ...input }, parameters: { n: 1, seed: 7, ...parameters } },
  reply: { output: { task_id: 't-1', task_status: 'PENDING' }, request_id: 'r-1' },
  job: [
    { request: `GET ${DASHSCOPE}/tasks/t-1`, reply: { request_id: 'r-2', output: { task_id: 't-1', task_status: 'RUNNING' } } },
    {
      request: `GET ${DASHSCOPE}/tasks/t-1`,
      reply: {
        request_id: 'r-3',
        output: {
          task_id: 't-1',
          task_status: 'SUCCEEDED',
          results: [{ orig_prompt: PROMPT, actual_prompt: 'A red lantern', url: REMOTE }],
        },
        usage: { image_count: 1 },
      },
    },
  ],
  images: [{ url: REMOTE, revisedPrompt: 'A red lantern' }],
  notes: DASHSCOPE_NOTES + notes,
  refusal: DASHSCOPE_REFUSAL,
});

function conversation(ability: 'images' | 'image-edits', model: string, size: string, notes = ''): ImagesRow {
  const content = [...(ability === 'images' ? [] : [{ image: URI }]), { text: PROMPT }];
  return {
    preset: 'dashscope',
    ability,
    page: 'https://www.alibabacloud.com/help/en/model-studio/qwen-image-api',
    model,
    url: `${DASHSCOPE}/services/aigc/multimodal-generation/generation`,
    headers: BEARER,
    body: { model, input: { messages: [{ role: 'user', content }] }, parameters: { size, n: 1, seed: 7, negative_prompt: 'fog' } },
    reply: {
      output: { choices: [{ finish_reason: 'stop', message: { role: 'assistant', content: [{ image: REMOTE }] } }] },
      usage: { image_count: 1, width: 1664, height: 928 },
      request_id: 'r-1',
    },
    images: LINK,
    notes: DASHSCOPE_NOTES + notes,
    refusal: DASHSCOPE_REFUSAL,
  };
}

const WAN_PAGE = 'https://www.alibabacloud.com/help/en/model-studio/text-to-image-v2-api-reference';

const OWN_ROWS: readonly ImagesRow[] = [
  stability('stable-image-core', 'core', [['aspect_ratio', '3:2']]),
  stability('sd3.5-large', 'sd3', [
    ['model', 'sd3.5-large'],
    ['mode', 'text-to-image'],
    ['aspect_ratio', '3:2'],
  ]),
  stability(
    'stable-image-ultra',
    'ultra',
    [
      ['image', '(image/png)'],
      ['strength', '0.7'],
    ],
    'image-edits',
  ),
  bfl('images', 'flux-pro-1.1', { width: 1440, height: 960 }, { notes: `${BFL_NOTES}, size;approximated` }),
  bfl('images', 'flux-kontext-pro', { aspect_ratio: '3:2' }),
  bfl('images', 'flux-2-pro', { width: 1536, height: 1024 }),
  bfl('image-edits', 'flux-kontext-max', { aspect_ratio: '3:2', input_image: PNG }),
  bfl('image-edits', 'flux-2-pro', { width: 1536, height: 1024, input_image: PNG }),
  bfl('image-edits', 'flux-pro-1.0-fill', { image: PNG }),
  bfl('image-edits', 'flux-pro-1.0-fill', { image: PNG, mask: PNG }, { asked: MASKED }),
  {
    ...stability(
      'sd3.5-large',
      'inpaint',
      [
        ['image', '(image/png)'],
        ['mask', '(image/png)'],
      ],
      'image-edits',
    ),
    page: 'https://platform.stability.ai/docs/api-reference#tag/Edit',
    url: 'https://api.stability.ai/v2beta/stable-image/edit/inpaint',
    asked: MASKED,
  },
  {
    ...job(
      'image-edits',
      'wanx2.1-imageedit',
      'https://www.alibabacloud.com/help/en/model-studio/wanx-image-edit-api-reference',
      { function: 'description_edit_with_mask', base_image_url: URI, mask_image_url: URI },
      {},
    ),
    asked: MASKED,
  },
  {
    preset: 'fireworks',
    ability: 'images',
    page: 'https://docs.fireworks.ai/api-reference/generate-a-new-image-from-a-text-prompt',
    model: 'accounts/fireworks/models/flux-1-schnell-fp8',
    url: 'https://api.fireworks.ai/inference/v1/workflows/accounts/fireworks/models/flux-1-schnell-fp8/text_to_image',
    headers: { ...BEARER, accept: 'application/json' },
    body: { prompt: PROMPT, aspect_ratio: '3:2', seed: 7 },
    reply: { id: 'i-1', base64: [PNG], finishReason: 'SUCCESS', seed: 7 },
    images: BYTES,
    notes: FIREWORKS_NOTES,
    refusal: FIREWORKS_REFUSAL,
  },
  kontext('images', {}),
  kontext('image-edits', { input_image: URI }),
  job('images', 'wan2.5-t2i-preview', WAN_PAGE, { negative_prompt: 'fog' }, { size: '1440*960' }, ', size;approximated'),
  job(
    'image-edits',
    'wan2.5-i2i-preview',
    'https://www.alibabacloud.com/help/en/model-studio/wan2-5-image-edit-api-reference',
    { negative_prompt: 'fog', images: [URI] },
    { size: '1440*960' },
    ', size;approximated',
  ),
  job(
    'image-edits',
    'wanx2.1-imageedit',
    'https://www.alibabacloud.com/help/en/model-studio/wanx-image-edit-api-reference',
    { function: 'description_edit', base_image_url: URI },
    {},
  ),
  conversation('images', 'qwen-image-plus', '1472*1104', ', size;approximated'),
  conversation('images', 'qwen-image-2.0-pro', '1536*1024'),
  { ...conversation('images', 'wan2.6-t2i', '1440*960', ', size;approximated'), page: WAN_PAGE },
  { ...conversation('images', 'wan2.7-image-pro', '1536*1024'), page: WAN_PAGE },
  conversation('images', 'z-image-turbo', '1536*1024'),
  conversation('image-edits', 'qwen-image-edit', '1440*960', ', size;approximated'),
  conversation('image-edits', 'qwen-image-edit-plus', '1536*1024'),
  conversation('image-edits', 'wan2.6-image', '1440*960', ', size;approximated'),
  { ...conversation('image-edits', 'wan2.7-image', '1536*1024'), page: WAN_PAGE },
];

export const IMAGES_ROWS: readonly ImagesRow[] = [
  ...OPENAI_ROWS,
  ...COPY_ROWS,
  ...AZURE_ROWS,
  ...GOOGLE_ROWS,
  ...NEAR_ROWS,
  ...OPENROUTER_ROWS,
  ...OWN_ROWS,
];
