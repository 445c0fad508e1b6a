import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { testConfig } from '../test/server.ts';
import type * as overloads from './http/overload.ts';
import { createServe } from './serve.ts';

type Running = Awaited<ReturnType<ReturnType<typeof createServe>>>;

/** What the server finds when it looks, what it was told to do of it, and its own door. */
const seen = vi.hoisted(() => ({
  turn: { elapsedMs: 20, busy: 0.3, ranMs: 6 },
  memory: 0.1,
  now: 0,
  looks: 0,
  collected: [] as boolean[],
  door: undefined as overloads.Overload | undefined,
}));

vi.mock('./small-memory.ts', () => ({ keepMemorySmall: () => undefined, collectLess: (is: boolean) => void seen.collected.push(is) }));

// The gauges of a machine that nobody has to bring to its knees; all else is the server's own.
vi.mock('./http/overload.ts', async (original) => {
  const real = await original<typeof overloads>();
  const gauges: overloads.Gauges = {
    now() {
      seen.looks += 1;
      return (seen.now += seen.turn.elapsedMs);
    },
    busy: () => seen.turn.busy,
    ran: () => seen.turn.ranMs,
    waited: () => 0,
    memory: () => seen.memory,
  };
  const createOverload: typeof real.createOverload = (settings, onShedding) =>
    (seen.door = real.createOverload(settings, onShedding, gauges));
  return { ...real, createOverload };
});

const CALM = { elapsedMs: 20, busy: 0.3, ranMs: 6 };
const LATE = { elapsedMs: 200, busy: 1, ranMs: 200 };

let folder: string;
let server: Running;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pailou-serve-'));
  Object.assign(seen, { turn: CALM, memory: 0.1 });
  const config = testConfig();
  server = await createServe({ env: {}, writeLog: () => undefined, onSettled: () => undefined })({
    config: {
      ...config,
      server: { ...config.server, port: 0 },
      limits: { ...config.limits, overload: { ...config.limits.overload, shed: true } },
    },
    data: folder,
  });
  seen.collected.length = 0;
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** Each look finds more that have come, until the server is told so. */
async function flood(): Promise<void> {
  for (let many = 50; seen.collected.length === 0; many *= 1.3) {
    const { looks } = seen;
    expect(many).toBeLessThan(1e6);
    for (let one = 0; one < many; one += 1) seen.door?.enter('a');
    await expect.poll(() => seen.looks, { interval: 1 }).toBeGreaterThan(looks);
  }
}

it('collects less while a flood is refused, and as before when it is over', async () => {
  seen.turn = LATE;
  await flood();
  expect(seen.collected).toEqual([true]);
  seen.turn = CALM;
  await expect.poll(() => seen.collected, { interval: 5 }).toEqual([true, false]);
});

it('does not collect less while calls are refused for want of memory', async () => {
  seen.memory = 2;
  await flood();
  expect(seen.collected).toEqual([false]);
});
