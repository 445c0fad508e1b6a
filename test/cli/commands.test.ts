import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openTerminal } from './terminal.ts';

const GOOD =
  'version: 1\nserver: { port: 80 }\nproviders: { o: { preset: openai, key: "${env:OPENAI_API_KEY}" } }\nmodels: { fast: o/gpt-5 }\n';
const KEY = 'sk-0123456789-the-secret-abcd';
const env = { OPENAI_API_KEY: KEY };

describe('what cannot be understood ends with 2, nothing on stdout, and what to do', () => {
  test.each([
    [
      'sevre',
      "Unknown command 'sevre'. Did you mean 'serve'? All commands: pailou help",
      '未知命令“sevre”。是否想输入“serve”？全部命令：pailou help',
    ],
    ['frobnicate', "Unknown command 'frobnicate'. All commands: pailou help", '未知命令“frobnicate”。全部命令：pailou help'],
    ['config', "'config' is not a whole command. Did you mean 'config show'?", '命令“config”不完整。是否想输入“config show”？'],
    [
      'config shwo',
      "'config shwo' is not a whole command. Did you mean 'config show'?",
      '命令“config shwo”不完整。是否想输入“config show”？',
    ],
    [
      '--prot 80',
      "'serve' has no flag --prot. Did you mean --port? All flags: pailou help serve",
      '“serve”没有选项 --prot。是否想输入 --port？全部选项：pailou help serve',
    ],
    ['check --port 80', "'check' has no flag --port. All flags: pailou help check", undefined],
    ['serve -x', "'serve' has no flag -x. All flags: pailou help serve", '“serve”没有选项 -x。全部选项：pailou help serve'],
    ['--port', '--port needs a value: --port VALUE', '--port 需要一个值：--port 值'],
    ['--config --json', '--config needs a value: --config VALUE', '--config 需要一个值：--config 值'],
    ['--port eighty', "--port must be a number from 0 to 65535, not 'eighty'", '--port 须为 0 到 65535 的数字，而不是“eighty”'],
    ['--port 65536', "--port must be a number from 0 to 65535, not '65536'", '--port 须为 0 到 65535 的数字，而不是“65536”'],
    ['version --json=yes', '--json takes no value: leave out what follows the =', '--json 不带值：请去掉等号及其后的内容'],
    [
      'schema x',
      "'schema' takes no further word, but there is 'x'. What it takes: pailou help schema",
      '“schema”不接受多余的参数“x”。用法：pailou help schema',
    ],
    [
      'help sevre',
      "Unknown command 'sevre'. Did you mean 'serve'? All commands: pailou help",
      '未知命令“sevre”。是否想输入“serve”？全部命令：pailou help',
    ],
  ])('%s', async (line, en, zh) => {
    const terminal = openTerminal();
    const said = await terminal.run(line);
    expect(said).toMatchObject({ code: 2, stdout: '' });
    expect(said.stderr).toBe(`${en}\n`);
    if (zh !== undefined) expect(await terminal.run(`--lang=zh ${line}`)).toEqual({ code: 2, stdout: '', stderr: `${zh}\n` });
  });
});

