// npm run bench: what Pailou costs beside nginx, by CPU time. `--rounds N`, `--scenarios S1,S2`, `--write` (the table in README.md).
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Job, Outcome } from './load.ts';
import { cpuMicros, residentKiB } from './process-tree.ts';
import { said } from './said.ts';
import { jobOf, type Scenario, SCENARIOS, SLOW } from './scenarios.ts';
import { has, nginx, pailou, type Running, start, type TargetKind } from './targets.ts';

const { values: args } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, scenarios: { type: 'string' }, write: { type: 'boolean', default: false } },
});
const pin = availableParallelism() > 1 && has('taskset');
const kinds: readonly TargetKind[] = has('nginx') ? [nginx, pailou] : [pailou];
const chosen = args.scenarios?.split(',');
const wanted = (id: string): boolean => chosen === undefined || chosen.includes(id);

function child(file: string): ChildProcess {
  const path = join(import.meta.dirname, file);
  return fork(path, [], pin ? { execPath: 'taskset', execArgv: ['-c', '1', process.execPath] } : {});
}

const mock = child('mock.ts');
const { port: upstream } = await said<{ port: number }>(mock);
const load = child('load.ts');

async function perform(job: Job): Promise<Outcome> {
  const outcome = said<Outcome>(load);
  load.send(job);
  return outcome;
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
const job = (scenario: Scenario, target: Running, how: Partial<Job> = {}): Job =>
  jobOf(scenario, target.kind.modelFor(scenario), target.port, target.kind.headers, how);

/** So long a target answers before it is measured: compilers need some thousand calls. */
const SETTLE_MS = 1200;

/** CPU microseconds an answer, or an event of a stream. */
async function measure(scenario: Scenario, target: Running): Promise<number> {
  let from = 0;
  const settle = jobOf(scenario, target.kind.modelFor(scenario), target.port, target.kind.headers, {});
  if (scenario.once !== true) await perform({ ...settle, warmMs: 0, measureMs: SETTLE_MS });
  from = cpuMicros(target.pid);
  const { answers, wrong, why } = await perform({ ...settle, warmMs: 0, ...(scenario.once === true ? { once: true } : {}) });
  if (wrong > 0) throw new Error(`${target.kind.name} ${scenario.id}: ${wrong} wrong answers (${why ?? ''})`);
  return (cpuMicros(target.pid) - from) / answers / Math.max(1, scenario.deltas);
}

const first = SCENARIOS[0] as Scenario;

/** Milliseconds from the start of the process to its first 200. */
async function startUp(kind: TargetKind): Promise<{ readonly ms: number; readonly target: Running }> {
  const began = performance.now();
  const target = await start(kind, upstream, pin);
  for (;;) {
    const { answers } = await perform(job(first, target, { connections: 1, once: true, warmMs: 0 }));
    if (answers === 1) return { ms: performance.now() - began, target };
    if (performance.now() - began > 20_000) throw new Error(`${kind.name} does not start`);
  }
}

interface Slow {
  readonly cpu: number;
  readonly kib: number;
  readonly lost: number;
}

/** A thousand streams at once: CPU an event, memory a stream, streams that did not arrive whole. */
async function slowStreams(kind: TargetKind): Promise<Slow> {
  const { target } = await startUp(kind);
  await perform(job(first, target, { warmMs: 0, measureMs: 1000 }));
  const before = residentKiB(target.pid);
  const from = cpuMicros(target.pid);
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, residentKiB(target.pid))), 250);
  const { answers, wrong } = await perform(job(SLOW, target, { once: true }));
  clearInterval(watch);
  const cpu = (cpuMicros(target.pid) - from) / (answers * SLOW.deltas);
  await target.stop();
  return { cpu, kib: (peak - before) / SLOW.connections, lost: wrong };
}

/** Median time of a small request at a low rate, over the direct path, in microseconds. */
async function addedLatency(target: Running): Promise<number> {
  const direct: Running = { ...target, port: upstream };
  const how = { connections: 4, rate: 40, warmMs: 0, measureMs: 3000 };
  const through = await perform(job(first, target, how));
  const straight = await perform(job(first, direct, how));
  return through.p50 - straight.p50;
}

