import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMediaFetcher } from '../../src/egress/media-fetcher.ts';
import { providersAt } from '../fakes/fault-families.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { DIALECTS, messages } from './dialects.ts';
import { call } from './stage.ts';
import { CHAT_PLACES, insideUrls, MEDIA_PLACES } from './url-places.ts';

let server: TestServer;
let upstream: FaultUpstream;
/** A service of the inside that nothing may reach. */
let inside: Server;
let port = 0;
const reached: string[] = [];

beforeAll(async () => {
  inside = createServer((request, response) => {
    reached.push(`${request.headers.host ?? ''}${request.url ?? ''}`);
    response.writeHead(200, { 'content-type': 'image/png' }).end('secret');
  });
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
  port = (inside.address() as AddressInfo).port;
  upstream = await startFaultUpstream(({ path }, response) => {
    const dialect = DIALECTS.find(
      ({ id }) =>
        id ===
        (path.includes('/messages')
          ? 'anthropic-messages'
          : path.includes('enerateContent')
            ? 'gemini'
            : path.includes('/responses')
              ? 'openai-responses'
              : 'openai-chat'),
    );
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(dialect?.whole));
  });
  const resolve = (host: string): Promise<readonly string[]> =>
    Promise.resolve(
      host === 'rebinds.example'
        ? ['8.8.8.8', '127.0.0.1']
        : host.startsWith('localhost') || host.endsWith('.internal')
          ? ['127.0.0.1']
          : [],
    );
  const media = createMediaFetcher({ bounds: () => ({ allow: [], fetchBytes: 1_000_000 }), resolve, totalMs: 2000 });
  server = await startTestServer({ providers: providersAt(upstream.url) }, undefined, undefined, { media });
});
beforeEach(() => {
  reached.length = 0;
  upstream.tries.length = 0;
});
afterAll(async () => {
  await server.close();
  await upstream.close();
  inside.close();
  expect(server.defects).toEqual([]);
});

const headers = (): Record<string, string> => ({ 'x-api-key': server.key, 'content-type': 'application/json' });

describe.each([...CHAT_PLACES, ...MEDIA_PLACES])('$name', ({ path, body }) => {
  it.each(insideUrls(0).map(([name], at) => [name, at] as const))('%s is not reached from here', async (_name, at) => {
    const url = insideUrls(port)[at]?.[1] ?? '';
    const got = await call(server.url + path, JSON.stringify(body(url)), headers());
    expect(reached, got.text).toEqual([]);
    // Refused, or passed on as it is to a provider that fetches by itself. Never a fault of ours.
    expect([500, 503], got.text).not.toContain(got.status);
    expect(got.text).not.toContain('secret@');
  });
});

it.each(CHAT_PLACES.filter(({ path }) => path !== '/v1/messages/count_tokens'))(
  '$name: a closed address is a 400 that asks nobody',
  async ({ path, body }) => {
    const got = await call(server.url + path, JSON.stringify(body(`http://127.0.0.1:${port}/a.png`)), headers());
    if (got.status === 200) {
      // The target fetches by itself: the address stands in what it was asked.
      expect(upstream.tries.at(-1)?.body).toContain('127.0.0.1');
      return;
    }
    expect(got.status, got.text).toBe(400);
    expect(upstream.tries).toEqual([]);
    if (path === '/v1/messages') expect(() => messages.envelope(JSON.parse(got.text), 400)).not.toThrow();
  },
);
