import type { ChainLimits, ChildrenQuery, StateKey, StateRecord, StateStore } from './ports.ts';

/** How much is kept, and for how long. */
interface StateLimits {
  readonly storedDays: number;
  readonly storedBytes: number;
}

const DAY_MS = 86_400_000;

interface Kept {
  readonly record: StateRecord;
  readonly bytes: number;
  usedAt: number;
}

/** What the pieces below share. */
interface Keeping {
  /** In order of use: the oldest first. */
  readonly kept: Map<string, Kept>;
  /** How much all of it is. */
  bytes: number;
  readonly limits: () => StateLimits;
  readonly now: () => number;
}

const nameOf = ({ owner, kind, id }: StateKey): string => `${owner} ${kind} ${id}`;

/** What was used before that is too old. */
const oldest = ({ now, limits }: Keeping): number => now() - limits().storedDays * DAY_MS;

function drop(keeping: Keeping, name: string): boolean {
  const found = keeping.kept.get(name);
  if (!found) return false;
  keeping.bytes -= found.bytes;
  return keeping.kept.delete(name);
}

/** A record, which is used now. */
function touch(keeping: Keeping, name: string): StateRecord | undefined {
  const { kept, now } = keeping;
  const found = kept.get(name);
  if (!found || found.usedAt < oldest(keeping)) return undefined;
  found.usedAt = now();
  kept.delete(name);
  kept.set(name, found);
  return found.record;
}

/** Drops what is too old, or too much. */
function sweep(keeping: Keeping): void {
  const before = oldest(keeping);
  for (const [name, one] of keeping.kept) {
    if (one.usedAt >= before && keeping.bytes <= keeping.limits().storedBytes) return;
    drop(keeping, name);
  }
}

const sizeOf = ({ kept }: Keeping, record: StateRecord): number => kept.get(nameOf(record))?.bytes ?? 0;

/** A record and its parents, the first of them first. */
function chainOf(keeping: Keeping, key: StateKey, most: ChainLimits): Awaited<ReturnType<StateStore['chain']>> {
  const found: StateRecord[] = [];
  let size = 0;
  for (let id: string | undefined = key.id; id !== undefined;) {
    const record = touch(keeping, nameOf({ ...key, id }));
    if (!record) return { missing: id };
    size += sizeOf(keeping, record);
    if (found.length === most.records || size > most.bytes) return 'too-long';
    found.unshift(record);
    id = record.parent;
  }
  return found;
}

const childrenOf = ({ kept }: Keeping, { owner, kind, parent }: ChildrenQuery): StateRecord[] =>
  [...kept.values()]
    .map((one) => one.record)
    .filter((record) => record.owner === owner && record.kind === kind && record.parent === parent)
    .toSorted((a, b) => a.position - b.position);

/** State in this process only, what was used longest ago dropped first. */
export function createMemoryStateStore(limits: () => StateLimits, now: () => number): StateStore {
  const keeping: Keeping = { kept: new Map(), bytes: 0, limits, now };
  return {
    get: (key) => Promise.resolve(touch(keeping, nameOf(key))),
    chain: (key, most) => Promise.resolve(chainOf(keeping, key, most)),
    children(query, most) {
      const found = childrenOf(keeping, query);
      const size = found.reduce((sum, record) => sum + sizeOf(keeping, record), 0);
      return Promise.resolve(found.length > most.records || size > most.bytes ? 'too-long' : found);
    },
    put(record) {
      const name = nameOf(record);
      drop(keeping, name);
      const bytes = Buffer.byteLength(JSON.stringify(record));
      keeping.kept.set(name, { record, bytes, usedAt: now() });
      keeping.bytes += bytes;
      sweep(keeping);
    },
    delete: (key) => Promise.resolve(drop(keeping, nameOf(key))),
    deleteChildren(query) {
      for (const record of childrenOf(keeping, query)) drop(keeping, nameOf(record));
      return Promise.resolve();
    },
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
