import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { chat, responses, WORDS } from '../exchange/dialects.ts';
import { startFaultUpstream } from '../fakes/fault-upstream.ts';
import { frameOf, framesIn, openRaw, OPCODES, readRaw } from '../fakes/raw-web-socket.ts';
import { startTestServer, testConfig, TEST_KEY, type TestServer } from '../server.ts';
import { openaiFor, OTHER_KEY, twoClients, UPSTREAMS, until } from './clients.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer(twoClients({ key: TEST_KEY }));
});
afterAll(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
});

interface Event {
  readonly type: string;
  readonly status?: number;
  readonly stream_id?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly error?: { readonly code?: string; readonly message?: string };
  readonly response?: { readonly id: string; readonly status: string; readonly output: readonly unknown[] };
}

const ENDS = new Set(['response.completed', 'response.incomplete', 'response.failed', 'error']);

/** A client that reads one turn after another. */
class Client {
  readonly socket: WebSocket;
  readonly events: Event[] = [];
  #read = 0;
  constructor(at: TestServer, path = '/v1/responses', options: ClientOptions = { headers: { authorization: `Bearer ${at.key}` } }) {
    this.socket = new WebSocket(at.url.replace('http', 'ws') + path, options);
    this.socket.on('message', (data: Buffer) => this.events.push(JSON.parse(data.toString()) as Event));
  }
  async open(): Promise<this> {
    await once(this.socket, 'open');
    return this;
  }
  create(body: object): void {
    this.socket.send(JSON.stringify({ type: 'response.create', ...body }));
  }
  /** The events of the next turn. */
  async turn(): Promise<readonly Event[]> {
    const end = await until(() => {
      const at = this.events.findIndex((event, index) => index >= this.#read && ENDS.has(event.type));
      return Promise.resolve(at < 0 ? undefined : at);
    });
    const events = this.events.slice(this.#read, end + 1);
    this.#read = end + 1;
    return events;
  }
  async ask(body: object): Promise<Event> {
    this.create(body);
    const turn = await this.turn();
    const last = turn.at(-1);
    if (!last) throw new Error('no event');
    return last;
  }
  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    this.socket.close();
    await once(this.socket, 'close');
  }
}

const connect = (...args: ConstructorParameters<typeof Client>): Promise<Client> => new Client(...args).open();
const textOf = (event: Event): string => JSON.stringify(event.response?.output);

describe.each(UPSTREAMS)('the WebSocket over %s', (protocol) => {
  const model = `${protocol}/chat`;

  it('follows what a turn says of where to go', async () => {
    const client = await connect(server);
    const answered = await client.ask({ models: [model], input: 'Hello', provider: { only: [protocol] } });
    expect(answered.response?.status).toBe('completed');
    const refused = await client.ask({ model, input: 'Hello', provider: { ignore: [protocol] } });
    expect(refused.error?.message).toContain("'provider' leaves nothing to try of");
    await client.close();
  });

  it('tells what a stream tells, and continues what is stored nowhere', async () => {
    const client = await connect(server);
    client.create({ model, input: 'My name is Ada', store: false });
    const first = await client.turn();
    const types = first.map((event) => event.type);
    expect(types.slice(0, 2)).toEqual(['response.created', 'response.in_progress']);
    expect(types.at(-1)).toBe('response.completed');
    const streamed: string[] = [];
    for await (const event of await openaiFor(server).responses.create({ model, input: 'My name is Ada', stream: true }))
      streamed.push(event.type);
    expect(types).toEqual(streamed);
    const id = first.at(-1)?.response?.id;
    const second = await client.ask({ model, input: 'What did I say before?', store: false, previous_response_id: id });
    expect(textOf(second)).toContain('My name is Ada');
    const third = await client.ask({ model, input: 'And now?', previous_response_id: second.response?.id });
    expect(third.type).toBe('response.completed');
    // The last one is stored, with everything that it came from.
    const items = await openaiFor(server).responses.inputItems.list(third.response?.id ?? '');
    expect(items.data).toHaveLength(5);
    await client.close();
  });
});

describe('the WebSocket', () => {
  const model = 'anthropic-messages/chat';

  it('is there under a platform too', async () => {
    const client = await connect(server, '/anthropic-messages/v1/responses');
    expect(await client.ask({ model: 'chat', input: 'x' })).toMatchObject({ type: 'response.completed' });
    await client.close();
  });

  it('forgets what a failed turn continued', async () => {
    const client = await connect(server);
    const first = await client.ask({ model, input: 'My name is Ada', store: false });
    const previous_response_id = first.response?.id;
    const failed = await client.ask({ model: 'anthropic-messages/status-400', input: 'x', store: false, previous_response_id });
    expect(failed).toMatchObject({ type: 'error', status: 400, error: { message: expect.any(String) } });
    expect(await client.ask({ model, input: 'y', previous_response_id })).toMatchObject({
      type: 'error',
      status: 400,
      error: { code: 'previous_response_not_found' },
    });
    expect(await client.ask({ model, input: 'z' })).toMatchObject({ type: 'response.completed' });
    await client.close();
  });

  it('still finds what is stored after a failed turn', async () => {
    const client = await connect(server);
    const first = await client.ask({ model, input: 'My name is Ada' });
    const previous_response_id = first.response?.id;
    await client.ask({ model: 'anthropic-messages/status-400', input: 'x', previous_response_id });
    expect(textOf(await client.ask({ model, input: 'What did I say before?', previous_response_id }))).toContain('Ada');
    await client.close();
  });

  it('runs turns one after another, in order', async () => {
    const client = await connect(server);
    client.create({ model: 'anthropic-messages/slow-headers-50ms', input: 'one' });
    client.create({ model: 'anthropic-messages/echo', input: 'two', stream_id: 'second' });
    client.create({ model: 'anthropic-messages/echo', input: 'three' });
    const turns = [await client.turn(), await client.turn(), await client.turn()];
    expect(turns.map((turn) => turn.filter((event) => event.type === 'response.created').length)).toEqual([1, 1, 1]);
    expect(textOf(turns[1]?.at(-1) as Event)).toContain('two');
    expect(textOf(turns[2]?.at(-1) as Event)).toContain('three');
    expect(turns[1]?.every((event) => event.stream_id === 'second')).toBe(true);
    await client.close();
  });

  it('lets only so many turns wait', async () => {
    const client = await connect(server);
    client.create({ model: 'anthropic-messages/slow-headers-100ms', input: 'first' });
    for (let at = 0; at < 40; at++) client.create({ model: 'anthropic-messages/echo', input: 'x' });
    const ends = await until(() => {
      const found = client.events.filter((event) => ENDS.has(event.type));
      return Promise.resolve(found.length === 41 ? found : undefined);
    });
    expect(ends.filter((event) => event.type === 'response.completed')).toHaveLength(33);
    expect(ends.filter((event) => event.error?.code === 'too_many_turns' && event.status === 429)).toHaveLength(8);
    await client.close();
  });

  it('prepares a turn without an answer', async () => {
    const client = await connect(server);
    const ready = await client.ask({ model, input: 'My name is Ada', generate: false, store: false });
    expect(ready).toMatchObject({ type: 'response.completed', response: { status: 'completed', output: [] } });
    const next = await client.ask({ model, input: [], previous_response_id: ready.response?.id });
    expect(textOf(next)).toContain('Ada');
    await client.close();
  });

  it.each([
    { name: 'text that is not JSON', text: '{"type":', code: 'invalid_json' },
    { name: 'JSON that is no object', text: '[1]', code: 'invalid_json' },
    {
      name: 'JSON that is nested too deeply',
      text: `{"type":"response.create","input":${'['.repeat(5000)}${']'.repeat(5000)}}`,
      code: 'body_too_deep',
    },
    { name: 'another event', text: '{"type":"response.steer"}', code: 'unknown_event_type' },
    {
      name: 'background',
      text: `{"type":"response.create","model":"${model}","input":"x","background":true}`,
      code: 'unsupported_parameter',
    },
    { name: 'no model', text: '{"type":"response.create","input":"x"}', code: 'missing_parameter' },
    { name: 'an unknown model', text: '{"type":"response.create","model":"nobody/none","input":"x"}', code: 'model_not_found' },
  ])('answers $name with an error and goes on', async ({ text, code }) => {
    const client = await connect(server);
    client.socket.send(text);
    expect((await client.turn()).at(-1)).toMatchObject({
      type: 'error',
      status: expect.any(Number),
      error: { code, message: expect.any(String) },
    });
    expect(await client.ask({ model, input: 'x' })).toMatchObject({ type: 'response.completed' });
    await client.close();
  });

  it('tells a failure in the middle as a stream does', async () => {
    const client = await connect(server);
    client.create({ model: 'anthropic-messages/error-after-3', input: 'a long story please' });
    await client.turn();
    const types = await until(() =>
      Promise.resolve(
        client.events.some((event) => event.type === 'response.failed') ? client.events.map((event) => event.type) : undefined,
      ),
    );
    expect(types).not.toContain('response.completed');
    await client.close();
  });

  it.each([
    { name: 'no key', path: '/v1/responses', headers: {}, status: 401 },
    { name: 'an unknown key', path: '/v1/responses', headers: { authorization: 'Bearer nobody' }, status: 401 },
    { name: 'another path', path: '/v1/chat/completions', headers: { authorization: `Bearer ${TEST_KEY}` }, status: 404 },
  ])('refuses $name', async ({ path, headers, status }) => {
    const socket = new WebSocket(server.url.replace('http', 'ws') + path, { headers });
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(status);
  });

  it('lets in pages of allowed origins only, and keys in the query', async () => {
    const own = await startTestServer({
      server: { host: '127.0.0.1', port: 0, workers: 1, trustedProxies: [], cors: ['https://ours.example'] },
    });
    const path = `/v1/responses?key=${own.key}`;
    const refused = new WebSocket(own.url.replace('http', 'ws') + path, { origin: 'https://theirs.example' });
    const [, response] = (await once(refused, 'unexpected-response')) as [unknown, { statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(403);
    const client = await connect(own, path, { origin: 'https://ours.example' });
    expect(await client.ask({ model: 'sandbox/echo', input: 'x' })).toMatchObject({ type: 'response.completed' });
    await client.close();
    await own.close();
  });

  it('is not what a client gets that offers another protocol', async () => {
    const request = httpRequest(`${server.url}/v1/responses`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${server.key}`,
        connection: 'Upgrade, HTTP2-Settings',
        upgrade: 'h2c',
        'http2-settings': 'AAMAAABk',
      },
    });
    request.end(JSON.stringify({ model: 'sandbox/echo', input: 'x' }));
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(200);
  });

  it('keeps what one key made from another', async () => {
    const { id } = await openaiFor(server).responses.create({ model, input: 'mine' });
    const client = await connect(server, '/v1/responses', { headers: { 'x-api-key': OTHER_KEY } });
    expect(await client.ask({ model, input: 'x', previous_response_id: id })).toMatchObject({
      error: { code: 'previous_response_not_found' },
    });
    expect(server.records.at(-1)).toMatchObject({ operation: 'generate', asked: model, fault: 'previous_response_not_found', attempts: 0 });
    await client.close();
  });

  it('closes on a message that is too large', async () => {
    const own = await startTestServer({ limits: { ...server.app.snapshot().config.limits, body: 1000 } });
    const client = await connect(own);
    client.create({ model: 'sandbox/echo', input: 'x'.repeat(2000) });
    const [code] = (await once(client.socket, 'close')) as [number];
    expect(code).toBe(1009);
    await own.close();
  });

  it('stops the provider when the client leaves', async () => {
    const client = await connect(server);
    client.create({ model: 'anthropic-messages/stall-after-1', input: 'a long story please' });
    await until(() => Promise.resolve(client.events.some((event) => event.type === 'response.output_text.delta') || undefined));
    client.socket.terminate();
    const record = await until(() => Promise.resolve(server.records.find((one) => one.model === 'stall-after-1')));
    expect(record.endedBy).toBe('client');
  });

  it('stops it for a client that only says that it leaves, and does nothing that it had still asked for', async () => {
    const upstream = await startFaultUpstream((_one, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(responses.events.slice(0, responses.before).join(''));
    });
    const own = await startTestServer({ providers: { resp: responses.settings(upstream.url) } });
    const socket = openRaw(own.url, '/v1/responses', own.key);
    // It says so, and keeps its connection.
    socket.allowHalfOpen = true;
    const create = frameOf(JSON.stringify({ type: 'response.create', model: 'resp/up', input: 'x' }));
    const read = readRaw(socket, 10_000);
    socket.write(Buffer.concat([create, create]));
    socket.on('data', (piece: Buffer) => {
      if (piece.includes('output_text.delta')) socket.write(frameOf(Buffer.from([0x03, 0xe8]), { opcode: OPCODES.close }));
    });
    const record = await until(() => Promise.resolve(own.records[0]));
    expect(record.endedBy).toBe('client');
    expect(record.output).toBeGreaterThan(0);
    expect(socket.destroyed).toBe(false);
    socket.end();
    expect(framesIn((await read).received).at(-1)).toEqual({ opcode: OPCODES.close, payload: Buffer.from([0x03, 0xe8]) });
    expect([upstream.tries.length, own.records.length]).toEqual([1, 1]);
    await own.close();
    await upstream.close();
  });

  it('stands for an hour: then it says so, lets the turn end, and closes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const client = await connect(server);
    vi.advanceTimersByTime(60 * 60_000 - 1);
    vi.useRealTimers();
    expect(await client.ask({ model, input: 'x' })).toMatchObject({ type: 'response.completed' });
    await client.close();

    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const old = await connect(server);
    vi.advanceTimersByTime(60 * 60_000);
    vi.useRealTimers();
    const [code] = (await once(old.socket, 'close')) as [number];
    expect(code).toBe(1000);
    expect(old.events).toMatchObject([{ type: 'error', status: 400, error: { code: 'websocket_connection_limit_reached' } }]);
  });

  it('notices a peer that is gone', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const client = new Client(server, '/v1/responses', { headers: { authorization: `Bearer ${server.key}` }, autoPong: false });
    await client.open();
    // The server has it when its first answer has come.
    client.socket.send('?');
    await once(client.socket, 'message');
    vi.advanceTimersByTime(30_000);
    vi.advanceTimersByTime(30_000);
    vi.useRealTimers();
    const [code] = (await once(client.socket, 'close')) as [number];
    expect(code).toBe(1006);
  });

  it('ends politely when the server stops: the turn first, then the connection', async () => {
    const own = await startTestServer();
    const client = await connect(own);
    client.create({ model: 'sandbox/slow-5ms', input: 'x' });
    await until(() => Promise.resolve(client.events.some((event) => event.type === 'response.output_text.delta') || undefined));
    const closed = once(client.socket, 'close') as Promise<[number]>;
    const stopped = own.close();
    const [code] = await closed;
    expect(code).toBe(1001);
    expect(client.events.at(-1)?.type).toBe('response.completed');
    await stopped;
  });

  it('says when to come back, in the headers that the error would have had', async () => {
    const client = await connect(server);
    expect(await client.ask({ model: 'anthropic-messages/retry-after-5', input: 'x', stream_id: 'mine' })).toMatchObject({
      type: 'error',
      status: 429,
      headers: { 'retry-after': '5' },
      stream_id: 'mine',
    });
    expect((await client.ask({ model: 'anthropic-messages/status-400', input: 'x' })).headers).toBeUndefined();
    await client.close();
  });

  it('keeps the connection of a silent turn with pings', async () => {
    const own = await startTestServer({ server: { ...testConfig().server, keepAlive: { delay: 200 } } });
    const client = await connect(own);
    let pings = 0;
    client.socket.on('ping', () => pings++);
    client.create({ model: 'sandbox/stall-after-1', input: 'a long story please' });
    await until(() => Promise.resolve(pings > 2 || undefined));
    expect(client.events.map(({ type }) => type)).not.toContain('error');
    client.socket.terminate();
    await own.close();
  });

  it('waits for a reader that has much before it, but not for ever', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const client = new Client(server, '/v1/responses', { headers: { authorization: `Bearer ${server.key}` }, autoPong: false });
    await client.open();
    client.create({ model: 'anthropic-messages/stall-after-1', input: 'a long story please' });
    await until(() => Promise.resolve(client.events.some((event) => event.type === 'response.output_text.delta') || undefined));
    let pings = 0;
    const pinged = new Promise<void>((resolve) => client.socket.on('ping', () => ++pings === 10 && resolve()));
    vi.advanceTimersByTime(10 * 30_000);
    await pinged;
    expect(client.socket.readyState).toBe(WebSocket.OPEN);
    vi.advanceTimersByTime(30_000);
    vi.useRealTimers();
    const [code] = (await once(client.socket, 'close')) as [number];
    expect(code).toBe(1006);
  });

  it.each([
    { name: 'answers', say: (socket: WebSocket, out?: () => void) => socket.send('?'.repeat(300), out) },
    { name: 'pongs', say: (socket: WebSocket, out?: () => void) => socket.ping('?'.repeat(120), undefined, out) },
  ])('does not listen to one that asks on and does not read the $name', async ({ say }) => {
    const client = await connect(server);
    let heard = 0;
    client.socket.on('message', () => heard++).on('pong', () => heard++);
    client.socket.pause();
    let said = 0;
    const LATE = Symbol('late');
    const late = (): Promise<typeof LATE> => new Promise((resolve) => setTimeout(resolve, 1000, LATE));
    // What the systems hold on the way is much, and has an end.
    for (let isTaken = true; isTaken; said += 1000) {
      expect(said).toBeLessThan(200_000);
      for (let at = 1; at < 1000; at++) say(client.socket);
      isTaken = (await Promise.race([new Promise<void>((resolve) => say(client.socket, resolve)), late()])) !== LATE;
    }
    client.socket.resume();
    await until(() => Promise.resolve(heard === said || undefined));
    client.events.length = 0;
    await client.close();
  });

  it('refuses what is no handshake, in its own words', async () => {
    const headers = { authorization: `Bearer ${TEST_KEY}`, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
    const request = httpRequest(`${server.url}/v1/responses`, { headers });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(400);
    expect(response.headers['sec-websocket-version']).toBe('13');
    expect(JSON.parse(await readText(response))).toMatchObject({ error: { code: 'invalid_handshake', message: expect.any(String) } });
  });

  it('takes messages as large as the configuration in force says', async () => {
    const own = await startTestServer();
    await (await connect(own)).close();
    const { limits } = testConfig();
    own.app.reload(testConfig({ limits: { ...limits, body: 1000 } }));
    const client = await connect(own);
    client.create({ model: 'sandbox/echo', input: 'x'.repeat(2000) });
    const [code] = (await once(client.socket, 'close')) as [number];
    expect(code).toBe(1009);
    await own.close();
  });

  it('counts what its turns hold among the bodies', async () => {
    const { limits } = testConfig();
    const own = await startTestServer({ limits: { ...limits, bodies: 200_000 } });
    const client = await connect(own);
    expect(await client.ask({ model: 'sandbox/echo', input: 'x'.repeat(300_000) })).toMatchObject({
      status: 503,
      error: { code: 'load_shed' },
      headers: { 'retry-after': expect.stringMatching(/^[1-4]$/) as string },
    });
    expect(await client.ask({ model: 'sandbox/echo', input: 'x' })).toMatchObject({ type: 'response.completed' });
    await client.close();
    await own.close();
  });

  it('counts what waits for its turn among them too, small or not, and gives it back', async () => {
    const { limits } = testConfig();
    const own = await startTestServer({ limits: { ...limits, bodies: 100_000 } });
    const create = (client: Client): void => client.create({ model: 'sandbox/stall-after-1', input: 'x'.repeat(40_000) });
    const [first, second] = [await connect(own), await connect(own)];
    // One that runs and is small is bounded by the number of calls, two wait, and a fourth finds no room.
    for (let at = 0; at < 4; at++) create(first);
    await until(() => Promise.resolve(first.events.some(({ error }) => error?.code === 'load_shed') || undefined));
    expect(first.events.filter(({ type }) => type === 'error')).toHaveLength(1);
    create(second);
    create(second);
    await until(() => Promise.resolve(second.events.some(({ status }) => status === 503) || undefined));
    first.socket.terminate();
    await expect.poll(() => own.records.some(({ endedBy }) => endedBy === 'client')).toBe(true);
    second.events.length = 0;
    create(second);
    second.socket.send('?');
    await until(() => Promise.resolve(second.events.some(({ error }) => error?.code === 'invalid_json') || undefined));
    expect(second.events.map(({ error }) => error?.code)).not.toContain('load_shed');
    second.socket.terminate();
    await own.close();
  });

  it.each([
    ['one that is not listening is gone', false],
    ['one that reads is not', true],
  ])('waits for a reader of much also when the turn is over: %s', async (_, answers) => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const client = new Client(server, '/v1/responses', { headers: { authorization: `Bearer ${server.key}` }, autoPong: false });
    await client.open();
    await client.ask({ model: 'anthropic-messages/echo', input: 'x'.repeat(100_000) });
    let pings = 0;
    const pinged = new Promise<void>((resolve) => client.socket.on('ping', () => ++pings === 10 && resolve()));
    vi.advanceTimersByTime(10 * 30_000);
    await pinged;
    if (answers) {
      const heard = once(client.socket, 'message');
      client.socket.pong();
      client.socket.send('?');
      await heard;
    }
    vi.advanceTimersByTime(30_000);
    // All of it was read: now one ping is enough.
    if (answers) {
      expect(client.socket.readyState).toBe(WebSocket.OPEN);
      vi.advanceTimersByTime(30_000);
    }
    vi.useRealTimers();
    const [code] = (await once(client.socket, 'close')) as [number];
    expect([code, pings]).toEqual([1006, answers ? 11 : 10]);
  });

  it('passes nothing on that is no JSON, and what is with spaces before it', async () => {
    const upstream = await startFaultUpstream((_one, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const events = responses.events.map((event) => event.replace('data: ', 'data:  '));
      response.end([...events.slice(0, 3), 'data: what?\n\n', ...events.slice(3), 'data: [DONE]\n\n'].join(''));
    });
    const own = await startTestServer({ providers: { resp: responses.settings(upstream.url) } });
    const client = await connect(own);
    const texts: string[] = [];
    client.socket.on('message', (data: Buffer) => texts.push(data.toString()));
    expect(await client.ask({ model: 'resp/up', input: 'x' })).toMatchObject({ type: 'response.completed' });
    expect(texts.every((text) => text.startsWith('{'))).toBe(true);
    expect(client.events.map(({ type }) => type)).toContain('response.output_text.delta');
    await client.close();
    await own.close();
    await upstream.close();
  });

  it('closes when all of the last turn has gone out, however much that is', async () => {
    const piece = 'x'.repeat(2 ** 21);
    const upstream = await startFaultUpstream((_one, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(chat.events.map((event) => event.replace(WORDS[1], piece)).join(''));
    });
    const own = await startTestServer({ providers: { oai: chat.settings(upstream.url) } });
    const client = await connect(own);
    client.socket.pause();
    client.create({ model: 'oai/up', input: 'x' });
    await until(() => Promise.resolve(upstream.tries.some(({ body }) => body !== '') || undefined));
    const stopped = own.app.drain(15_000);
    client.socket.resume();
    const [code] = (await once(client.socket, 'close')) as [number];
    expect(code).toBe(1001);
    expect(textOf(client.events.at(-1) as Event)).toContain(piece);
    await stopped;
    await own.close();
    await upstream.close();
  });
});
