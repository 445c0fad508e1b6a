import type { AddressInfo } from 'node:net';
import { type App, type AppPorts, createApp } from '../src/app.ts';
import type { Config } from '../src/config/config.ts';
import type { CallRecord, Clock, KeptSeal, SealStore } from '../src/exchange/ports.ts';
import { createState } from '../src/state/index.ts';
import { createMemoryStateStore } from '../src/state/memory-store.ts';
import type { StateStore } from '../src/state/ports.ts';
import { createMasterKey } from '../src/store/master-key.ts';
import { testKept } from './kept.ts';
import { createTestSandbox, sandboxModels } from './sandbox.ts';
import { createLocalCounter } from '../src/tokens/local-counter.ts';
import { createSandboxSend } from '../src/upstream/sandbox-send.ts';
import { createNetworkSend } from '../src/upstream/choose-send.ts';

export const TEST_KEY = 'pk-test-0123456789abcdef';

/** The defaults of a configuration, with what a test wants different. */
export function testConfig(changes: Partial<Config> = {}): Config {
  return {
    server: { host: '127.0.0.1', port: 0, workers: 1, trustedProxies: [], cors: ['*'] },
    keys: [{ name: 'test', value: TEST_KEY }],
    providers: {},
    models: {},
    egress: { allow: [] },
    limits: {
      body: 32 * 1024 * 1024,
      upload: 2 ** 30,
      depth: 128,
      storedDays: 30,
      storedBytes: 2 ** 30,
      sealDays: 7,
      sealBytes: 2 ** 28,
      requestDays: 30,
      requestRows: 500_000,
      fetchBytes: 2 ** 25,
      calls: 10_000,
      connections: 20_000,
      bodies: 2 ** 30,
      // Machines that test are busy: what is no test of it must not be refused for it.
      overload: { shed: false, delayMs: 100 },
      cacheBytes: 2 ** 24,
    },
    tasks: { keepMs: 7 * 86_400_000, deadlineMs: 6 * 3_600_000, media: { bytes: 2 ** 30 } },
    sandbox: true,
    discover: false,
    log: { level: 'silent' },
    ...changes,
  };
}

function memorySeals(): SealStore {
  const kept = new Map<string, KeptSeal>();
  return {
    get: (owner, ids) =>
      Promise.resolve(
        new Map(
          ids.flatMap((id) => {
            const found = kept.get(`${owner} ${id}`);
            return found ? [[id, found] as const] : [];
          }),
        ),
      ),
    put(owner, entries) {
      for (const [id, seal] of entries) kept.set(`${owner} ${id}`, seal);
    },
  };
}

/** A gateway on a loopback port, over real HTTP on both sides, with its stores in memory. */
export interface TestServer {
  readonly url: string;
  readonly key: string;
  readonly app: App;
  readonly records: CallRecord[];
  /** Defects of ours: a test that leaves any has failed. */
  readonly defects: unknown[];
  close(): Promise<void>;
}

const sealer = createMasterKey('secret of the tests').sealer('compaction');

/** State in memory, bounded by what the configuration says. */
const memoryState = (limits = testConfig().limits): StateStore =>
  createMemoryStateStore(
    () => limits,
    () => Date.now(),
  );

const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** What of the world outside a test replaces. */
export type ServerOptions = Partial<
  Pick<AppPorts, 'send' | 'media' | 'seals' | 'spoolFolder' | 'tasks' | 'mediaStore' | 'idempotency' | 'modelLists' | 'onHealth'>
>;

export async function startTestServer(
  changes: Partial<Config> = {},
  state: StateStore = memoryState(),
  clock: Clock = systemClock,
  options: ServerOptions = {},
): Promise<TestServer> {
  const records: CallRecord[] = [];
  const defects: unknown[] = [];
  const network = createNetworkSend();
  const sandbox = createTestSandbox();
  const counter = createLocalCounter();
  const kept = testKept(() => clock.now());
  const app = createApp(testConfig(changes), {
    clock,
    send: createSandboxSend(() => sandbox, network.send),
    seals: memorySeals(),
    media: {
      fetch: () => Promise.reject(new Error('no media in this test')),
      check: () => Promise.resolve(),
      open: () => Promise.reject(new Error('no media in this test')),
    },
    ...kept.ports,
    journal: { append: (record) => void records.push(record), flush: () => Promise.resolve(), close: () => Promise.resolve() },
    counter,
    sandboxModels,
    state: (gateway) => createState(gateway, { store: state, sealer: () => Promise.resolve(sealer) }),
    onDefect: (error) => void defects.push(error),
    ...options,
  });
  await new Promise<void>((resolve) => app.server.listen(0, '127.0.0.1', resolve));
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    key: TEST_KEY,
    app,
    records,
    defects,
    async close() {
      await app.drain(500);
      await counter.close();
      await network.close();
      await kept.close();
    },
  };
}
