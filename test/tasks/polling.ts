// node test/tasks/polling.ts: what 500 tasks cost while nothing happens but that they are asked about.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { killAll, startServer } from '../e2e/program.ts';
import { startVideoUpstream } from '../fakes/videos.ts';

const TASKS = 500;
const SECONDS = Number(process.argv[2] ?? 60);
const KEY = 'pk-first-0123456789abcdef';

/** CPU seconds of a process. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const home = await mkdtemp(join(tmpdir(), 'pailou-polling-'));
const upstream = await startVideoUpstream();
upstream.polls = Infinity;
try {
  const config = {
    version: 1,
    keys: [{ name: 'k', value: KEY }],
    providers: { openai: { preset: 'openai', baseUrl: upstream.url, key: 'k' } },
    log: { level: 'error' },
  };
  await writeFile(join(home, 'pailou.json'), JSON.stringify(config), { mode: 0o600 });
  const server = await startServer(['--config', join(home, 'pailou.json'), '--data', join(home, 'data')], home);
  const submit = async (index: number): Promise<void> => {
    const body = JSON.stringify({ model: 'openai/sora-2', prompt: `film ${index}` });
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
    const answer = await fetch(`${server.url}/v1/videos`, { method: 'POST', body, headers });
    if (answer.status !== 200) throw new Error(await answer.text());
  };
  for (let at = 0; at < TASKS; at += 25) await Promise.all(Array.from({ length: 25 }, (_, index) => submit(at + index)));
  await sleep(5000);
  const pid = server.child.pid ?? 0;
  const [cpu, asked, started] = [cpuSeconds(pid), upstream.seen.length, performance.now()];
  await sleep(SECONDS * 1000);
  const seconds = (performance.now() - started) / 1000;
  const share = ((cpuSeconds(pid) - cpu) / seconds) * 100;
  console.log(
    `${TASKS} tasks: ${share.toFixed(2)} % of a core, ${((upstream.seen.length - asked) / seconds).toFixed(1)} questions a second`,
  );
  process.exitCode = share < 2 ? 0 : 1;
} finally {
  await killAll();
  await upstream.close();
  await rm(home, { recursive: true, force: true });
}
