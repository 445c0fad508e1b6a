import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { candidatesOf } from '../../src/policy/kept-decision.ts';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { DIALECTS, type Dialect } from './dialects.ts';
import { call, json, lastRecord, setStage, type Stage } from './stage.ts';

const chat = DIALECTS.find((one) => one.id === 'openai-chat') as Dialect;
const messages = DIALECTS.find((one) => one.id === 'anthropic-messages') as Dialect;

let stage: Stage;
/** Another two providers at the same upstream: one without tools, and OpenRouter itself. */
const others = (url: string): Readonly<Record<string, ProviderSettings>> => ({
  plain: {
    preset: 'openai-compatible',
    baseUrl: `${url}/plain/v1`,
    key: 'k',
    abilities: { '*': { tools: false, context: 100 } },
    models: { '*': { price: { currency: 'USD', input: 2e9, output: 2e9 } } },
  },
  router: { preset: 'openrouter', baseUrl: `${url}/router`, key: 'k' },
  private: {
    preset: 'openai-compatible',
    baseUrl: `${url}/private/v1`,
    key: 'k',
    dataCollection: 'deny',
    regions: ['eu-west'],
    models: { '*': { price: { currency: 'CNY', input: 7e9, output: 7e9 } } },
  },
});

beforeAll(async () => {
  const first = await setStage();
  stage = first;
  const { config } = first.server.app.snapshot();
  first.server.app.reload({
    ...config,
    server: { ...config.server, trustedProxies: ['127.0.0.0/8'] },
    providers: { ...config.providers, ...others(first.upstream.url) },
    models: {
      smart: { targets: [{ to: 'plain/p' }, { to: 'oai/up', order: 2 }] },
      even: { targets: [{ to: 'plain/p' }, { to: 'oai/up' }], strategy: 'round-robin' },
      sticky: { targets: [{ to: 'plain/p' }, { to: 'oai/up' }, { to: 'private/s' }], affinity: true },
      cheap: { targets: [{ to: 'oai/up' }, { to: 'plain/p' }, { to: 'private/s' }], strategy: 'lowest-cost' },
      eu: { targets: [{ to: 'oai/up' }, { to: 'private/s', order: 2 }], regions: ['eu'], fallback: ['plain/p'] },
      mars: { targets: [{ to: 'oai/up' }, { to: 'plain/p' }], strategy: 'priority', regions: ['mars'] },
      by: { targets: [{ to: 'plain/p' }, { to: 'oai/up' }], strategy: 'hash-client' },
      half: { targets: [{ to: 'plain/p' }, { to: 'oai/up' }] },
    },
    defaultModel: 'oai/up',
  });
});
beforeEach(() => {
  stage.upstream.seen.length = 0;
  stage.upstream.answer = json(chat.whole);
});
afterAll(() => stage.close());

async function ask(body: Record<string, unknown>, headers: Record<string, string> = {}, path = '/v1/chat/completions') {
  const got = await call(`${stage.server.url}${path}`, JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }], ...body }), {
    'content-type': 'application/json',
    authorization: `Bearer ${stage.server.key}`,
    ...headers,
  });
  return {
    ...got,
    servedBy: got.headers['x-pailou-served-by'],
    sent: JSON.parse(stage.upstream.seen.at(-1)?.body ?? '{}') as Record<string, unknown>,
  };
}

const TOOL = { type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } };

