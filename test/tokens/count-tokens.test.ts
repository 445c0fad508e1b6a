import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import { DIALECTS } from '../exchange/dialects.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../server.ts';

const MESSAGES = '/v1/messages/count_tokens';
const INPUT_TOKENS = '/v1/responses/input_tokens';
const gemini = (model: string): string => `/v1beta/models/${model}:countTokens`;

const HELLO = {
  anthropic: (model: string) => ({ model, messages: [{ role: 'user', content: 'What is the capital of France?' }] }),
  responses: (model: string) => ({ model, input: 'What is the capital of France?' }),
  gemini: { contents: [{ role: 'user', parts: [{ text: 'What is the capital of France?' }] }] },
};
const TOOL = {
  name: 'get_weather',
  description: 'Weather of a place',
  input_schema: { type: 'object', properties: { place: { type: 'string' } } },
};
/** 1 × 1. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const MESSAGE = DIALECTS.find(({ id }) => id === 'anthropic-messages')?.whole;

let server: TestServer;
let upstream: FakeUpstream;

beforeAll(async () => {
  upstream = await startUpstream();
  const baseUrl = upstream.url;
  const key = 'k';
  server = await startTestServer({
    providers: {
      claude: { preset: 'anthropic', baseUrl, key },
      vertexish: { preset: 'gemini', baseUrl, key },
      open: { preset: 'openai', baseUrl, key },
      plain: { preset: 'openai-compatible', baseUrl, key },
      narrow: { preset: 'anthropic', baseUrl, key, models: { '*': { context: 10 } } },
      wide: { preset: 'anthropic', baseUrl, key, models: { '*': { context: 100 } } },
      relay: { preset: 'anthropic-compatible', baseUrl, key },
      patient: { preset: 'anthropic-compatible', baseUrl, key, setAside: 'off' },
      hasty: { preset: 'anthropic-compatible', baseUrl, key, timeouts: { total: 300 } },
      aws: { preset: 'bedrock', baseUrl, key: 'bedrock-api-key-x', region: 'eu-west-1' },
    },
    models: {
      small: 'plain/claude-sonnet-4-5',
      either: { targets: [{ to: 'plain/unheard-of' }, { to: 'claude/claude-sonnet-4-5' }], strategy: 'priority' },
      first: { targets: [{ to: 'relay/claude-sonnet-4-5' }, { to: 'claude/claude-sonnet-4-5' }], strategy: 'priority' },
      turns: { targets: [{ to: 'relay/claude-sonnet-4-5' }, { to: 'claude/claude-sonnet-4-5' }], strategy: 'round-robin' },
      tight: {
        targets: [{ to: 'narrow/claude-sonnet-4-5' }, { to: 'wide/claude-sonnet-4-5' }, { to: 'narrow/other' }],
        strategy: 'priority',
      },
      closed: { targets: [{ to: 'narrow/claude-sonnet-4-5' }, { to: 'narrow/other' }], strategy: 'priority' },
      late: { targets: [{ to: 'hasty/unheard-of' }, { to: 'relay/unheard-of' }], strategy: 'priority' },
      brief: { targets: [{ to: 'relay/unheard-of', timeout: { total: 300 } }] },
      brisk: { targets: [{ to: 'relay/unheard-of' }], timeout: { total: 300 } },
      neither: { targets: [{ to: 'plain/unheard-of' }, { to: 'plain/unknown' }], strategy: 'priority' },
    },
  });
});
afterAll(async () => {
  await server.close();
  await upstream.close();
  expect(server.defects).toEqual([]);
});
afterEach(() => void upstream.seen.splice(0));

interface Answer {
  readonly status: number;
  readonly how: string | null;
  readonly body: Record<string, unknown>;
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, how: answer.headers.get('x-pailou-count'), body: (await answer.json()) as Record<string, unknown> };
}

describe('the provider’s own counter', () => {
  const first = () => upstream.seen[0];
  const sent = () => JSON.parse(first()?.body ?? 'null') as unknown;

  it('is asked in the client’s protocol, and its answer passes whole', async () => {
    upstream.answer = json({ input_tokens: 14, context_management: { original_input_tokens: 20 } });
    const answer = await post(MESSAGES, { ...HELLO.anthropic('claude/claude-haiku-4-5'), future_field: 1 }, { 'anthropic-beta': 'b-1' });
    expect(answer).toEqual({ status: 200, how: 'provider', body: { input_tokens: 14, context_management: { original_input_tokens: 20 } } });
    expect(first()).toMatchObject({
      method: 'POST',
      path: '/v1/messages/count_tokens',
      headers: { 'x-api-key': 'k', 'anthropic-beta': 'b-1' },
    });
    expect(sent()).toEqual({ ...HELLO.anthropic('claude-haiku-4-5'), future_field: 1 });
  });

  it.each([
    ['Gemini, bare', gemini('vertexish/gemini-2.5-flash'), HELLO.gemini, HELLO.gemini],
    [
      'Gemini, with tools',
      gemini('vertexish/gemini-2.5-flash'),
      { ...HELLO.gemini, tools: [{ functionDeclarations: [{ name: 'f' }] }] },
      { generateContentRequest: { ...HELLO.gemini, tools: [{ functionDeclarations: [{ name: 'f' }] }], model: 'models/gemini-2.5-flash' } },
    ],
    [
      'Gemini, wrapped',
      gemini('vertexish%2Fgemini-2.5-flash'),
      { generateContentRequest: { model: 'models/vertexish/gemini-2.5-flash', ...HELLO.gemini } },
      { generateContentRequest: { model: 'models/gemini-2.5-flash', ...HELLO.gemini } },
    ],
  ])('%s', async (_name, path, body, wanted) => {
    upstream.answer = json({ totalTokens: 7, promptTokensDetails: [{ modality: 'TEXT', tokenCount: 7 }] });
    const answer = await post(path, body);
    expect(answer).toMatchObject({ status: 200, how: 'provider', body: { totalTokens: 7, promptTokensDetails: [{ modality: 'TEXT' }] } });
    expect(first()?.path).toBe('/v1beta/models/gemini-2.5-flash:countTokens');
    expect(sent()).toEqual(wanted);
  });

  it.each([
    ['Messages → Gemini', MESSAGES, HELLO.anthropic('vertexish/gemini-2.5-flash'), { totalTokens: 9 }, { input_tokens: 9 }, ':countTokens'],
    [
      'Messages → Responses',
      MESSAGES,
      HELLO.anthropic('open/gpt-5'),
      { input_tokens: 12 },
      { input_tokens: 12 },
      '/responses/input_tokens',
    ],
    [
      'Gemini → Messages',
      gemini('claude/claude-haiku-4-5'),
      HELLO.gemini,
      { input_tokens: 14 },
      { totalTokens: 14 },
      '/messages/count_tokens',
    ],
    [
      'Responses → Messages',
      INPUT_TOKENS,
      HELLO.responses('claude/claude-haiku-4-5'),
      { input_tokens: 14 },
      { object: 'response.input_tokens', input_tokens: 14 },
      '/messages/count_tokens',
    ],
  ])('%s: asked in a protocol that it has, told in the client’s', async (_name, path, body, says, wanted, at) => {
    upstream.answer = json(says);
    expect(await post(path, body)).toEqual({ status: 200, how: 'provider', body: wanted });
    expect(first()?.path).toContain(at);
    // A counter refuses what only a call has.
    expect(first()?.body).not.toMatch(/"(max_tokens|stream|store|maxOutputTokens)"/);
    expect(first()?.body).toContain('What is the capital of France?');
  });

  it('Bedrock’s, which knows a model and not the profile of a region', async () => {
    upstream.answer = json({ inputTokens: 21 });
    const body = { ...HELLO.anthropic('aws/eu.anthropic.claude-haiku-4-5-20251001-v1:0'), system: 'Be brief.', max_tokens: 5 };
    expect(await post(MESSAGES, body)).toEqual({ status: 200, how: 'provider', body: { input_tokens: 21 } });
    expect(first()?.path).toBe('/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/count-tokens');
    expect(sent()).toEqual({
      input: {
        converse: { system: [{ text: 'Be brief.' }], messages: [{ role: 'user', content: [{ text: 'What is the capital of France?' }] }] },
      },
    });
  });

  it('counts what the sandbox says of itself, in every dialect', async () => {
    const counts = [
      (await post(MESSAGES, HELLO.anthropic('sandbox/chat'))).body['input_tokens'],
      (await post(INPUT_TOKENS, HELLO.responses('sandbox/chat'))).body['input_tokens'],
      (await post(gemini('sandbox/chat'), HELLO.gemini)).body['totalTokens'],
    ];
    expect(new Set(counts).size).toBe(1);
    expect(counts[0]).toBeGreaterThan(5);
    expect((await post(MESSAGES, HELLO.anthropic('sandbox/chat'))).how).toBe('provider');
  });
});

describe('the local count', () => {
  it.each([
    ['Messages', MESSAGES, HELLO.anthropic('small'), 'input_tokens'],
    ['Responses', INPUT_TOKENS, HELLO.responses('small'), 'input_tokens'],
    ['Gemini', gemini('small'), HELLO.gemini, 'totalTokens'],
    ['Gemini, wrapped', gemini('small'), { generateContentRequest: HELLO.gemini }, 'totalTokens'],
    ['a platform’s own path', `/plain${MESSAGES}`, HELLO.anthropic('claude-sonnet-4-5'), 'input_tokens'],
  ])('%s: where the provider has no counter, and marked', async (_name, path, body, field) => {
    const answer = await post(path, body);
    // Claude's own count is 14.
    expect(answer).toMatchObject({ status: 200, how: 'local' });
    expect(answer.body[field]).toBeGreaterThanOrEqual(14);
    expect(answer.body[field]).toBeLessThanOrEqual(17);
    expect(upstream.seen).toEqual([]);
  });

  it.each([
    ['404', json({ error: 'no such path' }, 404)],
    ['500', json('broken', 500)],
    ['a page', json('<html>', 200)],
    ['no number', json({ input_tokens: 'many' })],
  ])('also where the provider’s counter gives %s', async (_name, answer) => {
    upstream.answer = answer;
    expect(await post(MESSAGES, HELLO.anthropic('relay/claude-haiku-4-5'))).toMatchObject({ status: 200, how: 'local' });
    expect(upstream.seen).toHaveLength(1);
  });

  it.each([
    ['no right to', json({ type: 'error', error: { type: 'permission_error', message: 'no' } }, 403)],
    ['a limit', json({ type: 'error', error: { type: 'rate_limit_error', message: 'later' } }, 429)],
    ['nothing: it hangs up', (_seen, response) => void response.socket?.destroy()],
  ] satisfies [string, FakeUpstream['answer']][])('also where the provider’s counter has %s', async (_name, answer) => {
    upstream.answer = answer;
    expect(await post(MESSAGES, HELLO.anthropic('relay/claude-haiku-4-5'))).toMatchObject({ status: 200, how: 'local' });
  });

  it('counts tools, images and documents of text', async () => {
    const plain = (await post(MESSAGES, HELLO.anthropic('small'))).body['input_tokens'] as number;
    const count = async (body: object): Promise<number> =>
      (await post(MESSAGES, { ...HELLO.anthropic('small'), ...body })).body['input_tokens'] as number;
    const content = (block: object): object => ({
      messages: [{ role: 'user', content: [{ type: 'text', text: 'What is the capital of France?' }, block] }],
    });
    expect(await count({ tools: [TOOL] })).toBeGreaterThan(plain + 450);
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } };
    expect(await count(content(image))).toBe(plain + 6);
    const document = { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'One two three four five six seven.' } };
    expect(await count(content(document))).toBeGreaterThan(plain + 9);
  });
});

describe('what cannot be counted is not 200', () => {
  const tool = { type: 'web_search_20250305', name: 'web_search' };
  const audio = { contents: [{ role: 'user', parts: [{ inlineData: { mimeType: 'audio/wav', data: 'AAAA' } }] }] };
  it.each<[name: string, path: string, body: unknown, status: number, says: RegExp]>([
    ['a family without recorded counts', MESSAGES, HELLO.anthropic('plain/llama-4-maverick'), 501, /no local count has been shown/],
    ['tools of the provider', MESSAGES, { ...HELLO.anthropic('small'), tools: [tool] }, 501, /web_search/],
    [
      'an image by its address',
      MESSAGES,
      {
        model: 'small',
        messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }] }],
      },
      501,
      /size of the image/,
    ],
    ['audio', gemini('small'), audio, 501, /audio/],
    [
      'mostly Chinese for a model whose tokenizer is not public',
      MESSAGES,
      { model: 'small', messages: [{ role: 'user', content: '法国的首都是哪里？请用中文回答。' }] },
      501,
      /other scripts/,
    ],
    ['an unknown model', MESSAGES, HELLO.anthropic('nobody/knows'), 404, /nobody/],
    ['an unknown model, Gemini', gemini('nobody-knows'), HELLO.gemini, 404, /nobody/],
    ['an unknown model, Responses', INPUT_TOKENS, HELLO.responses('nobody/knows'), 404, /nobody/],
    ['an unknown platform', `/nowhere${MESSAGES}`, HELLO.anthropic('x'), 404, /nowhere/],
    ['no model', MESSAGES, { messages: [] }, 400, /model/],
    ['no messages', MESSAGES, { model: 'small' }, 400, /messages/],
    ['no contents', gemini('small'), {}, 400, /contents/],
    ['messages of a wrong kind', MESSAGES, { model: 'small', messages: 'hello' }, 400, /messages/],
    ['input of a wrong kind', INPUT_TOKENS, { model: 'small', input: 7 }, 400, /input/],
    ['no JSON', MESSAGES, '{"model":', 400, /JSON/],
    ['a list', MESSAGES, '[]', 400, /object/],
    [
      'a wrapper that names another model',
      gemini('small'),
      { generateContentRequest: { model: 'models/large', ...HELLO.gemini } },
      400,
      /generateContentRequest\.model/,
    ],
  ])('%s', async (_name, path, body, status, says) => {
    const answer = await post(path, body);
    expect(answer.status).toBe(status);
    expect(answer.how).toBeNull();
    const { error } = answer.body as { error: { message: string; type?: string; status?: string; code?: unknown } };
    expect(error.message).toMatch(says);
    if (path.includes('messages')) expect(answer.body).toMatchObject({ type: 'error', error: { type: expect.any(String) as string } });
    else if (path.includes(':countTokens')) expect(error).toMatchObject({ code: status, status: expect.any(String) as string });
    else expect(error).toHaveProperty('param');
  });

  it('needs a key and POST', async () => {
    expect((await fetch(server.url + MESSAGES, { method: 'POST', body: '{}' })).status).toBe(401);
    expect((await fetch(server.url + MESSAGES, { headers: { 'x-api-key': TEST_KEY } })).status).toBe(405);
  });
});

/** An error as Anthropic's counter has it. */
const claudes = (type: string, message: string, status: number, headers: Record<string, string> = {}): FakeUpstream['answer'] => {
  return (_seen, response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify({ type: 'error', error: { type, message } }));
};

