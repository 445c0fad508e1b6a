import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp } from './app.ts';
import type { Serve } from './cli/ports.ts';
import type { Env } from './config/find-file.ts';
import type { KeptSeal } from './exchange/ports.ts';
import { ulid } from './http/new-id.ts';
import { clientCodecs } from './protocols/index.ts';
import { createSandbox, sandboxModels } from './sandbox/sandbox.ts';
import { createSandboxSend } from './upstream/sandbox-send.ts';
import { createUndiciSend } from './upstream/undici-send.ts';

/** What the server takes from the process. */
interface ProcessPorts {
  readonly env: Env;
  /** It listens: what need not be done before may be done now. */
  readonly onListening: () => void;
}

/** How long calls that run may take to end when the server stops. Longer than the longest call by default (30 min). */
const GRACE_MS = 35 * 60_000;

const clock = { now: () => Date.now(), monotonic: () => performance.now() };

const newId = (prefix: string): string => prefix + ulid(clock.now()).toLowerCase();

function setTimer(run: () => void, milliseconds: number): () => void {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host.replace(/^\[(.*)\]$/, '$1'), () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** The server of this process. */
export const createServe =
  ({ onListening }: ProcessPorts): Serve =>
  async ({ config }) => {
    const undici = createUndiciSend();
    const seals = new Map<string, KeptSeal>();
    const app = createApp(config, {
      clock,
      send: createSandboxSend(createSandbox({ now: clock.now, newId, setTimer, codecs: clientCodecs }), undici.send),
      seals: { get: () => Promise.resolve(seals), put: () => undefined },
      media: { fetch: () => Promise.reject(new Error('not yet')) },
      journal: { append: () => undefined, flush: () => Promise.resolve(), close: () => Promise.resolve() },
      counter: { count: () => Promise.resolve(undefined) },
      sandboxModels,
      state: () => ({ state: () => Promise.reject(new Error('not yet')), stateful: () => undefined }),
      onDefect: (error, callId) =>
        void process.stderr.write(`${callId} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`),
    });
    const port = await listen(app.server, config.server.host, config.server.port);
    onListening();
    return {
      port,
      reload: (next) => app.reload(next),
      async stop() {
        await app.drain(GRACE_MS);
        await undici.close();
      },
    };
  };