describe('live calls over routes', () => {
  it.each([
    ['the first', {}, 'plain/p'],
    ['tools go to what has them', { tools: [TOOL] }, 'oai/up'],
    ['too long for the first', { messages: [{ role: 'user', content: 'x'.repeat(1000) }] }, 'oai/up'],
  ])('%s', async (_name, body, goes) => {
    const got = await ask({ model: 'smart', ...body });
    expect([got.status, got.servedBy]).toEqual([200, goes]);
  });

  it('a client of another dialect finds the same', async () => {
    stage.upstream.answer = json(chat.whole);
    const tools = [{ name: 'f', input_schema: { type: 'object', properties: {} } }];
    const got = await ask({ ...messages.body('smart', false), tools }, { 'anthropic-version': '2023-06-01' }, '/v1/messages');
    expect([got.status, got.servedBy]).toEqual([200, 'oai/up']);
  });

  it('takes turns', async () => {
    const seen: unknown[] = [];
    for (let i = 0; i < 4; i++) seen.push((await ask({ model: 'even' })).servedBy);
    expect(seen).toEqual(['plain/p', 'oai/up', 'plain/p', 'oai/up']);
  });

  it('draws by weight', async () => {
    const seen = new Set<unknown>();
    for (let i = 0; i < 40; i++) seen.add((await ask({ model: 'half' })).servedBy);
    expect(seen).toEqual(new Set(['plain/p', 'oai/up']));
  });

  it.each([
    ['a header', {}, (i: number) => ({ 'x-session-id': `s-${i}` })],
    ['the body', (i: number) => ({ prompt_cache_key: `k-${i}` }), {}],
    [
      'how the prompt begins',
      (i: number) => ({
        messages: [
          { role: 'system', content: `You are ${i}` },
          { role: 'user', content: 'Hi' },
        ],
      }),
      {},
    ],
  ])('a conversation stays where it is, told by %s', async (_name, body, headers) => {
    const homes = new Set<unknown>();
    for (let i = 0; i < 12; i++) {
      const more = typeof body === 'function' ? body(i) : body;
      const head = typeof headers === 'function' ? headers(i) : headers;
      const first = await ask({ model: 'sticky', ...more }, head);
      const again = await ask({ model: 'sticky', ...more }, head);
      expect(again.servedBy).toBe(first.servedBy);
      homes.add(first.servedBy);
    }
    expect(homes.size).toBeGreaterThan(1);
  });

  it('a conversation that goes on begins as before', async () => {
    const turns = [
      { role: 'system', content: 'Be brief' },
      { role: 'user', content: 'One' },
    ];
    const first = await ask({ model: 'sticky', messages: turns });
    const later = [...turns, { role: 'assistant', content: '1' }, { role: 'user', content: 'Two' }];
    expect((await ask({ model: 'sticky', messages: later })).servedBy).toBe(first.servedBy);
  });

  it('the default answers for what nothing else knows', async () => {
    expect((await ask({ model: 'unheard-of' })).servedBy).toBe('oai/up');
  });
});

