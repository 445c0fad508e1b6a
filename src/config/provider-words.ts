import type { Words } from './language.ts';

/** What the presets say of a provider's settings (src/presets), and how that is said in Chinese. `$1` and on are what it quotes. */
const CHINESE: readonly (readonly [said: RegExp, chinese: string])[] = [
  [/^(.*) does not speak '(.*)'\. It speaks: (.*)$/, '$1不支持协议“$2”。支持：$3'],
  [/^(.*): 'protocols' and 'baseUrl' leave no protocol to speak$/, '$1：“protocols”和“baseUrl”没有留下可用的协议'],
  [/^(.*) has no region '(.*)'\. Known: (.*)$/, '$1没有地域“$2”。可用：$3'],
  [/^(.*) has no region '(.*)'\. It has none$/, '$1没有地域“$2”，该服务商不分地域'],
  [/^(.*) has no embeddings for 'rerank' to use$/, '$1没有可供“rerank”使用的向量模型'],
  [/^(.*) needs 'baseUrl': the address of the server, as (.*)$/, '$1需要“baseUrl”，即服务地址，如 $2'],
  [/^(.*) needs '(health\.path)', for example (.*): it has no list of models to ask for$/, '$1需要“$2”，例如 $3：它没有可查询的模型列表'],
  [/^(.*) needs '([\w.]+)', for example (.*)$/, '$1需要“$2”，例如 $3'],
  [/^(.*) needs '([\w.]+)'$/, '$1需要“$2”'],
  [/^(.*): '([\w.]+)' may hold letters, digits and \. _ - : only$/, '$1：“$2”只能包含字母、数字和 . _ - :'],
  [/^(.*): 'key' holds a line break$/, '$1：“key”中有换行'],
  [/^(.*): 'keys' and 'key' are both given, one of them is meant$/, '$1：“keys”与“key”只能写其一'],
  [/^(.*): 'keys' holds an empty value$/, '$1：“keys”中有空值'],
  [/^(.*): 'keys' holds no key$/, '$1：“keys”中没有密钥'],
  [/^(.*): 'keys' holds the same value twice$/, '$1：“keys”中有重复的值'],
  [/^(.*): header '(.*)' holds a line break$/, '$1：请求头“$2”中有换行'],
  [/^(.*): '(baseUrl[\w.-]*)' is not a URL: '(.*)'\. Write it as (.*) or (.*)$/, '$1：“$2”不是网址：“$3”。应写成 $4 或 $5'],
  [/^(.*): '(baseUrl[\w.-]*)' must begin with http:\/\/ or https:\/\/: '(.*)'$/, '$1：“$2”须以 http:// 或 https:// 开头：“$3”'],
  [
    /^(.*): '(baseUrl[\w.-]*)' must not hold a user name or password: use 'key' or 'headers'$/,
    '$1：“$2”中不能有用户名或密码，请使用“key”或“headers”',
  ],
  [/^(.*): '(baseUrl[\w.-]*)' must not hold a query \('\?'\) or a fragment \('#'\)$/, '$1：“$2”中不能有查询（“?”）或片段（“#”）'],
];

const subject = (text: string): string =>
  text.replace(/^Provider '(.*?)' \(preset '(.*?)'\)/, '服务商“$1”（预设“$2”）').replace(/^Provider '(.*?)'/, '服务商“$1”');

/** A message of the presets in both languages; one that the table does not know stays English. */
export function providerWords(message: string): Words {
  const row = CHINESE.find(([said]) => said.test(message));
  return [message, row ? subject(message.replace(row[0], row[1])) : message];
}
