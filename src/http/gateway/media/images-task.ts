import { GatewayError, gatewayFault, type JsonObject } from '../../../ir/index.ts';
import { imageSubmission, isOneJob, madeBy } from '../../../exchange/media/images-job.ts';
import { LINK_MS } from '../../../exchange/media/images-link.ts';
import { chooseMedia } from '../../../exchange/media/choose-media.ts';
import { type MediaCall, type MediaContext, runMedia } from '../../../exchange/media/media-exchange.ts';
import { mediaLink } from '../../../exchange/media/media-link.ts';
import type { ImageRequest } from '../../../media/images/shape.ts';
import { runDetached } from '../../../exchange/media/detached.ts';
import type { Task } from '../../../tasks/ports.ts';
import { taskView } from '../../../tasks/view.ts';
import { optionalBoolean } from '../../../wire/fields.ts';
import { type GatewayPorts, respondJson, type Visit } from '../visit.ts';
import { idempotencyKey } from '../idempotency.ts';
import { readWebhook } from './videos-read.ts';
import { whileThere } from './while-there.ts';

/** Whether the client wants a task in place of an answer: `?async=true`, or the member of the body. */
export const wantsTask = (visit: Visit, fields: JsonObject): boolean =>
  optionalBoolean(fields, 'async') === true || /^(?:true|1)$/i.test(visit.path.query.get('async') ?? '');

/** What a task's images were asked with, as it is shown again. */
const aboutOf = (fields: JsonObject): JsonObject => ({
  prompt: typeof fields['prompt'] === 'string' ? fields['prompt'].slice(0, 4000) : null,
});

/** Answers with the task of a job at the provider. */
async function startJob(visit: Visit, { call, fields, load }: WantedTask, ports: GatewayPorts): Promise<void> {
  await runMedia({ ...call, isJob: true }, visit.sink, ports, async (context) => {
    const webhook = await readWebhook(fields, ports.media);
    const request = await load(context);
    const requestKey = idempotencyKey(visit);
    const task = await ports.tasks.start({
      owner: visit.key.id,
      kind: 'image',
      provider: context.provider.name,
      model: context.model,
      about: { ...aboutOf(fields), ability: call.ability, format: fields['response_format'] ?? null },
      submit: await imageSubmission(context, request),
      ...(webhook ? { webhook } : {}),
      ...(requestKey === undefined ? {} : { requestKey }),
    });
    context.reply(taskView(task, 'image.task'));
  });
}

/** What a task is made of. */
export interface WantedTask {
  readonly call: MediaCall;
  readonly fields: JsonObject;
  readonly n: number;
  /** The request with its images. */
  readonly load: (context: MediaContext) => Promise<ImageRequest>;
  /** Answers as to a client that waits. */
  readonly work: (context: MediaContext) => Promise<void>;
}

/** Answers with a task at once; the images are made behind it, by the same work that a waiting client would get. */
export async function startImageTask(visit: Visit, wanted: WantedTask, ports: GatewayPorts): Promise<void> {
  const { fields, work } = wanted;
  const { provider, media, model, decided } = chooseMedia(wanted.call, ports);
  const call = { ...wanted.call, decided };
  if (isOneJob(media, model, wanted)) return startJob(visit, { ...wanted, call }, ports);
  const webhook = await readWebhook(fields, ports.media);
  const requestKey = idempotencyKey(visit);
  const task = await ports.tasks.background({
    owner: visit.key.id,
    kind: 'image',
    provider: provider.name,
    model,
    about: aboutOf(fields),
    run: (_id, signal) => runDetached(call, ports, signal, work, visit.snapshot.config.tasks.media.bytes),
    ...(webhook ? { webhook } : {}),
    ...(requestKey === undefined ? {} : { requestKey }),
  });
  respondJson(visit, 200, taskView(task, 'image.task'));
}

