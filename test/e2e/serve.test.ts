import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { json, startUpstream } from '../fakes/upstream.ts';
import { readJournal } from '../read-journal.ts';
import { ask, environment, leaveHome, newHome, startProgram, startServer } from './program.ts';

let home: string;
let data: string;
beforeEach(async () => {
  home = await newHome('serve');
  data = join(home, 'data');
});
afterEach(async () => {
  await leaveHome(home);
});

const modeOf = async (...path: readonly string[]): Promise<number> => (await stat(join(data, ...path))).mode & 0o777;
const keyIn = async (): Promise<string> => (await readFile(join(data, 'local.key'), 'utf8')).trim();
const statusOf = async (url: string, key: string): Promise<number> => (await ask(url, key)).status;

describe('a first start', () => {
  it('says where it is, makes a key, and answers', async () => {
    const { url, banner, out, child, ended } = await startServer(['--data', data], home);
    expect(banner).toMatchObject({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      baseUrls: { openai: `${url}/v1`, anthropic: url, gemini: url },
      config: null,
      data,
      keyFile: join(data, 'local.key'),
      sandbox: true,
    });
    const key = await keyIn();
    expect(JSON.stringify(banner)).not.toContain(key);
    expect(await statusOf(url, key)).toBe(200);
    expect(await statusOf(url, `${key}x`)).toBe(401);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(out.stderr).toBe('');
  });

  it('keeps what it makes from others', async () => {
    const { url, child, ended } = await startServer(['--data', data], home);
    await ask(url, await keyIn());
    await expect.poll(() => modeOf('pailou.db').catch(() => undefined)).toBe(0o600);
    expect(await modeOf()).toBe(0o700);
    expect(await modeOf('local.key')).toBe(0o600);
    expect(await modeOf('secret.key')).toBe(0o600);
    child.kill('SIGTERM');
    await ended;
    expect(await modeOf('journal')).toBe(0o700);
    expect((await readJournal(join(data, 'journal'))).map(({ asked, status, key }) => ({ asked, status, key }))).toEqual([
      { asked: 'sandbox/chat', status: 200, key: 'local' },
    ]);
  });

  it('prints a curl that works as pasted', async () => {
    const program = startProgram(['--port', '0', '--data', data], home);
    const command = await program.until('stderr', /^ *(curl http[\s\S]*'\n)/m);
    const { stdout } = await promisify(execFile)('bash', ['-c', `${command.trim()} --silent --show-error`], { env: environment(home) });
    expect(JSON.parse(stdout)).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { role: 'assistant', content: expect.stringContaining('Hello') } }],
    });
    expect(program.out.stderr).not.toContain(await keyIn());
  });
});

describe('a later start', () => {
  it('knows the same key, also after kill -9 in the middle of calls', async () => {
    const first = await startServer(['--data', data], home);
    const key = await keyIn();
    const calls = Promise.allSettled(Array.from({ length: 20 }, () => ask(first.url, key, 'sandbox/slow', true)));
    await calls;
    first.child.kill('SIGKILL');
    expect(await first.ended).toBe('SIGKILL');
    const second = await startServer(['--data', data], home);
    expect(await statusOf(second.url, key)).toBe(200);
    second.child.kill('SIGTERM');
    expect(await second.ended).toBe(0);
    expect(second.out.stderr).toBe('');
  });

  it('may share the data folder with a server that runs', async () => {
    const [one, two] = await Promise.all([startServer(['--data', data], home), startServer(['--data', data], home)]);
    const key = await keyIn();
    expect(await Promise.all([statusOf(one.url, key), statusOf(two.url, key)])).toEqual([200, 200]);
    for (const { child } of [one, two]) child.kill('SIGTERM');
    expect(await Promise.all([one.ended, two.ended])).toEqual([0, 0]);
    expect([one.out.stderr, two.out.stderr]).toEqual(['', '']);
    expect(await readJournal(join(data, 'journal'))).toHaveLength(2);
  });
});

