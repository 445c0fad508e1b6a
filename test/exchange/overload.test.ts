import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { FAMILIES, providersAt } from '../fakes/fault-families.ts';
import { type Behaviour, type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startTestServer, testConfig, type TestServer, TEST_KEY } from '../server.ts';
import { chat, type Dialect, DIALECTS, messages } from './dialects.ts';
import { call, type Got } from './stage.ts';

const OTHER_KEY = 'pk-other-0123456789abcdef';
const { limits } = testConfig();

let server: TestServer;
let upstream: FaultUpstream;
afterEach(async () => {
  // Lets go of what the tests hold.
  await upstream.close();
  await server.close();
  expect(server.defects).toEqual([]);
});

/** A gateway before an upstream that answers when it is told to. */
async function start(changes: Partial<typeof limits>): Promise<void> {
  upstream = await startFaultUpstream();
  const keys = [
    { name: 'test', value: TEST_KEY },
    { name: 'other', value: OTHER_KEY },
  ];
  server = await startTestServer({ keys, providers: providersAt(upstream.url), limits: { ...limits, ...changes } });
}

const headersOf = (key: string): Record<string, string> => ({ 'x-api-key': key, 'content-type': 'application/json' });

const ask = (key = TEST_KEY): Promise<Got> =>
  call(`${server.url}/v1/chat/completions`, JSON.stringify(chat.body('oai/up', false)), headersOf(key));

/** So many calls under way. */
async function hold(many: number, key = TEST_KEY): Promise<Promise<Got>[]> {
  const from = upstream.tries.length;
  const held = Array.from({ length: many }, () => ask(key));
  for (const one of held) one.catch(() => undefined);
  await expect.poll(() => upstream.tries.length - from, { interval: 5 }).toBe(many);
  return held;
}

interface Kept {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The port of the client. */
  readonly port: number | undefined;
}