describe('a counter that asks for patience', () => {
  const SONNET = 'x/claude-sonnet-4-5';
  const LIMITED = claudes('rate_limit_error', 'Slow down', 429, { 'retry-after': '60' });
  const KEYS = { keys: [{ value: 'one' }, { value: 'two' }] };
  it.each<[name: string, settings: Partial<ProviderSettings>, answer: FakeUpstream['answer'], asked: string, paid: readonly unknown[]]>([
    ['one that asks for patience', { key: 'one' }, LIMITED, SONNET, []],
    [
      'one without room that asks for it',
      { key: 'one' },
      claudes('overloaded_error', 'Too many', 529, { 'retry-after': '60' }),
      SONNET,
      [],
    ],
    ['not one that says nothing of it', { key: 'one' }, claudes('rate_limit_error', 'Slow down', 429), SONNET, ['one']],
    [
      'not for the mistake of a client',
      { key: 'one' },
      claudes('invalid_request_error', 'No', 400, { 'retry-after': '60' }),
      SONNET,
      ['one'],
    ],
    ['not longer than it is believed', { key: 'one', setAside: { retryAfter: 0 } }, LIMITED, SONNET, ['one']],
    ['not where nothing is set aside', { key: 'one', setAside: 'off' }, LIMITED, SONNET, ['one']],
    ['not where nothing is remembered', { key: 'one', health: 'off' }, LIMITED, SONNET, ['one']],
    ['not where nobody else can count', { key: 'one' }, LIMITED, 'x/unheard-of', ['one']],
    ['and asked with another key', KEYS, LIMITED, SONNET, ['two']],
  ])('is left alone: %s', async (_name, settings, answer, model, paid) => {
    const limited = await startTestServer({
      providers: { x: { preset: 'anthropic-compatible', baseUrl: upstream.url, ...settings }, y: { preset: 'sandbox' } },
      models: { both: { targets: [{ to: SONNET }, { to: 'y/chat' }], strategy: 'priority' } },
    });
    const send = (path: string, body: object) =>
      fetch(limited.url + path, { method: 'POST', headers: { 'x-api-key': TEST_KEY }, body: JSON.stringify(body) });
    const body = HELLO.anthropic(model);
    upstream.answer = answer;
    await send(MESSAGES, body);
    expect(upstream.seen).toHaveLength(1);
    upstream.seen.length = 0;
    upstream.answer = json({ input_tokens: 7 });
    const { headers } = await send(MESSAGES, body);
    expect(headers.get('x-pailou-count')).toBe(paid.length > 0 ? 'provider' : 'local');
    expect(upstream.seen.map((one) => one.headers['x-api-key'])).toEqual(paid);
    await expect.poll(() => limited.records.map(({ attempts }) => attempts)).toEqual([1, paid.length]);
    // Calls have limits of their own, and go where they went.
    upstream.answer = json(MESSAGE);
    const called = await send('/v1/messages', { ...HELLO.anthropic('both'), max_tokens: 10 });
    expect(called.headers.get('x-pailou-served-by')).toBe(SONNET);
    await limited.close();
  });

  it('is asked again when the time is over', async () => {
    let later = 0;
    const clock = { now: Date.now, monotonic: () => performance.now() + later };
    const providers = { x: { preset: 'anthropic-compatible', baseUrl: upstream.url, key: 'one' } };
    const limited = await startTestServer({ providers }, undefined, clock);
    const count = async (): Promise<string | null> => {
      const headers = { 'x-api-key': TEST_KEY };
      const answer = await fetch(limited.url + MESSAGES, { method: 'POST', headers, body: JSON.stringify(HELLO.anthropic(SONNET)) });
      return answer.headers.get('x-pailou-count');
    };
    upstream.answer = LIMITED;
    await count();
    upstream.answer = json({ input_tokens: 7 });
    expect(await count()).toBe('local');
    later = 60_000;
    expect(await count()).toBe('provider');
    await limited.close();
  });
});

