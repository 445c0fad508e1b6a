import { describe, expect, it } from 'vitest';
import { isOwnAddress } from '../../src/exchange/media/provider-request.ts';
import { presets } from '../../src/presets/index.ts';
import { compileProvider } from '../../src/presets/provider.ts';
import { codecFacts } from '../../src/protocols/index.ts';

/** Each wire besides chat of each preset, with the address that its key belongs to. */
const WIRES = [...presets.keys()].flatMap((preset) => {
  try {
    const base = preset.endsWith('-compatible') || preset === 'local' ? { baseUrl: 'https://own.example/v1' } : {};
    const { media } = compileProvider(preset, { preset, ...base, key: 'a-key:a-secret' }, codecFacts);
    return media.map((one) => ({ name: `${preset}: ${one.wire.codec}`, one }));
  } catch {
    // It wants more than a key (an account, a project): its address is made of that, as the others’ are.
    return [];
  }
});

describe('a provider’s key goes to its own origin only', () => {
  it('there are wires to look at', () => expect(WIRES.length).toBeGreaterThan(60));

  it.each(WIRES)('$name', ({ one }) => {
    const { origin } = one;
    expect(isOwnAddress(one, new URL('/x', origin))).toBe(true);
    const { hostname, protocol } = new URL(origin);
    const hosts = String(one.wire.options?.['hosts'] ?? '.own.example');
    const elsewhere = [
      'https://evil.example/x',
      'http://169.254.169.254/x',
      `https://${hostname}.evil.example/x`,
      // Names under the vendor's own domain are its own.
      ...(one.wire.options?.['hosts'] === undefined ? [`https://evil-${hostname}/x`] : []),
      `https://${hostname}@evil.example/x`,
      `${protocol}//${hostname}:8443/x`,
      `${protocol === 'https:' ? 'http:' : 'https:'}//${hostname}:81/x`,
      ...hosts
        .split(' ')
        .flatMap((suffix) => [
          `http://a${suffix}/x`,
          `https://a${suffix}:8443/x`,
          `https://a${suffix}.evil.example/x`,
          `https://evil.example/${suffix}`,
        ]),
      'https://a',
    ];
    for (const url of elsewhere.filter((text) => URL.canParse(text))) expect([url, isOwnAddress(one, new URL(url))]).toEqual([url, false]);
  });
});
