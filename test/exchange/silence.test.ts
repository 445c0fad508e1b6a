import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conduct, json, stream } from '../fakes/upstream.ts';
import { chat, type Dialect, messages, PAIRS, TEXT } from './dialects.ts';
import { ask, lastRecord, setStage, type Stage, told } from './stage.ts';

let stage: Stage;
let ahead = 0;
type Conductor = ReturnType<typeof conduct>;
const plays = new Map<string, Conductor>();
beforeAll(async () => {
  // A clock that can be put forward: to the keep-alives a stream has then been silent for as long.
  stage = await setStage({}, { clock: { now: () => Date.now(), monotonic: () => performance.now() + ahead } });
  stage.upstream.answer = (seen, response) => {
    const found = [...plays].find(([mark]) => (seen.path + seen.body).includes(mark));
    found?.[1].answer(seen, response);
  };
});
afterAll(() => stage.close());

interface Row {
  readonly name: string;
  readonly next: (play: Conductor, upstream: Dialect) => Promise<void> | void;
  readonly error?: RegExp;
}

const ROWS: readonly Row[] = [
  {
    name: 'an error status',
    next: (play, upstream) => {
      play.head(429, { 'content-type': 'application/json' });
      play.end(JSON.stringify(upstream.error(429, 'slow down')));
    },
    error: /slow down/,
  },
  { name: 'a closed connection', next: (play) => play.cut('rst'), error: /closed the connection/ },
  {
    name: 'an error as the first event',
    next: async (play, upstream) => {
      play.head();
      await play.write(upstream.errorEvent);
      play.end();
    },
    error: /it broke/,
  },
  {
    name: 'a stream',
    next: (play, upstream) => {
      play.head();
      play.end(upstream.events.join(''));
    },
  },
  {
    name: 'a whole reply',
    next: (play, upstream) => {
      play.head(200, { 'content-type': 'application/json' });
      play.end(JSON.stringify(upstream.whole));
    },
  },
];

const SOME = PAIRS.filter(({ client, upstream }) => client === upstream || client === chat || upstream === messages);

describe.concurrent.each(SOME)('$name: an upstream that is silent for long, and then', ({ client, upstream }) => {
  it.each(ROWS)('$name', async ({ next, error }) => {
    const play = conduct();
    // Rows run at once: each finds its conductor by the name of its model.
    const mark = `row-${plays.size}-`;
    plays.set(mark, play);
    let committed = (): void => {};
    const alive = new Promise<void>((resolve) => (committed = resolve));
    const model = `${upstream.provider}/${mark}`;
    const answer = fetch(stage.server.url + client.path(model, true), {
      method: 'POST',
      headers: { 'x-api-key': stage.server.key, 'x-request-id': 'mine' },
      body: JSON.stringify(client.body(model, true)),
    }).then(async (response) => {
      expect(response.status).toBe(200);
      expect(response.headers.get('x-request-id')).toBe('mine');
      let text = '';
      const decoder = new TextDecoder();
      for await (const bytes of response.body ?? []) {
        text += decoder.decode(bytes, { stream: true });
        committed();
      }
      return text;
    });
    await play.asked;
    // Its silence has begun: before that only another row would have put the clock forward for it.
    ahead += 20_000;
    await alive;
    await next(play, upstream);
    const text = await answer;
    const said = told(client, { status: 200, headers: {}, text, complete: true });
    if (error) expect(said.error).toMatch(error);
    expect(said).toMatchObject(error ? { finished: false } : { finished: true, text: TEXT, error: undefined });
    expect(text).toMatch(/^(: keep-alive|event: ping|\n)/);
  });
});

describe.concurrent('the first token', () => {
  it.each([
    { name: 'raw', client: chat, upstream: chat },
    { name: 'translated', client: chat, upstream: messages },
  ])('$name: once it has come, its deadline is over, also after a keep-alive', async ({ client, upstream }) => {
    const own = await setStage(
      {},
      { clock: { now: () => Date.now(), monotonic: () => performance.now() + ahead } },
      { connect: 1000, headers: 9000, firstToken: 2500, idle: 9000, total: 9000 },
    );
    const play = conduct();
    own.upstream.answer = play.answer;
    ahead += 20_000;
    const asked = ask(own, client, upstream, true);
    await play.asked;
    const sentAt = performance.now();
    play.head();
    // The keep-alive comes within a second or so; then a token, and the deadline passes.
    await expect.poll(() => performance.now() - sentAt, { interval: 100, timeout: 3000 }).toBeGreaterThan(1500);
    for (const event of upstream.events.slice(0, upstream.before)) await play.write(event);
    await expect.poll(() => performance.now() - sentAt, { interval: 100, timeout: 5000 }).toBeGreaterThan(2800);
    play.end(upstream.events.slice(upstream.before).join(''));
    const got = await asked;
    expect(got.text).toContain(': keep-alive');
    expect(told(client, got)).toMatchObject({ finished: true, text: TEXT });
    await own.close();
  });
});

describe.concurrent('a client that is slow to say what it wants', () => {
  it.each([
    { name: 'headers that do not end', bytes: 'POST /v1/messages HTTP/1.1\r\nhost: x\r\n' },
    {
      name: 'a body that does not end',
      bytes: 'POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: pk-test-0123456789abcdef\r\ncontent-length: 50\r\n\r\n{"a"',
    },
    {
      name: 'a refused body that does not end',
      bytes: 'POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n{"a"',
      status: 401,
    },
  ])('$name: the connection ends', async ({ bytes, status }) => {
    const own = await setStage();
    own.upstream.answer = json(messages.whole);
    expect(own.server.app.server.headersTimeout).toBeGreaterThan(0);
    expect(own.server.app.server.requestTimeout).toBeGreaterThan(0);
    Object.assign(own.server.app.server, { headersTimeout: 200, requestTimeout: 300 });
    const text = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(own.server.url).port), '127.0.0.1');
      let seen = '';
      socket.on('data', (more) => (seen += more.toString()));
      socket.on('error', () => {});
      socket.on('close', () => resolve(seen));
      socket.write(bytes);
    });
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status ?? 408} `));
    await own.close();
  });
});

describe('records', () => {
  it('say how long the first token took, and what stopped', async () => {
    const own = await setStage();
    own.upstream.answer = stream(chat.events);
    await ask(own, chat, chat, true);
    const record = await lastRecord(own, 1);
    expect(record).toMatchObject({
      lane: 'raw',
      stop: 'stop',
      status: 200,
      endedBy: 'upstream',
      provider: 'oai',
      model: 'up',
      key: 'test',
    });
    expect(record.firstTokenMs).toBeGreaterThan(0);
    expect(record.durationMs).toBeGreaterThanOrEqual(record.firstTokenMs ?? 0);
    await own.close();
  });
});
