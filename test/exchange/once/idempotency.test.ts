import { request as httpRequest, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, type FakeUpstream, json, startUpstream } from '../../fakes/upstream.ts';
import { startTestServer } from '../../server.ts';
import { chat, type Data, DIALECTS, TEXT } from '../dialects.ts';
import { call, type Got, setStage, type Stage } from '../stage.ts';
import { answering, keeping, OTHER_KEY } from './asking.ts';

let stage: Stage;
/** What does all but chat. */
let studio: FakeUpstream;

beforeEach(async () => {
  studio = await startUpstream();
  const at = { baseUrl: studio.url, key: 'k' };
  const { keys = [] } = keeping();
  stage = await setStage({ keys, providers: { openai: { preset: 'openai', ...at }, cohere: { preset: 'cohere', ...at } } });
});
afterEach(async () => {
  await stage.close();
  await studio.close();
});

/** How often a provider was asked. */
const calls = (): number => stage.upstream.seen.length + studio.seen.length;

function answerWith(answer: Answer): void {
  stage.upstream.answer = answer;
  studio.answer = answer;
}

/** An endpoint, a body for it, and a provider that answers it. */
interface Endpoint {
  readonly name: string;
  readonly path: string;
  readonly body: string | Buffer;
  readonly other: string | Buffer;
  readonly type?: string;
  readonly answer: Answer;
  readonly message?: (body: Data, status: number) => string;
}

const BOUNDARY = 'xxBOUNDARYxx';
const form = (sound: string): Buffer =>
  Buffer.from(
    [
      `--${BOUNDARY}\r\ncontent-disposition: form-data; name="model"\r\n\r\nopenai/whisper-1\r\n`,
      `--${BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\ncontent-type: audio/wav\r\n\r\n${sound}\r\n`,
      `--${BOUNDARY}--\r\n`,
    ].join(''),
  );

/** Bytes that are no text: an answer must come back just as it was. */
const SOUND = Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7) % 256));
const sound: Answer = (_, response) => void response.writeHead(200, { 'content-type': 'audio/mpeg' }).end(SOUND);

const CHATS: readonly Endpoint[] = DIALECTS.flatMap((client) =>
  [false, true].map((isStream) => ({
    name: `${client.id}${isStream ? ', streamed' : ''}`,
    path: client.path(`${client.provider}/up`, isStream),
    body: JSON.stringify(client.body(`${client.provider}/up`, isStream)),
    other: JSON.stringify(client.body(`${client.provider}/up`, isStream, 'something else')),
    answer: answering(client),
    message: (body: Data, status: number) => client.envelope(body, status).message,
  })),
);

const media = (name: string, path: string, body: Data, other: Data, answer: Answer): Endpoint => ({
  name,
  path,
  body: JSON.stringify(body),
  other: JSON.stringify(other),
  answer,
});

const vectors = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [0.5] }],
  model: 'up',
  usage: { prompt_tokens: 1, total_tokens: 1 },
};
const ENDPOINTS: readonly Endpoint[] = [
  ...CHATS,
  media('embeddings', '/v1/embeddings', { model: 'openai/up', input: 'a' }, { model: 'openai/up', input: 'b' }, json(vectors)),
  media(
    'rerank',
    '/v1/rerank',
    { model: 'cohere/rerank-v3.5', query: 'q', documents: ['a', 'b'] },
    { model: 'cohere/rerank-v3.5', query: 'r', documents: ['a', 'b'] },
    json({ id: 'r-1', results: [{ index: 1, relevance_score: 0.5 }], meta: { billed_units: { search_units: 1 } } }),
  ),
  media(
    'moderations',
    '/v1/moderations',
    { model: 'openai/omni-moderation-latest', input: 'a' },
    { model: 'openai/omni-moderation-latest', input: 'b' },
    json({ id: 'modr-1', model: 'up', results: [{ flagged: false, categories: {}, category_scores: {} }] }),
  ),
  media(
    'speech',
    '/v1/audio/speech',
    { model: 'openai/tts-1', input: 'a', voice: 'alloy' },
    { model: 'openai/tts-1', input: 'b', voice: 'alloy' },
    sound,
  ),
  {
    name: 'transcriptions',
    path: '/v1/audio/transcriptions',
    body: form('RIFFsome'),
    other: form('RIFFmore'),
    type: `multipart/form-data; boundary=${BOUNDARY}`,
    answer: json({ text: 'hello' }),
  },
];

