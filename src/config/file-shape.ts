import { BlockList, isIP } from 'node:net';
import { NEEDS } from '../policy/needs.ts';
import { STRATEGIES } from '../policy/routes/route.ts';
import { presetNames } from '../presets/index.ts';
import type { Words } from './language.ts';
import type { MapShape, ObjectShape, ValueOf } from './shape.ts';

/** The protocols that a provider can be told to speak. */
const PROTOCOLS = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini', 'openai-completions', 'bedrock-converse'] as const;

/** What clients may speak, as route tests name it. */
const CLIENT_PROTOCOLS = ['openai-chat', 'openai-responses', 'anthropic-messages', 'anthropic', 'gemini', 'openai-completions'] as const;

/** Names of headers and settings that hold a secret. */
const SECRET_NAMES = /auth|key|token|secret|cookie|password/i;

/** The longest that a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Addresses in CIDR form, or single ones. */
function checkAddress(text: string): Words | undefined {
  const right: Words = ['an address or range: 10.0.0.0/8, fd00::/8, 192.168.1.5', '地址或网段：10.0.0.0/8、fd00::/8、192.168.1.5'];
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return right;
  if (bits === undefined) return undefined;
  try {
    if (!/^\d{1,3}$/.test(bits)) return right;
    new BlockList().addSubnet(address, Number(bits), family === 6 ? 'ipv6' : 'ipv4');
    return undefined;
  } catch {
    return right;
  }
}

function checkOrigin(text: string): Words | undefined {
  const right: Words = ['*, or an origin without a path: https://app.example.com', ' * 或不含路径的来源：https://app.example.com'];
  return text === '*' || (URL.canParse(text) && new URL(text).origin === text) ? undefined : right;
}

function checkUrl(text: string): Words | undefined {
  const right: Words = ['an address: https://gateway.example.com', '网址：https://gateway.example.com'];
  return /^https?:\/\//.test(text) && URL.canParse(text) ? undefined : right;
}

function checkKeyValue(text: string): Words | undefined {
  if (text === '') return ['a value that is not empty', '非空的值'];
  // It must fit into a header.
  return /^[\x21-\x7e]+$/.test(text) ? undefined : ['letters, digits and signs without spaces', '不含空格的字母、数字和符号'];
}

function checkBucket(text: string): Words | undefined {
  const right: Words = ['a bucket name: letters, digits, dots and dashes', '存储桶名称：字母、数字、点和连字符'];
  return /^[A-Za-z0-9][A-Za-z0-9.-]{1,62}$/.test(text) ? undefined : right;
}

const checkName = (text: string): Words | undefined => (text.trim() === '' ? ['a name', '名称'] : undefined);

const timeout = (en: string, zh: string, example: string) =>
  ({ kind: 'duration', doc: [en, zh], minMs: 1, maxMs: MAX_TIMER_MS, examples: [example] }) as const;

const keepFor = (en: string, zh: string, days: string) =>
  ({ kind: 'duration', doc: [en, zh], minMs: 60_000, maxMs: 3650 * 86_400_000, default: days }) as const;

const upTo = (en: string, zh: string, size: string) => ({ kind: 'size', doc: [en, zh], min: 1024, max: 2 ** 44, default: size }) as const;

const timeouts = {
  kind: 'object',
  doc: ['How long each wait may last', '各阶段的最长等待时间'],
  fields: {
    connect: timeout('Until the connection stands; default 10s', '建立连接；默认 10s', '2s'),
    headers: timeout('Until the response head; default 5m', '收到响应头；默认 5m', '10s'),
    firstToken: timeout('Until the first token; default 5m', '收到首字；默认 5m', '20s'),
    idle: timeout('Between two pieces of a stream; default 2m', '流中两段之间；默认 2m', '60s'),
    total: timeout('All together; default 30m', '总计；默认 30m', '10m'),
  },
} as const satisfies ObjectShape;

const modelName = {
  kind: 'text',
  doc: [
    '`provider/model` or another name; its `*` stands for what the name’s matched',
    '`provider/model` 或其他名称；其中的 `*` 代表匹配到的内容',
  ],
  check: checkName,
} as const;

const namesInOrder = (en: string, zh: string) => ({ kind: 'list', doc: [en, zh], of: modelName, examples: [['fast']] }) as const;

