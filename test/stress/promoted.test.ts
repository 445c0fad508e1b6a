// What a call had goes with it, at the next small collection: V8 keeps for the next large one what hangs on something old that is dead
// (a getter or a class in each call can do that), and then every stream costs twice.
import { Agent } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { providersAt } from '../fakes/fault-families.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { LANES, markOf, stamped } from './lanes.ts';
import { inParallel } from './part.ts';
import { timed } from './timed.ts';

const EVENTS = 40;
const WARM = 120;
const CALLS = 200;
/** Where it all stays a call leaves 30 KiB and more; V8's own notes on code that runs are some. */
const LIMIT_KIB = 10;
const TELLS_PROMOTED = { NODE_OPTIONS: `--expose-gc --import=${new URL('tell-promoted.ts', import.meta.url).href}` };

let upstream: FaultUpstream;
let gateway: Gateway;
const agent = new Agent({ keepAlive: true });
beforeAll(async () => {
  upstream = await startFaultUpstream(stamped(EVENTS, 0));
  gateway = await startGateway(providersAt(upstream.url), false, TELLS_PROMOTED);
});
afterAll(async () => {
  agent.destroy();
  await gateway.stop();
  await upstream.close();
});

const NAMES = new Set([
  'openai-chat ← anthropic-messages',
  'openai-responses ← openai-chat',
  'anthropic-messages ← openai-chat',
  'gemini ← openai-chat',
  'speech',
  'speech, streamed',
  'transcription, streamed',
  'image edits, streamed',
  'images, streamed',
]);

it.each(LANES.filter(({ name }) => NAMES.has(name)))('$name', { timeout: 60_000 }, async (lane) => {
  const ask = async (many: number): Promise<void> => {
    const jobs = Array.from({ length: many }, () => async () => {
      const { wrong } = await timed(gateway.url, lane.ask(markOf(lane)), EVENTS, agent, lane);
      expect(wrong).toBeUndefined();
    });
    await inParallel(jobs, 4);
  };
  await ask(WARM);
  const before = await gateway.held();
  await ask(CALLS);
  expect(((await gateway.held()) - before) / CALLS).toBeLessThan(LIMIT_KIB);
});
