import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { createRedact, type Redact } from './redact.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';
type Fields = Readonly<Record<string, unknown>>;

/**
 * The log: one JSON object a line. `error`: a defect of ours, or something that does not work; `warn`: something that works
 * with less; `info`: what changed in the server; `debug`: every request. So at `info`, the default, a server that is fine says nothing.
 */
export interface Log {
  readonly debug: (fields: Fields, message: string) => void;
  readonly info: (fields: Fields, message: string) => void;
  readonly warn: (fields: Fields, message: string) => void;
  readonly error: (fields: Fields, message: string) => void;
  isOn(level: Level): boolean;
  /** Takes the level and the secrets of another configuration. */
  configure(config: Config): void;
  /** Everything that was said is written. */
  flush(): Promise<void>;
}

const ORDER: readonly (Level | 'silent')[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** Lines that wait for the library; what is said after them is lost. */
const MAX_WAITING = 1000;

type Line = readonly [level: Level, fields: Fields, message: string];

async function createLogger(write: (line: string) => void, about: Fields): Promise<Logger> {
  const { pino } = await import('pino');
  return pino(
    {
      level: 'debug',
      base: { ...about },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: pino.stdSerializers.errWithCause },
    },
    { write },
  );
}

/** A log that writes to `write`; each line has `about` in it. Secrets are taken out of finished lines, wherever they stand. The library is loaded with the first line. */
export function createLog(config: Config, write: (line: string) => void, about: Fields = {}): Log {
  let { level } = config.log;
  let redact: Redact = createRedact(config);
  let logger: Logger | undefined;
  let loading: Promise<void> | undefined;
  const waiting: Line[] = [];

  const isOn = (asked: Level): boolean => ORDER.indexOf(asked) >= ORDER.indexOf(level);
  const load = async (): Promise<void> => {
    const loaded = await createLogger((line) => write(redact(line)), about).catch(() => undefined);
    loading = undefined;
    // No file can be opened, in a flood of connections say: the next line tries again.
    if (!loaded) return;
    for (const [at, fields, message] of waiting.splice(0)) loaded[at](fields, message);
    logger = loaded;
  };
  const say =
    (at: Level) =>
    (fields: Fields, message: string): void => {
      if (!isOn(at)) return;
      if (logger) return logger[at](fields, message);
      if (waiting.length < MAX_WAITING) waiting.push([at, fields, message]);
      loading ??= load();
    };
  return {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    isOn,
    configure(next) {
      ({ level } = next.log);
      redact = createRedact(next);
    },
    async flush() {
      if (waiting.length > 0) loading ??= load();
      await loading;
    },
  };
}
