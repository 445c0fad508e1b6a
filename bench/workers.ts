// npm run bench:workers: what several workers cost beside as many servers of one process each, which share the load and the machine
// just as they do: CPU a request, memory of each. `--rounds N`, `--workers N`. Fails where they cost more than MOST_RATIO, MOST_MIB.
import { type ChildProcess, fork } from 'node:child_process';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Job, Outcome } from './load.ts';
import { cpuMicros, memoryOfEach } from './process-tree.ts';
import { said } from './said.ts';
import { jobOf, type Scenario, SCENARIOS } from './scenarios.ts';
import { pailouWith, type Running, start } from './targets.ts';

const { values: args } = parseArgs({ options: { rounds: { type: 'string', default: '8' }, workers: { type: 'string', default: '2' } } });
const rounds = Number(args.rounds);
const workers = Number(args.workers);

/** CPU of a request beside that of the servers; memory of a worker: its own, and its part of what processes share. */
const MOST_RATIO = 1.1;
const MOST_MIB = 120;
const beyond: string[] = [];

const child = (file: string): ChildProcess => fork(join(import.meta.dirname, file));

const mock = child('mock.ts');
const { port: upstream } = await said<{ port: number }>(mock);
const load = child('load.ts');

async function perform(job: Job): Promise<Outcome> {
  const outcome = said<Outcome>(load);
  load.send(job);
  const result = await outcome;
  if (result.wrong > 0) throw new Error(`${result.wrong} wrong answers (${result.why ?? ''})`);
  return result;
}

const jobFor = (scenario: Scenario, { kind, port }: Running, how: Partial<Job>): Job =>
  jobOf(scenario, kind.modelFor(scenario), port, kind.headers, how);

/** What is measured, with so many connections for each worker: the more there is to do at once, the less each request costs. One that keeps its connections, one with a connection for each request, one that streams. */
const KINDS = [
  { title: '1 KB JSON, 16 connections a worker that stay', id: 'S1', times: 1, connections: 16, how: {} },
  { title: '1 KB JSON, a connection for each request', id: 'S1', times: 20, connections: 32, how: { once: true } },
  { title: 'stream of 200 events in a burst', id: 'S2', times: 1, connections: 8, how: {} },
] as const;

async function started(count: number): Promise<Running> {
  const target = await start(pailouWith(count), upstream, false);
  for (let tries = 0; tries < 200; tries++) {
    const answer = await fetch(`http://127.0.0.1:${target.port}/readyz`).catch(() => undefined);
    if (answer?.ok === true) return target;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it does not start');
}

/** Servers that a load is split between. */
type Group = readonly [Running, ...Running[]];

/** CPU microseconds a request, of all processes together. */
async function cpuOf([first, ...more]: Group, { id, times, connections, how }: (typeof KINDS)[number]): Promise<number> {
  const scenario = SCENARIOS.find((one) => one.id === id) as Scenario;
  const others = more.map(({ port }) => port);
  const job = jobFor(scenario, first, { warmMs: 0, measureMs: 1200, connections: connections * workers, others, ...how });
  const allTimes = async (): Promise<number> => {
    let sum = 0;
    for (let time = 0; time < times; time++) sum += (await perform(job)).answers;
    return sum;
  };
  const used = (): number => [first, ...more].reduce((sum, { pid }) => sum + cpuMicros(pid), 0);
  const before = used();
  const answers = await allTimes();
  return (used() - before) / answers;
}

/** Other work on the machine only ever adds: the lowest is the nearest to what it costs. */
const best = (numbers: readonly number[]): number => Math.min(...numbers);
const mib = (kib: number): string => `${Math.round(kib / 1024)} MiB`;

const groupOf = async (servers: number, count: number): Promise<Group> => {
  const first = await started(count);
  const more: Running[] = [];
  while (more.length < servers - 1) more.push(await started(count));
  return [first, ...more];
};

try {
  // The first one may have to compile what the others find compiled, and is larger for it.
  await (await started(1)).stop();
  const groups = [await groupOf(workers, 1), await groupOf(1, workers)] as const;
  const [together] = groups[1];
  const found = KINDS.map(() => groups.map((): number[] => []));
  for (const kind of KINDS) for (const group of groups) await cpuOf(group, kind);
  for (let round = 0; round < rounds; round++) {
    for (const [at, kind] of KINDS.entries()) {
      for (const [which, group] of groups.entries()) found[at]?.[which]?.push(await cpuOf(group, kind));
    }
  }
  process.stdout.write(`| CPU µs a request | ${workers} servers | ${workers} workers | ratio |\n| --- | --: | --: | --: |\n`);
  for (const [at, { title }] of KINDS.entries()) {
    const [one = 0, several = 0] = (found[at] ?? []).map(best);
    if (!(several / one <= MOST_RATIO)) beyond.push(`${title}: ${(several / one).toFixed(3)} times the CPU, at most ${MOST_RATIO}`);
    process.stdout.write(`| ${title} | ${one.toFixed(0)} | ${several.toFixed(0)} | ${(several / one).toFixed(2)} |\n`);
  }
  for (const target of groups.flat()) {
    const each = memoryOfEach(target.pid);
    const text = each.map(({ own, resident }) => `${mib(own)} (resident ${mib(resident)})`).join(' · ');
    process.stdout.write(`${target.kind.name}, after the load: ${text}\n`);
    // The first of several only watches over the others.
    const held = target === together ? each.slice(workers > 1 ? 1 : 0).map(({ own }) => own / 1024) : [];
    for (const [at, own] of held.entries()) {
      if (own >= MOST_MIB) beyond.push(`worker ${at + 1}: ${own.toFixed(1)} MiB, must be under ${MOST_MIB}`);
    }
    if (target === together && held.length !== workers) beyond.push(`${held.length} workers in place of ${workers}`);
    await target.stop();
  }
  process.stdout.write(`load ${loadavg()[0]?.toFixed(1)}\n`);
  for (const line of beyond) process.stdout.write(`beyond its bound: ${line}\n`);
  process.exitCode = beyond.length === 0 ? 0 : 1;
} finally {
  mock.kill();
  load.kill();
}
