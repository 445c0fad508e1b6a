import type { StateStore } from './ports.ts';

/** A store that is loaded with its first use. Writes keep their order, and reads come after them. */
export function lazyStateStore(load: () => Promise<StateStore>, onLost: (error: unknown) => void): StateStore {
  let isUsed = false;
  /** What was asked of it so far. */
  let last: Promise<StateStore> | undefined;
  let loaded: StateStore | undefined;

  const store = (): Promise<StateStore> => {
    isUsed = true;
    last ??= load().then((made) => (loaded = made));
    last.catch(() => (last = undefined));
    return last;
  };
  return {
    get: async (key) => (await store()).get(key),
    chain: async (key, most) => (await store()).chain(key, most),
    children: async (query, most) => (await store()).children(query, most),
    put(record) {
      if (loaded) loaded.put(record);
      else store().then((made) => made.put(record), onLost);
    },
    delete: async (key) => (await store()).delete(key),
    deleteChildren: async (query) => (await store()).deleteChildren(query),
    flush: async () => (isUsed ? (await store()).flush() : undefined),
    close: async () => (isUsed ? (await store()).close() : undefined),
  };
}