describe('a data folder in which nothing can be kept', () => {
  it('is said in the log, and calls go on', async () => {
    // Where files belong are folders, and the other way round: so it is also for root, who may write everywhere.
    await mkdir(join(data, 'pailou.db'), { recursive: true });
    await writeFile(join(data, 'journal'), '');
    const { url, child, ended, out } = await startServer(['--data', data], home);
    const key = await keyIn();
    expect(await statusOf(url, key)).toBe(200);
    await expect
      .poll(() => out.stderr)
      .toMatch(
        /The database cannot be opened[\s\S]*The journal cannot be written|The journal cannot be written[\s\S]*The database cannot be opened/,
      );
    expect(await statusOf(url, key)).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});

describe('a start that cannot be', () => {
  it('on a port that is taken', async () => {
    const { url } = await startServer(['--data', data], home);
    const second = startProgram(['--port', new URL(url).port, '--data', data], home);
    expect(await second.ended).toBe(1);
    expect(second.out.stderr).toContain(new URL(url).port);
  });

  it('with a secret that is too short, which is not shown', async () => {
    const program = startProgram(['--port', '0', '--data', data], home, { PAILOU_SECRET: 'hunter2' });
    expect(await program.ended).toBe(1);
    expect(program.out.stderr).toMatch(/PAILOU_SECRET must have at least 32 random characters/);
    expect(program.out.stderr).not.toContain('hunter2');
  });

  it('in a data folder that is a file', async () => {
    await writeFile(data, '');
    const program = startProgram(['--port', '0', '--data', data], home);
    expect(await program.ended).toBe(1);
    expect(program.out.stderr).toContain(data);
  });
});

describe('the configuration is taken over', () => {
  const config = (key: string, more = ''): string => `version: 1\nkeys: [{ name: test, value: ${key} }]\ndiscover: false\n${more}`;
  const start = async () => {
    const file = join(home, 'pailou.yaml');
    await writeFile(file, config('pk-first-key-of-this-test'));
    const program = startProgram(['--port', '0', '--data', data, '--config', file], home);
    const url = await program.until('stderr', /(http:\/\/127\.0\.0\.1:\d+)/);
    await program.until('stderr', /curl/);
    return { file, url, ...program };
  };

  it('when its file changes', async () => {
    const { file, url } = await start();
    expect(await statusOf(url, 'pk-first-key-of-this-test')).toBe(200);
    await writeFile(file, config('pk-second-key-of-this-test', 'models: { mine: sandbox/echo }\n'));
    await expect.poll(() => statusOf(url, 'pk-second-key-of-this-test')).toBe(200);
    expect(await statusOf(url, 'pk-first-key-of-this-test')).toBe(401);
    expect((await ask(url, 'pk-second-key-of-this-test', 'mine')).status).toBe(200);
  });

  it('on SIGHUP', async () => {
    const { file, url, child, until } = await start();
    child.kill('SIGHUP');
    await until('stderr', new RegExp(`taken over: .*${file}`));
    expect(await statusOf(url, 'pk-first-key-of-this-test')).toBe(200);
  });

  it('not when it is invalid, and again when it is mended', async () => {
    const { file, url, until } = await start();
    await writeFile(file, config('pk-second-key-of-this-test', 'provders: {}\n'));
    await until('stderr', /cannot be used[\s\S]*providers/);
    expect(await statusOf(url, 'pk-first-key-of-this-test')).toBe(200);
    expect(await statusOf(url, 'pk-second-key-of-this-test')).toBe(401);
    await writeFile(file, config('pk-third-key-of-this-test'));
    await expect.poll(() => statusOf(url, 'pk-third-key-of-this-test')).toBe(200);
  });

  it('while calls that run finish on the one before', async () => {
    const { file, url } = await start();
    const running = await ask(url, 'pk-first-key-of-this-test', 'sandbox/slow', true);
    await writeFile(file, config('pk-second-key-of-this-test', 'sandbox: false\n'));
    await expect.poll(async () => (await ask(url, 'pk-second-key-of-this-test')).status).toBe(404);
    expect(await running.text()).toMatch(/data: \[DONE\]\s*$/);
  });
});

describe('what the server reaches for clients', () => {
  const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
  const REPLY = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'llava',
    choices: [{ index: 0, message: { role: 'assistant', content: 'A dot' }, finish_reason: 'stop' }],
  };

  it('is the public net, and what the configuration in force allows', async () => {
    const images = await startUpstream((_request, response) => response.writeHead(200, { 'content-type': 'image/png' }).end(PNG));
    const provider = await startUpstream(json(REPLY));
    const file = join(home, 'pailou.yaml');
    const config = (egress: string): string =>
      `version: 1\nkeys: [{ name: test, value: pk-key-of-this-test }]\nproviders:\n  mine: { preset: ollama, baseUrl: ${provider.url}, protocols: [openai-chat] }\n${egress}`;
    await writeFile(file, config(''));
    const { url } = await startServer(['--data', data, '--config', file], home);
    const show = async () => {
      const content = [{ type: 'image', source: { type: 'url', url: `${images.url}/dot.png` } }];
      const headers = { 'x-api-key': 'pk-key-of-this-test', 'content-type': 'application/json' };
      const body = JSON.stringify({ model: 'mine/llava', max_tokens: 100, messages: [{ role: 'user', content }] });
      const answer = await fetch(`${url}/v1/messages`, { method: 'POST', headers, body });
      return { status: answer.status, text: await answer.text() };
    };
    const refused = await show();
    expect(refused).toMatchObject({ status: 400, text: expect.stringContaining('its host is not a public one') });
    expect([images.seen.length, provider.seen.length]).toEqual([0, 0]);
    await writeFile(file, config('egress: { allow: [127.0.0.0/8] }\n'));
    await expect.poll(async () => (await show()).status).toBe(200);
    expect(provider.seen.at(-1)?.body).toContain(`data:image/png;base64,${PNG.toString('base64')}`);
    await Promise.all([images.close(), provider.close()]);
  });
});

describe('sealed state', () => {
  it('comes back to its maker after a restart, from a client whose protocol has no place for it', async () => {
    const file = join(home, 'pailou.yaml');
    const key = 'pk-key-of-this-test';
    await writeFile(
      file,
      `version: 1\nkeys: [{ name: test, value: ${key} }]\nproviders:\n  mine: { preset: sandbox, protocols: [anthropic-messages] }\n`,
    );
    const start = () => startServer(['--data', data, '--config', file], home);
    const tools = [
      { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } },
    ];
    const chat = async (url: string, messages: readonly unknown[]) => {
      const answer = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'mine/chat', messages, tools }),
      });
      const { choices } = (await answer.json()) as {
        readonly choices: readonly [{ readonly message: { content: string; tool_calls?: readonly { readonly id: string }[] } }];
      };
      return choices[0].message;
    };
    const question = { role: 'user', content: '[[think of rain]] [[call weather {"city":"Paris"}]]' };
    const first = await start();
    const { tool_calls: calls = [] } = await chat(first.url, [question]);
    expect(calls).toHaveLength(1);
    const kept = (): number => {
      const database = new DatabaseSync(join(data, 'pailou.db'), { readOnly: true });
      try {
        return Number(database.prepare('select count(*) as count from seals').get()?.['count']);
      } finally {
        database.close();
      }
    };
    await expect
      .poll(
        () => {
          try {
            return kept();
          } catch {
            return 0;
          }
        },
        { timeout: 10_000 },
      )
      .toBe(1);
    first.child.kill('SIGKILL');
    await first.ended;
    const second = await start();
    const bare = { role: 'assistant', content: null, tool_calls: calls };
    const result = { role: 'tool', tool_call_id: calls[0]?.id, content: '{"rain":true}' };
    expect((await chat(second.url, [question, bare, result, { role: 'user', content: '[[seals]]' }])).content).toBe(
      'own seals: 1, foreign seals: 0',
    );
  });
});

