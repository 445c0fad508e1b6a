import { type Fault, GatewayError, gatewayFault, type JsonObject, sumUsage, type Usage } from '../../ir/index.ts';
import { base64Type, imageType } from '../../media/images/image-type.ts';
import { readUsage } from '../../media/images/usage.ts';
import { maskAs } from '../../media/images/mask.ts';
import { imageCodecs } from '../../media/images/index.ts';
import type { ImageCodec, ImageEvent, ImageJob, ImageOutcome, ImageReply, ImageRequest, MadeImage } from '../../media/images/shape.ts';
import type { MediaAnswer, MediaRequest } from '../../media/codec.ts';
import { createSseReader } from '../../wire/sse.ts';
import { createHeldAnswers, type HeldAnswer } from './held-answer.ts';
import type { MediaContext } from './media-exchange.ts';
import { isOwnAddress } from './provider-request.ts';
import { sideBySide } from './side-by-side.ts';
import { codecOf, understood } from './whole.ts';
import type { Writing } from './writing.ts';

/** Images that are emulated as calls side by side. */
const MAX_EMULATED = 8;

/** Milliseconds between two looks at a job. */
const POLL = { first: 500, factor: 1.5, most: 5000 } as const;

/** An image whose bytes are here. */
export interface HeldImage extends MadeImage {
  readonly data: string;
  readonly mediaType: string;
}

/** How many images each request asks for. */
function portions(n: number, most: number): readonly number[] {
  const counts: number[] = [];
  for (let left = n; left > 0; left -= most) counts.push(Math.min(left, most));
  return counts;
}

function split(context: Writing, request: ImageRequest, codec: ImageCodec): readonly ImageRequest[] {
  const most = Math.max(1, codec.atOnce?.(request, context.target) ?? 1);
  if (request.n <= most) return [request];
  const counts = portions(request.n, most);
  if (counts.length > MAX_EMULATED) {
    const { n } = request.names;
    const message = `Invalid request: '${n}' is ${request.n}; at most ${most * MAX_EMULATED} images can be made at once with this model`;
    throw new GatewayError(gatewayFault('bad_request', message, { param: n, code: 'invalid_value' }));
  }
  context.notes.add(request.names.n, 'emulated', `${counts.length} requests side by side`);
  return counts.map((n) => ({ ...request, n }));
}

/** Where no more is left, it is not looked again. */
const LAST_MS = 100;

/** Waits, as long as somebody waits for it. */
function pause(ms: number, signals: readonly AbortSignal[]): Promise<void> {
  const any = AbortSignal.any([...signals]);
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(any.reason as Error);
    };
    const timer = setTimeout(() => {
      any.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (any.aborted) stop();
    else any.addEventListener('abort', stop, { once: true });
  });
}

/** Waits until what does no harm and was not answered may be asked again; `false`: it may not. `told`: what its caller is told else. */
async function mayAskAgain(context: MediaContext, fault: Fault, leastMs: number, signal: AbortSignal, told = fault): Promise<boolean> {
  const { ports, endsAt } = context;
  const isOver = signal.aborted || ports.clock.monotonic() + leastMs >= endsAt;
  const waitMs = isOver ? undefined : context.onceMore(fault, leastMs, told);
  if (waitMs === undefined) return false;
  await context.waitFor(pause(waitMs, [signal, context.signal()]));
  context.countAgain();
  return true;
}

/** Looks how a job stands, and again where that is not answered: the job goes on all the same, and is paid for. */
async function look(
  context: MediaContext,
  request: MediaRequest,
  codec: ImageCodec,
  pauseMs: number,
  signal: AbortSignal,
): Promise<MediaAnswer> {
  for (;;) {
    try {
      return await context.ask({ ...request, isLook: true }, codec, signal);
    } catch (error) {
      if (!(error instanceof GatewayError) || !(await mayAskAgain(context, error.fault, pauseMs, signal))) throw error;
    }
  }
}

/** Asks for a job until it is done. */
async function follow(context: MediaContext, codec: ImageCodec, started: ImageJob, signal: AbortSignal): Promise<ImageReply> {
  const { ports, target, endsAt } = context;
  const { poll, decodeJob } = codec;
  if (!poll || !decodeJob) throw new Error(`codec '${codec.id}' has no jobs`);
  context.ordered();
  let job = started;
  let wait: number = POLL.first;
  for (let left = endsAt - ports.clock.monotonic(); left > 0; left = endsAt - ports.clock.monotonic()) {
    // The last look has some of what is left.
    const pauseMs = Math.min(wait, Math.max(LAST_MS, left / 2));
    await context.waitFor(pause(pauseMs, [signal, context.signal()]));
    wait = Math.min(POLL.most, wait * POLL.factor);
    const answer = await look(context, poll(job, target), codec, pauseMs, signal);
    const outcome: ImageOutcome = understood(context, () => decodeJob(answer, job, target));
    if (outcome.kind === 'made') return outcome.reply;
    job = outcome.job;
  }
  throw new GatewayError(
    gatewayFault('timeout', 'The images took longer than the time allowed for the whole call', { code: 'upstream_total_timeout' }),
  );
}

