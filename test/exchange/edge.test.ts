import { connect } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, stream } from '../fakes/upstream.ts';
import { chat, type Data, type Dialect, DIALECTS, gemini, messages, TEXT } from './dialects.ts';
import { ask, call, type Got, setStage, type Stage, told } from './stage.ts';

let stage: Stage;
const STRICT_KEY = 'pk-strict-0123456789abcdef';
const NARROW_KEY = 'pk-narrow-0123456789abcdef';
beforeAll(async () => {
  stage = await setStage({
    models: { fast: 'oai/up', 'claude-haiku-*': 'claude/small-*' },
    keys: [
      { name: 'test', value: 'pk-test-0123456789abcdef' },
      { name: 'strict', value: STRICT_KEY, strict: true },
      { name: 'narrow', value: NARROW_KEY, models: ['fast', 'oai/*'] },
    ],
  });
  stage.upstream.answer = json(chat.whole);
});
afterAll(() => stage.close());

const bearer = (): Record<string, string> => ({ authorization: `Bearer ${stage.server.key}` });
const url = (path: string): string => stage.server.url + path;
const text = JSON.stringify(chat.body('oai/up', false));

describe('keys', () => {
  const places: readonly { name: string; headers?: Record<string, string>; query?: string }[] = [
    { name: 'Authorization: Bearer', headers: { authorization: 'Bearer pk-test-0123456789abcdef' } },
    { name: 'authorization: bearer', headers: { authorization: 'bearer   pk-test-0123456789abcdef' } },
    { name: 'x-api-key', headers: { 'x-api-key': 'pk-test-0123456789abcdef' } },
    { name: 'x-goog-api-key', headers: { 'x-goog-api-key': 'pk-test-0123456789abcdef' } },
    { name: 'api-key', headers: { 'api-key': 'pk-test-0123456789abcdef' } },
    { name: '?key=', query: 'key=pk-test-0123456789abcdef' },
    { name: 'a good one beside a bad one', headers: { authorization: 'Bearer nonsense', 'x-api-key': 'pk-test-0123456789abcdef' } },
  ];
  it.each(places.flatMap((place) => DIALECTS.map((dialect) => ({ ...place, dialect, id: dialect.id }))))(
    '$name, in $id',
    async ({ headers, query, dialect }) => {
      stage.upstream.answer = json(dialect.whole);
      stage.upstream.seen.length = 0;
      const path = dialect.path(`${dialect.provider}/up`, false);
      const got = await call(
        url(path + (query ? `?${query}` : '')),
        JSON.stringify(dialect.body(`${dialect.provider}/up`, false)),
        headers,
      );
      expect(got.status, got.text).toBe(200);
      const [seen] = stage.upstream.seen;
      expect(JSON.stringify(seen)).not.toContain('pk-test');
      expect(JSON.stringify(seen?.headers)).toContain('up-secret');
    },
  );

  it.each(DIALECTS)('none, or an unknown one: 401 in the envelope of $id', async (dialect) => {
    const body = JSON.stringify(dialect.body('oai/up', false));
    for (const headers of [{}, { 'x-api-key': 'sk-wrong-secret' }, { authorization: 'Basic abc' }, { authorization: 'Bearer ' }]) {
      const got = await call(url(dialect.path('oai/up', false)), body, headers as Record<string, string>);
      expect(got.status).toBe(401);
      const { type } = dialect.envelope(JSON.parse(got.text), 401);
      expect(type).toBe(dialect.id === 'gemini' ? 'UNAUTHENTICATED' : 'authentication_error');
      expect(got.text).not.toContain('sk-wrong');
    }
  });

  it('may be narrow', async () => {
    const ask = (model: string): Promise<Got> =>
      call(url('/v1/chat/completions'), JSON.stringify(chat.body(model, false)), { 'x-api-key': NARROW_KEY });
    stage.upstream.answer = json(chat.whole);
    expect((await ask('fast')).status).toBe(200);
    const got = await ask('claude/up');
    expect(got.status).toBe(403);
    expect(chat.envelope(JSON.parse(got.text), 403)).toMatchObject({ type: 'permission_error', param: 'model' });
  });
});

