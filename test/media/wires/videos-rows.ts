import type { JsonObject } from '../../../src/ir/index.ts';
import type { VideoImage, VideoRequest } from '../../../src/media/videos/shape.ts';
import type { ProviderSettings } from '../../../src/presets/preset.ts';
import type { MediaRefusal, MediaRow } from './media-row.ts';

/** A request as it goes out. A form's body is given as its text fields. */
interface Sent {
  /** Method and address. */
  readonly to: string;
  readonly body?: JsonObject;
}

/** How a job ended, as the vendor says it and as we do. */
interface Ending {
  readonly reply: JsonObject;
  readonly code: string;
  readonly message: string;
}

/** What a wire of videos is held to: the submission, the question, and what its vendor's words mean. */
export interface VideoRow extends MediaRow {
  readonly ability: 'videos';
  readonly settings?: Omit<Partial<ProviderSettings>, 'preset'>;
  readonly wish: Partial<VideoRequest>;
  /** All but `content-type`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly submission: Sent;
  readonly accepted: JsonObject;
  readonly remoteId: string;
  readonly poll: Sent;
  /** Headers of the question where they are others. */
  readonly pollHeaders?: Readonly<Record<string, string>>;
  readonly running: { readonly reply: JsonObject; readonly progress?: number };
  readonly done: { readonly reply: JsonObject; readonly outputs: readonly JsonObject[] };
  readonly failed: Ending;
  readonly refusal: MediaRefusal;
  readonly cancel?: string;
  readonly remove?: string;
  readonly notes?: string;
}

const BEARER = { authorization: 'Bearer k' };
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const URI = `data:image/png;base64,${PNG}`;
const image = (role: NonNullable<VideoImage['role']>, more: Partial<VideoImage> = {}): VideoImage => ({
  data: Buffer.from(PNG, 'base64'),
  mediaType: 'image/png',
  at: 'input_reference',
  role,
  ...more,
});
const HD = { size: { width: 1280, height: 720 }, ratio: '16:9', resolution: '720p' };
const VIDEO = 'https://cdn.example.com/v.mp4';
const videoAt = (url: string): JsonObject => ({ variant: 'video', from: { url } });

/** How a job of Alibaba's goes on. */
const WAN_JOB = {
  accepted: { request_id: 'q', output: { task_id: 't-1', task_status: 'PENDING' } },
  remoteId: 't-1',
  poll: { to: 'GET https://dashscope-intl.aliyuncs.com/api/v1/tasks/t-1' },
  running: { reply: { output: { task_id: 't-1', task_status: 'RUNNING' } } },
  done: { reply: { output: { task_id: 't-1', task_status: 'SUCCEEDED', video_url: VIDEO } }, outputs: [videoAt(VIDEO)] },
  failed: {
    reply: { output: { task_id: 't-1', task_status: 'FAILED', code: 'InternalError', message: 'It broke' } },
    code: 'InternalError',
    message: 'It broke',
  },
  cancel: 'POST https://dashscope-intl.aliyuncs.com/api/v1/tasks/t-1/cancel',
  refusal: {
    status: 400,
    body: { code: 'InvalidParameter', message: 'media is missing' },
    kind: 'bad_request',
    message: 'media is missing',
  },
} as const satisfies Partial<VideoRow>;

/** How a job of Runway's goes on. */
const RUNWAY_JOB = {
  accepted: { id: '497f6eca' },
  remoteId: '497f6eca',
  poll: { to: 'GET https://api.dev.runwayml.com/v1/tasks/497f6eca' },
  running: { reply: { id: '497f6eca', status: 'THROTTLED' } },
  done: { reply: { id: '497f6eca', status: 'SUCCEEDED', output: [VIDEO] }, outputs: [videoAt(VIDEO)] },
  failed: {
    reply: { id: '497f6eca', status: 'FAILED', failure: 'It broke', failureCode: 'INTERNAL' },
    code: 'INTERNAL',
    message: 'It broke',
  },
  cancel: 'DELETE https://api.dev.runwayml.com/v1/tasks/497f6eca',
  remove: 'DELETE https://api.dev.runwayml.com/v1/tasks/497f6eca',
  refusal: { status: 400, body: { error: 'The prompt is too long' }, kind: 'bad_request', message: 'The prompt is too long' },
} as const satisfies Partial<VideoRow>;

