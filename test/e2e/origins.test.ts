// A platform's key goes to that platform only, and nobody else is told of anything: what the program connects to is written down.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { presets } from '../../src/presets/index.ts';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { type Family, FAMILIES } from '../fakes/fault-families.ts';
import { type FaultUpstream, startFaultUpstream, type Try } from '../fakes/fault-upstream.ts';
import { leaveHome, newHome, startProgram, startServer } from './program.ts';

const KEY = 'pk-key-of-this-test';

let home: string;
/** One for each provider, by its name. */
let fakes: Map<string, FaultUpstream>;

beforeEach(async () => {
  home = await newHome('origins');
  fakes = new Map();
});
afterEach(async () => {
  await leaveHome(home);
  for (const fake of fakes.values()) await fake.close();
});

const env = (): NodeJS.ProcessEnv => ({
  NODE_OPTIONS: `--import=${new URL('tell-connections.ts', import.meta.url).href}`,
  TELL_CONNECTIONS: join(home, 'connections'),
});

/** What was written down, each once. */
function connections(how: string): readonly string[] {
  const file = join(home, 'connections');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  return [...new Set(lines.filter((line) => line.startsWith(`${how} `)).map((line) => line.slice(how.length + 1)))].toSorted();
}

/** As several vendors write it. */
const LIST = JSON.stringify({ object: 'list', data: [{ id: 'up', object: 'model', type: 'model' }], models: [{ name: 'models/up' }] });

const isList = ({ path, body }: Try): boolean => body === '' && /models|health/.test(path);

const answering =
  (family: Family): FaultUpstream['behave'] =>
  (one, response) => {
    if (isList(one)) return void response.writeHead(200, { 'content-type': 'application/json' }).end(LIST);
    response.writeHead(200, { 'content-type': family.type });
    for (const piece of family.pieces) response.write(piece);
    response.end();
  };

/** The providers that have a part in a family, each as it is at its own address. */
const partsOf = ({ provider, settings, others }: Family): readonly (readonly [name: string, at: (url: string) => ProviderSettings])[] => [
  [provider, settings],
  ...Object.keys(others?.('http://127.0.0.1') ?? {}).map((name) => [name, (url: string) => others?.(url)[name] ?? settings(url)] as const),
];

async function startFakes(): Promise<void> {
  for (const family of FAMILIES) {
    for (const [name] of partsOf(family)) if (!fakes.has(name)) fakes.set(name, await startFaultUpstream(answering(family)));
  }
}

const fakeOf = (name: string): FaultUpstream => {
  const fake = fakes.get(name);
  if (!fake) throw new Error(`no fake for ${name}`);
  return fake;
};

/** A configuration with all of them; the first is asked how it is as well. */
function configure(workers: number, more: object = {}): string {
  const settings = FAMILIES.flatMap(partsOf).map(([name, at]) => [name, at(fakeOf(name).url)] as const);
  const [first] = settings;
  const providers = { ...Object.fromEntries(settings), ...(first ? { [first[0]]: { ...first[1], health: { check: '1s' } } } : {}) };
  const file = join(home, 'pailou.json');
  const keys = [{ name: 'test', value: KEY }];
  const limits = { overload: { shed: 'off' } };
  writeFileSync(file, JSON.stringify({ version: 1, server: { workers }, keys, providers, limits, log: { level: 'debug' }, ...more }));
  return file;
}

/** Calls every endpoint once. */
async function goRound(url: string): Promise<void> {
  for (const family of FAMILIES) {
    for (const [name] of partsOf(family)) fakeOf(name).behave = answering(family);
    const { path, type, body } = family.ask('mark');
    const headers = { 'content-type': type, authorization: `Bearer ${KEY}` };
    const answer = await fetch(url + path, { method: 'POST', headers, body: new Uint8Array(body) });
    expect([family.name, answer.status, answer.ok ? '' : await answer.text()]).toEqual([family.name, 200, '']);
    await answer.arrayBuffer().catch(() => undefined);
  }
  expect((await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${KEY}` } })).status).toBe(200);
}

/** Checks made of the first provider. */
const checks = (): number => fakeOf(FAMILIES[0]?.provider ?? '').tries.filter(isList).length;

it.each([1, 2])(
  'nobody but the configured providers is ever connected to, by %i processes that serve',
  { timeout: 60_000 },
  async (workers) => {
    await startFakes();
    const options = ['--data', join(home, 'data'), '--config', configure(workers)];
    const server = await startServer(options, home, env());
    await goRound(server.url);
    // Idle, until twice that has happened which happens by itself.
    const before = checks();
    await expect.poll(checks, { timeout: 20_000 }).toBeGreaterThanOrEqual(before + 2);
    configure(workers, { defaultModel: 'sandbox/chat', sandbox: true });
    const asked = (): Promise<number> =>
      fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
        body: JSON.stringify({ model: 'no-such-name', messages: [{ role: 'user', content: 'Hello' }] }),
      }).then(({ status }) => status);
    await expect.poll(asked, { timeout: 20_000 }).toBe(200);
    await goRound(server.url);
    const [data, config] = [options.slice(0, 2), options.slice(2)];
    const run = async (...command: readonly string[]): Promise<readonly [code: unknown, said: string]> => {
      const { ended, out } = startProgram([...command, ...config], home, env());
      return [await ended, out.stdout + out.stderr];
    };
    // Some have no list: who has only a part in a call answers that and nothing else.
    expect((await run('models', 'sync', ...data))[1]).toMatch(/oai: 1 model\n[\s\S]*Kept in /);
    for (const command of [['models', 'ls', ...data], ['check'], ['route', 'explain', 'oai/up', ...data]]) {
      const [code, said] = await run(...command);
      expect([command[0], code, code === 0 ? '' : said]).toEqual([command[0], 0, '']);
    }
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    const hosts = [...fakes.values()].map(({ url }) => new URL(url).host);
    expect(connections('connect')).toEqual(hosts.toSorted());
    expect(connections('lookup').filter((host) => host !== '127.0.0.1')).toEqual([]);
    expect(connections('datagram')).toEqual([]);
    // Everybody was listened to: the one that watches, and each that serves.
    expect(connections('begin').length).toBeGreaterThanOrEqual(4 + (workers === 1 ? 1 : 1 + workers));
  },
);

it('without a configuration only the usual ports of model servers on this machine are looked at', async () => {
  const server = await startServer(['--data', join(home, 'data')], home, env());
  server.child.kill('SIGTERM');
  expect(await server.ended).toBe(0);
  const usual = new Set([...presets.values()].flatMap(({ local }) => (local ? [`127.0.0.1:${local.port}`] : [])));
  const found = connections('connect').map((target) => target.replace('localhost', '127.0.0.1'));
  expect(found.length).toBeGreaterThan(0);
  expect(found.filter((target) => !usual.has(target))).toEqual([]);
  expect(connections('lookup').filter((host) => !['127.0.0.1', 'localhost'].includes(host))).toEqual([]);
});
