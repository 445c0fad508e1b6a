import { parseObject } from '../ir/index.ts';
import type { IdempotencyStore, KeptAnswer, LostAnswer } from '../http/gateway/idempotency.ts';
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

const LF = 0x0a;

/** What is known of an answer as a line of JSON, and behind it the body's bytes as they were. */
function written(answer: KeptAnswer | LostAnswer): Buffer {
  if ('lost' in answer) return Buffer.from(`${JSON.stringify(answer)}\n`);
  const { body, ...head } = answer;
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body]);
}

function read(bytes: Buffer): KeptAnswer | LostAnswer | undefined {
  const end = bytes.indexOf(LF);
  const head = parseObject(bytes.toString('utf8', 0, end)) as KeptAnswer | LostAnswer | undefined;
  return head === undefined || 'lost' in head ? head : { ...head, body: bytes.subarray(end + 1) };
}

/** What a request that comes with a key finds. */
type Found = Awaited<ReturnType<IdempotencyStore['begin']>>;

const rowOf = (within: Database, owner: string, key: string) =>
  within.selectFrom('idempotency').selectAll().where('owner', '=', owner).where('request_key', '=', key).executeTakeFirst();

/** Takes a key that nobody has, or whose answer is too old. */
async function claim({ node, now }: IdempotencyPorts, within: Database, owner: string, key: string, fingerprint: string): Promise<'new'> {
  const mine = { owner, request_key: key, fingerprint, node: node.id, created_at: now(), answer: null, bytes: 0 };
  await node.take(within);
  await within
    .insertInto('idempotency')
    .values(mine)
    .onConflict((conflict) => conflict.columns(['owner', 'request_key']).doUpdateSet(mine))
    .execute();
  return 'new';
}

/** Looks a key up, and takes it where it is free or whoever had it is gone. To be called within a transaction. */
async function find(ports: IdempotencyPorts, within: Database, owner: string, key: string, fingerprint: string): Promise<Found> {
  const { sealer, node, now } = ports;
  const row = await rowOf(within, owner, key);
  if (!row || row.created_at < now() - KEEP_MS) return claim(ports, within, owner, key, fingerprint);
  if (row.fingerprint !== fingerprint) return 'different';
  if (row.answer) {
    const plain = sealer.open(row.answer, contextOf(owner, key));
    return (plain && read(plain)) ?? 'different';
  }
  // One that this process has begun and does not work on any more was never settled: the database could not be written.
  if (row.node !== node.id && (await node.gone(within, [row.node])).length === 0) return 'running';
  await node.take(within);
  await within.updateTable('idempotency').set({ node: node.id }).where('owner', '=', owner).where('request_key', '=', key).execute();
  return 'lost';
}

/** The rows, whoever works on them. */
function openRows(ports: IdempotencyPorts): IdempotencyStore {
  const { database, sealer, now } = ports;
  let begun = SWEEP_EVERY;
  return {
    async begin(owner, key, fingerprint) {
      const db = await database();
      begun += 1;
      if (begun > SWEEP_EVERY) {
        begun = 0;
        await sweep(db, now());
      }
      return db.transaction().execute((within) => find(ports, within, owner, key, fingerprint));
    },
    async finish(owner, key, answer) {
      const db = await database();
      const sealed = sealer.seal(written(answer), contextOf(owner, key));
      const changes = { answer: sealed, bytes: sealed.length };
      await db.updateTable('idempotency').set(changes).where('owner', '=', owner).where('request_key', '=', key).execute();
    },
    async forget(owner, key) {
      const db = await database();
      await db.deleteFrom('idempotency').where('owner', '=', owner).where('request_key', '=', key).execute();
    },
  };
}

/** Answers in the database, encrypted: they hold what clients were told. */
export function createIdempotencyStore(ports: IdempotencyPorts): IdempotencyStore {
  const rows = openRows(ports);
  /** What this process works on, by owner and key, with its fingerprint: as many as calls run. */
  const working = new Map<string, string>();
  const settled = (owner: string, key: string, write: Promise<void>): Promise<void> =>
    write.finally(() => working.delete(contextOf(owner, key)));
  return {
    async begin(owner, key, fingerprint) {
      const name = contextOf(owner, key);
      const known = working.get(name);
      if (known !== undefined) return known === fingerprint ? 'running' : 'different';
      working.set(name, fingerprint);
      let isOurs = false;
      try {
        const found = await rows.begin(owner, key, fingerprint);
        isOurs = found === 'new' || found === 'lost';
        return found;
      } finally {
        if (!isOurs) working.delete(name);
      }
    },
    finish: (owner, key, answer) => settled(owner, key, rows.finish(owner, key, answer)),
    forget: (owner, key) => settled(owner, key, rows.forget(owner, key)),
  };
}
