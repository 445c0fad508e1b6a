import { join } from 'node:path';
import type { Probe } from '../../src/config/discover.ts';
import type { Config } from '../../src/config/config.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import type { ServePorts } from '../../src/cli/serve.ts';
import { scratchFolder } from '../config/scratch.ts';

/** What a command line came to. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A place to run command lines in: its own folders, no environment, no network. */
export interface Terminal {
  readonly folder: string;
  /** Runs a line such as `check --json`; words are split at spaces. */
  run(line: string): Promise<Ran>;
}

/** Nothing listens on this machine. */
const SILENCE: Probe = () => Promise.resolve(undefined);

const noServer = (): never => {
  throw new Error('this test starts no server');
};

/** A terminal in a folder with some files. */
export function openTerminal(
  files: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
  changes: Partial<ServePorts> = {},
): Terminal {
  const folder = scratchFolder(files);
  return {
    folder,
    async run(line) {
      let stdout = '';
      let stderr = '';
      const code = await runCli(line.split(' ').filter(Boolean), {
        env,
        cwd: folder,
        home: join(folder, 'home'),
        stdout: { write: (text: string) => (stdout += text) },
        stderr: { write: (text: string) => (stderr += text) },
        serve: noServer,
        probe: SILENCE,
        ...changes,
      } as ServePorts);
      return { code, stdout, stderr };
    },
  };
}

/** A server that only remembers what it was given; it stops when `stop` is called. */
export function fakeServer(port = 7117) {
  const configs: Config[] = [];
  let signal: () => void = () => undefined;
  let onStarted: () => void = () => undefined;
  const started = new Promise<void>((resolve) => (onStarted = resolve));
  return {
    configs,
    /** Settles when the command waits for a signal. */
    started,
    stop: () => signal(),
    ports: {
      serve: ({ config }) => {
        configs.push(config);
        return Promise.resolve({ port, reload: (next) => void configs.push(next), stop: () => Promise.resolve() });
      },
      onStopSignal(onSignal) {
        signal = onSignal;
        onStarted();
        return { close: () => undefined };
      },
      watch: {
        watchFolder: () => ({ close: () => undefined }),
        onHangup: () => ({ close: () => undefined }),
        later: () => ({ close: () => undefined }),
      },
    } satisfies Partial<ServePorts>,
  };
}
