// Replays the recorded images: each recorded request reaches the provider as it was recorded, and each recorded reply comes out
// of OpenAI's shape, whole, as a link and as a task, and out of Imagen's. Arguments: part of an id.
import { isDeepStrictEqual } from 'node:util';
import { isObject, type Json, type JsonObject } from '../../../src/ir/index.ts';
import { json, startUpstream } from '../../fakes/upstream.ts';
import { startTestServer } from '../../server.ts';
import { type Recording, recordings } from '../recordings.ts';
import { end, runReplay, type Stage } from './replay.ts';

/** Three pixels by two, in place of what the recordings have cut. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAADklEQVR4nGNwgAEGOAsALRQEgQjZfUEAAAAASUVORK5CYII=';

interface Part {
  readonly name: string;
  readonly filename?: string;
  readonly text?: string;
  readonly base64?: string;
}

type Request = Recording['request'] & { readonly multipart?: readonly Part[] };

interface Got {
  readonly status: number;
  readonly body: JsonObject;
}

const TASKS = ['generations', 'edits', 'variations'] as const;
type Task = (typeof TASKS)[number];

const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {});
const listOf = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

const taskOf = ({ request, id, endpoint }: Recording): Task =>
  TASKS.find((task) => request?.path.endsWith(task) ?? endpoint.endsWith(task)) ?? (id.includes('edit') ? 'edits' : 'generations');

/** Models where a recording names none: the one that the endpoint had then. */
const usualModel = (task: Task): string => (task === 'generations' ? 'gpt-image-1' : 'dall-e-2');

/** What the client sent, with whole images where the recording holds their beginnings. */
function bodyOf({ request, model, response }: Recording, task: Task): JsonObject {
  const asked = request as Request | null;
  const sent = { prompt: 'x', ...asked?.body };
  const fields = Object.fromEntries((asked?.multipart ?? []).flatMap(({ name, text }) => (text === undefined ? [] : [[name, text]])));
  const { images, instances, parameters: _, ...rest } = { ...sent, ...fields } as JsonObject;
  const [instance] = listOf(instances);
  const given = task === 'generations' ? {} : { image: Array.isArray(images) ? images.map(() => PNG) : PNG };
  const named = model ?? usualModel(task);
  return {
    ...rest,
    ...(instance ? { prompt: instance['prompt'] ?? 'x' } : {}),
    ...given,
    model: named,
    n: Number(rest['n'] ?? Math.max(1, imagesIn(objectOf(response.body)).length)),
  };
}

async function post({ server }: Stage, path: string, body: JsonObject): Promise<Got> {
  const headers = { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' };
  const answer = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json()) as JsonObject };
}

/** The same with the recorded form. */
async function postForm({ server }: Stage, path: string, parts: readonly Part[], model: string): Promise<Got> {
  const form = new FormData();
  for (const { name, text, base64, filename } of parts) {
    if (text !== undefined) form.append(name, text);
    else form.append(name, new Blob([Buffer.from(base64 ?? '', 'base64')]), filename ?? 'image');
  }
  if (!form.has('image')) form.append('image', new Blob([Buffer.from(PNG, 'base64')]), 'image.png');
  if (!form.has('model')) form.append('model', model);
  if (!form.has('prompt')) form.append('prompt', 'x');
  const answer = await fetch(server.url + path, { method: 'POST', headers: { authorization: `Bearer ${server.key}` }, body: form });
  return { status: answer.status, body: (await answer.json()) as JsonObject };
}

/** The images of a recorded reply, in OpenAI's words. */
function imagesIn(body: JsonObject): readonly JsonObject[] {
  const predictions = listOf(body['predictions']).filter((one) => one['bytesBase64Encoded'] !== undefined);
  const found = predictions.map((one) => ({ b64_json: one['bytesBase64Encoded'], revised_prompt: one['prompt'] }));
  return [...listOf(body['data']), ...(found as readonly JsonObject[])].map(({ b64_json, url, revised_prompt }) => ({
    b64_json,
    url,
    revised_prompt,
  }));
}

