// Every fault of an upstream at every endpoint: what the client sees, how often the upstream was asked, and by when it was over.
import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { FAMILIES, providersAt } from '../fakes/fault-families.ts';
import { type Fault, FAULTS, faultsOf } from '../fakes/faults.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { problem } from '../fakes/seen.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { KEY } from '../stress/gateway.ts';
import { talk } from '../stress/talk.ts';

const WAIT_MS = 300;
/** Far beyond what is allowed, for machines that test are busy; what waits for ever is found all the same. */
const BOUND_MS = 12_000;

let upstream: FaultUpstream;
let patient: TestServer;
let hasty: TestServer;
const agent = new Agent({ keepAlive: true });
let serial = 0;
const behaviours = new Map<string, ReturnType<Fault['behave']>>();

const markOf = (text: string): string => /case-\d+-/.exec(text)?.[0] ?? '';

beforeAll(async () => {
  upstream = await startFaultUpstream((one, response) => behaviours.get(markOf(one.text))?.(one, response));
  const withTimeouts = (timeouts: ProviderSettings['timeouts']): Record<string, ProviderSettings> =>
    Object.fromEntries(
      Object.entries(providersAt(upstream.url)).map(([name, one]) => [name, { ...one, ...(timeouts ? { timeouts } : {}) }]),
    );
  const keys = [{ name: 'stress', value: KEY }];
  patient = await startTestServer({ providers: withTimeouts(undefined), keys });
  const fast = { connect: 1000, headers: WAIT_MS, firstToken: WAIT_MS, idle: WAIT_MS, total: 4 * WAIT_MS };
  hasty = await startTestServer({ providers: withTimeouts(fast), keys });
});
afterAll(async () => {
  agent.destroy();
  await patient.close();
  await hasty.close();
  await upstream.close();
  expect([...patient.defects, ...hasty.defects]).toEqual([]);
});

describe.each(FAMILIES)('$name', (family) => {
  it.concurrent.each(faultsOf(family))('$name', async (fault) => {
    const mark = `case-${++serial}-`;
    behaviours.set(mark, fault.behave(family));
    const { path, type, body } = family.ask(mark);
    const began = performance.now();
    const got = await talk({ url: (fault.waits ? hasty : patient).url + path, type, body, agent });
    expect(problem(family, fault, got)).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(BOUND_MS);
    if (fault.hasRetryAfter && got.status === 429) expect(Number(got.headers['retry-after'])).toBeGreaterThan(30);
    const tries = upstream.tries.filter((one) => one.text.includes(mark)).length;
    // A connection that is lost as soon as it is used again is no try: the first one may be sent once more.
    expect(tries).toBeLessThanOrEqual(family.makes === 'once' || family.makes === 'kept' ? 1 : fault.outcome === 'served' ? 2 : 4);
    expect(Number(got.headers['x-pailou-attempts'] ?? 0)).toBeLessThanOrEqual(3);
  });
});

it('there are as many cases as there should be', () => {
  expect(FAMILIES.reduce((sum, family) => sum + faultsOf(family).length, 0)).toBeGreaterThan(FAMILIES.length * (FAULTS.length - 7));
});
