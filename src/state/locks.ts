import type { Locks } from './ports.ts';

/** Locks of this process. */
export function createLocks(): Locks {
  const held = new Set<string>();
  return {
    lock(name) {
      if (held.has(name)) return Promise.resolve(undefined);
      held.add(name);
      return Promise.resolve(() => void held.delete(name));
    },
  };
}
