import { request as httpRequest } from 'node:http';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Answer } from '../../fakes/upstream.ts';
import { chat, DIALECTS, gemini, messages, responses, TEXT } from '../dialects.ts';
import { type Got, setStage, type Stage, told } from '../stage.ts';
import { keeping, put, question } from './asking.ts';

let stage: Stage;

beforeEach(async () => {
  stage = await setStage(keeping());
});
afterEach(() => stage.close());

/** A provider that says nothing until it is told to, and then what it is told. */
function held(): { readonly answer: Answer; readonly waiting: ServerResponse[] } {
  const waiting: ServerResponse[] = [];
  return { waiting, answer: (_, response) => void waiting.push(response) };
}

const wholeTo = (response: ServerResponse | undefined, body: unknown = chat.whole, status = 200): void =>
  void response?.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

const streamHead = (response: ServerResponse | undefined): void => void response?.writeHead(200, { 'content-type': 'text/event-stream' });

/** So many calls wait in the gateway. */
async function arrived(count: number): Promise<void> {
  await expect.poll(() => stage.server.app.active(), { timeout: 10_000 }).toBe(count);
}

async function seen(waiting: readonly unknown[], count: number): Promise<void> {
  await expect.poll(() => waiting.length, { timeout: 10_000 }).toBe(count);
}

/** A streaming client that can be watched and can leave. */
function listener(text = 'hello') {
  let read = '';
  const { url, key } = stage.server;
  const sent = httpRequest(`${url}${chat.path('kept-oai', true)}`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
  });
  sent.on('error', () => {});
  sent.on('response', (response) => {
    response.on('data', (bytes: Buffer) => (read += bytes.toString()));
    response.on('error', () => {});
  });
  sent.end(JSON.stringify(question(chat, 'kept-oai', true, text)));
  return { text: () => read, leave: () => sent.destroy() };
}

