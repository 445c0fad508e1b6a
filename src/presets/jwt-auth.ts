import { createHmac } from 'node:crypto';
import type { Auth, Credential } from './preset.ts';

/** How long a token is good, and how long before its end a new one is made. */
const LIFE_S = 1800;
const MARGIN_S = 300;

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function tokenOf(key: string, seconds: number): string {
  const [issuer = '', ...secret] = key.split(':');
  const signed = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url({ iss: issuer, exp: seconds + LIFE_S, nbf: seconds - 5 })}`;
  return `${signed}.${createHmac('sha256', secret.join(':')).update(signed).digest('base64url')}`;
}

interface Token {
  readonly value: string;
  /** Seconds since 1970. */
  readonly until: number;
}

const kept = new WeakMap<Credential, Token>();

/** `accessKey:secretKey`, as a token that is made and signed here. https://www.rfc-editor.org/rfc/rfc7519 */
export const jwtSigned: Auth = {
  kind: 'signed',
  async sign(_request, credential, _settings, ports) {
    const seconds = Math.floor(ports.now() / 1000);
    const known = kept.get(credential);
    if (known && known.until - MARGIN_S > seconds) return { authorization: `Bearer ${known.value}` };
    const token: Token = { value: tokenOf(credential.key, seconds), until: seconds + LIFE_S };
    kept.set(credential, token);
    return { authorization: `Bearer ${token.value}` };
  },
};
