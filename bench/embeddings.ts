// npm run bench:embeddings: a reply of 16 × 1536 floats that passes costs at most 1.3 times a 1 KB chat request, and the copy.
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Job, Outcome } from './load.ts';
import { cpuMicros } from './process-tree.ts';
import { said } from './said.ts';
import { jobOf, type Scenario, SCENARIOS } from './scenarios.ts';
import { has, pailou, type Running, start, type TargetKind } from './targets.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
const MOST = 1.3;
const pin = availableParallelism() > 1 && has('taskset');

/** What the copy costs: the same bytes through a process that reads none of them. */
const pipe: TargetKind = {
  ...pailou,
  name: 'pipe',
  modelFor: (scenario) => scenario.model,
  command: (port, upstream) => [process.execPath, join(import.meta.dirname, 'pipe.ts'), String(port), String(upstream)],
};

function child(file: string): ChildProcess {
  return fork(join(import.meta.dirname, file), [], pin ? { execPath: 'taskset', execArgv: ['-c', '1', process.execPath] } : {});
}
const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
const scenario = (id: string): Scenario => {
  const found = SCENARIOS.find((one) => one.id === id);
  if (!found) throw new Error(`no scenario ${id}`);
  return found;
};
const CHAT = scenario('S1');
const VECTORS = scenario('S8');

const mock = child('mock.ts');
const { port: upstream } = await said<{ port: number }>(mock);
const load = child('load.ts');
const targets: Running[] = [];

async function perform(one: Scenario, target: Running, how: Partial<Job>): Promise<Outcome> {
  const outcome = said<Outcome>(load);
  load.send(jobOf(one, target.kind.modelFor(one), target.port, target.kind.headers, { warmMs: 0, ...how }));
  return outcome;
}

/** CPU microseconds a request. */
async function measure(one: Scenario, target: Running): Promise<number> {
  await perform(one, target, { measureMs: 300 });
  const from = cpuMicros(target.pid);
  const { answers, wrong, why } = await perform(one, target, {});
  if (wrong > 0) throw new Error(`${target.kind.name} ${one.id}: ${wrong} wrong answers (${why ?? ''})`);
  return (cpuMicros(target.pid) - from) / answers;
}

try {
  for (const kind of [pailou, pipe]) {
    const target = await start(kind, upstream, pin);
    targets.push(target);
    for (const began = performance.now(); ;) {
      if ((await perform(CHAT, target, { connections: 1, once: true })).answers === 1) break;
      if (performance.now() - began > 20_000) throw new Error(`${kind.name} does not start`);
    }
  }
  const costs = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const target of targets) {
      for (const one of [CHAT, VECTORS]) {
        const key = `${target.kind.name} ${one.id}`;
        costs.set(key, [...(costs.get(key) ?? []), await measure(one, target)]);
      }
    }
  }
  const cost = (key: string): number => median(costs.get(key) ?? []);
  const copy = cost('pipe S8') - cost('pipe S1');
  const [chat, vectors] = [cost('pailou S1'), cost('pailou S8')];
  const most = MOST * chat + copy;

  const text = `${VECTORS.title}: ${vectors.toFixed(0)} µs of CPU; 1 KB chat ${chat.toFixed(0)} µs, the copy ${copy.toFixed(0)} µs: at most ${most.toFixed(0)} µs`;
  process.stdout.write(`${text}\n`);
  process.exitCode = vectors <= most ? 0 : 1;
} finally {
  for (const target of targets) await target.stop();
  mock.disconnect();
  load.disconnect();
}
