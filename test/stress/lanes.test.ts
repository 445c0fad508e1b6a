import { Agent } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { providersAt } from '../fakes/fault-families.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { KEY } from './gateway.ts';
import { LANES, markOf, stamped } from './lanes.ts';
import { lateIn, shared } from './moments.ts';
import { isSettled } from './part.ts';
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

it.each(LANES)('$name: every event is timed, through the gateway and without it', async (lane) => {
  for (const url of [server.url, upstream.url]) {
    const { wrong, first, gaps } = await timed(url, lane.ask(markOf(lane)), 4, agent);
    expect(wrong).toBeUndefined();
    expect(first).toBeGreaterThan(0);
    expect(gaps).toHaveLength(3);
  }
});

it('rounds are settled when half of them agree', () => {
  expect(isSettled([0.1, 0.3, 9], 0.5)).toBe(true);
  expect(isSettled([-3, 0.3, 9], 0.5)).toBe(false);
});

it('what held up both ways at once is the machine, what held up one is not', () => {
  const streamed = (...gaps: { readonly by: number; readonly at: number }[]) => [{ first: 1, began: { from: 0, to: 1 }, gaps }];
  const ours = lateIn(streamed({ by: 8, at: 108 }, { by: 2, at: 160 }, { by: 9, at: 209 }), 5);
  const theirs = lateIn(streamed({ by: 6, at: 104 }, { by: 7, at: 307 }), 5);
  expect(ours).toEqual([
    { from: 100, to: 108 },
    { from: 200, to: 209 },
  ]);
  expect(shared(ours, theirs)).toEqual([
    { from: 100, to: 108 },
    { from: 98, to: 104 },
  ]);
});
