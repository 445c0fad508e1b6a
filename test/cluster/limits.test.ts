import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { leaveHome, newHome } from '../e2e/program.ts';
import { type Answer, type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import { chatBody, chatReply, type CrewServer, type OneConnection, oneConnection, PATIENT, startCrew, toEach, twoWorkers } from './crew.ts';

const REPLY = chatReply('Yes');

let home: string;
let upstream: FakeUpstream;
let spare: FakeUpstream;
beforeEach(async () => {
  home = await newHome('crew');
  upstream = await startUpstream(json(REPLY));
  spare = await startUpstream(json(REPLY));
});
afterEach(async () => {
  await leaveHome(home);
  await Promise.all([upstream.close(), spare.close()]);
});

const providers = (more = ''): string =>
  `providers:
  up: { preset: ollama, baseUrl: "${upstream.url}", protocols: [openai-chat]${more} }
  spare: { preset: ollama, baseUrl: "${spare.url}", protocols: [openai-chat] }
models: { both: { targets: [{ to: up/m }, { to: spare/m, order: 2 }] } }`;

const call = (by: OneConnection, model = 'up/m') => by.send('POST', '/v1/chat/completions', chatBody(model));

/** An upstream that holds what it is asked until it is let go, and knows how many it had at once. */
function holding() {
  const held: ServerResponse[] = [];
  const facts = { most: 0, now: 0 };
  let waiting: number | undefined;
  const letGo = (response: ServerResponse): void => {
    if (!response.destroyed) json(REPLY)({} as Parameters<Answer>[0], response);
  };
  const answer: Answer = (request, response) => {
    // Lists of models are asked for as well.
    if (request.method === 'GET') return json({ data: [] })(request, response);
    facts.now += 1;
    facts.most = Math.max(facts.most, facts.now);
    response.on('close', () => (facts.now -= 1));
    if (waiting === undefined) held.push(response);
    else setTimeout(letGo, waiting, response);
  };
  return {
    facts,
    answer,
    /** From now on each is answered after some milliseconds. */
    flow(ms: number) {
      waiting = ms;
      for (const response of held.splice(0)) letGo(response);
    },
  };
}

const callsTo = ({ seen }: FakeUpstream): number => seen.filter(({ method }) => method === 'POST').length;

const LIMIT = 5;

describe('a limit on calls at once', () => {
  let server: CrewServer;
  beforeEach(async () => {
    server = await startCrew(home, providers(`, concurrency: ${LIMIT}`));
  });

  it('is never passed by all workers together, and used up', async () => {
    const held = holding();
    held.flow(10);
    upstream.answer = held.answer;
    const connections = (await toEach(server, 20)).flat();
    const replies = await Promise.all(
      connections.map(async (one) => {
        const statuses = [];
        for (let round = 0; round < 5; round++) statuses.push((await call(one)).status);
        return statuses;
      }),
    );
    expect(new Set(replies.flat())).toEqual(new Set([200]));
    expect(callsTo(upstream)).toBe(200);
    expect(held.facts.most).toBe(LIMIT);
    expect([...server.answered().values()].map((count) => count > 80)).toEqual([true, true]);
    for (const one of connections) one.close();
  });

  it('has the places of a worker that dies for the others', async () => {
    const held = holding();
    upstream.answer = held.answer;
    const mine = (await toEach(server, LIMIT)).flat();
    const settled = Promise.allSettled(mine.map((connection) => call(connection)));
    await expect.poll(() => held.facts.now).toBe(LIMIT);
    const dying = server.pidOf(1);
    process.kill(dying, 'SIGKILL');
    // What comes to its own listeners until it is gone goes with it.
    await vi.waitFor(() => expect(() => process.kill(dying, 0)).toThrow('ESRCH'), { timeout: 10_000 });
    held.flow(0);
    const results = await settled;
    expect(results.filter((result) => result.status === 'fulfilled').length).toBeGreaterThanOrEqual(LIMIT);
    expect(held.facts.most).toBe(LIMIT);
    const later = oneConnection(server.url);
    expect((await call(later)).status).toBe(200);
    for (const connection of [...mine, later]) connection.close();
  });

  it('is kept by shares while nobody counts for all of them', async () => {
    const held = holding();
    upstream.answer = held.answer;
    const connections = (await toEach(server, 10)).flat();
    server.child.kill('SIGSTOP');
    const calls = Promise.all(connections.map((one) => call(one)));
    await expect.poll(() => held.facts.now, { timeout: 15_000 }).toBe(LIMIT);
    held.flow(5);
    expect(new Set((await calls).map(({ status }) => status))).toEqual(new Set([200]));
    expect(held.facts.most).toBe(LIMIT);
    server.child.kill('SIGCONT');
    await expect.poll(async () => (await call(connections[0] as OneConnection)).status).toBe(200);
    expect(held.facts.most).toBe(LIMIT);
    for (const one of connections) one.close();
  });
});

it('a provider that lets nobody wait is passed by, whichever worker is asked', async () => {
  const server = await startCrew(home, providers(`, concurrency: ${LIMIT}, queue: off`));
  const held = holding();
  held.flow(10);
  upstream.answer = held.answer;
  const connections = (await toEach(server, 20)).flat();
  const statuses = await Promise.all(
    connections.map(async (one) => {
      const got = [];
      for (let round = 0; round < 5; round++) got.push((await call(one, 'both')).status);
      return got;
    }),
  );
  expect(new Set(statuses.flat())).toEqual(new Set([200]));
  expect(held.facts.most).toBeLessThanOrEqual(LIMIT);
  expect(held.facts.most).toBeGreaterThan(1);
  expect(callsTo(spare)).toBeGreaterThan(0);
  for (const one of connections) one.close();
});

describe('a limit on requests in a minute', () => {
  const RPM = 25;
  const start = (): Promise<CrewServer> => startCrew(home, providers(`, rpm: ${RPM}`));

  it('is never passed by all workers together, and used up; all of them know when there is room', async () => {
    const server = await start();
    const connections = (await toEach(server, 10)).flat();
    const replies = (await Promise.all(connections.flatMap((one) => [call(one), call(one)]))).map(({ status }) => status);
    expect(replies.filter((status) => status === 200).length).toBe(RPM);
    expect(replies.filter((status) => status === 429).length).toBe(40 - RPM);
    expect(callsTo(upstream)).toBe(RPM);
    const refused = await Promise.all(connections.map((one) => call(one)));
    expect(new Set(refused.map(({ headers }) => Number(headers['retry-after']) > 30))).toEqual(new Set([true]));
    // What is full there is gone past, before it is asked for in vain.
    for (const one of connections.slice(0, 1).concat(connections.slice(-1))) {
      const reply = await call(one, 'both');
      expect(reply.headers).toMatchObject({ 'x-pailou-served-by': 'spare/m', 'x-pailou-attempts': '1' });
    }
    expect(callsTo(upstream)).toBe(RPM);
    for (const one of connections) one.close();
  });

  it('is kept by shares while nobody counts for all of them, and what was sent then is counted after it', async () => {
    const server = await start();
    const connections = (await toEach(server, 20)).flat();
    server.child.kill('SIGSTOP');
    const replies = await Promise.all(connections.map((one) => call(one))).finally(() => server.child.kill('SIGCONT'));
    expect(replies.filter(({ status }) => status === 200).length).toBe(RPM);
    expect(callsTo(upstream)).toBe(RPM);
    await expect.poll(async () => (await call(connections[0] as OneConnection)).status).toBe(429);
    expect((await Promise.all(connections.map((one) => call(one)))).every(({ status }) => status === 429)).toBe(true);
    expect(callsTo(upstream)).toBe(RPM);
    for (const one of connections) one.close();
  });

  it('counts what a worker sent that has died', async () => {
    const server = await start();
    const connections = (await toEach(server, 10)).flat();
    await Promise.all(connections.map((one) => call(one)));
    for (const one of connections) one.close();
    const dying = server.pidOf(1);
    process.kill(dying, 'SIGKILL');
    await vi.waitFor(() => expect(() => process.kill(dying, 0)).toThrow('ESRCH'), { timeout: 10_000 });
    await expect.poll(() => server.workers().size, { timeout: 10_000 }).toBe(2);
    const later = (await toEach(server, 5)).flat();
    const statuses = (await Promise.all(later.map((one) => call(one)))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBe(RPM - 20);
    expect(callsTo(upstream)).toBe(RPM);
    for (const one of later) one.close();
  });
});

it('a limit on tokens in a minute counts what was reported to any worker', async () => {
  upstream.answer = json({ ...REPLY, usage: { prompt_tokens: 990, completion_tokens: 10, total_tokens: 1000 } });
  const server = await startCrew(home, providers(', tpm: 2600'));
  const pair = await twoWorkers(server);
  // Each is expected to take about 500, and turns out to have taken 1000.
  const statuses = [];
  for (const one of [...pair, ...pair]) {
    statuses.push((await call(one)).status);
    await caughtUp(one);
  }
  expect(statuses).toEqual([200, 200, 200, 429]);
  expect(callsTo(upstream)).toBe(3);
  for (const one of pair) one.close();
});

/** Behind everything that the workers have told each other. */
const caughtUp = (by: OneConnection) => by.send('GET', '/v1/responses/resp_of_nobody');

describe('what one worker learns of a provider', () => {
  it('keeps the others from it as well: a target that fails', async () => {
    const server = await startCrew(home, providers(', retries: 0'));
    const [one, other] = await twoWorkers(server);
    upstream.answer = json({ error: { message: 'broken' } }, 500);
    for (let failure = 0; failure < 5; failure++) expect((await call(one, 'both')).status).toBe(200);
    const asked = callsTo(upstream);
    expect(asked).toBe(5);
    await caughtUp(other);
    expect((await call(other, 'both')).headers['x-pailou-served-by']).toContain('spare');
    expect(callsTo(upstream)).toBe(asked);
  });

  it('keeps the others from it as well: one that asks for patience', async () => {
    const server = await startCrew(home, providers(', retries: 0'));
    const [one, other] = await twoWorkers(server);
    upstream.answer = json({ error: { message: 'slow down' } }, 429, { 'retry-after': '60' });
    expect((await call(one, 'both')).status).toBe(200);
    await caughtUp(other);
    expect((await call(other, 'both')).status).toBe(200);
    expect(callsTo(upstream)).toBe(1);
  });
});

describe('what is written of tries holds in every worker', () => {
  it('a key that is never set aside is asked by each, however often it was refused', async () => {
    const server = await startCrew(home, providers(', setAside: off'));
    const [one, other] = await twoWorkers(server);
    upstream.answer = json({ error: { message: 'who are you' } }, 401);
    for (let round = 1; round <= 3; round++) {
      for (const worker of [one, other]) {
        expect((await call(worker, 'both')).headers['x-pailou-served-by']).toContain('spare');
        await caughtUp(one);
        await caughtUp(other);
      }
      expect(callsTo(upstream)).toBe(round * 2);
    }
  });

  it('a key that is set aside for a moment is asked again by each after it', async () => {
    const server = await startCrew(home, providers(', setAside: { wait: 1ms, longest: 1ms }'));
    const [one, other] = await twoWorkers(server);
    upstream.answer = json({ error: { message: 'who are you' } }, 401);
    expect((await call(one, 'both')).status).toBe(200);
    await caughtUp(other);
    await expect.poll(async () => (await call(other, 'both')).status && callsTo(upstream), { interval: 5 }).toBeGreaterThan(1);
  });

  it('so many tries of a call as are written', async () => {
    const server = await startCrew(home, providers(', retries: { wait: 0s }'), {}, `${PATIENT}, retries: { tries: 2, budget: off }`);
    const pair = await twoWorkers(server);
    upstream.answer = json({ error: { message: 'not now' } }, 429, { 'retry-after': '0' });
    for (const [index, worker] of pair.entries()) {
      expect((await call(worker, 'up/m')).headers['x-pailou-attempts']).toBe('2');
      expect(callsTo(upstream)).toBe(2 * (index + 1));
    }
  });
});

describe('what the log tells of a provider', () => {
  it('is told by one of the workers, also where several see it at the same time', async () => {
    const server = await startCrew(home, providers());
    upstream.answer = json({}, 500);
    const pair = await twoWorkers(server);
    await Promise.all(Array.from({ length: 12 }, (_, at) => call(pair[at % 2] as OneConnection)));
    const opened = (): number => server.out.stderr.split('"target":"up/m","why":"circuit_open"').length - 1;
    await expect.poll(opened).toBeGreaterThan(0);
    // What else would have been told is told before this is answered.
    for (const one of pair) expect((await call(one, 'both')).status).toBe(200);
    expect(opened()).toBe(1);
    for (const one of pair) one.close();
  });
});
