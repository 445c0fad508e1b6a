import type { Connection } from './h1-connection.ts';

/** Connections that wait for another request to one origin, the latest first. */
export interface IdleConnections {
  put(connection: Connection, keepMs: number): void;
  /** The one that was used last, no longer ago than that in milliseconds: the others may close. */
  take(agoMs?: number): Connection | undefined;
  drop(connection: Connection): void;
  close(): void;
}

/** More than that to one origin are closed when they become idle. */
const MAX_IDLE = 256;
/** How often those that waited too long are looked for. */
const SWEEP_MS = 1000;

interface Waiting {
  readonly connection: Connection;
  readonly since: number;
  readonly until: number;
}

/** Keeps no process alive. */
export function createIdleConnections(): IdleConnections {
  const waiting: Waiting[] = [];
  let sweeper: NodeJS.Timeout | undefined;

  const rest = (): void => {
    if (waiting.length > 0) return;
    clearInterval(sweeper);
    sweeper = undefined;
  };
  const sweep = (): void => {
    const now = performance.now();
    for (const one of waiting.splice(0)) {
      if (one.until > now) waiting.push(one);
      else one.connection.destroy();
    }
    rest();
  };
  const drop = (connection: Connection): void => {
    const at = waiting.findLastIndex((one) => one.connection === connection);
    if (at >= 0) waiting.splice(at, 1);
    rest();
  };
  return {
    drop,
    put(connection, keepMs) {
      if (waiting.length >= MAX_IDLE) return connection.destroy();
      const since = performance.now();
      waiting.push({ connection, since, until: since + keepMs });
      sweeper ??= setInterval(sweep, SWEEP_MS).unref();
    },
    take(agoMs = Infinity) {
      const now = performance.now();
      for (let last = waiting.at(-1); last && now - last.since <= agoMs; last = waiting.at(-1)) {
        waiting.pop();
        if (last.until > now && last.connection.isOpen()) return last.connection;
        last.connection.destroy();
      }
      return undefined;
    },
    close() {
      for (const { connection } of waiting.splice(0)) connection.destroy();
      rest();
    },
  };
}