async function makeOne(context: MediaContext, request: ImageRequest, codec: ImageCodec, signal: AbortSignal): Promise<ImageReply> {
  const answer: MediaAnswer = await context.ask({ ...codec.encode(request, context.target), isOnce: true }, codec, signal);
  const outcome = understood(context, () => codec.decode(answer, request, context.target));
  const reply = outcome.kind === 'made' ? outcome.reply : await follow(context, codec, outcome.job, signal);
  context.count(reply.usage);
  return reply;
}

function joined(replies: readonly ImageReply[]): ImageReply {
  const [first] = replies;
  if (!first || replies.length === 1) return first ?? { images: [] };
  const usages = replies.flatMap(({ usage }) => (usage ? [usage] : []));
  const [head, ...more] = usages;
  const usage: Usage | undefined = head && more.reduce(sumUsage, head);
  return { ...first, images: replies.flatMap(({ images }) => images), ...(usage ? { usage } : {}) };
}

/** The request with its mask in the form that the target understands. */
export async function withSuitedMask<Asked extends Pick<ImageRequest, 'mask'>>(
  { media }: Pick<MediaContext, 'media'>,
  codec: ImageCodec,
  request: Asked,
): Promise<Asked> {
  const form = request.mask && codec.maskForm?.(media.wire.options ?? {});
  return request.mask && form ? { ...request, mask: await maskAs(request.mask, form) } : request;
}

/**
 * Writes for a target what `makeImages` would ask it, so that it is known what it refuses or loses. Of images and masks it matters that
 * they are there.
 */
export function writeImages(writing: Writing, request: ImageRequest): void {
  const codec = codecOf(imageCodecs, writing);
  const { stream: _, mask, ...rest } = request;
  const form = mask && codec.maskForm?.(writing.target.options);
  const [part] = split(writing, { ...rest, ...(mask ? { mask: { ...mask, form: form ?? mask.form } } : {}) }, codec);
  if (part) codec.encode(part, writing.target);
}

/** No more images than were asked for, whatever came: each may have to be fetched. */
export const asManyAs = (n: number, reply: ImageReply): ImageReply =>
  reply.images.length > n ? { ...reply, images: reply.images.slice(0, n) } : reply;

/** Asks the target for images, in as many requests as it needs. */
export async function makeImages(context: MediaContext, request: ImageRequest): Promise<ImageReply> {
  const codec = codecOf(imageCodecs, context);
  const { stream: _, ...whole } = request;
  const parts = split(context, await withSuitedMask(context, codec, whole), codec);
  await context.willSend(parts.length);
  const replies = await sideBySide(parts, context.atOnce, (part, signal) => makeOne(context, part, codec, signal));
  return asManyAs(request.n, joined(replies));
}

const DATA_URI = /^data:([a-z]+\/[a-z0-9.+-]+)?(?:;[a-z0-9=-]+)*;base64,/i;

const unfetched = (why: string): GatewayError =>
  new GatewayError(gatewayFault('upstream', `The provider's image could not be fetched: ${why}`.slice(0, 500), { code: 'upstream_media' }));

const whyUnfetched = ({ by, status, code = 'it failed' }: Fault): string => (by === 'upstream' ? `HTTP ${status}` : code);

/** Fetches a file once: from the provider's own hosts as they are, from any other through the guard. */
async function fetchFile(context: MediaContext, url: URL, signal: AbortSignal): Promise<Buffer> {
  const { ports, media, endsAt } = context;
  const { href } = url;
  if (isOwnAddress(media, url)) return (await context.ask({ method: 'GET', path: '', url: href }, undefined, signal)).body;
  const late = AbortSignal.timeout(Math.max(1, Math.ceil(endsAt - ports.clock.monotonic())));
  return (await ports.media.fetch(href, 'data[].url', AbortSignal.any([signal, late]))).data;
}

/** Milliseconds before a file is fetched again. */
const FETCH_AGAIN_MS = 250;

