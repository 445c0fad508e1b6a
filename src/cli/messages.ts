import type { Language } from '../config/language.ts';

/** What the command line says, in English. The Chinese table has the type of this one: a message that is missing there does not compile. */
const en = {
  usage: 'Usage: pailou [command] [flags]',
  commands: 'Commands',
  flags: 'Flags',
  everywhere: 'Flags of every command',
  commandServe: 'start the server (also without a command)',
  commandCheck: 'check a configuration file',
  commandConfigShow: 'print the settings, each with where it comes from; secrets are masked',
  commandSchema: 'print the JSON Schema of the configuration file',
  commandVersion: 'print the version',
  commandHelp: 'print this, or what a command takes',
  flagConfig: 'configuration file; else $PAILOU_CONFIG, ./pailou.yaml, the user’s and the system’s',
  flagPort: 'port to listen on (7117); 0 takes any that is free',
  flagHost: 'address to listen on (127.0.0.1)',
  flagData: 'folder of database, journal and keys; else $PAILOU_DATA',
  flagResolved: 'with defaults and what was found',
  flagStrict: 'warnings are errors',
  flagJson: 'one JSON document on stdout',
  flagLang: 'en or zh; else $PAILOU_LANG and the locale',
  flagQuiet: 'say only what went wrong',
  flagHelp: 'what a command takes',
  colon: ':',
  comma: ', ',
  unknownCommand: (name: string, near: string | undefined) =>
    `Unknown command '${name}'.${near === undefined ? '' : ` Did you mean '${near}'?`} All commands: pailou help`,
  unknownFlag: (flag: string, command: string, near: string | undefined) =>
    `'${command}' has no flag ${flag}.${near === undefined ? '' : ` Did you mean ${near}?`} All flags: pailou help ${command}`,
  flagNeedsValue: (flag: string) => `${flag} needs a value: ${flag} VALUE`,
  flagTakesNoValue: (flag: string) => `${flag} takes no value: leave out what follows the =`,
  badPort: (found: string) => `--port must be a number from 0 to 65535, not '${found}'`,
  tooMany: (word: string, command: string) =>
    `'${command}' takes no further word, but there is '${word}'. What it takes: pailou help ${command}`,
  incomplete: (found: string, whole: string) => `'${found}' is not a whole command. Did you mean '${whole}'?`,
  problemsFound: (errors: number, warnings: number) =>
    `${errors} ${errors === 1 ? 'error' : 'errors'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}. Every setting is described in docs/configuration.md and by: pailou schema`,
  fileIsValid: (file: string, providers: number, models: number) =>
    `${file} is valid: ${providers} ${providers === 1 ? 'provider' : 'providers'}, ${models} model ${models === 1 ? 'name' : 'names'}`,
  noFileFound: (folders: string) =>
    `There is no configuration file. Looked for pailou.yaml, pailou.yml and pailou.json in: ${folders}. Pailou runs without one; to check one: pailou check FILE`,
  nothingSet: (folders: string) =>
    `Nothing is set: no configuration file in ${folders}, no provider's key in the environment. The defaults: pailou config show --resolved`,
  sourceDefault: 'default',
  sourceFound: 'found',
  portTaken: (port: number, host: string, command: string) =>
    `Port ${port} on ${host} is taken, perhaps by another Pailou. Choose another: ${command}`,
  portForbidden: (port: number, command: string) => `Port ${port} may not be used by this user. Choose one above 1023: ${command}`,
  hostUnknown: (host: string) => `'${host}' is no address of this machine. Choose another: --host 127.0.0.1`,
  dataUnusable: (folder: string, why: string) => `The data folder ${folder} cannot be used: ${why}. Choose another: --data FOLDER`,
  cannotStart: (why: string) => `Pailou cannot start: ${why}`,
  reloaded: (file: string) => `Configuration taken over: ${file}`,
  reloadRefused: 'The configuration was changed, but it cannot be used. The one before stays in force:',
  restartNeeded: 'Another address or port takes a restart',
  stopping: 'Stopping as soon as running calls have ended. To stop now, press Ctrl+C again',
  bannerListening: (version: string, url: string) => `Pailou ${version} is listening on ${url}`,
  bannerWide: 'It can be reached from other machines. The sandbox is off unless the configuration turns it on',
  bannerKey: 'Key',
  bannerKeyIn: (path: string) => `in ${path}`,
  bannerKeysConfigured: (names: string) => `as configured: ${names}`,
  bannerConfig: 'Config',
  bannerNoConfig: 'no file: all defaults',
  bannerData: 'Data',
  bannerProviders: 'Providers',
  bannerNoProviders: 'none. Set a provider’s key (OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY, …) or write pailou.yaml',
  bannerSandbox: 'sandbox (built in, needs no key)',
  bannerTry: 'Try it:',
  bannerTryWithKey: (name: string) => `Try it, with the value of key '${name}' in $PAILOU_KEY:`,
  bannerHello: 'Hello!',
} as const;

/** The type of a table: the same names, with texts where there are texts and functions where there are functions. */
type TableOf<T> = { readonly [K in keyof T]: T[K] extends (...values: infer V) => string ? (...values: V) => string : string };

