import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { runCli } from '../../src/cli/run-cli.ts';
import type { ServePorts } from '../../src/cli/serve.ts';
import type { Probe } from '../../src/config/discover.ts';
import { fakeServer, openTerminal, type Ran } from './terminal.ts';

const MODELS = '{"data":[]}';
const onPorts =
  (...ports: readonly number[]): Probe =>
  (url) =>
    Promise.resolve(ports.includes(Number(new URL(url).port)) ? MODELS : undefined);

interface Start {
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly line?: string;
  readonly changes?: Partial<ServePorts>;
}

/** Starts, waits until it runs, stops. */
async function startAndStop({ files = {}, env = {}, line = '', changes = {} }: Start = {}) {
  const server = fakeServer();
  const terminal = openTerminal(files, env, { ...server.ports, ...changes });
  const running = terminal.run(`${line} --data data`);
  await Promise.race([server.started, running]);
  server.stop();
  const ran: Ran = await running;
  return { ...ran, folder: terminal.folder, configs: server.configs };
}

describe('zero configuration', () => {
  test('a key is made, the sandbox is on, and everything is said in one look', async () => {
    const { code, stdout, stderr, folder, configs } = await startAndStop();
    const keyFile = join(folder, 'data', 'local.key');
    const key = readFileSync(keyFile, 'utf8').trim();
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(configs).toHaveLength(1);
    expect(configs[0]?.keys).toEqual([{ name: 'local', value: key }]);
    expect(stderr).toMatch(/^Pailou \d+\.\d+\.\d+ is listening on http:\/\/127\.0\.0\.1:7117\n/);
    expect(stderr).toMatch(/^ {2}OpenAI +http:\/\/127\.0\.0\.1:7117\/v1$/m);
    expect(stderr).toMatch(/^ {2}Anthropic +http:\/\/127\.0\.0\.1:7117$/m);
    expect(stderr).toMatch(/^ {2}Gemini +http:\/\/127\.0\.0\.1:7117$/m);
    expect(stderr).toMatch(/^ {2}Providers +sandbox \(built in, needs no key\)$/m);
    expect(stderr).toContain(`-H "Authorization: Bearer $(cat ${keyFile})"`);
    // Output that goes to a file or a log must not carry the key.
    expect(stderr).not.toContain(key);
  });

  test.each([
    ['1', '', undefined],
    ['3', '', '  Workers    3'],
    ['auto', ' --lang zh', '  工作进程   auto：每个处理器一个'],
  ])('with %s workers it says so%s', async (workers, lang, line) => {
    const { stderr } = await startAndStop({
      files: { 'pailou.yaml': `version: 1\nserver: { workers: ${workers} }\n` },
      line: `serve${lang}`,
    });
    const found = stderr.split('\n').find((one) => /^ {2}(?:Workers|工作进程)/.test(one));
    expect(found).toBe(line);
  });

  test('on a terminal the key is shown', async () => {
    let shown = '';
    const screen = { isTTY: true, write: (text: string) => (shown += text) };
    const { folder } = await startAndStop({ changes: { stderr: screen } });
    expect(shown).toContain(readFileSync(join(folder, 'data', 'local.key'), 'utf8').trim());
  });

  test('what was found, and from where, never a value', async () => {
    const env = { OPENAI_API_KEY: 'sk-secret-openai', ZHIPUAI_API_KEY: 'secret-zhipu', LM_API_TOKEN: 'secret-lm' };
    const { stderr, configs } = await startAndStop({ env, changes: { probe: onPorts(11_434, 1234) } });
    const [line = ''] = /^ {2}Providers .*$/m.exec(stderr) ?? [];
    for (const one of [
      'openai (OPENAI_API_KEY)',
      'zai (ZHIPUAI_API_KEY)',
      'ollama (127.0.0.1:11434)',
      'lm-studio (127.0.0.1:1234, LM_API_TOKEN)',
      'sandbox',
    ]) {
      expect(line).toContain(one);
    }
    expect(stderr).not.toMatch(/secret/);
    expect(Object.keys(configs.at(-1)?.providers ?? {})).toEqual(['openai', 'zai', 'ollama', 'lm-studio']);
  });

  test('in Chinese', async () => {
    const { stderr } = await startAndStop({ env: { LANG: 'zh_CN.UTF-8' } });
    expect(stderr).toMatch(/^Pailou \S+ 正在监听 /);
    for (const word of ['密钥', '服务商', '配置', '数据', '试一试：', '你好！', '无文件，全部使用默认值']) expect(stderr).toContain(word);
    expect(stderr).not.toMatch(/\b(Key|Providers|Config|Data|Try)\b/);
  });

  test('for programs: one document, no key', async () => {
    const { stdout, stderr, folder } = await startAndStop({ line: '--json', env: { OPENAI_API_KEY: 'sk-secret' } });
    expect(JSON.parse(stdout)).toEqual({
      version: expect.any(String) as string,
      url: 'http://127.0.0.1:7117',
      baseUrls: { openai: 'http://127.0.0.1:7117/v1', anthropic: 'http://127.0.0.1:7117', gemini: 'http://127.0.0.1:7117' },
      config: null,
      data: join(folder, 'data'),
      keyFile: join(folder, 'data', 'local.key'),
      providers: [{ name: 'openai', preset: 'openai', from: ['OPENAI_API_KEY'] }],
      sandbox: true,
    });
    expect(stderr).toBe('');
  });

  test('--quiet says nothing', async () => {
    const { stdout, stderr } = await startAndStop({ line: '--quiet' });
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
  });
});