/** A name of `models` with more than one place to go. */
const route = {
  kind: 'object',
  doc: ['A route: several targets, and where to go when they fail', '路由：多个目标，以及失败后的去处'],
  required: ['targets'],
  fields: {
    targets: {
      kind: 'list',
      doc: ['Where it may go', '可用的目标'],
      of: {
        kind: 'object',
        doc: ['A target', '目标'],
        required: ['to'],
        fields: {
          to: { ...modelName, examples: ['openai/gpt-5.6'] },
          weight: {
            kind: 'number',
            doc: ['Its share of the traffic, in proportion to the others of its order; default 1', '同一优先级内的流量占比；默认 1'],
            min: 0,
            max: 1_000_000,
            examples: [80],
          },
          order: {
            kind: 'number',
            doc: ['Lower ones are tried first; default 1', '数字小者先尝试；默认 1'],
            min: 0,
            max: 1000,
            examples: [2],
          },
        },
      },
      examples: [[{ to: 'openai/gpt-5.6', weight: 80 }]],
    },
    strategy: {
      kind: 'word',
      doc: [
        'How targets of the same order take turns: `weighted` (default), `round-robin`, `random` (weights do not count), `priority` (as written), `least-busy`, `lowest-latency` (the quicker to the first token of two), or by who calls: `hash-client` (address), `hash-user`, `hash-session`',
        '同一优先级的目标如何分配：`weighted` 按权重（默认）、`round-robin` 轮询、`random` 随机（不计权重）、`priority` 按书写顺序、`least-busy` 最空闲、`lowest-latency` 两者中首字较快者，或按调用方固定：`hash-client`（地址）、`hash-user`（用户）、`hash-session`（会话）',
      ],
      words: STRATEGIES,
      examples: ['round-robin'],
    },
    affinity: {
      kind: 'flag',
      doc: [
        'A conversation stays on its target, so that the provider’s prompt cache holds; it moves only when that target is out',
        '同一对话固定在同一目标上，以命中服务商的提示缓存；仅在该目标不可用时才更换',
      ],
      examples: [true],
    },
    fallback: {
      kind: 'either',
      doc: [
        'Names to go to when all targets failed, in order: after any failure, or by its kind',
        '所有目标失败后依次尝试的名称：不论何种失败，或按失败类别',
      ],
      of: [
        namesInOrder('After any failure', '任何失败之后'),
        {
          kind: 'object',
          doc: ['By the kind of the failure', '按失败类别'],
          fields: {
            context: namesInOrder('The request is longer than the model’s context', '请求超出模型的上下文长度'),
            refused: namesInOrder('The provider refused the content', '服务商拒绝了内容'),
            rateLimited: namesInOrder('A rate limit or quota is used up', '触发限流或额度用尽'),
            down: namesInOrder('The provider fails or does not answer', '服务商故障或无响应'),
            any: namesInOrder('Any failure', '任何失败'),
          },
        },
      ],
      examples: [['fast'], { context: ['long'], any: ['fast'] }],
    },
    timeout: {
      ...timeouts,
      doc: ['How long each wait may last, over the provider’s `timeouts`', '各阶段的最长等待时间，优先于服务商的 `timeouts`'],
    },
  },
} as const satisfies ObjectShape;

const modelTable = (en: string, zh: string) =>
  ({
    kind: 'map',
    doc: [en, zh],
    of: { kind: 'either', doc: ['A name, or a route', '名称或路由'], of: [modelName, route] },
    examples: [
      { fast: 'openai/gpt-5-mini', 'claude-haiku-*': 'fast' },
      {
        smart: {
          targets: [
            { to: 'openai/gpt-5.6', weight: 80 },
            { to: 'deepseek/deepseek-v4-pro', weight: 20 },
          ],
          fallback: ['fast'],
        },
      },
    ],
  }) as const;

const can = (en: string, zh: string) => ({ kind: 'flag', doc: [en, zh], examples: [false] }) as const;

