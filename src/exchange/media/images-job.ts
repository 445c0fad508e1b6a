import { createNotes, GatewayError, gatewayFault, isObject, type Json, type JsonObject } from '../../ir/index.ts';
import type { MediaTarget } from '../../media/codec.ts';
import { imageType } from '../../media/images/image-type.ts';
import { imageCodecs } from '../../media/images/index.ts';
import {
  type ImageCodec,
  type ImageJob,
  type ImageOutcome,
  type ImageReply,
  type ImageRequest,
  type MadeImage,
  MOST_IMAGES,
} from '../../media/images/shape.ts';
import type { Snapshot } from '../../policy/snapshot.ts';
import type { ProviderMedia } from '../../presets/preset.ts';
import type { RemoteOrder, Task, TaskDriver, TaskMedia, TaskProgress } from '../../tasks/ports.ts';
import type { ExchangePorts } from '../exchange.ts';
import { asManyAs, withSuitedMask } from './images.ts';
import { type Asked, askProvider } from './ask-provider.ts';
import { refuseLosses } from '../refuse-losses.ts';
import { createDoneJobs } from './done-jobs.ts';
import type { MediaContext } from './media-exchange.ts';
import { isOwnAddress } from './provider-request.ts';
import { understood } from './whole.ts';

/*
 * Images of providers that make them as jobs: a task of ours is the job there, which the next process goes on asking for. (Images
 * that come in the answer are work of the process that waits for it: `tasks.background`.)
 */

/** What following jobs stands on. */
interface JobPorts {
  readonly exchange: ExchangePorts;
  /** In force now. */
  readonly snapshot: () => Snapshot;
}

interface Place extends Asked {
  readonly codec: ImageCodec;
  readonly target: MediaTarget;
}

/** Whether a wire answers a request with one job. */
export function isOneJob(media: ProviderMedia, model: string, request: Pick<ImageRequest, 'n'>): boolean {
  const codec = imageCodecs.get(media.wire.codec);
  const options = media.wire.options ?? {};
  if (codec?.answersWithJobs?.(options) !== true) return false;
  const target: MediaTarget = { model, options, settings: {}, notes: createNotes(), newId: (prefix) => prefix };
  return request.n <= (codec.atOnce?.(request as ImageRequest, target) ?? 1);
}

function placeOf(task: Pick<Task, 'provider' | 'model' | 'value'>, { exchange, snapshot }: JobPorts): Place {
  const provider = snapshot().providers.get(task.provider);
  const { ability } = task.value.about;
  const media = provider?.media.find((one) => one.ability === ability && one.serves(task.model));
  const codec = media && imageCodecs.get(media.wire.codec);
  if (!provider || !media || !codec) {
    const message = `Provider '${task.provider}', which makes this image, is not configured any more`;
    throw new GatewayError(gatewayFault('upstream', message, { code: 'provider_missing' }));
  }
  const options = media.wire.options ?? {};
  const target = { model: task.model, options, settings: provider.values, notes: createNotes(), newId: exchange.newId };
  return { provider, media, ports: exchange, codec, target };
}

/** What is remembered of a job beside its id. */
const detailOf = ({ id, url }: ImageJob, { n }: ImageRequest): JsonObject => ({ job: { id, ...(url === undefined ? {} : { url }) }, n });

/** How many images were asked for: of a job that began before that was remembered, no more than may be. */
function countOf({ value }: Task): number {
  const n = value.detail?.['n'];
  return typeof n === 'number' ? n : MOST_IMAGES;
}

function jobOf({ remoteId = '', value }: Task): ImageJob {
  const job = isObject(value.detail?.['job']) ? value.detail['job'] : {};
  return { id: remoteId, ...(typeof job['url'] === 'string' ? { url: job['url'] } : {}) };
}

/** How a job stands, and of how many bytes the answer was that said it. */
async function ask(task: Task, place: Place, signal: AbortSignal): Promise<{ readonly outcome: ImageOutcome; readonly bytes: number }> {
  const { codec, target } = place;
  const { poll, decodeJob } = codec;
  if (!poll || !decodeJob) throw new Error(`codec '${codec.id}' has no jobs`);
  const job = jobOf(task);
  const answer = await askProvider(place, poll(job, target), signal);
  const outcome = understood(place, () => decodeJob(answer, job, target));
  const bytes = answer.body.length;
  return outcome.kind === 'made' ? { outcome: { ...outcome, reply: asManyAs(countOf(task), outcome.reply) }, bytes } : { outcome, bytes };
}

/** A job that ended without an image says so in its answer, not by a status. */
const isVerdict = (error: unknown): error is GatewayError =>
  error instanceof GatewayError && (error.fault.code === 'content_policy_violation' || error.fault.code === 'job_failed');

interface Standing extends TaskProgress {
  /** What was made, and of how many bytes the answer was. */
  readonly made?: { readonly reply: ImageReply; readonly bytes: number };
}

