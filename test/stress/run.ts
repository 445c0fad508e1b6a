// npm run test:stress: the promises of reliability that need long runs, each with its number, as rows of a table.
// `--only streams,memory`: some parts. `--write`: what was found goes into measured.json and the pages, in place of what these parts
// found before; with `--only none` the pages are only made anew. The sizes of a run are arguments as well: see SIZES. Tasks under kill -9: npm run test:tasks.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatPage } from '../../scripts/format-page.ts';
import { killAll } from '../e2e/program.ts';
import { bounds } from './bounds.ts';
import { cancellation } from './cancellation.ts';
import { edge } from './edge.ts';
import { endings } from './endings.ts';
import { failures } from './failures.ts';
import { framing } from './framing.ts';
import { hole } from './hole.ts';
import { hostile } from './hostile.ts';
import { life } from './life.ts';
import { memory } from './memory.ts';
import { once } from './once.ts';
import { mixed, overload } from './overload.ts';
import type { Measured, Part, Sizes } from './part.ts';
import { patterns } from './patterns.ts';
import { retry } from './retry.ts';
import { streams } from './streams.ts';
import { type Kept, merged, told, withTables } from './table.ts';
import { time } from './time.ts';
import { waits } from './waits.ts';

const PARTS: readonly Part[] = [
  streams,
  framing,
  failures,
  endings,
  time,
  cancellation,
  waits,
  hole,
  retry,
  once,
  memory,
  overload,
  mixed,
  life,
  hostile,
  edge,
  bounds,
  patterns,
];
const SIZES: Sizes = {
  events: 1_000_000,
  seed: Date.now() % 100_000,
  requests: 100_000,
  streams: 1000,
  clients: 200,
  cuts: 1000,
  bodies: 10_000,
};
const ROOT = join(import.meta.dirname, '..', '..');
const MEASURED = join(import.meta.dirname, 'measured.json');

const names = Object.keys(SIZES) as (keyof Sizes)[];
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    write: { type: 'boolean' },
    ...Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
  },
});
const given = values as Readonly<Record<string, string | undefined>>;
const sizes = Object.fromEntries(names.map((name) => [name, Number(given[name] ?? SIZES[name])])) as unknown as Sizes;
const only = given['only']?.split(',');
const unknown = only?.filter((name) => name !== 'none' && !PARTS.some((part) => part.name === name)) ?? [];
if (unknown.length > 0) throw new Error(`no part ${unknown.join(', ')}; there are ${PARTS.map(({ name }) => name).join(', ')}`);

function write(rows: readonly Measured[]): void {
  const before = JSON.parse(readFileSync(MEASURED, 'utf8')) as Kept;
  const plain = rows.map(({ detail: _detail, ...row }) => row);
  const kept = merged(before, plain, rows.length > 0 ? new Date().toISOString().slice(0, 10) : before.at);
  writeFileSync(MEASURED, formatPage('test/stress/measured.json', JSON.stringify(kept)));
  for (const [page, language] of [
    ['docs/reliability.md', 'en'],
    ['docs/reliability.zh-CN.md', 'zh'],
  ] as const) {
    const file = join(ROOT, page);
    writeFileSync(file, formatPage(page, withTables(readFileSync(file, 'utf8'), kept, language)));
  }
}

let broken = 0;
const rows: Measured[] = [];
console.log(`seed ${sizes.seed}\n\n| Promise | Limit | Measured | Of | |\n| --- | --- | --- | --- | --- |`);
try {
  for (const part of PARTS) {
    if (only && !only.includes(part.name)) continue;
    for await (const row of part.rows(sizes)) {
      if (!row.isKept) broken++;
      if ('value' in row) {
        rows.push(row);
        console.log(told(row));
      } else console.log(`| ${row.promise} | ${row.limit} | ${row.measured} | | ${row.isKept ? 'kept' : '**broken**'} |`);
    }
  }
} finally {
  await killAll();
}
if (given['write']) write(rows);
process.exitCode = broken > 0 ? 1 : 0;
