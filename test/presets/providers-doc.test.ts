import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { PROVIDERS_DOC, providersDoc } from '../../scripts/providers-doc.ts';

it('docs/providers.md is what `node scripts/providers-doc.ts` writes', () => {
  expect(readFileSync(PROVIDERS_DOC, 'utf8')).toBe(providersDoc());
});