describe('a count that no provider gives', () => {
  it('is made here, and says so', async () => {
    const file = join(home, 'pailou.yaml');
    await writeFile(
      file,
      'version: 1\nkeys: [{ name: test, value: pk-key-of-this-test }]\nproviders:\n  mine: { preset: openai, key: k, baseUrl: "http://127.0.0.1:9", protocols: [openai-chat] }\n',
    );
    const { url, child, ended } = await startServer(['--data', data, '--config', file], home);
    const answer = await fetch(`${url}/v1/messages/count_tokens`, {
      method: 'POST',
      headers: { 'x-api-key': 'pk-key-of-this-test', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'mine/gpt-4o', messages: [{ role: 'user', content: 'How many words are in this sentence?' }] }),
    });
    expect([answer.status, answer.headers.get('x-pailou-count')]).toEqual([200, 'local']);
    const { input_tokens: tokens } = (await answer.json()) as { readonly input_tokens: number };
    expect(tokens).toBeGreaterThan(8);
    expect(tokens).toBeLessThan(30);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});

describe('SIGTERM', () => {
  /** A connection on which several requests can be sent at once. */
  function rawConnection(url: string) {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.on('data', (bytes) => (text += bytes.toString()));
    const ended = new Promise<string>((resolve) => socket.on('close', () => resolve(text)));
    return { socket, ended, text: () => text };
  }

  it('breaks no stream, takes no new calls, writes everything, and ends with 0', async () => {
    const { url, child, ended, out } = await startServer(['--data', data], home);
    const key = await keyIn();
    const streams = await Promise.all(Array.from({ length: 50 }, () => ask(url, key, 'sandbox/slow', true)));
    const raw = rawConnection(url);
    const body = JSON.stringify({ model: 'sandbox/slow', stream: true, messages: [{ role: 'user', content: 'Hello!' }] });
    raw.socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await expect.poll(raw.text).toContain('200 OK');
    child.kill('SIGTERM');
    await expect
      .poll(() =>
        fetch(`${url}/livez`).then(
          ({ status }) => status,
          () => 'refused',
        ),
      )
      .toBe('refused');
    // Behind the stream, on a connection that is open.
    raw.socket.write('GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n');
    const texts = await Promise.all(streams.map((stream) => stream.text()));
    const lastAt = performance.now();
    for (const text of texts) expect(text).toMatch(/data: \[DONE\]\s*$/);
    expect(await raw.ended).toMatch(/data: \[DONE\][\s\S]*HTTP\/1\.1 503 Service Unavailable[\s\S]*draining/);
    expect(await ended).toBe(0);
    expect(performance.now() - lastAt).toBeLessThan(4000);
    expect(out.stderr).toBe('');
    const records = await readJournal(join(data, 'journal'));
    expect(records.map(({ status, endedBy }) => ({ status, endedBy }))).toEqual(records.map(() => ({ status: 200, endedBy: 'upstream' })));
    expect(records).toHaveLength(51);
  });

  it('a second time ends it at once', async () => {
    const { url, child, ended } = await startServer(['--data', data], home);
    const stuck = await ask(url, await keyIn(), 'sandbox/stall-after-1', true);
    child.kill('SIGTERM');
    await expect
      .poll(() =>
        fetch(`${url}/livez`).then(
          ({ status }) => status,
          () => 'refused',
        ),
      )
      .toBe('refused');
    // Signals within a second are one: a terminal and npm both pass Ctrl+C on.
    await sleep(1050);
    child.kill('SIGTERM');
    expect(await ended).toBe(130);
    await expect(stuck.text()).rejects.toThrow();
  });

  it('ends a server that nobody uses at once, idle connections or not', async () => {
    const { url, child, ended } = await startServer(['--data', data], home);
    await (await fetch(`${url}/livez`)).text();
    const silent = rawConnection(url);
    await expect.poll(() => silent.socket.readyState).toBe('open');
    const before = performance.now();
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(performance.now() - before).toBeLessThan(4000);
    await silent.ended;
  });
});

describe('the log', () => {
  it('has every request at debug, and never a key', async () => {
    const file = join(home, 'pailou.yaml');
    await writeFile(file, 'version: 1\nkeys: [{ name: test, value: pk-canary-of-this-test }]\nlog: { level: debug }\n');
    const { url, child, ended, out } = await startServer(['--data', data, '--config', file], home);
    await ask(url, 'pk-canary-of-this-test');
    await (await fetch(`${url}/v1beta/models?key=pk-canary-of-this-test`)).text();
    await expect.poll(() => modeOf('pailou.db').catch(() => undefined)).toBe(0o600);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    const lines = out.stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ msg, method, path, status }) => [msg, method, path, status])).toEqual([
      ['request', 'POST', '/v1/chat/completions', 200],
      ['request', 'GET', '/v1beta/models', 200],
    ]);
    expect(out.stderr).not.toContain('canary');
    const files = (await readdir(data, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
    expect(files.map(({ name }) => name)).toContain('pailou.db');
    for (const { parentPath, name } of files) expect(await readFile(join(parentPath, name), 'latin1')).not.toContain('canary');
  });
});