interface Sending {
  readonly key: string;
  readonly body?: string | Buffer;
  readonly client?: string;
}

const post = (
  { path, body, type = 'application/json' }: Endpoint,
  { key, body: own = body, client = stage.server.key }: Sending,
): Promise<Got> => call(stage.server.url + path, own, { 'content-type': type, authorization: `Bearer ${client}`, 'idempotency-key': key });

/** A provider that waits until it is told how to answer. */
function hold(): ServerResponse[] {
  const waiting: ServerResponse[] = [];
  answerWith((_, response) => void waiting.push(response));
  return waiting;
}

const asAnswer = (endpoint: Endpoint, response: ServerResponse | undefined): void => {
  const seen = [...stage.upstream.seen, ...studio.seen].at(-1);
  if (response && seen) endpoint.answer(seen, response);
};

describe.each(ENDPOINTS)('$name', (endpoint) => {
  it('is done once: the same answer comes again, to the byte', async () => {
    answerWith(endpoint.answer);
    const first = await post(endpoint, { key: 'a' });
    const again = await post(endpoint, { key: 'a' });
    expect([first.status, first.headers['idempotent-replayed']]).toEqual([200, undefined]);
    expect([again.status, again.headers['idempotent-replayed'], again.headers['content-type']]).toEqual([
      200,
      'true',
      first.headers['content-type'],
    ]);
    expect(again.bytes).toEqual(first.bytes);
    expect(again.headers['x-pailou-request-id']).not.toBe(first.headers['x-pailou-request-id']);
    expect(calls()).toBe(1);
    await expect
      .poll(() => stage.server.records.map(({ cache, attempts }) => [cache, attempts]))
      .toEqual([
        [undefined, 1],
        ['repeat', 0],
      ]);
  });

  it('with another body is refused, and another client has keys of its own', async () => {
    answerWith(endpoint.answer);
    await post(endpoint, { key: 'b' });
    const other = await post(endpoint, { key: 'b', body: endpoint.other });
    expect([other.status, calls()]).toEqual([422, 1]);
    expect(other.text).toContain('Idempotency-Key');
    expect((await post(endpoint, { key: 'b', client: OTHER_KEY })).headers['idempotent-replayed']).toBeUndefined();
    expect(calls()).toBe(2);
  });

  it('is one call for any number at once: the others are told to come back', async () => {
    const waiting = hold();
    const all = Array.from({ length: 40 }, () => post(endpoint, { key: 'c' }));
    const refused: Got[] = [];
    for (const one of all) void one.then((got) => void (got.status === 409 && refused.push(got)));
    await expect.poll(() => refused.length, { timeout: 10_000 }).toBe(39);
    await expect.poll(() => waiting.length).toBe(1);
    asAnswer(endpoint, waiting[0]);
    const got = await Promise.all(all);
    expect(got.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(refused.map(({ headers }) => headers['retry-after']))).toEqual(new Set(['2']));
    if (endpoint.message) for (const { text } of refused) expect(endpoint.message(JSON.parse(text), 409)).toContain('being worked on');
    expect(calls()).toBe(1);
  });

  it('goes on when its client leaves, who may ask again for the answer', async () => {
    const waiting = hold();
    const sent = httpRequest(stage.server.url + endpoint.path, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': endpoint.type ?? 'application/json', authorization: `Bearer ${stage.server.key}`, 'idempotency-key': 'd' },
    });
    sent.on('error', () => {});
    sent.end(endpoint.body);
    await expect.poll(() => waiting.length, { timeout: 10_000 }).toBe(1);
    sent.destroy();
    await expect.poll(() => stage.server.app.active()).toBe(0);
    expect((await post(endpoint, { key: 'd' })).status).toBe(409);
    asAnswer(endpoint, waiting[0]);
    await expect.poll(() => stage.server.records.filter(({ status }) => status === 200)).toHaveLength(1);
    await expect.poll(async () => (await post(endpoint, { key: 'd' })).status).toBe(200);
    expect((await post(endpoint, { key: 'd' })).headers['idempotent-replayed']).toBe('true');
    expect(calls()).toBe(1);
  });
});

