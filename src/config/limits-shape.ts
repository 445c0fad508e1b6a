import { keepFor, share, upTo } from './shape-kinds.ts';
import type { ObjectShape } from './shape.ts';

const overload = {
  kind: 'object',
  doc: [
    'When calls are refused (503 with `Retry-After`) because the server has more to do than it can; the key with the most calls first',
    '服务不堪重负时何时拒绝请求（503 并附 `Retry-After`）；请求最多的密钥最先被拒',
  ],
  filled: true,
  fields: {
    shed: {
      kind: 'word',
      doc: ['`off`: none is refused for it', '`off`：不因此拒绝请求'],
      words: ['on', 'off'],
      default: 'on',
      examples: ['off'],
    },
    delay: {
      kind: 'duration',
      doc: [
        'How long its own work may make others wait; where it is longer for 0.8 seconds, only as many calls are taken as it can serve so',
        '因自身工作而允许的等待时间；超过此值持续 0.8 秒后，只接收能在此延迟内服务的请求数',
      ],
      minMs: 20,
      maxMs: 60_000,
      default: '100ms',
    },
    memory: {
      kind: 'size',
      doc: [
        'Memory that the process may take before calls are refused; left out: 85 % of what the machine or the container has',
        '进程内存达到此值即拒绝请求；省略则为机器或容器内存的 85%',
      ],
      min: 64 * 1024 * 1024,
      max: 2 ** 44,
      examples: ['2GiB'],
    },
  },
} as const satisfies ObjectShape;

const retries = {
  kind: 'object',
  doc: ['Bounds on how often calls are tried, all providers together', '请求尝试次数的上限，所有服务商合计'],
  filled: true,
  fields: {
    tries: { kind: 'number', doc: ['Tries of one call, wherever they go', '单个请求的尝试次数，含所有目标'], min: 1, max: 10, default: 3 },
    budget: {
      ...share,
      doc: [
        'How many calls may be sent again to the same target, as a part of all calls; `off`: no bound',
        '可再次发往同一目标的请求占全部请求的比例；`off` 表示不限',
      ],
      examples: ['20%', 'off'],
    },
    hedges: {
      ...share,
      doc: [
        'How many calls of routes with `hedge` may have another one beside them, as a part of those calls; `off`: no bound',
        '设置了 `hedge` 的路由中，可并行再发一次的请求占此类请求的比例；`off` 表示不限',
      ],
      examples: ['25%', 'off'],
    },
    reserve: {
      kind: 'number',
      doc: [
        'So many of either there may be however few calls come; they come back one a second',
        '无论请求多少，两者各至少可有此数；每秒恢复一个',
      ],
      min: 0,
      max: 100_000,
      default: 10,
      examples: [50],
    },
  },
} as const satisfies ObjectShape;

/** Bounds on what is taken, kept and tried. */
export const limits = {
  kind: 'object',
  doc: ['Bounds on what is taken and kept', '接收与保存的上限'],
  filled: true,
  fields: {
    body: upTo('The largest request body', '请求体的最大值', '32MiB'),
    upload: upTo('The largest upload of files (multipart)', '文件上传（multipart）的最大值', '1GiB'),
    depth: { kind: 'number', doc: ['How deep a body may be nested', '请求体的最大嵌套层数'], min: 8, max: 1000, default: 128 },
    calls: {
      kind: 'number',
      doc: ['How many calls may be under way at once; more are refused with 503', '同时进行的请求数上限；超出的以 503 拒绝'],
      min: 1,
      max: 1_000_000,
      default: 10_000,
    },
    connections: {
      kind: 'number',
      doc: [
        'How many connections clients may have at once; beyond that those are closed that have been idle longest, and where none is idle new ones are refused with 503',
        '客户端同时保持的连接数上限；超出时关闭空闲最久的连接，没有空闲连接时以 503 拒绝新连接',
      ],
      min: 1,
      max: 1_000_000,
      default: 20_000,
    },
    bodies: upTo(
      'How much of request bodies is held in memory, all calls together (never less than `body`); more are refused with 503',
      '所有请求体在内存中的总量上限（不小于 `body`）；超出的以 503 拒绝',
      '1GiB',
    ),
    overload,
    retries,
    fetch: upTo('The largest remote file that is fetched to be sent on', '为转发而获取的远程文件的最大值', '32MiB'),
    cache: upTo('Answers that routes with `cache` keep in memory, all together', '设置了 `cache` 的路由在内存中保存的应答总量', '64MiB'),
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
    requests: {
      kind: 'object',
      doc: [
        'The table of requests: a row a call, with how it was decided where to go; no bodies',
        '请求记录表：每次调用一行，含路由决策依据，不含请求体',
      ],
      filled: true,
      fields: {
        keep: keepFor('How long rows are kept', '记录的保存时间', '30d'),
        rows: {
          kind: 'number',
          doc: ['How many are kept; 0: none', '最多保存多少行；0 表示不保存'],
          min: 0,
          max: 100_000_000,
          default: 500_000,
          examples: [100_000],
        },
      },
    },
  },
} as const satisfies ObjectShape;
