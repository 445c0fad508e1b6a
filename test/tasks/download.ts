// node test/tasks/download.ts: the memory that a video of a gigabyte takes, on its way in and on its way out.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { killAll, startServer } from '../e2e/program.ts';
import { json, startUpstream } from '../fakes/upstream.ts';

const GIB = 1024 * 1024 * 1024;
const PIECE = Buffer.alloc(256 * 1024, 7);
const KEY = 'pk-first-0123456789abcdef';
const MIB = 1024 * 1024;

const rssOf = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;

/** The most that a process takes while work is done, over what it took before. */
async function growth(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = rssOf(pid);
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, rssOf(pid))), 20);
  await work();
  clearInterval(timer);
  return (most - before) / MIB;
}

/** The next film's size: the first is small, so that what is loaded with a first use does not count. */
let size = 1024 * 1024;

function film(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': size });
  let left = size;
  const more = (): void => {
    while (left > 0) {
      left -= PIECE.length;
      if (!response.write(PIECE)) return void response.once('drain', more);
    }
    response.end();
  };
  more();
}

const home = await mkdtemp(join(tmpdir(), 'pailou-download-'));
const upstream = await startUpstream((seen, response) => {
  if (/variant=/.test(seen.path)) return json({}, 404)(seen, response);
  if (seen.path.endsWith('/content')) return film(response);
  const status = seen.method === 'POST' ? 'queued' : 'completed';
  return json({ id: 'video_1', object: 'video', status, model: 'sora-2' })(seen, response);
});
try {
  const config = {
    version: 1,
    keys: [{ name: 'k', value: KEY }],
    providers: { openai: { preset: 'openai', baseUrl: upstream.url, key: 'k' } },
    log: { level: 'error' },
  };
  await writeFile(join(home, 'pailou.json'), JSON.stringify(config), { mode: 0o600 });
  const server = await startServer(['--config', join(home, 'pailou.json'), '--data', join(home, 'data')], home);
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  const call = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${server.url}/v1/videos${path}`, { headers, ...init });
  const make = async (): Promise<string> => {
    const { id } = (await (await call('', { method: 'POST', body: '{"model":"openai/sora-2","prompt":"x"}' })).json()) as { id: string };
    for (;;) {
      const { status } = (await (await call(`/${id}`)).json()) as { status: string };
      if (status === 'completed') return id;
      if (status === 'failed') throw new Error('the video failed');
      await sleep(50);
    }
  };
  const pid = server.child.pid ?? 0;
  await sleep(1000);
  await (await call(`/${await make()}/content`)).arrayBuffer();
  size = GIB;
  let id = '';
  const inward = await growth(pid, async () => (id = await make()));
  const outward = await growth(pid, async () => {
    let bytes = 0;
    const answer = await call(`/${id}/content`);
    for await (const piece of answer.body ?? []) bytes += (piece as Uint8Array).length;
    if (bytes !== GIB) throw new Error(`${bytes} bytes came`);
  });
  // A reader that does not read holds the file back, not the server's memory.
  const stalled = await growth(pid, async () => {
    const answer = await call(`/${id}/content`);
    await sleep(3000);
    await answer.body?.cancel();
  });
  console.log(
    `1 GiB: ${inward.toFixed(1)} MiB on its way in, ${outward.toFixed(1)} MiB on its way out, ${stalled.toFixed(1)} MiB for a reader that does not read`,
  );
  process.exitCode = Math.max(inward, outward, stalled) < 64 ? 0 : 1;
} finally {
  await killAll();
  await upstream.close();
  await rm(home, { recursive: true, force: true });
}
