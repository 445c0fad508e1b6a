import { STRATEGIES } from '../policy/routes/route.ts';
import { amount, checkName, timeout } from './shape-kinds.ts';
import type { EitherShape, MapShape, ObjectShape } from './shape.ts';

/** How long the waits of a call may last. */
export const timeouts = {
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

const kept = (en: string, zh: string) =>
  ({ kind: 'duration', doc: [en, zh], minMs: 1000, maxMs: 30 * 86_400_000, examples: ['10m'] }) as const;

/** Whether a route gives answers again. */
const cache = {
  kind: 'either',
  doc: [
    'Answers are kept in memory and given again to who asks the same of this route, in whatever protocol; left out: never. What all of them may take is `limits.cache`',
    '将应答保存在内存中，再次收到含义相同的请求（不论何种协议）时直接返回；省略则不缓存。总量由 `limits.cache` 限定',
  ],
  of: [
    kept('For so long, for each key apart', '保存时间，各密钥互不共享'),
    {
      kind: 'object',
      doc: ['For how long, and for whom', '保存时间与范围'],
      required: ['ttl'],
      fields: {
        ttl: kept('How long an answer is given again', '应答的保存时间'),
        shared: {
          kind: 'flag',
          doc: ['What one key was told, another may be told; default `false`', '不同密钥之间共享应答；默认 `false`'],
          examples: [true],
        },
      },
    },
  ],
  examples: ['10m', { ttl: '1h', shared: true }],
} as const satisfies EitherShape;

/** Where calls may go: what no wish and no trouble overrides. */
export const rule = (en: string, zh: string) =>
  ({
    regions: {
      kind: 'list',
      doc: [
        `${en} go only to providers in these regions; \`eu\` stands for \`eu-west-1\` too. A provider without \`regions\` and \`region\` is in none`,
        `${zh}只发往这些地域的服务商；\`eu\` 也包括 \`eu-west-1\`。未设置 \`regions\` 和 \`region\` 的服务商不属于任何地域`,
      ],
      of: { kind: 'text', doc: ['A region', '地域'], check: checkName },
      examples: [['eu']],
    },
    dataCollection: {
      kind: 'word',
      doc: [
        `\`deny\`: ${en.toLowerCase()} go only to providers with \`dataCollection: deny\``,
        `\`deny\`：${zh}只发往设置了 \`dataCollection: deny\` 的服务商`,
      ],
      words: ['allow', 'deny'],
      examples: ['deny'],
    },
  }) as const;

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
          concurrency: {
            kind: 'number',
            doc: [
              'Calls that it may have under way at once by this route: then another target is used, or calls wait. Left out: no limit',
              '经此路由同时发往该目标的请求数上限；达到后改用其他目标，或排队等待。省略表示不限',
            ],
            min: 1,
            max: 100_000,
            examples: [4],
          },
          timeout: {
            ...timeouts,
            doc: ['How long each wait may last, over the route’s `timeout`', '各阶段的最长等待时间，优先于路由的 `timeout`'],
          },
        },
      },
      examples: [[{ to: 'openai/gpt-5.6', weight: 80 }]],
    },
    strategy: {
      kind: 'word',
      doc: [
        'How targets of the same order take turns: `weighted` (default), `round-robin`, `random` (weights do not count), `priority` (as written), `least-busy`, `lowest-latency` (the quicker to the first token of two), `lowest-cost` (the cheapest for the call at hand), or by who calls: `hash-client` (address), `hash-user`, `hash-session`',
        '同一优先级的目标如何分配：`weighted` 按权重（默认）、`round-robin` 轮询、`random` 随机（不计权重）、`priority` 按书写顺序、`least-busy` 最空闲、`lowest-latency` 两者中首字较快者、`lowest-cost` 对当前请求价格最低者，或按调用方固定：`hash-client`（地址）、`hash-user`（用户）、`hash-session`（会话）',
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
    hedge: timeout(
      'Where a target has said nothing after this time, the next one is tried beside it (another key, where there is no other target): the first to answer goes on, the other is given up. Once a call, and at most for a tenth of the calls. Left out: never',
      '目标在此时间内没有任何输出时，同时尝试下一个目标（没有其他目标时改用另一个密钥）：先应答者继续，另一个立即取消。每个请求至多一次，且不超过请求总数的十分之一。省略表示不使用',
      '800ms',
    ),
    ...rule('Its calls', '其请求'),
    timeout: {
      ...timeouts,
      doc: ['How long each wait may last, over the provider’s `timeouts`', '各阶段的最长等待时间，优先于服务商的 `timeouts`'],
    },
    cache,
  },
} as const satisfies ObjectShape;

