import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { linesOf, loadText, optionsIn, scratchFolder } from './scratch.ts';
import { loadConfig } from '../../src/config/load.ts';

const SECRETS = { PAILOU_KEY: 'pk-0123456789abcdef', OPENAI_API_KEY: 'sk-0123456789abcdef' };

/** The shape that is promised, as it was written down. */
const PROMISED = `version: 1
server: { host: 127.0.0.1, port: 7117 }
keys:
  - { name: laptop, value: "\${env:PAILOU_KEY}" }
providers:
  openai:   { preset: openai, key: "\${env:OPENAI_API_KEY}" }
  mine:     { preset: anthropic, baseUrl: http://127.0.0.1:9900, key: x, timeouts: { connect: 2s, headers: 10s, firstToken: 20s, idle: 60s, total: 10m } }
  codex-up: { preset: openai, key: "\${env:OPENAI_API_KEY}", protocols: [openai-responses] }   # which of its protocols to use; default: all that the preset knows
models:
  fast: openai/gpt-5-mini                     # an alias; \`provider/model\` always works without being listed
  claude-haiku-*: fast                        # patterns
egress: { allow: [127.0.0.0/8] }              # private addresses that URLs named by clients may reach
limits: { body: 32MiB }
`;

test('the promised shape loads, to the letter', async () => {
  const { loaded, problems } = await loadText(PROMISED, { env: SECRETS });
  expect(linesOf(problems)).toEqual([expect.stringContaining('providers.mine.key: warning')]);
  expect(loaded?.config).toEqual({
    server: { host: '127.0.0.1', port: 7117, workers: 1, trustedProxies: [], cors: ['*'] },
    keys: [{ name: 'laptop', value: 'pk-0123456789abcdef' }],
    providers: {
      openai: { preset: 'openai', key: 'sk-0123456789abcdef' },
      mine: {
        preset: 'anthropic',
        baseUrl: 'http://127.0.0.1:9900',
        key: 'x',
        timeouts: { connect: 2000, headers: 10_000, firstToken: 20_000, idle: 60_000, total: 600_000 },
      },
      'codex-up': { preset: 'openai', key: 'sk-0123456789abcdef', protocols: ['openai-responses'] },
    },
    models: { fast: 'openai/gpt-5-mini', 'claude-haiku-*': 'fast' },
    money: { rates: { USD: 1, CNY: 1 / 7.1 } },
    egress: { allow: ['127.0.0.0/8'] },
    limits: {
      body: 33_554_432,
      upload: 1_073_741_824,
      depth: 128,
      fetchBytes: 33_554_432,
      cacheBytes: 67_108_864,
      storedDays: 30,
      storedBytes: 1_073_741_824,
      sealDays: 7,
      calls: 10_000,
      connections: 20_000,
      bodies: 1_073_741_824,
      overload: { shed: true, delayMs: 100 },
      sealBytes: 268_435_456,
      retries: { tries: 3, share: 0.1, hedges: 0.1, reserve: 10 },
      requestDays: 30,
      requestRows: 500_000,
    },
    tasks: { keepMs: 604_800_000, deadlineMs: 21_600_000, media: { bytes: 21_474_836_480 } },
    sandbox: 'auto',
    discover: true,
    log: { level: 'info' },
  });
  expect(loaded?.discovers).toBe(false);
});

test('what models cost is read into whole nano-units, in its own currency', async () => {
  const text = `version: 1
money: { rates: { CNY: '8' } }
providers:
  a:
    preset: sandbox
    models: { 'm-*': { context: 4096, imageOutput: true, price: { input: 0.27 USD, output: 1.1 USD } }, n: { price: { image: 2 CNY } } }
`;
  const { loaded, problems } = await loadText(text);
  expect(linesOf(problems)).toEqual([]);
  expect(loaded?.config.money).toEqual({ rates: { USD: 1, CNY: 1 / 8 } });
  expect(loaded?.config.providers['a']?.models).toEqual({
    'm-*': { context: 4096, imageOutput: true, price: { currency: 'USD', input: 270_000_000, output: 1_100_000_000 } },
    n: { price: { currency: 'CNY', image: 2_000_000_000 } },
  });
});

test('a route by price says which prices it does not know', async () => {
  const text = `version: 1
providers: { o: { preset: openai, key: "\${env:OPENAI_API_KEY}" } }
models: { r: { strategy: lowest-cost, targets: [{ to: o/gpt-5-mini }, { to: o/ours }] } }
`;
  const { loaded, problems } = await loadText(text, { env: SECRETS });
  expect(linesOf(problems)).toEqual([
    "pailou.yaml:3:77 models.r.targets[1].to: warning: No price of 'ours' is known: this route tries it last. Better: providers.o.models['ours'].price",
  ]);
  expect(loaded).toBeDefined();
});