/** Runway wants a length said: what is asked for, or the model's usual one. */
const RUNWAY_TEXTS: readonly (readonly [model: string, seconds: number | undefined, duration: number, notes?: string])[] = [
  ['gen4.5', undefined, 5],
  ['veo3', undefined, 8],
  ['veo3.1_fast', 5, 6, 'seconds;approximated'],
];

const OPENAI_REFUSAL: MediaRefusal = {
  status: 400,
  body: { error: { message: 'Your prompt is not allowed', type: 'invalid_request_error', param: 'prompt', code: 'moderation_blocked' } },
  kind: 'bad_request',
  message: 'Your prompt is not allowed',
};

const openaiContent = (id: string, variants: boolean): readonly JsonObject[] => [
  { variant: 'video', from: { request: { method: 'GET', path: `/videos/${id}/content` } } },
  ...(variants
    ? ['thumbnail', 'spritesheet'].map((variant) => ({
        variant,
        isOptional: true,
        from: { request: { method: 'GET', path: `/videos/${id}/content?variant=${variant}` } },
      }))
    : []),
];

const OPENAI = {
  ability: 'videos',
  page: 'https://platform.openai.com/docs/api-reference/videos/create',
  headers: BEARER,
  accepted: { id: 'video_9', object: 'video', status: 'queued', progress: 0, model: 'sora-2' },
  remoteId: 'video_9',
  running: { reply: { id: 'video_9', object: 'video', status: 'in_progress', progress: 33 }, progress: 33 },
  done: {
    reply: { id: 'video_9', object: 'video', status: 'completed', progress: 100, expires_at: 1_800_000_000 },
    outputs: openaiContent('video_9', true),
  },
  failed: {
    reply: { id: 'video_9', status: 'failed', error: { code: 'moderation_blocked', message: 'Not this' } },
    code: 'moderation_blocked',
    message: 'Not this',
  },
  refusal: OPENAI_REFUSAL,
} as const;

const GOOGLE_REFUSAL: MediaRefusal = {
  status: 400,
  body: { error: { code: 400, message: 'durationSeconds is out of bound', status: 'INVALID_ARGUMENT' } },
  kind: 'bad_request',
  message: 'durationSeconds is out of bound',
};

const veoFailed = (name: string): Ending => ({
  reply: { name, done: true, error: { code: 3, message: 'The prompt was refused' } },
  code: '3',
  message: 'The prompt was refused',
});

const VERTEX_BASE =
  'https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/veo-3.1-generate-001';
const VERTEX_NAME = 'projects/p/locations/us-central1/publishers/google/models/veo-3.1-generate-001/operations/7f';