/** Over the connection that an agent keeps. */
function askOver(agent: Agent, url: string, headers: Record<string, string>, body?: string): Promise<Kept> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, headers, method: body === undefined ? 'GET' : 'POST' }, (response) => {
      const { statusCode: status, headers, socket } = response;
      const port = socket.localPort;
      readText(response).then((text) => resolve({ status, headers, text, port }), reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const answer: Behaviour = (_one, response) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(chat.whole));

/** Those that come from now on are answered. */
function release(): void {
  upstream.behave = answer;
}

describe('as many calls as there may be', () => {
  it.each(FAMILIES)('$name: one more is refused in its own words, before its body is read', async (family) => {
    await start({ calls: 2 });
    await hold(2);
    const { path, type, body } = family.ask('x');
    const text = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      let seen = '';
      socket.on('data', (bytes) => {
        seen += bytes.toString();
        if (/\r\n\r\n.*\}$/s.test(seen)) socket.destroy();
      });
      socket.on('close', () => resolve(seen));
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: x\r\nx-api-key: ${TEST_KEY}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n`,
      );
    });
    const isAnthropic = path.includes('/messages');
    const status = isAnthropic ? 529 : 503;
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(text).toMatch(/\r\nretry-after: [1-4]\r\n/i);
    const dialect =
      DIALECTS.find(({ id }) => family.name.startsWith(id) || (id === 'gemini' && path.startsWith('/v1beta'))) ??
      (isAnthropic ? messages : chat);
    const told = JSON.parse(text.slice(text.indexOf('\r\n\r\n'))) as { id?: string; message?: string };
    expect(dialect.envelope(told, status).message).toContain('limits.calls');
    const isCohere = path.startsWith('/v2/');
    expect(told.message?.includes('limits.calls')).toBe(isCohere ? true : undefined);
    if (isCohere) expect(text).toContain(`\r\nx-pailou-request-id: ${told.id}\r\n`);
    expect(upstream.tries).toHaveLength(2);
  });

  it('one that is refused is told its id, as a page of another origin may read; what comes after it on its connection is answered', async () => {
    await start({ calls: 2 });
    await hold(2);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const post = (dialect: Dialect, more: Record<string, string>, body = JSON.stringify(dialect.body('oai/up', true))): Promise<Kept> =>
      askOver(agent, server.url + dialect.path('oai/up', true), { ...headersOf(TEST_KEY), ...more }, body);
    const ports = new Set<number | undefined>();
    for (const dialect of DIALECTS) {
      const named = await post(dialect, { 'x-request-id': 'mine', origin: 'https://page.example' });
      const plain = await post(dialect, {});
      expect(named.headers).toMatchObject({ 'x-request-id': 'mine', 'access-control-allow-origin': '*' });
      const id = String(plain.headers['x-pailou-request-id']);
      expect(id).toMatch(/^req_[0-9A-Z]{26}$/);
      expect(plain.headers['x-request-id']).toBe(id);
      expect(id).not.toBe(named.headers['x-pailou-request-id']);
      for (const { text, headers, port } of [named, plain]) {
        ports.add(port);
        for (const [told] of text.matchAll(/req_[0-9A-Z]{26}/g)) expect(told).toBe(headers['x-pailou-request-id']);
        expect(Number(headers['content-length'])).toBe(Buffer.byteLength(text));
      }
      expect(plain.headers).not.toHaveProperty('access-control-allow-origin');
    }
    // A body that is longer than what comes with the head is read to its end all the same.
    expect((await post(chat, {}, JSON.stringify({ ...chat.body('oai/up', true), more: 'x'.repeat(500_000) }))).status).toBe(503);
    const last = await askOver(agent, `${server.url}/v1/models`, headersOf(TEST_KEY));
    expect(last.status).toBe(200);
    expect(ports.add(last.port)).toEqual(new Set([last.port]));
    agent.destroy();
  });

  it('one whose body does not come after it was refused does not hold its connection', { timeout: 20_000 }, async () => {
    await start({ calls: 1 });
    await hold(1);
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.resume();
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: ${TEST_KEY}\r\ncontent-length: 60000\r\n\r\n{`);
    // Some bytes now and then do not keep it.
    const drip = setInterval(() => socket.write(' '), 200);
    await new Promise((resolve) => socket.on('close', resolve).on('error', () => undefined));
    clearInterval(drip);
  });

  it('what only reads is answered, and who waited gets in again', async () => {
    await start({ calls: 2 });
    let finish = (): void => undefined;
    upstream.behave = (one, response) => {
      const before = finish;
      finish = () => {
        before();
        answer(one, response);
      };
    };
    const held = await hold(2);
    for (const path of ['/livez', '/readyz', '/v1/models', '/v1/videos']) {
      expect((await call(server.url + path, undefined, headersOf(TEST_KEY))).status, path).toBe(200);
    }
    expect((await ask()).status).toBe(503);
    finish();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200]);
    release();
    expect((await ask()).status).toBe(200);
  });

  it('clients that leave make room', async () => {
    await start({ calls: 1 });
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    const body = JSON.stringify(chat.body('oai/up', false));
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: ${TEST_KEY}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await expect.poll(() => upstream.tries.length, { interval: 5 }).toBe(1);
    expect((await ask()).status).toBe(503);
    socket.destroy();
    release();
    await expect.poll(async () => (await ask()).status).toBe(200);
  });

  it('one key cannot have all of them', async () => {
    await start({ calls: 20 });
    await hold(18);
    expect((await ask()).status).toBe(503);
    await hold(2, OTHER_KEY);
    expect((await ask(OTHER_KEY)).status).toBe(503);
  });

  it('a turn over a WebSocket is a call', async () => {
    await start({ calls: 1 });
    await hold(1);
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/responses`, { headers: { authorization: `Bearer ${TEST_KEY}` } });
    const said = new Promise<string>((resolve) => socket.on('message', (data: Buffer) => resolve(data.toString())));
    await new Promise((resolve) => socket.on('open', resolve));
    socket.send(JSON.stringify({ type: 'response.create', model: 'oai/up', input: 'hi' }));
    expect(JSON.parse(await said)).toMatchObject({ type: 'error', status: 503, error: { code: 'load_shed' } });
    socket.close();
  });
});

describe('a flood by one key of ten times the calls that there may be', () => {
  const MOST = 40;
  const OF_ONE_KEY = 36;
  /** Clients that do not wait when they are told to, and how often each asks. */
  const CLIENTS = 400;
  const TIMES = 3;

  const askIn = ({ id, provider, path, body }: Dialect, key = TEST_KEY): Promise<Got> =>
    call(server.url + path(`${provider}/up`, false), JSON.stringify(body(`${provider}/up`, false, `${id} by ${key}`)), headersOf(key));

  /** Answers each in its dialect: the calls of one key at once, those of the other when they are let go. */
  function holdFlood(): () => void {
    const held: (() => void)[] = [];
    let isOver = false;
    upstream.behave = ({ body }, response) => {
      const dialect = DIALECTS.find(({ id }) => body.includes(id));
      const type = { 'content-type': 'application/json' };
      const reply = (): void => void response.writeHead(dialect ? 200 : 404, type).end(JSON.stringify(dialect?.whole ?? {}));
      // Nobody's call: the gateway asks what models there are.
      if (isOver || !dialect || body.includes(OTHER_KEY)) reply();
      else held.push(reply);
    };
    return () => {
      isOver = true;
      for (const reply of held) reply();
    };
  }

  it('is refused in the words of its clients; others are served meanwhile, and all when it is over', async () => {
    // Whatever machine this runs on, its pace is not what refuses.
    await start({ calls: MOST, overload: { ...limits.overload, shed: false } });
    const letGo = holdFlood();
    const refused: { readonly dialect: Dialect; readonly got: Got }[] = [];
    const insist = async (dialect: Dialect): Promise<boolean> => {
      for (let asked = 0; asked < TIMES; asked++) {
        const got = await askIn(dialect);
        if (got.status === 200) return true;
        refused.push({ dialect, got });
      }
      return false;
    };
    const flood = Promise.all(Array.from({ length: CLIENTS / DIALECTS.length }, () => DIALECTS.map(insist)).flat());
    await expect.poll(() => refused.length, { interval: 1 }).toBeGreaterThan(0);
    for (const dialect of DIALECTS) {
      expect((await askIn(dialect, OTHER_KEY)).status, dialect.id).toBe(200);
      for (const path of ['/livez', '/readyz', '/v1/models']) {
        expect((await call(server.url + path, undefined, headersOf(TEST_KEY))).status, path).toBe(200);
      }
    }
    await expect.poll(() => refused.length).toBe((CLIENTS - OF_ONE_KEY) * TIMES);
    for (const { dialect, got } of refused) {
      const status = dialect === messages ? 529 : 503;
      expect(got).toMatchObject({ status, headers: { 'retry-after': expect.stringMatching(/^[1-4]$/) as string } });
      expect(dialect.envelope(JSON.parse(got.text), status).message).toContain('limits.calls');
    }
    expect(upstream.tries.filter(({ body }) => body.includes(TEST_KEY))).toHaveLength(OF_ONE_KEY);
    letGo();
    expect((await flood).filter(Boolean)).toHaveLength(OF_ONE_KEY);
    const after = await Promise.all(Array.from({ length: OF_ONE_KEY / DIALECTS.length }, () => DIALECTS.map((one) => askIn(one))).flat());
    expect(new Set(after.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

it('a burst is no overload: a thousand calls at once are all served, however late they make the event loop', async () => {
  await start({ overload: { shed: true, delayMs: 20 } });
  release();
  const answers = await Promise.all(Array.from({ length: 1000 }, () => ask()));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
}, 60_000);

describe('bodies that are held', () => {
  const large = (): string => JSON.stringify({ ...chat.body('oai/up', false), padding: 'x'.repeat(300_000) });
  const askLarge = (key = TEST_KEY): Promise<Got> => call(`${server.url}/v1/chat/completions`, large(), headersOf(key));

  it('are bounded together: one more large one is refused, small ones are not, and other keys have room', async () => {
    await start({ bodies: 1_000_000 });
    const held = [askLarge(), askLarge()];
    for (const one of held) one.catch(() => undefined);
    await expect.poll(() => upstream.tries.length, { interval: 5 }).toBe(2);
    release();
    const refused = await askLarge();
    expect(refused.status).toBe(503);
    expect(refused.text).toContain('limits.bodies');
    expect((await ask()).status).toBe(200);
    expect((await askLarge(OTHER_KEY)).status).toBe(200);
  });

  it('that are larger than any may be are a 413, as ever', async () => {
    await start({ bodies: 400_000, body: 200_000 });
    expect((await askLarge()).status).toBe(413);
  });

  it('are let go with their calls', async () => {
    await start({ bodies: 400_000 });
    release();
    for (let i = 0; i < 5; i++) expect((await askLarge()).status).toBe(200);
  });
});

it('memory that is full has calls refused', async () => {
  await start({ overload: { shed: true, delayMs: 60_000, memoryBytes: 1024 } });
  await hold(4);
  release();
  await expect.poll(async () => (await ask()).status, { interval: 5 }).toBe(503);
  expect((await ask()).text).toContain('limits.overload.memory');
});
