// Calls that hang on a dead upstream, and what the others feel of them.
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { chat } from '../exchange/dialects.ts';
import { FAMILIES, type Family, providersAt } from '../fakes/fault-families.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { inParallel, type Measured, ms, type Part, percentile } from './part.ts';
import { settings } from './paced.ts';
import { talk } from './talk.ts';

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

/** Who is held, how many of them, and over how many rounds of how many calls the others are measured. */
interface Crowd {
  readonly family: Family;
  readonly held: number;
  readonly rounds: number;
  readonly calls: number;
}

interface Scene {
  readonly gateway: Gateway;
  readonly dead: FaultUpstream;
  readonly agent: Agent;
}

async function crowded({ gateway, dead, agent }: Scene, { family, held, rounds, calls }: Crowd): Promise<Measured> {
  const url = `${gateway.url}/v1/chat/completions`;
  const { path, type, body } = family.ask('x');
  const free: number[] = [];
  const beside: number[] = [];
  let failed = 0;
  // In turn, and the middle of each: a machine that is busy for a while is so for both.
  for (let round = 0; round < rounds; round++) {
    const alone = await p99Of(url, agent, calls);
    dead.tries.length = 0;
    const holders = new Agent({ keepAlive: false });
    const waiting = Array.from({ length: held }, () => talk({ url: gateway.url + path, body, type, agent: holders, withinMs: 120_000 }));
    while (dead.tries.length < held) await sleep(10);
    await sleep(200);
    const during = await p99Of(url, agent, calls);
    holders.destroy();
    await Promise.all(waiting);
    await sleep(200);
    free.push(alone.p99);
    beside.push(during.p99);
    failed += alone.failed + during.failed;
  }
  const usual = percentile(free, 0.5);
  const value = percentile(beside, 0.5) - usual;
  const isKept = value <= Math.max(usual * 0.05, 2) && failed === 0;
  const detail = `${held} held; without them ${ms(usual)}; ${failed} failed`;
  return { promise: 'time.hole', about: family.name, value, many: rounds, isKept, detail };
}

/** As many as are promised for chat, fewer at the other endpoints. */
async function* holeRows(held: number): AsyncIterable<Measured> {
  const well = await startFaultUpstream((_one, response) => {
    setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(chat.whole)), 10);
  });
  const dead = await startFaultUpstream();
  const gateway = await startGateway({ ...providersAt(dead.url), well: settings(well.url) });
  const agent = new Agent({ keepAlive: true });
  try {
    await p99Of(`${gateway.url}/v1/chat/completions`, agent, 1000);
    for (const family of FAMILIES) {
      const isMost = family.name === chat.id;
      const crowd = isMost ? { held, rounds: 5, calls: 1000 } : { held: Math.ceil(held / 10), rounds: 7, calls: 300 };
      yield await crowded({ gateway, dead, agent }, { family, ...crowd });
    }
  } finally {
    agent.destroy();
    await gateway.stop();
    await well.close();
    await dead.close();
  }
}

export const hole: Part = { name: 'hole', rows: ({ streams }) => holeRows(streams) };