async function progressOf(task: Task, place: Place, signal: AbortSignal): Promise<Standing> {
  try {
    const { outcome, bytes } = await ask(task, place, signal);
    if (outcome.kind === 'made') {
      const { reply } = outcome;
      return { status: 'completed', detail: { ...task.value.detail, ...saidOf(reply) }, made: { reply, bytes } };
    }
    const { progress } = outcome;
    return { status: 'in_progress', ...(progress === undefined ? {} : { progress }) };
  } catch (error) {
    if (!isVerdict(error)) throw error;
    const { code = 'job_failed', message } = error.fault;
    return { status: 'failed', error: { code, message } };
  }
}

/** Characters of a prompt that are kept: no maker of images takes as many. */
const MAX_PROMPT = 32 * 1024;

/** What the answer says beside the images. */
const saidOf = ({ images }: ImageReply): JsonObject => ({
  images: images.map(({ revisedPrompt }) => ({ revised_prompt: revisedPrompt?.slice(0, MAX_PROMPT) ?? null })),
});

async function bytesOf({ data, url }: MadeImage, place: Place, signal: AbortSignal): Promise<Buffer> {
  if (data !== undefined) return Buffer.from(data, 'base64');
  const address = url ?? '';
  const isOwn = URL.canParse(address) && isOwnAddress(place.media, new URL(address));
  if (isOwn) return (await askProvider(place, { method: 'GET', path: '', url: address }, signal)).body;
  return (await place.ports.media.fetch(address, 'data[].url', signal)).data;
}

async function keepAll(task: Task, reply: ImageReply, place: Place, signal: AbortSignal): Promise<readonly TaskMedia[]> {
  const { mediaStore } = place.ports;
  const kept: TaskMedia[] = [];
  try {
    for (const [index, image] of reply.images.entries()) {
      const data = await bytesOf(image, place, signal);
      const mediaType = imageType(data);
      if (mediaType === undefined)
        throw new GatewayError(gatewayFault('upstream', 'The provider gave something else than an image', { code: 'upstream_malformed' }));
      const { id, bytes } = await mediaStore.put(data, { mediaType, owner: task.owner });
      kept.push({ variant: `image_${index}`, id, mediaType, bytes });
    }
    return kept;
  } catch (error) {
    for (const { id } of kept) await mediaStore.remove(id);
    throw error;
  }
}

/** Asks providers how their jobs get on, and fetches the images. */
export function createImageDriver(ports: JobPorts): Pick<Required<TaskDriver>, 'poll' | 'keep'> {
  const done = createDoneJobs<ImageReply>();
  return {
    async poll(task, signal) {
      // Work of a process that is gone.
      if (task.remoteId === undefined) throw new Error('a task without a job');
      const { made, ...progress } = await progressOf(task, placeOf(task, ports), signal);
      if (made) done.put(task.id, made.reply, made.bytes);
      return progress;
    },
    async keep(task, signal) {
      const place = placeOf(task, ports);
      const known = done.take(task.id);
      const outcome = known ? { kind: 'made' as const, reply: known } : (await ask(task, place, signal)).outcome;
      if (outcome.kind !== 'made')
        throw new GatewayError(gatewayFault('upstream', 'The job is not done after all', { code: 'upstream_malformed' }));
      return keepAll(task, outcome.reply, place, signal);
    },
  };
}

/** Writes the submission now, so that what is wrong with it is said before anything is kept, and gives what sends it. */
export async function imageSubmission(context: MediaContext, given: ImageRequest): Promise<RemoteOrder['submit']> {
  const { provider, media, ports, target, call } = context;
  const codec = imageCodecs.get(media.wire.codec);
  if (!codec) throw new Error(`no ${media.ability} codec '${media.wire.codec}'`);
  const request = await withSuitedMask(context, codec, given);
  const written = codec.encode(request, target);
  refuseLosses(call, context.notes);
  const asked: Asked = { provider, media, ports, codec, endsAt: context.endsAt };
  return async (_id, signal) => {
    context.countTry();
    const answer = await askProvider(asked, { ...written, isOnce: true }, signal);
    const outcome = understood(asked, () => codec.decode(answer, request, target));
    if (outcome.kind !== 'pending') throw new Error('an image in place of a job');
    return { status: 'queued', remoteId: outcome.job.id, detail: detailOf(outcome.job, request) };
  };
}

/** What a finished job made, with what the provider said of each. */
export function madeBy({ value }: Task): readonly { readonly media: TaskMedia; readonly revisedPrompt?: string }[] {
  const said: readonly Json[] = Array.isArray(value.detail?.['images']) ? (value.detail['images'] as readonly Json[]) : [];
  return value.media
    .filter(({ variant }) => variant.startsWith('image_'))
    .map((media, index) => {
      const one = said[index];
      const words = isObject(one) ? one['revised_prompt'] : undefined;
      return { media, ...(typeof words === 'string' ? { revisedPrompt: words } : {}) };
    });
}
