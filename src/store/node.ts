import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import type { Database } from './database.ts';

/** One process among those that share a database. */
export interface Node {
  readonly id: string;
  /** It takes something on: from now on others must see that it lives. */
  take(db: Database): Promise<void>;
  /** Says that it lives, where that matters: while it holds tasks, and as long as what it took on otherwise may last. */
  keepAlive(db: Database, isHolding: boolean): Promise<void>;
  /** Of these, those that are gone: their leases are over, or their processes. */
  gone(db: Database, ids: readonly string[]): Promise<readonly string[]>;
  leave(db: Database): Promise<void>;
}

/** How long a process counts as alive without a sign. */
const LEASE_MS = 20_000;
/** How long a call may take at most. */
const CALL_MS = 40 * 60_000;

/**
 * The machine since its last start, and the space in which its process ids mean something: two processes that agree on both can
 * see whether the other is there. `undefined`: cannot be told, and leases must run out.
 */
function placeOf(): string | undefined {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return undefined;
  }
}

/** It has ended, and nobody has asked how: in a container nobody may ever. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^\) [ZX]/.test(stat.slice(stat.lastIndexOf(')')));
  } catch {
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    // One of another user: it is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Nodes of this process: a test may have several. */
const ours = new Set<string>();

/** Joins as a node. */
export function createNode(now: () => number, leaseMs = LEASE_MS): Node {
  const id = randomBytes(9).toString('base64url');
  const place = placeOf();
  ours.add(id);
  const isGone = (node: {
    readonly id: string;
    readonly place: string | null;
    readonly pid: number;
    readonly alive_until: number;
  }): boolean => {
    if (node.alive_until <= now()) return true;
    if (place === undefined || node.place !== place || ours.has(node.id)) return false;
    return node.pid === process.pid || !isRunning(node.pid);
  };
  let tookAt = -Infinity;
  let renewedAt = -Infinity;
  const renew = async (db: Database): Promise<void> => {
    const row = { id, place: place ?? null, pid: process.pid, alive_until: now() + leaseMs };
    await db
      .insertInto('nodes')
      .values(row)
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ alive_until: row.alive_until }))
      .execute();
    renewedAt = now();
  };
  return {
    id,
    async take(db) {
      tookAt = now();
      if (now() - renewedAt >= leaseMs / 4) await renew(db);
    },
    async keepAlive(db, isHolding) {
      if (isHolding || now() - tookAt < CALL_MS) await renew(db);
    },
    async gone(db, ids) {
      if (ids.length === 0) return [];
      const rows = await db.selectFrom('nodes').selectAll().where('id', 'in', ids).execute();
      const known = new Map(rows.map((row) => [row.id, row]));
      return ids.filter((one) => {
        const row = known.get(one);
        return row === undefined || isGone(row);
      });
    },
    async leave(db) {
      ours.delete(id);
      await db.deleteFrom('nodes').where('id', '=', id).execute();
    },
  };
}
