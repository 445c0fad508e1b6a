import { badField, GatewayError, gatewayFault, isObject, type JsonObject, parseObject } from '../../ir/index.ts';
import { jsonBody, type MediaAnswer, type MediaRequest, type MediaTarget } from '../codec.ts';
import { formBody } from '../images/form-body.ts';
import type { VideoCodec, VideoJob, VideoOutput, VideoRequest, VideoSource } from './shape.ts';

/*
 * OpenAI's videos, and servers that copied them. https://platform.openai.com/docs/api-reference/videos
 *
 * Options: `references`: how many images are taken (default 1); `remixReferences`: by a remix (default none); `variants: false`: the server has the video only;
 * `lists: false`: it has no list of jobs.
 */

const STATUS: Readonly<Record<string, VideoJob['status']>> = {
  queued: 'queued',
  pending: 'queued',
  submitted: 'queued',
  in_progress: 'in_progress',
  processing: 'in_progress',
  running: 'in_progress',
  completed: 'completed',
  succeeded: 'completed',
  success: 'completed',
  failed: 'failed',
  error: 'failed',
  expired: 'failed',
  cancelled: 'cancelled',
  canceled: 'cancelled',
};

const pathOf = (remoteId: string, rest = ''): string => `/videos/${encodeURIComponent(remoteId)}${rest}`;

function outputsOf(remoteId: string, { options }: MediaTarget): readonly VideoOutput[] {
  const content = (variant?: string): MediaRequest => ({
    method: 'GET',
    path: pathOf(remoteId, `/content${variant === undefined ? '' : `?variant=${variant}`}`),
  });
  const more: readonly VideoOutput[] = (['thumbnail', 'spritesheet'] as const).map((variant) => ({
    variant,
    isOptional: true,
    from: { request: content(variant) },
  }));
  return [{ variant: 'video', from: { request: content() } }, ...(options['variants'] === false ? [] : more)];
}

function jobOf(video: JsonObject, remoteId: string, target: MediaTarget): VideoJob {
  const { status, progress, error, expires_at: expires } = video;
  const word = STATUS[String(status).toLowerCase()] ?? 'in_progress';
  const fault = isObject(error) ? error : {};
  const text = typeof fault['message'] === 'string' ? fault['message'] : typeof error === 'string' ? error : undefined;
  return {
    status: word,
    detail: video,
    ...(typeof progress === 'number' ? { progress } : {}),
    ...(typeof expires === 'number' ? { expiresAt: expires * 1000 } : {}),
    ...(word === 'failed'
      ? {
          error: {
            code: typeof fault['code'] === 'string' ? fault['code'] : 'video_generation_failed',
            message: text ?? 'The provider says that the video could not be made, and not why',
          },
        }
      : {}),
    ...(word === 'completed' ? { outputs: outputsOf(remoteId, target) } : {}),
  };
}

const read = ({ body }: MediaAnswer): JsonObject => {
  const video = parseObject(body.toString('utf8'));
  if (!video) throw new Error('not a JSON object');
  return video;
};

const tooManyImages = ({ at }: VideoRequest['images'][number], most: number, names: VideoRequest['names']): GatewayError =>
  badField(at, `Invalid request: this model takes ${most} image(s) in '${names.images}'`, 'too_many_images');

function create(request: VideoRequest, { model, options }: MediaTarget): MediaRequest {
  const { prompt, images, seconds, size, names, rest, ratio, resolution, seed, negativePrompt, audio } = request;
  const most = Number(options['references'] ?? 1);
  const surplus = images[most];
  if (surplus) throw tooManyImages(surplus, most, names);
  const fields: JsonObject = {
    ...rest,
    model,
    prompt,
    ...(seconds === undefined ? {} : { seconds: String(seconds) }),
    ...(size === undefined ? {} : { size: `${size.width}x${size.height}` }),
    ...(size === undefined && ratio !== undefined ? { aspect_ratio: ratio } : {}),
    ...(size === undefined && resolution !== undefined ? { resolution } : {}),
    ...(seed === undefined ? {} : { seed }),
    ...(negativePrompt === undefined ? {} : { negative_prompt: negativePrompt }),
    ...(audio === undefined ? {} : { generate_audio: audio }),
  };
  return { path: '/videos', ...bodyOf(fields, images) };
}