describe('with a configuration', () => {
  const CONFIG =
    'version: 1\nkeys: [{ name: laptop, value: "${env:MY_KEY}" }]\nproviders: { o: { preset: openai, key: "${env:OPENAI_API_KEY}" } }\n';
  const env = { MY_KEY: 'pk-0123456789abcdef', OPENAI_API_KEY: 'sk-secret' };

  test('no key is made; the command reads it where the file does', async () => {
    const { stderr, configs, folder } = await startAndStop({ files: { 'pailou.yaml': CONFIG }, env });
    expect(configs[0]?.keys).toEqual([{ name: 'laptop', value: 'pk-0123456789abcdef' }]);
    expect(() => readFileSync(join(folder, 'data', 'local.key'))).toThrow();
    expect(stderr).toContain('Bearer $MY_KEY"');
    expect(stderr).toMatch(/^ {2}Key +as configured: laptop$/m);
    expect(stderr).toMatch(/^ {2}Config +pailou\.yaml$/m);
    expect(stderr).toMatch(/^ {2}Providers +o · sandbox /m);
    expect(stderr).not.toMatch(/0123456789|sk-secret/);
  });

  test('beyond loopback it says so, and the sandbox is off', async () => {
    const { stderr } = await startAndStop({ files: { 'pailou.yaml': CONFIG }, env, line: '--host 0.0.0.0' });
    expect(stderr).toContain('It can be reached from other machines.');
    expect(stderr).toMatch(/^ {2}Providers +o$/m);
    expect(stderr).toContain('http://127.0.0.1:7117/v1');
  });

  test('warnings are said, and hinder nothing', async () => {
    const { code, stderr } = await startAndStop({ files: { 'pailou.yaml': 'server: { port: 7117 }\n' } });
    expect(code).toBe(0);
    expect(stderr).toContain("pailou.yaml:1:1 version: warning: 'version' is missing.");
  });

  test('a bad file: 3, nothing is started', async () => {
    const { code, stderr, configs } = await startAndStop({ files: { 'pailou.yaml': 'sever: 1\n' } });
    expect(code).toBe(3);
    expect(configs).toEqual([]);
    expect(stderr).toContain("Did you mean 'server'?");
  });
});

