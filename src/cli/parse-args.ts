import { parseArgs as parse } from 'node:util';
import { nearestNames } from '../policy/nearest.ts';
import { COMMON_FLAGS, type CommandName, commands, type FlagName, flags } from './commands.ts';
import type { Messages } from './messages.ts';

/** A command line, read. */
export interface Args {
  readonly command: CommandName;
  readonly words: readonly string[];
  /** Flags that take a value. */
  readonly values: Readonly<Partial<Record<FlagName, string>>>;
  /** Flags that take none. */
  readonly on: ReadonlySet<FlagName>;
  readonly port?: number;
}

/** A command line that cannot be understood; the message says what to do. */
export class UsageError extends Error {}

const OPTIONS = Object.fromEntries(
  Object.entries(flags).map(([name, { value, short }]) => [
    name,
    { type: value === undefined ? ('boolean' as const) : ('string' as const), ...(short === undefined ? {} : { short }) },
  ]),
);

const isFlag = (name: string): name is FlagName => Object.hasOwn(flags, name);
const isCommand = (name: string): name is CommandName => Object.hasOwn(commands, name);

/** The longest command that the words begin with. */
function commandIn(words: readonly string[], messages: Messages): { readonly command: CommandName; readonly rest: readonly string[] } {
  const [first, second] = words;
  if (first === undefined) return { command: 'serve', rest: [] };
  const both = `${first} ${second ?? ''}`;
  if (isCommand(both)) return { command: both, rest: words.slice(2) };
  if (isCommand(first)) return { command: first, rest: words.slice(1) };
  const longer = Object.keys(commands).find((name) => name.startsWith(`${first} `));
  if (longer !== undefined) throw new UsageError(messages.incomplete(words.join(' '), longer));
  throw new UsageError(messages.unknownCommand(first, nearestNames(first, Object.keys(commands), 1)[0]));
}

function portOf(value: string | undefined, messages: Messages): number | undefined {
  if (value === undefined) return undefined;
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (port <= 65_535) return port;
  throw new UsageError(messages.badPort(value));
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

/** Checks one flag against what the command takes. */
function checkFlag({ name, rawName, value, inlineValue }: OptionToken, command: CommandName, messages: Messages): FlagName {
  const taken = [...commands[command].flags, ...COMMON_FLAGS];
  if (!isFlag(name) || !taken.includes(name)) {
    const near = nearestNames(name, taken, 1)[0];
    throw new UsageError(messages.unknownFlag(rawName, command, near === undefined ? undefined : `--${near}`));
  }
  const wantsValue = flags[name].value !== undefined;
  if (!wantsValue && inlineValue) throw new UsageError(messages.flagTakesNoValue(rawName));
  // A path or host may be anything, but what looks like a flag was meant as one.
  if (wantsValue && (value === undefined || value === '' || (!inlineValue && value.startsWith('--')))) {
    throw new UsageError(messages.flagNeedsValue(rawName));
  }
  return name;
}

/**
 * A flag that no command has: told before the command is looked at, because what was meant as its value stands there like
 * a command.
 */
function rejectUnknownFlags(options: readonly OptionToken[], words: readonly string[], messages: Messages): void {
  const unknown = options.find(({ name, rawName }) => !isFlag(name) && !VERSION_FLAGS.has(rawName));
  if (!unknown) return;
  const [first = ''] = words;
  const command = isCommand(words.slice(0, 2).join(' '))
    ? (words.slice(0, 2).join(' ') as CommandName)
    : isCommand(first)
      ? first
      : 'serve';
  checkFlag(unknown, command, messages);
}

/** What people try first on a program that they do not know. */
const VERSION_FLAGS: ReadonlySet<string> = new Set(['--version', '-v', '-V']);

/** Reads a command line (without program and script). Throws `UsageError`. */
export function parseArgs(argv: readonly string[], messages: Messages): Args {
  const { tokens, positionals } = parse({ args: [...argv], options: OPTIONS, strict: false, allowPositionals: true, tokens: true });
  const options = tokens.filter((token) => token.kind === 'option');
  rejectUnknownFlags(options, positionals, messages);
  const asksVersion = options.some(({ rawName }) => VERSION_FLAGS.has(rawName));
  const { command, rest } = asksVersion ? { command: 'version' as const, rest: [] } : commandIn(positionals, messages);
  if (positionals.length === 0 && options.some(({ name }) => name === 'help'))
    return { command: 'help', words: [], values: {}, on: new Set() };
  const values: Partial<Record<FlagName, string>> = {};
  const on = new Set<FlagName>();
  for (const token of asksVersion ? [] : options) {
    const name = checkFlag(token, command, messages);
    if (token.value === undefined) on.add(name);
    else values[name] = token.value;
  }
  const extra = rest[commands[command].maxWords];
  if (extra !== undefined) throw new UsageError(messages.tooMany(extra, command));
  const port = portOf(values.port, messages);
  if (asksVersion && options.some(({ name }) => name === 'json')) on.add('json');
  return { command, words: rest, values, on, ...(port === undefined ? {} : { port }) };
}

/** The language that is asked for, found before anything can be said about the rest. */
export function askedLanguage(argv: readonly string[]): string | undefined {
  const index = argv.findIndex((word) => word === '--lang' || word.startsWith('--lang='));
  if (index < 0) return undefined;
  return argv[index]?.startsWith('--lang=') ? argv[index].slice('--lang='.length) : argv[index + 1];
}