test.each(['', '# only a comment\n', 'version: 1\n', '{}', '---\n', 'null\n', '\uFEFFversion: 1\n'])(
  'a file that sets nothing is all defaults: %j',
  async (text) => {
    const { loaded, problems } = await loadText(text);
    const nothing = await loadConfig(optionsIn(scratchFolder()));
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(loaded?.config).toEqual(nothing.config);
  },
);

test('empty settings count as left out', async () => {
  const { loaded } = await loadText('version: 1\nserver:\nproviders:\nmodels: {}\nlimits: { body: }\nkeys: []\n');
  expect(loaded?.config.server.port).toBe(7117);
  expect(loaded?.config.limits.body).toBe(33_554_432);
  expect(loaded?.config.providers).toEqual({});
});

test('JSON says the same as YAML, also with CRLF and a byte order mark', async () => {
  const inYaml = await loadText('version: 1\r\nserver: { port: 80 }\r\nmodels: { a: sandbox/chat }\r\n');
  const inJson = await loadText('\uFEFF{"version": 1,\r\n "server": {"port": 80}, "models": {"a": "sandbox/chat"}}', {
    name: 'pailou.json',
  });
  expect(inJson.loaded?.config).toEqual(inYaml.loaded?.config);
});

test('names that objects have by themselves are names like others', async () => {
  const { loaded, problems } = await loadText('{"version": 1, "models": {"__proto__": "sandbox/chat", "constructor": "sandbox/echo"}}', {
    name: 'pailou.json',
  });
  expect(problems).toEqual([]);
  expect(Object.entries(loaded?.config.models ?? {})).toEqual([
    ['__proto__', 'sandbox/chat'],
    ['constructor', 'sandbox/echo'],
  ]);
});

describe('filled in', () => {
  const port = (text: string): string => `version: 1\nserver: { port: "${text}" }\n`;
  const key = (text: string): string => `version: 1\nkeys: [{ name: a, value: "${text}" }]\n`;

  test.each([
    ['a variable', key('${env:K}'), { K: 'pk-aaaaaaaaaaaaaaaa' }, 'pk-aaaaaaaaaaaaaaaa'],
    ['within text', key('pk-${env:A}-${env:B}'), { A: 'aaaaaaaa', B: 'bbbbbbbb' }, 'pk-aaaaaaaa-bbbbbbbb'],
    ['a default for what is unset', key('${env:K:-pk-default-default}'), {}, 'pk-default-default'],
    ['a default for what is empty', key('${env:K:-pk-default-default}'), { K: '' }, 'pk-default-default'],
    ['a default with colons and dashes', key('${env:K:-pk:-a-:b-cccccccc}'), {}, 'pk:-a-:b-cccccccc'],
    ['a variable wins over its default', key('${env:K:-x}'), { K: 'pk-aaaaaaaaaaaaaaaa' }, 'pk-aaaaaaaaaaaaaaaa'],
    ['a file beside the configuration', key('${file:key.txt}'), {}, 'pk-from-a-file-0123'],
    ['a file below the home folder', key('${file:~/key}'), {}, 'pk-from-home-012345'],
    ['the sign itself', key('pk-$${env:K}-aaaaaaaa'), { K: 'no' }, 'pk-${env:K}-aaaaaaaa'],
    ['what is filled in is not filled in again', key('${env:K}'), { K: 'pk-${env:HOME}aaaaaa' }, 'pk-${env:HOME}aaaaaa'],
  ] as const)('%s', async (_name, text, env, value) => {
    const files = { 'key.txt': 'pk-from-a-file-0123\n', 'home/key': 'pk-from-home-012345' };
    const { loaded, problems } = await loadText(text, { env, files });
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(loaded?.config.keys).toEqual([{ name: 'a', value }]);
  });

  test('numbers, flags, words and sizes come out of variables too', async () => {
    const text =
      'version: 1\nserver: { port: "${env:P}" }\ndiscover: "${env:D}"\nlog: { level: "${env:L:-warn}" }\nlimits: { body: "${env:S}" }\n';
    const { loaded } = await loadText(text, { env: { P: '8080', D: 'false', S: '1MiB' } });
    expect(loaded?.config).toMatchObject({ server: { port: 8080 }, discover: false, log: { level: 'warn' }, limits: { body: 1_048_576 } });
  });

  test.each([
    [
      'an unset variable',
      port('${env:NOPE}'),
      'The variable NOPE is not set. Expected a variable that is set, or a default: ${env:NOPE:-…}',
    ],
    ['no name', port('${env:}'), "'${env:}' names no variable"],
    [
      'no kind',
      port('${PORT}'),
      "'${PORT}' is not understood. Expected ${env:NAME}, ${env:NAME:-default} or ${file:/path}. Did you mean '${env:PORT}'?",
    ],
    ['another kind', port('${vault:x}'), "'${vault:x}' is not understood"],
    ['no end', port('${env:PORT'), "A '${' without its '}'"],
    ['a file that is not there', key('${file:/nowhere/key}'), "The file '/nowhere/key' cannot be read"],
    ['what is no number', port('${env:WORD}'), 'Found the text "word". Expected a whole number from 0 to 65535'],
  ])('what cannot be filled in is told: %s', async (_name, text, says) => {
    const { problems } = await loadText(text, { env: { WORD: 'word' } });
    expect(linesOf(problems)).toEqual([expect.stringContaining(says)]);
    expect(problems[0]?.place).toMatchObject({ file: 'pailou.yaml', line: 2 });
  });
});

