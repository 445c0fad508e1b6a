import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMediaFetcher } from '../../src/egress/media-fetcher.ts';
import { type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import { MP4, startVideoUpstream, type VideoUpstream } from '../fakes/videos.ts';
import { startTestServer, type TestServer } from '../server.ts';

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const OTHER = 'pk-other-0123456789abcdef';

let upstream: VideoUpstream;
let wan: FakeUpstream;
let files: FakeUpstream;
let server: TestServer;
let client: OpenAI;

/** DashScope, as far as it is asked here; its video is on another host than its API. */
function answerWan(): FakeUpstream['answer'] {
  let asked = 0;
  return (seen, response) => {
    const output = { task_id: 't-1', task_status: 'PENDING' };
    if (seen.method === 'POST') return json({ output, request_id: 'q' })(seen, response);
    asked += 1;
    const done = { ...output, task_status: 'SUCCEEDED', video_url: `${files.url}/video.mp4` };
    return json({ output: asked < 2 ? { ...output, task_status: 'RUNNING' } : done })(seen, response);
  };
}

beforeAll(async () => {
  upstream = await startVideoUpstream();
  wan = await startUpstream();
  files = await startUpstream((seen, response) => {
    if (seen.path === '/moved.mp4') return void response.writeHead(302, { location: '/video.mp4' }).end();
    const isImage = seen.path.endsWith('.png');
    return void response.writeHead(200, { 'content-type': isImage ? 'image/png' : 'video/mp4' }).end(isImage ? PNG : MP4);
  });
  server = await startTestServer(
    {
      providers: {
        openai: { preset: 'openai', baseUrl: upstream.url, key: 'sk-up' },
        dashscope: { preset: 'dashscope', baseUrl: wan.url, key: 'sk-wan' },
      },
      models: { cinema: 'openai/sora-2' },
      keys: [
        { name: 'test', value: 'pk-test-0123456789abcdef' },
        { name: 'other', value: OTHER },
        { name: 'strict', value: 'pk-strict-0123456789abcdef', strict: true },
      ],
    },
    undefined,
    undefined,
    { media: createMediaFetcher({ bounds: () => ({ allow: [`127.0.0.1/32`], fetchBytes: 2 ** 20 }), resolve: async () => ['10.0.0.1'] }) },
  );
  client = new OpenAI({ apiKey: server.key, baseURL: `${server.url}/v1`, maxRetries: 0 });
});

beforeEach(() => {
  upstream.polls = 2;
  upstream.slowness = () => 0;
});

afterAll(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
  await upstream.close();
  await wan.close();
  await files.close();
});

const call = (path: string, init: RequestInit = {}, key = server.key): Promise<Response> =>
  fetch(`${server.url}${path}`, { ...init, headers: { authorization: `Bearer ${key}`, ...init.headers } });

const post = (path: string, body: unknown, headers: Record<string, string> = {}, key = server.key): Promise<Response> =>
  call(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }, key);

