import { checkPath, timeout, waitOf } from './shape-kinds.ts';
import type { Shape } from './shape.ts';

/** What is remembered of a provider's failures, and whether it is asked how it is. */
export const health = {
  kind: 'either',
  doc: [
    '`on` (default): failures of calls are remembered. `off`: nothing is, so that it is never left out; for test benches, or behind a load balancer. Or how to ask it, besides, whether it is well',
    '`on`（默认）：记录请求的失败。`off`：不记录，也不会因此将其排除；用于测试，或其前方已有负载均衡时。也可在此之外设定主动检查',
  ],
  of: [
    { kind: 'word', doc: ['`on` or `off`', '`on` 或 `off`'], words: ['on', 'off'] },
    {
      kind: 'object',
      doc: ['A check on a schedule', '定期检查'],
      required: ['check'],
      fields: {
        check: {
          kind: 'duration',
          doc: ['How often it is asked, give or take a tenth', '检查间隔（上下浮动十分之一）'],
          minMs: 1000,
          maxMs: 86_400_000,
          examples: ['30s'],
        },
        timeout: timeout('The longest that its answer may take; default 5s', '最长应答时间；默认 5s', '5s'),
        path: {
          kind: 'text',
          doc: [
            'What it is asked for, which must be answered with a success; default: its list of models, where any answer but a failure of its own will do',
            '检查的路径，须返回成功状态；默认为模型列表，只要不是其自身的故障即可',
          ],
          check: checkPath,
          examples: ['/health'],
        },
        failures: {
          kind: 'number',
          doc: [
            'Failures in a row after which it is left out until it is well again; default 3',
            '连续失败多少次后将其排除，直至恢复；默认 3',
          ],
          min: 1,
          max: 100,
          examples: [3],
        },
      },
    },
  ],
  examples: ['off', { check: '30s', timeout: '5s' }],
} as const satisfies Shape;

/** Who may wait where only so many calls are taken at once. */
export const queue = {
  kind: 'either',
  doc: [
    'Who may wait for room where it, one of its keys or it as a target of a route takes only so many calls at once (`concurrency`); `off`: nobody, and the next target is gone to at once, or the call refused',
    '该服务商、其某个密钥或作为路由目标的同时请求数有上限（`concurrency`）时，哪些请求可以排队；`off`：不排队，立即改用下一目标，没有则拒绝',
  ],
  of: [
    { kind: 'word', doc: ['Nobody', '不排队'], words: ['off'] },
    {
      kind: 'object',
      doc: ['How many, and how long', '数量与时长'],
      fields: {
        calls: {
          kind: 'number',
          doc: ['Calls that may wait at each of these; default 1000, 0: as `off`', '每处可排队的请求数；默认 1000，0 同 `off`'],
          min: 0,
          max: 100_000,
          examples: [100],
        },
        perCaller: {
          kind: 'number',
          doc: [
            'Calls of one caller (a Pailou key) among them; default a quarter of them',
            '其中单个调用方（Pailou 密钥）的请求数；默认为四分之一',
          ],
          min: 1,
          max: 100_000,
          examples: [50],
        },
        wait: {
          kind: 'duration',
          doc: ['The longest that one waits, within its `timeouts.total`; default 30s', '最长等待，不超出 `timeouts.total`；默认 30s'],
          minMs: 1,
          maxMs: 3_600_000,
          examples: ['5s'],
        },
      },
    },
  ],
  examples: ['off', { calls: 100, wait: '5s' }],
} as const satisfies Shape;

