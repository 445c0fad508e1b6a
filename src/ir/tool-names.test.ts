import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { targetToolId } from './tool-ids.ts';
import { targetToolName, toolsByTargetName } from './tool-names.ts';

const WORD = { max: 64, charset: 'word' } as const;

describe('ids for a target', () => {
  it.each([
    ['call_abc', WORD, 'call_abc'],
    ['functions.f:0', { max: 64, charset: 'any' } as const, 'functions.f:0'],
  ])('%s fits as it is', (id, rule, wanted) => expect(targetToolId(id, rule)).toBe(wanted));

  it('others are made: such as the target takes, the same for the same, another for another', () => {
    const rules = [WORD, { max: 9, exact: 9, charset: 'word' } as const, { max: 40, charset: 'word' } as const];
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), fc.constantFrom(...rules), (a, b, rule) => {
        const [first, second] = [targetToolId(a, rule), targetToolId(b, rule)];
        expect(first).toMatch(/^[a-zA-Z0-9_-]+$/);
        expect(first.length).toBeLessThanOrEqual(rule.max);
        if ('exact' in rule) expect(first).toHaveLength(rule.exact);
        expect(targetToolId(a, rule)).toBe(first);
        expect(first === second).toBe(a === b);
      }),
    );
  });
});

describe('names for a target', () => {
  const long = 'a'.repeat(80);
  it.each([
    [{ name: 'height' }, 'height'],
    [{ name: 'height', namespace: 'gates' }, 'gates__height'],
  ])('%j', (tool, wanted) => expect(targetToolName(tool, { max: 64 })).toBe(wanted));

  it('are cut and cleaned, never two to one', () => {
    const names = [long, `${long}b`, 'a b', 'a.b', 'höhe'].map((name) => targetToolName({ name }, { max: 64 }));
    for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(new Set(names).size).toBe(names.length);
  });

  it('lead back to their tools', () => {
    const tools = [
      { kind: 'function', name: 'height', namespace: 'gates' },
      { kind: 'custom', name: 'a b' },
    ] as const;
    const byName = toolsByTargetName(tools, { max: 64 });
    for (const tool of tools) expect(byName.get(targetToolName(tool, { max: 64 }))).toBe(tool);
  });
});
