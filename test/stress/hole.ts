// Calls that hang on a dead upstream, and what the others feel of them.
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { chat } from '../exchange/dialects.ts';
import { FAMILIES, type Family, providersAt } from '../fakes/fault-families.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { inParallel, isSettled, type Measured, median, ms, type Part, percentile } from './part.ts';
import { settings } from './paced.ts';
import { talk } from './talk.ts';

/** Calls at each of two gateways at once. */
const WIDTH = 8;
/** Until what came with held calls, or went with them, is over. */
const SETTLE_MS = 100;
const CHAT_PATH = chat.path('', false);
const LIMIT_MS = 2;
const LIMIT_SHARE = 0.05;
/** Rounds go on until their middle is known so well, or until there are so many. */
const WITHIN_MS = 0.5;
const MOST_ROUNDS = 9;

type Both<T> = readonly [T, T];

/** What answers of a provider that is well took at one gateway. */
interface Felt {
  readonly times: number[];
  failed: number;
}

/** The same calls to both gateways, one here and one there: whatever else the machine does, it does to both. */
async function feltAt(gateways: Both<Gateway>, agent: Agent, calls: number): Promise<Both<Felt>> {
  const felt: Both<Felt> = [
    { times: [], failed: 0 },
    { times: [], failed: 0 },
  ];
  const body = JSON.stringify(chat.body('well/up', false));
  await inParallel(
    Array.from({ length: calls * 2 }, (_, at) => async () => {
      const which = (at % 2) as 0 | 1;
      const began = performance.now();
      const got = await talk({ url: `${gateways[which].url}${CHAT_PATH}`, body, agent });
      felt[which].times.push(performance.now() - began);
      if (got.status !== 200) felt[which].failed++;
    }),
    WIDTH * 2,
  );
  return felt;
}

/** Who is held, how many of them, and over how many rounds (at least) of how many calls the others are measured. */
interface Crowd {
  readonly family: Family;
  readonly held: number;
  readonly rounds: number;
  readonly calls: number;
}

interface Scene {
  /** Two that are alike. */
  readonly gateways: Both<Gateway>;
  readonly dead: FaultUpstream;
  readonly agent: Agent;
}

/** Holds calls of a family at one gateway meanwhile. */
async function withHeld<T>({ dead }: Scene, { url }: Gateway, { family, held }: Crowd, measured: () => Promise<T>): Promise<T> {
  const { path, type, body } = family.ask('x');
  const holders = new Agent({ keepAlive: false });
  dead.tries.length = 0;
  const waiting = Array.from({ length: held }, () => talk({ url: url + path, body, type, agent: holders, withinMs: 120_000 }));
  while (dead.tries.length < held) await sleep(10);
  await sleep(SETTLE_MS);
  try {
    return await measured();
  } finally {
    holders.destroy();
    await Promise.all(waiting);
    await sleep(SETTLE_MS);
  }
}

async function crowded(scene: Scene, crowd: Crowd): Promise<Measured> {
  const { gateways, agent } = scene;
  const moved: number[] = [];
  const free: number[] = [];
  let failed = 0;
  const isEnough = (): boolean => moved.length % 2 === 1 && (isSettled(moved, WITHIN_MS) || moved.length >= MOST_ROUNDS);
  while (moved.length < crowd.rounds || !isEnough()) {
    const [alone, beside]: Both<number[]> = [[], []];
    // Each gateway has its turn: no two processes are quite alike.
    for (const turn of [0, 1] as const) {
      const felt = await withHeld(scene, gateways[turn], crowd, () => feltAt(gateways, agent, crowd.calls));
      beside.push(...felt[turn].times);
      alone.push(...felt[(1 - turn) as 0 | 1].times);
      failed += felt[0].failed + felt[1].failed;
    }
    free.push(percentile(alone, 0.99));
    moved.push(percentile(beside, 0.99) - percentile(alone, 0.99));
  }
  const usual = median(free);
  const value = median(moved);
  const isKept = value <= Math.max(usual * LIMIT_SHARE, LIMIT_MS) && failed === 0;
  const detail = `${crowd.held} held; rounds ${moved.map(ms).join(', ')}; without them ${ms(usual)}; ${failed} failed`;
  return { promise: 'time.hole', about: crowd.family.name, value, many: moved.length, isKept, detail };
}

/** As many as are promised for chat, fewer at the other endpoints. */
async function* holeRows(held: number): AsyncIterable<Measured> {
  const well = await startFaultUpstream((_one, response) => {
    well.tries.length = 0;
    setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(chat.whole)), 10);
  });
  const dead = await startFaultUpstream();
  const start = (): Promise<Gateway> => startGateway({ ...providersAt(dead.url), well: settings(well.url) });
  const gateways: Both<Gateway> = [await start(), await start()];
  const agent = new Agent({ keepAlive: true });
  try {
    await feltAt(gateways, agent, 2000);
    for (const family of FAMILIES) {
      const isMost = family.name === chat.id;
      const crowd = isMost ? { held, rounds: 3, calls: 1000 } : { held: Math.ceil(held / 10), rounds: 3, calls: 300 };
      yield await crowded({ gateways, dead, agent }, { family, ...crowd });
    }
  } finally {
    agent.destroy();
    for (const gateway of gateways) await gateway.stop();
    await well.close();
    await dead.close();
  }
}

export const hole: Part = { name: 'hole', rows: ({ streams }) => holeRows(streams) };
