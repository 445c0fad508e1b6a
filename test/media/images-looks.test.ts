// Images that a provider makes as a job: how it stands is asked again where that is not answered, and nothing is ordered twice.
import { describe, expect, it, vi } from 'vitest';
import { type Answer, startUpstream } from '../fakes/upstream.ts';
import { startTestServer } from '../server.ts';

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
const cut: Answer = (_request, response) => void response.socket?.resetAndDestroy();
const no =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...headers }).end('{"detail":"no"}');

interface Told {
  readonly status: number;
  readonly attempts: string | null;
  readonly by: string | null;
  readonly body: unknown;
  readonly ms: number;
}

/** A gateway, and a maker of images who takes every order. */
async function stage() {
  let looks: readonly Answer[] = [];
  let at = 0;
  const upstream = await startUpstream((request, response) => {
    if (request.method === 'POST') return ordered(request, response);
    looks[Math.min(at++, looks.length - 1)]?.(request, response);
  });
  const maker = { preset: 'bfl', baseUrl: upstream.url, key: 'k' };
  const server = await startTestServer({
    providers: {
      bfl: maker,
      other: { ...maker, key: 'l' },
      once: { ...maker, retries: 0 },
      bench: { ...maker, health: 'off' },
      alone: { ...maker, key: 'm', breaker: { failures: 2, wait: 300 } },
      hasty: { ...maker, timeouts: { total: 1000 } },
    },
    models: { flux: { targets: [{ to: 'bfl/flux-2-pro' }], fallback: ['other/flux-2-pro'] } },
  });
  return {
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
      await upstream.close();
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
