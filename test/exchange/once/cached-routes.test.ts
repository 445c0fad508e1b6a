import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import type { ModelSettings } from '../../../src/policy/routes/route.ts';
import { TEST_KEY, testConfig } from '../../server.ts';
import { chat } from '../dialects.ts';
import { setStage, type Stage } from '../stage.ts';
import { answering, keeping, OTHER_KEY, put, type Question } from './asking.ts';

const to = (name: string, cache?: { readonly ttl: number; readonly shared?: boolean }): ModelSettings => ({
  targets: [{ to: name }],
  ...(cache ? { cache } : {}),
});

const ROUTES: Partial<Config> = {
  keys: [
    { name: 'test', value: TEST_KEY, routes: { own: to('oai/mine', { ttl: 60_000, shared: true }), mine: 'each' } },
    { name: 'other', value: OTHER_KEY, models: ['all', 'own', 'part-*'] },
  ],
  models: {
    each: to('oai/up', { ttl: 60_000 }),
    all: to('oai/up', { ttl: 60_000, shared: true }),
    none: to('oai/up'),
    alias: 'each',
    own: to('oai/ours', { ttl: 60_000, shared: true }),
    'part-*': { targets: [{ to: 'oai/*' }], cache: { ttl: 60_000, shared: true } },
    over: { targets: [{ to: 'all' }] },
  },
};

async function stageOf(config = ROUTES): Promise<Stage> {
  const stage = await setStage(config);
  stage.upstream.answer = answering(chat);
  return stage;
}

const other = { key: OTHER_KEY };

it.each<{ readonly name: string; readonly asked: readonly Partial<Question>[]; readonly told: readonly unknown[] }>([
  { name: 'a route that keeps for each key apart', asked: [{ model: 'each' }, { model: 'each' }], told: ['miss', 'hit'] },
  { name: 'a route whose answers are shared', asked: [{ model: 'all' }, { model: 'all', ...other }], told: ['miss', 'hit'] },
  { name: 'a route that keeps nothing', asked: [{ model: 'none' }, { model: 'none' }], told: [undefined, undefined] },
  { name: 'another name for the route', asked: [{ model: 'alias' }, { model: 'each' }], told: ['miss', 'hit'] },
  { name: 'a name of the key’s own for the route', asked: [{ model: 'mine' }, { model: 'each' }], told: ['miss', 'hit'] },
  { name: 'a provider named by itself', asked: [{ model: 'oai/up' }, { model: 'oai/up' }], told: [undefined, undefined] },
  {
    name: 'a pattern, for each that it matches',
    asked: [{ model: 'part-a' }, { model: 'part-b' }, { model: 'part-a', ...other }],
    told: ['miss', 'miss', 'hit'],
  },
  { name: 'a route over one that keeps answers', asked: [{ model: 'over' }, { model: 'over' }], told: [undefined, undefined] },
  {
    name: 'a route of the key’s own, though all say to share',
    asked: [{ model: 'own' }, { model: 'own', ...other }, { model: 'own' }],
    told: ['miss', 'miss', 'hit'],
  },
  { name: 'a name that the key may not use', asked: [{ model: 'each' }, { model: 'each', ...other }], told: ['miss', undefined] },
])('$name', async ({ asked, told }) => {
  const stage = await stageOf();
  const said: unknown[] = [];
  for (const one of asked) said.push((await put(stage, { client: chat, model: 'each', ...one })).headers['x-pailou-cache']);
  expect(said).toEqual(told);
  expect(stage.upstream.seen.length).toBeLessThanOrEqual(told.filter((word) => word !== 'hit').length);
  await stage.close();
});

it('a name that the key may not use is refused, whatever is kept of it', async () => {
  const stage = await stageOf({
    ...ROUTES,
    keys: [
      { name: 'test', value: TEST_KEY },
      { name: 'other', value: OTHER_KEY, models: ['each'] },
    ],
  });
  await put(stage, { client: chat, model: 'all' });
  expect((await put(stage, { client: chat, model: 'all', ...other })).status).toBe(403);
  await stage.close();
});

