// Every number that is promised, whether or not something measures it yet: what nothing measures stands in the table as such.
import type { Words } from '../../src/config/language.ts';

/** The promises by what they are about, in the order of the table. */
export type SectionId = 'streams' | 'time' | 'retry' | 'once' | 'memory' | 'overload' | 'life' | 'hostile' | 'egress';

/** What the measured number is: `count` is of things that should not be. */
export type Unit = 'count' | 'ms' | 's' | 'KiB' | 'MiB' | '%' | 'tries';

/** What was looked at. */
export type Kind =
  | 'events'
  | 'streams'
  | 'calls'
  | 'clients'
  | 'gaps'
  | 'cuts'
  | 'readings'
  | 'bodies'
  | 'patterns'
  | 'waits'
  | 'pauses'
  | 'rounds'
  | 'reloads'
  | 'readers'
  | 'probes'
  | 'addresses'
  | 'platforms'
  | 'signals';

/** One promise. */
export interface Promised {
  readonly words: Words;
  /** The number that is promised. */
  readonly limit: string | Words;
  readonly unit: Unit;
  readonly of: Kind;
  /** The more the better; else the less. */
  readonly isMore?: true;
  /** The head of its column, where it is measured for each endpoint or each pair of protocols. */
  readonly column?: Words;
}

/** What sections are called. */
export const SECTIONS: Readonly<Record<SectionId, Words>> = {
  streams: ['Streams', '流'],
  time: ['Cancellation and time', '取消与时间'],
  retry: ['Retry and breaker', '重试与熔断'],
  once: ['Doing once', '只做一次'],
  memory: ['Memory', '内存'],
  overload: ['Overload', '过载'],
  life: ['Life cycle', '生命周期'],
  hostile: ['Hostile input', '恶意输入'],
  egress: ['Egress', '对外访问'],
};

/** What is counted. */
export const KINDS: Readonly<Record<Kind, Words>> = {
  events: ['events', '个事件'],
  streams: ['streams', '个流'],
  calls: ['calls', '个请求'],
  clients: ['clients', '个客户端'],
  gaps: ['gaps', '个间隔'],
  cuts: ['broken streams', '个中断的流'],
  readings: ['streams', '个流'],
  bodies: ['bodies', '个请求体'],
  patterns: ['expressions', '个表达式'],
  waits: ['waits', '次等待'],
  pauses: ['pauses', '次停顿'],
  rounds: ['rounds', '轮'],
  reloads: ['reloads', '次重载'],
  readers: ['readers', '个读取方'],
  probes: ['attempts', '次尝试'],
  addresses: ['addresses', '个地址'],
  platforms: ['providers', '个服务商'],
  signals: ['signals', '个信号'],
};

/** Things of which there must be none. */
const none = (of: Kind, words: Words, column?: Words): Promised => ({
  words,
  limit: '0',
  unit: 'count',
  of,
  ...(column ? { column } : {}),
});
const left = (words: Words, column: Words): Promised => ({ words, limit: '250 ms', unit: 'ms', of: 'clients', column });
const ends = (words: Words, column: Words): Promised => ({ words, limit: ['+ 0.5 s', '+ 0.5 秒'], unit: 'ms', of: 'waits', column });

