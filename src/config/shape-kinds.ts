import { BlockList, isIP } from 'node:net';
import { parseAmount } from '../policy/models/price.ts';
import type { Words } from './language.ts';

/** The protocols that a provider can be told to speak. */
export const PROTOCOLS = [
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
  'gemini',
  'openai-completions',
  'bedrock-converse',
] as const;

/** What clients may speak, as route tests name it. */
export const CLIENT_PROTOCOLS = [
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
  'anthropic',
  'gemini',
  'openai-completions',
] as const;

/** Names of headers and settings that hold a secret. */
export const SECRET_NAMES = /auth|key|token|secret|cookie|password/i;

/** The longest that a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Addresses in CIDR form, or single ones. */
export function checkAddress(text: string): Words | undefined {
  const right: Words = ['an address or range: 10.0.0.0/8, fd00::/8, 192.168.1.5', '地址或网段：10.0.0.0/8、fd00::/8、192.168.1.5'];
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return right;
  if (bits === undefined) return undefined;
  try {
    if (!/^\d{1,3}$/.test(bits)) return right;
    new BlockList().addSubnet(address, Number(bits), family === 6 ? 'ipv6' : 'ipv4');
    return undefined;
  } catch {
    return right;
  }
}

/** The origin of a web page, or all. */
export function checkOrigin(text: string): Words | undefined {
  const right: Words = ['*, or an origin without a path: https://app.example.com', ' * 或不含路径的来源：https://app.example.com'];
  return text === '*' || (URL.canParse(text) && new URL(text).origin === text) ? undefined : right;
}

/** An HTTP address. */
export function checkUrl(text: string): Words | undefined {
  const right: Words = ['an address: https://gateway.example.com', '网址：https://gateway.example.com'];
  return /^https?:\/\//.test(text) && URL.canParse(text) ? undefined : right;
}

/** An amount of money: `0.27 USD`. */
function checkAmount(text: string): Words | undefined {
  return parseAmount(text) ? undefined : ['an amount and its currency: 0.27 USD, 2 CNY', '金额和货币：0.27 USD、2 CNY'];
}

/** A rate of exchange. */
export function checkRate(text: string): Words | undefined {
  return /^\d{1,6}(?:\.\d{1,9})?$/.test(text) && Number(text) > 0 ? undefined : ['a number above 0: 7.1', '大于 0 的数：7.1'];
}

/** A key that fits into a header. */
export function checkKeyValue(text: string): Words | undefined {
  if (text === '') return ['a value that is not empty', '非空的值'];
  // It must fit into a header.
  return /^[\x21-\x7e]+$/.test(text) ? undefined : ['letters, digits and signs without spaces', '不含空格的字母、数字和符号'];
}

/** A path of a server. */
export function checkPath(text: string): Words | undefined {
  return /^\/[\x21-\x7e]*$/.test(text) ? undefined : ['a path: /health', '路径：/health'];
}

/** The name of a bucket. */
export function checkBucket(text: string): Words | undefined {
  const right: Words = ['a bucket name: letters, digits, dots and dashes', '存储桶名称：字母、数字、点和连字符'];
  return /^[A-Za-z0-9][A-Za-z0-9.-]{1,62}$/.test(text) ? undefined : right;
}

/** Any text that is not blank. */
export const checkName = (text: string): Words | undefined => (text.trim() === '' ? ['a name', '名称'] : undefined);

/** A field that holds an amount of money. */
export const amount = (en: string, zh: string, example: string) =>
  ({ kind: 'text', doc: [en, zh], check: checkAmount, examples: [example] }) as const;

/** A wait that ends. */
export const timeout = (en: string, zh: string, example: string) =>
  ({ kind: 'duration', doc: [en, zh], minMs: 1, maxMs: MAX_TIMER_MS, examples: [example] }) as const;

/** A wait that ends, or none. */
export const waitOf = (en: string, zh: string, example: string) =>
  ({ kind: 'duration', doc: [en, zh], minMs: 0, maxMs: MAX_TIMER_MS, examples: [example] }) as const;

const SHARE = '^(off|(100|\\d{1,2})%)$';

const checkShare = (text: string): Words | undefined =>
  new RegExp(SHARE).test(text) ? undefined : ['a part of the calls, 0% to 100%, or off: 10%', '请求的比例（0% 至 100%）或 off：10%'];

/** A part of the calls, or no bound. */
export const share = { kind: 'text', pattern: SHARE, check: checkShare, default: '10%' } as const;

/** How long something is kept. */
export const keepFor = (en: string, zh: string, days: string) =>
  ({ kind: 'duration', doc: [en, zh], minMs: 60_000, maxMs: 3650 * 86_400_000, default: days }) as const;

/** The largest size of something. */
export const upTo = (en: string, zh: string, size: string) =>
  ({ kind: 'size', doc: [en, zh], min: 1024, max: 2 ** 44, default: size }) as const;
