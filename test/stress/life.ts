// What ends while calls of every kind run: the process by a signal, a configuration by another.
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAMILIES, providersAt } from '../fakes/fault-families.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { flaw } from '../fakes/seen.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { familyMark, hasAllEvents, type Held, held } from './half-said.ts';
import { LANES, markOf, unpacked } from './lanes.ts';
import { wellAs } from './memory.ts';
import type { Measured, Part } from './part.ts';
import { talk } from './talk.ts';
import { websocketLife } from './websocket-life.ts';

/** Of each stream. */
const EVENTS = 20;
const GAP_MS = 200;
/** Calls of each endpoint that does not stream, beside the streams. */
const WHOLES = 8;
const LOAD_MS = 10_000;
const LOAD_WIDTH = 16;
const SPOILT = 10;
const READY_MS = 250;

const WHOLE_FAMILIES = FAMILIES.filter(({ isStream }) => !isStream);

/** What is measured together. */
interface Scene {
  readonly upstream: FaultUpstream;
  readonly gateway: Gateway;
  readonly agent: Agent;
}

async function* before(run: (scene: Scene) => AsyncIterable<Measured>): AsyncIterable<Measured> {
  const upstream = await startFaultUpstream();
  const gateway = await startGateway(providersAt(upstream.url));
  const agent = new Agent({ keepAlive: true });
  try {
    yield* run({ upstream, gateway, agent });
  } finally {
    agent.destroy();
    await gateway.stop();
    await upstream.close();
  }
}