describe('secrets in the file', () => {
  test.each([
    ['a key', 'keys: [{ name: a, value: pk-0123456789abcdef }]', 'keys[0].value'],
    ['a credential', 'providers: { o: { preset: openai, key: sk-0123 } }', 'providers.o.key'],
    [
      'a header that carries one',
      'providers: { o: { preset: openai-compatible, baseUrl: "http://h/v1", headers: { X-Api-Key: abc } } }',
      'providers.o.headers.X-Api-Key',
    ],
  ])('%s is warned of and never quoted', async (_name, line, path) => {
    const { loaded, problems } = await loadText(`version: 1\n${line}\n`);
    expect(problems.map((one) => [one.severity, one.code, one.path])).toEqual([['warning', 'literal_secret', path]]);
    expect(linesOf(problems).join('')).not.toMatch(/0123|abc\b/);
    expect(loaded?.secrets.has(path)).toBe(true);
  });
  test('other headers are none', async () => {
    const { problems } = await loadText(
      'version: 1\nproviders: { o: { preset: openai-compatible, baseUrl: "http://h/v1", headers: { X-Team: abc } } }\n',
    );
    expect(problems).toEqual([]);
  });
  test.each([
    ['a number', 'server: { port: "${env:MY_TOKEN}" }'],
    ['a word', 'log: { level: "${env:MY_TOKEN}" }'],
    ['an address', 'providers: { a: { preset: openai-compatible, baseUrl: "${env:MY_TOKEN}" } }'],
    ['a model', 'models: { a: "${env:MY_TOKEN}" }'],
    ['a provider of a model', 'models: { a: "${env:MY_TOKEN}/x" }'],
    ['what a file holds', 'models: { a: "${file:secret.txt}" }'],
  ])('what comes from where secrets are is not quoted, wherever it was put: as %s', async (_name, line) => {
    const { loaded, problems } = await loadText(`version: 1\n${line}\n`, {
      env: { MY_TOKEN: 'hush-0123456789' },
      files: { 'secret.txt': 'hush-0123456789\n' },
    });
    expect(loaded).toBeUndefined();
    expect(JSON.stringify(problems)).not.toContain('hush');
    expect(problems).toHaveLength(1);
  });
  test('a key that can be guessed is warned of', async () => {
    const { problems } = await loadText('version: 1\nkeys: [{ name: a, value: "${env:K}" }]\n', { env: { K: 'short' } });
    expect(problems.map(({ code, severity }) => [severity, code])).toEqual([['warning', 'short_key']]);
  });
});

test.each([
  ['500ms', 500],
  ['2s', 2000],
  ['1.5h', 5_400_000],
  ['1m30s', 90_000],
  ['1d', 86_400_000],
])('the duration %s', async (text, milliseconds) => {
  const { loaded } = await loadText(`version: 1\nproviders: { a: { preset: sandbox, timeouts: { total: ${text} } } }\n`);
  expect(loaded?.config.providers['a']?.timeouts?.total).toBe(milliseconds);
});
test.each(['2', '2 s', '-1s', '0s', 's', '2S', '1w', '99999d'])('no duration: %j', async (text) => {
  const { problems } = await loadText(`version: 1\nproviders: { a: { preset: sandbox, timeouts: { total: "${text}" } } }\n`);
  expect(problems.map(({ code }) => code)).toEqual(['wrong_value']);
});
test.each([
  ['32MiB', 33_554_432],
  ['1 MB', 1_000_000],
  ['1.5KiB', 1536],
  ['4096', 4096],
  ['2048B', 2048],
])('the size %s', async (text, bytes) => {
  const { loaded } = await loadText(`version: 1\nlimits: { body: ${text} }\n`);
  expect(loaded?.config.limits.body).toBe(bytes);
});
test.each(['32MX', '-1MiB', '1', 'MiB', '1 000MiB', '99999999TiB'])('no size: %j', async (text) => {
  const { problems } = await loadText(`version: 1\nlimits: { body: "${text}" }\n`);
  expect(problems.map(({ code }) => code)).toEqual(['wrong_value']);
});

