import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Dialect, DIALECTS, messages } from '../exchange/dialects.ts';
import { leaveHome, newHome } from '../e2e/program.ts';
import { type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import { chatReply, type CrewServer, type OneConnection, oneConnection, PATIENT, type Reply, startCrew, toEach } from './crew.ts';

const WORKERS = 2;
/** Of all workers together. */
const MOST = 40;
/** Of a worker's part, what one key may have. */
const OF_ONE_KEY = 18;
/** Ten times what there may be. */
const CROWD = 400;

/** A model that answers at once. */
const PROBE = 'probe';

let home: string;
let upstream: FakeUpstream;
/** Answers that nobody was given yet. */
let held: ServerResponse[];
let isOver: boolean;

const REPLY = json(chatReply('Yes'));
const reply = (response: ServerResponse): void => void REPLY({} as Parameters<typeof REPLY>[0], response);

beforeEach(async () => {
  home = await newHome('crew');
  held = [];
  isOver = false;
  upstream = await startUpstream((request, response) => {
    // Lists of models are asked for as well.
    if (request.method === 'GET') return json({ data: [] })(request, response);
    if (isOver || request.body.includes(PROBE)) reply(response);
    else held.push(response);
    return undefined;
  });
});
afterEach(async () => {
  await leaveHome(home);
  await upstream.close();
});

/** All that are held are answered, and from now on all at once. */
function letGo(): void {
  isOver = true;
  for (const response of held.splice(0)) reply(response);
}

const providers = (): string => `providers: { up: { preset: ollama, baseUrl: "${upstream.url}", protocols: [openai-chat] } }`;

const dialectAt = (at: number): Dialect => DIALECTS[at % DIALECTS.length] as Dialect;
const call = (by: OneConnection, dialect: Dialect, model = 'up/m'): Promise<Reply> =>
  by.send('POST', dialect.path(model, false), dialect.body(model, false));
const probe = (by: OneConnection, dialect: Dialect): Promise<Reply> => call(by, dialect, `up/${PROBE}`);

/** In its protocol's own words, and when to come back. */
function expectRefused({ status, headers, text }: Reply, dialect: Dialect, why: string): void {
  const refusal = dialect === messages ? 529 : 503;
  expect(status).toBe(refusal);
  expect(headers['retry-after']).toMatch(/^[1-4]$/);
  expect(dialect.envelope(JSON.parse(text), refusal).message).toContain(why);
}

/** Each worker answers whoever looks after it, over a connection that it has. */
async function expectHealthy(workers: readonly OneConnection[]): Promise<void> {
  for (const one of workers)
    for (const path of ['/livez', '/readyz', '/v1/models']) expect((await one.send('GET', path)).status, path).toBe(200);
}

async function expectUnharmed(server: CrewServer, pids: readonly number[]): Promise<void> {
  expect([...server.workers().values()]).toEqual(pids);
  server.child.kill('SIGTERM');
  expect(await server.ended).toBe(0);
  expect(server.out.stderr).not.toMatch(/"level":"error"|A worker has ended/);
}

it('ten times the calls that there may be: all others are refused by every worker, and when it is over all are served', async () => {
  const server = await startCrew(home, providers(), {}, `calls: ${MOST}, ${PATIENT}`);
  const pids = [...server.workers().values()];
  const each = await toEach(server, MOST / WORKERS);
  const lookers = each.map(([one]) => one as OneConnection);
  const full = each.flatMap((those) => those.slice(1, 1 + OF_ONE_KEY)).map((one, at) => call(one, dialectAt(at)));
  await expect.poll(() => held.length).toBe(OF_ONE_KEY * WORKERS);
  const crowd = Array.from({ length: CROWD }, () => oneConnection(server.url));
  const refused = await Promise.all(crowd.map((one, at) => call(one, dialectAt(at))));
  for (const [at, one] of refused.entries()) expectRefused(one, dialectAt(at), 'limits.calls');
  await expectHealthy(lookers);
  expect(held).toHaveLength(OF_ONE_KEY * WORKERS);
  letGo();
  expect((await Promise.all(full)).map(({ status }) => status)).toEqual(full.map(() => 200));
  for (const one of [...lookers, ...crowd.slice(0, MOST / 2)]) expect((await call(one, dialectAt(0))).status).toBe(200);
  for (const one of [...crowd, ...each.flat()]) one.close();
  await expectUnharmed(server, pids);
}, 60_000);

it('workers that have more to do than they can refuse each by itself, until they can again', async () => {
  const shedding = (memory: string): string => `overload: { shed: on, delay: 60s, memory: ${memory} }`;
  const server = await startCrew(home, providers(), {}, shedding('64MiB'));
  const pids = [...server.workers().values()];
  const each = await toEach(server, 10);
  const lookers = each.map(([one]) => one as OneConnection);
  // So few are never refused: with these there are more.
  const busy = each.flatMap((those) => those.slice(1)).map((one) => call(one, dialectAt(0)));
  for (const one of lookers) {
    await expect.poll(async () => (await probe(one, messages)).text, { interval: 5 }).toContain('limits.overload.memory');
    for (const dialect of DIALECTS) expectRefused(await probe(one, dialect), dialect, 'limits.overload.memory');
  }
  await expectHealthy(lookers);
  letGo();
  await Promise.all(busy);
  server.configure(providers(), shedding('100GiB'));
  for (const one of lookers) await expect.poll(async () => (await probe(one, messages)).status).toBe(200);
  for (const one of each.flat()) one.close();
  await expectUnharmed(server, pids);
}, 60_000);
