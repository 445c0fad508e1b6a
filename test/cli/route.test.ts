import { describe, expect, test } from 'vitest';
import { reasonWords } from '../../src/cli/reason-words.ts';
import { openTerminal } from './terminal.ts';

const CONFIG = `version: 1
keys:
  - { name: laptop, value: "\${env:CLIENT}", models: [fast] }
providers:
  openai: { preset: openai, key: "\${env:K}" }
  deepseek: { preset: deepseek, key: "\${env:K}", abilities: { "*": { tools: false } } }
models:
  fast: deepseek/deepseek-chat
  smart:
    targets:
      - { to: openai/gpt-5.6, weight: 20 }
      - { to: deepseek/deepseek-v4-pro, weight: 80 }
    fallback: { down: [fast] }
  even:
    targets: [{ to: openai/gpt-5.6 }, { to: deepseek/deepseek-v4-pro }]
    strategy: hash-session
  media:
    targets: [{ to: openai/text-embedding-3-small }, { to: openai/gpt-image-1 }]
sandbox: false
`;
const env = { K: 'sk-0123456789-abcdefgh', CLIENT: 'pk-0123456789-abcdefgh' };
const terminal = (more = '') => openTerminal({ 'pailou.yaml': CONFIG + more }, env);

const SMART = `smart → deepseek/deepseek-v4-pro
  1. deepseek/deepseek-v4-pro (anthropic-messages)  chosen: by its alias, by weight
  + openai/gpt-5.6 (openai-responses)               next: by its alias, by weight
  + deepseek/deepseek-chat (anthropic-messages)     next: only after down, by its alias, fallback, by its alias
`;
const TOOLS = `smart → openai/gpt-5.6
  1. openai/gpt-5.6 (openai-chat)               选中：按别名、按权重
  - deepseek/deepseek-v4-pro (openai-chat)      排除：按别名、按权重、缺少 tools
  - deepseek/deepseek-chat (openai-chat)        排除：仅在 down 之后、按别名、备用、按别名、缺少 tools
`;

const squeezed = (text: string): string => text.replaceAll(/ {2,}/g, '  ');