const plain = ENDPOINTS[0] as Endpoint;
const streamed = ENDPOINTS[1] as Endpoint;

describe('what may be tried again with the same key, and what not', () => {
  const rows: readonly { readonly name: string; readonly answer: Answer; readonly status: number; readonly again: number }[] = [
    { name: 'a mistake that the provider found', answer: json(chat.error(400, 'no such voice'), 400), status: 400, again: 400 },
    { name: 'a provider that failed', answer: json('down', 500), status: 502, again: 502 },
    { name: 'half an answer', answer: json('{"id":'), status: 502, again: 502 },
    { name: 'a rate limit', answer: json(chat.error(429, 'later'), 429, { 'retry-after': '9' }), status: 429, again: 200 },
    { name: 'a provider that is busy', answer: json('busy', 503, { 'retry-after': '9' }), status: 503, again: 200 },
    { name: 'a key of ours that was refused', answer: json(chat.error(401, 'no'), 401), status: 502, again: 200 },
  ];
  it.each(rows)('$name', async ({ answer, status, again }) => {
    answerWith(answer);
    expect((await post(plain, { key: 'e' })).status).toBe(status);
    answerWith(plain.answer);
    expect((await post(plain, { key: 'e' })).status).toBe(again);
  });

  it('a model that there was not yet', async () => {
    const body = JSON.stringify(chat.body('nobody/up', false));
    const asked = { key: 'f', body };
    expect((await post(plain, asked)).status).toBe(404);
    const { config } = stage.server.app.snapshot();
    stage.server.app.reload({ ...config, providers: { ...config.providers, nobody: chat.settings(stage.upstream.url) } });
    answerWith(plain.answer);
    expect((await post(plain, asked)).status).toBe(200);
  });

  it('a body that cannot be read', async () => {
    expect((await post(plain, { key: 'g', body: '{"model":' })).status).toBe(400);
    answerWith(plain.answer);
    expect((await post(plain, { key: 'g' })).status).toBe(200);
  });

  it('a stream that broke comes again as it was: it has cost something', async () => {
    const waiting = hold();
    const first = post(streamed, { key: 'h' });
    await expect.poll(() => waiting.length).toBe(1);
    waiting[0]?.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of chat.events.slice(0, 2)) await new Promise<void>((resolve) => void waiting[0]?.write(event, () => resolve()));
    waiting[0]?.destroy();
    const again = await post(streamed, { key: 'h' });
    expect([again.headers['idempotent-replayed'], again.text]).toEqual(['true', (await first).text]);
    expect(calls()).toBe(1);
  });

  it('an answer that is too large to keep is given once, and refused then', async () => {
    const text = 'x'.repeat(9 * 2 ** 20);
    answerWith(json({ ...chat.whole, choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }] }));
    expect((await post(plain, { key: 'i' })).status).toBe(200);
    const again = await post(plain, { key: 'i' });
    expect([again.status, JSON.parse(again.text).error.code, calls()]).toEqual([409, 'idempotency_answer_lost', 1]);
    expect(again.text).toContain('too large');
  });

  it('sound that broke off is refused', async () => {
    const speech = ENDPOINTS.find(({ name }) => name === 'speech') as Endpoint;
    answerWith((_, response) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg' });
      response.write(SOUND, () => response.destroy());
    });
    expect((await post(speech, { key: 'j' })).complete).toBe(false);
    const again = await post(speech, { key: 'j' });
    expect([again.status, JSON.parse(again.text).error.code, calls()]).toEqual([409, 'idempotency_answer_lost', 1]);
  });
});

