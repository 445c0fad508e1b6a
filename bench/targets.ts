import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scenario } from './scenarios.ts';

const KEY = 'pk-bench-0123456789abcdef';
const root = join(import.meta.dirname, '..');

/** Something that stands between load and upstream. */
export interface TargetKind {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  modelFor(scenario: Scenario): string;
  takes(scenario: Scenario): boolean;
  /** What it finds in its environment besides what is there. */
  readonly env?: Readonly<Record<string, string>>;
  /** The program, its files written below `folder`. */
  command(port: number, upstream: number, folder: string): readonly [string, ...string[]];
}

const nginxConf = (port: number, upstream: number, folder: string): string => `
worker_processes 1; worker_rlimit_nofile 20000; daemon off; pid ${folder}/pid; error_log ${folder}/error.log crit;
events { worker_connections 8192; }
http {
  access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  client_body_buffer_size 256k; keepalive_requests 1000000; keepalive_timeout 300s;
  upstream mock { server 127.0.0.1:${upstream}; keepalive 1024; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_read_timeout 300s; }
  }
}`;

/** A plain reverse proxy in C: the yardstick. */
export const nginx: TargetKind = {
  name: 'nginx',
  headers: { authorization: `Bearer ${KEY}` },
  modelFor: (scenario) => scenario.model,
  takes: (scenario) => scenario.same,
  command(port, upstream, folder) {
    writeFileSync(join(folder, 'nginx.conf'), nginxConf(port, upstream, folder));
    const user = process.getuid?.() === 0 ? ['-g', 'user root;'] : [];
    return ['nginx', '-c', join(folder, 'nginx.conf'), ...user];
  },
};

/** Pailou as a user runs it: keys checked, calls journalled, usage counted. */
export const pailouWith = (workers: number): TargetKind => ({
  name: workers === 1 ? 'pailou' : `pailou, ${workers} workers`,
  headers: { authorization: `Bearer ${KEY}` },
  modelFor: (scenario) => `${scenario.provider}/${scenario.model}`,
  takes: () => true,
  // As scripts/run.js says it to what `npm start` runs.
  env: { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'pailou') },
  command(port, upstream, folder) {
    const at = `http://127.0.0.1:${upstream}`;
    const config = {
      version: 1,
      server: { host: '127.0.0.1', workers },
      keys: [{ name: 'bench', value: KEY }],
      // On a busy machine it would be refusals that are measured.
      limits: { overload: { shed: 'off' } },
      providers: {
        oa: { preset: 'openai', baseUrl: `${at}/v1`, key: 'sk-bench', protocols: ['openai-chat'] },
        an: { preset: 'anthropic', baseUrl: at, key: 'sk-bench' },
        ge: { preset: 'gemini', baseUrl: at, key: 'sk-bench', protocols: ['gemini'] },
      },
    };
    writeFileSync(join(folder, 'pailou.json'), JSON.stringify(config));
    const main = join(root, 'src/main.ts');
    return [process.execPath, main, '--config', join(folder, 'pailou.json'), '--data', join(folder, 'data'), '--port', String(port)];
  },
});

export const pailou = pailouWith(1);

/** Whether a program is on the PATH. */
export const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/** A started target. */
export interface Running {
  readonly kind: TargetKind;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Puts a command on one CPU, where the machine has several and `taskset`. */
const pinned = (command: readonly [string, ...string[]], cpu: number, pin: boolean): readonly [string, ...string[]] =>
  pin ? ['taskset', '-c', String(cpu), ...command] : command;

/** Starts a target; it may not listen yet. */
export async function start(kind: TargetKind, upstream: number, pin: boolean): Promise<Running> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'pailou-bench-'));
  const [program, ...args] = pinned(kind.command(port, upstream, folder), 0, pin);
  const child: ChildProcess = spawn(program, args, { stdio: 'ignore', env: { ...kind.env, ...process.env } });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    kind,
    port,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(force);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
