import type { Config } from '../config/config.ts';
import type { CallRecord } from '../exchange/ports.ts';
import type { AskList } from '../sync-models.ts';
import type { Env } from '../config/find-file.ts';

/** A running server. */
export interface Running {
  /** The port that it listens on. */
  readonly port: number;
  /** Takes another configuration; throws or rejects, and keeps the one before, when it cannot be used. */
  reload(config: Config): void | Promise<void>;
  /** Settles when it cannot go on, with the reason. Absent: it always can. */
  readonly failed?: Promise<Error>;
  /** Takes no more calls, waits for those that run, closes everything. */
  stop(): Promise<void>;
}

/** Starts the server; settles when it listens. Rejects with the system's error (`EADDRINUSE`) when it cannot. */
export type Serve = (options: {
  readonly config: Config;
  /** The data folder, absolute. It may not be there yet. */
  readonly data: string;
}) => Promise<Running>;

/** Somewhere to write: a stream, as far as we need it. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** The table of requests of a data folder, to be read. */
export interface RequestsView {
  find(id: string): CallRecord | undefined;
  /** The newest first. */
  last(count: number): readonly CallRecord[];
  close(): void;
}

/** Everything that the command line touches. */
export interface CliPorts {
  readonly env: Env;
  readonly cwd: string;
  readonly home: string;
  /** Data. */
  readonly stdout: Output;
  /** Words for people. */
  readonly stderr: Output;
  readonly serve: Serve;
  /** Opens the table of requests of a data folder; nothing where there is none. */
  readonly requests?: (data: string) => Promise<RequestsView | undefined>;
  /** Asks a provider for its list of models; absent: nobody can be asked. */
  readonly askList?: AskList;
  /** Calls on each of the signals that end a program, until closed. Default: the process's. */
  readonly onStopSignal?: (onSignal: () => void) => { close(): void };
}

/** Exit codes (each command says which it uses). */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  configInvalid: 3,
  forbidden: 4,
  notFound: 5,
  differs: 6,
  routeTestFailed: 9,
  interrupted: 130,
} as const;