describe('the file is looked for', () => {
  const file = (port: number): string => `version: 1\nserver: { port: ${port} }\n`;
  const ALL = {
    'asked.yaml': file(1),
    'named.json': '{"version": 1, "server": {"port": 2}}',
    'here/pailou.yaml': file(3),
    'here/pailou.yml': file(4),
    'here/pailou.json': '{"version": 1, "server": {"port": 5}}',
    'xdg/pailou/pailou.yaml': file(6),
    'home/.config/pailou/pailou.yaml': file(7),
    'etc/pailou.yaml': file(8),
  };
  const without = (...gone: readonly string[]) => Object.fromEntries(Object.entries(ALL).filter(([name]) => !gone.includes(name)));
  const HERE = ['here/pailou.yaml', 'here/pailou.yml', 'here/pailou.json'];
  test.each([
    ['--config before all', ALL, { asked: true, named: true, xdg: true }, 1],
    ['$PAILOU_CONFIG', ALL, { named: true, xdg: true }, 2],
    ['here', ALL, { xdg: true }, 3],
    ['here, as .yml', without('here/pailou.yaml'), { xdg: true }, 4],
    ['here, as JSON', without('here/pailou.yaml', 'here/pailou.yml'), { xdg: true }, 5],
    ["the user's, by XDG", without(...HERE), { xdg: true }, 6],
    ["the user's", without(...HERE), {}, 7],
    ["the system's", without(...HERE, 'home/.config/pailou/pailou.yaml'), {}, 8],
    ['nowhere', {}, {}, 7117],
  ] as const)('%s', async (_name, files, how: { asked?: boolean; named?: boolean; xdg?: boolean }, port) => {
    const folder = scratchFolder({ 'here/.keep': '', ...files });
    const env = {
      ...(how.named ? { PAILOU_CONFIG: join(folder, 'named.json') } : {}),
      ...(how.xdg ? { XDG_CONFIG_HOME: join(folder, 'xdg') } : {}),
    };
    const places = { ...optionsIn(folder), cwd: join(folder, 'here'), env };
    const loaded = await loadConfig(how.asked ? { ...places, path: '../asked.yaml' } : places);
    expect(loaded.config.server.port).toBe(port);
  });
  test.each([
    ['--config', { path: 'nowhere.yaml' }, "There is no file 'nowhere.yaml'. Expected"],
    ['$PAILOU_CONFIG', { env: { PAILOU_CONFIG: 'nowhere.yaml' } }, "There is no file 'nowhere.yaml' ($PAILOU_CONFIG). Expected"],
  ])('one that is named by %s and not there is an error, also where others are', async (_name, changes, says) => {
    const { problems } = await loadText('version: 1\n', changes);
    expect(linesOf(problems)).toEqual([expect.stringContaining(says)]);
  });
  test('a folder of that name is told', async () => {
    const { problems } = await loadText('version: 1\n', { path: '.' });
    expect(problems.map(({ code }) => code)).toEqual(['file_unreadable']);
  });
});

test.each([
  ['left out', 'version: 1\n', 1],
  ['auto', 'version: 1\nserver: { workers: auto }\n', 'auto'],
  ['a number', 'version: 1\nserver: { workers: 4 }\n', 4],
])('workers: %s', async (_name, text, workers) => {
  const { loaded } = await loadText(text);
  expect(loaded?.config.server.workers).toBe(workers);
});

test('flags win over the file, and are known as the source', async () => {
  const { loaded } = await loadText('version: 1\nserver: { host: 127.0.0.1, port: 1 }\n', { overrides: { port: 2, host: '0.0.0.0' } });
  expect(loaded?.config.server).toMatchObject({ host: '0.0.0.0', port: 2 });
  expect(loaded?.sources.get('server.port')).toMatchObject({ kind: 'flag', from: ['--port'] });
});
