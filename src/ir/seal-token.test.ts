import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSealToken, readSeal, readSealToken, SEAL_MARK, sealToken, writeSeal } from './seal-token.ts';

describe('sealed state on its way through another dialect', () => {
  it('comes back as it was, by a token that is found in raw bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.option(fc.string(), { nil: undefined }), (value, maker) => {
        const seal = { by: 'gemini', value, ...(maker === undefined ? {} : { maker }) } as const;
        const token = sealToken(seal);
        expect(token.startsWith(SEAL_MARK)).toBe(true);
        expect(token).toMatch(/^[A-Za-z0-9+/]+=*$/);
        expect(readSealToken(token)).toEqual(seal);
      }),
    );
  });

  it.each(['', 'c2VhbA==', SEAL_MARK, `${SEAL_MARK}eyJ9`, `${SEAL_MARK}W10=`, sealToken({ by: 'gemini', value: 'x' }).slice(0, 24)])(
    '%j is no token that can be read',
    (value) => expect(readSealToken(value)).toBeUndefined(),
  );

  it("a dialect's own value is written as it is, another's as a token", () => {
    const own = { by: 'gemini', value: 'c2ln' } as const;
    expect(writeSeal(own, 'gemini')).toBe('c2ln');
    expect(isSealToken(writeSeal(own, 'anthropic-messages'))).toBe(true);
    expect(readSeal(writeSeal(own, 'anthropic-messages'), 'anthropic-messages')).toEqual(own);
    expect(readSeal('c2ln', 'gemini')).toEqual(own);
  });
});