describe('route explain', () => {
  test('in English', async () => {
    const { code, stdout, stderr } = await terminal().run('route explain smart --protocol anthropic');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(squeezed(stdout)).toBe(squeezed(SMART));
  });

  test('in Chinese', async () => {
    const { code, stdout } = await terminal().run('route explain smart --needs tools --lang zh');
    expect(code).toBe(0);
    expect(squeezed(stdout)).toBe(squeezed(TOOLS));
  });

  test('as a document', async () => {
    const { code, stdout } = await terminal().run('route explain smart --down deepseek/deepseek-v4-pro,openai --json');
    expect(code).toBe(0);
    const { asked, candidates } = JSON.parse(stdout) as { asked: string; candidates: unknown };
    expect(asked).toBe('smart');
    expect(candidates).toEqual([
      {
        provider: 'deepseek',
        model: 'deepseek-v4-pro',
        protocol: 'openai-chat',
        verdict: 'rejected',
        reasons: ['alias', 'weight', 'unhealthy'],
      },
      { provider: 'openai', model: 'gpt-5.6', protocol: 'openai-chat', verdict: 'rejected', reasons: ['alias', 'weight', 'unhealthy'] },
      {
        provider: 'deepseek',
        model: 'deepseek-chat',
        protocol: 'openai-chat',
        verdict: 'chosen',
        reasons: ['alias', 'fallback', 'alias'],
        after: ['down'],
      },
    ]);
  });

  test.each([
    ['route explain nothing', 5, "nothing → nowhere. Unknown model 'nothing'. GET /v1/models lists what there is\n"],
    [
      'route explain nothing --lang zh',
      5,
      "nothing → 无处可去，客户端会收到：Unknown model 'nothing'. GET /v1/models lists what there is\n",
    ],
    ['route explain smart --key laptop', 4, "smart → nowhere. This key may not use model 'smart'\n"],
    ['route explain fast --key laptop', 0, 'fast → deepseek/deepseek-chat\n'],
    ['route explain media --operation embeddings', 0, 'media → openai/text-embedding-3-small\n  1. openai/text-embedding-3-small  '],
    ['route explain media --operation images', 0, 'media → openai/gpt-image-1\n  1. openai/gpt-image-1 '],
    [
      'route explain fast --operation speech',
      1,
      "fast → nowhere. Provider 'deepseek' cannot do this for 'fast': it is not known to have speech there\n",
    ],
  ])('%s', async (line, code, says) => {
    const ran = await terminal().run(line);
    expect(ran.code).toBe(code);
    expect(ran.stdout.startsWith(says)).toBe(true);
  });

  test.each([
    ['--max-price prompt=2', 0, 'left out: by its alias, by weight, dearer than the request allows'],
    ['--max-price prompt=1,completion=2', 1, 'openai/gpt-5.6 costs more than provider.max_price'],
    ['--ignore deepseek', 0, 'deepseek/deepseek-v4-pro (openai-chat)  left out: by its alias, by weight, the request leaves it out'],
    ['--only deepseek', 0, 'smart → deepseek/deepseek-v4-pro\n'],
    ['--only DeepSeek/turbo', 0, 'smart → deepseek/deepseek-v4-pro\n'],
    ['--order openai', 0, 'smart → openai/gpt-5.6\n'],
    ['--models media,fast', 0, 'openai/gpt-image-1'],
    ['--no-fallbacks', 0, '- openai/gpt-5.6'],
    ['--needs tools --require-parameters', 0, 'smart → openai/gpt-5.6\n'],
    ['--sort price --tokens 100', 0, 'next: by its alias, by weight, by price'],
    ['--facts', 0, 'openai/gpt-5.6\n  price: 4 USD in, 20 USD out, 0.4 USD cached (a million tokens); above 272,000 tokens 8 USD in, '],
    ['--facts', 0, '0.8 USD cached (catalogue, by public tables; to be checked on https://developers.openai.com/'],
    ['--facts', 0, 'cached (a million tokens) (catalogue, read on https://api-docs.deepseek.com/'],
    ['--facts --lang zh', 0, '0.044 USD 缓存命中（每百万 token）（目录，查自 https://api-docs.deepseek.com/'],
    ['--facts --lang zh', 0, '  不支持：tools（配置）；vision,audio,video,imageOutput,audioOutput（目录）；files,structured（预设）\n'],
  ])('route explain smart %s', async (asks, code, says) => {
    const ran = await terminal().run(`route explain smart ${asks}`);
    expect(ran.code).toBe(code);
    expect(ran.stdout).toContain(says);
  });

  test.each([
    [
      'route explain smart --max-price prompt=cheap',
      "--max-price must be amounts in USD, as prompt=1,completion=2.5, not 'prompt=cheap'",
      '--max-price 须为美元金额，如 prompt=1,completion=2.5，而不是“prompt=cheap”',
    ],
    [
      'route explain',
      "'route explain' needs MODEL. What it takes: pailou help route explain",
      '“route explain”需要 MODEL。用法：pailou help route explain',
    ],
    [
      'route explain smart --needs tolls',
      "--needs does not know 'tolls'. Did you mean 'tools'? Known: ",
      '--needs 不认识“tolls”。是否想输入“tools”？可用：',
    ],
    ['route explain smart --protocol grpc', "--protocol does not know 'grpc'.", '--protocol 不认识“grpc”。'],
    [
      'route explain smart --operation image',
      "--operation does not know 'image'. Did you mean 'images'?",
      '--operation 不认识“image”。是否想输入“images”？',
    ],
    ['route explain smart --answer -1', "--answer must be a whole number, not '-1'", '--answer 须为整数，而不是“-1”'],
    ['route explain smart --tokens many', "--tokens must be a whole number, not 'many'", '--tokens 须为整数，而不是“many”'],
    [
      'route explain smart --key lapdog',
      "--key does not know 'lapdog'. Did you mean 'laptop'?",
      '--key 不认识“lapdog”。是否想输入“laptop”？',
    ],
    ...['only', 'ignore', 'order'].map((flag) => [
      `route explain smart --${flag} openai,depseek`,
      `--${flag} does not know 'depseek'. Did you mean 'deepseek'?`,
      `--${flag} 不认识“depseek”。是否想输入“deepseek”？`,
    ]),
    [
      'route explain smart --down opnai',
      "--down does not know 'opnai'. Did you mean 'openai'?",
      '--down 不认识“opnai”。是否想输入“openai”？',
    ],
    [
      'route explain smart --limited opnai/gpt-5.6',
      "--limited does not know 'opnai'. Did you mean 'openai'?",
      '--limited 不认识“opnai”。是否想输入“openai”？',
    ],
    ['route', "'route' is not a whole command. Did you mean 'route explain'?", '命令“route”不完整。是否想输入“route explain”？'],
  ])('%s ends with 2', async (line, en, zh) => {
    const said = await terminal().run(line);
    expect(said).toMatchObject({ code: 2, stdout: '' });
    expect(said.stderr.startsWith(en)).toBe(true);
    expect((await terminal().run(`--lang=zh ${line}`)).stderr.startsWith(zh)).toBe(true);
  });

  test('a lack is named in both languages', () => expect(reasonWords('capability_missing:tools')).toEqual(['lacks tools', '缺少 tools']));
});

