import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, leaveHome, newHome, startProgram } from '../e2e/program.ts';
import { chatBody, type CrewServer, KEY, oneConnection, type Reply, startCrew, toEach, twoWorkers } from './crew.ts';

let home: string;
beforeEach(async () => {
  home = await newHome('crew');
});
afterEach(async () => {
  await leaveHome(home);
});

const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

/** Calls that each worker has answered, the same number within a tenth. */
async function expectEven(server: CrewServer, calls: number): Promise<void> {
  await expect.poll(() => [...server.answered().values()].reduce((sum, one) => sum + one, 0)).toBe(calls);
  const counts = server.answered();
  expect(counts.size).toBe(2);
  for (const count of counts.values()) expect(Math.abs(count / (calls / 2) - 1)).toBeLessThanOrEqual(0.1 + 1e-9);
}

describe('load', () => {
  it('is split evenly over many short connections', { timeout: 60_000 }, async () => {
    const server = await startCrew(home);
    for (let round = 0; round < 30; round++) {
      const connections = Array.from({ length: 20 }, () => oneConnection(server.url));
      const replies = await Promise.all(connections.map((one) => one.send('POST', '/v1/chat/completions', chatBody('sandbox/chat'))));
      expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
      for (const one of connections) one.close();
    }
    await expectEven(server, 600);
  });

  it('is split evenly over connections that stay: of those that are too many at one, some come again', { timeout: 60_000 }, async () => {
    const server = await startCrew(home);
    const connections = Array.from({ length: 40 }, () => oneConnection(server.url));
    const calls = (): Promise<readonly Reply[]> =>
      Promise.all(connections.map((one) => one.send('POST', '/v1/chat/completions', chatBody('sandbox/chat'))));
    const split = async (): Promise<number> => {
      const before = server.answered();
      const replies = await calls();
      expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
      const taken = (worker: number): number => (server.answered().get(worker) ?? 0) - (before.get(worker) ?? 0);
      await expect.poll(() => taken(1) + taken(2)).toBe(40);
      return taken(1);
    };
    await expect.poll(split, { timeout: 20_000 }).toSatisfy((taken: number) => taken >= 18 && taken <= 22);
    // And so it stays.
    const later: number[] = [];
    for (let round = 0; round < 10; round++) later.push(await split());
    const share = later.reduce((sum, one) => sum + one, 0) / (40 * later.length);
    expect(Math.abs(share / 0.5 - 1)).toBeLessThanOrEqual(0.1 + 1e-9);
    for (const one of connections) one.close();
  });
});

describe('the process that watches over the workers', () => {
  it('tells them to end, and breaks no stream', async () => {
    const server = await startCrew(home);
    const streams = await Promise.all(Array.from({ length: 50 }, () => ask(server.url, KEY, 'sandbox/slow', true)));
    const pids = [...server.workers().values()];
    server.child.kill('SIGTERM');
    // A service manager and a terminal tell all of them.
    for (const pid of pids) process.kill(pid, 'SIGTERM');
    const texts = await Promise.all(streams.map((stream) => stream.text()));
    const lastAt = performance.now();
    for (const text of texts) expect(text).toMatch(/data: \[DONE\]\s*$/);
    expect(await server.ended).toBe(0);
    expect(performance.now() - lastAt).toBeLessThan(4000);
    expect(pids.map(isGone)).toEqual([true, true]);
    expect(server.out.stderr).not.toMatch(/"level":"(warn|error)"/);
  });

  it('ends them at once on another signal', async () => {
    const server = await startCrew(home);
    const stuck = await ask(server.url, KEY, 'sandbox/stall-after-1', true);
    const pids = [...server.workers().values()];
    server.child.kill('SIGTERM');
    await sleep(1050);
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(130);
    await expect(stuck.text()).rejects.toThrow();
    await expect.poll(() => pids.map(isGone)).toEqual([true, true]);
  });

  it('takes them with it when it is killed', async () => {
    const server = await startCrew(home);
    const pids = [...server.workers().values()];
    expect(pids).toHaveLength(2);
    server.child.kill('SIGKILL');
    await server.ended;
    await expect.poll(() => pids.map(isGone)).toEqual([true, true]);
  });

  it('says what keeps them from starting, once', async () => {
    const server = await startCrew(home);
    const { port } = new URL(server.url);
    const second = startProgram(['--port', port, '--data', join(home, 'data'), '--config', join(home, 'pailou.yaml')], home);
    expect(await second.ended).toBe(1);
    expect(second.out.stderr.match(new RegExp(port, 'g'))?.length).toBeGreaterThan(0);
    expect(second.out.stderr).not.toContain('    at ');
  });
});

