import { Agent } from 'node:http';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { providersAt } from '../fakes/fault-families.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { KEY } from './gateway.ts';
import { type Lane, LANES, markOf, SOCKET_LANE, stamped } from './lanes.ts';
import { watchHeldUp } from './held-up.ts';
import { fallsInto, inOrder } from './moments.ts';
import { timed } from './timed.ts';

let upstream: FaultUpstream;
let server: TestServer;
const agent = new Agent({ keepAlive: true });

beforeAll(async () => {
  upstream = await startFaultUpstream(stamped(4, 2));
  server = await startTestServer({ providers: providersAt(upstream.url), keys: [{ name: 'stress', value: KEY }] });
});
afterAll(async () => {
  agent.destroy();
  await server.close();
  await upstream.close();
});

const overHttp = ({ isSocket: _isSocket, ...lane }: Lane): Lane => lane;

it.each([...LANES, SOCKET_LANE])('$name: every event is timed, through the gateway and without it', async (lane) => {
  for (const url of [server.url, upstream.url]) {
    const { wrong, first, gaps } = await timed(url, lane.ask(markOf(lane)), 4, agent, url === server.url ? lane : overHttp(lane));
    expect(wrong).toBeUndefined();
    expect(first).toBeGreaterThan(0);
    expect(gaps).toHaveLength(3);
  }
});

it('a moment is told from those in which everybody was held up', () => {
  const moments = inOrder([
    { from: 40, to: 45 },
    { from: 10, to: 20 },
    { from: 44, to: 60 },
  ]);
  expect(moments).toEqual([
    { from: 10, to: 20 },
    { from: 40, to: 60 },
  ]);
  const touched = [
    [0, 9],
    [9, 10],
    [12, 13],
    [20, 39],
    [21, 39],
    [21, 70],
    [61, 70],
  ].map(([from = 0, to = 0]) => fallsInto({ from, to }, moments));
  expect(touched).toEqual([false, true, true, true, false, true, false]);
  expect(fallsInto({ from: 0, to: 9 }, [])).toBe(false);
});

it('who looks whether it is held up sees itself held up', async () => {
  const heldUp = await watchHeldUp();
  try {
    const from = performance.now();
    while (performance.now() - from < 20);
    const to = performance.now();
    await vi.waitFor(async () => expect(fallsInto({ from: from + 5, to: to - 5 }, await heldUp.moments())).toBe(true));
  } finally {
    heldUp.stop();
  }
});