test('a session goes where its conversation goes, each time', async () => {
  const { run } = terminal();
  const first = async (session: string): Promise<string> =>
    (await run(`route explain even --session ${session}`)).stdout.split('\n')[0] ?? '';
  const gone = await Promise.all(Array.from({ length: 12 }, (_, at) => first(`s${at}`)));
  expect(new Set(gone).size).toBe(2);
  expect(await first('s3')).toBe(gone[3]);
});

test('a route test that names no provider is a mistake in the configuration, with its place', async () => {
  const ran = await terminal(`routeTests:
  - { name: only, when: { model: smart, only: [opnai] }, expect: { first: openai/gpt-5.6 } }
`).run('check');
  expect(ran.code).toBe(3);
  expect(`${ran.stdout}${ran.stderr}`).toMatch(/routeTests\[0\]\.when\.only\[0\][^]*There is no provider 'opnai'[^]*openai/);
});

const passing = `routeTests:
  - name: tools go to a model that has them
    when: { model: smart, protocol: anthropic, needs: [tools] }
    expect: { first: openai/gpt-5.6 }
`;
const byPrice = `routeTests:
  - name: nothing dear
    when: { model: smart, maxPrice: { prompt: 1 USD }, sort: price }
    expect: { order: [deepseek/deepseek-chat] }
`;
const byWishes = `routeTests:
  - { name: order, when: { model: smart, order: [openai] }, expect: { first: openai/gpt-5.6 } }
  - { name: only, when: { model: smart, only: [OpenAI] }, expect: { order: [openai/gpt-5.6] } }
  - { name: ignore, when: { model: smart, ignore: [deepseek] }, expect: { order: [openai/gpt-5.6] } }
  - { name: alone, when: { model: smart, allowFallbacks: false }, expect: { order: [deepseek/deepseek-v4-pro] } }
  - { name: whole, when: { model: smart, needs: [tools], requireParameters: true }, expect: { order: [openai/gpt-5.6] } }
  - { name: then, when: { model: fast, models: [openai/gpt-5.6] }, expect: { order: [deepseek/deepseek-chat, openai/gpt-5.6] } }
  - { name: session, when: { model: even, session: s1 }, expect: { first: openai/gpt-5.6 } }
  - { name: another session, when: { model: even, session: s2 }, expect: { first: deepseek/deepseek-v4-pro } }
`;
const failing = `${passing}  - name: all is well
    when: { model: smart }
    expect: { first: openai/gpt-5.6 }
`;

const CALLED = `version: 1
providers:
  openai: { preset: openai, key: "\${env:K}", dataCollection: deny, models: { '*': { price: { input: 1 USD, output: 1 USD } } } }
  deepseek: { preset: deepseek, key: "\${env:K}", models: { '*': { price: { input: 0.1 USD, output: 3 USD } } } }
models:
  smart: { targets: [{ to: deepseek/deepseek-chat }, { to: openai/gpt-5.6 }] }
  users: { targets: [{ to: deepseek/deepseek-chat }, { to: openai/gpt-5.6 }], strategy: hash-user }
  addresses: { targets: [{ to: deepseek/deepseek-chat }, { to: openai/gpt-5.6 }], strategy: hash-client }
  sessions: { targets: [{ to: deepseek/deepseek-chat }, { to: openai/gpt-5.6 }], affinity: true }
  cheap: { targets: [{ to: deepseek/deepseek-chat }, { to: openai/gpt-5.6 }], strategy: lowest-cost }
sandbox: false
`;

