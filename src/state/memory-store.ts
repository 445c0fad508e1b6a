import type { StateKey, StateRecord, StateStore } from './ports.ts';

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

const nameOf = ({ owner, kind, id }: StateKey): string => `${owner} ${kind} ${id}`;

/** State in this process only, what was used longest ago dropped first. */
export function createMemoryStateStore(limits: () => StateLimits, now: () => number): StateStore {
  // In order of use: the oldest first.
  const kept = new Map<string, Kept>();
  let bytes = 0;

  const drop = (name: string): boolean => {
    const found = kept.get(name);
    if (!found) return false;
    bytes -= found.bytes;
    return kept.delete(name);
  };
  const touch = (name: string): StateRecord | undefined => {
    const found = kept.get(name);
    if (!found || found.usedAt < now() - limits().storedDays * DAY_MS) return undefined;
    found.usedAt = now();
    kept.delete(name);
    kept.set(name, found);
    return found.record;
  };
  const sweep = (): void => {
    const before = now() - limits().storedDays * DAY_MS;
    for (const [name, one] of kept) {
      if (one.usedAt >= before && bytes <= limits().storedBytes) return;
      drop(name);
    }
  };
  const children = ({ owner, kind, parent }: { owner: string; kind: string; parent: string }): StateRecord[] =>
    [...kept.values()]
      .map((one) => one.record)
      .filter((record) => record.owner === owner && record.kind === kind && record.parent === parent)
      .toSorted((a, b) => a.position - b.position);

  return {
    get: (key) => Promise.resolve(touch(nameOf(key))),
    chain(key, most) {
      const found: StateRecord[] = [];
      let size = 0;
      for (let id: string | undefined = key.id; id !== undefined;) {
        const record = touch(nameOf({ ...key, id }));
        if (!record) return Promise.resolve({ missing: id });
        size += kept.get(nameOf(record))?.bytes ?? 0;
        if (found.length === most.records || size > most.bytes) return Promise.resolve('too-long' as const);
        found.unshift(record);
        id = record.parent;
      }
      return Promise.resolve(found);
    },
    children(query, most) {
      const found = children(query);
      const size = found.reduce((sum, record) => sum + (kept.get(nameOf(record))?.bytes ?? 0), 0);
      return Promise.resolve(found.length > most.records || size > most.bytes ? 'too-long' : found);
    },
    put(record) {
      const name = nameOf(record);
      drop(name);
      const size = Buffer.byteLength(JSON.stringify(record));
      kept.set(name, { record, bytes: size, usedAt: now() });
      bytes += size;
      sweep();
    },
    delete: (key) => Promise.resolve(drop(nameOf(key))),
    deleteChildren(query) {
      for (const record of children(query)) drop(nameOf(record));
      return Promise.resolve();
    },
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