describe('what a body says of providers', () => {
  it.each([
    ['only', { model: 'smart', provider: { only: ['oai'] } }, 'oai/up'],
    ['ignore', { model: 'smart', provider: { ignore: ['plain'] } }, 'oai/up'],
    ['order', { model: 'smart', provider: { order: ['oai', 'plain'] } }, 'oai/up'],
    ['nothing kept', { model: 'sticky', provider: { data_collection: 'deny' } }, 'private/s'],
    ['zdr', { model: 'sticky', provider: { zdr: true } }, 'private/s'],
    ['further models, the first unknown', { model: 'nowhere/x', models: ['plain/p', 'oai/up'], tools: [TOOL] }, 'oai/up'],
    ['models alone', { models: ['oai/up', 'plain/p'] }, 'oai/up'],
    ['null', { model: 'oai/up', provider: null, models: null }, 'oai/up'],
  ])('%s', async (_name, body, goes) => {
    const got = await ask(body);
    expect([got.status, got.servedBy]).toEqual([200, goes]);
    // Providers that do not know these words would refuse them.
    expect(Object.keys(got.sent)).not.toContain('provider');
    expect(Object.keys(got.sent)).not.toContain('models');
    expect(got.sent['model']).toBe(goes.split('/')[1]);
  });

  it.each([
    ['the cheapest, in any currency', { model: 'cheap' }, 'private/s'],
    ['a caller’s sort', { model: 'smart', provider: { sort: 'price' } }, 'plain/p'],
    ['a sort as an object', { model: 'half', provider: { sort: { by: 'price' } } }, 'plain/p'],
    ['the most that is paid', { model: 'half', provider: { max_price: { prompt: 2, completion: '2.0' } } }, 'plain/p'],
    ['a region', { model: 'eu' }, 'private/s'],
  ])('by %s', async (_name, body, goes) => {
    const got = await ask(body);
    expect([got.status, got.servedBy]).toEqual([200, goes]);
  });

  it('moves when a price changes', async () => {
    const { config } = stage.server.app.snapshot();
    const plain = config.providers['plain'] as ProviderSettings;
    const cheaper = { ...plain, models: { '*': { price: { currency: 'USD', input: 1e8, output: 1e8 } } } } as ProviderSettings;
    stage.server.app.reload({ ...config, providers: { ...config.providers, plain: cheaper } });
    expect((await ask({ model: 'cheap' })).servedBy).toBe('plain/p');
    stage.server.app.reload(config);
    expect((await ask({ model: 'cheap' })).servedBy).toBe('private/s');
  });

  it('nothing is sent where a route does not allow it', async () => {
    const got = await ask({ model: 'mars' });
    expect(got.status).toBe(403);
    const { message } = chat.envelope(JSON.parse(got.text), 403);
    expect(message).toContain("No target of 'mars' may be used: oai/up is not in an allowed region; plain/p is not in an allowed region");
    expect(stage.upstream.seen).toEqual([]);
  });

  it('reaches a provider that knows these words, as it was sent', async () => {
    const provider = { only: ['azure'], max_price: { prompt: 1 }, quantizations: ['fp8'] };
    const got = await ask({ model: 'router/openai/gpt-5', provider });
    expect([got.status, got.sent['provider'], got.sent['model']]).toEqual([200, provider, 'openai/gpt-5']);
    expect(got.headers['x-pailou-notes']).toBeUndefined();
    const translated = await ask({ ...messages.body('router/openai/gpt-5', false), provider }, {}, '/v1/messages');
    expect(translated.sent['provider']).toEqual(provider);
  });

  it('its own words under its own path are left alone', async () => {
    const got = await ask({ model: 'a/b', models: ['c/d'], provider: { sort: 'price' } }, {}, '/router/v1/chat/completions');
    expect(got.sent).toMatchObject({ model: 'a/b', models: ['c/d'], provider: { sort: 'price' } });
  });

  it('what nothing follows is noted', async () => {
    const got = await ask({ model: 'oai/up', provider: { quantizations: ['fp8'], sort: 'beauty', order: ['oai'] } });
    expect(got.headers['x-pailou-notes']).toBe('provider.quantizations;dropped, provider.sort;dropped');
  });

  it('a parameter that a target would lose sends the call on, or back, where all are required', async () => {
    const provider = { require_parameters: true };
    const count = stage.server.records.length;
    expect((await ask({ model: 'claude/up', models: ['oai/up'], seed: 5, provider })).servedBy).toBe('oai/up');
    const { route, failed } = await lastRecord(stage, count + 1);
    // Decided so, not tried first.
    expect(failed).toBe(undefined);
    expect(candidatesOf(route ?? { o: [] })[0]).toMatchObject({
      provider: 'claude',
      reasons: ['pinned_by_request', 'capability_missing:seed'],
    });
    const refused = await ask({ model: 'claude/up', logprobs: true, provider });
    expect([refused.status, chat.envelope(JSON.parse(refused.text), 400).param]).toEqual([400, 'logprobs']);
    expect(stage.upstream.seen).toHaveLength(1);
  });

  it('what is lost of a conversation is no parameter', async () => {
    stage.upstream.answer = json(messages.whole);
    const turns = [{ role: 'user', name: 'Ann', content: 'Hello' }];
    const got = await ask({ model: 'claude/up', messages: turns, provider: { require_parameters: true, quantizations: ['fp8'] } });
    expect([got.status, got.headers['x-pailou-notes']]).toEqual([200, 'name;dropped, provider.quantizations;dropped']);
  });

  it('names after the first hold where the path names that', async () => {
    const contents = [{ role: 'user', parts: [{ text: 'Hello' }] }];
    const got = await ask({ contents, messages: undefined, models: ['plain/p'] }, {}, '/v1beta/models/nowhere/x:generateContent');
    expect([got.status, got.servedBy]).toEqual([200, 'plain/p']);
  });

  it.each([
    ['nothing is left', { model: 'oai/up', provider: { only: ['anthropic'] } }, "'provider' leaves nothing to try of: oai"],
    ['no object', { model: 'oai/up', provider: 'azure' }, "'provider' must be an object, not a string"],
    ['no list', { model: 'oai/up', models: 'x' }, "'models' must be a list of names, not a string"],
    ['no names', { model: 'oai/up', provider: { only: [1] } }, "'provider.only' must be a list of names"],
    ['too dear', { model: 'plain/p', provider: { max_price: { prompt: '1.99' } } }, 'plain/p costs more than provider.max_price'],
    ['dear who knows', { model: 'oai/up', provider: { max_price: { prompt: 9 } } }, 'oai/up has no price that is known'],
    ['no amount', { model: 'oai/up', provider: { max_price: { prompt: 'much' } } }, "'provider.max_price.prompt' must be an amount in USD"],
    ['no flag', { model: 'oai/up', provider: { allow_fallbacks: 'no' } }, "'provider.allow_fallbacks' must be true or false"],
    ['what must not be lost', { model: 'plain/p', tools: [TOOL], provider: { require_parameters: true } }, 'plain/p lacks tools'],
  ])('a 400 where %s', async (_name, body, says) => {
    const got = await ask(body);
    expect(got.status).toBe(400);
    expect(chat.envelope(JSON.parse(got.text), 400).message).toContain(says);
    expect(stage.upstream.seen).toEqual([]);
  });
});

it('by the address of the client, as a proxy that is trusted tells it: always the same for one, and both are used', async () => {
  const servedBy = async (address: string): Promise<string> =>
    String((await ask({ model: 'by' }, { 'x-forwarded-for': `9.9.9.9, ${address}` })).headers['x-pailou-served-by']);
  const all: string[] = [];
  for (let i = 1; i <= 12; i++) {
    const first = await servedBy(`198.51.100.${i}`);
    expect(await servedBy(`198.51.100.${i}`)).toBe(first);
    all.push(first);
  }
  expect(new Set(all)).toEqual(new Set(['plain/p', 'oai/up']));
});
