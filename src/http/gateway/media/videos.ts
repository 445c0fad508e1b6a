import type { IncomingMessage } from 'node:http';
import { badField, GatewayError, gatewayFault, type JsonObject } from '../../../ir/index.ts';
import { type MediaCall, runMedia } from '../../../exchange/media/media-exchange.ts';
import { describeVideo } from '../../../exchange/media/describe-video.ts';
import { sourceOf, type VideoOrder, videoSubmission, withAddresses, writeVideo } from '../../../exchange/media/videos.ts';
import type { Writing } from '../../../exchange/media/writing.ts';
import type { Derivation, VideoFile } from '../../../media/videos/shape.ts';
import type { Task } from '../../../tasks/ports.ts';
import { optionalString } from '../../../wire/fields.ts';
import type { MediaOperation } from '../endpoints.ts';
import { type GatewayPorts, respondJson, type Visit } from '../visit.ts';
import { fingerprintOf, idempotencyKey, onlyOnce } from '../idempotency.ts';
import { letGo } from '../read-body.ts';
import type { MediaEndpoint } from './endpoint.ts';
import { sendMedia } from './media-links.ts';
import { mediaCall } from './read-json.ts';
import { createCharacter, retrieveCharacter, withCharacters, withUsualModel } from './videos-characters.ts';
import { geminiVideos } from './videos-gemini.ts';
import {
  blankVideoImages,
  loadVideoImages,
  piecesOf,
  readVideoBody,
  readVideoRequest,
  readWebhook,
  sourceIdIn,
  type VideoBody,
  videoFileIn,
} from './videos-read.ts';

/** The largest page of a list. */
const MAX_PAGE = 100;
const USUAL_PAGE = 20;

const noSuchVideo = (): GatewayError =>
  new GatewayError(gatewayFault('not_found', 'There is no such video for this key', { param: 'video_id', code: 'video_not_found' }));

const unknownPath = (): GatewayError =>
  new GatewayError(
    gatewayFault('not_found', 'Unknown path. See the API documentation for what there is of videos', { code: 'unknown_path' }),
  );

const wrongMethod = (allow: string): GatewayError =>
  new GatewayError({ ...gatewayFault('bad_request', `This path answers ${allow}`, { code: 'method_not_allowed' }), status: 405 });

/** A platform that is named must be there; what other platforms have made is not. */
function checkPlatform({ path, snapshot }: Visit): void {
  if (path.platform === undefined || snapshot.providers.has(path.platform)) return;
  const known = [...snapshot.providers.keys()].join(', ') || 'none';
  throw new GatewayError(gatewayFault('not_found', `Unknown platform '${path.platform}'. Known: ${known}`, { code: 'unknown_platform' }));
}

/** A task of this key, below the platform that the path names. */
async function videoTask(visit: Visit, id: string, ports: GatewayPorts): Promise<Task> {
  checkPlatform(visit);
  const task = await ports.tasks.get(visit.key.id, 'video', id);
  if (!task || (visit.path.platform !== undefined && visit.path.platform !== task.provider)) throw noSuchVideo();
  return task;
}

/** What a task remembers of its request, to show it again. */
function aboutOf({ fields }: VideoBody, source: Task | undefined, hasImages: boolean): JsonObject {
  const prompt = optionalString(fields, 'prompt') ?? '';
  const seconds = fields['seconds'] ?? source?.value.about['seconds'] ?? null;
  const size = fields['size'] ?? source?.value.about['size'] ?? null;
  return {
    prompt,
    seconds: seconds === null ? null : String(seconds),
    size,
    ...(source ? { remixed_from: source.id } : {}),
    ...(hasImages ? { has_images: true } : {}),
  };
}

/** What a new video is made of. */
interface Wanted {
  readonly body: VideoBody;
  readonly operation: MediaOperation;
  readonly source?: { readonly task: Task; readonly how: Derivation };
  /** A file that it is made of, in place of a task. */
  readonly upload?: { readonly file: VideoFile; readonly how: Derivation };
}

/** The call that makes a video; one that is made of another goes where that was made, and may name another model there. */
function callOf(visit: Visit, { body, operation, source, upload }: Wanted): MediaCall {
  if (!source) return mediaCall(visit, upload ? withUsualModel(visit, operation, body.fields) : operation, body);
  const { provider, model } = source.task;
  const asked = optionalString(body.fields, 'model');
  const own = asked?.startsWith(`${provider}/`) ? asked.slice(provider.length + 1) : asked;
  return { ...mediaCall(visit, { ...operation, model: own ?? model }, body), platform: provider };
}

