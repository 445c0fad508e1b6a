import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { keepLists } from '../../src/keep-lists.ts';
import { type KeptLists, LISTS_FILE, openModelLists } from '../../src/model-lists.ts';
import type { Said } from '../../src/policy/models/model-facts.ts';
import type { Snapshot } from '../../src/policy/snapshot.ts';
import { syncModels } from '../../src/sync-models.ts';
import { scratchFolder } from '../config/scratch.ts';
import { type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../server.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const WHOLE = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};

/** A server of somebody's own with a list of two models, one of them at a price. */
async function upstreamOf(entries: readonly object[]): Promise<FakeUpstream> {
  const upstream = await startUpstream((request, response) =>
    json(request.path.endsWith('/models') ? { object: 'list', data: entries } : WHOLE)(request, response),
  );
  closing.push(() => upstream.close());
  return upstream;
}

const ENTRIES = [
  { id: 'house-model', object: 'model', pricing: { prompt: '0.000001', completion: '0.000001' } },
  { id: 'house-vision', object: 'model', context_length: 10 },
];

async function serverOf(folder: string, changes: Partial<Config>): Promise<TestServer> {
  const server = await startTestServer({ sandbox: false, ...changes }, undefined, undefined, { modelLists: openModelLists(folder) });
  closing.push(async () => {
    await server.close();
    expect(server.defects).toEqual([]);
  });
  return server;
}

async function ask(server: TestServer, model: string, text = 'Hello') {
  const answer = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: text }] }),
  });
  await answer.text();
  return { status: answer.status, by: answer.headers.get('x-pailou-served-by') };
}

const configOf = (upstream: FakeUpstream): Partial<Config> => ({
  providers: {
    house: { preset: 'openai-compatible', baseUrl: `${upstream.url}/v1`, key: 'k' },
    dear: {
      preset: 'openai-compatible',
      baseUrl: `${upstream.url}/dear/v1`,
      key: 'k',
      models: { '*': { price: { currency: 'USD', input: 2e9, output: 2e9 } } },
    },
  },
  models: {
    cheap: { targets: [{ to: 'dear/m' }, { to: 'house/house-model' }], strategy: 'lowest-cost' },
    long: { targets: [{ to: 'house/house-vision' }], fallback: ['dear/m'] },
  },
});

