import { BadRequestError, NotFoundError, OpenAI, RateLimitError, toFile } from 'openai';
import { beforeEach, describe, expect, it } from 'vitest';
import { imageSize } from '../../src/media/image-size.ts';
import { clientCodecs } from '../../src/protocols/index.ts';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { createSandboxFetch } from './sandbox-fetch.ts';

let now = 0;
let ids = 0;

/** A sandbox whose clock moves when it is told to. */
const start = (): OpenAI =>
  new OpenAI({
    apiKey: 'none',
    baseURL: 'http://sandbox/v1',
    maxRetries: 0,
    fetch: createSandboxFetch(
      createSandbox({
        now: () => 1_800_000_000_000 + now,
        newId: (prefix) => `${prefix}${++ids}`,
        setTimer(run, ms) {
          const timer = setTimeout(run, Math.min(ms, 1));
          return () => clearTimeout(timer);
        },
        codecs: clientCodecs,
      }),
    ),
  });

let client: OpenAI;
beforeEach(() => {
  now = 0;
  client = start();
});

const create = (prompt: string, more: Partial<OpenAI.VideoCreateParams> = {}): Promise<OpenAI.Video> =>
  client.videos.create({ model: 'video', prompt, size: '320x192' as '720x1280', ...more });

const bytesOf = async (id: string, variant?: 'thumbnail'): Promise<Buffer> =>
  Buffer.from(await (await client.videos.downloadContent(id, variant ? { variant } : {})).arrayBuffer());

/** Boxes of an MP4 file by their path. */
function boxes(bytes: Buffer, path = '', found = new Map<string, Buffer>()): Map<string, Buffer> {
  for (let at = 0; at + 8 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const name = path + bytes.toString('latin1', at + 4, at + 8);
    const body = bytes.subarray(at + 8, at + length);
    found.set(name, body);
    if (/(?:^|\/)(?:moov|trak|mdia|minf|stbl)$/.test(name)) boxes(body, `${name}/`, found);
    at += length;
  }
  return found;
}