describe('a key that may not go everywhere', () => {
  const [EU_KEY, ALSO_EU_KEY, PRIVATE_KEY] = ['pk-test-eu-0123456789', 'pk-test-also-eu-0123456789', 'pk-test-private-0123456789'];
  const stageOfRules = (): Promise<Stage> =>
    stageOf({
      ...ROUTES,
      keys: [
        { name: 'test', value: TEST_KEY },
        { name: 'other', value: OTHER_KEY, models: ['all', 'part-*'] },
        { name: 'eu', value: EU_KEY, regions: ['eu', 'us'] },
        { name: 'also-eu', value: ALSO_EU_KEY, regions: ['us', 'eu'] },
        { name: 'private', value: PRIVATE_KEY, dataCollection: 'deny' },
      ],
    });
  const question = { client: chat, model: 'all' };

  it.each([
    { name: 'regions', key: EU_KEY },
    { name: 'data collection', key: PRIVATE_KEY },
  ])('is refused, whatever another was told by who it must not use: $name', async ({ key }) => {
    const stage = await stageOfRules();
    expect((await put(stage, question)).status).toBe(200);
    expect((await put(stage, { ...question, key })).status).toBe(403);
    expect((await put(stage, question)).headers['x-pailou-cache']).toBe('hit');
    await stage.close();
  });

  it('does not wait for what another is being told', async () => {
    const stage = await stageOfRules();
    const waiting: ServerResponse[] = [];
    stage.upstream.answer = (_, response) => void waiting.push(response);
    const first = put(stage, question);
    await expect.poll(() => waiting.length).toBe(1);
    expect((await put(stage, { ...question, key: EU_KEY })).status).toBe(403);
    waiting[0]?.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(chat.whole));
    expect((await first).status).toBe(200);
    await stage.close();
  });

  it('shares with those that may go to the same places', async () => {
    const stage = await stageOfRules();
    const { app } = stage.server;
    const { config } = app.snapshot();
    const { oai } = config.providers;
    if (!oai) throw new Error('no provider');
    app.reload({ ...config, providers: { ...config.providers, oai: { ...oai, regions: ['eu'] } } });
    const how = async (key: string): Promise<unknown> => (await put(stage, { ...question, key })).headers['x-pailou-cache'];
    expect([await how(EU_KEY), await how(ALSO_EU_KEY), await how(TEST_KEY)]).toEqual(['miss', 'hit', 'miss']);
    await stage.close();
  });

  it.each([
    { name: 'each', told: ['miss', 'miss'] },
    { name: 'part-a', told: ['miss', 'hit'] },
  ])('shares where it may use the other names of the body as well: $name', async ({ name, told }) => {
    const stage = await stageOfRules();
    const how = async (key: string): Promise<unknown> =>
      (await put(stage, { ...question, key, body: { models: [name] } })).headers['x-pailou-cache'];
    expect([await how(TEST_KEY), await how(OTHER_KEY)]).toEqual(told);
    await stage.close();
  });
});

it('what is kept outlives a reload that changes nothing about where names lead, and no other', async () => {
  const stage = await stageOf();
  const { app } = stage.server;
  const { config } = app.snapshot();
  const how = async (): Promise<unknown> => (await put(stage, { client: chat, model: 'each' })).headers['x-pailou-cache'];
  expect([await how(), await how()]).toEqual(['miss', 'hit']);
  app.reload({ ...config, log: { level: 'silent' }, egress: { allow: ['10.0.0.0/8'] } });
  expect(await how()).toBe('hit');
  app.reload({ ...config, models: { ...config.models, each: to('oai/newer', { ttl: 60_000 }) } });
  expect([await how(), await how()]).toEqual(['miss', 'hit']);
  await stage.close();
});

it('no more is kept than may be: what was not asked for the longest goes', async () => {
  const stage = await stageOf({ ...keeping(), limits: { ...testConfig().limits, cacheBytes: 16_384 } });
  const how = async (text: string): Promise<unknown> =>
    (await put(stage, { client: chat, model: 'kept-oai', text })).headers['x-pailou-cache'];
  for (let i = 0; i < 40; i++) await how(`question ${i}`);
  expect([await how('question 39'), await how('question 0')]).toEqual(['hit', 'miss']);
  await stage.close();
});
