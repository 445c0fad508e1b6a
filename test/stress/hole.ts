// Calls that hang on a dead upstream, and what the others feel of them.
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { chat } from '../exchange/dialects.ts';
import { startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startGateway } from './gateway.ts';
import { inParallel, type Measured, ms, type Part, percentile } from './part.ts';
import { settings } from './paced.ts';
import { talk } from './talk.ts';

const ROUNDS = 5;

/** The 99th percentile of answers of a provider that is well. */
async function p99Of(url: string, agent: Agent, requests: number): Promise<{ readonly p99: number; readonly failed: number }> {
  let failed = 0;
  const times = await inParallel(
    Array.from({ length: requests }, () => async () => {
      const began = performance.now();
      const got = await talk({ url, body: JSON.stringify(chat.body('well/up', false)), agent });
      if (got.status !== 200) failed++;
      return performance.now() - began;
    }),
    8,
  );
  return { p99: percentile(times, 0.99), failed };
}

async function* holeRows(held: number): AsyncIterable<Measured> {
  const well = await startFaultUpstream((_one, response) => {
    setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(chat.whole)), 10);
  });
  const hole = await startFaultUpstream();
  const gateway = await startGateway({ well: settings(well.url), dead: settings(hole.url) });
  const agent = new Agent({ keepAlive: true });
  const url = `${gateway.url}/v1/chat/completions`;
  const body = JSON.stringify(chat.body('dead/up', false));
  try {
    await p99Of(url, agent, 1000);
    const free: number[] = [];
    const crowded: number[] = [];
    let failed = 0;
    // In turn, and the middle of each: a machine that is busy for a while is so for both.
    for (let round = 0; round < ROUNDS; round++) {
      const alone = await p99Of(url, agent, 1000);
      hole.tries.length = 0;
      const holders = new Agent({ keepAlive: false });
      const waiting = Array.from({ length: held }, () => talk({ url, body, agent: holders, withinMs: 120_000 }));
      while (hole.tries.length < held) await sleep(10);
      await sleep(200);
      const beside = await p99Of(url, agent, 1000);
      holders.destroy();
      await Promise.all(waiting);
      await sleep(200);
      free.push(alone.p99);
      crowded.push(beside.p99);
      failed += alone.failed + beside.failed;
    }
    const usual = percentile(free, 0.5);
    const during = percentile(crowded, 0.5);
    yield {
      promise: 'time.hole',
      value: during - usual,
      many: ROUNDS,
      isKept: during <= Math.max(usual * 1.05, usual + 2) && failed === 0,
      detail: `${ms(during)}; without them ${ms(usual)}; ${failed} failed`,
    };
  } finally {
    agent.destroy();
    await gateway.stop();
    await well.close();
    await hole.close();
  }
}

export const hole: Part = { name: 'hole', rows: ({ streams }) => holeRows(streams) };
