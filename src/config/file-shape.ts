import { CNY_FOR_USD } from '../policy/models/price.ts';
import { limits } from './limits-shape.ts';
import { provider } from './provider-shape.ts';
import { routeTest } from './route-tests-shape.ts';
import { modelTable, rule } from './routes-shape.ts';
import { checkAddress, checkBucket, checkKeyValue, checkName, checkOrigin, checkRate, checkUrl, keepFor, upTo } from './shape-kinds.ts';
import type { ObjectShape, ValueOf } from './shape.ts';

const server = {
  kind: 'object',
  doc: ['Where the server listens', '服务监听方式'],
  filled: true,
  fields: {
    host: {
      kind: 'text',
      doc: ['Address to listen on. `0.0.0.0` listens on all of them', '监听地址。`0.0.0.0` 表示所有地址'],
      default: '127.0.0.1',
      check: checkName,
    },
    port: {
      kind: 'number',
      doc: ['Port to listen on; 0 takes any that is free', '监听端口；0 表示任意空闲端口'],
      min: 0,
      max: 65_535,
      default: 7117,
    },
    workers: {
      kind: 'either',
      doc: [
        'Processes that share the work; `auto`: one for each processor. Another number takes a restart',
        '分担请求的进程数；`auto` 表示每个处理器一个。更改后需要重新启动',
      ],
      of: [
        { kind: 'number', doc: ['That many', '指定数量'], min: 1, max: 64 },
        { kind: 'word', doc: ['One for each processor', '每个处理器一个'], words: ['auto'] },
      ],
      default: 1,
      examples: ['auto'],
    },
    publicUrl: {
      kind: 'text',
      doc: [
        'The address that clients know this server by, for links; left out: the one that they called',
        '客户端访问本服务所用的地址，用于生成链接；省略则使用客户端调用时的地址',
      ],
      examples: ['https://llm.example.com'],
      check: checkUrl,
    },
    trustedProxies: {
      kind: 'list',
      doc: [
        'Reverse proxies whose `X-Forwarded-For` is believed: the address of a client is what routes with `strategy: hash-client` go by',
        '可信的反向代理，采信其 `X-Forwarded-For`：`strategy: hash-client` 的路由按客户端地址选择目标',
      ],
      of: { kind: 'text', doc: ['An address or a range', '地址或网段'], check: checkAddress },
      default: [],
      examples: [['10.0.0.0/8']],
    },
    cors: {
      kind: 'list',
      doc: ['Origins whose pages may call from a browser', '允许从浏览器调用的来源'],
      of: { kind: 'text', doc: ['An origin, or `*` for all', '来源，`*` 表示全部'], check: checkOrigin },
      default: ['*'],
      examples: [['https://app.example.com']],
    },
    keepAlive: {
      kind: 'object',
      doc: ['What keeps clients from giving up while an answer is long in coming', '回答迟迟未到时，如何避免客户端放弃等待'],
      fields: {
        delay: {
          kind: 'duration',
          doc: ['Silence after which something is sent, again and again; default 15s', '静默多久之后发送保活内容，此后反复发送；默认 15s'],
          minMs: 1000,
          maxMs: 600_000,
          examples: ['15s'],
        },
        whole: {
          kind: 'flag',
          doc: [
            'Also for clients that asked for no stream, by white space before the JSON. An error that comes later then breaks the connection, as its status is gone; default off',
            '对未请求流式的客户端也发送（JSON 之前的空白）。此后发生的错误只能以断开连接告知，因为状态码已发出；默认关闭',
          ],
          examples: [true],
        },
      },
    },
  },
} as const satisfies ObjectShape;