const pick = (from: JsonObject, ...keys: readonly string[]): readonly (Json | undefined)[] => keys.map((key) => from[key]);

/** What a client of OpenAI's must find in its answer. */
function* openaiProblems(where: string, recorded: JsonObject, got: JsonObject): Iterable<string> {
  const expected = imagesIn(recorded);
  const data = listOf(got['data']);
  for (const [index, image] of expected.entries()) {
    const made = data[index] ?? {};
    const member = image['url'] === undefined ? 'b64_json' : 'url';
    if (!isDeepStrictEqual(pick(made, member, 'revised_prompt'), pick(image, member, 'revised_prompt')))
      yield `${where}: another image ${index}`;
  }
  if (data.length !== expected.length) yield `${where}: ${data.length} images, recorded ${expected.length}`;
  const counted = objectOf(recorded['usage']);
  const said = objectOf(got['usage']);
  const names = ['input_tokens', 'output_tokens', 'total_tokens'];
  if (counted['input_tokens'] !== undefined && !isDeepStrictEqual(pick(said, ...names), pick(counted, ...names)))
    yield `${where}: another usage`;
  const about = ['background', 'output_format', 'quality', 'size'];
  for (const name of about) if (recorded[name] !== undefined && recorded[name] !== got[name]) yield `${where}: another ${name}`;
}

function* errorProblems(where: string, recorded: Recording['response'], got: Got): Iterable<string> {
  if (got.status !== recorded.status) yield `${where}: status ${got.status} for a recorded ${recorded.status}`;
  const message = objectOf(objectOf(recorded.body)['error'])['message'];
  if (objectOf(got.body['error'])['message'] !== message) yield `${where}: not the provider's own words`;
}

/** Whether the provider was asked as it was when it was recorded. */
function* sentProblems({ request }: Recording, { upstream }: Stage): Iterable<string> {
  const seen = upstream.seen.at(-1);
  const recorded = objectOf(request?.body);
  if (!seen || !request || Object.keys(recorded).length === 0) return;
  if (!seen.path.endsWith(request.path.split('/models/').at(-1) ?? '')) yield `asked at ${seen.path}, recorded ${request.path}`;
  const isForm = String(seen.headers['content-type']).startsWith('multipart/');
  for (const [name, value] of Object.entries(recorded)) {
    if (typeof value === 'object' || name === 'response_format') continue;
    const isThere = isForm
      ? seen.body.includes(`name="${name}"\r\n\r\n${String(value)}\r\n`)
      : objectOf(JSON.parse(seen.body))[name] === value;
    if (!isThere) yield `'${name}' was not asked as recorded`;
  }
}

async function problemsOf(recording: Recording, stage: Stage): Promise<readonly string[]> {
  const { provider, response, request } = recording;
  const recorded = objectOf(response.body);
  const task = taskOf(recording);
  const body = bodyOf(recording, task);
  const [image] = imagesIn(recorded);
  const format = image?.['url'] === undefined ? {} : { response_format: 'url' };
  const problems: string[] = [];
  const told = (where: string, got: Got): void => {
    if (response.status >= 400) problems.push(...errorProblems(where, response, got));
    else if (got.status !== 200) problems.push(`${where}: status ${got.status}: ${JSON.stringify(got.body).slice(0, 200)}`);
    else problems.push(...openaiProblems(where, recorded, got.body));
  };
  const path = `/${provider}/v1/images/${task}`;
  const { response_format: _, ...plain } = body;
  told('JSON', await post(stage, path, { ...plain, ...format }));
  problems.push(...sentProblems(recording, stage));
  const parts = (request as Request | null)?.multipart;
  if (parts) {
    const more = format.response_format === undefined ? [] : [{ name: 'response_format', text: 'url' }];
    told('form', await postForm(stage, path, [...parts, ...more], String(body['model'])));
  }
  if (response.status < 400 && image?.['url'] === undefined && task !== 'variations') {
    const predicted = await post(stage, `/${provider}/v1beta/models/${String(body['model'])}:predict`, {
      instances: [{ prompt: 'x', ...(task === 'edits' ? { image: { bytesBase64Encoded: PNG } } : {}) }],
      parameters: { sampleCount: imagesIn(recorded).length },
    });
    const made = listOf(predicted.body['predictions']).map((one) => one['bytesBase64Encoded']);
    if (
      !isDeepStrictEqual(
        made,
        imagesIn(recorded).map((one) => one['b64_json']),
      )
    )
      problems.push('predict: other images');
  }
  return problems;
}