const rounds = Number(args.rounds);
const rows: {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly values: ReadonlyMap<string, number>;
  readonly base?: number;
}[] = [];
const collected = new Map<string, number[]>();
const note = (key: string, value: number): void => void collected.set(key, [...(collected.get(key) ?? []), value]);
const valuesOf = (id: string): Map<string, number> =>
  new Map(
    kinds.flatMap((kind) =>
      collected.has(`${id} ${kind.name}`) ? [[kind.name, median(collected.get(`${id} ${kind.name}`) ?? [])] as const] : [],
    ),
  );

try {
  const targets: Running[] = [];
  for (const kind of kinds) {
    for (let round = 1; round < rounds; round++) {
      const { ms, target } = await startUp(kind);
      note(`start ${kind.name}`, ms);
      await target.stop();
    }
    const { ms, target } = await startUp(kind);
    note(`start ${kind.name}`, ms);
    targets.push(target);
  }
  for (let round = 1; round <= rounds; round++) {
    for (const scenario of SCENARIOS.filter(({ id }) => wanted(id))) {
      for (const target of targets.filter(({ kind }) => kind.takes(scenario)))
        note(`${scenario.id} ${target.kind.name}`, await measure(scenario, target));
    }
    if (wanted('latency')) for (const target of targets) note(`latency ${target.kind.name}`, await addedLatency(target));
    process.stderr.write(`round ${round} of ${rounds}\n`);
  }
  for (const target of targets) await target.stop();
  if (wanted('S7')) {
    for (const kind of kinds) {
      const { cpu, kib, lost } = await slowStreams(kind);
      note(`S7 ${kind.name}`, cpu);
      note(`memory ${kind.name}`, kib);
      note(`lost ${kind.name}`, lost);
    }
  }
} finally {
  mock.disconnect();
  load.disconnect();
}

const yardstick = collected.has('S2 nginx') ? median(collected.get('S2 nginx') ?? []) : undefined;
for (const scenario of SCENARIOS.filter(({ id }) => wanted(id))) {
  const unit = scenario.deltas > 0 ? 'CPU µs an event' : 'CPU µs a request';
  const base = scenario.same ? undefined : yardstick;
  rows.push({ id: scenario.id, title: scenario.title, unit, values: valuesOf(scenario.id), ...(base === undefined ? {} : { base }) });
}
const more: readonly (readonly [string, string, string])[] = [
  ['S7', SLOW.title, 'CPU µs an event'],
  ['memory', 'the same: memory', 'KiB a stream'],
  ['lost', 'the same: streams that did not arrive whole', 'streams'],
  ['latency', 'added to a 1 KB request at 40 a second, p50', 'µs'],
  ['start', 'start to the first answer', 'ms'],
];
for (const [id, title, unit] of more) rows.push({ id, title, unit, values: valuesOf(id) });

const show = (value: number | undefined): string => (value === undefined ? '–' : value < 10 ? value.toFixed(2) : value.toFixed(0));
const table = [
  `| | what | unit | ${kinds.map(({ name }) => name).join(' | ')} | Pailou ÷ nginx |`,
  `| --- | --- | --- | ${kinds.map(() => '--: |').join(' ')} --: |`,
  ...rows
    .filter(({ values }) => values.size > 0)
    .map(({ id, title, unit, values, base }) => {
      const under = base ?? values.get('nginx');
      const ours = values.get('pailou');
      const ratio = under !== undefined && ours !== undefined && under > 0 && id !== 'lost' ? (ours / under).toFixed(1) : '–';
      return `| ${/^S\d/.test(id) ? id : ''} | ${title} | ${unit} | ${kinds.map(({ name }) => show(values.get(name))).join(' | ')} | ${ratio} |`;
    }),
].join('\n');
const where = `Measured ${new Date().toISOString().slice(0, 10)}: medians of ${rounds} rounds, Node ${process.versions.node}, ${availableParallelism()} × ${cpus()[0]?.model ?? 'CPU'}, load ${loadavg()[0]?.toFixed(1) ?? '?'} at the end.`;
const text = `${where}\n\n${table}\n`;
process.stdout.write(text);
if (args.write) {
  const file = join(import.meta.dirname, 'README.md');
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, before.replace(/<!-- table -->[^]*<!-- \/table -->/, `<!-- table -->\n${text}<!-- /table -->`));
}