export const VIDEOS_ROWS: readonly VideoRow[] = [
  {
    ...OPENAI,
    preset: 'openai',
    model: 'sora-2',
    wish: { ...HD, seconds: 8 },
    submission: { to: 'POST https://api.openai.com/v1/videos', body: { model: 'sora-2', prompt: 'a cat', seconds: '8', size: '1280x720' } },
    poll: { to: 'GET https://api.openai.com/v1/videos/video_9' },
    remove: 'DELETE https://api.openai.com/v1/videos/video_9',
  },
  {
    ...OPENAI,
    preset: 'azure-openai',
    model: 'my-sora',
    page: 'https://learn.microsoft.com/azure/ai-foundry/openai/concepts/video-generation',
    settings: { settings: { resource: 'acme' } },
    headers: { 'api-key': 'k' },
    wish: { seconds: 4 },
    submission: { to: 'POST https://acme.openai.azure.com/openai/v1/videos', body: { model: 'my-sora', prompt: 'a cat', seconds: '4' } },
    poll: { to: 'GET https://acme.openai.azure.com/openai/v1/videos/video_9' },
    remove: 'DELETE https://acme.openai.azure.com/openai/v1/videos/video_9',
  },
  {
    ...OPENAI,
    preset: 'openai-compatible',
    model: 'wan',
    settings: { baseUrl: 'http://127.0.0.1:9' },
    wish: { images: [image('reference'), image('reference')], seed: 7, rest: { watermark: false } },
    submission: {
      to: 'POST http://127.0.0.1:9/v1/videos',
      body: { watermark: 'false', model: 'wan', prompt: 'a cat', seed: '7', 'input_reference[]': PNG },
    },
    poll: { to: 'GET http://127.0.0.1:9/v1/videos/video_9' },
    remove: 'DELETE http://127.0.0.1:9/v1/videos/video_9',
  },
  {
    preset: 'gemini',
    ability: 'videos',
    model: 'veo-3.1-generate-preview',
    page: 'https://ai.google.dev/gemini-api/docs/video',
    headers: { 'x-goog-api-key': 'k' },
    wish: { images: [image('first'), image('last')], seconds: 8, ratio: '9:16', resolution: '1080p', negativePrompt: 'dogs', audio: true },
    submission: {
      to: 'POST https://generativelanguage.googleapis.com/v1beta/models/veo-3.1-generate-preview:predictLongRunning',
      body: {
        instances: [
          {
            prompt: 'a cat',
            image: { bytesBase64Encoded: PNG, mimeType: 'image/png' },
            lastFrame: { bytesBase64Encoded: PNG, mimeType: 'image/png' },
          },
        ],
        parameters: { aspectRatio: '9:16', resolution: '1080p', durationSeconds: 8, negativePrompt: 'dogs' },
      },
    },
    notes: 'generate_audio;dropped',
    accepted: { name: 'models/veo-3.1-generate-preview/operations/7f' },
    remoteId: 'models/veo-3.1-generate-preview/operations/7f',
    poll: { to: 'GET https://generativelanguage.googleapis.com/v1beta/models/veo-3.1-generate-preview/operations/7f' },
    running: { reply: { name: 'models/veo-3.1-generate-preview/operations/7f' } },
    done: {
      reply: {
        name: 'models/veo-3.1-generate-preview/operations/7f',
        done: true,
        response: {
          generateVideoResponse: {
            generatedSamples: [{ video: { uri: 'https://generativelanguage.googleapis.com/v1beta/files/a1:download?alt=media' } }],
          },
        },
      },
      outputs: [videoAt('https://generativelanguage.googleapis.com/v1beta/files/a1:download?alt=media')],
    },
    failed: veoFailed('models/veo-3.1-generate-preview/operations/7f'),
    refusal: GOOGLE_REFUSAL,
  },
  {
    preset: 'vertex',
    ability: 'videos',
    model: 'veo-3.1-generate-001',
    page: 'https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/veo-video-generation',
    settings: { region: 'us-central1', settings: { project: 'p' } },
    headers: { 'x-goog-api-key': 'k' },
    wish: { images: [image('reference')], seconds: 5, audio: false, seed: 3 },
    submission: {
      to: `POST ${VERTEX_BASE}:predictLongRunning`,
      body: {
        instances: [
          { prompt: 'a cat', referenceImages: [{ image: { bytesBase64Encoded: PNG, mimeType: 'image/png' }, referenceType: 'asset' }] },
        ],
        parameters: { durationSeconds: 4, seed: 3, generateAudio: false },
      },
    },
    notes: 'seconds;approximated',
    accepted: { name: VERTEX_NAME },
    remoteId: VERTEX_NAME,
    poll: { to: `POST ${VERTEX_BASE}:fetchPredictOperation`, body: { operationName: VERTEX_NAME } },
    running: { reply: { name: VERTEX_NAME, metadata: { progressPercent: 40 } }, progress: 40 },
    done: {
      reply: { name: VERTEX_NAME, done: true, response: { videos: [{ bytesBase64Encoded: 'AAAA', mimeType: 'video/mp4' }] } },
      outputs: [{ variant: 'video', from: { data: { type: 'Buffer', data: [0, 0, 0] }, mediaType: 'video/mp4' } }],
    },
    failed: {
      reply: {
        name: VERTEX_NAME,
        done: true,
        response: { raiMediaFilteredCount: 1, raiMediaFilteredReasons: ['The prompt could not be submitted.'] },
      },
      code: 'content_filtered',
      message: 'The prompt could not be submitted.',
    },
    refusal: GOOGLE_REFUSAL,
  },
  {
    preset: 'xai',
    ability: 'videos',
    model: 'grok-imagine-video',
    page: 'https://docs.x.ai/developers/model-capabilities/video/generation',
    headers: BEARER,
    wish: { ...HD, seconds: 20, images: [image('first')], seed: 1 },
    submission: {
      to: 'POST https://api.x.ai/v1/videos/generations',
      body: { model: 'grok-imagine-video', prompt: 'a cat', duration: 15, aspect_ratio: '16:9', resolution: '720p', image: { url: URI } },
    },
    notes: 'seed;dropped, seconds;approximated',
    accepted: { request_id: 'r-1' },
    remoteId: 'r-1',
    poll: { to: 'GET https://api.x.ai/v1/videos/r-1' },
    running: { reply: { status: 'pending', progress: 20 }, progress: 20 },
    done: {
      reply: { status: 'done', video: { url: VIDEO, duration: 15, respect_moderation: true }, model: 'grok-imagine-video' },
      outputs: [videoAt(VIDEO)],
    },
    failed: {
      reply: { status: 'failed', error: { code: 'invalid_argument', message: 'The image cannot be read' } },
      code: 'invalid_argument',
      message: 'The image cannot be read',
    },
    refusal: {
      status: 400,
      body: { code: 'Client specified an invalid argument', error: 'duration must be at most 15' },
      kind: 'bad_request',
      message: 'duration must be at most 15',
    },
  },
  {
    preset: 'dashscope',
    ability: 'videos',
    model: 'wan2.5-t2v-preview',
    page: 'https://www.alibabacloud.com/help/en/model-studio/text-to-video-api-reference',
    headers: { ...BEARER, 'x-dashscope-async': 'enable' },
    pollHeaders: BEARER,
    wish: { ...HD, seconds: 5, negativePrompt: 'dogs', seed: 9 },
    submission: {
      to: 'POST https://dashscope-intl.aliyuncs.com/api/v1/services/aigc/video-generation/video-synthesis',
      body: {
        model: 'wan2.5-t2v-preview',
        input: { prompt: 'a cat', negative_prompt: 'dogs' },
        parameters: { size: '1280*720', duration: 5, seed: 9 },
      },
    },
    accepted: { request_id: 'q', output: { task_id: 't-1', task_status: 'PENDING' } },
    remoteId: 't-1',
    poll: { to: 'GET https://dashscope-intl.aliyuncs.com/api/v1/tasks/t-1' },
    running: { reply: { output: { task_id: 't-1', task_status: 'RUNNING' } } },
    done: {
      reply: { output: { task_id: 't-1', task_status: 'SUCCEEDED', video_url: VIDEO }, usage: { video_duration: 5 } },
      outputs: [videoAt(VIDEO)],
    },
    failed: {
      reply: {
        output: {
          task_id: 't-1',
          task_status: 'FAILED',
          code: 'DataInspectionFailed',
          message: 'Input data may contain inappropriate content.',
        },
      },
      code: 'DataInspectionFailed',
      message: 'Input data may contain inappropriate content.',
    },
    cancel: 'POST https://dashscope-intl.aliyuncs.com/api/v1/tasks/t-1/cancel',
    refusal: {
      status: 400,
      body: { request_id: 'q', code: 'InvalidParameter', message: 'size is not supported' },
      kind: 'bad_request',
      message: 'size is not supported',
    },
  },
  {
    preset: 'dashscope',
    ability: 'videos',
    model: 'wan2.2-kf2v-flash',
    page: 'https://www.alibabacloud.com/help/en/model-studio/image-to-video-by-first-and-last-frame-api-reference',
    headers: { ...BEARER, 'x-dashscope-async': 'enable' },
    pollHeaders: BEARER,
    wish: { images: [image('first'), image('last')], resolution: '720p' },
    submission: {
      to: 'POST https://dashscope-intl.aliyuncs.com/api/v1/services/aigc/image2video/video-synthesis',
      body: {
        model: 'wan2.2-kf2v-flash',
        input: { prompt: 'a cat', first_frame_url: URI, last_frame_url: URI },
        parameters: { resolution: '720P' },
      },
    },
    accepted: { request_id: 'q', output: { task_id: 't-1', task_status: 'PENDING' } },
    remoteId: 't-1',
    poll: { to: 'GET https://dashscope-intl.aliyuncs.com/api/v1/tasks/t-1' },
    running: { reply: { output: { task_id: 't-1', task_status: 'PENDING' } } },
    done: { reply: { output: { task_status: 'SUCCEEDED', video_url: VIDEO } }, outputs: [videoAt(VIDEO)] },
    failed: {
      reply: { output: { task_id: 't-1', task_status: 'UNKNOWN' } },
      code: 'unknown_task',
      message: 'The provider does not know this task any more',
    },
    cancel: 'POST https://dashscope-intl.aliyuncs.com/api/v1/tasks/t-1/cancel',
    refusal: {
      status: 400,
      body: { code: 'InvalidParameter', message: 'last_frame_url is missing' },
      kind: 'bad_request',
      message: 'last_frame_url is missing',
    },
  },
  {
    preset: 'zai',
    ability: 'videos',
    model: 'cogvideox-3',
    page: 'https://docs.z.ai/api-reference/video/generate-video',
    headers: BEARER,
    wish: { ...HD, images: [image('first'), image('last')], seconds: 4, audio: true },
    submission: {
      to: 'POST https://api.z.ai/api/paas/v4/videos/generations',
      body: {
        model: 'cogvideox-3',
        prompt: 'a cat',
        image_url: [URI, URI],
        size: '1280x720',
        duration: 5,
        with_audio: true,
        request_id: 'video_1',
      },
    },
    notes: 'seconds;approximated',
    accepted: { id: 'z-1', model: 'cogvideox-3', request_id: 'video_1', task_status: 'PROCESSING' },
    remoteId: 'z-1',
    poll: { to: 'GET https://api.z.ai/api/paas/v4/async-result/z-1' },
    running: { reply: { model: 'cogvideox-3', task_status: 'PROCESSING' } },
    done: {
      reply: { task_status: 'SUCCESS', video_result: [{ url: VIDEO, cover_image_url: 'https://cdn.example.com/v.png' }] },
      outputs: [videoAt(VIDEO), { variant: 'thumbnail', isOptional: true, from: { url: 'https://cdn.example.com/v.png' } }],
    },
    failed: {
      reply: { task_status: 'FAIL', error: { code: '1301', message: 'Sensitive content' } },
      code: '1301',
      message: 'Sensitive content',
    },
    refusal: { status: 400, body: { error: { code: '1214', message: 'size is wrong' } }, kind: 'bad_request', message: 'size is wrong' },
  },
  {
    preset: 'volcengine',
    ability: 'videos',
    model: 'doubao-seedance-1-0-pro-250528',
    page: 'https://www.volcengine.com/docs/82379/1520757',
    headers: BEARER,
    wish: { images: [image('first')], ratio: '16:9', resolution: '1080p', seconds: 5, audio: true },
    submission: {
      to: 'POST https://ark.cn-beijing.volces.com/api/v3/contents/generations/tasks',
      body: {
        model: 'doubao-seedance-1-0-pro-250528',
        content: [
          { type: 'text', text: 'a cat' },
          { type: 'image_url', image_url: { url: URI }, role: 'first_frame' },
        ],
        resolution: '1080p',
        ratio: '16:9',
        duration: 5,
        generate_audio: true,
      },
    },
    accepted: { id: 'cgt-1' },
    remoteId: 'cgt-1',
    poll: { to: 'GET https://ark.cn-beijing.volces.com/api/v3/contents/generations/tasks/cgt-1' },
    running: { reply: { id: 'cgt-1', status: 'running' } },
    done: {
      reply: { id: 'cgt-1', status: 'succeeded', content: { video_url: VIDEO, last_frame_url: 'https://cdn.example.com/l.png' } },
      outputs: [videoAt(VIDEO), { variant: 'last_frame', isOptional: true, from: { url: 'https://cdn.example.com/l.png' } }],
    },
    failed: {
      reply: {
        id: 'cgt-1',
        status: 'failed',
        error: { code: 'OutputVideoSensitiveContentDetected', message: 'The output may be sensitive' },
      },
      code: 'OutputVideoSensitiveContentDetected',
      message: 'The output may be sensitive',
    },
    cancel: 'DELETE https://ark.cn-beijing.volces.com/api/v3/contents/generations/tasks/cgt-1',
    remove: 'DELETE https://ark.cn-beijing.volces.com/api/v3/contents/generations/tasks/cgt-1',
    refusal: {
      status: 400,
      body: { error: { code: 'InvalidParameter', message: 'duration is not valid', param: 'duration', type: 'BadRequest' } },
      kind: 'bad_request',
      message: 'duration is not valid',
    },
  },
  {
    preset: 'minimax',
    ability: 'videos',
    model: 'MiniMax-Hailuo-02',
    page: 'https://platform.minimax.io/docs/api-reference/video-generation-i2v',
    headers: BEARER,
    wish: { images: [image('first')], seconds: 6, resolution: '1080p', ratio: '16:9' },
    submission: {
      to: 'POST https://api.minimax.io/v1/video_generation',
      body: { model: 'MiniMax-Hailuo-02', prompt: 'a cat', first_frame_image: URI, duration: 6, resolution: '1080P' },
    },
    notes: 'aspect_ratio;dropped',
    accepted: { task_id: '106916112212032', base_resp: { status_code: 0, status_msg: 'success' } },
    remoteId: '106916112212032',
    poll: { to: 'GET https://api.minimax.io/v1/query/video_generation?task_id=106916112212032' },
    running: { reply: { task_id: '106916112212032', status: 'Processing', base_resp: { status_code: 0, status_msg: 'success' } } },
    done: {
      reply: { task_id: '106916112212032', status: 'Success', file_id: '205258526306433', base_resp: { status_code: 0 } },
      outputs: [{ variant: 'video', from: { request: { method: 'GET', path: '/files/retrieve?file_id=205258526306433' } } }],
    },
    failed: {
      reply: { task_id: '106916112212032', status: 'Fail', base_resp: { status_code: 1027, status_msg: 'output new_sensitive' } },
      code: '1027',
      message: 'output new_sensitive',
    },
    refusal: {
      status: 200,
      body: { base_resp: { status_code: 2013, status_msg: 'invalid params, duration' } },
      kind: 'bad_request',
      message: 'invalid params, duration',
    },
  },
  {
    preset: 'kling',
    ability: 'videos',
    model: 'kling-v2-6',
    page: 'https://app.klingai.com/global/dev/document-api/apiReference/model/imageToVideo',
    headers: BEARER,
    wish: { images: [image('first'), image('last')], seconds: 10, negativePrompt: 'dogs', resolution: '1080p', audio: true },
    submission: {
      to: 'POST https://api-singapore.klingai.com/v1/videos/image2video',
      body: {
        model_name: 'kling-v2-6',
        prompt: 'a cat',
        negative_prompt: 'dogs',
        image: PNG,
        image_tail: PNG,
        duration: '10',
        mode: 'pro',
        sound: 'on',
        external_task_id: 'video_1',
      },
    },
    accepted: { code: 0, message: 'SUCCEED', request_id: 'q', data: { task_id: '77', task_status: 'submitted' } },
    remoteId: 'image2video/77',
    poll: { to: 'GET https://api-singapore.klingai.com/v1/videos/image2video/77' },
    running: { reply: { code: 0, data: { task_id: '77', task_status: 'processing' } } },
    done: {
      reply: {
        code: 0,
        data: { task_id: '77', task_status: 'succeed', task_result: { videos: [{ id: 'v', url: VIDEO, duration: '10' }] } },
      },
      outputs: [videoAt(VIDEO)],
    },
    failed: {
      reply: { code: 0, data: { task_id: '77', task_status: 'failed', task_status_msg: 'Content is risky' } },
      code: 'video_generation_failed',
      message: 'Content is risky',
    },
    refusal: {
      status: 400,
      body: { code: 1201, message: 'model_name is not supported', request_id: 'q' },
      kind: 'bad_request',
      message: 'model_name is not supported',
    },
  },
  {
    preset: 'kling',
    ability: 'videos',
    model: 'kling-v2-master',
    page: 'https://app.klingai.com/global/dev/document-api/apiReference/model/textToVideo',
    headers: BEARER,
    wish: { seconds: 5, ratio: '9:16' },
    submission: {
      to: 'POST https://api-singapore.klingai.com/v1/videos/text2video',
      body: { model_name: 'kling-v2-master', prompt: 'a cat', duration: '5', aspect_ratio: '9:16', external_task_id: 'video_1' },
    },
    accepted: { code: 0, data: { task_id: '78', task_status: 'submitted' } },
    remoteId: 'text2video/78',
    poll: { to: 'GET https://api-singapore.klingai.com/v1/videos/text2video/78' },
    running: { reply: { code: 0, data: { task_id: '78', task_status: 'submitted' } } },
    done: {
      reply: { code: 0, data: { task_status: 'succeed', task_result: { videos: [{ id: 'v', url: VIDEO }] } } },
      outputs: [videoAt(VIDEO)],
    },
    failed: {
      reply: { code: 0, data: { task_status: 'failed' } },
      code: 'video_generation_failed',
      message: 'The provider says that the video could not be made, and not why',
    },
    refusal: {
      status: 200,
      body: { code: 1303, message: 'parallel task over resource pack limit' },
      kind: 'rate_limit',
      message: 'parallel task over resource pack limit',
    },
  },
  {
    preset: 'runway',
    ability: 'videos',
    model: 'gen4_turbo',
    page: 'https://docs.dev.runwayml.com/api/#tag/Start-generating/paths/~1v1~1image_to_video/post',
    headers: { ...BEARER, 'x-runway-version': '2024-11-06' },
    wish: { ...HD, images: [image('first')], seconds: 5, seed: 4 },
    submission: {
      to: 'POST https://api.dev.runwayml.com/v1/image_to_video',
      body: { model: 'gen4_turbo', promptText: 'a cat', promptImage: URI, ratio: '1280:720', duration: 5, seed: 4 },
    },
    accepted: { id: '497f6eca' },
    remoteId: '497f6eca',
    poll: { to: 'GET https://api.dev.runwayml.com/v1/tasks/497f6eca' },
    running: { reply: { id: '497f6eca', status: 'RUNNING', progress: 0.42, createdAt: '2026-01-01T00:00:00Z' }, progress: 42 },
    done: { reply: { id: '497f6eca', status: 'SUCCEEDED', output: [VIDEO] }, outputs: [videoAt(VIDEO)] },
    failed: {
      reply: { id: '497f6eca', status: 'FAILED', failure: 'The image holds what must not be', failureCode: 'SAFETY.INPUT.IMAGE' },
      code: 'SAFETY.INPUT.IMAGE',
      message: 'The image holds what must not be',
    },
    cancel: 'DELETE https://api.dev.runwayml.com/v1/tasks/497f6eca',
    remove: 'DELETE https://api.dev.runwayml.com/v1/tasks/497f6eca',
    refusal: {
      status: 400,
      body: {
        error: 'Validation of body failed',
        issues: [{ code: 'invalid_value', path: ['ratio'], message: 'ratio is not one of these' }],
      },
      kind: 'bad_request',
      message: 'Validation of body failed: ratio is not one of these',
    },
  },
  {
    preset: 'luma',
    ability: 'videos',
    model: 'ray-2',
    page: 'https://docs.lumalabs.ai/docs/video-generation',
    headers: BEARER,
    wish: { images: [image('first', { url: 'https://example.com/cat.png' })], seconds: 8, ratio: '16:9', resolution: '720p' },
    submission: {
      to: 'POST https://api.lumalabs.ai/dream-machine/v1/generations',
      body: {
        model: 'ray-2',
        prompt: 'a cat',
        aspect_ratio: '16:9',
        resolution: '720p',
        duration: '9s',
        keyframes: { frame0: { type: 'image', url: 'https://example.com/cat.png' } },
      },
    },
    notes: 'seconds;approximated',
    accepted: { id: 'g-1', state: 'queued', assets: null },
    remoteId: 'g-1',
    poll: { to: 'GET https://api.lumalabs.ai/dream-machine/v1/generations/g-1' },
    running: { reply: { id: 'g-1', state: 'dreaming' } },
    done: {
      reply: { id: 'g-1', state: 'completed', assets: { video: VIDEO, image: 'https://cdn.example.com/g.jpg' } },
      outputs: [videoAt(VIDEO), { variant: 'thumbnail', isOptional: true, from: { url: 'https://cdn.example.com/g.jpg' } }],
    },
    failed: {
      reply: { id: 'g-1', state: 'failed', failure_reason: 'prompt not allowed' },
      code: 'video_generation_failed',
      message: 'prompt not allowed',
    },
    cancel: 'DELETE https://api.lumalabs.ai/dream-machine/v1/generations/g-1',
    remove: 'DELETE https://api.lumalabs.ai/dream-machine/v1/generations/g-1',
    refusal: { status: 400, body: { detail: 'Prompt is too short' }, kind: 'bad_request', message: 'Prompt is too short' },
  },
  {
    preset: 'dashscope',
    ability: 'videos',
    model: 'wan2.7-i2v',
    page: 'https://www.alibabacloud.com/help/model-studio/image-to-video-general-api-reference',
    headers: { ...BEARER, 'x-dashscope-async': 'enable' },
    pollHeaders: BEARER,
    wish: { ...HD, images: [image('first'), image('last')], seconds: 10, negativePrompt: 'dogs' },
    submission: {
      to: 'POST https://dashscope-intl.aliyuncs.com/api/v1/services/aigc/video-generation/video-synthesis',
      body: {
        model: 'wan2.7-i2v',
        input: {
          prompt: 'a cat',
          negative_prompt: 'dogs',
          media: [
            { type: 'first_frame', url: URI },
            { type: 'last_frame', url: URI },
          ],
        },
        parameters: { resolution: '720P', duration: 10 },
      },
    },
    ...WAN_JOB,
  },
  {
    preset: 'dashscope',
    ability: 'videos',
    model: 'wan3.0-video',
    page: 'https://www.alibabacloud.com/help/model-studio/image-to-video-general-api-reference',
    headers: { ...BEARER, 'x-dashscope-async': 'enable' },
    pollHeaders: BEARER,
    wish: { ratio: '9:16', resolution: '1080p', seconds: 20, images: [image('reference')], seed: 3 },
    submission: {
      to: 'POST https://dashscope-intl.aliyuncs.com/api/v1/services/aigc/video-generation/video-synthesis',
      body: {
        model: 'wan3.0-video',
        input: { prompt: 'a cat', media: [{ type: 'reference_image', url: URI }] },
        parameters: { resolution: '1080P', ratio: '9:16', duration: 20, seed: 3 },
      },
    },
    ...WAN_JOB,
  },
  ...RUNWAY_TEXTS.map(([model, seconds, duration, notes]): VideoRow => ({
    preset: 'runway',
    ability: 'videos',
    model,
    page: 'https://docs.dev.runwayml.com/api/#tag/Start-generating/paths/~1v1~1text_to_video/post',
    headers: { ...BEARER, 'x-runway-version': '2024-11-06' },
    wish: { ...HD, ...(seconds === undefined ? {} : { seconds }) },
    submission: {
      to: 'POST https://api.dev.runwayml.com/v1/text_to_video',
      body: { model, promptText: 'a cat', ratio: '1280:720', duration },
    },
    ...RUNWAY_JOB,
    ...(notes === undefined ? {} : { notes }),
  })),
];