/** Everything that the command line says, in one language. */
export type Messages = TableOf<typeof en>;

const zh: Messages = {
  usage: '用法：pailou [命令] [选项]',
  commands: '命令',
  flags: '选项',
  everywhere: '所有命令通用的选项',
  commandServe: '启动服务（省略命令时也是如此）',
  commandCheck: '检查配置文件',
  commandConfigShow: '列出各项设置及其来源，密钥会被遮盖',
  commandSchema: '输出配置文件的 JSON Schema',
  commandVersion: '输出版本',
  commandHelp: '输出本说明，或某个命令的用法',
  flagConfig: '配置文件；默认依次为 $PAILOU_CONFIG、./pailou.yaml、用户目录、系统目录',
  flagPort: '监听端口（7117）；0 表示任意空闲端口',
  flagHost: '监听地址（127.0.0.1）',
  flagData: '存放数据库、日志和密钥的目录；默认 $PAILOU_DATA',
  flagResolved: '包括默认值和自动发现的内容',
  flagStrict: '将警告视为错误',
  flagJson: '在 stdout 输出一个 JSON 文档',
  flagLang: 'en 或 zh；默认取 $PAILOU_LANG 和系统区域设置',
  flagQuiet: '只输出错误',
  flagHelp: '某个命令的用法',
  colon: '：',
  comma: '、',
  unknownCommand: (name, near) => `未知命令“${name}”。${near === undefined ? '' : `是否想输入“${near}”？`}全部命令：pailou help`,
  unknownFlag: (flag, command, near) =>
    `“${command}”没有选项 ${flag}。${near === undefined ? '' : `是否想输入 ${near}？`}全部选项：pailou help ${command}`,
  flagNeedsValue: (flag) => `${flag} 需要一个值：${flag} 值`,
  flagTakesNoValue: (flag) => `${flag} 不带值：请去掉等号及其后的内容`,
  badPort: (found) => `--port 须为 0 到 65535 的数字，而不是“${found}”`,
  tooMany: (word, command) => `“${command}”不接受多余的参数“${word}”。用法：pailou help ${command}`,
  incomplete: (found, whole) => `命令“${found}”不完整。是否想输入“${whole}”？`,
  problemsFound: (errors, warnings) =>
    `${errors} 个错误，${warnings} 个警告。各项设置的说明：docs/configuration.zh-CN.md，或运行 pailou schema`,
  fileIsValid: (file, providers, models) => `${file} 有效：${providers} 个服务商，${models} 个模型名称`,
  noFileFound: (folders) =>
    `没有配置文件。已在以下目录查找 pailou.yaml、pailou.yml 和 pailou.json：${folders}。没有配置文件也能运行；要检查某个文件：pailou check 文件`,
  nothingSet: (folders) =>
    `没有任何设置：${folders}中没有配置文件，环境变量中也没有服务商的密钥。查看默认值：pailou config show --resolved`,
  sourceDefault: '默认',
  sourceFound: '自动发现',
  portTaken: (port, host, command) => `${host} 的端口 ${port} 已被占用，可能已有一个 Pailou 在运行。请换一个端口：${command}`,
  portForbidden: (port, command) => `当前用户无权使用端口 ${port}。请使用 1023 以上的端口：${command}`,
  hostUnknown: (host) => `“${host}”不是本机的地址。请换一个：--host 127.0.0.1`,
  dataUnusable: (folder, why) => `数据目录 ${folder} 无法使用：${why}。请换一个：--data 目录`,
  cannotStart: (why) => `Pailou 无法启动：${why}`,
  reloaded: (file) => `配置已生效：${file}`,
  reloadRefused: '配置已改动，但无法使用，继续使用之前的配置：',
  restartNeeded: '更换地址或端口需要重新启动',
  stopping: '正在运行的请求结束后即停止。再按一次 Ctrl+C 立即停止',
  bannerListening: (version, url) => `Pailou ${version} 正在监听 ${url}`,
  bannerWide: '其他机器可以访问本服务。沙盒默认关闭，可在配置中开启',
  bannerKey: '密钥',
  bannerKeyIn: (path) => `见 ${path}`,
  bannerKeysConfigured: (names) => `按配置：${names}`,
  bannerConfig: '配置',
  bannerNoConfig: '无文件，全部使用默认值',
  bannerData: '数据',
  bannerProviders: '服务商',
  bannerNoProviders: '无。请设置服务商的密钥（OPENAI_API_KEY、ANTHROPIC_API_KEY、GEMINI_API_KEY 等），或编写 pailou.yaml',
  bannerSandbox: 'sandbox（内置，无需密钥）',
  bannerTry: '试一试：',
  bannerTryWithKey: (name) => `试一试（先将密钥“${name}”的值放入 $PAILOU_KEY）：`,
  bannerHello: '你好！',
};

const TABLES: Readonly<Record<Language, Messages>> = { en, zh };

/** What to say in a language. */
export const messagesIn = (language: Language): Messages => TABLES[language];
