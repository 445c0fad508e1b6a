import { afterEach, describe, expect, it } from 'vitest';
import { createChecks } from '../../../src/exchange/trying/checks.ts';
import { createHealth, type HealthFact } from '../../../src/policy/health.ts';
import type { OutReason } from '../../../src/policy/signals.ts';
import type { ProviderSettings } from '../../../src/presets/preset.ts';
import { compileProvider } from '../../../src/presets/provider.ts';
import { createNetworkSend } from '../../../src/upstream/choose-send.ts';
import { type Answer, json, startUpstream } from '../../fakes/upstream.ts';
import { CHAT, counts, setTrials, textOf, type Trials } from './trials.ts';

const EVERY_MS = 40;
const list: Answer = json({ object: 'list', data: [{ id: 'up', object: 'model' }] });
const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/** A provider that is asked how it is, by the fake upstream that stands for it. */
async function setChecks(answer: Answer, settings: Partial<ProviderSettings> = {}, leads: () => boolean = () => true) {
  const upstream = await startUpstream(answer);
  const network = createNetworkSend();
  const marked = new Map<string, OutReason>();
  const facts: HealthFact[] = [];
  const defects: unknown[] = [];
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const health = createHealth({
    ...clock,
    mark: (name, out) => void (out === undefined ? marked.delete(name) : marked.set(name, out)),
    tell: (fact) => void facts.push(fact),
  });
  const checks = createChecks({
    clock,
    send: network.send,
    post: () => Promise.reject(new Error('nothing is posted')),
    health,
    random: () => 0.5,
    isLeader: leads,
    onDefect: (error) => void defects.push(error),
  });
  const compile = (more: Partial<ProviderSettings> = {}) => {
    const check = { check: EVERY_MS, timeout: 500, failures: 2 };
    const all = { preset: 'openai', baseUrl: upstream.url, key: 'up-secret', health: check, ...settings, ...more };
    const { key, ...rest } = all;
    return compileProvider('a', all.keys ? rest : { ...rest, key }, () => ({}));
  };
  const follow = (...providers: ReturnType<typeof compile>[]): void =>
    checks.follow({ providers: new Map(providers.map((one) => [one.name, one])) });
  endings.push(() => expect(defects).toEqual([]), network.close, upstream.close, checks.stop);
  follow(compile());
  return { upstream, health, checks, marked, facts, follow, compile };
}

async function isDown({ marked }: { readonly marked: ReadonlyMap<string, OutReason> }, why: OutReason | undefined): Promise<void> {
  await expect.poll(() => marked.get('a'), { interval: 5, timeout: 5000 }).toBe(why);
}

