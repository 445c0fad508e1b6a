// npm run test:stress: the promises of reliability that need long runs, each with its number, as rows of a table.
// `--only streams,memory`: some parts. The sizes of a run are arguments as well: see SIZES. Tasks under kill -9: npm run test:tasks.
import { parseArgs } from 'node:util';
import { killAll } from '../e2e/program.ts';
import { cancellation } from './cancellation.ts';
import { hostile } from './hostile.ts';
import { memory } from './memory.ts';
import type { Part, Sizes } from './part.ts';
import { hole, life, time } from './paced.ts';
import { patterns } from './patterns.ts';
import { streams } from './streams.ts';

const PARTS: readonly Part[] = [streams, time, cancellation, hole, memory, life, hostile, patterns];
const SIZES: Sizes = {
  events: 1_000_000,
  seed: Date.now() % 100_000,
  requests: 100_000,
  streams: 1000,
  clients: 200,
  bodies: 10_000,
};

const names = Object.keys(SIZES) as (keyof Sizes)[];
const { values } = parseArgs({
  options: { only: { type: 'string' }, ...Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])) },
});
const given = values as Readonly<Record<string, string | undefined>>;
const sizes = Object.fromEntries(names.map((name) => [name, Number(given[name] ?? SIZES[name])])) as unknown as Sizes;
const only = given['only']?.split(',');
const unknown = only?.filter((name) => !PARTS.some((part) => part.name === name)) ?? [];
if (unknown.length > 0) throw new Error(`no part ${unknown.join(', ')}; there are ${PARTS.map(({ name }) => name).join(', ')}`);

let broken = 0;
console.log(`seed ${sizes.seed}\n\n| Promise | Limit | Measured | Kept |\n| --- | --- | --- | --- |`);
try {
  for (const part of PARTS) {
    if (only && !only.includes(part.name)) continue;
    for await (const { promise, limit, measured, isKept } of part.rows(sizes)) {
      if (!isKept) broken++;
      console.log(`| ${promise} | ${limit} | ${measured} | ${isKept ? 'ok' : '**failed**'} |`);
    }
  }
} finally {
  await killAll();
}
process.exitCode = broken > 0 ? 1 : 0;
