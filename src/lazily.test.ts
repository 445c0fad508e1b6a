import { describe, expect, it } from 'vitest';
import { lazily } from './lazily.ts';

describe('something made with its first use', () => {
  it('is made once, also for those who ask at the same time', async () => {
    let made = 0;
    const get = lazily(() => Promise.resolve((made += 1)));
    expect(made).toBe(0);
    expect(await Promise.all([get(), get()])).toEqual([1, 1]);
    expect(await get()).toBe(1);
  });

  it('is tried again a while after it failed, not with each use', async () => {
    let tries = 0;
    const get = lazily(() => ((tries += 1) === 1 ? Promise.reject(new Error('not yet')) : Promise.resolve(tries)), 30);
    await expect(get()).rejects.toThrow('not yet');
    await expect(get()).rejects.toThrow('not yet');
    expect(tries).toBe(1);
    await expect.poll(() => get().catch(() => 0)).toBe(2);
  });

  it.each([
    { name: 'that was never used', use: () => undefined, ended: [] },
    { name: 'that was made', use: (get: () => Promise<number>) => get(), ended: [7] },
    { name: 'that is being made', use: (get: () => Promise<number>) => void get(), ended: [7] },
  ])('$name is ended accordingly', async ({ use, ended }) => {
    const seen: number[] = [];
    const get = lazily(() => new Promise<number>((resolve) => setImmediate(resolve, 7)));
    await use(get);
    await get.ifMade((made) => seen.push(made));
    expect(seen).toEqual(ended);
  });

  it('that failed has no end', async () => {
    const get = lazily<number>(() => Promise.reject(new Error('broken')));
    await expect(get()).rejects.toThrow('broken');
    await get.ifMade(() => expect.unreachable());
  });
});
