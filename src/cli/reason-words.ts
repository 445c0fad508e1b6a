import type { Words } from '../config/language.ts';
import type { ReasonCode } from '../policy/candidate.ts';

type Plain = Exclude<ReasonCode, `capability_missing:${string}`>;

/** What reason codes mean, for people. */
const WORDS: Readonly<Record<Plain, Words>> = {
  alias: ['by its alias', '按别名'],
  pattern: ['by a pattern', '按通配模式'],
  default: ['nothing more definite was said', '默认'],
  pinned_by_request: ['named in the request', '请求中指定'],
  key_not_allowed: ['the key may not use it', '该密钥无权使用'],
  model_unsupported: ['its own list does not have it', '其模型列表中没有该模型'],
  disabled: ['not exposed', '未开放'],
  fallback: ['fallback', '备用'],
  hedge: ['beside a slow one', '与较慢者并行'],
  provider_filter: ['the request leaves it out', '被请求排除'],
  region_excluded: ['not in the regions that are allowed', '不在允许的地域'],
  max_price: ['dearer than the request allows', '超出请求的价格上限'],
  price_unknown: ['its price is not known', '价格未知'],
  data_retention: ['it may keep what it is sent', '可能保留数据'],
  last_target: ['the last one left', '最后一个目标'],
  weight: ['by weight', '按权重'],
  round_robin: ['in turn', '轮询'],
  random: ['at random', '随机'],
  priority: ['as written', '按书写顺序'],
  least_busy: ['least busy', '最空闲'],
  lowest_cost: ['by price', '按价格'],
  lowest_latency: ['quickest', '延迟最低'],
  hash: ['by who calls', '按调用方'],
  sticky_session: ['where the conversation is', '会话固定'],
  circuit_open: ['circuit open', '熔断'],
  cooldown: ['cooling down', '冷却中'],
  unhealthy: ['down', '不可用'],
  credential_bad: ['its key is refused', '凭证无效'],
  quota_exhausted: ['nothing left to spend there', '额度用尽'],
  concurrency_full: ['busy to the limit', '并发已满'],
  local_rate_limit: ['its minute is used up', '本分钟限额已满'],
  context_too_long: ['too long for it', '超出上下文长度'],
  cache_hit: ['answered before', '命中缓存'],
};

const LACKS: Words = ['lacks ', '缺少 '];

const isPlain = (code: ReasonCode): code is Plain => Object.hasOwn(WORDS, code);

/** A reason code in words. */
export function reasonWords(code: ReasonCode): Words {
  if (isPlain(code)) return WORDS[code];
  const what = code.slice('capability_missing:'.length);
  return [LACKS[0] + what, LACKS[1] + what];
}