it('500 who ask the same at once are answered by one call', async () => {
  const { answer, waiting } = held();
  stage.upstream.answer = answer;
  const all = Array.from({ length: 500 }, () => put(stage, { client: chat, model: 'kept-oai' }));
  await arrived(500);
  wholeTo(waiting[0]);
  const got = await Promise.all(all);
  expect(stage.upstream.seen).toHaveLength(1);
  expect(new Set(got.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(got.filter(({ headers }) => headers['x-pailou-cache'] === 'hit')).toHaveLength(499);
  expect(new Set(got.map(({ headers }) => headers['x-pailou-request-id'])).size).toBe(500);
  await expect.poll(() => stage.server.records.length).toBe(500);
  expect(stage.server.records.reduce((sum, { output = 0 }) => sum + output, 0)).toBe(3);
  const shared = stage.server.records.filter(({ cache }) => cache === 'shared');
  expect([shared.length, new Set(shared.flatMap(({ route }) => route?.o))]).toEqual([499, new Set(['1cA oai/up'])]);
});

it('who asks in another protocol or form meanwhile is told the same, each in its own', async () => {
  const { answer, waiting } = held();
  stage.upstream.answer = answer;
  const first = put(stage, { client: chat, model: 'kept-oai', stream: true });
  await seen(waiting, 1);
  streamHead(waiting[0]);
  for (const event of chat.events.slice(0, 2)) waiting[0]?.write(event);
  const others = DIALECTS.flatMap((client) =>
    [false, true].map((isStream) => ({ client, isStream, got: put(stage, { client, model: 'kept-oai', stream: isStream }) })),
  );
  await arrived(9);
  for (const event of chat.events.slice(2)) waiting[0]?.write(event);
  waiting[0]?.end();
  expect(told(chat, await first).text).toBe(TEXT);
  for (const { client, isStream, got } of others) {
    const { text } = await got;
    expect([client.id, isStream, isStream ? told(client, { text } as Got).text : client.wholeText(JSON.parse(text))]).toEqual([
      client.id,
      isStream,
      TEXT,
    ]);
  }
  expect(stage.upstream.seen).toHaveLength(1);
});

it('a stream goes to the others as it comes', async () => {
  const { answer, waiting } = held();
  stage.upstream.answer = answer;
  const [first, second] = [listener(), listener()];
  await seen(waiting, 1);
  await arrived(2);
  streamHead(waiting[0]);
  for (const event of chat.events.slice(0, 2)) waiting[0]?.write(event);
  await expect.poll(() => [first.text(), second.text()].every((text) => text.includes('One '))).toBe(true);
  const late = listener();
  await expect.poll(() => late.text()).toContain('One ');
  expect(late.text()).not.toContain('three');
  for (const event of chat.events.slice(2)) waiting[0]?.write(event);
  waiting[0]?.end();
  for (const one of [first, second, late]) await expect.poll(() => one.text()).toContain('[DONE]');
  expect(waiting).toHaveLength(1);
});

describe('who leaves', () => {
  it('the first one may: the call goes on for the others', async () => {
    const { answer, waiting } = held();
    stage.upstream.answer = answer;
    const first = listener();
    await seen(waiting, 1);
    const second = listener();
    await arrived(2);
    first.leave();
    await arrived(1);
    streamHead(waiting[0]);
    for (const event of chat.events) waiting[0]?.write(event);
    waiting[0]?.end();
    await expect.poll(() => second.text()).toContain('[DONE]');
    expect([waiting.length, stage.upstream.seen[0]?.aborted]).toEqual([1, false]);
  });

  it.each([
    ['before the answer', 0],
    ['in its middle', 2],
  ])('when the last one has, the provider is told at once: %s', async (_, events) => {
    const { answer, waiting } = held();
    stage.upstream.answer = answer;
    const all = [listener(), listener(), listener()];
    await seen(waiting, 1);
    await arrived(3);
    if (events > 0) {
      streamHead(waiting[0]);
      for (const event of chat.events.slice(0, events)) waiting[0]?.write(event);
      for (const one of all) await expect.poll(() => one.text()).toContain('One ');
    }
    all[0]?.leave();
    all[2]?.leave();
    await arrived(1);
    expect(stage.upstream.seen[0]?.aborted).toBe(false);
    const left = performance.now();
    all[1]?.leave();
    await expect.poll(() => stage.upstream.seen[0]?.aborted, { interval: 5 }).toBe(true);
    expect(performance.now() - left).toBeLessThan(250);
  });
});

describe('when the one call fails', () => {
  it('a mistake is everybody’s, each in its own protocol', async () => {
    const { answer, waiting } = held();
    stage.upstream.answer = answer;
    const all = DIALECTS.map((client) => ({ client, got: put(stage, { client, model: 'kept-oai' }) }));
    await arrived(4);
    wholeTo(waiting[0], chat.error(400, 'no such voice'), 400);
    for (const { client, got } of all) {
      const { status, text } = await got;
      expect([client.id, status, client.envelope(JSON.parse(text), status).message]).toEqual([client.id, 400, 'no such voice']);
    }
    expect(waiting).toHaveLength(1);
    await expect
      .poll(() => stage.server.records.map(({ cache, attempts }) => `${attempts} ${cache}`).toSorted())
      .toEqual(['0 shared', '0 shared', '0 shared', '1 undefined']);
  });

  it('a mistake is told in the provider’s own words to all of its dialect', async () => {
    const { answer, waiting } = held();
    stage.upstream.answer = answer;
    const all = Array.from({ length: 5 }, () => put(stage, { client: chat, model: 'kept-oai' }));
    await arrived(5);
    const own = { error: { message: 'no such voice', type: 'invalid_request_error', param: null, code: null, hint: 'of its own' } };
    wholeTo(waiting[0], own, 400);
    for (const one of all) expect(JSON.parse((await one).text)).toEqual(own);
  });

  it.each([429, 503])('%i with a time to come back is everybody’s', async (status) => {
    stage.upstream.answer = (_, response) => void waiting.push(response);
    const waiting: ServerResponse[] = [];
    const all = Array.from({ length: 20 }, () => put(stage, { client: chat, model: 'kept-oai' }));
    await arrived(20);
    waiting[0]
      ?.writeHead(status, { 'content-type': 'application/json', 'retry-after': '9' })
      .end(JSON.stringify(chat.error(status, 'later')));
    const got = await Promise.all(all);
    expect(new Set(got.map((one) => `${one.status} ${one.headers['retry-after']}`))).toEqual(new Set([`${status} 9`]));
    expect(waiting).toHaveLength(1);
  });

  it('one of the others asks anew, and no herd', async () => {
    const { answer, waiting } = held();
    stage.upstream.answer = answer;
    const all = Array.from({ length: 50 }, () => put(stage, { client: chat, model: 'kept-oai' }));
    await arrived(50);
    wholeTo(waiting[0], 'down', 500);
    await seen(waiting, 2);
    wholeTo(waiting[1]);
    const got = await Promise.all(all);
    expect(got.filter(({ status }) => status === 200)).toHaveLength(49);
    expect(got.filter(({ status }) => status === 502)).toHaveLength(1);
    expect(waiting).toHaveLength(2);
  });

  it('where it fails again all are told so: two calls for any number', async () => {
    const { answer, waiting } = held();
    stage.upstream.answer = answer;
    const all = Array.from({ length: 50 }, () => put(stage, { client: messages, model: 'kept-oai' }));
    await arrived(50);
    wholeTo(waiting[0], 'down', 500);
    await seen(waiting, 2);
    wholeTo(waiting[1], 'down', 500);
    const got = await Promise.all(all);
    expect(new Set(got.map(({ status }) => status))).toEqual(new Set([502]));
    expect(waiting).toHaveLength(2);
  });

  it.each([chat, responses, messages, gemini])('a stream that breaks ends so for all who heard its beginning: $id', async (client) => {
    const { answer, waiting } = held();
    stage.upstream.answer = answer;
    const all = [1, 2, 3].map(() => put(stage, { client, model: 'kept-oai', stream: true }));
    await arrived(3);
    streamHead(waiting[0]);
    for (const event of chat.events.slice(0, 3)) waiting[0]?.write(event);
    await new Promise((resolve) => waiting[0]?.write(chat.events[3] as string, resolve));
    waiting[0]?.destroy();
    for (const one of all) {
      const { text, finished, error } = told(client, await one);
      expect(TEXT.startsWith(text)).toBe(true);
      expect([text.length > 0, finished, typeof error]).toEqual([true, false, 'string']);
    }
    expect(waiting).toHaveLength(1);
  });
});

describe('who reads slowly', () => {
  const PIECE = 64 * 1024;
  const piece = `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'up', choices: [{ index: 0, delta: { content: 'x'.repeat(PIECE) }, finish_reason: null }] })}\n\n`;

  /** A client that reads nothing until it is told to. */
  function sleeper() {
    let read = 0;
    let isWhole = false;
    const { url, key } = stage.server;
    const sent = httpRequest(`${url}${chat.path('kept-oai', true)}`, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    });
    const come = new Promise<() => void>((resolve) => {
      sent.on('response', (response) => {
        response.pause();
        resolve(() => {
          response.on('data', (bytes: Buffer) => {
            read += bytes.length;
            isWhole ||= bytes.toString().includes('[DONE]');
          });
          response.resume();
        });
      });
    });
    sent.on('error', () => {});
    sent.end(JSON.stringify(question(chat, 'kept-oai', true)));
    return { come, read: () => read, isWhole: () => isWhole, leave: () => sent.destroy() };
  }

  async function flood(response: ServerResponse | undefined, many: number): Promise<void> {
    streamHead(response);
    response?.write(chat.events[0]);
    for (let at = 0; at < many; at++)
      if (response?.write(piece) === false) await new Promise<void>((resolve) => response.once('drain', () => resolve()));
    for (const event of chat.events.slice(4)) response?.write(event);
    response?.end();
  }

  it('holds up nobody else, not even when the call is its own', async () => {
    const { answer, waiting } = held();
    stage.upstream.answer = answer;
    const slow = sleeper();
    await seen(waiting, 1);
    const quick = listener();
    await arrived(2);
    const flooding = flood(waiting[0], 100);
    await expect.poll(() => quick.text(), { timeout: 20_000 }).toContain('[DONE]');
    await flooding;
    (await slow.come)();
    await expect.poll(slow.isWhole, { timeout: 20_000 }).toBe(true);
    expect(slow.read()).toBeGreaterThan(PIECE * 100);
  });

  it('is waited for when nobody else is there, and gets all of it when it reads on', async () => {
    const { answer, waiting } = held();
    stage.upstream.answer = answer;
    const first = listener();
    await seen(waiting, 1);
    const slow = sleeper();
    await arrived(2);
    first.leave();
    await arrived(1);
    let isOut = false;
    const flooding = flood(waiting[0], 400).then(() => (isOut = true));
    const wake = await slow.come;
    let sent = -1;
    // All that there are buffers for has been sent.
    await expect.poll(() => sent === (sent = waiting[0]?.socket?.bytesWritten ?? 0), { timeout: 20_000, interval: 200 }).toBe(true);
    expect(isOut).toBe(false);
    wake();
    await expect.poll(slow.isWhole, { timeout: 20_000 }).toBe(true);
    await flooding;
    expect(waiting).toHaveLength(1);
  });
});

it('of a slow target and the one that was tried beside it, the one that answered is kept', async () => {
  const quick = await setStage({
    ...keeping(),
    models: { hedged: { targets: [{ to: 'oai/slow' }, { to: 'oai/quick' }], strategy: 'priority', hedge: 50, cache: 60_000 } },
  });
  quick.upstream.answer = (request, response) => {
    if (JSON.parse(request.body).model === 'quick') return wholeTo(response);
    // It says how it begins, and then nothing.
    streamHead(response);
    response.write(chat.events[0]);
    return undefined;
  };
  const ask = { client: chat, model: 'hedged' } as const;
  expect((await put(quick, ask)).headers['x-pailou-served-by']).toBe('oai/quick');
  const again = await put(quick, { ...ask, client: messages, stream: true });
  expect([again.headers['x-pailou-cache'], again.headers['x-pailou-served-by'], told(messages, again).text]).toEqual([
    'hit',
    'oai/quick',
    TEXT,
  ]);
  expect(quick.upstream.seen).toHaveLength(2);
  await quick.close();
});
