import type { Config } from '../config/config.ts';
import { dataFolder } from '../config/data-folder.ts';
import { findLocalServers, type Found, type Probe, withFound } from '../config/discover.ts';
import type { Language } from '../config/language.ts';
import { type Loaded, loadConfig } from '../config/load.ts';
import { type LocalKey, localKey } from '../config/local-key.ts';
import { problemLine } from '../config/problem.ts';
import { watchConfig, type WatchPorts } from '../config/watch.ts';
import { banner, bannerJson } from './banner.ts';
import type { Messages } from './messages.ts';
import type { Args } from './parse-args.ts';
import { type CliPorts, EXIT, type Running } from './ports.ts';
import { loadOptions } from './load-options.ts';
import { packageVersion } from './version.ts';

/** What only tests replace. */
export interface ServePorts extends CliPorts {
  readonly probe?: Probe;
  readonly watch?: WatchPorts;
}

/** Signals closer together than this are one Ctrl+C that came by several ways (terminal, npm, wrapper). */
const SAME_SIGNAL_MS = 1000;

/** What a server that runs cannot change. */
const FIXED = ['host', 'port', 'workers'] as const;

/** What is in force: the configuration with what was found on this machine and a key that was made. */
interface Effective {
  readonly loaded: Loaded;
  readonly config: Config;
  readonly local: readonly Found[];
  readonly key?: LocalKey;
}

async function effective(loaded: Loaded, data: string, local: readonly Found[]): Promise<Effective> {
  const base = loaded.discovers ? withFound(loaded.config, local) : loaded.config;
  const kept = { loaded, local: loaded.discovers ? local : [] };
  if (base.keys.length > 0) return { ...kept, config: base };
  const key = await localKey(data);
  return { ...kept, key, config: { ...base, keys: [{ name: 'local', value: key.value }] } };
}

/** How to start on another port, as people here start it. */
const startCommand = (env: CliPorts['env'], port: number): string =>
  env['npm_lifecycle_event'] === 'start' ? `npm start -- --port ${port}` : `pailou --port ${port}`;

/** What to do when it cannot start. */
function startFailure(error: unknown, config: Config, env: CliPorts['env'], messages: Messages): string {
  const { code } = error as NodeJS.ErrnoException;
  const { host, port } = config.server;
  if (code === 'EADDRINUSE') return messages.portTaken(port, host, startCommand(env, port + 1));
  if (code === 'EACCES' && (error as NodeJS.ErrnoException).syscall === 'listen') {
    return messages.portForbidden(port, startCommand(env, port + 7000));
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return messages.hostUnknown(host);
  return messages.cannotStart(error instanceof Error ? error.message : String(error));
}

async function start(
  loaded: Loaded,
  data: string,
  ports: CliPorts,
  messages: Messages,
): Promise<{ now: Effective; running: Running } | undefined> {
  const say = (text: string): unknown => ports.stderr.write(`${text}\n`);
  let now: Effective;
  try {
    now = await effective(loaded, data, []);
  } catch (error) {
    say(messages.dataUnusable(data, error instanceof Error ? error.message : String(error)));
    return undefined;
  }
  try {
    return { now, running: await ports.serve({ config: now.config, data }) };
  } catch (error) {
    say(startFailure(error, now.config, ports.env, messages));
    return undefined;
  }
}

/** `pailou serve`: starts, says what runs, takes changes of the configuration over, ends on a signal. */
export async function serveCommand(args: Args, ports: ServePorts, messages: Messages, language: Language): Promise<number> {
  const isQuiet = args.on.has('quiet') || args.on.has('json');
  const say = (text: string): unknown => ports.stderr.write(`${text}\n`);
  const tell = (text: string): unknown => (isQuiet ? undefined : say(text));
  const options = loadOptions(args, ports);
  const loaded = await loadConfig(options);
  const data = dataFolder(args.values.data, ports.env, ports.cwd, ports.home);
  const started = await start(loaded, data, ports, messages);
  if (!started) return EXIT.failed;
  const { running } = started;
  let { now } = started;

  /** Puts a configuration in force. */
  const take = async (next: Loaded, local: readonly Found[]): Promise<void> => {
    const fresh = await effective(next, data, local);
    await running.reload(fresh.config);
    now = fresh;
  };
  const look = async (): Promise<readonly Found[]> => (now.loaded.discovers ? findLocalServers(ports.env, running.port, ports.probe) : []);

  const local = await look();
  if (local.length > 0) await take(now.loaded, local);
  for (const warning of loaded.warnings) tell(problemLine(warning, language));

  const watcher = watchConfig(
    {
      loaded,
      load: () => loadConfig(options),
      async onChange(next) {
        const before = now.config.server;
        await take(next, now.local);
        const { server } = next.config;
        if (FIXED.some((name) => server[name] !== before[name])) tell(messages.restartNeeded);
        tell(messages.reloaded(next.file ?? messages.bannerNoConfig));
      },
      onInvalid(problems) {
        say(messages.reloadRefused);
        for (const problem of problems) say(problemLine(problem, language));
      },
    },
    ports.watch,
  );
  try {
    const stopped = untilStopped(running, ports, () => tell(messages.stopping));
    // Last: whoever reads it may send a signal at once.
    announce(now, running.port, data, args, ports, messages);
    return await Promise.race([stopped, untilFailed(running, (why) => say(messages.cannotGoOn(why)))]);
  } finally {
    watcher.close();
  }
}

function announce(now: Effective, port: number, data: string, args: Args, ports: CliPorts, messages: Messages): void {
  const found = [...now.loaded.found, ...now.local];
  const { config, loaded, key } = now;
  const isTerminal = ports.stderr.isTTY === true;
  const facts = { version: packageVersion(), port, config, loaded, found, data, cwd: ports.cwd, isTerminal, ...(key ? { key } : {}) };
  if (args.on.has('json')) ports.stdout.write(`${JSON.stringify(bannerJson(facts))}\n`);
  else if (!args.on.has('quiet')) ports.stderr.write(banner(facts, messages));
}

/** How long what runs may take to end where the server cannot go on. */
const FAILED_MS = 10_000;

/** Ends when the server cannot go on. */
async function untilFailed({ failed, stop }: Running, onFailed: (why: string) => void): Promise<number> {
  const error = await (failed ?? new Promise<never>(() => undefined));
  onFailed(error.message);
  await Promise.race([stop(), new Promise((resolve) => setTimeout(resolve, FAILED_MS))]);
  return EXIT.failed;
}

/** Ends when a signal came and the calls that ran have ended, or at once on another signal. */
function untilStopped(running: Running, ports: CliPorts, onStopping: () => void): Promise<number> {
  return new Promise((resolve, reject) => {
    let firstAt: number | undefined;
    const signals = (ports.onStopSignal ?? processSignals)(() => {
      const now = performance.now();
      if (firstAt !== undefined) {
        if (now - firstAt >= SAME_SIGNAL_MS) resolve(EXIT.interrupted);
        return;
      }
      firstAt = now;
      onStopping();
      running
        .stop()
        .then(() => resolve(EXIT.done), reject)
        .finally(() => signals.close());
    });
  });
}

function processSignals(onSignal: () => void): { close(): void } {
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return { close: () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal) };
}