describe('help', () => {
  test.each(['help', '--help', '-h', 'help --lang en'])('%s lists every command and flag', async (line) => {
    const { code, stdout, stderr } = await openTerminal().run(line);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const word of [
      'serve',
      'check [FILE]',
      'config show',
      'schema',
      'version',
      '--config',
      '--port',
      '--host',
      '--data',
      '--json',
      '--lang',
    ]) {
      expect(stdout).toContain(word);
    }
  });
  test.each([
    ['help check', 'check', '--strict'],
    ['check --help', 'check', '--strict'],
    ['help config show', 'config show', '--resolved'],
    ['config show -h', 'config show', '--resolved'],
  ])('%s', async (line, command, flag) => {
    const { code, stdout } = await openTerminal().run(line);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^pailou ${command}`));
    expect(stdout).toContain(flag);
  });
  test('in Chinese, every line that says something says it in Chinese', async () => {
    for (const line of ['help', 'help check', 'help config show', 'help serve']) {
      const { stdout } = await openTerminal({}, { PAILOU_LANG: 'zh_CN.UTF-8' }).run(line);
      for (const row of stdout.split('\n').filter((one) => one !== '' && !one.startsWith('pailou ')))
        expect(row).toMatch(/[\u4e00-\u9fff]/);
    }
  });
  test('no line is wider than a usual terminal', async () => {
    const { stdout } = await openTerminal().run('help');
    expect(Math.max(...stdout.split('\n').map((row) => row.length))).toBeLessThanOrEqual(120);
  });
});

describe('the language', () => {
  test.each([
    [{}, '', 'Unknown command'],
    [{ LANG: 'zh_CN.UTF-8' }, '', '未知命令'],
    [{ LC_ALL: 'en_US.UTF-8', LANG: 'zh_CN.UTF-8' }, '', 'Unknown command'],
    [{ PAILOU_LANG: 'zh', LC_ALL: 'en_US.UTF-8' }, '', '未知命令'],
    [{ PAILOU_LANG: 'zh' }, ' --lang en', 'Unknown command'],
    [{ LANG: 'de_DE.UTF-8' }, '', 'Unknown command'],
  ])('%j%s', async (variables, more, says) => {
    expect((await openTerminal({}, variables as Record<string, string>).run(`frobnicate${more}`)).stderr).toContain(says);
  });
});

describe('version and schema', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  test.each(['version', '--version', '-v', '-V'])('%s', async (line) => {
    expect(await openTerminal().run(line)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
  test('version --json', async () => {
    const { stdout } = await openTerminal().run('version --json');
    expect(JSON.parse(stdout)).toEqual({ version, node: process.versions.node });
  });
  test.each(['schema', 'schema --json', 'schema --quiet'])('%s is what is shipped', async (line) => {
    const { code, stdout } = await openTerminal().run(line);
    expect(code).toBe(0);
    expect(stdout).toBe(readFileSync(new URL('../../schema/v1.json', import.meta.url), 'utf8'));
  });
});

describe('check', () => {
  test('a good file: 0, and what is in it', async () => {
    const terminal = openTerminal({ 'pailou.yaml': GOOD }, env);
    const file = join(terminal.folder, 'pailou.yaml');
    expect(await terminal.run('check')).toEqual({ code: 0, stdout: '', stderr: `${file} is valid: 1 provider, 1 model name\n` });
    expect((await terminal.run('check --lang zh')).stderr).toBe(`${file} 有效：1 个服务商，1 个模型名称\n`);
    expect(await terminal.run('check --quiet')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(JSON.parse((await terminal.run('check --json')).stdout)).toEqual({ ok: true, file, problems: [] });
  });

  test.each(['check other.yaml', 'check --config other.yaml', 'check -c other.yaml'])('%s checks that one', async (line) => {
    const { code, stderr } = await openTerminal({ 'pailou.yaml': 'x', 'other.yaml': GOOD }, env).run(line);
    expect(code).toBe(0);
    expect(stderr).toContain('other.yaml is valid');
  });

  test('a bad file: 3, each mistake with its place, how many, and where the settings are described', async () => {
    const terminal = openTerminal({ 'bad.yaml': 'version: 1\nsever: 1\nserver: { port: x }\n' });
    const { code, stdout, stderr } = await terminal.run('check bad.yaml');
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^bad\.yaml:2:1 sever: error: .* Did you mean 'server'\?$/),
      expect.stringMatching(/^bad\.yaml:3:17 server\.port: error: /),
      '2 errors, 0 warnings. Every setting is described in docs/configuration.md and by: pailou schema',
    ]);
    expect((await terminal.run('check bad.yaml --lang zh')).stderr).toContain(
      '2 个错误，0 个警告。各项设置的说明：docs/configuration.zh-CN.md，或运行 pailou schema',
    );
  });

  test('the same for programs', async () => {
    const { code, stdout, stderr } = await openTerminal({ 'bad.yaml': 'version: 1\nlog: { level: wran }\n' }).run('check bad.yaml --json');
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      file: 'bad.yaml',
      problems: [
        {
          severity: 'error',
          code: 'wrong_value',
          file: 'bad.yaml',
          line: 2,
          column: 15,
          path: 'log.level',
          message: 'Wrong value',
          found: 'the text "wran"',
          expected: 'one of: debug, info, warn, error, silent',
          didYouMean: 'warn',
        },
      ],
    });
  });

  test('warnings: 0, and 3 where they count as errors', async () => {
    const terminal = openTerminal({ 'pailou.yaml': 'server: { port: 80 }\n' });
    const lenient = await terminal.run('check');
    expect(lenient.code).toBe(0);
    expect(lenient.stderr).toContain("pailou.yaml:1:1 version: warning: 'version' is missing. Better: version: 1\n");
    const strict = await terminal.run('check --strict');
    expect(strict.code).toBe(3);
    expect(strict.stderr).toContain('1 error, 0 warnings');
    expect((await terminal.run('check --quiet')).stderr).toBe('');
  });

  test.each([
    ['check', 'There is no configuration file. Looked for pailou.yaml, pailou.yml and pailou.json in: ', 'to check one: pailou check FILE'],
    ['check nowhere.yaml', "error: There is no file 'nowhere.yaml'. Expected the path of a configuration file", '1 error'],
  ])('without a file: %s', async (line, says, then) => {
    const { code, stderr } = await openTerminal().run(line);
    expect(code).toBe(3);
    expect(stderr).toContain(says);
    expect(stderr).toContain(then);
  });
});

describe('config show', () => {
  test('what was chosen, with where from, and no secret', async () => {
    const { code, stdout } = await openTerminal({ 'pailou.yaml': GOOD }, env).run('config show');
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^version: 1 +# pailou\.yaml:1:10$/),
      expect.stringMatching(/^server\.port: 80 +# pailou\.yaml:2:17$/),
      expect.stringMatching(/^providers\.o\.preset: openai +# pailou\.yaml:3:27$/),
      expect.stringMatching(/^providers\.o\.key: \*\*\*\*abcd +# env OPENAI_API_KEY \(pailou\.yaml:3:40\)$/),
      expect.stringMatching(/^models\.fast: o\/gpt-5 +# pailou\.yaml:4:17$/),
    ]);
  });

  test('--resolved: with defaults, what was found, and flags', async () => {
    const { stdout } = await openTerminal({}, env).run('config show --resolved --port 90');
    expect(stdout).toMatch(/^server\.host: 127\.0\.0\.1 +# default$/m);
    expect(stdout).toMatch(/^server\.port: 90 +# --port$/m);
    expect(stdout).toMatch(/^providers\.openai\.key: \*\*\*\*abcd +# found: env OPENAI_API_KEY$/m);
    expect(stdout).toMatch(/^limits\.body: 32MiB +# default$/m);
    expect((await openTerminal().run('config show --resolved --lang zh')).stdout).toMatch(/^server\.port: 7117 +# 默认$/m);
  });

  test.each(['config show', 'config show --resolved', 'config show --json', 'config show --resolved --json'])(
    'no secret in: %s',
    async (line) => {
      const files = {
        'pailou.yaml': `version: 1\nkeys: [{ name: a, value: "\${file:key}" }]\nproviders:\n  o: { preset: openai, key: ${KEY}, headers: { x-token: "${KEY}", x-other: "\${env:SECRET_THING}" } }\n`,
        key: 'pk-0123456789-of-the-file\n',
      };
      const { stdout, code } = await openTerminal(files, { SECRET_THING: 'hidden-thing-0123456789' }).run(line);
      expect(code).toBe(0);
      expect(stdout).not.toMatch(/0123456789/);
      expect(stdout).toContain('****');
    },
  );

  test('--json', async () => {
    const terminal = openTerminal({ 'pailou.yaml': 'version: 1\nserver: { port: 80 }\n' });
    expect(JSON.parse((await terminal.run('config show --json')).stdout)).toEqual({
      file: join(terminal.folder, 'pailou.yaml'),
      settings: [
        { path: 'version', value: 1, source: 'file', from: [], file: 'pailou.yaml', line: 1, column: 10 },
        { path: 'server.port', value: 80, source: 'file', from: [], file: 'pailou.yaml', line: 2, column: 17 },
      ],
    });
  });

  test('where nothing is set it says so, and what to ask instead', async () => {
    const { code, stdout, stderr } = await openTerminal().run('config show');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(/^Nothing is set: .* The defaults: pailou config show --resolved\n$/);
  });

  test('a bad file: 3', async () => {
    const { code, stdout } = await openTerminal({ 'pailou.yaml': 'x: 1\n' }).run('config show');
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  });
});