describe('videos of the sandbox', () => {
  it('takes its time, tells of its progress, and gives a film', async () => {
    const made = await create('A paper boat 纸船');
    expect(made).toMatchObject({
      object: 'video',
      status: 'queued',
      progress: 0,
      seconds: '4',
      size: '320x192',
      model: 'video',
      error: null,
      created_at: 1_800_000_000,
    });
    const seen: (readonly [string, number])[] = [];
    for (now = 0; now <= 2000; now += 100) {
      const { status, progress } = await client.videos.retrieve(made.id);
      seen.push([status, progress]);
      if (status !== 'completed') await expect(bytesOf(made.id)).rejects.toMatchObject({ code: 'video_not_ready' });
    }
    expect([...new Set(seen.map(([status]) => status))]).toEqual(['queued', 'in_progress', 'completed']);
    const progress = seen.map(([, share]) => share);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(progress.at(-1)).toBe(100);
    const film = await bytesOf(made.id);
    expect(film.equals(await bytesOf(made.id))).toBe(true);
    expect(film.toString('latin1', 4, 12)).toBe('ftypisom');
    expect(imageSize(await bytesOf(made.id, 'thumbnail'))).toEqual({ format: 'PNG', width: 320, height: 192 });
  });

  it.each(['4', '8', '12'] as const)('lasts %s seconds, as its tables say', async (seconds) => {
    const { id } = await create('Boat', { seconds });
    now = 5000;
    const film = boxes(await bytesOf(id));
    const movie = film.get('moov/mvhd') ?? Buffer.alloc(0);
    expect(movie.readUInt32BE(16) / movie.readUInt32BE(12)).toBe(Number(seconds));
    const sizes = film.get('moov/trak/mdia/minf/stbl/stsz') ?? Buffer.alloc(0);
    const lengths = Array.from({ length: sizes.readUInt32BE(8) }, (_, at) => sizes.readUInt32BE(12 + at * 4));
    expect(lengths).toHaveLength(Number(seconds) * 10);
    const data = film.get('mdat') ?? Buffer.alloc(0);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(data.length);
    let at = 0;
    for (const length of lengths) {
      expect(data.readUInt32BE(at)).toBe(length - 4);
      at += length;
    }
  });

  it('knows its jobs after a restart, but for what only memory holds', async () => {
    const { id } = await create('x'.repeat(500));
    now = 1000;
    const before = await client.videos.retrieve(id);
    expect(before).toMatchObject({ status: 'in_progress', prompt: 'x'.repeat(500) });
    client = start();
    expect(await client.videos.retrieve(id)).toEqual({ ...before, prompt: 'x'.repeat(120) });
    expect((await client.videos.list()).data).toEqual([]);
  });

  it.each([
    ['video-fail', 'x', 'video_generation_failed'],
    ['video-filtered', 'x', 'moderation_blocked'],
    ['video', '[[task fail]] x', 'video_generation_failed'],
    ['video', '[[filter]] x', 'moderation_blocked'],
  ] as const)('%s: %s fails in the middle', async (model, prompt, code) => {
    const { id } = await create(prompt, { model: model as 'sora-2' });
    expect((await client.videos.retrieve(id)).status).toBe('queued');
    now = 1500;
    expect(await client.videos.retrieve(id)).toMatchObject({ status: 'failed', error: { code } });
    await expect(bytesOf(id)).rejects.toBeInstanceOf(BadRequestError);
  });

  it.each([
    ['video-slow', 'x', 12_000, 14_000],
    ['video-takes-30s', 'x', 29_000, 30_000],
    ['video', '[[task 1m]] x', 59_000, 60_000],
  ])('%s: %s takes its time', async (model, prompt, before, after) => {
    const { id } = await create(prompt, { model: model as 'sora-2' });
    now = before;
    expect((await client.videos.retrieve(id)).status).toBe('in_progress');
    now = after;
    expect((await client.videos.retrieve(id)).status).toBe('completed');
  });

  it('is never done, or refused, as it is asked to', async () => {
    const { id } = await create('x', { model: 'video-stuck' as 'sora-2' });
    now = 86_400_000;
    expect(await client.videos.retrieve(id)).toMatchObject({ status: 'in_progress', progress: 50 });
    await expect(create('x', { model: 'video-refused' as 'sora-2' })).rejects.toMatchObject({ status: 400, code: 'moderation_blocked' });
    await expect(create('[[refuse]] x')).rejects.toMatchObject({ status: 400, code: 'moderation_blocked' });
    await expect(create('x', { model: 'video-status-429' as 'sora-2' })).rejects.toBeInstanceOf(RateLimitError);
    await expect(create('[[fail retry-after=3]]  x')).rejects.toBeInstanceOf(RateLimitError);
  });

  it.each([
    ['video-cut-after-1', 'x'],
    ['video', '[[fail reset-after-1]] x'],
  ])('%s: %s breaks off when its film is fetched', async (model, prompt) => {
    const { id } = await create(prompt, { model: model as 'sora-2' });
    now = 5000;
    expect((await client.videos.retrieve(id)).status).toBe('completed');
    await expect(bytesOf(id)).rejects.toThrow();
  });

  it('gives parts of its bytes', async () => {
    const { id } = await create('x');
    now = 5000;
    const whole = await bytesOf(id);
    const range = async (header: string) =>
      (await client.videos.downloadContent(id, {}, { headers: { range: header } })) as unknown as Response;
    const middle = await range('bytes=100-199');
    expect([middle.status, middle.headers.get('content-range')]).toEqual([206, `bytes 100-199/${whole.length}`]);
    expect(Buffer.from(await middle.arrayBuffer()).equals(whole.subarray(100, 200))).toBe(true);
    const end = await range('bytes=-10');
    expect(Buffer.from(await end.arrayBuffer()).equals(whole.subarray(-10))).toBe(true);
    await expect(range(`bytes=${whole.length}-`)).rejects.toMatchObject({ status: 416 });
  });

  it('remixes, edits, extends, lists and deletes', async () => {
    const first = await create('Boat', { input_reference: await toFile(Buffer.from('R0lGODlhAQABAAAAACw=', 'base64'), 'a.gif') });
    await expect(client.videos.remix(first.id, { prompt: 'At night' })).rejects.toMatchObject({ code: 'video_not_completed' });
    now = 5000;
    const remix = await client.videos.remix(first.id, { prompt: 'At night' });
    expect(remix).toMatchObject({ remixed_from_video_id: first.id, status: 'queued', seconds: '4', size: '320x192', prompt: 'At night' });
    const edit = await client.videos.edit({ prompt: 'At dawn', video: { id: first.id } });
    const longer = await client.videos.extend({ prompt: 'Longer', seconds: '8', video: { id: first.id } });
    expect([edit.seconds, longer.seconds]).toEqual(['4', '12']);
    now = 9000;
    expect((await bytesOf(remix.id)).equals(await bytesOf(first.id))).toBe(false);
    const page = await client.videos.list({ limit: 2 });
    expect(page.data.map(({ id }) => id)).toEqual([longer.id, edit.id]);
    const all: string[] = [];
    for await (const video of client.videos.list({ limit: 1, order: 'asc' })) all.push(video.id);
    expect(all).toEqual([first.id, remix.id, edit.id, longer.id]);
    expect(await client.videos.delete(first.id)).toEqual({ id: first.id, object: 'video.deleted', deleted: true });
    await expect(client.videos.retrieve(first.id)).rejects.toBeInstanceOf(NotFoundError);
    expect((await client.videos.list()).data).toHaveLength(3);
  });

  it('lets go of films after an hour, and knows no made-up ids', async () => {
    const { id } = await create('x');
    now = 3_700_000;
    await expect(bytesOf(id)).rejects.toBeInstanceOf(NotFoundError);
    for (const wrong of ['video_1', `${id}x`, id.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')), 'x', 'video_00000000AAAA'])
      await expect(client.videos.retrieve(wrong)).rejects.toBeInstanceOf(NotFoundError);
  });

  it.each([
    [{ prompt: '' }, 'prompt'],
    [{ seconds: '5' as '4' }, 'seconds'],
    [{ size: '321x192' as '720x1280' }, 'size'],
    [{ size: '3840x2160' as '720x1280' }, 'size'],
    [{ size: '9x9' as '720x1280' }, 'size'],
    [{ model: 'image' as 'sora-2' }, 'model'],
  ])('refuses %j by name', async (wrong, param) => {
    await expect(create('x', wrong)).rejects.toMatchObject({ status: 400, param });
  });
});