/** Images that a recorded conversation with Gemini holds; drafts among its thoughts are none. */
function madeInChat({ response }: Recording): readonly JsonObject[] {
  const parts = listOf(objectOf(response.body)['candidates']).flatMap(({ content }) => listOf(objectOf(content)['parts']));
  return parts.flatMap(({ inlineData, thought }) => (isObject(inlineData) && thought !== true ? [inlineData] : []));
}

/** A conversation in which an image was made answers a request for an image as well. */
async function chatProblems(recording: Recording, stage: Stage): Promise<readonly string[]> {
  const { provider, response } = recording;
  const model = /models\/([^:?/]+):/.exec(recording.request?.path ?? '')?.[1] ?? recording.model ?? 'gemini-2.5-flash-image';
  const named = model.includes('image') ? model : 'gemini-2.5-flash-image';
  const images = madeInChat(recording);
  const got = await post(stage, `/${provider}/v1/images/generations`, { model: named, prompt: 'x' });
  const made = listOf(got.body['data']).map((one) => one['b64_json']);
  const problems: string[] = [];
  if (
    !isDeepStrictEqual(
      made,
      images.slice(0, 1).map(({ data }) => data),
    )
  )
    problems.push(`status ${got.status}, other images`);
  const counted = objectOf(objectOf(response.body)['usageMetadata']);
  const output = Number(counted['candidatesTokenCount'] ?? 0) + Number(counted['thoughtsTokenCount'] ?? 0);
  if (counted['promptTokenCount'] !== undefined && objectOf(got.body['usage'])['output_tokens'] !== output) problems.push('another usage');
  return problems;
}

async function replay(corpus: string, only: string): Promise<boolean> {
  const upstream = await startUpstream();
  const server = await startTestServer({
    providers: {
      openai: { preset: 'openai', baseUrl: upstream.url, key: 'k' },
      gemini: { preset: 'gemini', baseUrl: upstream.url, key: 'k' },
      xai: { preset: 'xai', baseUrl: upstream.url, key: 'k' },
      vertex: { preset: 'vertex', baseUrl: upstream.url, key: 'k', settings: { project: 'p' }, region: 'global' },
    },
  });
  let failed = 0;
  let count = 0;
  for (const recording of recordings(corpus, 'images')) {
    if (!recording.id.includes(only)) continue;
    count++;
    const { status, body, bodyText } = recording.response;
    upstream.answer = json(bodyText ?? body, status);
    const problems = await problemsOf(recording, { server, upstream });
    if (problems.length > 0) failed++;
    for (const problem of problems) process.stdout.write(`✗ ${recording.id}  ${problem}\n`);
  }
  for (const recording of recordings(corpus, 'gemini-generate')) {
    if (!recording.id.includes(only) || !['gemini', 'vertex'].includes(recording.provider) || madeInChat(recording).length === 0) continue;
    count++;
    upstream.answer = json(recording.response.body, recording.response.status);
    const problems = await chatProblems(recording, { server, upstream });
    if (problems.length > 0) failed++;
    for (const problem of problems) process.stdout.write(`✗ ${recording.id}  ${problem}\n`);
  }
  process.stdout.write(`images: ${count} replayed\n`);
  return end({ server, upstream }, failed);
}

await runReplay(replay);
