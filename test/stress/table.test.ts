import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatPage } from '../../scripts/format-page.ts';
import { PROMISES, type PromiseId, sectionOf, SECTIONS } from './promises.ts';
import { type Kept, merged, tables, told, withTables } from './table.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const kept = JSON.parse(readFileSync(join(import.meta.dirname, 'measured.json'), 'utf8')) as Kept;
const NONE: Kept = { at: '2026-01-01', rows: [] };

describe('the pages', () => {
  it.each([
    ['docs/reliability.md', 'en'],
    ['docs/reliability.zh-CN.md', 'zh'],
  ] as const)('hold what was measured last: %s', (page, language) => {
    const text = readFileSync(join(ROOT, page), 'utf8');
    expect(formatPage(page, withTables(text, kept, language))).toBe(text);
  });

  it('without the marks are not written over', () => {
    expect(() => withTables('# A page', kept, 'en')).toThrow('no marks');
  });
});

describe('the list of promises', () => {
  it.each(Object.keys(PROMISES) as PromiseId[])('%s has a section, and stands in the table before anything measures it', (id) => {
    expect(SECTIONS[sectionOf(id)]).toBeDefined();
    expect(tables(NONE, 'en')).toContain(`| ${PROMISES[id].words[0]} |`);
    expect(tables(NONE, 'zh')).toContain(`| ${PROMISES[id].words[1]} |`);
  });

  it('says of all that nothing was measured, where nothing was', () => {
    expect(tables(NONE, 'en').match(/not measured/g)).toHaveLength(Object.keys(PROMISES).length);
  });
});

const row = (about: string, value: number, isKept = true) => ({ promise: 'time.left-middle', about, value, many: 10, isKept }) as const;

describe('what was measured', () => {
  it('is summed, and told by the worst', () => {
    const text = tables({ at: '2026-01-01', rows: [row('embeddings', 3), row('rerank', 40)] }, 'en');
    expect(text).toContain('| 250 ms | 40 ms (rerank) | 20 clients | kept |');
    expect(text).toContain('| embeddings | 3.00 ms |');
  });

  it('that is broken once is broken, whatever the others are', () => {
    const text = tables({ at: '2026-01-01', rows: [row('embeddings', 3, false), row('rerank', 40)] }, 'en');
    expect(text).toContain('| 3.00 ms (embeddings) | 20 clients | **broken** |');
    expect(text).toContain('| embeddings | **3.00 ms** |');
  });

  it('for some cases of a promise that has no column is no line of the grid', () => {
    const burst = { promise: 'overload.burst', about: 'short', value: 0, many: 10, isKept: true } as const;
    const text = tables({ at: '2026-01-01', rows: [row('embeddings', 3), burst] }, 'en');
    expect(text).toContain('| embeddings | 3.00 ms |');
    expect(text).not.toContain('| short |');
  });

  it('anew takes the place of what was found for the same promise, and of nothing else', () => {
    const other = { promise: 'life.broken', value: 0, many: 1000, isKept: true } as const;
    const now = merged({ at: '2026-01-01', rows: [other, row('rerank', 1), row('speech', 2)] }, [row('rerank', 9)], '2026-02-02');
    expect(now).toEqual({ at: '2026-02-02', rows: [row('rerank', 9), other] });
  });

  it('is told in one line while it runs', () => {
    expect(told({ ...row('rerank', 4), detail: 'a | b' })).toBe(
      String.raw`| The same in the middle [rerank] | 250 ms | 4.00 ms (a \| b) | 10 clients | kept |`,
    );
  });
});
