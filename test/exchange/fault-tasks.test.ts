// Every fault of an upstream at what takes long, and at lists of models: nothing is lost by it, nothing broken is taken for done.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createMediaFetcher } from '../../src/egress/media-fetcher.ts';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import type { Family } from '../fakes/fault-families.ts';
import { type Fault, faultsOf } from '../fakes/faults.ts';
import { type Behaviour, type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { problem } from '../fakes/seen.ts';
import { MP4 } from '../fakes/videos.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../server.ts';
import { call, type Got } from './stage.ts';

const WAIT_MS = 400;
const POLL = { timeout: 15_000, interval: 25 };
/** So often a fault comes, and then all is well. */
const TIMES = 2;

let upstream: FaultUpstream;
let server: TestServer;
let serial = 0;
const behaviours = new Map<string, Behaviour>();

const markOf = (text: string): string => /case-\d+-/.exec(text)?.[0] ?? '';
const json =
  (value: unknown): Behaviour =>
  (_one, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));

beforeAll(async () => {
  upstream = await startFaultUpstream((one, response) => behaviours.get(markOf(one.path + one.body))?.(one, response));
  const timeouts = { connect: 2000, headers: WAIT_MS, firstToken: WAIT_MS, idle: WAIT_MS, total: 3 * WAIT_MS };
  const at = (preset: string): ProviderSettings => ({ preset, baseUrl: upstream.url, key: 'up-secret', timeouts }) as ProviderSettings;
  const lists = Object.fromEntries(
    faultsOf(LIST).map((_fault, index) => [
      `list-${index}`,
      { preset: 'openai-compatible', baseUrl: `${upstream.url}/case-${100_000 + index}-/v1`, key: 'up-secret' } as ProviderSettings,
    ]),
  );
  const media = createMediaFetcher({ bounds: () => ({ allow: [], fetchBytes: 2 ** 20 }) });
  server = await startTestServer({ providers: { maker: at('openai'), gem: at('gemini'), ...lists } }, undefined, undefined, { media });
});
afterAll(async () => {
  await server.close();
  await upstream.close();
  expect(server.defects).toEqual([]);
});

const headers = { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' };
const post = (path: string, body: object): Promise<Got> => call(server.url + path, JSON.stringify(body), headers);
const get = (path: string): Promise<Response> => fetch(server.url + path, { headers });

const halves = (value: unknown): readonly string[] => {
  const text = JSON.stringify(value);
  return [text.slice(0, text.length >> 1), text.slice(text.length >> 1)];
};
const family = (name: string, pieces: Family['pieces'], type = 'application/json'): Family => ({
  name,
  provider: 'maker',
  settings: () => ({ preset: 'openai' }),
  ask: () => ({ path: '', type: '', body: Buffer.alloc(0) }),
  type,
  pieces,
  isStream: false,
});

const MODEL = 'veo-3.1-generate-preview';
const video = (id: string, status: string): object => ({
  id,
  object: 'video',
  created_at: 1_790_000_000,
  status,
  model: 'sora-2',
  progress: 10,
  seconds: '4',
  size: '720x1280',
});

/** A vendor's way to make videos: what clients ask and what the upstream answers. */
interface Way {
  readonly name: string;
  submit(mark: string): Promise<Got>;
  /** Where the client asks how it stands. */
  place(submitted: string): string;
  stands(body: string): 'runs' | 'done' | 'failed';
  /** Where the film is for the client. */
  film(submitted: string, body: string): string;
  readonly taken: (mark: string) => object;
  readonly runs: (mark: string) => object;
  readonly done: (mark: string) => object;
  readonly isFilm: (path: string) => boolean;
}

const WAYS: readonly Way[] = [
  {
    name: 'videos',
    submit: (mark) => post('/v1/videos', { model: 'maker/sora-2', prompt: mark }),
    place: (text) => `/v1/videos/${(JSON.parse(text) as { id: string }).id}`,
    stands(text) {
      const { status } = JSON.parse(text) as { status: string };
      return status === 'completed' ? 'done' : status === 'failed' ? 'failed' : 'runs';
    },
    film: (text) => `/v1/videos/${(JSON.parse(text) as { id: string }).id}/content`,
    taken: (mark) => video(`video_${mark}`, 'queued'),
    runs: (mark) => video(`video_${mark}`, 'in_progress'),
    done: (mark) => video(`video_${mark}`, 'completed'),
    isFilm: (path) => path.includes('/content'),
  },
  {
    name: 'videos, as Gemini',
    submit: (mark) => post(`/v1beta/models/gem/${MODEL}:predictLongRunning`, { instances: [{ prompt: mark }] }),
    place: (text) => `/v1beta/${(JSON.parse(text) as { name: string }).name}`,
    stands(text) {
      const { done, error } = JSON.parse(text) as { done?: boolean; error?: unknown };
      return done !== true ? 'runs' : error === undefined ? 'done' : 'failed';
    },
    film(_submitted, text) {
      const uri = /"uri":\s*"([^"]+)"/.exec(text)?.[1] ?? '';
      return uri.replace(/^https?:\/\/[^/]+/, '');
    },
    taken: (mark) => ({ name: `models/${MODEL}/operations/${mark}` }),
    runs: (mark) => ({ name: `models/${MODEL}/operations/${mark}`, done: false }),
    done: (mark) => ({
      name: `models/${MODEL}/operations/${mark}`,
      done: true,
      response: {
        generateVideoResponse: { generatedSamples: [{ video: { uri: `${upstream.url}/v1beta/files/${mark}:download?alt=media` } }] },
      },
    }),
    isFilm: (path) => path.includes('/files/'),
  },
];

