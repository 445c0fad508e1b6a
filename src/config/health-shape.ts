import { checkPath, timeout } from './shape-kinds.ts';
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

/** When failures of calls leave a target out. */
export const breaker = {
  kind: 'either',
  doc: [
    'When failures in a row leave a target out (or a key, where they are limits without a `Retry-After`), and for how long; `off`: never',
    '连续失败多少次后排除目标（若为没有 `Retry-After` 的限流，则为密钥），以及排除多久；`off` 表示从不排除',
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
