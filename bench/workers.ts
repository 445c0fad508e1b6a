// npm run bench:workers: what several workers cost beside one: CPU a request, memory of each. `--rounds N`, `--workers N`.
import { type ChildProcess, fork } from 'node:child_process';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Job, Outcome } from './load.ts';
import { cpuMicros, memoryOfEach } from './process-tree.ts';
import { jobOf, type Scenario, SCENARIOS } from './scenarios.ts';
import { pailouWith, type Running, start } from './targets.ts';

const { values: args } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, workers: { type: 'string', default: '2' } } });
const rounds = Number(args.rounds);
const workers = Number(args.workers);

const child = (file: string): ChildProcess => fork(join(import.meta.dirname, file));
const said = <T>(from: ChildProcess): Promise<T> => new Promise((resolve) => from.once('message', (message) => resolve(message as T)));

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
  { title: '1 KB JSON, a connection for each request', id: 'S1', times: 60, connections: 32, how: { once: true } },
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

/** CPU microseconds a request, of all processes together. */
async function cpuOf(target: Running, { id, times, connections, how }: (typeof KINDS)[number], count: number): Promise<number> {
  const scenario = SCENARIOS.find((one) => one.id === id) as Scenario;
  const job = jobFor(scenario, target, { warmMs: 0, measureMs: 2500, connections: connections * count, ...how });
  const allTimes = async (): Promise<number> => {
    let sum = 0;
    for (let time = 0; time < times; time++) sum += (await perform(job)).answers;
    return sum;
  };
  await allTimes();
  const before = cpuMicros(target.pid);
  const answers = await allTimes();
  return (cpuMicros(target.pid) - before) / answers;
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
const mib = (kib: number): string => `${Math.round(kib / 1024)} MiB`;

try {
  const targets = [await started(1), await started(workers)];
  const found = KINDS.map(() => targets.map((): number[] => []));
  for (let round = 0; round < rounds; round++) {
    for (const [at, kind] of KINDS.entries()) {
      for (const [which, target] of targets.entries()) found[at]?.[which]?.push(await cpuOf(target, kind, which === 0 ? 1 : workers));
    }
  }
  process.stdout.write(`| CPU µs a request | 1 worker | ${workers} workers | ratio |\n| --- | --: | --: | --: |\n`);
  for (const [at, { title }] of KINDS.entries()) {
    const [one = 0, several = 0] = (found[at] ?? []).map(median);
    process.stdout.write(`| ${title} | ${one.toFixed(0)} | ${several.toFixed(0)} | ${(several / one).toFixed(2)} |\n`);
  }
  for (const target of targets) {
    const each = memoryOfEach(target.pid);
    const text = each.map(({ own, resident }) => `${mib(own)} (resident ${mib(resident)})`).join(' · ');
    process.stdout.write(`${target.kind.name}, after the load: ${text}\n`);
    await target.stop();
  }
  process.stdout.write(`load ${loadavg()[0]?.toFixed(1)}\n`);
} finally {
  mock.kill();
  load.kill();
}
