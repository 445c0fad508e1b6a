import { BlockList, isIP } from 'node:net';
import { presetNames } from '../presets/index.ts';
import type { Words } from './language.ts';
import type { ObjectShape, ValueOf } from './shape.ts';

/** The protocols that a provider can be told to speak. */
const PROTOCOLS = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini', 'openai-completions', 'bedrock-converse'] as const;

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
      examples: [{ resource: 'my-resource' }],
    },
    headers: {
      kind: 'map',
      doc: ['Headers to send with every request', '每个请求附带的请求头'],
      of: { kind: 'text', doc: ['The value of a header', '请求头的值'] },
      secretNames: /auth|key|token|secret|cookie|password/i,
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
    timeouts: {
      kind: 'object',
      doc: ['How long each wait may last', '各阶段的最长等待时间'],
      fields: {
        connect: timeout('Until the connection stands; default 10s', '建立连接；默认 10s', '2s'),
        headers: timeout('Until the response head; default 5m', '收到响应头；默认 5m', '10s'),
        firstToken: timeout('Until the first token; default 5m', '收到首字；默认 5m', '20s'),
        idle: timeout('Between two pieces of a stream; default 2m', '流中两段之间；默认 2m', '60s'),
        total: timeout('All together; default 30m', '总计；默认 30m', '10m'),
      },
    },
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
    models: {
      kind: 'map',
      doc: [
        'Names that clients may use, and what they stand for. `provider/model` always works without being listed; `*` matches anything',
        '客户端可用的名称及其指向。`provider/model` 无需列出即可使用；`*` 匹配任意内容',
      ],
      of: {
        kind: 'text',
        doc: [
          '`provider/model` or another name; its `*` stands for what the name’s matched',
          '`provider/model` 或其他名称；其中的 `*` 代表匹配到的内容',
        ],
        check: checkName,
      },
      examples: [{ fast: 'openai/gpt-5-mini', 'claude-haiku-*': 'fast' }],
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
