import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { messages } from '../exchange/dialects.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { type Gateway, KEY, startGateway } from '../stress/gateway.ts';
import { paced, settings } from '../stress/paced.ts';
import { type Got, talk } from '../stress/talk.ts';
import { killAll } from './program.ts';

const ROOM = 4;
const EVENTS = 40;

let upstream: FaultUpstream;
let gateway: Gateway;
/** A connection for each call. */
const agent = new Agent();
const sockets: Socket[] = [];
beforeAll(async () => {
  upstream = await startFaultUpstream(paced(EVENTS, 50));
  gateway = await startGateway({ oai: settings(upstream.url) }, false, {}, { connections: ROOM });
});
afterAll(async () => {
  for (const one of [agent, ...sockets]) one.destroy();
  await gateway.stop();
  await upstream.close();
  await killAll();
});

const stream = (): Promise<Got> =>
  talk({ url: gateway.url + messages.path('oai/up', true), agent, body: JSON.stringify(messages.body('oai/up', true)) });

async function silent(): Promise<Socket> {
  const socket = connect({ port: Number(new URL(gateway.url).port), host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.resume();
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

const models = (): Promise<Response> =>
  fetch(`${gateway.url}/v1/models`, { headers: { connection: 'close', authorization: `Bearer ${KEY}` } });

it('whoever holds connections and asks nothing keeps out nobody, and calls under way are not disturbed', async () => {
  const first = stream();
  await expect.poll(() => upstream.tries.length).toBe(1);
  for (let i = 0; i < 3 * ROOM; i++) await silent();
  await expect.poll(async () => (await models()).status, { timeout: 5000 }).toBe(200);
  expect(await first).toMatchObject({ status: 200, isWhole: true });
  expect(sockets.filter(({ destroyed }) => !destroyed).length).toBeLessThan(ROOM);
});

it('where all are in use another one is told when to come back, in its own protocol; health is answered, and the log says so once', async () => {
  const before = upstream.tries.length;
  const calls = Array.from({ length: ROOM }, stream);
  await expect.poll(() => upstream.tries.length).toBe(before + ROOM);
  for (let i = 0; i < 3; i++) {
    const refused = await models();
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ error: { code: 'connections_full' } });
  }
  // A body of some size is no reason for a reset.
  const large = JSON.stringify({ ...messages.body('oai/up', true), padding: 'x'.repeat(200_000) });
  const refused = await talk({ url: gateway.url + messages.path('oai/up', true), agent, body: large });
  expect(refused).toMatchObject({ status: 529, headers: { 'retry-after': '1' } });
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
  for (const got of await Promise.all(calls)) expect(got).toMatchObject({ status: 200, isWhole: true });
  expect(gateway.program.out.stderr.match(/limits\.connections/g)).toHaveLength(1);
});

it('of those that come at the same moment each is served or told, none is reset for another', async () => {
  await expect.poll(async () => (await models()).status, { timeout: 5000 }).toBe(200);
  const many = await Promise.all(Array.from({ length: 32 }, () => models().then(({ status }) => status)));
  expect(new Set(many)).toEqual(new Set([200, 503]));
});

it('a refused WebSocket whose client keeps its side open takes no place for long', async () => {
  const { port } = new URL(gateway.url);
  for (let i = 0; i < ROOM; i++) {
    const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
    sockets.push(socket.on('error', () => {}).resume());
    socket.write(
      'GET /v1/responses HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: eA==\r\n\r\n',
    );
    await once(socket, 'end');
  }
  await expect.poll(async () => (await models()).status, { timeout: 8000 }).toBe(200);
});
