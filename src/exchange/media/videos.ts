import { badField, GatewayError, gatewayFault, isObject, createNotes, parseObject } from '../../ir/index.ts';
import type { MediaRequest, MediaTarget } from '../../media/codec.ts';
import { videoCodecs } from '../../media/videos/index.ts';
import type {
  Derivation,
  VideoCodec,
  VideoFile,
  VideoJob,
  VideoImage,
  VideoOutput,
  VideoRequest,
  VideoSource,
} from '../../media/videos/shape.ts';
import type { Snapshot } from '../../policy/snapshot.ts';
import type { RemoteOrder, Task, TaskDriver, TaskMedia, TaskProgress } from '../../tasks/ports.ts';
import type { ExchangePorts } from '../exchange.ts';
import { type Asked, askProvider, openProvider, Redirected } from './ask-provider.ts';
import { refuseLosses } from '../refuse-losses.ts';
import { createDoneJobs } from './done-jobs.ts';
import type { MediaContext } from './media-exchange.ts';
import { mediaLink } from './media-link.ts';
import { isOwnAddress, refusePacked } from './provider-request.ts';
import { codecOf, understood } from './whole.ts';
import type { Writing } from './writing.ts';

/** What jobs of videos stand on. */
interface VideoPorts {
  readonly exchange: ExchangePorts;
  /** In force now. */
  readonly snapshot: () => Snapshot;
}

/** Where a task's job is. */
interface Place extends Asked {
  readonly codec: VideoCodec;
  readonly target: MediaTarget;
}

function placeOf(task: Pick<Task, 'provider' | 'model'>, { exchange, snapshot }: VideoPorts): Place {
  const provider = snapshot().providers.get(task.provider);
  const media = provider?.media.find((one) => one.ability === 'videos' && one.serves(task.model));
  const codec = media && videoCodecs.get(media.wire.codec);
  if (!provider || !media || !codec) {
    const message = `Provider '${task.provider}', which makes this video, is not configured any more`;
    throw new GatewayError(gatewayFault('upstream', message, { code: 'provider_missing' }));
  }
  const target: MediaTarget = {
    model: task.model,
    options: media.wire.options ?? {},
    settings: provider.values,
    notes: createNotes(),
    newId: exchange.newId,
  };
  return { provider, media, ports: exchange, codec, target };
}

/** Characters of why a job failed. */
const MAX_REASON = 4096;

const progressOf = ({ status, progress, error, detail, expiresAt }: VideoJob): TaskProgress => ({
  status,
  detail,
  ...(progress === undefined ? {} : { progress }),
  ...(error ? { error: { code: error.code.slice(0, MAX_REASON), message: error.message.slice(0, MAX_REASON) } } : {}),
  ...(expiresAt === undefined ? {} : { expiresAt }),
});

/** How much of what a provider says is kept. */
const MAX_DETAIL = 64 * 1024;

/** How a job stands, and of how many bytes the answer was that said it. */
async function jobOf(task: Task, place: Place, signal: AbortSignal): Promise<{ readonly job: VideoJob; readonly bytes: number }> {
  const { remoteId = '' } = task;
  const { codec, target } = place;
  const answer = await askProvider(place, codec.poll(remoteId, target), signal);
  const job = understood(place, () => codec.job(answer, remoteId, target));
  // What is long holds bytes of a film, and is no record of one.
  const bytes = answer.body.length;
  const isLong = bytes > MAX_DETAIL && JSON.stringify(job.detail).length > MAX_DETAIL;
  return { job: isLong ? { ...job, detail: {} } : job, bytes };
}

/** Types that a server gives for what is no file. */
const NO_FILE = /^(?:application\/(?:json|problem\+json|xml)|text\/)/;

interface Opened {
  readonly mediaType: string;
  readonly body: AsyncIterable<Uint8Array> | Uint8Array;
}

/** Storages of providers send on to where the file is. */
const MAX_REDIRECTS = 5;

/** A file where the provider says that it is; its key goes to its own hosts only. */
async function openUrl(url: string, place: Place, signal: AbortSignal, hops = MAX_REDIRECTS): Promise<Opened> {
  const isOwn = URL.canParse(url) && isOwnAddress(place.media, new URL(url));
  if (isOwn) return openRequest({ method: 'GET', path: '', url }, place, signal, hops);
  return place.ports.media.open(url, signal);
}

async function openRequest(request: MediaRequest, place: Place, signal: AbortSignal, hops = MAX_REDIRECTS): Promise<Opened> {
  try {
    const { headers, body } = await openProvider(place, request, signal, hops > 0);
    try {
      // Nothing here unpacks it: it would be kept for a film.
      refusePacked(headers);
    } catch (error) {
      body.destroy();
      throw error;
    }
    return {
      mediaType:
        String(headers['content-type'] ?? '')
          .split(';')[0]
          ?.trim() ?? '',
      body,
    };
  } catch (error) {
    if (error instanceof Redirected) return openUrl(error.location, place, signal, hops - 1);
    throw error;
  }
}

