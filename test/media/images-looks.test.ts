// Images that a provider makes as a job: how it stands is asked again where that is not answered, so is the file of a picture that is
// made, and nothing is ordered twice.
import { describe, expect, it, vi } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { createMediaFetcher } from '../../src/egress/media-fetcher.ts';
import { USUAL_LIMITS } from '../../src/policy/retry.ts';
import { type Answer, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, testConfig } from '../server.ts';

/** Three pixels by two. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAADklEQVR4nGNwgAEGOAsALRQEgQjZfUEAAAAASUVORK5CYII=';

/** It closes: what is lost at once on a connection that served before is sent anew, which is no try and would look like one. */
const say =
  (body: object): Answer =>
  (_request, response) =>
    void response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body));
const ordered = say({ id: 'j' });
const pending = say({ id: 'j', status: 'Pending' });
const made = say({ id: 'j', status: 'Ready', result: { sample: `data:image/png;base64,${PNG}` } });
const picture: Answer = (_request, response) =>
  void response.writeHead(200, { 'content-type': 'image/png', connection: 'close' }).end(Buffer.from(PNG, 'base64'));
/** Half of it comes. */
const broken: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'image/png', 'content-length': 1000, connection: 'close' });
  response.write(Buffer.from(PNG, 'base64'), () => response.socket?.resetAndDestroy());
};
const never: Answer = () => undefined;
const cut: Answer = (_request, response) => void response.socket?.resetAndDestroy();
const no =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...headers }).end('{"detail":"no"}');

/** Where a picture lies. */
const WHERE = ["the provider's own host", 'another host'] as const;
type Where = (typeof WHERE)[number];
const FILE = '/made.png';

interface Told {
  readonly status: number;
  readonly attempts: string | null;
  readonly by: string | null;
  readonly body: unknown;
  readonly ms: number;
}

/** A gateway, and a maker of images who takes every order. */
async function stage(more: Partial<Config> = {}) {
  let looks: readonly Answer[] = [];
  let files: readonly Answer[] = [];
  let at = 0;
  let fetched = 0;
  const giveFile: Answer = (request, response) => files[Math.min(fetched++, files.length - 1)]?.(request, response);
  const upstream = await startUpstream((request, response) => {
    if (request.method === 'POST') return ordered(request, response);
    if (request.path === FILE) return giveFile(request, response);
    looks[Math.min(at++, looks.length - 1)]?.(request, response);
  });
  const storage = await startUpstream(giveFile);
  const maker = { preset: 'bfl', baseUrl: upstream.url, key: 'k' };
  const media = createMediaFetcher({ bounds: () => ({ allow: ['127.0.0.1'], fetchBytes: 2 ** 20 }) });
  const config: Partial<Config> = {
    providers: {
      bfl: maker,
      other: { ...maker, key: 'l' },
      once: { ...maker, retries: 0 },
      bench: { ...maker, health: 'off' },
      alone: { ...maker, key: 'm', breaker: { failures: 2, wait: 300 } },
      hasty: { ...maker, timeouts: { total: 1000 } },
      brisk: { ...maker, timeouts: { total: 2500 } },
      away: { ...maker, baseUrl: 'http://127.0.0.1:1', retries: 0 },
    },
    models: {
      flux: { targets: [{ to: 'bfl/flux-2-pro' }], fallback: ['other/flux-2-pro'] },
      second: { targets: [{ to: 'away/flux-2-pro' }], fallback: ['brisk/flux-2-pro'] },
    },
    ...more,
  };
  const server = await startTestServer(config, undefined, undefined, { media });
  const hosts = { "the provider's own host": upstream.url, 'another host': storage.url };
  return {
    /** Says that the picture is made, and lies there; it is given so, in turn. */
    lies(where: Where, answers: readonly Answer[]): Answer {
      [files, fetched] = [answers, 0];
      return say({ id: 'j', status: 'Ready', result: { sample: hosts[where] + FILE } });
    },
    /** How often the picture was fetched. */
    fetched: () => fetched,
    /** Orders images while looks are answered so, in turn; the last of these is that of all that come then. */
    async order(answers: readonly Answer[], { model = 'flux', n = 1 } = {}): Promise<Told> {
      [looks, at] = [answers, 0];
      const began = performance.now();
      const answer = await fetch(`${server.url}/v1/images/generations`, {
        method: 'POST',
        headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model, prompt: 'x', n }),
      });
      const body: unknown = await answer.json();
      const { status, headers } = answer;
      return {
        status,
        attempts: headers.get('x-pailou-attempts'),
        by: headers.get('x-pailou-served-by'),
        body,
        ms: performance.now() - began,
      };
    },
    /** How often each method came. */
    came: (): Readonly<Record<string, number>> => {
      const methods = Map.groupBy(upstream.seen, ({ method }) => method);
      return Object.fromEntries([...methods].map(([method, all]) => [method, all.length]));
    },
    /** The call's record, once it is there. */
    record: () =>
      vi.waitFor(() => {
        const [record] = server.records;
        if (!record) throw new Error('no record yet');
        return record;
      }),
    async [Symbol.asyncDispose]() {
      await server.close();
      await Promise.all([upstream.close(), storage.close()]);
      expect(server.defects).toEqual([]);
    },
  };
}

