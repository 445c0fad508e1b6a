import { describe, expect, it } from 'vitest';
import { hideInBytes, hideSecrets, type Hidden } from './hide-secrets.ts';

const account = JSON.stringify({
  type: 'service_account',
  private_key_id: 'pkid-1234',
  private_key: 'BEGIN PRIVATE',
  client_email: 'a@b.c',
});

describe('what a provider says, without secrets', () => {
  it.each<{ name: string; hidden: Hidden | undefined; text: string; shown: string }>([
    { name: 'a key', hidden: { key: 'sk-abcdef' }, text: 'Bearer sk-abcdef is wrong', shown: 'Bearer [secret] is wrong' },
    {
      name: 'one of several keys',
      hidden: { keys: [{ value: 'sk-abcdef' }, { value: 'sk-ghijkl' }] },
      text: 'sk-ghijkl',
      shown: '[secret]',
    },
    { name: 'the half of a key', hidden: { key: 'AKIA1234:wJalrXU' }, text: 'no wJalrXU of AKIA1234', shown: 'no [secret] of [secret]' },
    { name: 'a service account', hidden: { key: account }, text: 'pkid-1234 has expired', shown: '[secret] has expired' },
    { name: 'a header', hidden: { headers: { 'X-Auth': 'Bearer hush-hush' } }, text: 'hush-hush', shown: '[secret]' },
    { name: 'a header that is no secret', hidden: { headers: { 'x-team': 'research' } }, text: 'research', shown: 'research' },
    { name: 'a setting', hidden: { settings: { secretAccessKey: 'hush-hush' } }, text: 'hush-hush', shown: '[secret]' },
    { name: 'a short word', hidden: { key: 'x' }, text: 'maximum exceeded', shown: 'maximum exceeded' },
    { name: 'an address', hidden: { baseUrl: 'http://10.0.0.9:80/v1' }, text: 'POST http://10.0.0.9/v1', shown: 'POST [address]/v1' },
    { name: 'a host', hidden: { baseUrl: 'http://gpu.local:8000' }, text: 'dial gpu.local:8000', shown: 'dial [address]' },
    { name: 'one of several addresses', hidden: { baseUrl: { gemini: 'http://g.lan' } }, text: 'see http://g.lan', shown: 'see [address]' },
    { name: 'a common word as host', hidden: { baseUrl: 'http://model' }, text: 'no such model', shown: 'no such model' },
    { name: 'nothing configured', hidden: undefined, text: 'as it is', shown: 'as it is' },
  ])('$name', ({ hidden, text, shown }) => {
    expect(hideSecrets(hidden, text)).toBe(shown);
  });

  it('leaves bytes that hold none as they are', () => {
    const bytes = Buffer.from([0x7b, 0xff, 0x7d]);
    expect(hideInBytes({ key: 'sk-abcdef' }, bytes)).toBe(bytes);
  });
});
