// Calls that hang on a dead upstream, and what the others feel of them.
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { chat } from '../exchange/dialects.ts';
import { FAMILIES, type Family, providersAt } from '../fakes/fault-families.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { type HeldUp, watchHeldUp } from './held-up.ts';
import { fallsInto, type Moment } from './moments.ts';
import { inParallel, type Measured, ms, type Part, percentile } from './part.ts';
import { settings } from './paced.ts';
import { comesFirst, giveProcessor, stepAside, stepBack, waitsAgain } from './processors.ts';
import { talk } from './talk.ts';

/** Calls at each of two gateways at once. */
const WIDTH = 4;
/** Until what came with held calls, or went with them, is over. */
const SETTLE_MS = 100;
const CHAT_PATH = chat.path('', false);
const LIMIT_MS = 2;
const LIMIT_SHARE = 0.05;
const ROUNDS = 4;

type Both<T> = readonly [T, T];

/** From when to when calls to a provider that is well were under way at one gateway. */
interface Felt {
  readonly calls: Moment[];
  failed: number;
}

/** The same calls to both gateways, one here and one there: whatever else the machine does, it does to both. */
async function feltAt(gateways: Both<Gateway>, agent: Agent, calls: number): Promise<Both<Felt>> {
  const felt: Both<Felt> = [
    { calls: [], failed: 0 },
    { calls: [], failed: 0 },
  ];
  const body = JSON.stringify(chat.body('well/up', false));
  await inParallel(
    Array.from({ length: calls * 2 }, (_, at) => async () => {
      const which = (at % 2) as 0 | 1;
      const from = performance.now();
      const got = await talk({ url: `${gateways[which].url}${CHAT_PATH}`, body, agent });
      felt[which].calls.push({ from, to: performance.now() });
      if (got.status !== 200) felt[which].failed++;
    }),
    WIDTH * 2,
  );
  return felt;
}

/** Who is held, how many of them, and how many calls of others are measured in a round. */
interface Crowd {
  readonly family: Family;
  readonly held: number;
  readonly calls: number;
}

interface Scene {
  /** Two that are alike. */
  readonly gateways: Both<Gateway>;
  readonly dead: FaultUpstream;
  readonly agent: Agent;
  readonly heldUp: HeldUp;
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

/** How long those took that nothing else of the machine held up. */
const timesOf = (calls: readonly Moment[], heldUp: readonly Moment[]): number[] =>
  calls.filter((one) => !fallsInto(one, heldUp)).map(({ from, to }) => to - from);

async function crowded(scene: Scene, crowd: Crowd): Promise<Measured> {
  const { gateways, agent } = scene;
  const [alone, beside]: Both<Moment[]> = [[], []];
  let failed = 0;
  for (let round = 0; round < ROUNDS; round++) {
    // Each gateway has its turn: no two processes are quite alike.
    for (const turn of [0, 1] as const) {
      const felt = await withHeld(scene, gateways[turn], crowd, () => feltAt(gateways, agent, crowd.calls));
      beside.push(...felt[turn].calls);
      alone.push(...felt[(1 - turn) as 0 | 1].calls);
      failed += felt[0].failed + felt[1].failed;
    }
  }
  const heldUp = await scene.heldUp.moments();
  const [free, held] = [timesOf(alone, heldUp), timesOf(beside, heldUp)];
  const usual = percentile(free, 0.99);
  const value = percentile(held, 0.99) - usual;
  const isKept = value <= Math.max(usual * LIMIT_SHARE, LIMIT_MS) && failed === 0;
  const detail =
    `${crowd.held} held; p50 ${ms(percentile(free, 0.5))} → ${ms(percentile(held, 0.5))}, p99 ${ms(usual)} → ${ms(percentile(held, 0.99))}; ` +
    `${beside.length - held.length} more when the machine or its clients were held up; ${failed} failed`;
  return { promise: 'time.hole', about: crowd.family.name, value, many: held.length, isKept, detail };
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
  // Before what else the machine does, as where time is measured.
  for (const { program } of gateways) {
    giveProcessor(program.child.pid);
    comesFirst(program.child.pid);
  }
  stepAside();
  comesFirst();
  const heldUp = await watchHeldUp();
  const agent = new Agent({ keepAlive: true });
  try {
    await feltAt(gateways, agent, 2000);
    for (const family of FAMILIES) {
      const isMost = family.name === chat.id;
      const crowd = isMost ? { held, calls: 1000 } : { held: Math.ceil(held / 10), calls: 300 };
      yield await crowded({ gateways, dead, agent, heldUp }, { family, ...crowd });
    }
  } finally {
    agent.destroy();
    heldUp.stop();
    for (const gateway of gateways) await gateway.stop();
    await well.close();
    await dead.close();
    waitsAgain();
    stepBack();
  }
}

export const hole: Part = { name: 'hole', rows: ({ streams }) => holeRows(streams) };
