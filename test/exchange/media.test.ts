import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { badField } from '../../src/ir/index.ts';
import { json } from '../fakes/upstream.ts';
import { chat, type Data, type Dialect, gemini, messages, responses } from './dialects.ts';
import { call, type Got, lastRecord, setStage, type Stage } from './stage.ts';

let stage: Stage;
const fetched: { url: string; param: string }[] = [];
let running = 0;
let most = 0;
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

beforeAll(async () => {
  stage = await setStage(
    {},
    {
      media: {
        check: () => Promise.resolve(),
        open: () => Promise.reject(new Error('nothing is opened in this test')),
        async fetch(url, param, signal) {
          fetched.push({ url, param });
          most = Math.max(most, ++running);
          try {
            if (url.endsWith('/private')) throw badField(param, `'${param}' names an address that may not be reached`);
            if (url.endsWith('/slow')) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('gone'))));
            await new Promise((resolve) => setImmediate(resolve));
            return { data: url.endsWith('/huge') ? Buffer.alloc(40 * 1024 * 1024) : PNG, mediaType: 'image/png' };
          } finally {
            running--;
          }
        },
      },
    },
  );
});
beforeEach(() => {
  fetched.length = 0;
  most = 0;
  stage.upstream.answer = json(gemini.whole);
});
afterAll(() => stage.close());

const send = (client: Dialect, body: Record<string, unknown>): Promise<Got> =>
  call(stage.server.url + client.path('gem/up', false), JSON.stringify({ ...client.body('gem/up', false), ...body }), {
    'x-api-key': stage.server.key,
  });

const chatImages = (...urls: readonly string[]): Record<string, unknown> => ({
  messages: [
    { role: 'system', content: 'look' },
    { role: 'user', content: [{ type: 'text', text: 'a' }, ...urls.map((url) => ({ type: 'image_url', image_url: { url } }))] },
  ],
});

const CLIENTS: readonly { client: Dialect; body: (url: string) => Record<string, unknown>; param: string }[] = [
  { client: chat, body: chatImages, param: 'messages[1].content[1]' },
  {
    client: messages,
    body: (url) => ({ messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url } }] }] }),
    param: 'messages[0].content[0]',
  },
  {
    client: responses,
    body: (url) => ({ input: [{ role: 'user', content: [{ type: 'input_image', image_url: url }] }] }),
    param: 'input[0].content[0]',
  },
];

describe.each(CLIENTS.map((row) => ({ ...row, id: row.client.id })))(
  '$id: a picture by its address, to a target that takes bytes',
  ({ client, body, param }) => {
    it('is fetched and put in', async () => {
      const got = await send(client, body('https://pictures.example/a'));
      expect(got.status, got.text).toBe(200);
      const sent: Data = JSON.parse(stage.upstream.seen.at(-1)?.body ?? '');
      const part = sent.contents.flatMap((turn: Data) => turn.parts).find((one: Data) => one.inlineData);
      expect(part.inlineData).toEqual({ mimeType: 'image/png', data: PNG.toString('base64') });
      expect(fetched).toEqual([{ url: 'https://pictures.example/a', param }]);
    });

    it('that may not be fetched is a 400 that names it, and asks nobody', async () => {
      stage.upstream.seen.length = 0;
      const got = await send(client, body('https://pictures.example/private'));
      expect(got.status).toBe(400);
      expect(client.envelope(JSON.parse(got.text), 400).message).toContain(param);
      if (client !== messages) expect(JSON.parse(got.text).error.param).toBe(param);
      expect(stage.upstream.seen).toEqual([]);
    });
  },
);

describe('many pictures', () => {
  it('are fetched a few at a time, each once', async () => {
    const urls = Array.from({ length: 30 }, (_, at) => `https://pictures.example/${at % 15}`);
    expect((await send(chat, chatImages(...urls))).status).toBe(200);
    expect(fetched.length).toBe(15);
    expect(most).toBeLessThanOrEqual(6);
  });

  it('that are too large together are refused', async () => {
    const got = await send(chat, chatImages('https://a.example/huge', 'https://b.example/huge'));
    expect(got.status).toBe(413);
    expect(chat.envelope(JSON.parse(got.text), 413).param).toMatch(/^messages\[1\]\.content\[\d\]$/);
  });

  it('are not waited for when the client leaves', async () => {
    const before = stage.server.records.length;
    const gone = new AbortController();
    const asked = fetch(`${stage.server.url}/v1/chat/completions`, {
      method: 'POST',
      signal: gone.signal,
      headers: { 'x-api-key': stage.server.key },
      body: JSON.stringify({ ...chat.body('gem/up', false), ...chatImages('https://a.example/slow') }),
    }).catch(() => undefined);
    await expect.poll(() => fetched.length, { interval: 5 }).toBe(1);
    gone.abort();
    await asked;
    expect(await lastRecord(stage, before + 1)).toMatchObject({ endedBy: 'client', status: 499, attempts: 0 });
    expect(running).toBe(0);
  });

  it('a target that fetches by itself gets the address', async () => {
    stage.upstream.answer = json(messages.whole);
    const body = { ...chat.body('claude/up', false), ...chatImages('https://pictures.example/a') };
    await call(`${stage.server.url}/v1/chat/completions`, JSON.stringify(body), { 'x-api-key': stage.server.key });
    expect(stage.upstream.seen.at(-1)?.body).toContain('https://pictures.example/a');
    expect(fetched).toEqual([]);
  });
});