const key = {
  kind: 'object',
  doc: ['A key that clients call with', '客户端使用的密钥'],
  required: ['name', 'value'],
  fields: {
    name: { kind: 'text', doc: ['What it is called in logs', '日志中显示的名称'], examples: ['laptop'], check: checkName },
    value: {
      kind: 'text',
      doc: ['The key itself, from a variable or a file', '密钥本身，取自环境变量或文件'],
      secret: true,
      examples: ['${env:PAILOU_KEY}', '${file:/run/secrets/pailou_key}'],
      check: checkKeyValue,
    },
    strict: {
      kind: 'flag',
      doc: ['Refuse what a provider cannot express, instead of noting it', '服务商无法表达的内容直接拒绝，而不是仅作标注'],
      examples: [true],
    },
    models: {
      kind: 'list',
      doc: ['Model names or patterns that it may use; left out: all', '允许使用的模型名称或通配模式；省略表示全部'],
      of: { kind: 'text', doc: ['A name or a pattern', '名称或通配模式'], check: checkName },
      examples: [['fast', 'claude-*']],
    },
    ...rule('Its calls', '其请求'),
    routes: modelTable('What names stand for when this key asks for them, over `models`', '该密钥请求时各名称的指向，优先于 `models`'),
  },
} as const satisfies ObjectShape;

const s3 = {
  kind: 'object',
  doc: ['S3 or a storage that speaks its protocol, instead of a folder', '以 S3 或兼容存储代替文件夹'],
  required: ['endpoint', 'bucket', 'key'],
  fields: {
    endpoint: { kind: 'text', doc: ['Its address', '地址'], examples: ['https://s3.example.com'], check: checkUrl },
    bucket: { kind: 'text', doc: ['The bucket', '存储桶'], examples: ['pailou-media'], check: checkBucket },
    region: { kind: 'text', doc: ['Its region', '地域'], default: 'us-east-1', check: checkName },
    prefix: { kind: 'text', doc: ['What all names in it begin with', '对象名前缀'], examples: ['media/'] },
    key: {
      kind: 'text',
      doc: ['The credential: `accessKeyId:secretAccessKey[:sessionToken]`', '凭据：`accessKeyId:secretAccessKey[:sessionToken]`'],
      secret: true,
      examples: ['${env:S3_KEY}'],
    },
  },
} as const satisfies ObjectShape;

const tasks = {
  kind: 'object',
  doc: ['Work that takes long: videos, and images in the background', '耗时任务：视频，以及后台生成的图像'],
  filled: true,
  fields: {
    keep: keepFor('How long tasks and what they made are kept', '任务及其结果的保存时间', '7d'),
    deadline: {
      kind: 'duration',
      doc: ['When a task that does not end counts as failed', '任务迟迟不结束时，多久视为失败'],
      minMs: 60_000,
      maxMs: 30 * 86_400_000,
      default: '6h',
    },
    media: {
      kind: 'object',
      doc: ['Where files are kept that providers made', '服务商生成的文件保存在何处'],
      filled: true,
      fields: {
        folder: {
          kind: 'text',
          doc: ['A folder; left out: `media` in the data folder', '文件夹；省略则为数据目录中的 `media`'],
          examples: ['/var/lib/pailou/media'],
          check: checkName,
        },
        s3,
        bytes: upTo('How much of them is kept; the oldest go first', '保存总量；先删除最旧的', '20GiB'),
      },
    },
  },
} as const satisfies ObjectShape;

