// Replays the recorded videos: a job as it was recorded, submitted, asked about and done, out of both shapes of clients, with the
// same request sent to its provider.
import { isDeepStrictEqual } from 'node:util';
import { isObject, type JsonObject } from '../../../src/ir/index.ts';
import { type FakeUpstream, json, startUpstream } from '../../fakes/upstream.ts';
import { MP4 } from '../../fakes/videos.ts';
import { startTestServer } from '../../server.ts';
import { type Recording, recordings } from '../recordings.ts';
import { end, runReplay, type Stage } from './replay.ts';

/** One recorded job: how it was submitted, and what was said of it, in order. */
interface Job {
  readonly submission: Recording;
  readonly polls: readonly Recording[];
}

const bodyOf = ({ response }: Recording): JsonObject => (isObject(response.body) ? response.body : {});

/** Recordings of one job belong together by the name of its operation. */
function jobsIn(all: readonly Recording[]): readonly Job[] {
  return all
    .filter(({ endpoint, request }) => endpoint === 'veo' && request?.path.endsWith(':predictLongRunning'))
    .map((submission) => {
      const name = bodyOf(submission)['name'];
      return { submission, polls: all.filter((one) => one !== submission && bodyOf(one)['name'] === name) };
    });
}

/** The provider, as it was recorded; files are at its own address here. */
function answerAs({ submission, polls }: Job, upstream: FakeUpstream): FakeUpstream['answer'] {
  let asked = 0;
  return (seen, response) => {
    if (seen.path.includes(':download')) return void response.writeHead(200, { 'content-type': 'video/mp4' }).end(MP4);
    if (seen.method === 'POST') return json(bodyOf(submission))(seen, response);
    const poll = polls[Math.min(asked++, polls.length - 1)];
    const text = JSON.stringify(poll ? bodyOf(poll) : {}).replaceAll(/https:\/\/[a-z.]*googleapis\.com/g, upstream.url);
    return json(text)(seen, response);
  };
}

const call = ({ server }: Stage, path: string, body?: JsonObject): Promise<Response> =>
  fetch(server.url + path, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });

/** Asks until it is over. */
async function ended(stage: Stage, path: string, isOver: (body: JsonObject) => boolean): Promise<JsonObject> {
  for (const deadline = performance.now() + 10_000; ; await new Promise((resolve) => setTimeout(resolve, 5))) {
    const body = (await (await call(stage, path)).json()) as JsonObject;
    if (isOver(body) || performance.now() > deadline) return body;
  }
}

async function problemsOf(job: Job, stage: Stage): Promise<readonly string[]> {
  const { submission, polls } = job;
  const model = submission.model ?? 'veo';
  const problems: string[] = [];
  stage.upstream.answer = answerAs(job, stage.upstream);
  const made = (await (
    await call(stage, `/gemini/v1beta/models/${model}:predictLongRunning`, submission.request?.body ?? {})
  ).json()) as JsonObject;
  const sent = stage.upstream.seen.findLast(({ method }) => method === 'POST');
  if (sent?.path !== submission.request?.path) problems.push(`sent to ${sent?.path}`);
  if (!isDeepStrictEqual(JSON.parse(sent?.body ?? 'null'), submission.request?.body)) problems.push(`sent ${sent?.body}`);
  const operation = await ended(stage, `/v1beta/${String(made['name'])}`, (body) => body['done'] === true || body['error'] !== undefined);
  const asked = stage.upstream.seen.findLast(({ path }) => path.includes('/operations/'));
  if (asked?.path !== polls[0]?.request?.path) problems.push(`asked at ${asked?.path}`);
  const id = String(made['name']).split('/').at(-1);
  const video = await ended(stage, `/v1/videos/${id}`, (body) => body['completed_at'] !== null);
  if (video['status'] !== 'completed') problems.push(`ended as ${JSON.stringify(video)}`);
  const uri = /"uri":"([^"]+)"/.exec(JSON.stringify(operation))?.[1] ?? '';
  for (const at of [uri, `${stage.server.url}/v1/videos/${id}/content`]) {
    const answer = await fetch(at, { headers: { authorization: `Bearer ${stage.server.key}` } }).catch(() => undefined);
    if (!answer || !Buffer.from(await answer.arrayBuffer()).equals(MP4)) problems.push(`no film at ${at}`);
  }
  return problems;
}

async function replay(corpus: string): Promise<boolean> {
  const upstream = await startUpstream();
  const server = await startTestServer({ providers: { gemini: { preset: 'gemini', baseUrl: upstream.url, key: 'k' } } });
  const all = [...recordings(corpus, 'videos')];
  const jobs = jobsIn(all);
  let failed = 0;
  for (const job of jobs) {
    const problems = await problemsOf(job, { server, upstream });
    if (problems.length > 0) failed += 1;
    for (const problem of problems) process.stdout.write(`✗ ${job.submission.id}  ${problem}\n`);
  }
  const used = jobs.reduce((sum, { polls }) => sum + 1 + polls.length, 0);
  process.stdout.write(`videos: ${jobs.length} jobs of ${used} recordings replayed, ${all.length - used} recordings left out\n`);
  return end({ server, upstream }, failed + (used === all.length ? 0 : 1));
}

await runReplay(replay);
