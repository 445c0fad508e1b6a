import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { startVideoUpstream, type VideoUpstream } from '../fakes/videos.ts';

let upstream: VideoUpstream;
let server: TestServer;
let client: OpenAI;

beforeAll(async () => {
  upstream = await startVideoUpstream();
  server = await startTestServer({
    providers: { openai: { preset: 'openai', baseUrl: upstream.url, key: 'sk-up' } },
    keys: [
      { name: 'test', value: 'pk-test-0123456789abcdef' },
      { name: 'other', value: 'pk-other-0123456789abcdef' },
    ],
  });
  client = new OpenAI({ apiKey: server.key, baseURL: `${server.url}/v1`, maxRetries: 0 });
});

afterAll(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
  await upstream.close();
});

async function done(id: string) {
  for (;;) {
    const video = await client.videos.retrieve(id);
    if (!['queued', 'in_progress'].includes(video.status)) return video;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('videos over OpenAI', () => {
  it('makes, follows, downloads, lists and deletes one with the official SDK', async () => {
    const made = await client.videos.create({ model: 'sora-2', prompt: 'a cat', seconds: '4', size: '720x1280' });
    expect(made).toMatchObject({
      object: 'video',
      model: 'sora-2',
      status: 'queued',
      progress: 0,
      prompt: 'a cat',
      seconds: '4',
      size: '720x1280',
    });
    const video = await done(made.id);
    expect(video).toMatchObject({ status: 'completed', progress: 100, error: null });
    const bytes = Buffer.from(await (await client.videos.downloadContent(made.id)).arrayBuffer());
    expect(bytes.toString('latin1')).toContain('ftypisom');
  });
});
