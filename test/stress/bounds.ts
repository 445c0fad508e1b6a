// What is bounded, from both sides: bodies of clients, answers of providers, files that are fetched; and redirects, which nobody follows.
import { Agent } from 'node:http';
import { gzipSync } from 'node:zlib';
import { createMediaFetcher } from '../../src/egress/media-fetcher.ts';
import { DIALECTS } from '../exchange/dialects.ts';
import { FAMILIES, providersAt } from '../fakes/fault-families.ts';
import { FAULTS } from '../fakes/faults.ts';
import { startFaultUpstream } from '../fakes/fault-upstream.ts';
import { problem } from '../fakes/seen.ts';
import { startTestServer } from '../server.ts';
import { KEY } from './gateway.ts';
import type { Measured, Part } from './part.ts';
import { talk } from './talk.ts';
import { websocketBounds } from './websocket-hostile.ts';

const MIB = 2 ** 20;
const keys = [{ name: 'stress', value: KEY }];
const deep = (depth: number): string => `{"model":"x","messages":${'['.repeat(depth)}${']'.repeat(depth)}}`;

/** Bodies beyond what is allowed, and what each of them is to be told. */
const BODIES: readonly { readonly name: string; readonly body: Buffer; readonly packed?: true; readonly statuses: readonly number[] }[] = [
  { name: 'too deep', body: Buffer.from(deep(2000)), statuses: [400] },
  { name: 'far too deep', body: Buffer.from(deep(2_000_000)), statuses: [400] },
  { name: 'too large', body: Buffer.alloc(34 * MIB, 32), statuses: [413] },
  { name: 'a packed one that grows', body: gzipSync(Buffer.alloc(400 * MIB, 32)), packed: true, statuses: [413] },
];

async function* bodyRows(): AsyncIterable<Measured> {
  const upstream = await startFaultUpstream();
  const server = await startTestServer({ providers: providersAt(upstream.url), keys });
  const agent = new Agent();
  let [wrong, many] = [0, 0];
  let example = '';
  const note = (why: string | undefined): void => {
    many++;
    if (why === undefined) return;
    wrong++;
    example ||= why;
  };
  for (const { id, provider, path } of DIALECTS) {
    for (const { name, body, packed, statuses } of BODIES) {
      const more = packed ? { headers: { 'content-encoding': 'gzip' } } : {};
      const got = await talk({ url: server.url + path(`${provider}/up`, false), body, agent, ...more });
      note(
        statuses.includes(got.status) && upstream.tries.length === 0
          ? undefined
          : `${id}, ${name}: ${got.status} ${got.text.slice(0, 100)}`,
      );
    }
  }
  // The other direction: answers that grow while they are unpacked.
  const bomb = FAULTS.find(({ name }) => name.startsWith('a gzip of'));
  for (const family of bomb ? FAMILIES : []) {
    if (!bomb) break;
    upstream.behave = bomb.behave(family);
    const { path, type, body } = family.ask('x');
    const why = problem(family, bomb, await talk({ url: server.url + path, type, body, agent }));
    note(why === undefined ? undefined : `${family.name}: ${why}`);
  }
  agent.destroy();
  await server.close();
  await upstream.close();
  yield { promise: 'hostile.bounds', value: wrong, many, isKept: wrong === 0, ...(example ? { detail: example } : {}) };
}

/** Redirects of providers at every endpoint, and of files that are fetched: how often somebody came to where they lead. */
async function* redirectRows(): AsyncIterable<Measured> {
  const trap = await startFaultUpstream((_one, response) => void response.writeHead(200).end('{}'));
  const statuses = [301, 302, 303, 307, 308];
  const upstream = await startFaultUpstream();
  const server = await startTestServer({ providers: providersAt(upstream.url), keys });
  const agent = new Agent();
  for (const family of FAMILIES) {
    for (const status of statuses) {
      upstream.behave = (_one, response) => void response.writeHead(status, { location: `${trap.url}/` }).end();
      const { path, type, body } = family.ask('x');
      await talk({ url: server.url + path, type, body, agent });
    }
  }
  const fetcher = createMediaFetcher({ bounds: () => ({ allow: ['127.0.0.1'], fetchBytes: MIB }) });
  for (const status of statuses) {
    upstream.behave = (_one, response) => void response.writeHead(status, { location: `${trap.url}/` }).end();
    await fetcher.fetch(`${upstream.url}/a.png`, 'url', new AbortController().signal).catch(() => {});
  }
  agent.destroy();
  await server.close();
  const value = trap.tries.length;
  await Promise.all([upstream.close(), trap.close()]);
  yield { promise: 'egress.redirects', value, many: (FAMILIES.length + 1) * statuses.length, isKept: value === 0 };
}

/** Files without an end, and files that never come. */
async function* fetchRows(): AsyncIterable<Measured> {
  const upstream = await startFaultUpstream((one, response) => {
    if (one.path.includes('silent')) return;
    response.writeHead(200, { 'content-type': 'image/png' });
    if (one.path.includes('slow')) return void response.write('x');
    const pour = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
      if (!response.destroyed) response.once('drain', pour);
    };
    pour();
  });
  const fetcher = createMediaFetcher({ bounds: () => ({ allow: ['127.0.0.1'], fetchBytes: MIB }), totalMs: 1000 });
  let wrong = 0;
  const paths = ['/endless.png', '/silent.png', '/slow.png'];
  for (const path of paths) {
    const began = performance.now();
    const isRefused = await fetcher.fetch(upstream.url + path, 'url', new AbortController().signal).then(
      () => false,
      () => true,
    );
    if (!isRefused || performance.now() - began > 3000) wrong++;
  }
  await upstream.close();
  yield { promise: 'egress.bounds', value: wrong, many: paths.length, isKept: wrong === 0 };
}

export const bounds: Part = {
  name: 'bounds',
  async *rows() {
    yield* bodyRows();
    yield* websocketBounds();
    yield* redirectRows();
    yield* fetchRows();
  },
};
