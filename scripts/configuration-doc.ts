// node scripts/configuration-doc.ts: writes docs/configuration.md and docs/configuration.zh-CN.md from the shape that
// configuration files are checked by. With --check it only says whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileShape } from '../src/config/file-shape.ts';
import { inLanguage, type Language, type Words } from '../src/config/language.ts';
import type { Shape } from '../src/config/shape.ts';
import { formatPage } from './format-page.ts';

const EXAMPLE = `\`\`\`yaml
# yaml-language-server: $schema=./node_modules/pailou/schema/v1.json
version: 1
server: { host: 127.0.0.1, port: 7117 }
keys:
  - { name: laptop, value: "\${env:PAILOU_KEY}" }
providers:
  openai: { preset: openai, key: "\${env:OPENAI_API_KEY}" }
  claude: { preset: anthropic, key: "\${env:ANTHROPIC_API_KEY}" }
  deepseek: { preset: deepseek, key: "\${file:/run/secrets/deepseek}" }
  mine: { preset: openai-compatible, baseUrl: http://127.0.0.1:9000/v1, timeouts: { firstToken: 20s, idle: 60s } }
models:
  fast: openai/gpt-5-mini
  claude-haiku-*: fast
  deepseek-*: deepseek/deepseek-*
egress: { allow: [10.0.0.0/8] }
limits: { body: 32MiB }
\`\`\``;

const COMMANDS = `\`\`\`sh
npm start -- --config pailou.yaml --port 8080
\`\`\``;

