import { describe, expect, test } from 'vitest';
import { fileShape } from '../../src/config/file-shape.ts';
import { linesOf, loadText } from './scratch.ts';

interface Mistake {
  readonly name: string;
  readonly text: string;
  readonly en: string;
  readonly zh: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What may stand in a place, as it is listed: tests do not change with each new setting. */
const LISTED: Readonly<Record<string, readonly string[]>> = {
  '{top}': Object.keys(fileShape.fields),
  '{server}': Object.keys(fileShape.fields.server.fields),
};

const withLists = (line: string, comma: string): string =>
  Object.entries(LISTED).reduce((rest, [place, names]) => rest.replace(place, () => names.join(comma)), line);

/** Files with one mistake each, and all that is said of it. */
const YAML: readonly Mistake[] = [
  {
    name: 'an unknown key at the top',
    text: 'version: 1\nsever: { port: 1 }\n',
    en: "pailou.yaml:2:1 sever: error: Unknown key 'sever'. Expected {top}. Did you mean 'server'?",
    zh: 'pailou.yaml:2:1 sever: 错误：未知的键“sever”。应为：{top}。是否想写“server”？',
  },
  {
    name: 'a fallback outside its route’s regions',
    text: 'version: 1\nproviders: { a: { preset: sandbox }, e: { preset: sandbox, regions: [eu] } }\nmodels: { r: { regions: [eu], targets: [{ to: e/m }], fallback: [a/n] } }\n',
    en: "pailou.yaml:3:66 models.r.fallback[0]: error: This fallback is never tried: 'a' is not in the route’s regions. Expected a provider with regions: [eu]",
    zh: 'pailou.yaml:3:66 models.r.fallback[0]: 错误：该备用永远不会被尝试：“a”不在路由限定的地域。应为设置了 regions: [eu] 的服务商',
  },
  {
    name: 'a fallback after a failure that leads out of its route’s regions by another name',
    text: 'version: 1\nproviders: { a: { preset: sandbox }, e: { preset: sandbox, regions: [eu] } }\nmodels: { b: a/n, r: { regions: [eu], targets: [{ to: e/m }], fallback: { down: [b] } } }\n',
    en: "pailou.yaml:3:82 models.r.fallback.down[0]: error: This fallback is never tried: 'a' is not in the route’s regions. Expected a provider with regions: [eu]",
    zh: 'pailou.yaml:3:82 models.r.fallback.down[0]: 错误：该备用永远不会被尝试：“a”不在路由限定的地域。应为设置了 regions: [eu] 的服务商',
  },
  {
    name: 'a fallback that may keep what it is sent',
    text: 'version: 1\nproviders: { a: { preset: sandbox }, e: { preset: sandbox, dataCollection: deny } }\nmodels: { r: { dataCollection: deny, targets: [{ to: e/m }], fallback: [a/n] } }\n',
    en: "pailou.yaml:3:73 models.r.fallback[0]: error: This fallback is never tried: 'a' may keep what it is sent. Expected a provider with dataCollection: deny",
    zh: 'pailou.yaml:3:73 models.r.fallback[0]: 错误：该备用永远不会被尝试：“a”可能保留数据。应为设置了 dataCollection: deny 的服务商',
  },
  {
    name: 'a target outside its route’s regions',
    text: 'version: 1\nproviders: { a: { preset: sandbox } }\nmodels: { r: { regions: [eu], targets: [{ to: a/m }] } }\n',
    en: "pailou.yaml:3:47 models.r.targets[0].to: error: This target is never tried: 'a' is not in the route’s regions. Expected a provider with regions: [eu]",
    zh: 'pailou.yaml:3:47 models.r.targets[0].to: 错误：该目标永远不会被尝试：“a”不在路由限定的地域。应为设置了 regions: [eu] 的服务商',
  },
  {
    name: 'a price in two currencies',
    text: 'version: 1\nproviders:\n  a:\n    preset: sandbox\n    models: { m: { price: { input: 1 USD, output: 2 CNY } } }\n',
    en: 'pailou.yaml:5:51 providers.a.models.m.price.output: error: This price is in USD above and in CNY here. Expected all of a price in one currency: USD',
    zh: 'pailou.yaml:5:51 providers.a.models.m.price.output: 错误：同一价格中既有 USD 又有 CNY。应为同一价格使用同一货币：USD',
  },
  {
    name: 'a price without its currency',
    text: "version: 1\nproviders:\n  a:\n    preset: sandbox\n    models: { m: { price: { input: '1.5' } } }\n",
    en: 'pailou.yaml:5:36 providers.a.models.m.price.input: error: Wrong value. Found the text "1.5". Expected an amount and its currency: 0.27 USD, 2 CNY',
    zh: 'pailou.yaml:5:36 providers.a.models.m.price.input: 错误：值不正确。实际为文本“1.5”。应为金额和货币：0.27 USD、2 CNY',
  },
  {
    name: 'an unknown key inside braces',
    text: 'version: 1\nserver: { host: 127.0.0.1, prot: 80 }\n',
    en: "pailou.yaml:2:28 server.prot: error: Unknown key 'prot'. Expected {server}. Did you mean 'port'?",
    zh: 'pailou.yaml:2:28 server.prot: 错误：未知的键“prot”。应为：{server}。是否想写“port”？',
  },
  {
    name: 'an unknown key deep inside',
    text: 'version: 1\nproviders:\n  a:\n    preset: sandbox\n    timeouts:\n      firstTokn: 2s\n',
    en: "pailou.yaml:6:7 providers.a.timeouts.firstTokn: error: Unknown key 'firstTokn'. Expected connect, headers, firstToken, idle, total. Did you mean 'firstToken'?",
    zh: 'pailou.yaml:6:7 providers.a.timeouts.firstTokn: 错误：未知的键“firstTokn”。应为：connect、headers、firstToken、idle、total。是否想写“firstToken”？',
  },
  {
    name: 'no workers',
    text: 'version: 1\nserver: { workers: 0 }\n',
    en: 'pailou.yaml:2:20 server.workers: error: Wrong value. Found 0. Expected a whole number from 1 to 64',
    zh: 'pailou.yaml:2:20 server.workers: 错误：值不正确。实际为 0。应为 1 到 64 的整数',
  },
  {
    name: 'a word where a number or another word may stand',
    text: 'version: 1\nserver: { workers: many }\n',
    en: 'pailou.yaml:2:20 server.workers: error: Wrong value. Found the text "many". Expected a whole number from 1 to 64, or one of: auto',
    zh: 'pailou.yaml:2:20 server.workers: 错误：值不正确。实际为文本“many”。应为 1 到 64 的整数，或以下之一：auto',
  },
  {
    name: 'too short a time',
    text: 'version: 1\nserver: { keepAlive: { delay: 500ms } }\n',
    en: 'pailou.yaml:2:31 server.keepAlive.delay: error: Wrong value. Found the text "500ms". Expected 1s or more',
    zh: 'pailou.yaml:2:31 server.keepAlive.delay: 错误：值不正确。实际为文本“500ms”。应为不小于 1s 的值',
  },
  {
    name: 'a longer time than a timer can wait',
    text: 'version: 1\nproviders: { a: { preset: sandbox, timeouts: { idle: 30d } } }\n',
    en: 'pailou.yaml:2:54 providers.a.timeouts.idle: error: Wrong value. Found the text "30d". Expected 24d or less',
    zh: 'pailou.yaml:2:54 providers.a.timeouts.idle: 错误：值不正确。实际为文本“30d”。应为不大于 24d 的值',
  },
  {
    name: 'too large a part',
    text: 'version: 1\nlimits: { retries: { budget: 110% } }\n',
    en: 'pailou.yaml:2:30 limits.retries.budget: error: Wrong value. Found the text "110%". Expected a part of the calls, 0% to 100%, or off: 10%',
    zh: 'pailou.yaml:2:30 limits.retries.budget: 错误：值不正确。实际为文本“110%”。应为请求的比例（0% 至 100%）或 off：10%',
  },
  {
    name: 'too small a size',
    text: 'version: 1\nlimits: { body: 10 }\n',
    en: 'pailou.yaml:2:17 limits.body: error: Wrong value. Found 10. Expected 1KiB or more',
    zh: 'pailou.yaml:2:17 limits.body: 错误：值不正确。实际为 10。应为不小于 1KiB 的值',
  },
  {
    name: 'an unknown key that is like none',
    text: 'version: 1\nlog: { zzzzzzzz: 1 }\n',
    en: "pailou.yaml:2:8 log.zzzzzzzz: error: Unknown key 'zzzzzzzz'. Expected level",
    zh: 'pailou.yaml:2:8 log.zzzzzzzz: 错误：未知的键“zzzzzzzz”。应为：level',
  },
  {
    name: 'text for a number',
    text: 'version: 1\nserver:\n  port: eighty\n',
    en: 'pailou.yaml:3:9 server.port: error: Wrong value. Found the text "eighty". Expected a whole number from 0 to 65535',
    zh: 'pailou.yaml:3:9 server.port: 错误：值不正确。实际为文本“eighty”。应为 0 到 65535 的整数',
  },
  {
    name: 'a number out of bounds',
    text: 'version: 1\nserver: { port: 65536 }\n',
    en: 'pailou.yaml:2:17 server.port: error: Wrong value. Found 65536. Expected a whole number from 0 to 65535',
    zh: 'pailou.yaml:2:17 server.port: 错误：值不正确。实际为 65536。应为 0 到 65535 的整数',
  },
  {
    name: 'another version',
    text: 'version: 2\n',
    en: 'pailou.yaml:1:10 version: error: Wrong value. Found 2. Expected 1',
    zh: 'pailou.yaml:1:10 version: 错误：值不正确。实际为 2。应为 1',
  },
  {
    name: 'a word that is none',
    text: 'version: 1\nlog: { level: wran }\n',
    en: 'pailou.yaml:2:15 log.level: error: Wrong value. Found the text "wran". Expected one of: debug, info, warn, error, silent. Did you mean \'warn\'?',
    zh: 'pailou.yaml:2:15 log.level: 错误：值不正确。实际为文本“wran”。应为以下之一：debug、info、warn、error、silent。是否想写“warn”？',
  },
  {
    name: 'a duration without a unit',
    text: 'version: 1\nproviders: { a: { preset: sandbox, timeouts: { idle: 60 } } }\n',
    en: 'pailou.yaml:2:54 providers.a.timeouts.idle: error: Wrong value. Found 60. Expected a duration with its unit: 500ms, 2s, 10m, 1h, 30d',
    zh: 'pailou.yaml:2:54 providers.a.timeouts.idle: 错误：值不正确。实际为 60。应为带单位的时长：500ms、2s、10m、1h、30d',
  },
  {
    name: 'a size in no unit that there is',
    text: 'version: 1\nlimits: { body: 32MX }\n',
    en: 'pailou.yaml:2:17 limits.body: error: Wrong value. Found the text "32MX". Expected a size: 512KiB, 32MiB, 1GiB',
    zh: 'pailou.yaml:2:17 limits.body: 错误：值不正确。实际为文本“32MX”。应为大小：512KiB、32MiB、1GiB',
  },
  {
    name: 'a list for a map',
    text: 'version: 1\nproviders: [openai]\n',
    en: 'pailou.yaml:2:12 providers: error: Wrong value. Found a list. Expected names with values',
    zh: 'pailou.yaml:2:12 providers: 错误：值不正确。实际为列表。应为名称与值的映射',
  },
  {
    name: 'a map for a list',
    text: 'version: 1\nkeys: { name: a, value: b }\n',
    en: 'pailou.yaml:2:7 keys: error: Wrong value. Found names with values. Expected a list',
    zh: 'pailou.yaml:2:7 keys: 错误：值不正确。实际为名称与值的映射。应为列表',
  },
  {
    name: 'a text for the whole',
    text: 'hello\n',
    en: 'pailou.yaml:1:1: error: Wrong value. Found the text "hello". Expected names with values',
    zh: 'pailou.yaml:1:1: 错误：值不正确。实际为文本“hello”。应为名称与值的映射',
  },
  {
    name: 'a number for a section',
    text: 'version: 1\nserver: 8080\n',
    en: 'pailou.yaml:2:9 server: error: Wrong value. Found 8080. Expected names with values',
    zh: 'pailou.yaml:2:9 server: 错误：值不正确。实际为 8080。应为名称与值的映射',
  },
  {
    name: 'yes for a flag',
    text: 'version: 1\ndiscover: yes\n',
    en: 'pailou.yaml:2:11 discover: error: Wrong value. Found the text "yes". Expected true or false',
    zh: 'pailou.yaml:2:11 discover: 错误：值不正确。实际为文本“yes”。应为 true 或 false',
  },
  {
    name: 'a number where a key belongs: never quoted',
    text: 'version: 1\nkeys: [{ name: a, value: 1234567890123456 }]\n',
    en: 'pailou.yaml:2:26 keys[0].value: error: Wrong value. Found a number. Expected text: put quotes around it',
    zh: 'pailou.yaml:2:26 keys[0].value: 错误：值不正确。实际为数字。应为文本：请加引号',
  },
  {
    name: 'a key that does not fit into a header: never quoted',
    text: 'version: 1\nkeys: [{ name: a, value: "${env:K}" }]\n',
    env: { K: 'two secret words' },
    en: 'pailou.yaml:2:26 keys[0].value: error: Wrong value. Found text (not shown). Expected letters, digits and signs without spaces',
    zh: 'pailou.yaml:2:26 keys[0].value: 错误：值不正确。实际为文本（不显示）。应为不含空格的字母、数字和符号',
  },
  {
    name: 'a key without its value',
    text: 'version: 1\nkeys:\n  - name: a\n',
    en: "pailou.yaml:3:5 keys[0].value: error: 'value' is missing. Expected text",
    zh: 'pailou.yaml:3:5 keys[0].value: 错误：缺少“value”。应为文本',
  },
  {
    name: 'a name without a value',
    text: 'version: 1\nmodels:\n  fast:\n',
    en: "pailou.yaml:3:3 models.fast: error: 'fast' has no value. Expected text, or names with values",
    zh: 'pailou.yaml:3:3 models.fast: 错误：“fast”没有值。应为文本，或名称与值的映射',
  },
  {
    name: 'a range of addresses that is none',
    text: 'version: 1\negress: { allow: [10.0.0.0/33] }\n',
    en: 'pailou.yaml:2:19 egress.allow[0]: error: Wrong value. Found the text "10.0.0.0/33". Expected an address or range: 10.0.0.0/8, fd00::/8, 192.168.1.5',
    zh: 'pailou.yaml:2:19 egress.allow[0]: 错误：值不正确。实际为文本“10.0.0.0/33”。应为地址或网段：10.0.0.0/8、fd00::/8、192.168.1.5',
  },
  {
    name: 'the same key twice',
    text: 'version: 1\nserver: { port: 1 }\nserver: { port: 2 }\n',
    en: "pailou.yaml:3:1: error: 'server' is there twice. Expected one of the two",
    zh: 'pailou.yaml:3:1: 错误：“server”出现了两次。应为只保留其中一个',
  },
  {
    name: 'a pattern without quotes',
    text: 'version: 1\nmodels:\n  *-mini: fast\n',
    en: 'pailou.yaml:3:9: error: This is no valid YAML: Alias ending in : is ambiguous. Expected quotes around a name that begins with *: "*-mini"',
    zh: 'pailou.yaml:3:9: 错误：YAML 语法有误：Alias ending in : is ambiguous。应为以 * 开头的名称外加引号："*-mini"',
  },
  {
    name: 'two keys of one name',
    text: 'version: 1\nkeys:\n  - { name: a, value: "${env:A}" }\n  - { name: a, value: "${env:B}" }\n',
    env: { A: 'pk-aaaaaaaaaaaaaaaa', B: 'pk-bbbbbbbbbbbbbbbb' },
    en: "pailou.yaml:4:13 keys[1].name: error: Key 1 has the name 'a' already. Expected one of its own",
    zh: 'pailou.yaml:4:13 keys[1].name: 错误：第 1 个密钥已使用名称“a”。应为各不相同',
  },
  {
    name: 'two keys of one value',
    text: 'version: 1\nkeys:\n  - { name: a, value: "${env:A}" }\n  - { name: b, value: "${env:A}" }\n',
    env: { A: 'pk-aaaaaaaaaaaaaaaa' },
    en: 'pailou.yaml:4:23 keys[1].value: error: Key 1 has the same value. Expected one of its own',
    zh: 'pailou.yaml:4:23 keys[1].value: 错误：与第 1 个密钥的值相同。应为各不相同',
  },
];

const JSON_FILES: readonly Mistake[] = [
  {
    name: 'an unknown key',
    text: '{\n  "version": 1,\n  "server": { "prot": 80 }\n}\n',
    en: "pailou.json:3:15 server.prot: error: Unknown key 'prot'. Expected {server}. Did you mean 'port'?",
    zh: 'pailou.json:3:15 server.prot: 错误：未知的键“prot”。应为：{server}。是否想写“port”？',
  },
  {
    name: 'a wrong kind',
    text: '{ "version": 1, "server": { "port": "80" } }',
    en: 'pailou.json:1:37 server.port: error: Wrong value. Found the text "80". Expected a whole number from 0 to 65535',
    zh: 'pailou.json:1:37 server.port: 错误：值不正确。实际为文本“80”。应为 0 到 65535 的整数',
  },
  {
    name: 'a comma too many',
    text: '{ "version": 1, }',
    en: 'pailou.json:1:15: error: This is no valid JSON. Found `,`. Expected no comma before }',
    zh: 'pailou.json:1:15: 错误：JSON 语法有误。实际为`,`。应为 } 之前没有逗号',
  },
  {
    name: 'a comment',
    text: '{\n  // hello\n}',
    en: 'pailou.json:2:3: error: This is no valid JSON. Found `/`. Expected a value or a sign of JSON',
    zh: 'pailou.json:2:3: 错误：JSON 语法有误。实际为`/`。应为 JSON 的值或符号',
  },
  {
    name: 'cut off',
    text: '{ "version": 1',
    en: 'pailou.json:1:15: error: This is no valid JSON. Found the end of the file. Expected a comma, or }',
    zh: 'pailou.json:1:15: 错误：JSON 语法有误。实际为文件结尾。应为逗号，或 }',
  },
  {
    name: 'the same key twice',
    text: '{ "version": 1, "version": 1 }',
    en: "pailou.json:1:17: error: 'version' is there twice. Expected one of the two",
    zh: 'pailou.json:1:17: 错误：“version”出现了两次。应为只保留其中一个',
  },
];

describe.each([
  ['pailou.yaml', YAML],
  ['pailou.json', JSON_FILES],
] as const)('%s', (file, mistakes) => {
  test.each(mistakes)('$name', async ({ text, en, zh, env = {} }) => {
    const { problems, loaded } = await loadText(text, { name: file, env });
    expect(loaded).toBeUndefined();
    expect(linesOf(problems, 'en')).toEqual([withLists(en, ', ')]);
    expect(linesOf(problems, 'zh')).toEqual([withLists(zh, '、')]);
  });
});

test('all mistakes are told at once, in the order of the file, with stable codes for programs', async () => {
  const { problems } = await loadText('sever: 1\nserver: { port: x }\nlimits: { body: 1 }\nmodels: { a: b, b: a }\n');
  expect(problems.map(({ code, place }) => [code, place?.line])).toEqual([
    ['unknown_key', 1],
    ['no_version', 1],
    ['wrong_value', 2],
    ['wrong_value', 3],
    ['alias_loop', 4],
    ['alias_loop', 4],
  ]);
});

test.each([
  ['nested deeper than any configuration', 'pailou.json', '['.repeat(5000)],
  ['nested deeper than any configuration', 'pailou.yaml', '['.repeat(5000)],
  [
    'anchors that grow without end',
    'pailou.yaml',
    [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((one, at) => `${one}: &${one} [${`*${'abcdefgh'[at] ?? ''},`.repeat(9)}]`),
    ].join('\n'),
  ],
  ['a NUL', 'pailou.yaml', 'version: "\0"\n'],
  ['no UTF-8', 'pailou.yaml', '\uFFFD: 1\n'],
])('what no configuration is ends with a problem, not a crash: %s (%s)', async (_name, name, text) => {
  const { problems } = await loadText(text, { name });
  expect(problems.some(({ severity }) => severity === 'error')).toBe(true);
});