describe.concurrent('a look at a job', () => {
  it.each<[string, Answer, number]>([
    ['500', no(500), 0],
    ['503', no(503), 0],
    ['504', no(504), 0],
    ['429', no(429), 0],
    ['429 that asks for a second', no(429, { 'retry-after': '1' }), 2000],
    ['a lost connection', cut, 0],
  ])('that is met by %s is made again, and counts as a try', async (_, fails, leastMs) => {
    await using at = await stage();
    const told = await at.order([pending, fails, fails, made]);
    expect(told).toMatchObject({ status: 200, attempts: '3', by: 'bfl/flux-2-pro', body: { data: [{ b64_json: PNG }] } });
    expect(at.came()).toEqual({ POST: 1, GET: 4 });
    expect(told.ms).toBeGreaterThan(leastMs);
    const { attempts, status, failed = '' } = await at.record();
    expect([attempts, status, failed.match(/bfl\/flux-2-pro;\w+/g)?.length]).toEqual([3, 200, 2]);
  });

  it.each<[string, Answer, number, number]>([
    ['401', no(401), 502, 1],
    ['404', no(404), 404, 1],
    ['422', no(422), 422, 1],
    ['429 that asks for longer than a call waits', no(429, { 'retry-after': '60' }), 429, 1],
    ['429 each time', no(429), 429, 3],
    ['503 each time', no(503), 503, 3],
    ['a lost connection each time', cut, 502, 3],
  ])('that is met by %s ends the call: nobody else is to make the images as well', async (_, fails, status, tries) => {
    await using at = await stage();
    expect(await at.order([fails])).toMatchObject({ status, attempts: String(tries), by: 'bfl/flux-2-pro' });
    expect(at.came()).toEqual({ POST: 1, GET: tries });
    expect(await at.record()).toMatchObject({ attempts: tries });
  });

  it.each(['once', 'bench'])('is made again only where its provider may be asked again (%s)', async (provider) => {
    await using at = await stage();
    expect(await at.order([no(503), made], { model: `${provider}/flux-2-pro` })).toMatchObject({ status: 503, attempts: '1' });
    expect(at.came()).toEqual({ POST: 1, GET: 1 });
  });

  it('is made again within the time of the call only', async () => {
    await using at = await stage();
    const { status, ms } = await at.order([no(503)], { model: 'hasty/flux-2-pro' });
    expect(status).toBe(503);
    expect(ms).toBeLessThan(1600);
  });

  it('is one of three tries in all, however many jobs there are side by side', async () => {
    await using at = await stage();
    const { status, attempts } = await at.order([no(503)], { n: 2 });
    const { POST, GET = 0 } = at.came();
    expect([status, POST, Number(attempts)]).toEqual([503, 2, GET - 1]);
    expect(Number(attempts)).toBeLessThanOrEqual(3);
  });

  it('says how its target is: after five in a row that failed others are asked, and it is no more', async () => {
    await using at = await stage();
    expect(await at.order([no(503)])).toMatchObject({ status: 503, attempts: '3' });
    expect(await at.order([no(503)])).toMatchObject({ status: 503, attempts: '2' });
    expect(at.came()).toEqual({ POST: 2, GET: 5 });
    expect(await at.order([made])).toMatchObject({ status: 200, by: 'other/flux-2-pro' });
  });

  it('is not made again where a target is asked because it is the last one, though its time is over meanwhile', async () => {
    await using at = await stage();
    const model = 'alone/flux-2-pro';
    expect(await at.order([no(503)], { model })).toMatchObject({ status: 503, attempts: '2' });
    expect(await at.order([no(503)], { model })).toMatchObject({ status: 503, attempts: '1' });
    expect(at.came()).toEqual({ POST: 2, GET: 3 });
  });
});

