import type { IncomingMessage } from 'node:http';
import { badField, type JsonObject } from '../../../ir/index.ts';
import { type MediaCall, type MediaContext, runMedia } from '../../../exchange/media/media-exchange.ts';
import { aboutOf, holdImage, holdImages, makeImages, streamImages, writeImages } from '../../../exchange/media/images.ts';
import { linkImages } from '../../../exchange/media/images-link.ts';
import { base64Type } from '../../../media/images/image-type.ts';
import type { ImageReply, ImageRequest, MadeImage } from '../../../media/images/shape.ts';
import { writeUsage } from '../../../media/images/usage.ts';
import { sseText } from '../../../wire/sse.ts';
import { whileAlive } from '../stay-alive.ts';
import { blankImages, formatOf, hasImages, type ImageBody, loadImages, readImageBody, readImageRequest } from './images-read.ts';
import type { MediaOperation } from '../endpoints.ts';
import type { GatewayPorts, Visit } from '../visit.ts';
import { fingerprintOf, onlyOnce } from '../idempotency.ts';
import { letGo } from '../read-body.ts';
import { predictEndpoint } from './images-predict.ts';
import { imageTask, recoverImageTask, startImageTask, wantsTask } from './images-task.ts';
import type { MediaEndpoint } from './endpoint.ts';
import { mediaCall } from './read-json.ts';

type Asked = Omit<ImageRequest, 'images' | 'mask'>;

/** The value of `b64_json`: bare, or with its type where the operator says so for clients of such a server. */
const encoded = ({ provider }: MediaContext, data: string): string =>
  provider.settings.images?.dataUri === true ? `data:${base64Type(data)};base64,${data}` : data;

const revised = ({ revisedPrompt }: MadeImage): JsonObject => (revisedPrompt === undefined ? {} : { revised_prompt: revisedPrompt });

/** `png` of `image/png`. */
const formatName = (data: string | undefined): JsonObject =>
  data === undefined ? {} : { output_format: base64Type(data).replace('image/', '') };

/** The reply of OpenAI's images, by bytes or by links. https://platform.openai.com/docs/api-reference/images/object */
async function writeReply(context: MediaContext, reply: ImageReply, format: 'b64_json' | 'url'): Promise<JsonObject> {
  const created = reply.created ?? Math.floor(context.ports.clock.now() / 1000);
  const about = { ...aboutOf(reply), ...(reply.usage ? { usage: writeUsage(reply.usage) } : {}) };
  if (format === 'url') {
    const linked = await linkImages(context, reply.images);
    const data = linked.map((image) => ({
      url: image.url,
      ...revised(image),
      ...(image.expiresAt === undefined ? {} : { expires_at: Math.floor(image.expiresAt / 1000) }),
    }));
    return { created, data, ...about };
  }
  const held = await holdImages(context, reply.images);
  const data = held.map((image) => ({ b64_json: encoded(context, image.data), ...revised(image) }));
  return { created, data, ...formatName(held[0]?.data), ...about };
}

/** Says what a client of OpenAI's stream expects of every event. */
const usualAbout = (asked: Asked, data: string): JsonObject => ({
  background: asked.background ?? 'auto',
  ...formatName(data),
  quality: asked.quality ?? 'auto',
  size: asked.size.text ?? 'auto',
});

