import { describe, expect, it } from 'vitest';
import { createMasterKey } from './master-key.ts';

const SECRET = 'a-secret-of-enough-length-for-a-master-key';
const PLAIN = Buffer.from('牌楼 signature');

describe('a sealed value', () => {
  it('shows nothing of what is in it, and is never the same twice', () => {
    const sealer = createMasterKey(SECRET).sealer('seals');
    const [one, two] = [sealer.seal(PLAIN, 'row'), sealer.seal(PLAIN, 'row')];
    expect(one.includes('signature')).toBe(false);
    expect(one.equals(two)).toBe(false);
    expect(one).toHaveLength(PLAIN.length + 33);
  });

  it.each([
    { name: 'under another context', change: (sealed: Buffer) => sealed, context: 'another row' },
    { name: 'with a bit changed', change: (sealed: Buffer) => Buffer.from(sealed.map((byte, at) => (at === 20 ? byte ^ 1 : byte))) },
    {
      name: 'with its tag changed',
      change: (sealed: Buffer) => Buffer.from(sealed.map((byte, at) => (at === sealed.length - 1 ? byte ^ 1 : byte))),
    },
    { name: 'cut short', change: (sealed: Buffer) => sealed.subarray(0, -1) },
    { name: 'of nothing', change: () => Buffer.alloc(0) },
    { name: 'of another format', change: (sealed: Buffer) => Buffer.concat([Buffer.of(2), sealed.subarray(1)]) },
  ])('does not open $name', ({ change, context = 'row' }) => {
    const sealer = createMasterKey(SECRET).sealer('seals');
    expect(sealer.open(change(sealer.seal(PLAIN, 'row')), context)).toBeUndefined();
  });

  it('does not open for another purpose or with another key', () => {
    const key = createMasterKey(SECRET);
    const sealed = key.sealer('seals').seal(PLAIN, 'row');
    expect(key.sealer('states').open(sealed, 'row')).toBeUndefined();
    const other = createMasterKey(`${SECRET}!`);
    expect(other.sealer('seals').open(sealed, 'row')).toBeUndefined();
  });
});