describe('headers', () => {
  it.each(DIALECTS)('of a reply in $id', async (dialect) => {
    for (const streamed of [false, true]) {
      stage.upstream.answer = streamed
        ? stream(dialect.events)
        : json(dialect.whole, 200, { 'x-ratelimit-remaining-requests': '3', 'set-cookie': 'a=b', server: 'up', 'x-internal': 'secret' });
      const got = await ask(stage, dialect, dialect, streamed, { 'x-request-id': 'mine-1' });
      expect(got.headers['x-request-id']).toBe('mine-1');
      expect(got.headers['x-pailou-request-id']).toMatch(/^req_[0-9A-Z]{26}$/i);
      expect(got.headers['x-pailou-served-by']).toBe(`${dialect.provider}/up`);
      expect(got.headers['x-pailou-attempts']).toBe('1');
      expect(Number(got.headers['x-pailou-overhead-ms'])).toBeGreaterThanOrEqual(0);
      expect(got.headers['request-id']).toBe(dialect.id === 'anthropic-messages' ? got.headers['x-pailou-request-id'] : undefined);
      if (!streamed)
        expect(got.headers[dialect === messages ? 'anthropic-ratelimit-requests-remaining' : 'x-ratelimit-remaining-requests']).toBe('3');
      for (const name of ['set-cookie', 'server', 'x-internal']) expect(got.headers).not.toHaveProperty(name);
    }
  });

  it('of limits, in the words of the client’s vendor', async () => {
    stage.upstream.answer = json(chat.whole, 200, { 'x-ratelimit-remaining-requests': '3', 'x-ratelimit-reset-requests': '6m0s' });
    const got = await ask(stage, messages, chat, false);
    expect(got.headers['anthropic-ratelimit-requests-remaining']).toBe('3');
    expect(Date.parse(String(got.headers['anthropic-ratelimit-requests-reset'])) - Date.now()).toBeGreaterThan(300_000);
    expect(got.headers).not.toHaveProperty('x-ratelimit-remaining-requests');
    stage.upstream.answer = json(messages.error(429, 'slow down'), 429, {
      'anthropic-ratelimit-tokens-remaining': '0',
      'retry-after': '2',
    });
    const refused = await ask(stage, chat, messages, false);
    expect(refused.headers).toMatchObject({ 'x-ratelimit-remaining-tokens': '0', 'retry-after': '2' });
  });

  it('that no header can hold go no further', async () => {
    stage.upstream.answer = json(messages.whole);
    const got = await ask(stage, messages, messages, false, { 'anthropic-beta': 'é', traceparent: 'a\tb' });
    expect(got.status).toBe(200);
    expect(stage.upstream.seen.at(-1)?.headers).not.toHaveProperty('anthropic-beta');
  });

  it.each(['', 'a b', 'x'.repeat(129), 'ä'])('a client’s request id that is not well formed is not taken (%j)', async (id) => {
    stage.upstream.answer = json(chat.whole);
    const got = await ask(stage, chat, chat, false, { 'x-request-id': id });
    expect(got.headers['x-request-id']).toBe(got.headers['x-pailou-request-id']);
  });

  it('that pass upstream: the dialect’s own to its own, tracing to all, credentials and cookies never', async () => {
    const sent = {
      'anthropic-beta': 'a-1',
      'anthropic-version': '2026-10-21',
      'openai-beta': 'b=1',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      cookie: 'session=secret',
      'proxy-authorization': 'Basic secret',
      'x-forwarded-for': '1.2.3.4',
      'x-anything': 'secret',
      'accept-encoding': 'gzip, br',
    };
    stage.upstream.seen.length = 0;
    stage.upstream.answer = json(messages.whole);
    await ask(stage, messages, messages, false, sent);
    await ask(stage, chat, messages, false, sent);
    const [own, other] = stage.upstream.seen;
    expect(own?.headers).toMatchObject({ 'anthropic-beta': 'a-1', 'anthropic-version': '2026-10-21', traceparent: sent.traceparent });
    expect(other?.headers).toMatchObject({ 'anthropic-version': '2023-06-01', traceparent: sent.traceparent });
    expect(other?.headers).not.toHaveProperty('anthropic-beta');
    for (const one of stage.upstream.seen) {
      expect(JSON.stringify(one.headers)).not.toMatch(/secret(?!")|session|Basic|1\.2\.3\.4|gzip/);
      for (const name of ['cookie', 'proxy-authorization', 'x-forwarded-for', 'x-anything', 'authorization'])
        expect(one.headers).not.toHaveProperty(name);
    }
  });

  it('a browser may read them', async () => {
    stage.upstream.answer = json(chat.whole);
    const got = await ask(stage, chat, chat, false, { origin: 'https://app.example' });
    expect(got.headers['access-control-allow-origin']).toBe('*');
    expect(got.headers['access-control-expose-headers']).toContain('x-pailou-notes');
    const refused = await call(url('/v1/chat/completions'), text, { origin: 'https://app.example' });
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([401, '*']);
  });

  it('a preflight is answered without a key', async () => {
    const got = await call(
      url('/v1/chat/completions'),
      undefined,
      {
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, x-stainless-os',
      },
      'OPTIONS',
    );
    expect(got.status).toBe(204);
    expect(got.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'authorization, x-stainless-os',
    });
    expect(got.headers['access-control-allow-methods']).toContain('POST');
  });
});

describe('paths', () => {
  it.each([
    '/v1/chat/completions',
    '/chat/completions',
    '/v1/v1/chat/completions',
    '//v1//chat/completions/',
    '/v1beta/chat/completions',
    '/v1/chat/completions?foo=bar',
  ])('%s', async (path) => {
    stage.upstream.answer = json(chat.whole);
    expect((await call(url(path), text, bearer())).status).toBe(200);
  });

  it.each(DIALECTS)('of one platform, in $id: no aliases, the id as it is', async (dialect) => {
    stage.upstream.answer = json(dialect.whole);
    stage.upstream.seen.length = 0;
    const got = await call(
      url(`/${dialect.provider}${dialect.path('fast', false)}`),
      JSON.stringify(dialect.body('fast', false)),
      bearer(),
    );
    expect(got.status).toBe(200);
    expect(got.headers['x-pailou-served-by']).toBe(`${dialect.provider}/fast`);
  });

  it('an unknown platform names the known ones', async () => {
    const got = await call(url('/nowhere/v1/chat/completions'), text, bearer());
    expect(got.status).toBe(404);
    const { message, type } = chat.envelope(JSON.parse(got.text), 404);
    expect(type).toBe('not_found_error');
    for (const { provider } of DIALECTS) expect(message).toContain(provider);
  });

  it.each(DIALECTS)('an unknown model names the nearest, in $id', async (dialect) => {
    const got = await call(url(dialect.path('fasst', false)), JSON.stringify(dialect.body('fasst', false)), bearer());
    expect(got.status).toBe(404);
    expect(dialect.envelope(JSON.parse(got.text), 404).message).toContain("'fast'");
  });

  it.each([
    ['GET', '/v1/chat/completions', 405, 'POST'],
    ['PUT', '/v1/messages', 405, 'POST'],
    ['POST', '/v1/models', 405, 'GET'],
    ['GET', '/v1beta/models/x:generateContent', 405, 'POST'],
    ['POST', '/', 405, 'GET, HEAD'],
    ['POST', '/v1/files', 404, undefined],
    ['POST', '/v1/nonsense', 404, undefined],
    ['POST', '/constructor', 404, undefined],
    ['POST', '/v1/__proto__', 404, undefined],
    ['GET', '/v1/toString', 404, undefined],
    ['POST', '/v1/models/x:constructor', 404, undefined],
    ['GET', '/a/b/c/d', 404, undefined],
  ] as const)('%s %s is %i', async (method, path, status, allow) => {
    const got = await call(url(path), method === 'POST' ? '{}' : undefined, bearer(), method);
    expect(got.status, got.text).toBe(status);
    expect(got.headers.allow).toBe(allow);
    expect(got.headers['x-request-id']).toMatch(/^req_/);
    const dialect = path.includes('/models/x:') ? gemini : path.includes('messages') ? messages : chat;
    expect(() => dialect.envelope(JSON.parse(got.text), status)).not.toThrow();
  });

  it.each([
    ['GET', '/'],
    ['HEAD', '/'],
    ['HEAD', '/api/hello'],
    ['GET', '/v1'],
    ['HEAD', '/oai/v1/'],
  ])('%s %s greets without a key', async (method, path) => {
    const got = await call(url(path), undefined, {}, method);
    expect(got.status).toBe(200);
    expect(got.text === '').toBe(method === 'HEAD');
  });

  it.each(['/livez', '/readyz'])('%s', async (path) => expect((await call(url(path), undefined)).status).toBe(200));

  it.each(['/v1/../admin', '/v1/%2e%2e/x', '/v1/models/a%2f..%2fb:generateContent', '/v1/a%00b', '/v1/a%0d%0ab', '/v1/%zz', '/v1/a\\b'])(
    '%s means nothing',
    async (path) => {
      stage.upstream.seen.length = 0;
      const got = await raw(
        `POST ${path} HTTP/1.1\r\nhost: x\r\nx-api-key: ${stage.server.key}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}`,
      );
      expect(got).toMatch(/^HTTP\/1\.1 404 /);
      expect(stage.upstream.seen).toEqual([]);
    },
  );
});

/** Sends bytes as they are, and reads until the other side closes. */
function raw(...pieces: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(stage.server.url).port), '127.0.0.1');
    let seen = '';
    socket.on('data', (bytes) => (seen += bytes.toString()));
    socket.on('error', () => {});
    socket.on('close', () => resolve(seen));
    for (const piece of pieces) socket.write(piece);
  });
}