/** What a new video is made of, as its provider is told. */
function sourceIn({ source, upload }: Wanted): Pick<VideoOrder, 'source'> {
  if (source) return { source: { ...sourceOf(source.task), how: source.how } };
  return upload ? { source: { remoteId: '', detail: {}, ...upload } } : {};
}

async function submit(visit: Visit, wanted: Wanted, ports: GatewayPorts): Promise<void> {
  const { body, source } = wanted;
  const call = callOf(visit, wanted);
  const asked = readVideoRequest(body);
  const made = sourceIn(wanted);
  const write = (writing: Writing): void =>
    writeVideo(writing, { request: { ...asked, images: blankVideoImages(body, visit.snapshot.config.server.publicUrl) }, ...made });
  await runMedia({ ...call, write }, visit.sink, ports, async (context) => {
    const webhook = await readWebhook(body.fields, ports.media);
    const images = await withAddresses(context, await loadVideoImages(body, ports.media, context.signal()));
    const rest = await withCharacters(asked.rest, context.provider.name, visit, ports);
    const request = { ...asked, rest, images };
    const requestKey = idempotencyKey(visit);
    const task = await ports.tasks.start({
      owner: visit.key.id,
      kind: 'video',
      provider: context.provider.name,
      model: context.model,
      about: aboutOf(body, source?.task, images.length > 0),
      submit: videoSubmission(context, { request, ...made }),
      ...(webhook ? { webhook } : {}),
      ...(requestKey === undefined ? {} : { requestKey }),
    });
    context.reply(describeVideo(task));
  });
}

/** Submits a video once for each `Idempotency-Key`, also when the process that began with it is gone. */
async function submitOnce(visit: Visit, wanted: Wanted, ports: GatewayPorts): Promise<void> {
  await onlyOnce(visit, ports, {
    about: { operation: 'videos', asked: wanted.body.fields['model'] },
    fingerprint: () => fingerprintOf(visit, piecesOf(wanted.body)),
    work: (within) => submit(within, wanted, ports),
    async recover(within) {
      const task = await ports.tasks.byRequestKey(visit.key.id, idempotencyKey(visit) ?? '');
      if (task) respondJson(within, 200, describeVideo(task));
      return task !== undefined;
    },
  });
}

function pageOf({ query }: Visit['path']): { readonly limit: number; readonly order: 'asc' | 'desc'; readonly after?: string } {
  const text = query.get('limit');
  const limit = text === null || text === '' ? USUAL_PAGE : Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    throw badField('limit', `Invalid request: 'limit' must be 1 to ${MAX_PAGE}`);
  const order = query.get('order') || 'desc';
  if (order !== 'asc' && order !== 'desc') throw badField('order', "Invalid request: 'order' must be asc or desc");
  const after = query.get('after');
  return { limit, order, ...(after ? { after } : {}) };
}

async function list(visit: Visit, ports: GatewayPorts): Promise<void> {
  checkPlatform(visit);
  const { platform } = visit.path;
  const page = {
    owner: visit.key.id,
    kind: 'video' as const,
    ...pageOf(visit.path),
    ...(platform === undefined ? {} : { provider: platform }),
  };
  const { tasks, hasMore } = await ports.tasks.list(page);
  respondJson(visit, 200, {
    object: 'list',
    data: tasks.map(describeVideo),
    has_more: hasMore,
    first_id: tasks[0]?.id ?? null,
    last_id: tasks.at(-1)?.id ?? null,
  });
}

/** What the provider said, for who asks for it: never anything of our own. */
const detailOf = ({ provider, remoteId, value }: Task): JsonObject => ({
  provider,
  provider_id: remoteId ?? null,
  ...(value.detail ? { response: value.detail } : {}),
});

async function retrieve(visit: Visit, id: string, ports: GatewayPorts): Promise<void> {
  const task = await videoTask(visit, id, ports);
  const wantsDetail = /^(?:true|1)$/i.test(visit.path.query.get('detail') ?? '');
  respondJson(visit, 200, { ...describeVideo(task), ...(wantsDetail ? { detail: detailOf(task) } : {}) });
}

const VARIANTS: readonly string[] = ['video', 'thumbnail', 'spritesheet', 'last_frame'];