const noSuchTask = (): GatewayError =>
  new GatewayError(gatewayFault('not_found', 'There is no such image task for this key', { param: 'task_id', code: 'task_not_found' }));

/** What a job made, in the form of the answer that a waiting client would have got. */
async function jobResult(visit: Visit, task: Task, ports: GatewayPorts, signal: AbortSignal): Promise<JsonObject> {
  const wantsLinks = task.value.about['format'] === 'url';
  const isUri = visit.snapshot.providers.get(task.provider)?.settings.images?.dataUri === true;
  const data: JsonObject[] = [];
  for (const { media, revisedPrompt } of madeBy(task)) {
    const kept = await ports.mediaStore.find(media.id);
    if (!kept) throw expired();
    const more = revisedPrompt === undefined ? {} : { revised_prompt: revisedPrompt };
    if (wantsLinks) {
      const until = Math.min(kept.expiresAt, ports.clock.now() + LINK_MS);
      data.push({ url: mediaLink(visit, ports.mediaStore, kept, until), ...more, expires_at: Math.floor(until / 1000) });
    } else {
      const text = (await ports.mediaStore.whole(kept, signal)).toString('base64');
      data.push({ b64_json: isUri ? `data:${kept.mediaType};base64,${text}` : text, ...more });
    }
  }
  return { created: Math.floor((task.completedAt ?? task.createdAt) / 1000), data };
}

const expired = (): GatewayError =>
  new GatewayError(gatewayFault('not_found', 'What this task made is not kept any more', { code: 'task_expired' }));

/** The task, with what it has made in the form of the answer that a waiting client would have got. */
async function withResult(visit: Visit, task: Task, ports: GatewayPorts, signal: AbortSignal): Promise<JsonObject> {
  const view = taskView(task, 'image.task');
  if (task.status !== 'completed') return view;
  const result = task.remoteId === undefined ? await ports.tasks.result(task, signal) : await jobResult(visit, task, ports, signal);
  if (!result) throw expired();
  return { ...view, ...result };
}

async function taskOf(visit: Visit, id: string, ports: GatewayPorts): Promise<Task> {
  const task = await ports.tasks.get(visit.key.id, 'image', id);
  const { platform } = visit.path;
  if (!task || (platform !== undefined && platform !== task.provider)) throw noSuchTask();
  return task;
}

/** GET and DELETE /v1/images/{task_id}, POST …/cancel. */
export async function imageTask(visit: Visit, rest: readonly string[], ports: GatewayPorts): Promise<void> {
  const [id = '', word, ...more] = rest;
  const { method } = visit;
  if (more.length > 0 || (word !== undefined && word !== 'cancel')) throw noSuchTask();
  if (word === 'cancel' && method === 'POST') {
    return respondJson(visit, 200, taskView(await ports.tasks.cancel(await taskOf(visit, id, ports)), 'image.task'));
  }
  if (word === undefined && (method === 'GET' || method === 'HEAD')) {
    return whileThere(visit.sink, async (signal) =>
      respondJson(visit, 200, await withResult(visit, await taskOf(visit, id, ports), ports, signal)),
    );
  }
  if (word === undefined && method === 'DELETE') {
    await ports.tasks.remove(await taskOf(visit, id, ports));
    return respondJson(visit, 200, { id, object: 'image.task.deleted', deleted: true });
  }
  const allow = word === undefined ? 'GET, DELETE' : 'POST';
  throw new GatewayError({ ...gatewayFault('bad_request', `This path answers ${allow}`, { code: 'method_not_allowed' }), status: 405 });
}

/** The task that a request of this `Idempotency-Key` began before its process died. */
export async function recoverImageTask(visit: Visit, ports: GatewayPorts): Promise<boolean> {
  const task = await ports.tasks.byRequestKey(visit.key.id, idempotencyKey(visit) ?? '');
  if (task) respondJson(visit, 200, taskView(task, 'image.task'));
  return task !== undefined;
}