/** The configuration file. */
export const fileShape = {
  kind: 'object',
  doc: ['Configuration of Pailou', 'Pailou 配置'],
  fields: {
    $schema: { kind: 'text', doc: ['Where editors find this schema; otherwise without meaning', '供编辑器查找本 schema，无其他作用'] },
    version: { kind: 'number', doc: ['Version of this format', '配置格式版本'], min: 1, max: 1, examples: [1] },
    server,
    keys: {
      kind: 'list',
      doc: [
        'Keys that clients call with; without any, one is made at the first start and kept in the data folder',
        '客户端密钥；未配置时，首次启动会生成一个并保存在数据目录中',
      ],
      of: key,
      examples: [[{ name: 'laptop', value: '${env:PAILOU_KEY}' }]],
    },
    providers: {
      kind: 'map',
      doc: ['Upstreams by names of your choice: the `{platform}` of a path', '上游服务商，名称自定，即路径中的 `{platform}`'],
      of: provider,
      examples: [{ openai: { preset: 'openai', key: '${env:OPENAI_API_KEY}' } }],
    },
    models: modelTable(
      'Names that clients may use, and what they stand for: another name, or a route over several. `provider/model` always works without being listed; `*` matches anything',
      '客户端可用的名称及其指向：另一个名称，或包含多个目标的路由。`provider/model` 无需列出即可使用；`*` 匹配任意内容',
    ),
    defaultModel: {
      kind: 'text',
      doc: ['The name that answers for names that nothing else knows; left out: they are a 404', '未知名称由此名称应答；省略则返回 404'],
      check: checkName,
      examples: ['fast'],
    },
    routeTests: {
      kind: 'list',
      doc: ['Calls and where they must go, run by `pailou check --tests`', '请求及其应去往的目标，由 `pailou check --tests` 运行'],
      of: routeTest,
    },
    catalogue: {
      kind: 'object',
      doc: ['What is known of models', '模型信息'],
      fields: {
        sync: {
          kind: 'duration',
          doc: [
            'How often providers are asked for their own lists of models, with prices and lengths where they give them; left out: only by `pailou models sync`. Nobody but the configured providers is asked',
            '多久向各服务商获取一次其模型列表（包括其提供的价格和长度）；省略则仅由 `pailou models sync` 获取。只访问已配置的服务商',
          ],
          minMs: 60_000,
          maxMs: 30 * 86_400_000,
          examples: ['24h'],
        },
      },
    },
    money: {
      kind: 'object',
      doc: ['What is needed to compare prices', '比较价格所需的设置'],
      filled: true,
      fields: {
        rates: {
          kind: 'map',
          doc: [
            'How many of a currency one USD buys. Prices stay in the currency they are asked in; only comparing them needs this',
            '1 美元可兑换的金额。价格保持原货币，仅在比较时换算',
          ],
          keys: ['CNY'],
          of: { kind: 'text', doc: ['A rate, in quotes', '汇率，需加引号'], check: checkRate },
          default: { CNY: String(CNY_FOR_USD) },
          examples: [{ CNY: '7.1' }],
        },
      },
    },
    egress: {
      kind: 'object',
      doc: ['What the server may reach on behalf of clients', '服务可代表客户端访问的范围'],
      filled: true,
      fields: {
        allow: {
          kind: 'list',
          doc: ['Private addresses that URLs named by clients may reach', '客户端给出的网址可访问的内网地址'],
          of: { kind: 'text', doc: ['An address or a range', '地址或网段'], check: checkAddress },
          default: [],
          examples: [['127.0.0.0/8']],
        },
      },
    },
    limits,
    tasks,
    sandbox: {
      kind: 'either',
      doc: ['The built-in simulator; `auto`: on while the server listens on loopback only', '内置模拟器；`auto` 表示仅监听本机时开启'],
      of: [
        { kind: 'flag', doc: ['On or off', '开或关'] },
        { kind: 'word', doc: ['By where the server listens', '取决于监听地址'], words: ['auto'] },
      ],
      default: 'auto',
      examples: [true],
    },
    discover: {
      kind: 'flag',
      doc: [
        'Take providers from keys in the environment and from local servers, where no providers are configured',
        '未配置服务商时，使用环境变量中的密钥和本机服务',
      ],
      default: true,
      examples: [false],
    },
    log: {
      kind: 'object',
      doc: ['The server’s log', '服务日志'],
      filled: true,
      fields: {
        level: {
          kind: 'word',
          doc: ['What is written', '记录级别'],
          words: ['debug', 'info', 'warn', 'error', 'silent'],
          default: 'info',
          examples: ['warn'],
        },
      },
    },
  },
} as const satisfies ObjectShape;

/** What a file says, read and with its defaults. */
export type FileConfig = ValueOf<typeof fileShape>;