describe('a route test says what a flag of route explain says', () => {
  test.each([
    ['smart', '--data-collection deny', 'dataCollection: deny', 'openai/gpt-5.6'],
    ['gpt-5.6', '--platform openai', 'platform: openai', 'openai/gpt-5.6'],
    ['deepseek-chat', '--platform openai', 'platform: openai', 'openai/deepseek-chat'],
    ['users', '--user somebody', 'user: somebody', 'openai/gpt-5.6'],
    ['users', '--user a', 'user: a', 'deepseek/deepseek-chat'],
    ['addresses', '--address 192.0.2.7', 'address: 192.0.2.7', 'openai/gpt-5.6'],
    ['addresses', '--address 192.0.2.9', 'address: 192.0.2.9', 'deepseek/deepseek-chat'],
    ['sessions', '--session s1', 'session: s1', 'deepseek/deepseek-chat'],
    ['cheap', '--tokens 1000 --answer 100', 'tokens: 1000, answer: 100', 'deepseek/deepseek-chat'],
    ['cheap', '--tokens 1000 --answer 1000', 'tokens: 1000, answer: 1000', 'openai/gpt-5.6'],
    ['smart', '--only openai --sort price', 'only: [openai], sort: price', 'openai/gpt-5.6'],
    ['smart', '--needs tools --down deepseek', 'needs: [tools], down: [deepseek]', 'openai/gpt-5.6'],
    ['smart', '--limited deepseek', 'limited: [deepseek]', 'openai/gpt-5.6'],
    ['smart', '--limited openai/gpt-5.6', 'limited: [openai/gpt-5.6]', 'deepseek/deepseek-chat'],
  ])('%s %s', async (model, flags, when, first) => {
    const more = `routeTests: [{ name: t, when: { model: ${model}, ${when} }, expect: { first: ${first} } }]\n`;
    const { run } = openTerminal({ 'pailou.yaml': CALLED + more }, env);
    const explained = JSON.parse((await run(`route explain ${model} ${flags} --json`)).stdout) as { candidates: unknown };
    const { tests } = JSON.parse((await run('check --tests --json')).stdout) as {
      tests: readonly { decision: { candidates: unknown }; tried: readonly string[]; ok: boolean }[];
    };
    expect(tests.map(({ ok, tried }) => [ok, tried[0]])).toEqual([[true, first]]);
    expect(tests[0]?.decision.candidates).toEqual(explained.candidates);
  });

  test('a platform that is not there is a mistake, with its place', async () => {
    const more = 'routeTests: [{ name: t, when: { model: smart, platform: opnai }, expect: { first: openai/gpt-5.6 } }]\n';
    const ran = await openTerminal({ 'pailou.yaml': CALLED + more }, env).run('check');
    expect(ran.code).toBe(3);
    expect(`${ran.stdout}${ran.stderr}`).toMatch(/routeTests\[0\]\.when\.platform[^]*There is no provider 'opnai'[^]*openai/);
  });
});

describe('check --tests', () => {
  test.each([
    ['passing', passing, 0, '1 route test passed\n'],
    [
      'passing, for media',
      `routeTests:
  - name: pictures
    when: { model: media, operation: images }
    expect: { order: [openai/gpt-image-1] }
  - name: no speech
    when: { model: fast, operation: speech }
    expect: { refused: true }
`,
      0,
      '2 route tests passed\n',
    ],
    ['by price', byPrice, 0, '1 route test passed\n'],
    ['by wishes', byWishes, 0, '8 route tests passed\n'],
    ['none', '', 0, 'There are no routeTests in this configuration\n'],
    ['failing', failing, 9, '1 of 2 route tests failed\n'],
  ])('%s', async (_name, more, code, says) => {
    const { code: got, stderr, stdout } = await terminal(more).run('check --tests');
    expect([got, stdout]).toEqual([code, '']);
    expect(stderr.endsWith(says)).toBe(true);
  });

  test('a failing one is shown with the decision, in Chinese too', async () => {
    const { stderr } = await terminal(failing).run('check --tests');
    expect(stderr).toContain(
      'route test failed: all is well. Expected {"first":"openai/gpt-5.6"}, but:\nsmart → deepseek/deepseek-v4-pro\n',
    );
    const chinese = await terminal(failing).run('check --tests --lang zh');
    expect(chinese.stderr).toContain(
      '路由测试失败：all is well。应为 {"first":"openai/gpt-5.6"}，实际为：\nsmart → deepseek/deepseek-v4-pro\n',
    );
    expect(chinese.stderr.endsWith('2 个路由测试中有 1 个失败\n')).toBe(true);
  });

  test('as a document', async () => {
    const { code, stdout } = await terminal(failing).run('check --tests --json');
    expect(code).toBe(9);
    const { ok, tests } = JSON.parse(stdout) as { ok: boolean; tests: readonly { name: string; ok: boolean; tried: readonly string[] }[] };
    expect(ok).toBe(false);
    expect(tests.map((one) => [one.ok, one.tried[0]])).toEqual([
      [true, 'openai/gpt-5.6'],
      [false, 'deepseek/deepseek-v4-pro'],
    ]);
  });

  test('without the flag none is run; a wrong configuration is 3 all the same', async () => {
    expect((await terminal(failing).run('check')).code).toBe(0);
    expect((await terminal(`${failing}wrong: 1\n`).run('check --tests')).code).toBe(3);
  });
});
