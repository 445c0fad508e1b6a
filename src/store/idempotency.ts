import { parseObject } from '../ir/index.ts';
import type { IdempotencyStore, KeptAnswer } from '../http/gateway/idempotency.ts';
import type { Database } from './database.ts';
import type { Sealer } from './master-key.ts';
import type { Node } from './node.ts';

/** What keeping answers stands on. */
interface IdempotencyPorts {
  readonly database: () => Promise<Database>;
  readonly sealer: Sealer;
  readonly node: Node;
  readonly now: () => number;
}

const KEEP_MS = 24 * 3_600_000;
/** All answers together; the oldest go first. */
const MAX_BYTES = 256 * 1024 * 1024;
const MAX_ROWS = 100_000;
/** Old ones are looked for after so many. */
const SWEEP_EVERY = 200;
const SWEEP_BATCH = 500;

const contextOf = (owner: string, key: string): string => `idempotency ${owner} ${key}`;

async function sweep(db: Database, now: number): Promise<void> {
  await db
    .deleteFrom('idempotency')
    .where('created_at', '<', now - KEEP_MS)
    .execute();
  for (let round = 0; round < 100; round++) {
    const total = await db
      .selectFrom('idempotency')
      .select(({ fn }) => [fn.sum<number | null>('bytes').as('bytes'), fn.countAll<number>().as('rows')])
      .executeTakeFirst();
    if (Number(total?.bytes ?? 0) <= MAX_BYTES && Number(total?.rows ?? 0) <= MAX_ROWS) return;
    const edge = await db
      .selectFrom('idempotency')
      .select('created_at')
      .orderBy('created_at')
      .offset(SWEEP_BATCH)
      .limit(1)
      .executeTakeFirst();
    if (!edge) return;
    await db.deleteFrom('idempotency').where('created_at', '<=', edge.created_at).execute();
  }
}

/** Answers in the database, encrypted: they hold what clients were told. */
export function createIdempotencyStore({ database, sealer, node, now }: IdempotencyPorts): IdempotencyStore {
  let begun = SWEEP_EVERY;
  const open = (answer: Uint8Array, owner: string, key: string): KeptAnswer | undefined => {
    const plain = sealer.open(answer, contextOf(owner, key));
    return plain && (parseObject(plain.toString('utf8')) as KeptAnswer | undefined);
  };
  return {
    async begin(owner, key, fingerprint) {
      const db = await database();
      begun += 1;
      if (begun > SWEEP_EVERY) {
        begun = 0;
        await sweep(db, now());
      }
      return db.transaction().execute(async (within) => {
        const mine = { owner, request_key: key, fingerprint, node: node.id, created_at: now(), answer: null, bytes: 0 };
        const row = await within
          .selectFrom('idempotency')
          .selectAll()
          .where('owner', '=', owner)
          .where('request_key', '=', key)
          .executeTakeFirst();
        const isOld = row !== undefined && row.created_at < now() - KEEP_MS;
        if (!row || isOld) {
          await node.take(within);
          await within
            .insertInto('idempotency')
            .values(mine)
            .onConflict((conflict) => conflict.columns(['owner', 'request_key']).doUpdateSet(mine))
            .execute();
          return 'new';
        }
        if (row.fingerprint !== fingerprint) return 'different';
        if (row.answer) return open(row.answer, owner, key) ?? 'different';
        if (row.node === node.id || (await node.gone(within, [row.node])).length === 0) return 'running';
        await node.take(within);
        await within.updateTable('idempotency').set({ node: node.id }).where('owner', '=', owner).where('request_key', '=', key).execute();
        return 'lost';
      });
    },
    async finish(owner, key, answer) {
      const db = await database();
      const sealed = sealer.seal(Buffer.from(JSON.stringify(answer)), contextOf(owner, key));
      const changes = { answer: sealed, bytes: sealed.length };
      await db.updateTable('idempotency').set(changes).where('owner', '=', owner).where('request_key', '=', key).execute();
    },
    async forget(owner, key) {
      const db = await database();
      await db.deleteFrom('idempotency').where('owner', '=', owner).where('request_key', '=', key).execute();
    },
  };
}