/** Writes events; the first one begins the answer. */
function eventWriter(context: MediaContext, asked: Asked): (kind: string, data: string, more: JsonObject) => boolean {
  const { sink, ports } = context;
  const prefix = asked.task === 'generation' ? 'image_generation' : 'image_edit';
  return (kind, data, more) => {
    const type = `${prefix}.${kind}`;
    const created_at = Math.floor(ports.clock.now() / 1000);
    const event = { type, b64_json: encoded(context, data), created_at, ...usualAbout(asked, data), ...more };
    if (!sink.begun)
      sink.begin(200, { ...context.headers(), 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
    return sink.write(sseText(JSON.stringify(event), type));
  };
}

/** Answers with events: the provider's own, or one for each image when all are made. */
async function answerStream(context: MediaContext, asked: Asked, request: ImageRequest): Promise<void> {
  const write = eventWriter(context, asked);
  const remote: MadeImage[] = [];
  const streamed = await streamImages(context, request, (event) => {
    if (event.type === 'partial') return write('partial_image', event.data, { partial_image_index: event.index, ...event.about });
    if (event.image.data === undefined) {
      remote.push(event.image);
      return true;
    }
    return write('completed', event.image.data, event.about ?? {});
  });
  for (const image of remote) write('completed', (await holdImage(context, image, context.signal())).data, {});
  if (!streamed) {
    context.notes.add('stream', 'emulated', 'the target does not stream: the events come when the images are made');
    const reply = await makeImages(context, request);
    const usage = writeUsage(reply.usage ?? { input: 0, output: 0 });
    for (const { data } of await holdImages(context, reply.images)) write('completed', data, { ...aboutOf(reply), usage });
  }
  context.sink.end();
}

/** What was asked for, with its images here. */
const loaded = async ({ ports, signal }: MediaContext, asked: Asked, body: ImageBody): Promise<ImageRequest> => ({
  ...asked,
  ...(await loadImages(body, asked.task, ports.media, signal())),
});

/** Answers one request over the target that was chosen. */
async function answer(context: MediaContext, asked: Asked, body: ImageBody, format: 'b64_json' | 'url'): Promise<void> {
  const request = await loaded(context, asked, body);
  if (asked.stream) return answerStream(context, asked, request);
  context.reply(await writeReply(context, await makeImages(context, request), format));
}

const TASKS = { images: 'generation', 'image-edits': 'edit', 'image-variations': 'variation' } as const;

const taskOf = (ability: string): ImageRequest['task'] => {
  const task = TASKS[ability as keyof typeof TASKS];
  if (task === undefined) throw new Error(`no images by '${ability}'`);
  return task;
};

/** What came, to tell one request from another. */
function* piecesOf({ fields, files, routing }: ImageBody): Iterable<string | Uint8Array> {
  yield JSON.stringify(routing ? [fields, routing] : fields);
  for (const { name, data } of files) {
    yield `\n${name} ${data.length}\n`;
    yield data;
  }
}

interface Wanted {
  readonly operation: MediaOperation;
  readonly body: ImageBody;
  readonly asked: Asked;
  readonly format: 'b64_json' | 'url';
}

/** Does what was asked for: at once, as a stream, or behind a task. */
async function perform(visit: Visit, { operation, body, asked, format }: Wanted, ports: GatewayPorts): Promise<void> {
  const call: MediaCall = {
    ...mediaCall(visit, operation, body),
    write: (writing) => writeImages(writing, { ...asked, ...blankImages(body) }),
  };
  const work = (context: MediaContext): Promise<void> => answer(context, asked, body, format);
  if (wantsTask(visit, body.fields)) {
    const load = (context: MediaContext): Promise<ImageRequest> => loaded(context, asked, body);
    return startImageTask(visit, { call, fields: body.fields, n: asked.n, load, work }, ports);
  }
  const isStream = asked.stream !== undefined;
  await runMedia({ ...call, inBand: isStream, stream: isStream }, visit.sink, ports, work);
}

async function post(visit: Visit, operation: MediaOperation, request: IncomingMessage, ports: GatewayPorts): Promise<void> {
  const body = await readImageBody(visit, request);
  // A generation that starts from images is an edit: several vendors have one endpoint for both.
  const ability = operation.ability === 'images' && hasImages(body) ? 'image-edits' : operation.ability;
  const asked = readImageRequest(body, taskOf(ability));
  const format = formatOf(body.fields);
  if (asked.stream && format === 'url') throw badField('response_format', "Invalid request: a stream holds images as 'b64_json'");
  if (asked.stream && wantsTask(visit, body.fields)) throw badField('stream', "Invalid request: 'stream' and 'async' exclude each other");
  const isTask = wantsTask(visit, body.fields);
  const once = (): Promise<unknown> =>
    onlyOnce(visit, ports, {
      about: { operation: ability, asked: body.fields['model'] },
      fingerprint: () => fingerprintOf(visit, piecesOf(body)),
      work: (within) => perform(within, { operation: { ...operation, ability }, body, asked, format }, ports),
      // Only a task leaves a trace by which it is known whether a provider was asked.
      ...(isTask ? { recover: (within: Visit) => recoverImageTask(within, ports) } : {}),
    });
  await (isTask ? once() : whileAlive(visit, asked.stream ? 'sse' : 'whole', ports, once));
}

/** POST /v1/images/generations, /edits, /variations; tasks of them; Imagen's `:predict`. */
export const imagesEndpoint: MediaEndpoint = async (visit, operation, request, ports) => {
  if (operation.shape === 'gemini') return predictEndpoint(visit, operation, request, ports);
  if (!operation.rest) return post(visit, operation, request, ports);
  letGo(request);
  await imageTask(visit, operation.rest, ports);
};