async function done(id: string, of = client) {
  for (;;) {
    const video = await of.videos.retrieve(id);
    if (!['queued', 'in_progress'].includes(video.status)) return video;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const made = async (prompt = 'a cat'): Promise<string> => {
  const { id } = await client.videos.create({ model: 'openai/sora-2', prompt });
  await done(id);
  return id;
};

describe('the official SDK', () => {
  it('makes, follows, downloads, lists and deletes videos over an upstream of its own dialect', async () => {
    const video = await client.videos.create({ model: 'sora-2', prompt: 'a cat', seconds: '4', size: '720x1280' });
    expect(video).toMatchObject({
      object: 'video',
      model: 'sora-2',
      progress: 0,
      prompt: 'a cat',
      seconds: '4',
      size: '720x1280',
      error: null,
    });
    expect(video.id).toMatch(/^video_/);
    expect(await done(video.id)).toMatchObject({ status: 'completed', progress: 100, error: null });
    expect(Buffer.from(await (await client.videos.downloadContent(video.id)).arrayBuffer()).equals(MP4)).toBe(true);
    const thumbnail = await client.videos.downloadContent(video.id, { variant: 'thumbnail' });
    expect(thumbnail.headers.get('content-type')).toBe('image/webp');
    const second = await made('a dog');
    const listed: string[] = [];
    for await (const one of client.videos.list({ limit: 1, order: 'desc' })) listed.push(one.id);
    expect(listed.slice(0, 2)).toEqual([second, video.id]);
    expect(await client.videos.delete(video.id)).toEqual({ id: video.id, object: 'video.deleted', deleted: true });
    await expect(client.videos.retrieve(video.id)).rejects.toThrow(OpenAI.NotFoundError);
    expect(upstream.seen.filter(({ method }) => method === 'DELETE')).toHaveLength(1);
  });

  it('makes them over an upstream of another kind, whose file is elsewhere', async () => {
    wan.answer = answerWan();
    const { id } = await client.videos.create({ model: 'dashscope/wan2.5-t2v-preview', prompt: 'a cat', size: '1280x720' });
    expect(await done(id)).toMatchObject({ status: 'completed', model: 'wan2.5-t2v-preview' });
    expect(Buffer.from(await (await client.videos.downloadContent(id)).arrayBuffer()).equals(MP4)).toBe(true);
    // The provider's key goes to the provider alone.
    expect(files.seen.at(-1)?.headers['authorization']).toBeUndefined();
    await expect(client.videos.remix(id, { prompt: 'a dog' })).rejects.toThrow(/no remixes of videos/);
  });

  it('makes a video of a video', async () => {
    const source = await made();
    const remote = [...upstream.jobs.keys()].at(-1);
    const remix = await client.videos.remix(source, { prompt: 'a dog' });
    expect(remix).toMatchObject({ remixed_from_video_id: source, prompt: 'a dog', model: 'sora-2' });
    expect(upstream.seen.findLast(({ method }) => method === 'POST')).toMatchObject({
      path: `/v1/videos/${remote}/remix`,
      body: '{"prompt":"a dog"}',
    });
    await client.videos.edit({ prompt: 'at night', video: { id: source } });
    expect(upstream.seen.findLast(({ method }) => method === 'POST')).toMatchObject({
      path: '/v1/videos/edits',
      body: JSON.stringify({ prompt: 'at night', video: { id: remote } }),
    });
    await client.videos.extend({ prompt: 'and on', seconds: '4', video: { id: source } });
    expect(upstream.seen.findLast(({ method }) => method === 'POST')?.path).toBe('/v1/videos/extensions');
  });

  it('sends a reference as a file', async () => {
    const file = await toFile(PNG, 'cat.png', { type: 'image/png' });
    await client.videos.create({ model: 'cinema', prompt: 'a cat', input_reference: file });
    const sent = upstream.seen.findLast(({ method }) => method === 'POST');
    expect(sent?.headers['content-type']).toMatch(/^multipart\/form-data/);
    expect(sent?.body).toContain('name="input_reference"; filename=');
  });
});

describe('a video that a client brings', () => {
  const film = () => toFile(MP4, 'film.mp4', { type: 'video/mp4' });

  it('is edited, where no model is named by the usual one', async () => {
    const edited = await client.videos.edit({ prompt: 'at night', video: await film() });
    expect(edited).toMatchObject({ model: 'sora-2', prompt: 'at night' });
    const sent = upstream.seen.findLast(({ method }) => method === 'POST');
    expect([sent?.path, sent?.body]).toEqual(['/v1/videos/edits', expect.stringContaining('name="video"; filename="video.mp4"')]);
  });

  it('becomes a character, which others do not see and requests may name', async () => {
    const { answer } = upstream;
    upstream.answer = json({ id: 'char_up', name: 'Tom', created_at: 1_700_000_000 });
    const character = await client.videos.createCharacter({ name: 'Tom', video: await film() });
    upstream.answer = answer;
    const id = character.id ?? '';
    expect(character).toMatchObject({ name: 'Tom', created_at: 1_700_000_000 });
    expect(id).not.toBe('char_up');
    expect(upstream.seen.findLast(({ method }) => method === 'POST')?.path).toBe('/v1/videos/characters');
    expect(await client.videos.getCharacter(id)).toMatchObject({ id, name: 'Tom' });
    expect((await call(`/v1/videos/characters/${id}`, {}, OTHER)).status).toBe(404);
    const body = { model: 'openai/sora-2', prompt: 'Tom runs', characters: [{ id }] };
    expect((await post('/v1/videos', body)).status).toBe(200);
    expect(JSON.parse(upstream.seen.findLast(({ method }) => method === 'POST')?.body ?? '')).toMatchObject({
      characters: [{ id: 'char_up' }],
    });
    const theirs = await post('/v1/videos', body, {}, OTHER);
    expect([theirs.status, await theirs.json()]).toMatchObject([400, { error: { param: 'characters[0].id' } }]);
  });

  it.each<[string, string, (form: FormData) => void, string]>([
    ['no video', 'characters', (form) => form.append('name', 'Tom'), 'video'],
    ['no name', 'characters', (form) => form.append('video', new Blob([MP4]), 'a.mp4'), 'name'],
    ['an image for a video', 'edits', (form) => form.append('video', new Blob([PNG]), 'a.mp4'), 'video'],
    [
      'a file for a provider that takes its own only',
      'edits',
      (form) => {
        form.append('video', new Blob([MP4]), 'a.mp4');
        form.append('model', 'dashscope/wan2.5-t2v-preview');
      },
      'model',
    ],
  ])('is refused with %s', async (_name, path, add, param) => {
    const form = new FormData();
    form.append('prompt', 'a cat');
    add(form);
    const answer = await call(`/v1/videos/${path}`, { method: 'POST', body: form });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param } }]);
  });
});