it('1,000 at once with the same key are one call of the provider', async () => {
  const waiting = hold();
  const all = Array.from({ length: 1000 }, () => post(plain, { key: 'k' }));
  let refused = 0;
  for (const one of all) void one.then(({ status }) => void (status === 409 && refused++));
  await expect.poll(() => refused, { timeout: 30_000 }).toBe(999);
  asAnswer(plain, waiting[0]);
  const got = await Promise.all(all);
  expect(got.filter(({ status }) => status === 200).map(({ text }) => chat.wholeText(JSON.parse(text)))).toEqual([TEXT]);
  expect(calls()).toBe(1);
});

it('a conversation is made once for a key', async () => {
  const make: Endpoint = { ...plain, path: '/v1/conversations', body: '{"items":[]}' };
  const [first, again] = [await post(make, { key: 'l' }), await post(make, { key: 'l' })];
  expect([first.status, again.headers['idempotent-replayed'], again.text]).toEqual([200, 'true', first.text]);
});

it('a server that stops waits for answers whose clients have left', async () => {
  const waiting = hold();
  const sent = httpRequest(stage.server.url + plain.path, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${stage.server.key}`, 'idempotency-key': 'm' },
  });
  sent.on('error', () => {});
  sent.end(plain.body);
  await expect.poll(() => waiting.length).toBe(1);
  sent.destroy();
  await expect.poll(() => stage.server.app.active()).toBe(0);
  let drained = false;
  const draining = stage.server.app.drain(20_000).then(() => (drained = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(drained).toBe(false);
  asAnswer(plain, waiting[0]);
  await draining;
  expect(stage.server.records.map(({ status, endedBy }) => [status, endedBy])).toEqual([[200, 'upstream']]);
});

describe('when the store of answers', () => {
  const nothing = { finish: () => Promise.resolve(), forget: () => Promise.resolve() };

  it('says that the process that worked on it is gone, it is refused: whether a provider had taken it is not known', async () => {
    const other = await setStage({}, { idempotency: { ...nothing, begin: () => Promise.resolve('lost') } });
    const got = await call(other.server.url + plain.path, plain.body, {
      authorization: `Bearer ${other.server.key}`,
      'idempotency-key': 'n',
    });
    expect([got.status, JSON.parse(got.text).error.code, other.upstream.seen.length]).toEqual([409, 'idempotency_answer_lost', 0]);
    await other.close();
  });

  it('cannot be read, what has a key is refused, and the rest goes on', async () => {
    const server = await startTestServer({ providers: { oai: chat.settings(stage.upstream.url) } }, undefined, undefined, {
      idempotency: { ...nothing, begin: () => Promise.reject(new Error('the disk is gone')) },
    });
    answerWith(plain.answer);
    const headers = { authorization: `Bearer ${server.key}` };
    const got = await call(server.url + plain.path, plain.body, { ...headers, 'idempotency-key': 'o' });
    expect([got.status, JSON.parse(got.text).error.code, got.headers['retry-after']]).toEqual([503, 'store_unavailable', '5']);
    expect(got.text).not.toContain('disk');
    expect((await call(server.url + plain.path, plain.body, headers)).status).toBe(200);
    expect(server.defects).toHaveLength(1);
    await server.close();
  });

  it('cannot be written, the client has its answer all the same', async () => {
    const server = await startTestServer({ providers: { oai: chat.settings(stage.upstream.url) } }, undefined, undefined, {
      idempotency: { ...nothing, begin: () => Promise.resolve('new'), finish: () => Promise.reject(new Error('the disk is full')) },
    });
    answerWith(plain.answer);
    const got = await call(server.url + plain.path, plain.body, { authorization: `Bearer ${server.key}`, 'idempotency-key': 'p' });
    expect([got.status, chat.wholeText(JSON.parse(got.text))]).toEqual([200, TEXT]);
    expect(server.defects).toHaveLength(1);
    await server.close();
  });
});