/** JSON, or a form where there are images. */
function bodyOf(fields: JsonObject, images: VideoRequest['images']): Pick<MediaRequest, 'headers' | 'body'> {
  if (images.length === 0) return { body: jsonBody(fields) };
  const name = images.length === 1 ? 'input_reference' : 'input_reference[]';
  const texts = Object.entries(fields).map(([key, value]) => [key, textOf(value)] as const);
  return formBody([...texts, ...images.map((image) => [name, image] as const)]);
}

/** The same of a video: a job of its own, or a file. */
function ofVideo(fields: JsonObject, { remoteId, file }: VideoSource): Pick<MediaRequest, 'headers' | 'body'> {
  if (!file) return { body: jsonBody({ ...fields, video: { id: remoteId } }) };
  const texts = Object.entries(fields).map(([key, value]) => [key, textOf(value)] as const);
  return formBody([...texts, ['video', { ...file, at: 'video' }]]);
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const refused = (message: string): GatewayError => new GatewayError({ ...gatewayFault('bad_request', message, { code: 'not_supported' }) });

function only(request: VideoRequest, what: string, allowed: ReadonlySet<string>): void {
  if (request.images.length > 0)
    throw badField(request.names.images, `Invalid request: ${what} takes no '${request.names.images}' at this provider`);
  if (request.size && !allowed.has('size'))
    throw badField(request.names.size, `Invalid request: ${what} takes no '${request.names.size}': it is the source's`);
  if (request.seconds !== undefined && !allowed.has('seconds'))
    throw badField(request.names.seconds, `Invalid request: ${what} takes no '${request.names.seconds}': it is the source's`);
}

/** OpenAI. */
export const openaiVideos: VideoCodec = {
  id: 'openai',
  create,
  derive: {
    remix({ remoteId }, request, { options }) {
      const { images, names, rest, prompt } = request;
      const most = Number(options['remixReferences'] ?? 0);
      const surplus = images[most];
      if (surplus && most > 0) throw tooManyImages(surplus, most, names);
      only({ ...request, images: most > 0 ? [] : images }, 'a remix', new Set());
      return { path: pathOf(remoteId, '/remix'), ...bodyOf({ ...rest, prompt }, images) };
    },
    edit(source, request) {
      only(request, 'an edit', new Set());
      return { path: '/videos/edits', ...ofVideo({ ...request.rest, prompt: request.prompt }, source) };
    },
    extend(source, request) {
      only(request, 'an extension', new Set(['seconds']));
      if (request.seconds === undefined) throw refused("Invalid request: missing required parameter 'seconds'");
      const { prompt, rest, seconds } = request;
      return { path: '/videos/extensions', ...ofVideo({ ...rest, prompt, seconds: String(seconds) }, source) };
    },
  },
  takesFiles: true,
  character: (name, video) => ({
    path: '/videos/characters',
    ...formBody([
      ['name', name],
      ['video', { ...video, at: 'video' }],
    ]),
  }),
  accepted(answer, target) {
    const video = read(answer);
    const { id } = video;
    if (typeof id !== 'string' || id === '') throw new Error('a job without an id');
    return { ...jobOf(video, id, target), remoteId: id };
  },
  poll: (remoteId) => ({ method: 'GET', path: pathOf(remoteId) }),
  job: (answer, remoteId, target) => jobOf(read(answer), remoteId, target),
  remove: (remoteId) => ({ method: 'DELETE', path: pathOf(remoteId) }),
  find: {
    request: (_about, _target, after) => ({
      method: 'GET',
      path: `/videos?limit=100&order=desc${after === undefined ? '' : `&after=${encodeURIComponent(after)}`}`,
    }),
    pick(answer, { prompt, model, createdAt }) {
      const page = read(answer);
      const list = page['data'];
      const jobs = Array.isArray(list) ? list.filter((one) => isObject(one)) : [];
      // Their clock and ours may differ a little.
      const since = createdAt / 1000 - 5;
      const recent = jobs.filter((job) => Number(job['created_at']) >= since);
      const ids = recent.flatMap(({ id, prompt: asked, model: of }) =>
        asked === prompt && of === model && typeof id === 'string' ? [id] : [],
      );
      const last = jobs.at(-1)?.['id'];
      const goesOn = page['has_more'] === true && recent.length === jobs.length && typeof last === 'string';
      return { ids, ...(goesOn ? { after: last } : {}) };
    },
  },
};
