import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMediaFetcher } from '../../src/egress/media-fetcher.ts';
import { type FakeUpstream, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { type Answered, byCurl, hasCurl } from './program.ts';
import { type Shape, shapeProblems } from './shape.ts';

/* The document's examples of videos, against the sandbox. */

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAADklEQVR4nGNwgAEGOAsALRQEgQjZfUEAAAAASUVORK5CYII=';
const PROMPT = '一只纸船漂过水面';
/** What stands for the platform's model: one that does not take long. */
const MODEL = 'video-takes-50ms';

let server: TestServer;
let files: FakeUpstream;
let folder: string;
beforeAll(async () => {
  files = await startUpstream((_request, response) =>
    response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.from(PNG, 'base64')),
  );
  folder = mkdtempSync(join(tmpdir(), 'pailou-seeds-'));
  for (const name of ['example1.jpg', 'example2.jpg']) writeFileSync(join(folder, name), Buffer.from(PNG, 'base64'));
  const media = createMediaFetcher({ bounds: () => ({ allow: ['127.0.0.1'], fetchBytes: 2 ** 20 }) });
  server = await startTestServer({}, undefined, undefined, { media });
});
afterAll(async () => {
  expect(server.defects).toEqual([]);
  rmSync(folder, { recursive: true });
  await Promise.all([server.close(), files.close()]);
});

async function ask(path: string, body?: object): Promise<Answered> {
  const response = await fetch(`${server.url}/sandbox${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.key}` },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return {
    status: response.status,
    contentType: response.headers.get('content-type') ?? '',
    body: Buffer.from(await response.arrayBuffer()),
  };
}

const askForm = (path: string, form: readonly string[]): Promise<Answered> =>
  byCurl(
    `${server.url}/sandbox${path}`,
    '-X',
    'POST',
    '-H',
    `Authorization: Bearer ${server.key}`,
    ...form.flatMap((part) => ['--form', part]),
  );

const TASK: Shape = { id: 'text', object: '=video', model: `=${MODEL}`, status: 'text', created_at: 'integer' };

/** The task that was begun, its answer being in shape. */
function begun({ status, body }: Answered): string {
  const text = body.toString('utf8');
  expect([status, status === 200 ? shapeProblems(JSON.parse(text), TASK) : text]).toEqual([200, []]);
  return (JSON.parse(text) as { readonly id: string }).id;
}

async function finished(answer: Answered): Promise<string> {
  const id = begun(answer);
  for (;;) {
    const { status } = JSON.parse((await ask(`/v1/videos/${id}`)).body.toString('utf8')) as { readonly status: string };
    if (status === 'completed') return id;
    expect(['queued', 'in_progress']).toContain(status);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const body = { prompt: PROMPT, model: MODEL };

const REFERENCES: readonly (readonly [string, () => unknown])[] = [
  ['base64', () => PNG],
  ['a data URI', () => `data:image/png;base64,${PNG}`],
  ['an address', () => `${files.url}/a.png`],
  ['several', () => [PNG, `${files.url}/a.png`]],
];

const FORM = (): readonly string[] => [
  `input_reference[]=@"${folder}/example1.jpg"`,
  `input_reference[]=@"${folder}/example2.jpg"`,
  `prompt="${PROMPT}"`,
  `model="${MODEL}"`,
];

describe('document 003', () => {
  it('video generation, JSON', async () => void begun(await ask('/v1/videos', body)));

  it.each(REFERENCES)('video generation, JSON, with %s', async (_, input_reference) => {
    begun(await ask('/v1/videos', { ...body, input_reference: input_reference() }));
  });

  it.skipIf(!hasCurl)('video generation, multipart', async () => void begun(await askForm('/v1/videos', FORM())));

  it('a video task, its detail, and its bytes', async () => {
    const id = await finished(await ask('/v1/videos', body));
    begun(await ask(`/v1/videos/${id}`));
    const detailed = await ask(`/v1/videos/${id}?detail=true`);
    expect(
      shapeProblems(JSON.parse(detailed.body.toString('utf8')), { ...(TASK as object), status: '=completed', detail: 'object' }),
    ).toEqual([]);
    const content = await ask(`/v1/videos/${id}/content`);
    expect([content.status, content.contentType, content.body.toString('latin1', 4, 8)]).toEqual([200, 'video/mp4', 'ftyp']);
  });

  it.each(REFERENCES)('video remix, JSON, with %s', async (_, input_reference) => {
    const id = await finished(await ask('/v1/videos', body));
    await finished(await ask(`/v1/videos/${id}/remix`, { ...body, prompt: '换成夜晚', input_reference: input_reference() }));
  });

  it.skipIf(!hasCurl)('video remix, multipart', async () => {
    const id = await finished(await ask('/v1/videos', body));
    begun(await askForm(`/v1/videos/${id}/remix`, FORM()));
  });
});
