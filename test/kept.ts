import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AppPorts } from '../src/app.ts';
import { lazily } from '../src/lazily.ts';
import { openDatabase } from '../src/store/database.ts';
import { createIdempotencyStore } from '../src/store/idempotency.ts';
import { createMasterKey } from '../src/store/master-key.ts';
import { createMediaIndex } from '../src/store/media-index.ts';
import { createNode } from '../src/store/node.ts';
import { createTaskStore } from '../src/store/tasks.ts';
import { createMediaFolder } from '../src/tasks/media-folder.ts';
import { type Blobs, createMediaStore } from '../src/tasks/media-store.ts';
import type { Pace } from '../src/tasks/machine.ts';

/** Tests do not wait for what takes minutes in life. */
const QUICK: Pace = { pollMs: () => 20, heartbeatMs: 100, tickMs: 5, webhookMs: [20, 20, 20], findMs: [20, 20], retryMs: 10 };

/** Tasks, media and answers in a database and a folder of a test's own, made with their first use. */
export interface TestKept {
  readonly ports: Pick<AppPorts, 'tasks' | 'mediaStore' | 'idempotency'>;
  /** Another folder's are kept for the next process. */
  close(): Promise<void>;
}

/** `folder`: one that several share, one after the other or at once. `blobs`: where media are kept, in place of a folder. */
export function testKept(
  now: () => number,
  options: { readonly folder?: string; readonly leaseMs?: number; readonly mediaBytes?: number; readonly blobs?: Blobs } = {},
): TestKept {
  let made: string | undefined;
  const folder = (): string => options.folder ?? (made ??= mkdtempSync(join(tmpdir(), 'pailou-test-')));
  const database = lazily(() => openDatabase(folder()));
  const key = createMasterKey('secret of the tests');
  const node = createNode(now, options.leaseMs);
  const blobs = lazily(() => Promise.resolve(options.blobs ?? createMediaFolder(join(folder(), 'media'), now)));
  return {
    ports: {
      tasks: {
        store: createTaskStore({ database, sealer: key.sealer('tasks'), node }),
        post: () => Promise.reject(new Error('no webhooks in this test')),
        pace: QUICK,
      },
      mediaStore: createMediaStore({
        index: createMediaIndex(database, now),
        blobs: {
          write: async (...args) => (await blobs()).write(...args),
          read: async (...args) => (await blobs()).read(...args),
          delete: async (...args) => (await blobs()).delete(...args),
        },
        sign: key.signer('media'),
        now,
        bounds: () => ({ keepMs: 7 * 86_400_000, bytes: options.mediaBytes ?? 2 ** 30 }),
      }),
      idempotency: createIdempotencyStore({ database, sealer: key.sealer('idempotency'), node, now }),
    },
    async close() {
      await database.ifMade((opened) => opened.destroy());
      if (made !== undefined) rmSync(made, { recursive: true, force: true });
    },
  };
}