const abilities = {
  kind: 'map',
  doc: [
    'What its models can do, by patterns over their ids, over what is known anyway: routes leave out targets that lack what a call needs',
    '其模型的能力（按模型名的通配模式），优先于内置信息：路由会排除缺少所需能力的目标',
  ],
  of: {
    kind: 'object',
    doc: ['Abilities', '能力'],
    fields: {
      tools: can('Calling tools', '工具调用'),
      vision: can('Reading images', '读取图像'),
      files: can('Reading documents', '读取文档'),
      audio: can('Hearing audio', '读取音频'),
      video: can('Watching video', '读取视频'),
      structured: can('Answers by a JSON Schema', '按 JSON Schema 输出'),
      reasoning: can('Thinking that can be asked for', '可指定的推理'),
      context: {
        kind: 'number',
        doc: ['Tokens that fit', '上下文长度（token）'],
        min: 1,
        max: 1_000_000_000,
        examples: [131_072],
      },
    },
  },
  examples: [{ 'small-*': { tools: false, vision: false, context: 32_768 } }],
} as const satisfies MapShape;

const routeTest = {
  kind: 'object',
  doc: ['A call to be decided, and where it must go', '一个待路由的请求及其应去往的目标'],
  required: ['name', 'when', 'expect'],
  fields: {
    name: { kind: 'text', doc: ['What it shows', '测试说明'], check: checkName, examples: ['tools go to a model that has them'] },
    when: {
      kind: 'object',
      doc: ['The call', '请求'],
      required: ['model'],
      fields: {
        model: { kind: 'text', doc: ['The name that is asked for', '请求的模型名称'], check: checkName, examples: ['smart'] },
        protocol: {
          kind: 'word',
          doc: [
            'What the client speaks; default `openai-chat`. `anthropic` is short for `anthropic-messages`',
            '客户端协议；默认 `openai-chat`。`anthropic` 为 `anthropic-messages` 的简写',
          ],
          words: CLIENT_PROTOCOLS,
          examples: ['anthropic'],
        },
        needs: {
          kind: 'list',
          doc: ['What it needs', '所需能力'],
          of: { kind: 'word', doc: ['An ability', '能力'], words: NEEDS },
          examples: [['tools']],
        },
        tokens: { kind: 'number', doc: ['How many tokens it brings', '输入的 token 数'], min: 0, max: 1_000_000_000, examples: [200_000] },
        key: { kind: 'text', doc: ['The name of a configured key', '已配置密钥的名称'], check: checkName, examples: ['laptop'] },
        down: {
          kind: 'list',
          doc: ['Providers, or `provider/model`, that do not answer', '视为不可用的服务商或 `provider/model`'],
          of: { kind: 'text', doc: ['A provider or target', '服务商或目标'], check: checkName },
          examples: [['openai']],
        },
      },
    },
    expect: {
      kind: 'object',
      doc: ['Where it must go. Of targets by weight the heaviest counts as first', '应去往何处。按权重分配时，权重最大者视为首选'],
      fields: {
        first: { kind: 'text', doc: ['The target that is tried first', '首先尝试的目标'], check: checkName, examples: ['openai/gpt-5.6'] },
        order: {
          kind: 'list',
          doc: ['All targets in the order of trying', '按尝试顺序排列的全部目标'],
          of: { kind: 'text', doc: ['A target: `provider/model`', '目标：`服务商/模型`'], check: checkName },
          examples: [['openai/gpt-5.6', 'deepseek/deepseek-v4-pro']],
        },
        not: {
          kind: 'list',
          doc: ['Targets that are not tried', '不应尝试的目标'],
          of: { kind: 'text', doc: ['A target: `provider/model`', '目标：`服务商/模型`'], check: checkName },
          examples: [['deepseek/deepseek-chat']],
        },
        refused: { kind: 'flag', doc: ['Nothing may be tried', '不应有任何可用目标'], examples: [true] },
      },
    },
  },
} as const satisfies ObjectShape;

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
    publicUrl: {
      kind: 'text',
      doc: [
        'The address that clients know this server by, for links; left out: the one that they called',
        '客户端访问本服务所用的地址，用于生成链接；省略则使用客户端调用时的地址',
      ],
      examples: ['https://llm.example.com'],
      check: checkUrl,
    },
    cors: {
      kind: 'list',
      doc: ['Origins whose pages may call from a browser', '允许从浏览器调用的来源'],
      of: { kind: 'text', doc: ['An origin, or `*` for all', '来源，`*` 表示全部'], check: checkOrigin },
      default: ['*'],
      examples: [['https://app.example.com']],
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
    routes: modelTable('What names stand for when this key asks for them, over `models`', '该密钥请求时各名称的指向，优先于 `models`'),
  },
} as const satisfies ObjectShape;

