import type { Language } from '../config/language.ts';

/** What is said of recorded calls, in English. */
const en = {
  noTable: (folder: string) =>
    `No requests are kept in ${folder}. They are, once a server with this data folder has answered one (limits.requests); another folder: --data FOLDER`,
  noRequest: (id: string, folder: string) =>
    `There is no request '${id}' in ${folder}. Its id stands in the answer's header x-pailou-request-id; the newest ones: pailou requests`,
  notDecided: (id: string) => `Request '${id}' was refused before it was decided where it goes`,
  lastNumber: (found: string) => `--last must be a number from 1 to 1000, not '${found}'`,
  answered: {
    hit: 'It was answered from the cache, with what another call had been told before: nothing was decided for it.',
    shared: 'It was told what another call that was under way was told: nothing was decided for it.',
    repeat: 'It was given the answer that its Idempotency-Key had brought before: nothing was decided for it.',
  },
  decidedAt: (at: string, revision: number, config: string) =>
    `As it was decided at ${at} (configuration ${config}, loaded ${revision === 1 ? 'once' : `${revision} times`}):`,
  same: (config: string) => `Decided now, by the configuration here (${config}): the same.`,
  other: (config: string) => `Decided now, by the configuration here (${config}), it is another:`,
  time: 'time',
  id: 'id',
  status: 'status',
  where: 'asked → served',
  tries: 'tries',
  ms: 'ms',
  tokens: 'tokens in/out',
  remark: 'fault or cache',
};

type RequestMessages = typeof en;

const zh: RequestMessages = {
  noTable: (folder) => `${folder} 中没有请求记录。使用该数据目录的服务应答过请求后才会有（limits.requests）；换一个目录：--data 目录`,
  noRequest: (id, folder) => `${folder} 中没有请求“${id}”。请求 ID 见应答的 x-pailou-request-id 头；最近的请求：pailou requests`,
  notDecided: (id) => `请求“${id}”在路由决策之前就被拒绝了`,
  lastNumber: (found) => `--last 须为 1 到 1000 的数字，而不是“${found}”`,
  answered: {
    hit: '由缓存应答，内容来自此前另一请求：未作路由决策。',
    shared: '与另一个进行中的相同请求共用应答：未作路由决策。',
    repeat: '返回其 Idempotency-Key 先前得到的应答：未作路由决策。',
  },
  decidedAt: (at, revision, config) => `${at} 当时的决策（配置 ${config}，第 ${revision} 次加载）：`,
  same: (config) => `按当前配置（${config}）重新决策：结果相同。`,
  other: (config) => `按当前配置（${config}）重新决策，结果不同：`,
  time: '时间',
  id: 'ID',
  status: '状态',
  where: '请求的模型 → 实际服务',
  tries: '尝试',
  ms: '毫秒',
  tokens: 'token 输入/输出',
  remark: '错误或缓存',
};

const TABLES: Readonly<Record<Language, RequestMessages>> = { en, zh };

/** What to say of recorded calls, in a language. */
export const requestMessagesIn = (language: Language): RequestMessages => TABLES[language];