describe('a provider that is asked how it is', () => {
  const ILL: readonly [string, Answer][] = [
    ['500', json({}, 500)],
    ['503', json({}, 503)],
    ['a closed connection', (_request, response) => void response.socket?.destroy()],
    ['silence', () => {}],
  ];
  it.each(ILL)('is out after failures in a row, and back with the first success: %s', async (_, ill) => {
    const stage = await setChecks(ill);
    await isDown(stage, 'unhealthy');
    expect(stage.upstream.seen.length).toBeGreaterThanOrEqual(2);
    stage.upstream.answer = list;
    await isDown(stage, undefined);
  });

  it('is asked for its list of models, with its key', async () => {
    const { upstream } = await setChecks(list);
    await expect.poll(() => upstream.seen.length).toBeGreaterThan(0);
    expect(upstream.seen[0]).toMatchObject({ method: 'GET', path: '/v1/models', headers: { authorization: 'Bearer up-secret' } });
  });

  it.each([
    ['a list that is not there says nothing of the server', undefined, 404, undefined],
    ['nor does a limit', undefined, 429, undefined],
    ['nor a key that may not list models', undefined, 403, undefined],
    ['but it does where the path is one’s own', '/health', 403, 'credential_bad'],
    ['a path of one’s own must succeed', '/health', 404, 'unhealthy'],
    ['and does', '/health', 204, undefined],
  ] as const)('%s', async (_, path, status, why) => {
    const health = { check: EVERY_MS, timeout: 500, failures: 1, ...(path === undefined ? {} : { path }) };
    const stage = await setChecks((_request, response) => void response.writeHead(status).end(), { health });
    await expect.poll(() => stage.upstream.seen.length).toBeGreaterThan(2);
    expect(stage.upstream.seen[0]?.path).toBe(path ?? '/v1/models');
    await isDown(stage, why);
  });

  it('whose key is refused is not down: the key is set aside, and the others are asked with in turn', async () => {
    const answer: Answer = (request, response) =>
      (request.headers.authorization === 'Bearer key-one-1' ? json({}, 401) : list)(request, response);
    const stage = await setChecks(answer, { keys: [{ value: 'key-one-1' }, { value: 'key-two-2' }] });
    const provider = stage.compile();
    const [one = '', two = ''] = provider.credentials?.map(({ id }) => id) ?? [];
    await expect.poll(() => stage.health.whyCredentialOut(one)).toBeDefined();
    await expect.poll(() => stage.upstream.seen.length).toBeGreaterThan(3);
    expect(stage.health.whyCredentialOut(two)).toBeUndefined();
    expect(stage.marked.get('a')).toBe(undefined);
  });

  it('is asked by the process that leads only, and what it finds is told to the others', async () => {
    let leads = false;
    const stage = await setChecks(json({}, 500), {}, () => leads);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS * 4));
    expect(stage.upstream.seen).toEqual([]);
    leads = true;
    await isDown(stage, 'unhealthy');
    const other = createHealth({ now: () => Date.now(), monotonic: () => performance.now() + 1e6, mark: () => {} });
    for (const fact of stage.facts) other.learn(JSON.parse(JSON.stringify(fact)) as HealthFact);
    const place = { provider: 'a', model: 'm', credentials: ['a#1'], watched: true };
    expect(other.whyOut(place)).toBe('unhealthy');
  });

  it('counts as well where nobody asks any more: after a reload without it, and when checks end', async () => {
    const stage = await setChecks(json({}, 500));
    await isDown(stage, 'unhealthy');
    stage.follow(stage.compile({ health: 'on' }));
    expect(stage.marked.get('a')).toBe(undefined);
    stage.follow(stage.compile());
    await isDown(stage, 'unhealthy');
    stage.checks.stop();
    await expect
      .poll(() => {
        stage.health.refresh();
        return stage.marked.get('a');
      })
      .toBe(undefined);
    const asked = stage.upstream.seen.length;
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS * 4));
    expect(stage.upstream.seen.length).toBe(asked);
  });
});

describe('calls', () => {
  let trials: Trials;
  afterEach(() => trials.close());
  const good: Answer = (request, response) => (request.method === 'GET' ? list : json(CHAT.whole))(request, response);
  const ill: Answer = (request, response) => (request.method === 'GET' ? json({}, 500) : json(CHAT.whole))(request, response);
  const health = { check: EVERY_MS, timeout: 500, failures: 1 };

  it('go elsewhere while a provider is out, but to the last one all the same', async () => {
    trials = await setTrials({ answers: [ill, good], settings: [{ health }] });
    trials.server.app.wake();
    const servedBy = async (model: string): Promise<unknown> => {
      const got = await trials.ask({ model });
      textOf(got);
      return got.headers['x-pailou-served-by'];
    };
    await expect.poll(() => servedBy('both')).toBe('b/up');
    expect(await servedBy('a/up')).toBe('a/up');
    (trials.upstreams[0] as { answer: Answer }).answer = good;
    await expect.poll(() => servedBy('both')).toBe('a/up');
    expect(counts(trials)[0]).toBeGreaterThan(2);
  });
});
