import { describe, expect, it } from 'vitest';
import { chooseCredential } from '../../../src/policy/credentials.ts';

const KEYS = [
  { id: 'a', weight: 2 },
  { id: 'b', weight: 1 },
  { id: 'c', weight: 1 },
  { id: 'spare', weight: 0 },
];
const none = (): boolean => false;

function shares(choose: (at: number) => string | undefined, count = 100_000): Record<string, number> {
  const found: Record<string, number> = {};
  for (let at = 0; at < count; at++) {
    const id = choose(at) ?? 'none';
    found[id] = (found[id] ?? 0) + 1 / count;
  }
  return found;
}

describe('a credential is chosen', () => {
  it.each([
    ['by weight', (at: number) => chooseCredential(KEYS, { random: at / 100_000, isOut: none })?.id],
    ['by conversation', (at: number) => chooseCredential(KEYS, { random: 0, session: `s${at}`, isOut: none })?.id],
  ])('%s within 2 % of its share', (_, choose) => {
    const found = shares(choose);
    expect(found['a']).toBeGreaterThan(0.48);
    expect(found['a']).toBeLessThan(0.52);
    expect(found['b']).toBeGreaterThan(0.23);
    expect(found['b']).toBeLessThan(0.27);
    expect(found['spare']).toBe(undefined);
  });
  it('for a conversation the same each time, and another only when it is out; the others stay', () => {
    for (let at = 0; at < 1000; at++) {
      const session = `s${at}`;
      const usual = chooseCredential(KEYS, { random: 0.3, session, isOut: none })?.id;
      expect(chooseCredential(KEYS, { random: 0.9, session, isOut: none })?.id).toBe(usual);
      const without = chooseCredential(KEYS, { random: 0, session, isOut: (id) => id === 'b' })?.id;
      expect(without).not.toBe('b');
      if (usual !== 'b') expect(without).toBe(usual);
    }
  });
  it('of those without weight only when no other is left', () => {
    expect(chooseCredential(KEYS, { random: 0.5, isOut: (id) => id !== 'spare' })?.id).toBe('spare');
    expect(chooseCredential(KEYS, { random: 0.5, isOut: () => true })).toBe(undefined);
  });
});