describe('what keeps it from starting is said with what to do: 1', () => {
  const failing = (code: string, more: object = {}): Partial<ServePorts> => ({
    serve: () => Promise.reject(Object.assign(new Error(`listen ${code}`), { code, syscall: 'listen', ...more })),
  });
  test.each([
    [
      'the port is taken',
      failing('EADDRINUSE'),
      {},
      'Port 7117 on 127.0.0.1 is taken, perhaps by another Pailou. Choose another: pailou --port 7118',
    ],
    ['the same from a clone', failing('EADDRINUSE'), { npm_lifecycle_event: 'start' }, 'Choose another: npm start -- --port 7118'],
    [
      'the same in Chinese',
      failing('EADDRINUSE'),
      { PAILOU_LANG: 'zh' },
      '127.0.0.1 的端口 7117 已被占用，可能已有一个 Pailou 在运行。请换一个端口：pailou --port 7118',
    ],
    ['the port is forbidden', failing('EACCES'), {}, 'Choose one above 1023: pailou --port 14117'],
    [
      'the address is of another machine',
      failing('EADDRNOTAVAIL'),
      {},
      "'127.0.0.1' is no address of this machine. Choose another: --host 127.0.0.1",
    ],
    ['something else', { serve: () => Promise.reject(new Error('the disk is full')) }, {}, 'Pailou cannot start: the disk is full'],
  ] as const)('%s', async (_name, changes, env, says) => {
    const { code, stdout, stderr } = await startAndStop({ changes, env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(says);
  });

  test('the data folder is a file', async () => {
    const { code, stderr } = await startAndStop({ files: { data: 'a file' } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/The data folder \S+ cannot be used: .*\. Choose another: --data FOLDER/);
  });
});

describe('while it runs', () => {
  /** Starts with a watch that the test turns by hand. */
  function startWatched(first: string, files: Readonly<Record<string, string>> = {}) {
    const server = fakeServer();
    let hangup: () => void = () => undefined;
    let stderr = '';
    let wake: () => void = () => undefined;
    const terminal = openTerminal({ 'pailou.yaml': first, ...files });
    const cli = runCli(['--data', 'data'], {
      env: {},
      cwd: terminal.folder,
      home: terminal.folder,
      stdout: { write: () => undefined },
      stderr: { write: (text: string) => ((stderr += text), wake()) },
      ...server.ports,
      probe: () => Promise.resolve(undefined),
      watch: { ...server.ports.watch, onHangup: (onSignal) => ((hangup = onSignal), { close: () => undefined }) },
    } as ServePorts);
    return {
      server,
      cli,
      write: (text: string) => (writeFileSync(join(terminal.folder, 'pailou.yaml'), text), hangup()),
      async said(text: string): Promise<void> {
        while (!stderr.includes(text)) await new Promise<void>((resolve) => (wake = resolve));
      },
    };
  }
  const file = (models: string, more = ''): string => `version: 1\n${more}models: { ${models} }\n`;

  test('a good change is taken over; a bad one changes nothing and says why; another port waits for a restart', async () => {
    const { server, cli, write, said } = startWatched(file('a: sandbox/chat'));
    await server.started;
    write(file('a: sandbox/echo'));
    await said('Configuration taken over: ');
    expect(server.configs.at(-1)?.models).toEqual({ a: 'sandbox/echo' });
    expect(server.configs.at(-1)?.keys).toEqual(server.configs[0]?.keys);
    write(file('a: a'));
    await said(
      'The configuration was changed, but it cannot be used. The one before stays in force:\npailou.yaml:2:14 models.a: error: This leads in a circle',
    );
    expect(server.configs.at(-1)?.models).toEqual({ a: 'sandbox/echo' });
    write(file('a: sandbox/slow', 'server: { port: 7118 }\n'));
    await said('Another address, port or number of workers takes a restart');
    server.stop();
    expect(await cli).toBe(0);
  });

  test('a second signal ends it at once: 130', async () => {
    const server = fakeServer();
    const terminal = openTerminal(
      {},
      {},
      {
        ...server.ports,
        serve: () => Promise.resolve({ port: 1, reload: () => undefined, stop: () => new Promise<never>(() => undefined) }),
      },
    );
    const running = terminal.run('--data data');
    await server.started;
    server.stop();
    // The same Ctrl+C by another way does not count; a later one does.
    server.stop();
    const later = performance.now() + 5000;
    const clock = vi.spyOn(performance, 'now').mockReturnValue(later);
    onTestFinished(() => clock.mockRestore());
    server.stop();
    expect(await running).toMatchObject({ code: 130, stderr: expect.stringContaining('To stop now, press Ctrl+C again') as string });
  });
});