/** When failures of calls leave a target out. */
export const breaker = {
  kind: 'either',
  doc: [
    'When failures in a row leave a target out (or a key, where they are limits), and for how long; `off`: never',
    '连续失败多少次后排除目标（若为限流，则为密钥），以及排除多久；`off` 表示从不排除',
  ],
  of: [
    { kind: 'word', doc: ['Never', '从不'], words: ['off'] },
    {
      kind: 'object',
      doc: ['When, and for how long', '次数与时长'],
      fields: {
        failures: { kind: 'number', doc: ['Failures in a row; default 5', '连续失败次数；默认 5'], min: 1, max: 1000, examples: [3] },
        wait: timeout(
          'Until the first probe; default 5s, twice as long after each that fails',
          '首次试探前的等待；默认 5s，每次试探失败后加倍',
          '10s',
        ),
        longest: timeout('The longest between two probes; default 1m', '两次试探之间的最长间隔；默认 1m', '5m'),
      },
    },
  ],
  examples: ['off', { failures: 3, wait: '10s' }],
} as const satisfies Shape;

/** How long refused keys, and those that must wait, are left out. */
export const setAside = {
  kind: 'either',
  doc: [
    'How long a key is left out that the provider refuses (401, 402, 403) or asks to wait with (`Retry-After`); `off`: neither sets a key aside. Five limits (429) in a row still do, as `breaker` says; `breaker: off` ends that too',
    '密钥被服务商拒绝（401、402、403）或被要求等待（`Retry-After`）后停用多久；`off`：密钥不因这两者而停用；连续五次限流（429）仍按 `breaker` 停用，设 `breaker: off` 才完全不停用',
  ],
  of: [
    { kind: 'word', doc: ['Never', '从不'], words: ['off'] },
    {
      kind: 'object',
      doc: ['How long', '时长'],
      fields: {
        wait: timeout(
          'A refused key; default 30s, twice as long after each refusal in a row',
          '被拒绝的密钥；默认 30s，连续被拒绝时每次加倍',
          '1m',
        ),
        longest: timeout('A refused key, at most; default 10m', '被拒绝的密钥，最长；默认 10m', '1h'),
        retryAfter: timeout('The longest `Retry-After` that is believed; default 1h', '采信的 `Retry-After` 上限；默认 1h', '10m'),
      },
    },
  ],
  examples: ['off', { wait: '1m', longest: '1h' }],
} as const satisfies Shape;

const times = { kind: 'number', min: 0, max: 9 } as const;

/** How one call is sent again to the same target. */
export const retries = {
  kind: 'either',
  doc: [
    'How often one call is sent to it again after a broken connection or a short `Retry-After`; default: as often as `limits.retries.tries` allows (2), with `health: off` 0. Or with the pauses as well',
    '连接中断或 `Retry-After` 较短时，同一请求再次发往该服务商的次数；默认以 `limits.retries.tries` 为限（2），`health: off` 时为 0。也可同时设定间隔',
  ],
  of: [
    { ...times, doc: ['How often', '次数'] },
    {
      kind: 'object',
      doc: ['How often, and after what pauses', '次数与间隔'],
      fields: {
        times: { ...times, doc: ['How often; default as above', '次数；默认同上'], examples: [1] },
        wait: waitOf(
          'The longest pause before the first time: it is anything up to that, at random, on top of a `Retry-After`; default 100ms, twice as long before each one after it',
          '首次重发前的最长间隔：实际为不超过此值的随机时间，并加上 `Retry-After`；默认 100ms，此后每次加倍',
          '500ms',
        ),
        longest: waitOf('The longest pause; default 2s', '最长间隔；默认 2s', '5s'),
        retryAfter: waitOf(
          'The longest `Retry-After` that a call waits for itself; a longer one is the caller’s to wait for. Default 2s',
          '请求自身愿意等待的最长 `Retry-After`；更长的交由调用方等待。默认 2s',
          '10s',
        ),
        within: waitOf(
          'What fails later than that was worked on, and is not sent again; default 5s',
          '失败所用时间超过此值的请求已被处理过，不再重发；默认 5s',
          '30s',
        ),
      },
    },
  ],
  examples: [0, { times: 1, wait: '500ms' }],
} as const satisfies Shape;