describe('providers’ own lists', () => {
  it('are asked for on schedule, and decide from then on, and after a restart', async () => {
    const folder = scratchFolder({});
    const upstream = await upstreamOf(ENTRIES);
    const config = configOf(upstream);
    const first = await serverOf(folder, { ...config, catalogue: { syncMs: 3_600_000 } });
    expect((await ask(first, 'house-model')).status).toBe(404);
    expect((await ask(first, 'cheap')).by).toBe('dear/m');
    first.app.wake();
    // By its bare id, by its price, by its length.
    await vi.waitFor(async () => expect(await ask(first, 'house-model')).toEqual({ status: 200, by: 'house/house-model' }), {
      timeout: 10_000,
    });
    expect((await ask(first, 'cheap')).by).toBe('house/house-model');
    expect((await ask(first, 'long', 'x'.repeat(400))).by).toBe('dear/m');
    // Nobody but the configured providers was asked, each once.
    expect(upstream.seen.filter(({ path }) => path.endsWith('/models')).map(({ path }) => path)).toEqual(['/v1/models', '/dear/v1/models']);
    const again = await serverOf(folder, config);
    expect(await ask(again, 'house-model')).toEqual({ status: 200, by: 'house/house-model' });
    // A new configuration keeps them, too; at another address they say nothing.
    again.app.reload({ ...again.app.snapshot().config, models: {} });
    expect((await ask(again, 'house-model')).status).toBe(200);
    again.app.reload({
      ...again.app.snapshot().config,
      providers: { house: { preset: 'openai-compatible', baseUrl: `${upstream.url}/other/v1`, key: 'k' } },
    });
    expect((await ask(again, 'house-model')).status).toBe(404);
  });

  it('that another process has written are taken up', async () => {
    const folder = scratchFolder({});
    const file = openModelLists(folder);
    const got: KeptLists[] = [];
    const snapshot = (): Snapshot => ({ providers: new Map(), config: {} }) as unknown as Snapshot;
    const keeper = keepLists({
      file: openModelLists(folder),
      ask: () => Promise.reject(new Error('nobody is asked')),
      clock: { now: () => 0 },
      snapshot,
      apply: (lists) => void got.push(lists),
      isLeader: () => true,
      onDefect: (error) => {
        throw error;
      },
      lookMs: 5,
    });
    keeper.start();
    await file.write(new Map([['a', { place: 'p', at: 1, models: new Map([['m', { context: 5 }]]) }]]));
    await vi.waitFor(() => expect(got.length).toBe(1), { timeout: 10_000 });
    keeper.stop();
    expect(got[0]?.get('a')?.models.get('m')).toEqual({ context: 5 });
  });

  it('are asked for by one process', async () => {
    const folder = scratchFolder({});
    const upstream = await upstreamOf(ENTRIES);
    const server = await serverOf(folder, configOf(upstream));
    let asked = 0;
    let leads = false;
    const config = { ...server.app.snapshot().config, catalogue: { syncMs: 1 } };
    const keeper = keepLists({
      file: openModelLists(folder),
      ask: () => {
        asked++;
        return Promise.resolve(new Map<string, Said>());
      },
      clock: { now: () => 1 },
      snapshot: () => ({ ...server.app.snapshot(), config }),
      apply: () => undefined,
      isLeader: () => {
        const was = leads;
        leads = true;
        return was;
      },
      onDefect: () => undefined,
      lookMs: 5,
    });
    keeper.start();
    expect(asked).toBe(0);
    await vi.waitFor(() => expect(asked).toBe(2), { timeout: 10_000 });
    keeper.stop();
  });

  it('say what is new and what is gone; who gives none keeps what there was', async () => {
    const upstream = await upstreamOf(ENTRIES);
    const server = await serverOf(scratchFolder({}), configOf(upstream));
    const snapshot = server.app.snapshot();
    const list = (...ids: readonly string[]) => new Map<string, Said>(ids.map((id) => [id, {}]));
    const first = await syncModels(snapshot, new Map(), () => Promise.resolve(list('a', 'b')), 1);
    expect(first.providers[0]).toEqual({ provider: 'house', ok: true, models: 2, added: [], removed: [] });
    const second = await syncModels(snapshot, first.lists, ({ name }) => Promise.resolve(name === 'house' ? list('b', 'c') : list()), 2);
    expect(second.providers).toEqual([
      { provider: 'house', ok: true, models: 2, added: ['c'], removed: ['a'] },
      { provider: 'dear', ok: false, models: 2, added: [], removed: [] },
    ]);
    expect([...(second.lists.get('dear')?.models.keys() ?? [])]).toEqual(['a', 'b']);
  });

  it.each([
    ['no JSON', '{"providers"'],
    ['another shape', '{"providers":[1]}'],
    ['holes', '{"providers":{"a":{"place":"x"},"b":{"place":"x","at":1,"models":{"m":5,"n":{}}}}}'],
  ])('a file with %s is no trouble', (_name, text) => {
    const folder = scratchFolder({});
    writeFileSync(join(folder, LISTS_FILE), text);
    const lists = openModelLists(folder).read();
    expect([...lists.keys()].every((name) => name === 'b')).toBe(true);
    expect([...(lists.get('b')?.models.keys() ?? [])].every((id) => id === 'n')).toBe(true);
  });

  it('of servers on this machine are asked for without being told to', async () => {
    const upstream = await upstreamOf(ENTRIES);
    const server = await serverOf(scratchFolder({}), { providers: { mine: { preset: 'vllm', baseUrl: `${upstream.url}/v1` } } });
    expect((await ask(server, 'house-model')).status).toBe(404);
    server.app.wake();
    await vi.waitFor(async () => expect(await ask(server, 'house-model')).toEqual({ status: 200, by: 'mine/house-model' }), {
      timeout: 10_000,
    });
  });

  it('that a client has asked for are known from then on', async () => {
    const upstream = await upstreamOf(ENTRIES);
    const folder = scratchFolder({});
    const server = await serverOf(folder, configOf(upstream));
    await (await fetch(`${server.url}/v1/models`, { headers: { authorization: `Bearer ${TEST_KEY}` } })).text();
    await vi.waitFor(async () => expect((await ask(server, 'house-model')).status).toBe(200), { timeout: 10_000 });
    expect(openModelLists(folder).read().get('house')?.models.size).toBe(2);
  });

  it('that break off are no lists', async () => {
    const upstream = await startUpstream((request, response) =>
      request.path.includes('after_id')
        ? void response.writeHead(500).end()
        : json({ data: [{ id: 'first', type: 'model' }], has_more: true, last_id: 'first' })(request, response),
    );
    closing.push(() => upstream.close());
    const folder = scratchFolder({});
    const server = await serverOf(folder, { providers: { a: { preset: 'anthropic', baseUrl: upstream.url, key: 'k'.repeat(20) } } });
    const listed = await (await fetch(`${server.url}/v1/models`, { headers: { authorization: `Bearer ${TEST_KEY}` } })).text();
    // A client is told what there is to tell; what is missing is not taken to be gone.
    expect(listed).toContain('a/first');
    expect(openModelLists(folder).read().size).toBe(0);
  });

  it('clients’ lists of models say how much fits, where only the catalogue knows', async () => {
    const upstream = await upstreamOf([{ id: 'gpt-5-mini', object: 'model' }]);
    const server = await serverOf(scratchFolder({}), {
      providers: { oai: { preset: 'openai', baseUrl: `${upstream.url}/v1`, key: 'k'.repeat(20) } },
    });
    const answer = await fetch(`${server.url}/v1/models`, { headers: { 'x-api-key': TEST_KEY, 'anthropic-version': '2023-06-01' } });
    const { data } = (await answer.json()) as { data: object[] };
    expect(data).toMatchObject([{ id: 'oai/gpt-5-mini', max_input_tokens: 400_000 }]);
  });

  it('of a key that may use some regions only hold nothing else', async () => {
    const upstream = await upstreamOf(ENTRIES);
    const at = (path: string) => ({ preset: 'openai-compatible', baseUrl: `${upstream.url}/${path}/v1`, key: 'k' });
    const server = await serverOf(scratchFolder({}), {
      keys: [{ name: 'eu', value: TEST_KEY, regions: ['eu'] }],
      providers: { here: { ...at('here'), regions: ['eu'] }, there: at('there') },
      models: { near: 'here/house-model', far: 'there/house-model' },
    });
    const answer = await fetch(`${server.url}/v1/models`, { headers: { authorization: `Bearer ${TEST_KEY}` } });
    const { data } = (await answer.json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(['near', 'here/house-model', 'here/house-vision']);
    expect((await ask(server, 'far')).status).toBe(403);
    expect(upstream.seen.some(({ path }) => path.startsWith('/there'))).toBe(false);
  });

  it('the file holds no key', async () => {
    const folder = scratchFolder({});
    const upstream = await upstreamOf(ENTRIES);
    const server = await serverOf(folder, {
      providers: { house: { preset: 'openai-compatible', baseUrl: `${upstream.url}/v1`, key: 'sk-canary-0123456789' } },
    });
    const synced = await syncModels(server.app.snapshot(), new Map(), () => Promise.resolve(new Map([['m', {}]])), 1);
    await openModelLists(folder).write(synced.lists);
    expect(readFileSync(join(folder, LISTS_FILE), 'utf8')).not.toContain('canary');
  });
});