async function content(visit: Visit, id: string, ports: GatewayPorts): Promise<void> {
  const variant = visit.path.query.get('variant') || 'video';
  if (!VARIANTS.includes(variant)) throw badField('variant', `Invalid request: 'variant' must be one of ${VARIANTS.join(', ')}`);
  const task = await videoTask(visit, id, ports);
  if (task.status !== 'completed') {
    const why = task.value.error ? `it ${task.status}: ${task.value.error.message}` : `it is ${task.status}`;
    throw new GatewayError(
      gatewayFault('bad_request', `This video cannot be read: ${why}`, { param: 'video_id', code: 'video_not_ready' }),
    );
  }
  const made = task.value.media.find((one) => one.variant === variant);
  if (!made) throw badField('variant', `Invalid request: the provider of this video gave no ${variant}`, 'variant_not_available');
  const media = await ports.mediaStore.find(made.id);
  if (!media) throw new GatewayError(gatewayFault('not_found', 'This video is not kept any more', { code: 'video_expired' }));
  await sendMedia(visit, media, ports.mediaStore);
}

async function remove(visit: Visit, id: string, ports: GatewayPorts): Promise<void> {
  await ports.tasks.remove(await videoTask(visit, id, ports));
  respondJson(visit, 200, { id, object: 'video.deleted', deleted: true });
}

async function cancel(visit: Visit, id: string, ports: GatewayPorts): Promise<void> {
  respondJson(visit, 200, describeVideo(await ports.tasks.cancel(await videoTask(visit, id, ports))));
}

/** A finished video that another shall be made of. */
async function finished(visit: Visit, id: string, param: string, ports: GatewayPorts): Promise<Task> {
  const task = await videoTask(visit, id, ports);
  if (task.status === 'completed') return task;
  throw badField(
    param,
    `Invalid request: the video in '${param}' is ${task.status}; only a completed one can be made into another`,
    'video_not_ready',
  );
}

async function derive(
  visit: Visit,
  wanted: Wanted & { readonly how: Derivation; readonly id?: string },
  ports: GatewayPorts,
): Promise<void> {
  const { id, how, body, operation } = wanted;
  const file = id === undefined ? videoFileIn(body) : undefined;
  if (file) return submitOnce(visit, { body, operation, upload: { file, how } }, ports);
  const task = await finished(visit, id ?? sourceIdIn(body.fields), id === undefined ? 'video' : 'video_id', ports);
  await submitOnce(visit, { body, operation, source: { task, how } }, ports);
}

const DERIVED: Readonly<Record<string, Derivation>> = { edits: 'edit', extensions: 'extend' };

async function post(visit: Visit, operation: MediaOperation, request: IncomingMessage, ports: GatewayPorts): Promise<void> {
  const [id, word, ...more] = operation.rest ?? [];
  if (more.length > 0) throw unknownPath();
  if (word === 'cancel') {
    letGo(request);
    return cancel(visit, id ?? '', ports);
  }
  if (id === 'characters' && word === undefined) return createCharacter(visit, operation, request, ports);
  const how = word === 'remix' ? 'remix' : DERIVED[id ?? ''];
  if (id !== undefined && (how === undefined || (word !== undefined && word !== 'remix'))) {
    throw word === undefined || word === 'content' ? wrongMethod('GET') : unknownPath();
  }
  const body = await readVideoBody(visit, request);
  if (how === undefined) return submitOnce(visit, { body, operation }, ports);
  return derive(visit, { body, operation, how, ...(word === 'remix' ? { id: id ?? '' } : {}) }, ports);
}

async function get(visit: Visit, operation: MediaOperation, ports: GatewayPorts): Promise<void> {
  const [id, word, ...more] = operation.rest ?? [];
  if (id === undefined) return list(visit, ports);
  if (id === 'characters' && word !== undefined && more.length === 0) return retrieveCharacter(visit, word, ports);
  if (word === undefined) return retrieve(visit, id, ports);
  if (word === 'content' && more.length === 0) return content(visit, id, ports);
  throw word === 'remix' || word === 'cancel' ? wrongMethod('POST') : unknownPath();
}

/** `/v1/videos` and everything below it. */
export const videosEndpoint: MediaEndpoint = async (visit, operation, request, ports) => {
  if (operation.shape === 'gemini') return geminiVideos(visit, operation, request, ports);
  const { method } = visit;
  if (method === 'POST') return post(visit, operation, request, ports);
  letGo(request);
  if (method === 'GET' || method === 'HEAD') return get(visit, operation, ports);
  const [id, word] = operation.rest ?? [];
  if (method === 'DELETE' && id !== undefined && word === undefined) return remove(visit, id, ports);
  throw wrongMethod(id === undefined ? 'GET, POST' : 'GET, DELETE');
};
