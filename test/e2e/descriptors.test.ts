import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { messages } from '../exchange/dialects.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { type Gateway, KEY, startGateway } from '../stress/gateway.ts';
import { paced, settings } from '../stress/paced.ts';
import { type Got, talk } from '../stress/talk.ts';
import { killAll } from './program.ts';

const EVENTS = 40;
const HELD = 60;
/** Of util-linux. https://man7.org/linux/man-pages/man1/prlimit.1.html */
const PRLIMIT = 'prlimit';
const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0;

let upstream: FaultUpstream;
let gateway: Gateway;
const agent = new Agent({ keepAlive: true });
const sockets: Socket[] = [];
beforeAll(async () => {
  upstream = await startFaultUpstream(paced(EVENTS, 50));
  gateway = await startGateway({ oai: settings(upstream.url) }, true);
});
afterAll(async () => {
  for (const one of [agent, ...sockets]) one.destroy();
  await gateway.stop();
  await upstream.close();
  await killAll();
});

const call = (): Promise<Got> =>
  talk({ url: gateway.url + messages.path('oai/up', true), agent, body: JSON.stringify(messages.body('oai/up', true)) });

const isWell = (): Promise<boolean> =>
  fetch(`${gateway.url}/livez`).then(
    ({ ok }) => ok,
    () => false,
  );

it.runIf(process.platform === 'linux' && has(PRLIMIT))(
  'a server that can open no file goes on with what it has, and is well afterwards',
  { timeout: 30_000 },
  async () => {
    const stream = call();
    await expect.poll(() => upstream.tries.length).toBe(1);
    const pid = String(gateway.program.child.pid);
    const limit = readdirSync(`/proc/${pid}/fd`).length + 5;
    expect(spawnSync(PRLIMIT, ['--pid', pid, `--nofile=${limit}:${limit}`]).status).toBe(0);
    for (let held = 0; held < HELD; held++) {
      const socket = connect({ port: Number(new URL(gateway.url).port), host: '127.0.0.1' });
      socket.on('error', () => {});
      sockets.push(socket);
      await once(socket, 'connect');
    }
    const ended = await stream;
    expect([ended.status, ended.isWhole]).toEqual([200, true]);
    expect(ended.text).toContain('message_stop');
    for (const socket of sockets) socket.destroy();
    await expect.poll(isWell, { timeout: 10_000 }).toBe(true);
    expect((await call()).status).toBe(200);
    expect(gateway.program.out.stderr).not.toContain(KEY);
  },
);