describe('HTTP that is none, or two at once', () => {
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: pk-test-0123456789abcdef\r\n`;
  it.each([
    { name: 'two lengths', text: `${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}` },
    { name: 'length and chunks', text: `${head}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n` },
    { name: 'chunked twice over', text: `${head}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n` },
    { name: 'a length that is none', text: `${head}content-length: +2\r\n\r\n{}` },
    { name: 'a bare line feed in a header', text: `${head}x-a: b\nx-c: d\r\n\r\n` },
    { name: 'a folded header', text: `${head}x-a: b\r\n c\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}`, anyOf: [400, 404] },
    { name: 'a chunk size that is none', text: `${head}transfer-encoding: chunked\r\n\r\nzz\r\n` },
    { name: 'a space before the colon', text: `${head}transfer-encoding : chunked\r\n\r\n0\r\n\r\n` },
    { name: 'an encoding that is nearly chunked', text: `${head}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n` },
    { name: 'encodings twice', text: `${head}transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n` },
    { name: 'a length with a list', text: `${head}content-length: 2, 2\r\n\r\n{}` },
    { name: 'a length below nothing', text: `${head}content-length: -1\r\n\r\n` },
    { name: 'a length in hexadecimal', text: `${head}content-length: 0x2\r\n\r\n{}` },
    { name: 'a bare carriage return in a header', text: `${head}x-a: b\rcontent-length: 2\r\n\r\n{}` },
    { name: 'a NUL in a header', text: `${head}x-a: b\0c\r\n\r\n` },
    { name: 'a header without a name', text: `${head}: b\r\n\r\n` },
    { name: 'a chunk size below nothing', text: `${head}transfer-encoding: chunked\r\n\r\n-1\r\n` },
    { name: 'a chunk size beyond numbers', text: `${head}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n` },
    { name: 'a chunk that is longer than it says', text: `${head}transfer-encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n` },
    { name: 'chunks that end with a bare line feed', text: `${head}transfer-encoding: chunked\r\n\r\n2\n{}\n0\n\n` },
    {
      name: 'extensions of chunks without an end',
      text: `${head}transfer-encoding: chunked\r\n\r\n2;${'a=b;'.repeat(20_000)}`,
      anyOf: [400, 413],
    },
    { name: 'a request line of two', text: `POST /v1/chat/completions HTTP/1.1 HTTP/1.1\r\nhost: x\r\n\r\n` },
    { name: 'a version that is none', text: `POST /v1/chat/completions HTTP/9.9\r\nhost: x\r\n\r\n` },
    {
      name: 'a whole URL',
      text: `POST http://evil.example/v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`,
      anyOf: [400, 404],
    },
    { name: 'a tunnel', text: `CONNECT evil.example:443 HTTP/1.1\r\nhost: x\r\n\r\n`, anyOf: [0, 400, 404, 405] },
    { name: 'no host', text: 'GET / HTTP/1.1\r\n\r\n' },
    { name: 'something else', text: 'hello\r\n\r\n' },
  ])('$name is refused', async ({ text: bytes, anyOf = [400] }) => {
    stage.upstream.seen.length = 0;
    const got = await raw(bytes);
    expect(anyOf, got).toContain(Number(got.slice(9, 12)));
    // And nothing that was hidden in it is taken for a request of its own.
    expect(got.split('HTTP/1.1 ').length, got).toBeLessThanOrEqual(2);
    expect(stage.upstream.seen).toEqual([]);
  });

  it('headers that are too large are 431', async () => {
    expect(await raw(`GET / HTTP/1.1\r\nhost: x\r\nx-a: ${'a'.repeat(70_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('who waits for leave to send a body gets it', async () => {
    stage.upstream.answer = json(chat.whole);
    const got = await raw(`${head}expect: 100-continue\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n`, text);
    expect(got).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
  });

  it('two requests on one connection, the second before the answer to the first', async () => {
    stage.upstream.answer = json(chat.whole);
    const one = `${head}content-length: ${Buffer.byteLength(text)}\r\n`;
    const got = await raw(`${one}\r\n${text}${one}connection: close\r\n\r\n${text}`);
    expect(got.split('HTTP/1.1 200 OK').length).toBe(3);
  });

  it('half a body, then nothing more: the client is gone, and nothing was asked', async () => {
    stage.upstream.seen.length = 0;
    await new Promise<void>((resolve) => {
      const socket = connect(Number(new URL(stage.server.url).port), '127.0.0.1');
      socket.write(`${head}content-length: 100\r\n\r\n{"a":`, () => socket.destroy());
      socket.on('close', () => resolve());
    });
    await expect.poll(() => stage.server.app.active(), { interval: 5 }).toBe(0);
    expect(stage.upstream.seen).toEqual([]);
  });

  it('HTTP/1.0 gets its stream without chunks', async () => {
    stage.upstream.answer = stream(chat.events);
    const body = JSON.stringify(chat.body('oai/up', true));
    const got = await raw(
      `POST /v1/chat/completions HTTP/1.0\r\nx-api-key: pk-test-0123456789abcdef\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    expect(got).not.toContain('chunked');
    expect(got.trimEnd().endsWith('data: [DONE]')).toBe(true);
  });
});

describe('bodies that are packed, or too large', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const)('%s is unpacked', async (encoding, pack) => {
    stage.upstream.answer = json(chat.whole);
    stage.upstream.seen.length = 0;
    const got = await call(url('/v1/chat/completions'), pack(text) as Buffer, { ...bearer(), 'content-encoding': encoding });
    expect(got.status, got.text).toBe(200);
    expect(JSON.parse(stage.upstream.seen[0]?.body ?? '')).toEqual({ ...JSON.parse(text), model: 'up' });
  });

  it.each([
    { name: 'a bomb', body: gzipSync(Buffer.alloc(40 * 1024 * 1024)), encoding: 'gzip', status: 413 },
    { name: 'damaged', body: gzipSync(text).subarray(0, 20), encoding: 'gzip', status: 400 },
    { name: 'not packed at all', body: Buffer.from(text), encoding: 'gzip', status: 400 },
    { name: 'an encoding that nobody knows', body: Buffer.from(text), encoding: 'lzma', status: 415 },
  ])('$name', async ({ body, encoding, status }) => {
    const got = await call(url('/v1/messages'), body, { ...bearer(), 'content-encoding': encoding });
    expect(got.status, got.text).toBe(status);
    expect(() => messages.envelope(JSON.parse(got.text), status)).not.toThrow();
  });

  it.each([
    { name: 'announced', chunked: false },
    { name: 'in chunks', chunked: true },
  ])('too large, $name: 413 that the client can read, and the connection serves on', async ({ chunked }) => {
    const small = await setStage({ limits: { ...stage.server.app.snapshot().config.limits, body: 1000 } });
    const bytes = Buffer.alloc(300_000, 0x20);
    const answers: number[] = [];
    for (let i = 0; i < 2; i++) {
      const got = await fetch(`${small.server.url}/v1/messages`, {
        method: 'POST',
        headers: { 'x-api-key': small.server.key },
        body: chunked ? new Blob([bytes]).stream() : bytes,
        ...(chunked ? { duplex: 'half' } : {}),
      } as RequestInit);
      answers.push(got.status);
      const body: Data = await got.json();
      expect(messages.envelope(body, 413).type).toBe('request_too_large');
    }
    expect(answers).toEqual([413, 413]);
    await small.close();
  });
});