/** Whether a balancer would send it more. */
const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/readyz`).then(
    async (answer) => {
      await answer.arrayBuffer();
      return answer.status === 200;
    },
    () => false,
  );

/** One call under way, and at last what was wrong with its answer, if anything was, and when it was over. */
interface Running {
  readonly about: string;
  readonly end: Promise<{ readonly why: string | undefined; readonly at: number }>;
}

/** A stream of each lane in turn. `heard` is told when its first event comes. */
function openStreams({ gateway, agent }: Scene, streams: number, heard: () => void): readonly Running[] {
  return Array.from({ length: streams }, (_, at) => {
    const lane = LANES[at % LANES.length] as (typeof LANES)[number];
    const { path, type, body } = lane.ask(markOf(lane));
    let isFirst = true;
    const said = talk({
      url: gateway.url + path,
      type,
      body,
      agent,
      heard() {
        if (isFirst) heard();
        isFirst = false;
      },
    });
    const end = said.then((got) => {
      const lost = hasAllEvents(lane.isPacked ? unpacked(got.text) : got.text, EVENTS)
        ? undefined
        : `not all events: ${got.text.slice(-200)}`;
      return { why: flaw({ isStream: lane.isEvents }, got) ?? lost, at: performance.now() };
    });
    return { about: lane.name, end };
  });
}

/** Calls of every endpoint that answers at once, when it does. */
const openWholes = ({ gateway, agent }: Scene, each: number): readonly Running[] =>
  WHOLE_FAMILIES.flatMap((family) =>
    Array.from({ length: each }, () => {
      const { path, type, body } = family.ask(familyMark(family));
      const said = talk({ url: gateway.url + path, type, body, agent });
      return { about: family.name, end: said.then((got) => ({ why: flaw(family, got), at: performance.now() })) };
    }),
  );

/** All under way: of streams half has come, of the others nothing. */
async function open(scene: Scene, { behave, wholes }: Held, streams: number, each: number): Promise<readonly Running[]> {
  scene.upstream.behave = behave;
  const seen = { begun: 0, over: 0 };
  const running = [...openStreams(scene, streams, () => seen.begun++), ...openWholes(scene, each)];
  for (const { end } of running) void end.then(() => seen.over++);
  // What is over by now has failed, and will be told.
  while (seen.begun + wholes() < running.length && seen.over === 0) await sleep(5);
  return running;
}

/** How many failed of what was asked, by what it was. */
interface Tally {
  asked: number;
  failed: number;
  example?: string;
}

function tally(tallies: Map<string, Tally>, about: string, why: string | undefined): void {
  const one = tallies.get(about) ?? { asked: 0, failed: 0 };
  tallies.set(about, one);
  one.asked++;
  if (why === undefined) return;
  one.failed++;
  one.example ??= why;
}

function* tallyRows(promise: Measured['promise'], tallies: ReadonlyMap<string, Tally>, detail?: string): Iterable<Measured> {
  for (const [about, { asked, failed, example }] of tallies) {
    const told = [detail, example].filter((one) => one !== undefined).join('; ');
    yield { promise, about, value: failed, many: asked, isKept: failed === 0, ...(told === '' ? {} : { detail: told }) };
  }
}

/** Its configuration changes again and again while every endpoint is asked. */
async function* reloadRows({ upstream, gateway, agent }: Scene): AsyncIterable<Measured> {
  upstream.behave = wellAs(FAMILIES);
  const tallies = new Map<string, Tally>();
  const until = performance.now() + LOAD_MS;
  let serial = 0;
  const load = Array.from({ length: LOAD_WIDTH }, async () => {
    while (performance.now() < until || tallies.size < FAMILIES.length) {
      const family = FAMILIES[serial++ % FAMILIES.length] as (typeof FAMILIES)[number];
      const { path, type, body } = family.ask(familyMark(family));
      tally(tallies, family.name, flaw(family, await talk({ url: gateway.url + path, type, body, agent })));
    }
  });
  let reloads = 0;
  while (performance.now() < until) {
    await gateway.reload();
    reloads++;
  }
  await Promise.all(load);
  yield* tallyRows('life.reload', tallies, `${reloads} reloads`);
}

async function* invalidRows({ gateway }: Scene): AsyncIterable<Measured> {
  let applied = 0;
  for (let i = 0; i < SPOILT; i++) {
    const key = await gateway.spoil();
    if ((await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status === 200) applied++;
    await gateway.reload();
  }
  yield { promise: 'life.invalid', value: applied, many: SPOILT, isKept: applied === 0 };
}

/** A signal while so many streams run, and calls of all other endpoints. */
async function* signalRows(scene: Scene, streams: number): AsyncIterable<Measured> {
  const { gateway } = scene;
  const upstream = held(EVENTS, GAP_MS);
  const running = await open(scene, upstream, streams, WHOLES);
  upstream.goOn();
  const signalled = performance.now();
  gateway.program.child.kill('SIGTERM');
  while (await isReady(gateway.url)) await sleep(1);
  const unready = performance.now() - signalled;
  const tallies = new Map<string, Tally>();
  let lastAt = 0;
  for (const { about, end } of running) {
    const { why, at } = await end;
    tally(tallies, about, why);
    lastAt = Math.max(lastAt, at);
  }
  const code = await gateway.program.ended;
  const after = performance.now() - lastAt;
  yield { promise: 'life.readiness', value: unready, many: 1, isKept: unready <= READY_MS };
  yield* tallyRows('life.broken', tallies);
  yield { promise: 'life.exit', value: after, many: 1, isKept: after <= 1000 && code === 0, detail: `exit code ${code ?? 'none'}` };
}

/** A second signal ends it, whatever runs. */
async function* secondSignal(scene: Scene): AsyncIterable<Measured> {
  const { gateway } = scene;
  const running = await open(scene, held(EVENTS, GAP_MS), LANES.length, 1);
  gateway.program.child.kill('SIGTERM');
  while (await isReady(gateway.url)) await sleep(1);
  // Signals within a second are one.
  await sleep(1100);
  const signalled = performance.now();
  gateway.program.child.kill('SIGTERM');
  const code = await gateway.program.ended;
  const value = performance.now() - signalled;
  const ends = await Promise.all(running.map(({ end }) => end));
  const whole = ends.filter(({ why }) => why === undefined).length;
  yield { promise: 'life.second', value, many: 1, isKept: value <= 1000 && whole === 0, detail: `exit code ${code ?? 'none'}` };
}

export const life: Part = {
  name: 'life',
  async *rows({ streams }) {
    yield* before(async function* (scene) {
      yield* reloadRows(scene);
      yield* invalidRows(scene);
      yield* signalRows(scene, streams);
    });
    yield* before(secondSignal);
    yield* websocketLife(streams);
  },
};
