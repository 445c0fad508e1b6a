import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CHAT } from '../exchange/trying/trials.ts';
import { json, startUpstream, type FakeUpstream } from '../fakes/upstream.ts';
import { leaveHome, newHome, type Served, startProgram, startServer } from './program.ts';

const KEYS = { laptop: 'pk-0123456789-abcdefgh', clinic: 'pk-9876543210-abcdefgh' };

const ENV = { K: 'sk-0123456789-abcdefgh', LAPTOP: KEYS.laptop, CLINIC: KEYS.clinic };

let home: string;
let upstream: FakeUpstream;
let server: Served;
beforeAll(async () => {
  upstream = await startUpstream();
  upstream.answer = json(CHAT.whole);
  home = await newHome('explain');
  const provider = (name: string, more: object): object => ({
    [name]: { preset: 'openai-compatible', baseUrl: `${upstream.url}/${name}/v1`, key: '${env:K}', ...more },
  });
  await writeFile(
    join(home, 'pailou.yaml'),
    JSON.stringify({
      version: 1,
      keys: [
        { name: 'laptop', value: '${env:LAPTOP}' },
        { name: 'clinic', value: '${env:CLINIC}', regions: ['eu'], routes: { own: 'b/mine' } },
      ],
      discover: false,
      sandbox: false,
      providers: {
        ...provider('a', { abilities: { '*': { tools: false, context: 200 } }, regions: ['us'] }),
        ...provider('b', { regions: ['eu-west'], models: { '*': { price: { input: '2 USD', output: '2 USD' } } } }),
        ...provider('c', { dataCollection: 'deny', models: { '*': { price: { input: '1 USD', output: '1 USD' } } } }),
      },
      models: {
        smart: { targets: [{ to: 'a/x' }, { to: 'b/x' }, { to: 'c/x' }], strategy: 'priority' },
        cheap: { targets: [{ to: 'b/x' }, { to: 'c/x' }], strategy: 'lowest-cost' },
        near: { targets: [{ to: 'a/x' }, { to: 'b/x' }, { to: 'c/x' }], strategy: 'hash-client' },
        known: { targets: [{ to: 'a/x' }, { to: 'b/x' }, { to: 'c/x' }], strategy: 'hash-user' },
        sticky: { targets: [{ to: 'a/x' }, { to: 'b/x' }, { to: 'c/x' }], strategy: 'hash-session' },
        nickname: 'smart',
        'big-*': 'b/x',
      },
      defaultModel: 'c/x',
    }),
  );
  server = await startServer([], home, ENV);
});
afterAll(async () => {
  server.child.kill('SIGTERM');
  await server.ended;
  await upstream.close();
  await leaveHome(home);
});

/** A call, and the flags that say the same of it. */
interface Row {
  readonly asks: string;
  readonly flags?: readonly string[];
  readonly body?: object;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
}

const TOOLS = { tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }] };

it.each([
  { asks: 'smart' },
  { asks: 'nickname' },
  { asks: 'smart', flags: ['--needs', 'tools'], body: TOOLS },
  { asks: 'smart', flags: ['--tokens', '5000'], body: { messages: [{ role: 'user', content: 'word '.repeat(5000) }] } },
  { asks: 'smart', flags: ['--key', 'clinic'], key: KEYS.clinic },
  { asks: 'own', flags: ['--key', 'clinic'], key: KEYS.clinic },
  { asks: 'own' },
  { asks: 'cheap', flags: ['--tokens', '10'] },
  { asks: 'smart', flags: ['--only', 'b,c'], body: { provider: { only: ['b', 'c'] } } },
  { asks: 'smart', flags: ['--ignore', 'a'], body: { provider: { ignore: ['a'] } } },
  { asks: 'smart', flags: ['--order', 'c'], body: { provider: { order: ['c'] } } },
  { asks: 'smart', flags: ['--max-price', 'prompt=1.5'], body: { provider: { max_price: { prompt: 1.5 } } } },
  { asks: 'smart', flags: ['--data-collection', 'deny'], body: { provider: { data_collection: 'deny' } } },
  { asks: 'b/anything' },
  { asks: 'big-thing' },
  { asks: 'nobody-knows' },
  { asks: 'smart', flags: ['--platform', 'b'], path: '/b/v1' },
  { asks: 'near', flags: ['--address', '127.0.0.1'] },
  ...Array.from({ length: 3 }, (_, at) => ({ asks: 'known', flags: ['--user', `u${at}`], body: { user: `u${at}` } })),
  ...Array.from({ length: 3 }, (_, at) => ({ asks: 'sticky', flags: ['--session', `s${at}`], headers: { 'x-session-id': `s${at}` } })),
] as readonly Row[])(
  '$asks $flags: a call goes where the command says',
  async ({ asks, flags = [], body = {}, key = KEYS.laptop, headers = {}, path = '/v1' }) => {
    const { ended, out } = startProgram(['route', 'explain', asks, '--json', ...flags], home, ENV);
    expect(await ended).toBe(0);
    const said = JSON.parse(out.stdout) as { readonly candidates: readonly { provider: string; model: string; verdict: string }[] };
    const chosen = said.candidates.find(({ verdict }) => verdict === 'chosen');
    const answer = await fetch(`${server.url}${path}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers },
      body: JSON.stringify({ model: asks, messages: [{ role: 'user', content: 'Hi' }], ...body }),
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-pailou-served-by')).toBe(`${chosen?.provider}/${chosen?.model}`);
  },
);
