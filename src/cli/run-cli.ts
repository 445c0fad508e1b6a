import { languageOf, type Language } from '../config/language.ts';
import { ConfigError } from '../config/problem.ts';
import { nearestNames } from '../policy/nearest.ts';
import { type CommandName, commands } from './commands.ts';
import { type Messages, messagesIn } from './messages.ts';
import { type Args, askedLanguage, parseArgs, UsageError } from './parse-args.ts';
import { type CliPorts, EXIT } from './ports.ts';

/** Runs a command; what a start of the server does not need is loaded only where it is asked for. */
async function runCommand(args: Args, ports: CliPorts, messages: Messages, language: Language): Promise<number> {
  if (args.on.has('help')) return printHelp([args.command], ports, messages);
  switch (args.command) {
    case 'serve':
      return (await import('./serve.ts')).serveCommand(args, ports, messages, language);
    case 'check':
      return (await import('./check.ts')).checkCommand(args, ports, messages, language);
    case 'config show':
      return (await import('./config-show.ts')).configShowCommand(args, ports, messages);
    case 'route explain':
      return (await import('./route-explain.ts')).routeExplainCommand(args, ports, messages, language);
    case 'models ls':
      return (await import('./models.ts')).modelsListCommand(args, ports, messages, language);
    case 'models sync':
      return (await import('./models.ts')).modelsSyncCommand(args, ports, language);
    case 'requests':
      return (await import('./requests.ts')).requestsCommand(args, ports, language);
    case 'request':
      return (await import('./requests.ts')).requestCommand(args, ports, messages, language);
    case 'schema':
      ports.stdout.write((await import('../config/json-schema.ts')).configJsonSchemaText());
      return EXIT.done;
    case 'version':
      return printVersion(args, ports);
    case 'help':
      return printHelp(args.words, ports, messages);
  }
}

async function printHelp(words: readonly string[], ports: CliPorts, messages: Messages): Promise<number> {
  const { helpText } = await import('./help.ts');
  const name = words.join(' ');
  if (name !== '' && !Object.hasOwn(commands, name))
    throw new UsageError(messages.unknownCommand(name, nearestNames(name, Object.keys(commands), 1)[0]));
  ports.stdout.write(helpText(name === '' ? undefined : (name as CommandName), messages));
  return EXIT.done;
}

async function printVersion(args: Args, ports: CliPorts): Promise<number> {
  const version = (await import('./version.ts')).packageVersion();
  ports.stdout.write(args.on.has('json') ? `${JSON.stringify({ version, node: process.versions.node })}\n` : `${version}\n`);
  return EXIT.done;
}

/** Runs a command line (without program and script) and returns the exit code. Never throws for what a user did. */
export async function runCli(argv: readonly string[], ports: CliPorts): Promise<number> {
  const language = languageOf(askedLanguage(argv), ports.env);
  const messages = messagesIn(language);
  try {
    return await runCommand(parseArgs(argv, messages), ports, messages, language);
  } catch (error) {
    if (error instanceof UsageError) {
      ports.stderr.write(`${error.message}\n`);
      return EXIT.usage;
    }
    if (error instanceof ConfigError) {
      (await import('./check.ts')).reportProblems(error.problems, argv.includes('--json'), ports, messages, language);
      return EXIT.configInvalid;
    }
    throw error;
  }
}