async function openOutput({ from }: VideoOutput, place: Place, signal: AbortSignal): Promise<Opened> {
  if ('data' in from) return { mediaType: from.mediaType, body: from.data };
  if ('url' in from) return openUrl(from.url, place, signal);
  if (!('urlIn' in from)) return openRequest(from.request, place, signal);
  const answer = await askProvider(place, from.request, signal);
  return openUrl(
    understood(place, () => from.urlIn(answer)),
    place,
    signal,
  );
}

const USUAL_TYPE: Readonly<Record<VideoOutput['variant'], string>> = {
  video: 'video/mp4',
  thumbnail: 'image/webp',
  spritesheet: 'image/jpeg',
  last_frame: 'image/png',
};

const noFile = (name: string): GatewayError =>
  new GatewayError(
    gatewayFault('upstream', `Provider '${name}' gave something else than the file that it has made`, { code: 'upstream_malformed' }),
  );

/** Fetches a file and keeps it, within the time for a whole call: one that never ends would hold its task for ever. */
async function keepOutput(output: VideoOutput, task: Task, place: Place, signal: AbortSignal): Promise<TaskMedia> {
  const late = AbortSignal.timeout(place.provider.timeouts.total);
  try {
    return await fetchOutput(output, task, place, AbortSignal.any([signal, late]));
  } catch (error) {
    if (!late.aborted || signal.aborted) throw error;
    const message = 'The upstream took longer than the time allowed for a whole file';
    throw new GatewayError(gatewayFault('timeout', message, { code: 'upstream_total_timeout' }));
  }
}

async function fetchOutput(output: VideoOutput, task: Task, place: Place, signal: AbortSignal): Promise<TaskMedia> {
  const { mediaType, body } = await openOutput(output, place, signal);
  const isMedia = /^(?:video|image|audio)\//.test(mediaType);
  if (NO_FILE.test(mediaType) || (output.isOptional === true && !mediaType.startsWith('image/'))) {
    if ('destroy' in body && typeof body.destroy === 'function') body.destroy();
    throw noFile(place.provider.name);
  }
  const store = place.ports.mediaStore;
  const kept = await store.put(body, { mediaType: isMedia ? mediaType : USUAL_TYPE[output.variant], owner: task.owner });
  if (kept.bytes > 0) return { variant: output.variant, id: kept.id, mediaType: kept.mediaType, bytes: kept.bytes };
  await store.remove(kept.id);
  throw noFile(place.provider.name);
}

async function keepAll(job: VideoJob, task: Task, place: Place, signal: AbortSignal): Promise<readonly TaskMedia[]> {
  const kept: TaskMedia[] = [];
  for (const output of job.outputs ?? []) {
    try {
      kept.push(await keepOutput(output, task, place, signal));
    } catch (error) {
      if (output.isOptional === true && error instanceof GatewayError && !signal.aborted) continue;
      for (const { id } of kept) await place.ports.mediaStore.remove(id);
      throw error;
    }
  }
  if (kept.length === 0) throw noFile(place.provider.name);
  return kept;
}

/** A provider that was asked for a job by our id of it, and says that there is none. */
const isNoSuchJob = (error: unknown): boolean =>
  error instanceof GatewayError &&
  error.fault.by === 'upstream' &&
  (error.fault.kind === 'not_found' || error.fault.kind === 'bad_request');

/** How far a list of jobs is read to find one. */
const MAX_PAGES = 20;

/** Asks providers how their videos get on, and fetches them. */
export function createVideoDriver(ports: VideoPorts): Omit<Required<TaskDriver>, 'describe'> {
  const done = createDoneJobs<VideoJob>();
  const send = async (task: Task, requests: readonly ('cancel' | 'remove')[], signal: AbortSignal): Promise<void> => {
    const place = placeOf(task, ports);
    const request = requests.find((one) => place.codec[one] !== undefined);
    const written = request && place.codec[request]?.(task.remoteId ?? '', place.target);
    if (written) await askProvider(place, written, signal);
  };
  return {
    async poll(task, signal) {
      const { job, bytes } = await jobOf(task, placeOf(task, ports), signal);
      if (job.status === 'completed') done.put(task.id, job, bytes);
      return progressOf(job);
    },
    async keep(task, signal) {
      const place = placeOf(task, ports);
      const job = done.take(task.id) ?? (await jobOf(task, place, signal)).job;
      return keepAll(job, task, place, signal);
    },
    cancel: (task, signal) => send(task, ['cancel'], signal),
    remove: (task, signal) => send(task, task.phase === 'submitted' ? ['cancel', 'remove'] : ['remove'], signal),
    async find(task, signal) {
      const place = placeOf(task, ports);
      const { codec, target } = place;
      if (!codec.find || target.options['lists'] === false || task.value.about['remixed_from'] !== undefined) return undefined;
      const { prompt } = task.value.about;
      const about = {
        id: task.id,
        prompt: typeof prompt === 'string' ? prompt : '',
        model: task.model,
        hasImages: task.value.about['has_images'] === true,
        createdAt: task.createdAt,
      };
      const found: string[] = [];
      let after: string | undefined;
      for (let page = 0; page < MAX_PAGES; page++) {
        const answer = await askProvider(place, codec.find.request(about, target, after), signal).catch((error: unknown) => {
          if (isNoSuchJob(error)) return undefined;
          throw error;
        });
        if (!answer) break;
        const picked = understood(place, () => codec.find?.pick(answer, about));
        found.push(...(picked?.ids ?? []));
        after = picked?.after;
        if (after === undefined) break;
      }
      return found;
    },
  };
}