describe('strict', () => {
  const lossy = { ...chat.body('claude/up', false), frequency_penalty: 0.5, seed: 7 };
  it.each([
    { name: 'by header', headers: { 'x-strict': '1' }, key: 'pk-test-0123456789abcdef' },
    { name: 'by key', headers: {}, key: STRICT_KEY },
  ])('$name: what would be lost is a 400 that names it', async ({ headers, key }) => {
    const got = await call(url('/v1/chat/completions'), JSON.stringify(lossy), { ...headers, 'x-api-key': key } as Record<string, string>);
    expect(got.status).toBe(400);
    const { message, param } = chat.envelope(JSON.parse(got.text), 400);
    expect(message).toContain('frequency_penalty');
    expect(message).toContain('seed');
    expect(['frequency_penalty', 'seed']).toContain(param);
  });

  it('without it, a note says so', async () => {
    stage.upstream.answer = json(messages.whole);
    const got = await call(url('/v1/chat/completions'), JSON.stringify(lossy), bearer());
    expect(got.status).toBe(200);
    expect(got.headers['x-pailou-notes']).toMatch(/frequency_penalty;dropped/);
    expect(got.headers['x-pailou-notes']).toMatch(/seed;dropped/);
    expect(got.headers['x-pailou-notes']).toMatch(/^[\x21-\x7e]+;\w+(, [\x21-\x7e]+;\w+)*$/);
  });

  it('a key that is strict may do what loses nothing', async () => {
    stage.upstream.answer = json(messages.whole);
    expect(
      (
        await call(url('/v1/chat/completions'), JSON.stringify({ ...chat.body('claude/up', false), max_tokens: 5 }), {
          'x-api-key': STRICT_KEY,
        })
      ).status,
    ).toBe(200);
  });
});