const ALL = {
  'streams.once': {
    words: ['Events that are lost, doubled or out of order; 64 streams at once', '丢失、重复或乱序的事件；同时 64 个流'],
    limit: ['0 of 1,000,000 a pair', '每对协议 1,000,000 个中 0 个'],
    unit: 'count',
    of: 'events',
    column: ['events wrong', '错误事件'],
  },
  'streams.bytes': none(
    'readings',
    [
      'Streams that read otherwise when their bytes come otherwise: cut at every offset, LF, CRLF, CR, BOM, comments, data over several lines, no last line end',
      '字节到达方式不同时读法也不同的流：在任意位置切开、LF、CRLF、CR、BOM、注释、多行 data、末尾无换行',
    ],
    ['other bytes', '字节形式'],
  ),
  'streams.giant': none(
    'streams',
    ['Streams with a line of 32 MiB that come out otherwise', '含 32 MiB 单行而结果有误的流'],
    ['32 MiB line', '32 MiB 单行'],
  ),
  'streams.first-token': {
    words: [
      'Time to the first token (or picture, sound, word heard), p99, beyond that of a bare relay of bytes',
      '首个 token（或图片、声音、识别文字）的时间（p99），与仅转发字节的中继相比',
    ],
    limit: '< 2 ms',
    unit: 'ms',
    of: 'streams',
    column: ['first token', '首个 token'],
  },
  'streams.gap': {
    words: [
      'Gaps longer than the upstream’s own + 5 ms, beyond those of a bare relay of bytes',
      '比上游间隔多出 5 ms 以上的间隔，与仅转发字节的中继相比',
    ],
    limit: ['1 in 1,000', '千分之一'],
    unit: '%',
    of: 'gaps',
    column: ['long gaps', '过长间隔'],
  },
  'streams.alive-first': {
    words: ['First sign of life to a client whose upstream is silent', '上游沉默时，客户端首次收到保活信息'],
    limit: '15 s (± 0.5 s)',
    unit: 's',
    of: 'pauses',
    column: ['first sign', '首次保活'],
  },
  'streams.alive-every': {
    words: ['Longest time between two of them', '两次保活信息的最长间隔'],
    limit: '15 s (+ 0.5 s)',
    unit: 's',
    of: 'pauses',
    column: ['next', '之后'],
  },
  'streams.failure': none(
    'cuts',
    [
      'Failures that look like success: FIN, RST, half an event, an error event, a stall, at every event',
      '看似成功的失败：在每个事件处发生 FIN、RST、半个事件、错误事件、停滞',
    ],
    ['false success', '假成功'],
  ),
  'streams.sdk': none(
    'cuts',
    [
      'Recorded streams cut at every event whose official SDK does not raise, or whose text is no prefix of the truth',
      '在每个事件处切断已录制的流：官方 SDK 未抛错，或文本不是原文前缀',
    ],
    ['SDK', 'SDK'],
  ),
  'streams.counted': none('cuts', ['Cut streams whose usage is not in the record', '记录中缺少用量的中断流'], ['not counted', '未计量']),
  'streams.no-retry': none('cuts', ['Calls that were sent again after their first token', '首个 token 之后又被重发的请求']),
  'streams.gate': none('calls', [
    'Calls lost although another target was left: an error as the first event, or before it',
    '仍有其他目标却失败的请求：首个事件即为错误，或更早出错',
  ]),
  'time.left-headers': left(
    ['A client leaves before the headers: until the upstream is let go', '客户端在响应头之前离开：到放开上游为止'],
    ['left before headers', '响应头前离开'],
  ),
  'time.left-first': left(['The same before the first token', '在首个 token 之前离开'], ['left before first token', '首个 token 前离开']),
  'time.left-middle': left(['The same in the middle', '在中途离开'], ['left in the middle', '中途离开']),
  'time.left-again': none('clients', ['Calls that were sent again after their client had left', '客户端离开后又被重发的请求']),
  'time.left-counted': none(
    'clients',
    ['Calls whose client left in the middle and whose record has no usage', '客户端中途离开而记录中没有用量的请求'],
    ['left, not counted', '离开未计量'],
  ),
  'time.left-orders': none(
    'clients',
    [
      'Films that are not made, or not found by who ordered them, because their client left while they were being ordered',
      '客户端在下单视频时离开，因而未生成或下单者找不到的视频',
    ],
    ['left while ordering', '下单时离开'],
  ),
  'time.connect': ends(['Beyond the time that was set: `connect`', '超出所设时间：`connect`'], ['`connect`', '`connect`']),
  'time.headers': ends(['The same: `headers`', '同上：`headers`'], ['`headers`', '`headers`']),
  'time.first-token': ends(['The same: `firstToken`', '同上：`firstToken`'], ['`firstToken`', '`firstToken`']),
  'time.idle': ends(['The same: `idle`', '同上：`idle`'], ['`idle`', '`idle`']),
  'time.total': ends(['The same: `total`', '同上：`total`'], ['`total`', '`total`']),
  'time.hole': {
    words: [
      '1,000 calls held on a dead upstream (of OpenAI Chat; 100 of each other endpoint): p99 of the others moves by',
      '1,000 个请求悬在无响应的上游（OpenAI Chat；其他端点各 100 个）：其余请求的 p99 变化',
    ],
    limit: ['5 % or 2 ms', '5 % 或 2 ms'],
    unit: 'ms',
    of: 'calls',
    column: ['beside a dead one', '旁有无响应上游'],
  },
  'retry.tries': {
    words: ['Tries of one call at most, as the upstream counts them', '单个请求最多尝试（上游所见）'],
    limit: '3',
    unit: 'tries',
    of: 'calls',
    column: ['tries', '尝试'],
  },
  'retry.jitter': {
    words: [
      'Pauses before the second and the third try, as the upstream sees them: furthest from an even spread over 100 and 200 ms',
      '上游所见第二次、第三次尝试前的停顿：与 100 ms、200 ms 内均匀分布的最大偏差',
    ],
    limit: '10 %',
    unit: '%',
    of: 'waits',
  },
  'retry.budget': {
    words: [
      'Calls repeated while everything fails, of all; besides the ten that there are to begin with, and one a second',
      '全部失败时被重发的请求占比（最初的十次与每秒一次除外）',
    ],
    limit: '10 %',
    unit: '%',
    of: 'calls',
  },
  'retry.after-seconds': none(
    'calls',
    ['Calls before a `Retry-After` in seconds was over', '早于 `Retry-After`（秒）的请求'],
    ['too early, seconds', '过早（秒）'],
  ),
  'retry.after-date': none(
    'calls',
    ['Calls before a `Retry-After` as a date was over', '早于 `Retry-After`（日期）的请求'],
    ['too early, date', '过早（日期）'],
  ),
  'retry.after-shared': none(
    'calls',
    ['Calls of other models with the same key before it was over', '同一密钥的其他模型早于该时间的请求'],
    ['too early, other models', '过早（其他模型）'],
  ),
  'retry.mistakes': none(
    'calls',
    [
      'Mistakes of clients (400, 404, 413, 422) that were sent again or counted against the target',
      '被重发或计入目标健康的客户端错误（400、404、413、422）',
    ],
    ['mistakes again', '错误重发'],
  ),
  'retry.breaker': {
    words: ['Failures in a row that open the breaker', '熔断所需的连续失败次数'],
    limit: '5',
    unit: 'tries',
    of: 'rounds',
    column: ['opens after', '熔断所需失败次数'],
  },
  'retry.probe': {
    words: ['Probes at once when its time is over; one that succeeds closes it', '到期后同时进行的试探；成功一次即恢复'],
    limit: '1',
    unit: 'tries',
    of: 'calls',
    column: ['probes', '试探'],
  },
  'retry.last': none(
    'calls',
    ['Calls that ask no target because all of a route (two) were set aside', '路由的两个目标均停用后，未再询问任何目标的请求'],
    ['asks nobody', '未询问目标'],
  ),
  'retry.deadline': {
    words: ['Beyond the deadline, whatever is tried', '无论如何尝试，超出期限'],
    limit: ['+ 0.5 s', '+ 0.5 秒'],
    unit: 'ms',
    of: 'calls',
    column: ['beyond the deadline', '超出期限'],
  },
  'retry.refusals': none(
    'calls',
    ['Refusals that do not say why, or when to come back where that is known', '未说明原因或（已知时）何时可重试的拒绝'],
    ['silent refusals', '无说明的拒绝'],
  ),
  'once.calls': {
    words: ['Calls of the upstream for one `Idempotency-Key` sent at once', '同时使用一个 `Idempotency-Key` 时上游收到的请求'],
    limit: '1',
    unit: 'tries',
    of: 'calls',
    column: ['calls a key', '每键请求'],
  },
  'once.answers': none(
    'calls',
    [
      'Repeats that are not the same answer, not 409 while one runs, or not 422 for another body',
      '重复请求未得到相同回答、进行中未返回 409、请求体不同未返回 422',
    ],
    ['other answers', '不同回答'],
  ),
  'memory.growth': {
    words: ['Growth of the process over 1,000,000 calls at all endpoints', '全部端点共 1,000,000 个请求后进程内存增长'],
    limit: '32 MiB',
    unit: 'MiB',
    of: 'calls',
  },
  'memory.sockets': none('calls', ['Sockets left when clients and upstreams have gone', '客户端与上游都离开后残留的套接字']),
  'memory.left': none('calls', ['Timers and others that the event loop waits for after a stop', '停止后事件循环仍等待的定时器等']),
  'memory.listeners': none('calls', [
    'Warnings of Node meanwhile, of listeners that pile up among them',
    '期间 Node 的警告（如监听器堆积）',
  ]),
  'memory.stalled': {
    words: [
      'A client that does not read while its upstream floods: held for it after a collection, beyond the socket buffers, and for clients of Responses and Gemini, and replies of Gemini, beyond the text of its reply, which the last event says again or may quote',
      '客户端不读取而上游持续发送时，垃圾回收后每个仍占用（套接字缓冲除外；Responses 与 Gemini 客户端以及 Gemini 的回复另除回复文本，因其最后一个事件会重复或引用该文本）',
    ],
    limit: '< 64 KiB',
    unit: 'KiB',
    of: 'readers',
    column: ['stalled reader', '停滞读取'],
  },
  'overload.burst': none('calls', [
    'Calls that are refused or fail in a burst: 2,000 connections at once, 1,000 streams that open together',
    '突发时被拒绝或失败的请求：2,000 个连接同时到来、1,000 个流同时打开',
  ]),
  'overload.goodput': {
    words: ['Calls served at 10 times the capacity, of the peak', '10 倍容量下的有效吞吐，相对峰值'],
    limit: '≥ 90 %',
    unit: '%',
    of: 'calls',
    isMore: true,
  },
  'overload.refusals': {
    words: [
      'Time to a refusal (503 with `Retry-After`), p99, beyond that of a server that does nothing else, at the same moments',
      '拒绝（503 与 `Retry-After`）所需时间（p99），与同一时刻仅作拒绝的服务器相比',
    ],
    limit: '10 ms',
    unit: 'ms',
    of: 'calls',
  },
  'overload.health': none('calls', ['Health checks that were not answered meanwhile', '期间未得到回应的健康检查']),
  'overload.fairness': {
    words: [
      'One key floods: p99 of the others, who ask an upstream of their own, moves by; without the time of that upstream',
      '一个密钥洪泛：其他密钥（使用另一上游）的 p99 变化，上游自身的时间除外',
    ],
    limit: '10 %',
    unit: '%',
    of: 'calls',
  },
  'overload.mixed-burst': none(
    'calls',
    ['The same bursts, of calls at all endpoints, mixed: calls that are refused or fail', '同样的突发，混合全部端点：被拒绝或失败的请求'],
    ['lost in a burst', '突发中丢失'],
  ),
  'overload.mixed-goodput': {
    words: [
      'A mix over all endpoints at 10 times the capacity: work served, of that mix’s own peak',
      '混合全部端点、10 倍容量：完成的工作量，相对该混合自身的峰值',
    ],
    limit: '≥ 90 %',
    unit: '%',
    of: 'calls',
    isMore: true,
  },
  'overload.mixed-refusals': {
    words: [
      'The same: time to a refusal in the endpoint’s own protocol, p99, as above',
      '同上：以该端点自身协议拒绝所需时间（p99），比较方式同前',
    ],
    limit: '10 ms',
    unit: 'ms',
    of: 'calls',
    column: ['refusal', '拒绝'],
  },
  'life.broken': none(
    'calls',
    [
      'SIGTERM with 1,000 streams of every kind, and calls of all other endpoints under way: answers that break',
      '各类流共 1,000 个、其他端点的请求也在进行时收到 SIGTERM：中断的回答',
    ],
    ['broken at SIGTERM', 'SIGTERM 时中断'],
  ),
  'life.readiness': {
    words: ['The same: until `/readyz` is false', '同上：到 `/readyz` 返回否为止'],
    limit: ['at once (250 ms)', '立即（250 ms）'],
    unit: 'ms',
    of: 'signals',
  },
  'life.exit': {
    words: ['The same: from the last answer to the end of the process', '同上：从最后一个回答结束到进程退出'],
    limit: '1 s',
    unit: 'ms',
    of: 'signals',
  },
  'life.second': {
    words: ['A second signal, with streams that run: until the process ends', '流仍在运行时的第二个信号：到进程结束为止'],
    limit: '1 s',
    unit: 'ms',
    of: 'signals',
  },
  'life.reload': none(
    'calls',
    ['Calls that fail while the configuration changes under load', '负载下配置变更时失败的请求'],
    ['failed at reload', '重载时失败'],
  ),
  'life.invalid': none('reloads', ['Invalid files that were applied', '被应用的无效配置文件']),
  'hostile.bodies': {
    words: ['Malformed bodies: crashes, hangs, 5xx, or an envelope of no protocol', '畸形请求体：崩溃、挂起、5xx 或错误格式不符'],
    limit: ['0 of 10,000 a protocol', '每种协议 10,000 个中 0 个'],
    unit: 'count',
    of: 'bodies',
    column: ['malformed bodies', '畸形请求体'],
  },
  'hostile.bounds': none('bodies', [
    'Bodies and answers beyond a bound (depth, size, gzip in both directions) that were not refused',
    '超出限制（深度、大小、双向 gzip）而未被拒绝的请求与回答',
  ]),
  'hostile.smuggling': none('probes', [
    'Requests with another behind them, in bytes that can be read in two ways (lengths, chunks, line ends, NUL), of which either reached the upstream or was served',
    '可作两种解读（长度、分块、换行、NUL）而夹带另一请求的字节：任一请求到达上游或得到服务',
  ]),
  'hostile.slow': {
    words: [
      'A head that does not come whole, silent or a byte a second: until it is answered 408 and closed',
      '请求头不完整（停住或每秒一字节）：到返回 408 并关闭为止',
    ],
    limit: '35 s (+ 0.5 s)',
    unit: 's',
    of: 'clients',
  },
  'hostile.names': none(
    'probes',
    [
      'Evil names in model, file, response, region or platform that reached the upstream',
      '模型、文件、响应、区域、平台中的恶意名称到达上游',
    ],
    ['evil names', '恶意名称'],
  ),
  'hostile.prototypes': none(
    'bodies',
    ['Changes by `__proto__` and `constructor`, at any depth', '任意深度的 `__proto__` 与 `constructor` 造成的改变'],
    ['prototypes', '原型'],
  ),
  'hostile.patterns': {
    words: ['The slowest regular expression on 100 kB of evil text', '最慢的正则表达式处理 100 kB 恶意文本'],
    limit: '5 ms',
    unit: 'ms',
    of: 'patterns',
  },
  'egress.addresses': none('addresses', [
    'Private, metadata, rebound and odd addresses in clients’ URLs that were dialled',
    '客户端 URL 中被连接的内网、元数据、重绑定及异常地址',
  ]),
  'egress.redirects': none('probes', ['Redirects of fetched files and of providers that were followed', '被跟随的重定向（文件与服务商）']),
  'egress.bounds': none('probes', ['Fetches beyond their size or time that were not ended', '超出大小或时间而未终止的抓取']),
  'egress.origin': none('platforms', ['Providers whose key went to another origin', '密钥被发往其他来源的服务商']),
} as const satisfies { readonly [id: `${SectionId}.${string}`]: Promised };

/** A promise's id: its section, a dot, its name. */
export type PromiseId = keyof typeof ALL;

/** All of them, in the order of the table. */
export const PROMISES: Readonly<Record<PromiseId, Promised>> = ALL;

/** The section that a promise stands in. */
export const sectionOf = (id: PromiseId): SectionId => id.slice(0, id.indexOf('.')) as SectionId;
