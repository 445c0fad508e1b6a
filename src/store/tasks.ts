import type { Insertable, Selectable, Updateable } from 'kysely';
import { parseObject } from '../ir/index.ts';
import type { Task, TaskKind, TaskMedia, TaskPage, TaskPhase, TaskStatus, TaskStore, TaskValue } from '../tasks/ports.ts';
import type { Database } from './database.ts';
import type { Sealer } from './master-key.ts';
import type { Node } from './node.ts';
import type { Schema } from './schema.ts';

/** What keeping tasks stands on. */
interface TaskStorePorts {
  readonly database: () => Promise<Database>;
  readonly sealer: Sealer;
  readonly node: Node;
}

type Row = Selectable<Schema['jobs']>;
type Changes = Parameters<TaskStore['update']>[1];

const contextOf = (id: string): string => `task ${id}`;

const sealed = (id: string, value: TaskValue, sealer: Sealer): Buffer => sealer.seal(Buffer.from(JSON.stringify(value)), contextOf(id));

const UNREADABLE: TaskValue = {
  about: {},
  media: [],
  error: { code: 'unreadable', message: 'What was kept of this task was sealed with another master key' },
};

function taskOf(row: Row, sealer: Sealer): Task {
  const plain = sealer.open(row.value, contextOf(row.id));
  const value = plain && parseObject(plain.toString('utf8'));
  return {
    id: row.id,
    owner: row.owner,
    kind: row.kind as TaskKind,
    status: row.status as TaskStatus,
    phase: row.phase as TaskPhase,
    progress: row.progress,
    provider: row.provider,
    model: row.model,
    createdAt: row.created_at,
    deadlineAt: row.deadline_at,
    value: value ? (value as unknown as TaskValue) : UNREADABLE,
    ...(row.remote_id === null ? {} : { remoteId: row.remote_id }),
    ...(row.request_key === null ? {} : { requestKey: row.request_key }),
    ...(row.completed_at === null ? {} : { completedAt: row.completed_at }),
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at }),
  };
}

function rowOf(task: Task, node: string | null, sealer: Sealer): Insertable<Schema['jobs']> {
  return {
    id: task.id,
    owner: task.owner,
    kind: task.kind,
    status: task.status,
    phase: task.phase,
    progress: task.progress,
    provider: task.provider,
    model: task.model,
    remote_id: task.remoteId ?? null,
    request_key: task.requestKey ?? null,
    created_at: task.createdAt,
    completed_at: task.completedAt ?? null,
    expires_at: task.expiresAt ?? null,
    deadline_at: task.deadlineAt,
    node,
    value: sealed(task.id, task.value, sealer),
  };
}

/** The columns of changes. What is over is held by nobody. */
function columnsOf(id: string, changes: Changes, sealer: Sealer): Updateable<Schema['jobs']> {
  const { status, phase, progress, remoteId, completedAt, expiresAt, value } = changes;
  return {
    ...(status === undefined ? {} : { status }),
    ...(phase === undefined ? {} : { phase }),
    ...(phase === 'over' ? { node: null } : {}),
    ...(progress === undefined ? {} : { progress: Math.floor(progress) }),
    ...(remoteId === undefined ? {} : { remote_id: remoteId }),
    ...(completedAt === undefined ? {} : { completed_at: completedAt }),
    ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
    ...(value === undefined ? {} : { value: sealed(id, value, sealer) }),
  };
}

async function page(db: Database, { owner, kind, after, limit, order, provider }: TaskPage): Promise<readonly Row[]> {
  const way = order === 'asc' ? '>' : '<';
  let query = db.selectFrom('jobs').selectAll().where('owner', '=', owner).where('kind', '=', kind);
  if (provider !== undefined) query = query.where('provider', '=', provider);
  if (after !== undefined) {
    const start = await db.selectFrom('jobs').select('created_at').where('id', '=', after).where('owner', '=', owner).executeTakeFirst();
    if (!start) return [];
    query = query.where(({ eb, or, and }) =>
      or([eb('created_at', way, start.created_at), and([eb('created_at', '=', start.created_at), eb('id', way, after)])]),
    );
  }
  return query.orderBy('created_at', order).orderBy('id', order).limit(limit).execute();
}

/** Nodes that hold tasks and are gone. */
async function goneHolders(db: Database, node: Node): Promise<readonly string[]> {
  const holders = await db
    .selectFrom('jobs')
    .select('node')
    .distinct()
    .where('node', 'is not', null)
    .where('node', '!=', node.id)
    .execute();
  return node.gone(
    db,
    holders.flatMap((row) => row.node ?? []),
  );
}