/** The page around the tables: what no shape says. */
const TEXT: Readonly<Record<string, Words>> = {
  title: ['Configuration', '配置'],
  intro: [
    'Pailou runs without a configuration. With one, it is a file in YAML or JSON:',
    'Pailou 没有配置也能运行。需要配置时，使用 YAML 或 JSON 文件：',
  ],
  whereTitle: ['Where it is looked for', '查找位置'],
  where: [
    `The first that is found: \`--config FILE\`, \`$PAILOU_CONFIG\`, then \`pailou.yaml\`, \`pailou.yml\` or \`pailou.json\` in the current folder, in
\`$XDG_CONFIG_HOME/pailou\` (\`~/.config/pailou\`) and in \`/etc/pailou\`. One that is named and not there is an error. From a clone:`,
    `按以下顺序取第一个：\`--config 文件\`、\`$PAILOU_CONFIG\`，然后是当前目录、\`$XDG_CONFIG_HOME/pailou\`（\`~/.config/pailou\`）和 \`/etc/pailou\`
中的 \`pailou.yaml\`、\`pailou.yml\` 或 \`pailou.json\`。指定的文件不存在时报错。在源码目录中：`,
  ],
  fillTitle: ['Values from elsewhere', '引用外部的值'],
  fill: [
    `- \`\${env:NAME}\` is the value of a variable, \`\${env:NAME:-default}\` has a default for one that is unset or empty, \`\${file:/path}\` is the text of a file
  without its last line break; a path that does not begin with \`/\` or \`~/\` starts at the configuration's folder. \`$\${\` is \`\${\` itself.
- They stand inside quotes: YAML reads \`{\` and \`}\` as its own.
- A variable that is not set and has no default is an error. A secret that is written into the file is a warning (\`pailou check --strict\`: an error).`,
    `- \`\${env:NAME}\` 取环境变量的值；\`\${env:NAME:-默认值}\` 在变量未设置或为空时使用默认值；\`\${file:/路径}\` 取文件内容（去掉末尾换行），
  不以 \`/\` 或 \`~/\` 开头的路径相对于配置文件所在目录。\`$\${\` 表示 \`\${\` 本身。
- 须写在引号内，因为 YAML 会把 \`{\` 和 \`}\` 当作自己的语法。
- 变量未设置且无默认值时报错。密钥以明文写在文件中时警告（\`pailou check --strict\` 视为错误）。`,
  ],
  namesTitle: ['How a model name is read', '模型名称如何解析'],
  names: [
    `In this order: an alias of \`models\`; the first pattern of \`models\` that matches (each \`*\` of the target stands for what was matched);
\`provider/model\`; a bare model id that a configured provider is known to have, or has in its own list, in the order of the file; \`defaultModel\`. Anything else is a 404 that names
the nearest. A name may also stand for a route over several targets: [routing](routing.md).
Under \`/{platform}/v1/…\` only that provider is asked, and the name is its own.`,
    `依次为：\`models\` 中的别名；\`models\` 中第一个匹配的模式（目标中的每个 \`*\` 代表匹配到的内容）；\`服务商/模型\`；已配置的服务商已知提供或其模型列表中有的模型名（按文件顺序）；\`defaultModel\`。
其余返回 404，并列出最接近的名称。名称也可以是包含多个目标的路由：[路由](routing.zh-CN.md)。通过 \`/{platform}/v1/…\` 访问时只使用该服务商，名称为其自己的模型名。`,
  ],
  zeroTitle: ['Without a configuration', '零配置'],
  zero: [
    `Where no file names providers, those whose keys are in the environment under their usual names ([providers.md](providers.md) lists them) and servers of
models on their usual local ports (Ollama, LM Studio, llama.cpp, vLLM and others) become providers. The start says what was found and
where, never a value. \`discover: false\` turns it off. Where no \`keys\` are configured, one is made at the first start and kept in \`local.key\` of the data
folder (\`--data\`, \`$PAILOU_DATA\`, else \`~/.local/share/pailou\`), readable by its owner only.`,
    `配置文件未列出服务商时，环境变量中以惯用名称存在的密钥（见 [providers.md](providers.md)）和本机惯用端口上的模型服务（Ollama、LM Studio、llama.cpp、vLLM 等）
会成为服务商。启动时说明发现了什么、来自哪里，绝不显示值。\`discover: false\` 可关闭。未配置 \`keys\` 时，首次启动会生成一个密钥，保存在数据目录的 \`local.key\` 中
（\`--data\`、\`$PAILOU_DATA\`，默认 \`~/.local/share/pailou\`），仅所有者可读。`,
  ],
  reloadTitle: ['Changes while it runs', '运行中修改'],
  reload: [
    `A change of the file, or of a file that it takes values from, is taken over by itself; \`SIGHUP\` loads again as well. The new configuration is checked first and
swapped as a whole: requests that run finish on the old one, and one with a mistake changes nothing and is told with its line and column. Only \`server.host\`,
\`server.port\` and \`server.workers\` take a restart.`,
    `配置文件或其引用的文件改变后自动生效；\`SIGHUP\` 也会重新加载。新配置先检查，再整体替换：正在运行的请求在旧配置上完成；有错误的配置不会改变任何东西，
并指出行号和列号。只有 \`server.host\`、\`server.port\` 和 \`server.workers\` 需要重新启动。`,
  ],
  checkTitle: ['Commands', '命令'],
  check: [
    `| command | what it does |
| --- | --- |
| \`pailou check [FILE]\` | says what is wrong with a file; with \`--tests\` it runs its \`routeTests\` |
| \`pailou route explain MODEL\` | says where a call would go, and why; with \`--request ID\`, where one went |
| \`pailou models ls\`, \`pailou models sync\` | shows the names that clients may use; asks providers for their lists |
| \`pailou requests\`, \`pailou request ID\` | shows the newest calls, or one of them ([routing](routing.md)) |
| \`pailou config show --resolved\` | prints every setting with where it comes from, secrets masked |
| \`pailou schema\` | prints the JSON Schema, which is also in \`schema/v1.json\` |

In a clone, \`pailou\` is \`npm -s start --\`. All take \`--json\` (\`requests\`: one document a line). Exit codes: 0 done, 1 failed, 2 wrong command line,
3 wrong configuration, 4 forbidden, 5 not found, 6 decided otherwise than it was, 9 a route test failed.`,
    `| 命令 | 作用 |
| --- | --- |
| \`pailou check [文件]\` | 检查配置文件；加 \`--tests\` 则运行其 \`routeTests\` |
| \`pailou route explain 模型\` | 说明请求会去往何处及原因；加 \`--request ID\` 则说明某个请求去了何处 |
| \`pailou models ls\`、\`pailou models sync\` | 列出客户端可用的名称；向服务商获取其模型列表 |
| \`pailou requests\`、\`pailou request ID\` | 列出最近的请求，或显示其中一个（[路由](routing.zh-CN.md)） |
| \`pailou config show --resolved\` | 列出每项设置及其来源（密钥会被遮盖） |
| \`pailou schema\` | 输出 JSON Schema（也在 \`schema/v1.json\` 中） |

在源码目录中，\`pailou\` 即 \`npm -s start --\`。以上命令均支持 \`--json\`（\`requests\` 为每行一个文档）。退出码：0 完成，1 失败，2 命令行错误，3 配置错误，4 无权限，5 未找到，
6 与当时的决策不同，9 路由测试失败。`,
  ],
  settingsTitle: ['Settings', '设置'],
  settings: [
    'Durations are written with their unit (`500ms`, `2s`, `10m`, `1h`, `30d`), sizes as `512KiB`, `32MiB`, `1GiB`.',
    '时长须带单位（`500ms`、`2s`、`10m`、`1h`、`30d`），大小写作 `512KiB`、`32MiB`、`1GiB`。',
  ],
  generated: ['This page is made from the code by `scripts/configuration-doc.ts`.', '本页由 `scripts/configuration-doc.ts` 根据代码生成。'],
};