/** Waits until there may be room to fetch what is made and paid for. Throws that there was none where no time is left. */
async function waitForRoom({ waitFor, signal, endsAt, ports }: MediaContext, full: GatewayError, gone: AbortSignal): Promise<void> {
  const { retryAfterMs: pauseMs = FETCH_AGAIN_MS } = full.fault;
  if (gone.aborted || ports.clock.monotonic() + pauseMs >= endsAt) throw full;
  await waitFor(pause(pauseMs, [gone, signal()]));
}

/** Fetches an image from where the provider says that it lies, and again where it was not given: it is made, and paid for. */
async function download(context: MediaContext, address: string, signal: AbortSignal): Promise<Buffer> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url) throw unfetched('its address is not complete');
  for (;;) {
    try {
      return await fetchFile(context, url, signal);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      if (error.fault.code === 'fetches_full') {
        await waitForRoom(context, error, signal);
        continue;
      }
      const end = unfetched(whyUnfetched(error.fault));
      // The guard calls it the caller's mistake, as it is where a caller names the address.
      const fault = error.fault.code === 'url_unreachable' ? end.fault : error.fault;
      if (!(await mayAskAgain(context, fault, FETCH_AGAIN_MS, signal, end.fault))) throw end;
    }
  }
}

/** The image with its bytes. */
export async function holdImage(context: MediaContext, image: MadeImage, signal: AbortSignal): Promise<HeldImage> {
  const { data, url } = image;
  const inline = data ?? (url !== undefined && DATA_URI.test(url) ? url : undefined);
  if (inline !== undefined) {
    const bare = inline.replace(DATA_URI, '');
    return { ...image, data: bare, mediaType: base64Type(bare) };
  }
  const bytes = await download(context, url ?? '', signal);
  const mediaType = imageType(bytes);
  // An error page in a success, nothing at all, or a packed file: it would be told as the picture.
  if (mediaType === undefined) throw unfetched('what lies there is no image');
  return { ...image, data: bytes.toString('base64'), mediaType };
}

/** All images with their bytes. */
export const holdImages = (context: MediaContext, images: readonly MadeImage[]): Promise<readonly HeldImage[]> =>
  sideBySide(images, 4, (image, signal) => holdImage(context, image, AbortSignal.any([signal, context.signal()])));

/** Images of one stream: no maker gives as many. */
const MAX_STREAMED = 32;

const tooMany = (): GatewayError =>
  new GatewayError(gatewayFault('upstream', 'The upstream sent more images than were asked for', { code: 'upstream_malformed' }));

/** Passes what a provider streams, event by event; `undefined` where it does not stream. */
export async function streamImages(
  context: MediaContext,
  request: ImageRequest,
  take: (event: Exclude<ImageEvent, { readonly type: 'fault' }>) => boolean,
): Promise<boolean> {
  const codec = codecOf(imageCodecs, context);
  const { readEvent } = codec;
  const most = codec.atOnce?.(request, context.target) ?? 1;
  if (!readEvent || context.target.options['stream'] !== true || request.n > most) return false;
  let images = 0;
  let whole: HeldAnswer | undefined;
  const reader = createSseReader();
  let flows = true;
  const onFrame = (frame: Parameters<typeof readEvent>[0]): void => {
    const event = readEvent(frame);
    if (!event) return;
    if (event.type === 'fault') throw new GatewayError(event.fault);
    if (event.type === 'image') {
      if (++images > MAX_STREAMED) throw tooMany();
      context.count(readUsage(event.about?.['usage']));
    }
    flows = take(event) && flows;
  };
  const suited = await withSuitedMask(context, codec, request);
  await context.pass({ ...codec.encode(suited, context.target), isOnce: true }, ({ headers }) => {
    // A copy that does not know `stream` answers whole.
    if (!String(headers['content-type'] ?? '').includes('event-stream')) whole = createHeldAnswers()();
    return {
      body(bytes) {
        flows = true;
        if (whole) whole.add(bytes);
        else reader.push(bytes, onFrame);
        return flows;
      },
    };
  });
  if (whole) {
    const body = whole.whole();
    const outcome = understood(context, () => codec.decode({ status: 200, headers: {}, body }, request, context.target));
    if (outcome.kind !== 'made') throw new Error('a job in place of a stream');
    context.count(outcome.reply.usage);
    for (const image of asManyAs(request.n, outcome.reply).images) take({ type: 'image', image, about: aboutOf(outcome.reply) });
    return true;
  }
  reader.end(onFrame);
  if (images === 0) {
    throw new GatewayError(
      gatewayFault('upstream', 'The stream of the provider ended before an image was complete', { code: 'upstream_cut' }),
    );
  }
  return true;
}

/** What a reply says of its images. */
export const aboutOf = ({ about }: ImageReply): JsonObject => about ?? {};
