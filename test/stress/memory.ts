// What many requests leave behind: memory, sockets, timers, listeners.
import { Agent } from 'node:http';
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { chat } from '../exchange/dialects.ts';
import { FAMILIES, type Family, providersAt } from '../fakes/fault-families.ts';
import { type Behaviour, type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startTestServer } from '../server.ts';
import { type Gateway, KEY, startGateway } from './gateway.ts';
import { count, inParallel, type Measured, type Part } from './part.ts';
import { stalledRows } from './stalled.ts';
import { talk } from './talk.ts';

const GROWTH_KIB = 32 * 1024;
const WIDTH = 32;

/**
 * What is asked in turn. A job that is looked at, or whose file is fetched, is the call that orders it once more; and orders of films are
 * followed after their call, thirty a second, and held until they are done, 10,000 at most: that is another load than calls.
 */
const MIX: readonly Family[] = FAMILIES.filter(({ makes, name }) => makes !== 'after' && !name.startsWith('video'));

/** The answer of whatever endpoint the request's mark names. */
export const wellAs = (families: readonly Family[]): Behaviour => {
  return (one, response) => {
    const family = families[Number(/family-(\d+)-/.exec(one.text)?.[1])];
    response.writeHead(200, { 'content-type': family?.type ?? 'application/json' });
    for (const piece of family?.pieces ?? []) response.write(piece);
    response.end();
  };
};

/** Asks all endpoints in turn, `requests` times together. Gives how many answers were none. */
async function askAll(url: string, requests: number, agent: Agent, upstream: FaultUpstream): Promise<number> {
  let failed = 0;
  let serial = 0;
  await inParallel(
    Array.from({ length: requests }, () => async () => {
      const at = serial++ % MIX.length;
      const { path, type, body } = (MIX[at] as Family).ask(`family-${at}-`);
      const got = await talk({ url: url + path, body, type, agent });
      if (got.status !== 200 || !got.isWhole) failed++;
      // What it remembers would be the memory that is measured, where both are one process.
      if (upstream.tries.length > 1000) upstream.tries.length = 0;
    }),
    WIDTH,
  );
  return failed;
}

function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((fd) => {
    try {
      return readlinkSync(`${folder}/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

/** The least of what was seen for a while: what a collection was about to free is not what is kept. */
async function settled(gateway: Gateway): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < 20; i++) {
    least = Math.min(least, gateway.resident());
    await sleep(100);
  }
  return least;
}

async function* manyRows(requests: number): AsyncIterable<Measured> {
  const upstream = await startFaultUpstream(wellAs(MIX));
  const gateway = await startGateway(providersAt(upstream.url));
  const agent = new Agent({ keepAlive: true });
  const pid = gateway.program.child.pid ?? 0;
  const before = socketsOf(pid);
  try {
    await askAll(gateway.url, Math.min(20_000, Math.max(2000, requests / 5)), agent, upstream);
    const warm = await settled(gateway);
    const began = performance.now();
    const failed = await askAll(gateway.url, requests, agent, upstream);
    const seconds = (performance.now() - began) / 1000;
    const grown = (await settled(gateway)) - warm;
    yield {
      promise: 'memory.growth',
      value: grown / 1024,
      many: requests,
      isKept: grown <= GROWTH_KIB && failed === 0,
      detail: `on ${(warm / 1024).toFixed(0)} MiB; ${failed} failed; ${count(Math.round(requests / seconds))} a second`,
    };
    agent.destroy();
    await upstream.close();
    let left = socketsOf(pid) - before;
    for (let i = 0; i < 50 && left > 0; i++) {
      await sleep(100);
      left = socketsOf(pid) - before;
    }
    yield { promise: 'memory.sockets', value: Math.max(0, left), many: requests, isKept: left <= 0 };
  } finally {
    agent.destroy();
    await gateway.stop();
    await upstream.close();
  }
}

const tally = (): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
};

const more = (now: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>): readonly string[] =>
  [...now].filter(([kind, many]) => many > (before.get(kind) ?? 0)).map(([kind, many]) => `${many - (before.get(kind) ?? 0)} ${kind}`);

/** The gateway in this process, where what the event loop still waits for can be asked. `requests` and as many that are left. */
export async function* leftRows(requests: number): AsyncIterable<Measured> {
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', onWarning);
  const before = tally();
  const upstream = await startFaultUpstream(wellAs(MIX));
  const server = await startTestServer({ providers: providersAt(upstream.url), keys: [{ name: 'stress', value: KEY }] });
  const agent = new Agent({ keepAlive: true });
  const failed = await askAll(server.url, requests, agent, upstream);
  upstream.behave = () => {};
  const hasty = new Agent({ keepAlive: false });
  const url = `${server.url}/v1/chat/completions`;
  await inParallel(
    Array.from(
      { length: Math.min(500, requests) },
      () => () => talk({ url, body: JSON.stringify(chat.body('oai/up', true)), agent: hasty, withinMs: 30 }),
    ),
    WIDTH,
  );
  agent.destroy();
  hasty.destroy();
  await server.close();
  await upstream.close();
  let left = more(tally(), before);
  for (let i = 0; i < 100 && left.length > 0; i++) {
    await sleep(50);
    left = more(tally(), before);
  }
  process.off('warning', onWarning);
  yield {
    promise: 'memory.left',
    value: left.length,
    many: requests,
    detail: `${left.join(', ')}; ${server.defects.length} defects, ${failed} failed`,
    isKept: left.length === 0 && server.defects.length === 0 && failed === 0,
  };
  const [first] = warnings;
  yield {
    promise: 'memory.listeners',
    value: warnings.length,
    many: requests,
    isKept: warnings.length === 0,
    ...(first === undefined ? {} : { detail: first }),
  };
}

export const memory: Part = {
  name: 'memory',
  async *rows({ requests }) {
    yield* manyRows(requests);
    yield* leftRows(Math.min(requests, 5000));
    yield* stalledRows(500);
  },
};