/** Names that clients use, and where they go. */
export const modelTable = (en: string, zh: string) =>
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
            { to: 'openai/gpt-5', weight: 20 },
          ],
          fallback: ['fast'],
        },
      },
    ],
  }) as const;

const can = (en: string, zh: string) => ({ kind: 'flag', doc: [en, zh], examples: [false] }) as const;

const canDo = {
  tools: can('Calling tools', '工具调用'),
  vision: can('Reading images', '读取图像'),
  files: can('Reading documents', '读取文档'),
  audio: can('Hearing audio', '读取音频'),
  video: can('Watching video', '读取视频'),
  structured: can('Answers by a JSON Schema', '按 JSON Schema 输出'),
  reasoning: can('Thinking that can be asked for', '可指定的推理'),
  imageOutput: can('Making images in chat', '在聊天中生成图像'),
  audioOutput: can('Speaking in chat', '在聊天中生成语音'),
  context: {
    kind: 'number',
    doc: ['Tokens that fit', '上下文长度（token）'],
    min: 1,
    max: 1_000_000_000,
    examples: [131_072],
  },
} as const;

/** What models are and cost, over what is known of them. */
export const modelFacts = {
  kind: 'map',
  doc: [
    'What is to be known of its models, by patterns over their ids, over the catalogue, the provider’s own list and `abilities`: what they can do, how much fits, what they cost',
    '其模型的信息（按模型名的通配模式），优先于内置目录、服务商自己的列表和 `abilities`：能力、长度和价格',
  ],
  of: {
    kind: 'object',
    doc: ['A model', '模型'],
    fields: {
      ...canDo,
      output: {
        kind: 'number',
        doc: ['Tokens of the longest answer', '最大输出长度（token）'],
        min: 1,
        max: 1_000_000_000,
        examples: [32_768],
      },
      price: {
        kind: 'object',
        doc: [
          'What it costs, all in one currency, USD or CNY. It takes the place of all that is known of its price',
          '价格，均用同一货币（USD 或 CNY）；取代已知的全部价格',
        ],
        fields: {
          input: amount('A million tokens of questions', '每百万输入 token', '0.27 USD'),
          output: amount('A million tokens of answers', '每百万输出 token', '1.1 USD'),
          cacheRead: amount('A million tokens read from the provider’s cache', '每百万命中缓存的输入 token', '0.07 USD'),
          cacheWrite: amount('A million tokens written to its cache', '每百万写入缓存的 token', '0.34 USD'),
          cacheWrite1h: amount('The same, kept for an hour', '每百万写入缓存并保存一小时的 token', '0.54 USD'),
          reasoning: amount(
            'A million tokens of thinking, where it differs from `output`',
            '每百万推理 token（与 `output` 不同时）',
            '1.1 USD',
          ),
          audioInput: amount('A million tokens of sound that it hears', '每百万音频输入 token', '10 USD'),
          audioOutput: amount('A million tokens of sound that it makes', '每百万音频输出 token', '20 USD'),
          imageInput: amount('A million tokens of images that it sees', '每百万图像输入 token', '5 USD'),
          imageOutput: amount('A million tokens of images that it makes', '每百万图像输出 token', '40 USD'),
          characters: amount('A million characters that it speaks', '每百万合成字符', '15 USD'),
          image: amount('An image', '每张图像', '0.04 USD'),
          second: amount('A second of sound or film', '每秒音频或视频', '0.1 USD'),
          request: amount('A request', '每次请求', '0.002 USD'),
        },
        examples: [{ input: '0.27 USD', output: '1.1 USD' }],
      },
    },
  },
  examples: [{ 'small-*': { context: 131_072, price: { input: '2 CNY', output: '3 CNY' } } }],
} as const satisfies MapShape;

/** What the models of a provider can do. */
export const abilities = {
  kind: 'map',
  doc: [
    'What its models can do, by patterns over their ids, over what is known anyway: routes leave out targets that lack what a call needs',
    '其模型的能力（按模型名的通配模式），优先于内置信息：路由会排除缺少所需能力的目标',
  ],
  of: {
    kind: 'object',
    doc: ['Abilities', '能力'],
    fields: canDo,
  },
  examples: [{ 'small-*': { tools: false, vision: false, context: 32_768 } }],
} as const satisfies MapShape;
