import { presetNames } from '../presets/index.ts';
import { breaker, health, queue, retries, setAside } from './health-shape.ts';
import { abilities, modelFacts, timeouts } from './routes-shape.ts';
import { checkName, checkUrl, PROTOCOLS, SECRET_NAMES } from './shape-kinds.ts';
import type { ObjectShape } from './shape.ts';

/** One entry of `providers`. */
export const provider = {
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
            examples: ['${env:OPENAI_KEY_A}'],
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
          concurrency: {
            kind: 'number',
            doc: [
              'Calls with it that may be under way at once: then another key is used, or calls wait. Left out: no limit',
              '使用该密钥同时进行的请求数上限；达到后改用其他密钥，或排队等待。省略表示不限',
            ],
            min: 1,
            max: 100_000,
            examples: [4],
          },
          rpm: {
            kind: 'number',
            doc: [
              'Requests with it in any minute, retries among them: then another key is used, or another target, or the call is refused (429). Left out: no limit',
              '任意一分钟内使用该密钥的请求数上限（含重试）；达到后改用其他密钥或目标，没有则拒绝（429）。省略表示不限',
            ],
            min: 1,
            max: 1_000_000,
            examples: [500],
          },
          tpm: {
            kind: 'number',
            doc: [
              'Tokens with it in any minute, of questions and answers: as `rpm`. Of a call under way they are estimated',
              '任意一分钟内使用该密钥的 token 数上限（输入与输出合计），规则同 `rpm`；进行中的请求按估算计',
            ],
            min: 1,
            max: 1_000_000_000,
            examples: [200_000],
          },
        },
      },
      examples: [[{ value: '${env:OPENAI_KEY_A}', weight: 2 }, { value: '${file:/run/secrets/openai_b}' }]],
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
    regions: {
      kind: 'list',
      doc: [
        'Where it handles data, for routes and keys that allow some regions only; words of your choice. Left out: its `region`',
        '其处理数据的地域，供限定地域的路由和密钥判断；名称自定。省略则为其 `region`',
      ],
      of: { kind: 'text', doc: ['A region', '地域'], check: checkName },
      examples: [['eu']],
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
    models: modelFacts,
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
        'Calls that it may have under way at once; others wait in turn, as `queue` says. Left out: no limit',
        '同时进行的请求数上限；其余请求按 `queue` 轮流排队。省略表示不限',
      ],
      min: 1,
      max: 100_000,
      examples: [8],
    },
    rpm: {
      kind: 'number',
      doc: [
        'Requests in any minute with all its keys together, retries among them: then another target is used, or the call is refused (429). Left out: no limit',
        '任意一分钟内所有密钥合计的请求数上限（含重试）；达到后改用其他目标，没有则拒绝（429）。省略表示不限',
      ],
      min: 1,
      max: 1_000_000,
      examples: [1000],
    },
    tpm: {
      kind: 'number',
      doc: [
        'Tokens in any minute with all its keys together, of questions and answers: as `rpm`. Of a call under way they are estimated',
        '任意一分钟内所有密钥合计的 token 数上限（输入与输出合计），规则同 `rpm`；进行中的请求按估算计',
      ],
      min: 1,
      max: 1_000_000_000,
      examples: [400_000],
    },
    queue,
    retries,
    health,
    breaker,
    setAside,
    timeouts,
  },
} as const satisfies ObjectShape;
