import { createSign } from 'node:crypto';
import { GatewayError, gatewayFault, parseObject } from '../ir/index.ts';
import type { Auth, Credential, SigningPorts } from './preset.ts';

/** What a caller is told when the gateway's own credential is of no use: never the vendor's words, which may hold parts of it. */
const refused = (what: string): GatewayError => new GatewayError(gatewayFault('upstream', what, { code: 'upstream_credential' }));

interface Token {
  readonly value: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Fetched anew this long before it ends: a token must outlive the request that carries it. */
const MARGIN_MS = 5 * 60_000;

/** A bearer token of which one is kept for each credential; calls that come while it is being fetched wait for the same one. A failure is not kept. */
function tokenAuth(fetchToken: (credential: Credential, ports: SigningPorts) => Promise<Token>): Auth {
  const kept = new WeakMap<Credential, Token>();
  const pending = new WeakMap<Credential, Promise<Token>>();
  const tokenOf = async (credential: Credential, ports: SigningPorts): Promise<string> => {
    const token = kept.get(credential);
    if (token && token.until - MARGIN_MS > ports.now()) return token.value;
    const fetching = pending.get(credential) ?? fetchToken(credential, ports).finally(() => pending.delete(credential));
    pending.set(credential, fetching);
    const fresh = await fetching;
    kept.set(credential, fresh);
    return fresh.value;
  };
  return {
    kind: 'signed',
    async sign(_request, credential, _settings, ports) {
      return { authorization: `Bearer ${await tokenOf(credential, ports)}` };
    },
  };
}

/** Asks a token endpoint. Throws when it gives none. https://www.rfc-editor.org/rfc/rfc6749#section-5.1 */
async function postForToken(url: string, form: Readonly<Record<string, string>>, who: string, ports: SigningPorts): Promise<Token> {
  const { status, body } = await ports.post(url, form);
  const answer = parseObject(body);
  const value = answer?.['access_token'];
  if (status !== 200 || typeof value !== 'string') throw refused(`${who} gave no access token (HTTP ${status}): check the credential`);
  const seconds = Number(answer?.['expires_in']);
  return { value, until: ports.now() + (Number.isFinite(seconds) ? seconds : 3600) * 1000 };
}

// Not the service account's own `token_uri`: a credential must not name the host that gets it.
const GOOGLE_TOKEN_URL = 'https://oauth2.googleapis.com/token';
const GOOGLE_SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A service account's signed claim to a token. https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests */
function googleAssertion(account: { readonly [key: string]: unknown }, nowMs: number): string {
  const { client_email: email, private_key: key, private_key_id: kid } = account;
  if (typeof email !== 'string' || typeof key !== 'string') {
    throw refused('The Google credential is not the JSON of a service account: client_email or private_key is missing');
  }
  const issued = Math.floor(nowMs / 1000);
  const claims = { iss: email, scope: GOOGLE_SCOPE, aud: GOOGLE_TOKEN_URL, iat: issued, exp: issued + 3600 };
  const signed = `${base64url({ alg: 'RS256', typ: 'JWT', ...(typeof kid === 'string' ? { kid } : {}) })}.${base64url(claims)}`;
  try {
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key, 'base64url')}`;
  } catch {
    throw refused('The private_key of the Google service account cannot be read');
  }
}

/** What the machine has: a user's log-in, a metadata server, a federated identity. The library is large and loaded only here. */
async function defaultGoogleToken(ports: SigningPorts): Promise<Token> {
  const { GoogleAuth } = await import('google-auth-library');
  try {
    const client = await new GoogleAuth({ scopes: [GOOGLE_SCOPE] }).getClient();
    const { token } = await client.getAccessToken();
    if (typeof token === 'string') return { value: token, until: client.credentials.expiry_date ?? ports.now() + 10 * 60_000 };
  } catch {
    // Said below, without the library's words.
  }
  throw refused('There are no Google application default credentials here: set the key to the JSON of a service account');
}

/** Google Cloud by OAuth 2.0: the key is the JSON of a service account; empty: application default credentials. */
export const googleToken: Auth = tokenAuth(async ({ key }, ports) => {
  if (key === '') return defaultGoogleToken(ports);
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: googleAssertion(parseObject(key) ?? {}, ports.now()),
  };
  return postForToken(GOOGLE_TOKEN_URL, form, 'Google', ports);
});

/** Azure by Microsoft Entra: the key is `{"tenantId","clientId","clientSecret"}`. https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow */
export const entraToken: Auth = tokenAuth(async ({ key }, ports) => {
  const { tenantId, clientId, clientSecret } = parseObject(key) ?? {};
  if (typeof tenantId !== 'string' || typeof clientId !== 'string' || typeof clientSecret !== 'string') {
    throw refused('The Azure credential is not a service principal: tenantId, clientId or clientSecret is missing');
  }
  const form = {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope: 'https://cognitiveservices.azure.com/.default',
  };
  return postForToken(
    `https://login.microsoftonline.com/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`,
    form,
    'Microsoft Entra',
    ports,
  );
});