const provider = {
  kind: 'object',
  doc: ['An upstream', '上游服务商'],
  required: ['preset'],
  fields: {
    preset: { kind: 'word', doc: ['The kind of provider', '服务商类型'], words: presetNames, examples: ['openai'] },
    key: {
      kind: 'text',
      doc: ['Its key, from a variable or a file', '该服务商的密钥，取自环境变量或文件'],
      secret: true,
      examples: ['${env:OPENAI_API_KEY}'],
    },
    keys: {
      kind: 'list',
      doc: [
        'Several keys instead of one: conversations are spread over them, and one that is refused or limited is set aside without hurting the others',
        '以多个密钥代替 `key`：对话分配到各密钥上，被拒绝或限流的密钥会暂时停用，不影响其他密钥',
      ],
      of: {
        kind: 'object',
        doc: ['A key', '一个密钥'],
        required: ['value'],
        fields: {
          value: {
            kind: 'text',
            doc: ['The key itself, from a variable or a file', '密钥本身，取自环境变量或文件'],
            secret: true,
            examples: ['${env:DEEPSEEK_KEY_A}'],
          },
          weight: {
            kind: 'number',
            doc: [
              'Its share, in proportion to the others; default 1, 0: only when no other is left',
              '与其他密钥相比的占比；默认 1，0 表示仅在其他密钥都不可用时使用',
            ],
            min: 0,
            max: 1_000_000,
            examples: [2],
          },
        },
      },
      examples: [[{ value: '${env:DEEPSEEK_KEY_A}', weight: 2 }, { value: '${file:/run/secrets/deepseek_b}' }]],
    },
    baseUrl: {
      kind: 'either',
      doc: [
        'Another address than the vendor’s: the root of all protocols, or one for each. With or without `/v1`; may be private',
        '替代默认地址：可为所有协议的根地址，也可按协议分别给出。有无 `/v1` 均可，可为内网地址',
      ],
      examples: ['http://127.0.0.1:9900', { 'anthropic-messages': 'https://example.com/anthropic' }],
      of: [
        { kind: 'text', doc: ['The root of all protocols', '所有协议的根地址'], check: checkUrl },
        {
          kind: 'map',
          doc: ['One address for each protocol', '每种协议一个地址'],
          keys: PROTOCOLS,
          of: { kind: 'text', doc: ['An address', '地址'], check: checkUrl },
        },
      ],
    },
    protocols: {
      kind: 'list',
      doc: ['Which of its protocols to use; left out: all that the preset knows', '使用哪些协议；省略表示该预设支持的全部协议'],
      of: { kind: 'word', doc: ['A protocol', '协议'], words: PROTOCOLS },
      examples: [['openai-responses']],
    },
    region: {
      kind: 'text',
      doc: ['Region or site, where the vendor has several', '地域或站点（服务商有多个时）'],
      examples: ['cn', 'eu-west-1'],
    },
    settings: {
      kind: 'map',
      doc: ['Other values that the vendor’s address needs', '地址所需的其他参数'],
      of: { kind: 'text', doc: ['A value', '值'] },
      secretNames: SECRET_NAMES,
      examples: [{ resource: 'my-resource' }],
    },
    headers: {
      kind: 'map',
      doc: ['Headers to send with every request', '每个请求附带的请求头'],
      of: { kind: 'text', doc: ['The value of a header', '请求头的值'] },
      secretNames: SECRET_NAMES,
      examples: [{ 'x-team': 'research' }],
    },
    expose: {
      kind: 'list',
      doc: ['Which of its models are listed and may be called, as patterns; left out: all', '可列出和调用的模型（通配模式）；省略表示全部'],
      of: { kind: 'text', doc: ['A pattern', '通配模式'], check: checkName },
      examples: [['gpt-5*']],
    },
    rerank: {
      kind: 'word',
      doc: [
        '`embeddings`: its embedding models rerank too, by cosine similarity; such answers are marked as emulated',
        '`embeddings`：其向量模型也可用于重排（按余弦相似度），此类回答会标注为模拟',
      ],
      words: ['embeddings'],
      examples: ['embeddings'],
    },
    images: {
      kind: 'object',
      doc: ['How images that it makes are handed to clients', '其生成的图像如何交给客户端'],
      fields: {
        dataUri: {
          kind: 'flag',
          doc: [
            'Write `b64_json` as a data URI (`data:image/png;base64,...`), for clients that were written for such a server; default off',
            '`b64_json` 写成 data URI（`data:image/png;base64,...`），供为此类服务编写的客户端使用；默认关闭',
          ],
          examples: [true],
        },
        chat: {
          kind: 'word',
          doc: [
            'Images made in OpenAI chat stand in `images[]`, and in the text as Markdown: a `link` that the server signs and serves (default), or `inline` as a data URI',
            'OpenAI 聊天中生成的图像位于 `images[]`，并以 Markdown 写入文本：`link` 为服务签名并提供的链接（默认），`inline` 为 data URI',
          ],
          words: ['link', 'inline'],
          examples: ['inline'],
        },
      },
    },
    speech: {
      kind: 'text',
      doc: [
        'The model that speaks for its chat models where a client asks chat for audio (`modalities`): `provider/model`',
        '客户端向聊天请求音频（`modalities`）时，代其聊天模型发声的模型：`provider/model`',
      ],
      check: checkName,
      examples: ['local/kokoro'],
    },
    voices: {
      kind: 'map',
      doc: [
        'Speech: its voices by the names that clients use (`alloy`, `Kore`), over the preset’s own table',
        '语音合成：按客户端使用的名称（`alloy`、`Kore`）指定该服务商的声音，优先于预设的对照表',
      ],
      of: { kind: 'text', doc: ['One of the provider’s voices', '该服务商的声音'], check: checkName },
      examples: [{ alloy: 'Kore', Puck: 'fable' }],
    },
    abilities,
    dataCollection: {
      kind: 'word',
      doc: [
        '`deny`: it keeps nothing of what it is sent; calls that insist on that (`provider.data_collection` in a body) go only there',
        '`deny`：该服务商不保留收到的内容；坚持此要求的请求（请求体中的 `provider.data_collection`）只会发往此类服务商',
      ],
      words: ['allow', 'deny'],
      examples: ['deny'],
    },
    concurrency: {
      kind: 'number',
      doc: [
        'Calls that it may have under way at once; others wait in turn, for 30 seconds at most. Left out: no limit',
        '同时进行的请求数上限；其余请求轮流排队，最多等待 30 秒。省略表示不限',
      ],
      min: 1,
      max: 100_000,
      examples: [8],
    },
    retries: {
      kind: 'number',
      doc: [
        'How often one call is sent to it again after a broken connection or a short `Retry-After`; default 2, with `health: off` 0',
        '连接中断或 `Retry-After` 较短时，同一请求再次发往该服务商的次数；默认 2，`health: off` 时为 0',
      ],
      min: 0,
      max: 2,
      examples: [0],
    },
    health: {
      kind: 'word',
      doc: [
        '`off`: nothing is remembered of its failures, so that it is never left out for them; for test benches, or behind a load balancer',
        '`off`：不记录其失败，也不会因此将其排除；用于测试，或其前方已有负载均衡时',
      ],
      words: ['on', 'off'],
      examples: ['off'],
    },
    timeouts,
  },
} as const satisfies ObjectShape;

const limits = {
  kind: 'object',
  doc: ['Bounds on what is taken and kept', '接收与保存的上限'],
  filled: true,
  fields: {
    body: upTo('The largest request body', '请求体的最大值', '32MiB'),
    upload: upTo('The largest upload of files (multipart)', '文件上传（multipart）的最大值', '1GiB'),
    depth: { kind: 'number', doc: ['How deep a body may be nested', '请求体的最大嵌套层数'], min: 8, max: 1000, default: 128 },
    fetch: upTo('The largest remote file that is fetched to be sent on', '为转发而获取的远程文件的最大值', '32MiB'),
    stored: {
      kind: 'object',
      doc: ['Stored responses, conversations and threads', '已保存的响应、对话和线程'],
      filled: true,
      fields: {
        keep: keepFor('How long they are kept', '保存时间', '30d'),
        bytes: upTo('How much of them is kept', '保存总量', '1GiB'),
      },
    },
    seals: {
      kind: 'object',
      doc: ['Sealed reasoning that is kept between turns', '多轮之间保存的加密推理内容'],
      filled: true,
      fields: {
        keep: keepFor('How long it is kept', '保存时间', '7d'),
        bytes: upTo('How much of it is kept', '保存总量', '256MiB'),
      },
    },
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
