import type { Language } from '../config/language.ts';

/** What is said of models, in English. */
const en = {
  name: 'name',
  target: 'target',
  context: 'context',
  input: 'input / 1M',
  output: 'output / 1M',
  abilities: 'abilities',
  source: 'source',
  price: 'price',
  unknown: 'not known',
  // What a million tokens are paid for, and what is paid by something else.
  tokens: {
    input: 'in',
    output: 'out',
    cacheRead: 'cached',
    audioInput: 'audio in',
    audioOutput: 'audio out',
    imageInput: 'images in',
    imageOutput: 'images out',
  },
  perTokens: (amounts: string) => `${amounts} (a million tokens)`,
  units: { characters: 'a million characters', image: 'an image', second: 'a second', request: 'a request' },
  shortUnits: { characters: '/1M chars', image: '/image', second: '/s', request: '/request' },
  above: (tokens: string, amounts: string) => `above ${tokens} tokens ${amounts}`,
  sources: { preset: 'preset', catalogue: 'catalogue', list: 'provider’s list', operator: 'configuration' },
  colon: ': ',
  comma: ', ',
  semicolon: '; ',
  said: (text: string, by: string) => `${text} (${by})`,
  fits: 'tokens that fit',
  answers: 'longest answer',
  cannot: 'cannot',
  page: (where: string) => `read on ${where}`,
  table: (where: string) => `by public tables; to be checked on ${where}`,
  unverified: (where: string) => `not verified; to be checked on ${where}`,
  marks: '~ by public tables, not read on the vendor’s page; ? not verified. More: pailou route explain NAME --facts',
  noModels: 'No models are known. Configure providers, or ask them: pailou models sync',
  noneLike: (names: string) => `No name matches '${names}'. All names: pailou models ls`,
  noProvider: (name: string, known: string) => `There is no provider '${name}' that has a list. Those that have one: ${known || 'none'}`,
  listed: (provider: string, models: number, added: number, removed: number) =>
    `${provider}: ${models} ${models === 1 ? 'model' : 'models'}${added + removed === 0 ? '' : `, ${added} new, ${removed} gone`}`,
  nobodyLists: 'No configured provider has a list of models to ask for',
  noList: (provider: string, models: number) =>
    `${provider}: gave no list${models === 0 ? '' : `; the one before stays, ${models} models`}. Is its key right, and can it be reached?`,
  keptIn: (path: string) => `Kept in ${path}; a running server takes it up within seconds`,
  cannotAsk: 'Providers cannot be asked from here',
};

/** Those words, in any language. */
export type ModelMessages = typeof en;

const zh: ModelMessages = {
  name: '名称',
  target: '目标',
  context: '上下文',
  input: '输入/百万',
  output: '输出/百万',
  abilities: '能力',
  source: '来源',
  price: '价格',
  unknown: '未知',
  tokens: {
    input: '输入',
    output: '输出',
    cacheRead: '缓存命中',
    audioInput: '音频输入',
    audioOutput: '音频输出',
    imageInput: '图像输入',
    imageOutput: '图像输出',
  },
  perTokens: (amounts) => `${amounts}（每百万 token）`,
  units: { characters: '每百万字符', image: '每张图像', second: '每秒', request: '每次请求' },
  shortUnits: { characters: '/百万字符', image: '/张', second: '/秒', request: '/次' },
  above: (tokens, amounts) => `超过 ${tokens} token 时 ${amounts}`,
  sources: { preset: '预设', catalogue: '目录', list: '服务商列表', operator: '配置' },
  colon: '：',
  comma: '，',
  semicolon: '；',
  said: (text, by) => `${text}（${by}）`,
  fits: '上下文长度（token）',
  answers: '最大输出',
  cannot: '不支持',
  page: (where) => `查自 ${where}`,
  table: (where) => `来自公开价格表，请在此核对：${where}`,
  unverified: (where) => `未经核实，请在此核对：${where}`,
  marks: '~ 来自公开价格表，未在服务商页面核对；? 未经核实。详情：pailou route explain 名称 --facts',
  noModels: '没有已知的模型。请配置服务商，或向其获取：pailou models sync',
  noneLike: (names) => `没有与“${names}”匹配的名称。全部名称：pailou models ls`,
  noProvider: (name, known) => `没有可获取列表的服务商“${name}”。可用：${known || '无'}`,
  listed: (provider, models, added, removed) =>
    `${provider}：${models} 个模型${added + removed === 0 ? '' : `，新增 ${added} 个，移除 ${removed} 个`}`,
  nobodyLists: '已配置的服务商均不提供模型列表',
  noList: (provider, models) =>
    `${provider}：未返回列表${models === 0 ? '' : `，沿用之前的 ${models} 个模型`}。请检查密钥是否正确、网络是否可达`,
  keptIn: (path) => `已保存到 ${path}，运行中的服务会在数秒内采用`,
  cannotAsk: '此处无法访问服务商',
};

/** What is said of models, in a language. */
export const modelMessagesIn = (language: Language): ModelMessages => (language === 'zh' ? zh : en);
