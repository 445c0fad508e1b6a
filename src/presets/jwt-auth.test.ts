import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { jwtSigned } from './jwt-auth.ts';

const REQUEST = { method: 'POST', origin: 'https://x', path: '/', headers: {}, body: [] };

async function tokenAt(key: { key: string }, now: number): Promise<string> {
  if (jwtSigned.kind !== 'signed') throw new Error('not signed');
  const ports = { now: () => now, post: () => Promise.reject(new Error('nothing is asked for')) };
  const { authorization = '' } = await jwtSigned.sign(REQUEST, key, {}, ports);
  return authorization;
}

it('is a token of the access key, signed with the secret, good for half an hour', async () => {
  const [scheme, token = ''] = (await tokenAt({ key: 'access:se:cret' }, 1_700_000_000_000)).split(' ');
  const [head = '', claims = '', signature] = token.split('.');
  expect(scheme).toBe('Bearer');
  expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toEqual({ alg: 'HS256', typ: 'JWT' });
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual({ iss: 'access', exp: 1_700_001_800, nbf: 1_699_999_995 });
  expect(signature).toBe(createHmac('sha256', 'se:cret').update(`${head}.${claims}`).digest('base64url'));
});

it('is made anew before it ends, and kept until then', async () => {
  const credential = { key: 'a:b' };
  const first = await tokenAt(credential, 1_700_000_000_000);
  expect(await tokenAt(credential, 1_700_000_600_000)).toBe(first);
  expect(await tokenAt(credential, 1_700_001_600_000)).not.toBe(first);
});
