import { ABILITIES } from '../ir/index.ts';
import { NEEDS } from '../policy/needs.ts';
import { amount, checkName, CLIENT_PROTOCOLS } from './shape-kinds.ts';
import type { ObjectShape } from './shape.ts';

/** Providers as a body may name them. */
const providerNames = (english: string, chinese: string) =>
  ({
    kind: 'list',
    doc: [english, chinese],
    of: { kind: 'text', doc: ['A provider, by its name or its preset', '服务商的名称或预设'], check: checkName },
    examples: [['openai']],
  }) as const;

/** A call of which the configuration says where it must go. */
export const routeTest = {
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
        operation: {
          kind: 'word',
          doc: ['What is to be done; default `chat`', '请求的用途；默认 `chat`（对话）'],
          words: ['chat', ...ABILITIES],
          examples: ['embeddings'],
        },
        needs: {
          kind: 'list',
          doc: ['What it needs', '所需能力'],
          of: { kind: 'word', doc: ['An ability', '能力'], words: NEEDS },
          examples: [['tools']],
        },
        tokens: { kind: 'number', doc: ['How many tokens it brings', '输入的 token 数'], min: 0, max: 1_000_000_000, examples: [200_000] },
        answer: {
          kind: 'number',
          doc: ['How many tokens its answer may have, as `max_tokens` in a body', '输出的 token 数上限，同请求体中的 `max_tokens`'],
          min: 1,
          max: 1_000_000_000,
          examples: [1000],
        },
        platform: {
          kind: 'text',
          doc: ['The provider that its path names', '路径中写明的服务商'],
          check: checkName,
          examples: ['openai'],
        },
        models: {
          kind: 'list',
          doc: ['Names to go to after it, as `models` in a body', '其后依次改用的名称，同请求体中的 `models`'],
          of: { kind: 'text', doc: ['A name', '名称'], check: checkName },
          examples: [['fast']],
        },
        session: {
          kind: 'text',
          doc: ['What its conversation is told by, as `x-session-id`', '会话的标识，同 `x-session-id`'],
          check: checkName,
          examples: ['conversation-1'],
        },
        user: {
          kind: 'text',
          doc: ['Who asks, as `user` in a body', '使用者，同请求体中的 `user`'],
          check: checkName,
          examples: ['user-1'],
        },
        address: {
          kind: 'text',
          doc: ['The address that it comes from', '请求来自的地址'],
          check: checkName,
          examples: ['192.0.2.7'],
        },
        order: providerNames('Providers that come first, as `provider.order` in a body', '优先的服务商，同请求体中的 `provider.order`'),
        only: providerNames('Providers of which one must serve it, as `provider.only`', '只可使用的服务商，同 `provider.only`'),
        ignore: providerNames('Providers that must not serve it, as `provider.ignore`', '不可使用的服务商，同 `provider.ignore`'),
        requireParameters: {
          kind: 'flag',
          doc: [
            'Nothing asked for may be left out, as `provider.require_parameters`',
            '不得丢弃所求内容，同 `provider.require_parameters`',
          ],
          examples: [true],
        },
        allowFallbacks: {
          kind: 'flag',
          doc: ['`false`: the first one or none, as `provider.allow_fallbacks`', '`false` 表示只用第一个，同 `provider.allow_fallbacks`'],
          examples: [false],
        },
        sort: {
          kind: 'word',
          doc: ['What comes first, as `provider.sort` in a body', '排序方式，同请求体中的 `provider.sort`'],
          words: ['price', 'throughput', 'latency'],
          examples: ['price'],
        },
        dataCollection: {
          kind: 'word',
          doc: [
            '`deny`: only providers that keep nothing, as `provider.data_collection`',
            '`deny` 表示只用不保留数据的服务商，同 `provider.data_collection`',
          ],
          words: ['allow', 'deny'],
          examples: ['deny'],
        },
        maxPrice: {
          kind: 'object',
          doc: ['The most that is paid, as `provider.max_price` in a body', '价格上限，同请求体中的 `provider.max_price`'],
          fields: {
            prompt: amount('For a million tokens of questions', '每百万输入 token', '1 USD'),
            completion: amount('For a million tokens of answers', '每百万输出 token', '4 USD'),
            request: amount('For a request', '每次请求', '0.01 USD'),
            image: amount('For an image', '每张图像', '0.05 USD'),
          },
          examples: [{ prompt: '1 USD' }],
        },
        key: { kind: 'text', doc: ['The name of a configured key', '已配置密钥的名称'], check: checkName, examples: ['laptop'] },
        down: {
          kind: 'list',
          doc: ['Providers, or `provider/model`, that do not answer', '视为不可用的服务商或 `provider/model`'],
          of: { kind: 'text', doc: ['A provider or target', '服务商或目标'], check: checkName },
          examples: [['openai']],
        },
        limited: {
          kind: 'list',
          doc: [
            'Providers, or `provider/model`, whose minute (`rpm`, `tpm`) is used up',
            '视为本分钟限额（`rpm`、`tpm`）已满的服务商或 `provider/model`',
          ],
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
          examples: [['openai/gpt-5.6', 'openai/gpt-5']],
        },
        not: {
          kind: 'list',
          doc: ['Targets that are not tried', '不应尝试的目标'],
          of: { kind: 'text', doc: ['A target: `provider/model`', '目标：`服务商/模型`'], check: checkName },
          examples: [['openai/gpt-5-mini']],
        },
        refused: { kind: 'flag', doc: ['Nothing may be tried', '不应有任何可用目标'], examples: [true] },
      },
    },
  },
} as const satisfies ObjectShape;