/** What they have left, now ours. */
async function takeOver(db: Database, node: Node, gone: readonly string[], limit: number): Promise<readonly Row[]> {
  const left = await db.selectFrom('jobs').selectAll().where('node', 'in', gone).orderBy('created_at').limit(limit).execute();
  if (left.length === 0) return left;
  await node.take(db);
  await db
    .updateTable('jobs')
    .set({ node: node.id })
    .where(
      'id',
      'in',
      left.map(({ id }) => id),
    )
    .execute();
  return left;
}

/** Writes changes of one task where `holder` holds it, or, without one, anyone does; `false` where that is not so. */
async function writeHeld(db: Database, id: string, columns: Updateable<Schema['jobs']>, holder?: string): Promise<boolean> {
  const one = db.updateTable('jobs').set(columns).where('id', '=', id);
  const held = holder === undefined ? one.where('node', 'is not', null) : one.where('node', '=', holder);
  const { numUpdatedRows } = await held.executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Of jobs at a provider, those that can be the one of a submission that was cut: none where several may claim them. */
async function unclaimed(
  db: Database,
  sealer: Sealer,
  { id, provider, model, value }: Task,
  remoteIds: readonly string[],
): Promise<readonly string[]> {
  const intents = await db
    .selectFrom('jobs')
    .selectAll()
    .where('phase', '=', 'intent')
    .where('provider', '=', provider)
    .where('model', '=', model)
    .where('id', '!=', id)
    .execute();
  if (intents.some((row) => taskOf(row, sealer).value.about['prompt'] === value.about['prompt'])) return [];
  const known = await db
    .selectFrom('jobs')
    .select('remote_id')
    .where('provider', '=', provider)
    .where('remote_id', 'in', remoteIds)
    .execute();
  const taken = new Set(known.map((row) => row.remote_id));
  return remoteIds.filter((one) => !taken.has(one));
}

/** Takes away rows that are old and held by nobody; returns them. */
async function takeOld(db: Database, olderThan: number, limit: number): Promise<readonly Row[]> {
  const old = await db.selectFrom('jobs').selectAll().where('created_at', '<', olderThan).where('node', 'is', null).limit(limit).execute();
  if (old.length === 0) return old;
  const ids = old.map(({ id }) => id);
  await db.deleteFrom('jobs').where('id', 'in', ids).execute();
  return old;
}

/** What nodes that are gone have left, at most `limit` of it. */
async function claim(db: Database, node: Node, limit: number): Promise<readonly Row[]> {
  // Looked for without the lock that writing takes: mostly there is nothing.
  if ((await goneHolders(db, node)).length === 0) return [];
  return db.transaction().execute(async (within) => {
    const gone = await goneHolders(within, node);
    return gone.length === 0 ? [] : takeOver(within, node, gone, limit);
  });
}

/** Tasks in the database; what only whole readers need is encrypted. */
export function createTaskStore({ database, sealer, node }: TaskStorePorts): TaskStore {
  const read = (row: Row): Task => taskOf(row, sealer);
  const readIf = (row: Row | undefined): Task | undefined => row && read(row);
  return {
    async insert(task) {
      const db = await database();
      await node.take(db);
      const row = rowOf(task, task.phase === 'over' ? null : node.id, sealer);
      await db.insertInto('jobs').values(row).execute();
    },
    async update(id, changes) {
      return writeHeld(await database(), id, columnsOf(id, changes, sealer), node.id);
    },
    async seize(id, changes) {
      const db = await database();
      await node.take(db);
      return writeHeld(db, id, { node: node.id, ...columnsOf(id, changes, sealer) });
    },
    async get(id) {
      const db = await database();
      return readIf(await db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst());
    },
    async byRequestKey(owner, requestKey) {
      const db = await database();
      const found = db.selectFrom('jobs').selectAll().where('owner', '=', owner).where('request_key', '=', requestKey);
      return readIf(await found.orderBy('created_at', 'desc').executeTakeFirst());
    },
    async list(wanted) {
      return (await page(await database(), wanted)).map(read);
    },
    async delete(id) {
      const db = await database();
      await db.deleteFrom('jobs').where('id', '=', id).execute();
    },
    async unclaimed(task, remoteIds) {
      return unclaimed(await database(), sealer, task, remoteIds);
    },
    async claim(limit, isHolding) {
      const db = await database();
      await node.keepAlive(db, isHolding);
      return (await claim(db, node, limit)).map(read);
    },
    async leave() {
      await node.leave(await database());
    },
    async sweep(olderThan, limit) {
      const old = await takeOld(await database(), olderThan, limit);
      return old.map((row): { id: string; media: readonly TaskMedia[] } => ({ id: row.id, media: read(row).value.media }));
    },
  };
}