describe('a reference', () => {
  const DATA_URI = `data:image/png;base64,${PNG.toString('base64')}`;
  it.each([
    ['a URL', () => `${files.url}/cat.png`],
    ['a data URI', () => DATA_URI],
    ['bare base64', () => PNG.toString('base64')],
    ['an object of the SDK', () => ({ image_url: DATA_URI })],
    ['a list of one', () => [DATA_URI]],
  ])('may be %s', async (_name, reference) => {
    const answer = await post('/v1/videos', { model: 'openai/sora-2', prompt: 'a cat', input_reference: reference() });
    expect(answer.status).toBe(200);
    expect(upstream.seen.findLast(({ method }) => method === 'POST')?.body).toContain('content-type: image/png');
  });

  it('may be files of a form, under the name of a list', async () => {
    const form = new FormData();
    form.append('input_reference[]', new Blob([PNG], { type: 'image/png' }), 'a.png');
    form.append('prompt', 'a cat');
    form.append('model', 'sora-2');
    const answer = await call('/openai/v1/videos', { method: 'POST', body: form });
    expect(answer.status).toBe(200);
  });
});

describe('content', () => {
  it('comes whole, by ranges, and not beyond its end', async () => {
    const id = await made();
    const range = (header: string): Promise<Response> => call(`/v1/videos/${id}/content`, { headers: { range: header } });
    const part = await range('bytes=4-7');
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([206, `bytes 4-7/${MP4.length}`, 'ftyp']);
    const tail = await range('bytes=-4');
    expect(Buffer.from(await tail.arrayBuffer()).equals(MP4.subarray(-4))).toBe(true);
    const beyond = await range('bytes=999999-');
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${MP4.length}`]);
    const head = await call(`/v1/videos/${id}/content`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), head.headers.get('accept-ranges')]).toEqual([
      200,
      String(MP4.length),
      'bytes',
    ]);
    const same = await call(`/v1/videos/${id}/content`, { headers: { 'if-none-match': head.headers.get('etag') ?? '' } });
    expect(same.status).toBe(304);
    expect((await call(`/v1/videos/${id}/content?variant=last_frame`)).status).toBe(400);
    expect((await call(`/v1/videos/${id}/content?variant=frames`)).status).toBe(400);
  });

  it('is refused while there is none', async () => {
    upstream.polls = 1000;
    const { id } = await client.videos.create({ model: 'openai/sora-2', prompt: 'a slow cat' });
    const answer = await call(`/v1/videos/${id}/content`);
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { code: 'video_not_ready' } }]);
    const cancelled = await call(`/v1/videos/${id}/cancel`, { method: 'POST' });
    expect(await cancelled.json()).toMatchObject({ id, status: 'cancelled' });
    expect(await client.videos.retrieve(id)).toMatchObject({ status: 'cancelled' });
  });
});

describe('a task', () => {
  it('belongs to the key that made it, and to the platform', async () => {
    const id = await made();
    for (const [path, init] of [
      [`/v1/videos/${id}`, {}],
      [`/v1/videos/${id}/content`, {}],
      [`/v1/videos/${id}`, { method: 'DELETE' }],
      [`/v1/videos/${id}/cancel`, { method: 'POST' }],
      [`/v1beta/operations/${id}`, {}],
    ] as const) {
      expect((await call(path, init, OTHER)).status, path).toBe(404);
    }
    expect((await post(`/v1/videos/${id}/remix`, { prompt: 'x' }, {}, OTHER)).status).toBe(404);
    expect(await (await call('/v1/videos', {}, OTHER)).json()).toMatchObject({ data: [], has_more: false });
    expect((await call(`/openai/v1/videos/${id}`)).status).toBe(200);
    expect((await call(`/dashscope/v1/videos/${id}`)).status).toBe(404);
    expect((await call(`/nobody/v1/videos/${id}`)).status).toBe(404);
  });

  it('shows what its provider said to who asks for it', async () => {
    const id = await made();
    expect(await (await call(`/v1/videos/${id}`)).json()).not.toHaveProperty('detail');
    const { detail } = (await (await call(`/v1/videos/${id}?detail=true`)).json()) as { detail: Record<string, unknown> };
    expect(detail).toMatchObject({
      provider: 'openai',
      provider_id: expect.stringMatching(/^video_up/),
      response: { status: 'completed' },
    });
    expect(JSON.stringify(detail)).not.toContain(upstream.url);
  });

  it('keeps the reason of the provider when it fails', async () => {
    const { id } = await client.videos.create({ model: 'openai/sora-2', prompt: 'fail please' });
    expect(await done(id)).toMatchObject({
      status: 'failed',
      error: { code: 'moderation_blocked', message: 'The video shows what must not be shown' },
      completed_at: expect.any(Number),
    });
    const content = await call(`/v1/videos/${id}/content`);
    expect([content.status, await content.text()]).toEqual([400, expect.stringContaining('must not be shown')]);
  });

  it('is not there when the provider refuses it', async () => {
    const before = (await client.videos.list()).data.length;
    const refused = client.videos.create({ model: 'openai/sora-2', prompt: 'refuse me' });
    await expect(refused).rejects.toMatchObject({ status: 400, code: 'moderation_blocked', param: 'prompt' });
    expect((await client.videos.list()).data.length).toBe(before);
  });
});

describe('Idempotency-Key', () => {
  const BODY = { model: 'openai/sora-2', prompt: 'once' };
  const count = (): number => upstream.seen.filter(({ method }) => method === 'POST').length;

  it('gives the same answer again, and asks the provider once', async () => {
    const before = count();
    const first = await post('/v1/videos', BODY, { 'idempotency-key': 'a' });
    const again = await post('/v1/videos', BODY, { 'idempotency-key': 'a' });
    expect(await again.text()).toBe(await first.text());
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(count()).toBe(before + 1);
  });

  it('is refused with another body, and is its owner’s alone', async () => {
    await post('/v1/videos', BODY, { 'idempotency-key': 'b' });
    const other = await post('/v1/videos', { ...BODY, prompt: 'twice' }, { 'idempotency-key': 'b' });
    expect([other.status, await other.json()]).toMatchObject([
      422,
      { error: { code: 'idempotency_key_reused', param: 'Idempotency-Key' } },
    ]);
    expect((await post('/v1/videos', { ...BODY, prompt: 'twice' }, { 'idempotency-key': 'b' }, OTHER)).status).toBe(200);
  });

  it('is a conflict while the first is at work', async () => {
    upstream.slowness = () => 150;
    const before = count();
    const both = [post('/v1/videos', BODY, { 'idempotency-key': 'c' }), post('/v1/videos', BODY, { 'idempotency-key': 'c' })];
    expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(count()).toBe(before + 1);
  });

  it('may be used again after a failure in which nothing happened', async () => {
    const { answer } = upstream;
    upstream.answer = json({ error: { message: 'slow down', type: 'rate_limit_error' } }, 429);
    expect((await post('/v1/videos', BODY, { 'idempotency-key': 'd' })).status).toBe(429);
    upstream.answer = answer;
    expect((await post('/v1/videos', BODY, { 'idempotency-key': 'd' })).status).toBe(200);
  });

  it('is answered once where nobody knows what happened', async () => {
    const { answer } = upstream;
    const before = count();
    upstream.answer = (_seen, response) => response.socket?.destroy();
    const first = await post('/v1/videos', BODY, { 'idempotency-key': 'e' });
    upstream.answer = answer;
    const again = await post('/v1/videos', BODY, { 'idempotency-key': 'e' });
    expect([first.status, again.status, count() - before]).toEqual([502, 502, 1]);
    const { data } = await client.videos.list({ limit: 1 });
    expect(data[0]).toMatchObject({ status: 'failed', error: { code: 'upstream_closed' } });
  });

  it('must be one', async () => {
    const answer = await post('/v1/videos', BODY, { 'idempotency-key': 'x'.repeat(256) });
    expect(await answer.json()).toMatchObject({ error: { param: 'Idempotency-Key' } });
  });
});

describe('what is wrong with a request is said by the name of its field', () => {
  const GOOD = { model: 'openai/sora-2', prompt: 'a cat' };
  const tiny = Buffer.from('abcd').toString('base64');
  it.each<[string, unknown, number, string]>([
    ['no model', { prompt: 'a cat' }, 400, 'model'],
    ['no prompt', { model: 'openai/sora-2' }, 400, 'prompt'],
    ['an empty prompt', { ...GOOD, prompt: ' ' }, 400, 'prompt'],
    ['a model without the ability', { ...GOOD, model: 'openai/gpt-5' }, 400, 'model'],
    ['an unknown model', { ...GOOD, model: 'nobody-knows' }, 404, 'model'],
    ['seconds that are none', { ...GOOD, seconds: 'eight' }, 400, 'seconds'],
    ['negative seconds', { ...GOOD, seconds: -4 }, 400, 'seconds'],
    ['a size that is none', { ...GOOD, size: 'huge' }, 400, 'size'],
    ['a size beyond reason', { ...GOOD, size: '99999x99999' }, 400, 'size'],
    ['an image of four bytes', { ...GOOD, input_reference: tiny }, 400, 'input_reference'],
    ['a text for an image', { ...GOOD, input_reference: 'a cat, please!' }, 400, 'input_reference'],
    ['a number for an image', { ...GOOD, input_reference: 7 }, 400, 'input_reference'],
    ['the second of two images', { ...GOOD, input_reference: [PNG.toString('base64'), tiny] }, 400, 'input_reference[1]'],
    ['a file of the provider', { ...GOOD, input_reference: { file_id: 'file_1' } }, 400, 'input_reference.file_id'],
    ['a URL into a private network', { ...GOOD, input_reference: 'http://169.254.169.254/latest' }, 400, 'input_reference'],
    ['a name that leads into one', { ...GOOD, input_reference: 'https://internal.example.com/cat.png' }, 400, 'input_reference'],
    [
      'a webhook into one',
      { ...GOOD, webhook: { url: 'http://10.0.0.7/x', secret: `whsec_${Buffer.alloc(24).toString('base64')}` } },
      400,
      'webhook.url',
    ],
    ['a webhook without a secret', { ...GOOD, webhook: { url: 'https://example.com/x' } }, 400, 'webhook.secret'],
    ['a webhook with a short secret', { ...GOOD, webhook: { url: 'https://example.com/x', secret: 'whsec_AAAA' } }, 400, 'webhook.secret'],
    [
      'two images for a model that takes one',
      { ...GOOD, input_reference: [PNG.toString('base64'), PNG.toString('base64')] },
      400,
      'input_reference[1]',
    ],
  ])('%s', async (_name, body, status, param) => {
    const before = upstream.seen.length;
    const answer = await post('/v1/videos', body);
    expect([answer.status, await answer.json()]).toMatchObject([status, { error: { param } }]);
    expect(upstream.seen.slice(before).filter(({ method }) => method === 'POST')).toEqual([]);
  });

  it.each<[string, (form: FormData) => void, string]>([
    ['a file under a wrong name', (form) => form.append('image', new Blob([PNG]), 'a.png'), 'image'],
    ['an empty file', (form) => form.append('input_reference', new Blob([]), 'a.png'), 'input_reference'],
    ['a file that is no image', (form) => form.append('input_reference', new Blob(['text']), 'a.png'), 'input_reference'],
  ])('in a form: %s', async (_name, add, param) => {
    const form = new FormData();
    form.append('model', 'openai/sora-2');
    form.append('prompt', 'a cat');
    add(form);
    const answer = await call('/v1/videos', { method: 'POST', body: form });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param } }]);
  });

  it.each<[string, string, number]>([
    ['PUT', '/v1/videos/x', 405],
    ['DELETE', '/v1/videos', 405],
    ['GET', '/v1/videos/x/remix', 405],
    ['GET', '/v1/videos/x/y/z', 404],
    ['GET', '/v1/videos?limit=0', 400],
    ['GET', '/v1/videos?order=up', 400],
    ['GET', '/v1/videos/video_nobody', 404],
  ])('%s %s', async (method, path, status) => expect((await call(path, { method })).status).toBe(status));

  it('what a provider has no field for is a note, or refused where that was asked for', async () => {
    wan.answer = answerWan();
    const body = { model: 'dashscope/wan2.5-t2v-preview', prompt: 'a cat', seconds: 60 };
    const noted = await post('/v1/videos', body);
    expect(noted.headers.get('x-pailou-notes')).toBe('seconds;approximated');
    const refused = await post('/v1/videos', body, {}, 'pk-strict-0123456789abcdef');
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: { param: 'seconds', code: 'not_expressible' } }]);
  });
});
