import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type App, createApp } from './app.ts';
import type { Running, Serve } from './cli/ports.ts';
import type { Peers } from './cluster/peers.ts';
import type { Config } from './config/config.ts';
import type { Env } from './config/find-file.ts';
import { createMediaFetcher } from './egress/media-fetcher.ts';
import { createWebhookPost } from './egress/webhook-post.ts';
import { openListeners, type Place } from './http/listeners.ts';
import { ulid } from './http/new-id.ts';
import { type Lazy, lazily } from './lazily.ts';
import { openModelLists } from './model-lists.ts';
import { logAccess } from './observe/access-log.ts';
import { logHealth } from './observe/health-log.ts';
import { createLog, type Log } from './observe/log.ts';
import { clientCodecs } from './protocols/index.ts';
import type { SandboxUpstream } from './sandbox/sandbox.ts';
import { sandboxModels } from './sandbox/sandbox-models.ts';
import { createState } from './state/index.ts';
import { openStores, type Stores } from './stores.ts';
import type { LocalTokenCounter } from './tokens/local-counter.ts';
import { createSandboxSend } from './upstream/sandbox-send.ts';
import { createNetworkSend, type NetworkSend } from './upstream/choose-send.ts';
import { collectLess, keepMemorySmall } from './small-memory.ts';

/** What the server takes from the process. */
interface ProcessPorts {
  readonly env: Env;
  /** Writes a line of the log. */
  readonly writeLog: (line: string) => void;
  /** It listens and has settled: what need not be done before may be done now. */
  readonly onSettled: () => void;
  /** Other processes that do the same work; absent: none. */
  readonly peers?: Peers;
}

/** The server of this process. */
interface OwnServer extends Running {
  /** Makes ready what a configuration needs, or throws; what it returns puts it in force. */
  prepare(config: Config): () => void;
  /** Takes a connection that another process has accepted. */
  accept(socket: Socket): void;
  readonly connections: () => number;
  /** Asks so many of them to come again. */
  thin(many: number): void;
  /** Listens to a port that another process has and shares, beside those that do so too. */
  listen(place: Place): Promise<void>;
}

/** How long calls that run may take to end when the server stops: longer than the longest may by default (30 min). */
const GRACE_MS = 35 * 60_000;
/** How long what is kept may take to be written after that. */
const CLOSE_MS = 5000;
/** The first calls come first: what they do not need is loaded after this. */
const WARM_AFTER_MS = 300;

const clock = { now: () => Date.now(), monotonic: () => performance.now() };

const newId = (prefix: string): string => prefix + ulid(clock.now()).toLowerCase();

function setTimer(run: () => void, milliseconds: number): () => void {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
}

/** Waits for work, but not for ever: its end must not depend on a disk that hangs. */
function atMost(ms: number, work: Promise<void>, onLate: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      onLate();
      resolve();
    }, ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Everything that runs while the server does. */
interface Parts {
  readonly app: App;
  readonly stores: Stores;
  readonly network: NetworkSend;
  readonly counter: Lazy<LocalTokenCounter>;
  readonly sandbox: Lazy<unknown>;
  readonly log: Log;
}

async function build(config: () => Config, data: string, { env, writeLog, peers }: ProcessPorts): Promise<Parts> {
  const log = createLog(config(), writeLog, peers ? { worker: peers.number } : {});
  const leading = peers ? { peers, isLeader: peers.isLeader } : {};
  const network = createNetworkSend(env);
  const stores = await openStores({ folder: data, env, clock, log, config, send: network.send, ...leading });
  let loaded: SandboxUpstream | undefined;
  const sandbox = lazily(async () => {
    const { createSandbox } = await import('./sandbox/sandbox.ts');
    return (loaded = createSandbox({ now: clock.now, newId, setTimer, codecs: clientCodecs }));
  });
  const counter = lazily(async () => (await import('./tokens/local-counter.ts')).createLocalCounter());
  const app = createApp(config(), {
    clock,
    send: createSandboxSend(() => loaded ?? sandbox(), network.send),
    waitedMs: network.waitedMs,
    seals: stores.seals,
    media: createMediaFetcher({ bounds: () => ({ allow: config().egress.allow, fetchBytes: config().limits.fetchBytes }) }),
    journal: stores.journal,
    counter: { count: async (...asked) => (await counter()).count(...asked) },
    tasks: { store: stores.tasks, post: createWebhookPost(() => config().egress.allow) },
    mediaStore: stores.media,
    idempotency: stores.idempotency,
    sandboxModels,
    spoolFolder: join(data, 'uploads'),
    state: (gateway) => createState(gateway, { store: stores.state, sealer: stores.compaction, ...leading }),
    onDefect: (err, requestId) => log.error({ err, requestId }, 'The gateway failed on a request'),
    onShedding(reason) {
      collectLess(reason === 'delay');
      network.crowd(reason === 'delay');
      if (reason === undefined) log.info({}, 'Calls are taken again');
      else log.warn({ reason }, 'There is more to do than the server can: calls are refused (limits.overload)');
    },
    onFull: () => log.warn({}, 'As many connections are held as may be, none of them idle: more are refused (limits.connections)'),
    onHealth: logHealth(log),
    modelLists: openModelLists(data),
    ...leading,
  });
  logAccess(app.server, log);
  return { app, stores, network, counter, sandbox, log };
}

async function stop({ app, stores, network, counter, log }: Parts): Promise<void> {
  await app.drain(GRACE_MS);
  const late = (): void => log.error({}, `What is kept could not be written within ${CLOSE_MS} ms`);
  await atMost(CLOSE_MS, stores.close(), late);
  await Promise.all([network.close(), counter.ifMade((made) => made.close())]);
  await log.flush();
}

/** The server of this process. */
export const createServe =
  (ports: ProcessPorts) =>
  async ({ config, data }: Parameters<Serve>[0]): Promise<OwnServer> => {
    let current = config;
    const parts = await build(() => current, data, ports);
    const { app, stores, network, sandbox, log } = parts;
    app.attend();
    // Of several processes, another one has the port, and says when this one listens as well.
    let listeners = ports.peers
      ? undefined
      : await openListeners(config.server, app.accept).catch(async (error: unknown) => {
          await stores.close();
          throw error;
        });
    keepMemorySmall();
    const warm = async (): Promise<void> => {
      // What cannot be had now, as no file can be opened say, is got again when it is asked for.
      const all = await Promise.allSettled([network.warm(), stores.warm(), ...(current.sandbox ? [sandbox()] : [])]);
      for (const one of all) if (one.status === 'rejected') log.error({ err: one.reason }, 'Something could not be prepared');
      app.wake();
      ports.onSettled();
    };
    setTimeout(() => void warm(), WARM_AFTER_MS).unref();
    const prepare = (next: Config): (() => void) => {
      const commit = app.prepare(next);
      return () => {
        commit();
        current = next;
        log.configure(next);
      };
    };
    return {
      port: listeners?.port ?? 0,
      prepare,
      accept: app.accept,
      connections: app.connections,
      thin: app.thin,
      async listen(place) {
        listeners = await openListeners(place, app.accept, { isClaimed: true });
      },
      // Where it throws, everything stays as it was.
      reload: (next) => prepare(next)(),
      stop() {
        listeners?.close();
        return stop(parts);
      },
    };
  };