describe('a counter that fails where no count can be made here', () => {
  const unheard = HELLO.anthropic('patient/unheard-of');
  it.each<[name: string, answer: FakeUpstream['answer'], status: number, says: RegExp]>([
    ['a limit', claudes('rate_limit_error', 'Slow down', 429, { 'retry-after': '60' }), 429, /Slow down/],
    ['no room', claudes('overloaded_error', 'Too many', 529), 529, /Too many/],
    ['its own failure', claudes('api_error', 'It broke', 500), 502, /It broke/],
    ['a bad key', claudes('authentication_error', 'key up-1 is bad', 401), 502, /refused the gateway's credential/],
    ['no answer', (_seen, response) => void response.socket?.destroy(), 502, /./],
    ['a page', json('<html>'), 502, /no count/],
    ['no counter', claudes('not_found_error', 'no such path', 404), 501, /gave no count/],
  ])('%s is told as it is', async (_name, answer, status, says) => {
    upstream.answer = answer;
    const got = await post(MESSAGES, unheard);
    expect([got.status, (got.body as { error: { message: string } }).error.message]).toEqual([
      status,
      expect.stringMatching(says) as string,
    ]);
  });

  it('says when to come back', async () => {
    upstream.answer = claudes('rate_limit_error', 'Slow down', 429, { 'retry-after': '60' });
    const headers = { 'x-api-key': TEST_KEY, 'content-type': 'application/json' };
    const got = await fetch(server.url + MESSAGES, { method: 'POST', headers, body: JSON.stringify(unheard) });
    expect(got.headers.get('retry-after')).toBe('60');
  });

  it('the client’s own mistake passes, though a count could be made here, and nobody else is asked', async () => {
    upstream.answer = claudes('invalid_request_error', 'messages.0: no such role', 400);
    for (const model of ['relay/claude-haiku-4-5', 'first']) {
      upstream.seen.length = 0;
      expect(await post(MESSAGES, HELLO.anthropic(model))).toMatchObject({
        status: 400,
        body: { type: 'error', error: { type: 'invalid_request_error', message: 'messages.0: no such role' } },
      });
      expect(upstream.seen).toHaveLength(1);
    }
  });

  it('a refusal of what was written here is no mistake of the client', async () => {
    upstream.answer = claudes('invalid_request_error', 'messages.0: no such role', 400);
    expect(await post(INPUT_TOKENS, HELLO.responses('relay/claude-haiku-4-5'))).toMatchObject({ status: 200, how: 'local' });
  });
});

describe('where it is counted for', () => {
  const counted = json({ input_tokens: 77 });
  const last = (): unknown => server.records.at(-1);

  it('the next target where nobody can count for the first', async () => {
    upstream.answer = counted;
    expect(await post(MESSAGES, HELLO.anthropic('either'))).toEqual({ status: 200, how: 'provider', body: { input_tokens: 77 } });
    expect(last()).toMatchObject({ operation: 'count_tokens', asked: 'either', provider: 'claude', status: 200, attempts: 1 });
    expect(last()).toHaveProperty('route.o.length', 2);
    expect(last()).not.toHaveProperty('input');
  });

  it.each([
    ['the one that it fits', 'tight', 1, 'narrow'],
    ['the next where it is too long for the first', 'tight', 20, 'wide'],
    ['the first where it is too long for all: how long it is was asked', 'tight', 200, 'narrow'],
    ['and where there is no other', 'closed', 20, 'narrow'],
  ])('%s', async (_name, model, times, provider) => {
    upstream.answer = counted;
    const messages = [{ role: 'user', content: 'some words '.repeat(times) }];
    expect((await post(MESSAGES, { model, messages })).status).toBe(200);
    expect(last()).toMatchObject({ provider });
    const refused = await post('/v1/messages', { model, messages, max_tokens: 9 });
    expect(/context as long/.test(JSON.stringify(refused.body))).toBe(model === 'closed' || times === 200);
  });

  it.each([
    ['the provider', 'late'],
    ['the target', 'brief'],
    ['the route', 'brisk'],
  ])('nobody else once all the time of the first has gone, as %s says', async (_name, model) => {
    upstream.answer = () => {};
    const began = performance.now();
    const answer = await post(MESSAGES, HELLO.anthropic(model));
    // A counter has 15 s of its own.
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(answer).toMatchObject({ status: 504 });
    expect(upstream.seen).toHaveLength(1);
  });

  it('nobody: 501, and the record says so', async () => {
    expect((await post(MESSAGES, HELLO.anthropic('neither'))).status).toBe(501);
    expect(last()).toMatchObject({ operation: 'count_tokens', asked: 'neither', status: 501, fault: 'count_not_available', attempts: 0 });
  });

  it('an unknown model', async () => {
    expect((await post(MESSAGES, HELLO.anthropic('nothing-like-it'))).status).toBe(404);
    expect(last()).toMatchObject({ operation: 'count_tokens', status: 404, route: { o: [], x: 'not_found' } });
  });

  it('the one that the body asks for, which no counter is told', async () => {
    upstream.answer = counted;
    const asked = { ...HELLO.anthropic('first'), provider: { only: ['claude'] } };
    expect((await post(MESSAGES, asked)).status).toBe(200);
    expect(last()).toMatchObject({ provider: 'claude' });
    expect(upstream.seen.map(({ body }) => body)).toEqual([expect.not.stringContaining('only')]);
  });

  it('the target whose turn it is, and nobody takes one by counting', async () => {
    upstream.answer = (seen, response) =>
      (seen.path.endsWith('count_tokens')
        ? counted
        : json({ type: 'error', error: { type: 'invalid_request_error', message: 'no' } }, 400))(seen, response);
    const places: unknown[] = [];
    for (const path of [MESSAGES, MESSAGES, '/v1/messages', MESSAGES, '/v1/messages', MESSAGES]) {
      await post(path, { ...HELLO.anthropic('turns'), max_tokens: 10 });
      places.push((last() as { provider?: string }).provider);
    }
    expect(places).toEqual(['relay', 'relay', 'relay', 'claude', 'claude', 'relay']);
  });

  it('the next one while the first is out', async () => {
    upstream.answer = json({ type: 'error', error: { type: 'authentication_error', message: 'no' } }, 401);
    await post('/v1/messages', { ...HELLO.anthropic('relay/claude-sonnet-4-5'), max_tokens: 10 });
    upstream.answer = counted;
    expect((await post(MESSAGES, HELLO.anthropic('first'))).status).toBe(200);
    expect(last()).toMatchObject({ provider: 'claude' });
  });
});