describe('names', () => {
  it.each([
    { asked: 'fast', served: 'oai/up', dialect: chat },
    { asked: 'claude-haiku-4-5', served: 'claude/small-4-5', dialect: messages },
    { asked: 'oai/org/model:8b', served: 'oai/org/model:8b', dialect: chat },
    { asked: 'gem/org/model:8b', served: 'gem/org/model:8b', dialect: gemini },
  ] satisfies readonly { asked: string; served: string; dialect: Dialect }[])(
    '$asked goes to $served',
    async ({ asked, served, dialect }) => {
      stage.upstream.answer = json(dialect.whole);
      stage.upstream.seen.length = 0;
      const got = await call(url(dialect.path(asked, false)), JSON.stringify(dialect.body(asked, false)), bearer());
      expect(got.status, got.text).toBe(200);
      expect(got.headers['x-pailou-served-by']).toBe(served);
    },
  );

  it.each(['../../etc/passwd', 'oai/../x', 'a\nb', 'a\r\nx-evil: 1', 'a\0b', 'x'.repeat(600)])('%j is no model', async (model) => {
    stage.upstream.seen.length = 0;
    for (const dialect of DIALECTS) {
      const got = await call(url(dialect.path(encodeURIComponent(model), false)), JSON.stringify(dialect.body(model, false)), bearer());
      expect([400, 404], got.text).toContain(got.status);
      expect(() => dialect.envelope(JSON.parse(got.text), got.status)).not.toThrow();
    }
    expect(stage.upstream.seen).toEqual([]);
  });

  it.each(['/v1/chat/completions', '/v1/messages', '/v1/responses', '/v1/embeddings', '/v1/audio/speech', '/v1/images/generations'])(
    'half a character is no part of a model: %s',
    async (path) => {
      const body = JSON.stringify({
        model: 'oai/a\ud83d',
        input: 'x',
        prompt: 'x',
        messages: [{ role: 'user', content: 'x' }],
        max_tokens: 5,
      });
      const got = await call(url(path), body, bearer());
      expect([got.status, got.text]).toEqual([400, expect.stringContaining("'model'")]);
    },
  );

  it.each(['http://169.254.169.254/latest', 'x%2f..%2fy', 'a#b', 'a?b', 'a@b', '//evil/x'])('%j stays one name upstream', async (model) => {
    for (const dialect of DIALECTS) {
      stage.upstream.seen.length = 0;
      stage.upstream.answer = json(dialect.whole);
      const name = `${dialect.provider}/${model}`;
      const got = await call(url(dialect.path(encodeURIComponent(name), false)), JSON.stringify(dialect.body(name, false)), bearer());
      expect(got.status, got.text).toBe(200);
      const [seen] = stage.upstream.seen;
      expect(seen?.path).toBe(
        dialect.id === 'gemini' ? `/v1beta/models/${encodeURIComponent(model)}:generateContent` : dialect.path(model, false),
      );
      if (dialect.id !== 'gemini') expect(JSON.parse(seen?.body ?? '').model).toBe(model);
    }
  });
});

describe('Gemini without alt=sse', () => {
  it.each(DIALECTS)('streams one JSON array, element by element, over $id', async (upstream) => {
    stage.upstream.answer = stream(upstream.events);
    const path = gemini.path(`${upstream.provider}/up`, true).replace('?alt=sse', '');
    const got = await call(url(path), JSON.stringify(gemini.body('', true)), bearer());
    expect(got.headers['content-type']).toContain('application/json');
    const elements: Data[] = JSON.parse(got.text);
    expect(gemini.textOf(elements)).toBe(TEXT);
    expect(gemini.isFinished(elements)).toBe(true);
  });

  it.each(DIALECTS)('ends with the error when $id breaks', async (upstream) => {
    stage.upstream.answer = stream(upstream.events.slice(0, upstream.before));
    const path = gemini.path(`${upstream.provider}/up`, true).replace('?alt=sse', '');
    const got = await call(url(path), JSON.stringify(gemini.body('', true)), bearer());
    const elements: Data[] = JSON.parse(got.text);
    expect(gemini.isFinished(elements)).toBe(false);
    expect(gemini.errorIn(elements)).toBeTypeOf('string');
    expect(told(chat, { ...got, text: '' }).finished).toBe(false);
  });
});
