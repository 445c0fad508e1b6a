import type { Messages } from './messages.ts';

/** Names of messages that are plain texts. */
type TextName = { [K in keyof Messages]: Messages[K] extends string ? K : never }[keyof Messages];

/** A flag, as the help describes it. */
export interface Flag {
  /** How its value is called in the help; absent: it takes none. */
  readonly value?: string;
  readonly short?: string;
  readonly about: TextName;
}

const FLAGS = {
  config: { value: 'FILE', short: 'c', about: 'flagConfig' },
  port: { value: 'PORT', short: 'p', about: 'flagPort' },
  host: { value: 'ADDRESS', about: 'flagHost' },
  data: { value: 'FOLDER', about: 'flagData' },
  resolved: { about: 'flagResolved' },
  strict: { about: 'flagStrict' },
  tests: { about: 'flagTests' },
  protocol: { value: 'NAME', about: 'flagProtocol' },
  operation: { value: 'NAME', about: 'flagOperation' },
  needs: { value: 'LIST', about: 'flagNeeds' },
  tokens: { value: 'COUNT', about: 'flagTokens' },
  answer: { value: 'COUNT', about: 'flagAnswer' },
  key: { value: 'NAME', about: 'flagKey' },
  down: { value: 'LIST', about: 'flagDown' },
  limited: { value: 'LIST', about: 'flagLimited' },
  models: { value: 'LIST', about: 'flagModels' },
  order: { value: 'LIST', about: 'flagOrder' },
  only: { value: 'LIST', about: 'flagOnly' },
  ignore: { value: 'LIST', about: 'flagIgnore' },
  sort: { value: 'WORD', about: 'flagSort' },
  'max-price': { value: 'LIST', about: 'flagMaxPrice' },
  'require-parameters': { about: 'flagRequireParameters' },
  'no-fallbacks': { about: 'flagNoFallbacks' },
  'data-collection': { value: 'WORD', about: 'flagDataCollection' },
  platform: { value: 'NAME', about: 'flagPlatform' },
  user: { value: 'ID', about: 'flagUser' },
  address: { value: 'ADDRESS', about: 'flagAddress' },
  session: { value: 'ID', about: 'flagSession' },
  facts: { about: 'flagFacts' },
  request: { value: 'ID', about: 'flagRequest' },
  last: { value: 'COUNT', about: 'flagLast' },
  output: { value: 'FORMAT', short: 'o', about: 'flagOutput' },
  json: { about: 'flagJson' },
  lang: { value: 'LANG', about: 'flagLang' },
  quiet: { short: 'q', about: 'flagQuiet' },
  help: { short: 'h', about: 'flagHelp' },
} as const satisfies Readonly<Record<string, Flag>>;

/** The flags that there are. */
export type FlagName = keyof typeof FLAGS;

/** Flags of every command. */
export const COMMON_FLAGS: readonly FlagName[] = ['json', 'lang', 'quiet', 'help'];

/** A command, as the help describes it. */
export interface Command {
  /** Further words that it takes, for the help. */
  readonly words?: string;
  readonly maxWords: number;
  readonly flags: readonly FlagName[];
  readonly about: TextName;
}

const COMMANDS = {
  serve: { maxWords: 0, flags: ['config', 'port', 'host', 'data'], about: 'commandServe' },
  check: { words: '[FILE]', maxWords: 1, flags: ['config', 'strict', 'tests'], about: 'commandCheck' },
  'config show': { maxWords: 0, flags: ['config', 'port', 'host', 'resolved'], about: 'commandConfigShow' },
  'route explain': {
    words: 'MODEL',
    maxWords: 1,
    flags: [
      'config',
      'protocol',
      'operation',
      'needs',
      'tokens',
      'answer',
      'key',
      'down',
      'limited',
      'models',
      'order',
      'only',
      'ignore',
      'sort',
      'max-price',
      'require-parameters',
      'no-fallbacks',
      'data-collection',
      'platform',
      'session',
      'user',
      'address',
      'facts',
      'request',
      'data',
    ],
    about: 'commandRouteExplain',
  },
  'models ls': { words: '[NAMES]', maxWords: 1, flags: ['config', 'data', 'output'], about: 'commandModelsList' },
  'models sync': { words: '[PROVIDER]', maxWords: 1, flags: ['config', 'data'], about: 'commandModelsSync' },
  requests: { maxWords: 0, flags: ['last', 'data'], about: 'commandRequests' },
  request: { words: 'ID', maxWords: 1, flags: ['data'], about: 'commandRequest' },
  schema: { maxWords: 0, flags: [], about: 'commandSchema' },
  version: { maxWords: 0, flags: [], about: 'commandVersion' },
  help: { words: '[COMMAND]', maxWords: 2, flags: [], about: 'commandHelp' },
} as const satisfies Readonly<Record<string, Command>>;

/** The commands that there are. */
export type CommandName = keyof typeof COMMANDS;

/** The table, for look-ups by any name. */
export const commands: Readonly<Record<CommandName, Command>> = COMMANDS;
export const flags: Readonly<Record<FlagName, Flag>> = FLAGS;