describe('a worker that dies', () => {
  it('takes its own calls with it only, and another stands in its place at once', async () => {
    const server = await startCrew(home);
    const connections = (await toEach(server, 5)).flat();
    const streams = connections.map((one) => one.send('POST', '/v1/chat/completions', chatBody('sandbox/slow', true)));
    const settled = Promise.allSettled(streams);
    await sleep(100);
    const [dead, alive] = [server.pidOf(1), server.pidOf(2)];
    process.kill(dead, 'SIGKILL');
    const killedAt = performance.now();
    await expect.poll(() => server.workers().get(1) ?? dead, { interval: 10 }).not.toBe(dead);
    // Two seconds on a machine that does nothing else: those that test are busy.
    expect(performance.now() - killedAt).toBeLessThan(6000);
    const results = await settled;
    const isWhole = (one: PromiseSettledResult<Reply>): boolean => one.status === 'fulfilled' && /data: \[DONE\]\s*$/.test(one.value.text);
    expect(results.map(isWhole)).toEqual([...Array<boolean>(5).fill(false), ...Array<boolean>(5).fill(true)]);
    expect(server.pidOf(2)).toBe(alive);
    for (let call = 0; call < 10; call++) expect((await ask(server.url, KEY)).status).toBe(200);
    expect(server.out.stderr).toMatch(/"worker":1,"pid":\d+,"code":null,"signal":"SIGKILL","msg":"A worker has ended/);
    for (const one of connections) one.close();
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(0);
  });

  it('again and again ends the program with an error', async () => {
    const server = await startCrew(home);
    const killer = setInterval(() => {
      const pid = server.workers().get(2);
      if (pid !== undefined && !isGone(pid)) process.kill(pid, 'SIGKILL');
    }, 10);
    expect(await server.ended).toBe(1);
    clearInterval(killer);
    expect(server.out.stderr).toMatch(/Pailou cannot go on and ends: worker 2 ended 6 times in a row/);
  });
});

describe('another configuration', () => {
  const statuses = async (server: CrewServer, model: string): Promise<readonly number[]> => {
    const pair = await twoWorkers(server);
    const replies = [];
    for (const one of pair) replies.push((await one.send('POST', '/v1/chat/completions', chatBody(model))).status);
    for (const one of pair) one.close();
    return replies;
  };

  it('is in force in all of them, also in one that comes later', async () => {
    const server = await startCrew(home);
    expect(await statuses(server, 'mine')).toEqual([404, 404]);
    server.configure('models: { mine: sandbox/echo }');
    await expect.poll(() => statuses(server, 'mine')).toEqual([200, 200]);
    const dead = server.pidOf(1);
    process.kill(dead, 'SIGKILL');
    await expect.poll(() => server.workers().get(1) ?? dead).not.toBe(dead);
    expect(await statuses(server, 'mine')).toEqual([200, 200]);
  });

  it('loses no call on the way', async () => {
    const server = await startCrew(home);
    const connections = Array.from({ length: 8 }, () => oneConnection(server.url));
    const over = new AbortController();
    const failed: number[] = [];
    const calling = connections.map(async (one) => {
      while (!over.signal.aborted) {
        const { status } = await one.send('POST', '/v1/chat/completions', chatBody('sandbox/chat'));
        if (status !== 200) failed.push(status);
      }
    });
    for (let round = 0; round < 5; round++) {
      server.configure(`models: { mine${round}: sandbox/echo }`);
      await expect.poll(() => statuses(server, `mine${round}`)).toEqual([200, 200]);
    }
    over.abort();
    await Promise.all(calling);
    expect(failed).toEqual([]);
    for (const one of connections) one.close();
  });

  it('that cannot be used is in force in none', async () => {
    const server = await startCrew(home);
    server.configure('models: { mine: sandbox/echo }\nprovders: {}');
    await server.until('stderr', /cannot be used[\s\S]*providers/);
    expect(await statuses(server, 'mine')).toEqual([404, 404]);
    expect(await statuses(server, 'sandbox/chat')).toEqual([200, 200]);
  });
});
