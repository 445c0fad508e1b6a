import { createH1Send } from './h1-send.ts';
import { createProxyOf } from './proxy-of.ts';
import { createReadTurns } from './read-turns.ts';
import type { Send } from './send.ts';
import { createUndiciSend } from './undici-send.ts';

/** Origins whose choice is remembered. */
const MAX_ORIGINS = 1024;

/** The way out of this process: our own connections, or undici's where the environment names a proxy. */
export interface NetworkSend {
  readonly send: Send;
  /** For how long an answer has waited to be read because there was other work, in milliseconds; `now`: monotonic. */
  waitedMs(now: number): number;
  /** Calls are refused, for there is more to do than can be done; or no longer. */
  crowd(is: boolean): void;
  /** Loads what the first request would otherwise wait for. */
  warm(): Promise<void>;
  close(): Promise<void>;
}

/** Chooses for each origin once. */
export function createNetworkSend(env: Readonly<Record<string, string | undefined>> = {}): NetworkSend {
  const proxyOf = createProxyOf(env);
  const turns = createReadTurns();
  const direct = createH1Send(turns);
  const proxied = createUndiciSend(proxyOf);
  const ways = new Map<string, Send>();

  const wayTo = (origin: string): Send => {
    const known = ways.get(origin);
    if (known) return known;
    if (ways.size >= MAX_ORIGINS) ways.clear();
    const way = URL.canParse(origin) && proxyOf(origin) !== undefined ? proxied.send : direct.send;
    ways.set(origin, way);
    return way;
  };
  return {
    send: (request, sink) => wayTo(request.origin)(request, sink),
    waitedMs: turns.waitedMs,
    crowd: turns.crowd,
    async warm() {
      process.getBuiltinModule('node:tls');
    },
    async close() {
      direct.close();
      await proxied.close();
    },
  };
}