/** How long a provider may take to fetch an image from here. */
const IMAGE_MS = 24 * 3_600_000;

/**
 * Images for a provider that fetches them itself: bytes are kept here and linked to, where the operator has said by which address
 * this server is reached from outside.
 */
export async function withAddresses(context: MediaContext, images: readonly VideoImage[]): Promise<readonly VideoImage[]> {
  const { media, call, ports } = context;
  const { publicUrl } = call.snapshot.config.server;
  if (media.wire.options?.['images'] !== 'url' || publicUrl === undefined) return images;
  return Promise.all(
    images.map(async (image) => {
      if (image.url !== undefined) return image;
      const expiresAt = ports.clock.now() + IMAGE_MS;
      const kept = await ports.mediaStore.put(image.data, { mediaType: image.mediaType, owner: call.key.id, expiresAt });
      return { ...image, url: mediaLink(call, ports.mediaStore, kept, expiresAt) };
    }),
  );
}

/** What an order of a video says. */
export interface VideoOrder {
  readonly request: VideoRequest;
  /** Another video that it is made of, and how. */
  readonly source?: VideoSource & { readonly how: Derivation };
}

const WORDS: Readonly<Record<Derivation, string>> = { remix: 'remixes', edit: 'edits', extend: 'extensions' };

/** What writes an order for a target, under an id of ours. Throws where it has no such thing. */
function writerFor(writing: Writing, codec: VideoCodec, { request, source }: VideoOrder): (id: string) => MediaRequest {
  const { provider, media, target } = writing;
  const derive = source && codec.derive?.[source.how];
  if (source && (!derive || media.wire.options?.[source.how] === false)) {
    throw badField(
      'model',
      `Provider '${provider.name}' has no ${WORDS[source.how]} of videos: make a new one with 'input_reference'`,
      'not_supported',
    );
  }
  if (source?.file && codec.takesFiles !== true) {
    throw badField('video', `Provider '${provider.name}' makes videos of its own only: give the id of a task`, 'not_supported');
  }
  return (id) => (source && derive ? derive(source, request, target) : codec.create(request, target, id));
}

/** Writes an order for a target, so that it is known what it refuses or loses. Of images it matters that they are there. */
export const writeVideo = (writing: Writing, order: VideoOrder): void =>
  void writerFor(writing, codecOf(videoCodecs, writing), order)('video_0');

/** Writes the submission now, so that what is wrong with it is said before anything is kept, and gives what sends it. */
export function videoSubmission(context: MediaContext, order: VideoOrder): RemoteOrder['submit'] {
  const { provider, media, ports, target, call } = context;
  const codec = codecOf(videoCodecs, context);
  const write = writerFor(context, codec, order);
  // Once for its mistakes; notes are a set.
  write('video_0');
  refuseLosses(call, context.notes);
  const asked: Asked = { provider, media, ports, codec, endsAt: context.endsAt };
  return async (id, signal) => {
    const written = write(id);
    context.countTry();
    const answer = await askProvider(asked, { ...written, isOnce: true }, signal);
    const job = understood(asked, () => codec.accepted(answer, target, written.path));
    return { ...progressOf(job), remoteId: job.remoteId };
  };
}

/** What a finished task tells of itself at its provider, for videos that are made of it. */
export const sourceOf = (task: Task): VideoSource => ({
  remoteId: task.remoteId ?? '',
  detail: isObject(task.value.detail) ? task.value.detail : {},
});

/** Makes a character of a video, where the provider has such. */
export async function makeCharacter(
  context: MediaContext,
  name: string,
  video: VideoFile,
): Promise<{ readonly id: string; readonly name?: string; readonly createdAt?: number }> {
  const codec = codecOf(videoCodecs, context);
  const written = codec.character?.(name, video);
  if (!written) throw badField('model', `Provider '${context.provider.name}' has no characters`, 'not_supported');
  const answer = await context.ask({ ...written, isOnce: true }, codec);
  return understood(context, () => {
    const { id, name: called, created_at: createdAt } = parseObject(answer.body.toString('utf8')) ?? {};
    if (typeof id !== 'string' || id === '') throw new Error('a character without an id');
    return { id, ...(typeof called === 'string' ? { name: called } : {}), ...(typeof createdAt === 'number' ? { createdAt } : {}) };
  });
}