const HEADS: Words = [
  '| setting | what it is | kind | default |\n| --- | --- | --- | --- |',
  '| 设置 | 说明 | 类型 | 默认值 |\n| --- | --- | --- | --- |',
];

const REQUIRED: Words = ['required', '必填'];

/** What may be written, in a few words. */
function kindOf(shape: Shape, language: Language): string {
  const say = (words: Words): string => inLanguage(words, language);
  switch (shape.kind) {
    case 'text':
      return say(['text', '文本']);
    case 'word':
      return shape.words.length > 12 ? say(['a preset', '预设']) : shape.words.map((word) => `\`${word}\``).join(', ');
    case 'number':
      return shape.min === shape.max ? `\`${shape.min}\`` : `${shape.min}–${shape.max}`;
    case 'flag':
      return '`true`, `false`';
    case 'duration':
      return say(['duration', '时长']);
    case 'size':
      return say(['size', '大小']);
    case 'list':
      return say(['list', '列表']);
    case 'map':
    case 'object':
      return say(['map', '映射']);
    case 'either':
      return shape.of.map((one) => kindOf(one, language)).join(', ');
  }
}

interface Row {
  readonly path: string;
  readonly shape: Shape;
  readonly isRequired: boolean;
}

/** The settings of a shape: lists and maps of objects are opened. */
function* rowsOf(shape: Shape, path: string, isRequired = false): Iterable<Row> {
  if (path !== '') yield { path, shape, isRequired };
  if (shape.kind === 'object') {
    for (const [name, field] of Object.entries(shape.fields)) {
      yield* rowsOf(field, path === '' ? name : `${path}.${name}`, shape.required?.includes(name));
    }
  } else if (shape.kind === 'list') yield* partsOf(shape.of, `${path}[]`);
  // What a key's own names stand for is written as under `models`.
  else if (shape.kind === 'map' && path !== 'keys[].routes') yield* partsOf(shape.of, `${path}.<name>`);
  else if (shape.kind === 'either') yield* partsOf(shape, path);
}

/** The settings inside of one that has no row of its own: an object's, or those of the object that it may be. */
function* partsOf(shape: Shape, path: string): Iterable<Row> {
  const object = shape.kind === 'either' ? shape.of.find(({ kind }) => kind === 'object') : shape;
  if (object?.kind === 'object') yield* membersOf(object, path);
}

function* membersOf(shape: Shape & { readonly kind: 'object' }, path: string): Iterable<Row> {
  for (const [name, field] of Object.entries(shape.fields)) yield* rowsOf(field, `${path}.${name}`, shape.required?.includes(name));
}

const code = (value: unknown): string => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

function tableRow({ path, shape, isRequired }: Row, language: Language): string {
  const example = shape.default === undefined && shape.kind !== 'object' ? shape.examples?.[0] : undefined;
  const doc = inLanguage(shape.doc, language);
  const shown = example === undefined ? doc : `${doc}${inLanguage([`. Example: `, '。例：'], language)}${code(example)}`;
  const fallback = shape.default === undefined ? (isRequired ? inLanguage(REQUIRED, language) : '') : code(shape.default);
  return `| \`${path}\` | ${shown.replaceAll('|', String.raw`\|`)} | ${kindOf(shape, language)} | ${fallback} |`;
}

/** The page in one language. */
function page(language: Language): string {
  const text = (name: string): string => inLanguage(TEXT[name] ?? ['', ''], language);
  const rows = [...rowsOf(fileShape, '')].filter(({ path }) => path !== '$schema').map((row) => tableRow(row, language));
  const section = (name: string, more = ''): string => `## ${text(`${name}Title`)}\n\n${text(name)}${more === '' ? '' : `\n\n${more}`}`;
  return `${[
    `# ${text('title')}`,
    text('intro'),
    EXAMPLE,
    section('where', COMMANDS),
    section('fill'),
    section('names'),
    section('zero'),
    section('reload'),
    section('check'),
    section('settings'),
    `${inLanguage(HEADS, language)}\n${rows.join('\n')}`,
    text('generated'),
  ].join('\n\n')}\n`;
}

const root = join(import.meta.dirname, '..');

function current(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

for (const [name, language] of [
  ['docs/configuration.md', 'en'],
  ['docs/configuration.zh-CN.md', 'zh'],
] as const) {
  const file = join(root, name);
  const wanted = formatPage(name, page(language));
  if (!process.argv.includes('--check')) writeFileSync(file, wanted);
  else if (current(file) !== wanted) {
    console.error(`${name} is not what the code says. Write it anew: node scripts/run.js scripts/configuration-doc.ts`);
    process.exitCode = 1;
  }
}