describe.concurrent.each(WHERE)('the file of a picture that lies on %s', (where) => {
  const failed = { status: 502, by: 'bfl/flux-2-pro', body: { error: { code: 'upstream_media' } } };

  it.each<[string, Answer]>([
    ['500', no(500)],
    ['503', no(503)],
    ['429', no(429)],
    ['a lost connection', cut],
    ['an end in the middle', broken],
  ])('is fetched again where it was met by %s, which counts as a try', async (_, fails) => {
    await using at = await stage();
    const told = await at.order([pending, at.lies(where, [fails, fails, picture])]);
    expect(told).toMatchObject({ status: 200, attempts: '3', by: 'bfl/flux-2-pro', body: { data: [{ b64_json: PNG }] } });
    expect([at.came()['POST'], at.fetched()]).toEqual([1, 3]);
    const record = await at.record();
    expect([record.attempts, record.status, record.failed?.match(/bfl\/flux-2-pro;\w+/g)?.length]).toEqual([3, 200, 2]);
  });

  it.each<[string, Answer, number]>([
    ['404', no(404), 1],
    ['what is no image', say({}), 1],
    ['503 each time', no(503), 3],
    ['a lost connection each time', cut, 3],
  ])('that is met by %s ends the call: nobody else is to make it as well', async (_, fails, tries) => {
    await using at = await stage();
    expect(await at.order([at.lies(where, [fails])])).toMatchObject({ ...failed, attempts: String(tries) });
    expect([at.came()['POST'], at.fetched()]).toEqual([1, tries]);
  });

  it('has the tries that looks have left', async () => {
    await using at = await stage();
    expect(await at.order([no(503), at.lies(where, [no(503)])])).toMatchObject({ ...failed, attempts: '3' });
    expect(at.fetched()).toBe(2);
  });

  it.each(['once', 'bench'])('is fetched again only where its provider may be asked again (%s)', async (provider) => {
    await using at = await stage();
    const told = await at.order([at.lies(where, [no(503), picture])], { model: `${provider}/flux-2-pro` });
    expect(told).toMatchObject({ ...failed, by: `${provider}/flux-2-pro`, attempts: '1' });
    expect(at.fetched()).toBe(1);
  });

  it.each<[string, readonly Answer[], string, number]>([
    ['is given late', [never], 'brisk/flux-2-pro', 1],
    ['is given late the second time', [no(503), never], 'brisk/flux-2-pro', 2],
    ['is given late by a target that has less time than the call', [never], 'second', 2],
  ])('has the time of its try where it %s', async (_, answers, model, tries) => {
    await using at = await stage();
    const { ms, ...told } = await at.order([at.lies(where, answers)], { model });
    expect(told).toMatchObject({ ...failed, by: 'brisk/flux-2-pro', attempts: String(tries) });
    expect(at.fetched()).toBe(answers.length);
    expect(ms).toBeLessThan(3500);
  });

  it('counts once for the breaker where all calls together have had their tries', async () => {
    const retries = { ...USUAL_LIMITS, share: 0, reserve: 0 };
    await using at = await stage({ limits: { ...testConfig().limits, retries } });
    for (let times = 1; times < 5; times++) {
      expect(await at.order([at.lies(where, [no(503)])])).toMatchObject({ ...failed, attempts: '1' });
    }
    expect(await at.order([at.lies(where, [picture])])).toMatchObject({ status: 200, by: 'bfl/flux-2-pro' });
  });

  it('counts each time for the breaker', async () => {
    await using at = await stage();
    expect(await at.order([at.lies(where, [no(503)])])).toMatchObject({ ...failed, attempts: '3' });
    expect(await at.order([at.lies(where, [no(503)])])).toMatchObject({ ...failed, attempts: '2' });
    expect(await at.order([at.lies(where, [picture])])).toMatchObject({ status: 200, by: 'other/flux-2-pro' });
  });
});
