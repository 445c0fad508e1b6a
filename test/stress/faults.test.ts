// The endpoints besides chat, whose upstream breaks in every way: what a client gets must never look like success.
import { Agent } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAMILIES, type Family, providersAt } from '../fakes/fault-families.ts';
import { type Behaviour, type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { KEY } from './gateway.ts';
import { talk } from './talk.ts';

let upstream: FaultUpstream;
let server: TestServer;
const agent = new Agent({ keepAlive: true });
beforeAll(async () => {
  upstream = await startFaultUpstream();
  const providers = Object.fromEntries(
    Object.entries(providersAt(upstream.url)).map(([name, settings]) => [name, { ...settings, health: 'off' as const }]),
  );
  server = await startTestServer({ providers, keys: [{ name: 'stress', value: KEY }] });
});
afterAll(async () => {
  expect(server.defects).toEqual([]);
  agent.destroy();
  await server.close();
  await upstream.close();
});

const bodyOf = (family: Family): Buffer => Buffer.concat(family.pieces.map((piece) => Buffer.from(piece)));
const raw =
  (head: string, body: Buffer | string = ''): Behaviour =>
  (_one, response) => {
    response.socket?.write(head);
    response.socket?.end(body);
  };

type Fault = readonly [name: string, behaviour: (family: Family) => Behaviour];
const FAULTS: readonly Fault[] = [
  ['FIN in the head', () => raw('HTTP/1.1 200 OK\r\ncontent-ty')],
  [
    'FIN in the body, its length known',
    (family) => raw(`HTTP/1.1 200 OK\r\ncontent-type: ${family.type}\r\ncontent-length: 100000\r\n\r\n`, bodyOf(family)),
  ],
  [
    'FIN in the body, in chunks',
    (family) => (_one, response) => {
      response.writeHead(200, { 'content-type': family.type });
      response.write(family.pieces[0], () => response.socket?.end());
    },
  ],
  [
    'RST in the body',
    (family) => (_one, response) => {
      response.writeHead(200, { 'content-type': family.type });
      response.write(family.pieces[0], () => response.socket?.resetAndDestroy());
    },
  ],
  ['an empty 200', (family) => (_one, response) => void response.writeHead(200, { 'content-type': family.type }).end()],
  ['a page', () => (_one, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Hello</html>')],
  [
    'an error',
    () => (_one, response) => void response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":{"message":"x"}}'),
  ],
  ['a redirect', () => (_one, response) => void response.writeHead(307, { location: 'http://169.254.169.254/' }).end()],
  [
    'half a gzip',
    (family) => (_one, response) => {
      const packed = gzipSync(bodyOf(family));
      response.writeHead(200, { 'content-type': family.type, 'content-encoding': 'gzip' }).end(packed.subarray(0, packed.length - 12));
    },
  ],
  ['two lengths', () => raw('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}')],
  ['no HTTP', () => raw('what do you want\r\n\r\n')],
];

describe.each(FAMILIES.filter(({ isStream }) => !isStream))('$name', (family) => {
  const ask = (behaviour: Behaviour) => {
    upstream.behave = behaviour;
    const { path, type, body } = family.ask('x');
    return talk({ url: server.url + path, type, body, agent });
  };

  it('is served by an upstream that is well', async () => {
    const got = await ask((_one, response) => void response.writeHead(200, { 'content-type': family.type }).end(bodyOf(family)));
    expect([got.status, got.isWhole], got.text).toEqual([200, true]);
  });

  it.each(FAULTS)('%s is no success', async (_name, behaviour) => {
    const got = await ask(behaviour(family));
    // A count that no provider gives is made here, and says so.
    if (family.name === 'count of tokens') return;
    expect(got.status !== 200 || !got.isWhole, `${got.status} ${got.text}`).toBe(true);
    if (got.status !== 200) expect(JSON.parse(got.text)).toMatchObject({ error: { message: expect.any(String) as string } });
    expect(got.text).not.toMatch(/127\.0\.0\.1|up-secret|169\.254/);
  });
});
