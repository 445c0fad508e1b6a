import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { messages } from '../exchange/dialects.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { type Gateway, startGateway } from '../stress/gateway.ts';
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

it('whoever holds connections and asks nothing keeps out nobody, and calls under way are not disturbed', async () => {
  const first = stream();
  await expect.poll(() => upstream.tries.length).toBe(1);
  const held: Socket[] = [];
  for (let i = 0; i < 3 * ROOM; i++) held.push(await silent());
  await expect.poll(() => held.filter(({ destroyed }) => !destroyed).length).toBe(ROOM - 1);
  const second = stream();
  expect(await first).toMatchObject({ status: 200, isWhole: true });
  expect(await second).toMatchObject({ status: 200, isWhole: true });
});

it('where all are in use another one is told when to come back, and the log says so once', async () => {
  const before = upstream.tries.length;
  const calls = Array.from({ length: ROOM }, stream);
  await expect.poll(() => upstream.tries.length).toBe(before + ROOM);
  for (let i = 0; i < 3; i++) {
    const refused = await fetch(`${gateway.url}/v1/models`, { headers: { connection: 'close' } });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ error: { code: 'connections_full' } });
  }
  for (const got of await Promise.all(calls)) expect(got).toMatchObject({ status: 200, isWhole: true });
  expect(gateway.program.out.stderr.match(/limits\.connections/g)).toHaveLength(1);
});
