import { expect, it } from 'vitest';
import { lazyStateStore } from './lazy-store.ts';
import { createMemoryStateStore } from './memory-store.ts';
import type { StateRecord } from './ports.ts';

const record = (text: string): StateRecord => ({ owner: 'ada', kind: 'response', id: 'a', position: 0, createdAt: 1, value: { text } });
const memory = () =>
  createMemoryStateStore(
    () => ({ storedDays: 30, storedBytes: 1e9 }),
    () => 1e12,
  );

it('what is put before the store is loaded is read after it, in order', async () => {
  const store = lazyStateStore(
    () => Promise.resolve(memory()),
    () => expect.unreachable(),
  );
  store.put(record('one'));
  store.put(record('two'));
  expect(await store.get(record(''))).toMatchObject({ value: { text: 'two' } });
  store.put(record('three'));
  expect(await store.get(record(''))).toMatchObject({ value: { text: 'three' } });
});

it('a store that was never used is not loaded to be closed', async () => {
  const store = lazyStateStore(
    () => expect.unreachable(),
    () => expect.unreachable(),
  );
  await store.flush();
  await store.close();
});

it('a store that could not be loaded is tried again, and what is lost is told', async () => {
  const lost: unknown[] = [];
  let attempts = 0;
  const load = () => (attempts++ === 0 ? Promise.reject(new Error('locked')) : Promise.resolve(memory()));
  const store = lazyStateStore(load, (error) => lost.push(error));
  store.put(record('lost'));
  await expect(store.get(record(''))).rejects.toThrow('locked');
  expect(lost).toHaveLength(1);
  store.put(record('kept'));
  expect(await store.get(record(''))).toMatchObject({ value: { text: 'kept' } });
});