const film: Behaviour = (_one, response) => void response.writeHead(200, { 'content-type': 'video/mp4' }).end(MP4);
const FILM = family('a film', [MP4.subarray(0, 2000), MP4.subarray(2000)], 'video/mp4');
const LIST = family('a list', halves({ object: 'list', data: [{ id: 'listed-model', object: 'model', created: 1, owned_by: 'x' }] }));
const POSTED = family('posted', halves({ a: 1 }));

/** Follows a task to its end: how it stood each time it was asked about, and the last answer. */
async function follow(way: Way, submitted: string): Promise<{ readonly stood: ReadonlySet<string>; readonly last: string }> {
  const stood = new Set<string>();
  let last = '';
  await vi.waitFor(async () => {
    const got = await get(way.place(submitted));
    last = await got.text();
    expect(got.status, last).toBe(200);
    expect(last).not.toMatch(/127\.0\.0\.1:\d+\/v1\/|up-secret|169\.254|node_modules/);
    stood.add(way.stands(last));
    expect(way.stands(last)).not.toBe('runs');
  }, POLL);
  return { stood, last };
}

/** Those that are over as soon as they are: who asks for a minute's wait is given it. */
const soon = (of: Family): readonly Fault[] => faultsOf(of).filter(({ hasRetryAfter }) => hasRetryAfter !== true);

const isLeft = (fault: Fault, status: number): boolean => fault.outcome !== 'served' && status !== 200;

describe.each(WAYS)('$name', (way) => {
  it.concurrent.each(faultsOf(POSTED))('submitted: $name', async (fault) => {
    const mark = `case-${++serial}-`;
    const fails = fault.behave(family(way.name, halves(way.taken(mark))));
    behaviours.set(mark, (one, response) => (one.body === '' ? json(way.runs(mark)) : fails)(one, response));
    const got = await way.submit(mark);
    expect(problem(family(way.name, []), fault, { ...got, isWhole: true })).toBeUndefined();
    const posts = upstream.tries.filter(({ body }) => body.includes(mark)).length;
    // What may have been taken is not submitted again.
    if (isLeft(fault, got.status) && (fault.waits || fault.outcome === 'failed')) expect(posts).toBe(1);
    behaviours.set(mark, json(way.runs(mark)));
  });

  it.concurrent.each(soon(POSTED))('asked about: $name', async (fault) => {
    const mark = `case-${++serial}-`;
    const fails = fault.behave(family(way.name, halves(way.runs(mark))));
    let polls = 0;
    behaviours.set(mark, (one, response) => {
      if (one.body !== '') return json(way.taken(mark))(one, response);
      if (way.isFilm(one.path)) return film(one, response);
      return (++polls <= TIMES ? fails : json(way.done(mark)))(one, response);
    });
    const { text } = await way.submit(mark);
    const { stood, last } = await follow(way, text);
    expect([...stood].filter((one) => one !== 'runs')).toEqual(['done']);
    expect(Buffer.from(await (await get(way.film(text, last))).arrayBuffer()).equals(MP4)).toBe(true);
  });

  it.concurrent.each(soon(FILM))('its film: $name', async (fault) => {
    const mark = `case-${++serial}-`;
    const fails = fault.behave(FILM);
    let fetches = 0;
    behaviours.set(mark, (one, response) => {
      if (one.body !== '') return json(way.taken(mark))(one, response);
      if (way.isFilm(one.path)) return (/variant=/.test(one.path) || ++fetches > TIMES ? film : fails)(one, response);
      return json(way.done(mark))(one, response);
    });
    const { text, status } = await way.submit(mark);
    expect(status, text).toBe(200);
    const { last } = await follow(way, text);
    expect(way.stands(last)).toBe('done');
    expect(Buffer.from(await (await get(way.film(text, last))).arrayBuffer()).equals(MP4)).toBe(true);
  });
});

const PICTURES = family('images as a task', halves({ created: 1_790_000_000, data: [{ b64_json: 'aGk=' }], output_format: 'png' }));

describe('images, as a task', () => {
  it.concurrent.each(faultsOf(PICTURES))('$name', async (fault) => {
    const mark = `case-${++serial}-`;
    behaviours.set(mark, fault.behave(PICTURES));
    const { text, status } = await post('/v1/images/generations', { model: 'maker/gpt-image-1', prompt: mark, async: true });
    expect(status, text).toBe(200);
    const { task_id: task, id } = JSON.parse(text) as { task_id?: string; id?: string };
    let said = { status: '', error: undefined as unknown };
    await vi.waitFor(async () => {
      const body = await (await get(`/v1/images/${task ?? id}`)).text();
      expect(body).not.toMatch(/127\.0\.0\.1|up-secret|169\.254|node_modules/);
      said = JSON.parse(body) as typeof said;
      expect(said.status).toMatch(/completed|failed/);
    }, POLL);
    if (fault.outcome === 'served') expect(said.status).toBe('completed');
    else if (fault.outcome !== 'either') expect(said).toMatchObject({ status: 'failed', error: { message: expect.any(String) as string } });
    expect(upstream.tries.filter(({ body }) => body.includes(mark)).length).toBeLessThanOrEqual(4);
  });
});

describe('a list of models', () => {
  it.concurrent.each(faultsOf(LIST).map((fault, index) => ({ ...fault, index })))('$name', async ({ index, ...fault }) => {
    behaviours.set(`case-${100_000 + index}-`, fault.behave(LIST));
    const got = await get(`/list-${index}/v1/models`);
    expect(got.status).toBe(200);
    const ids = ((await got.json()) as { data: readonly { id: string }[] }).data.map(({ id }) => id);
    // A provider whose list does not come has none: half of one is not made up.
    if (fault.outcome === 'served') expect(ids).toEqual(['listed-model']);
    else if (fault.outcome !== 'either') expect(ids).toEqual([]);
  });
});
