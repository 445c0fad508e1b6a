import { createHash, createHmac, createVerify, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseObject } from '../ir/index.ts';
import { azure, bearer, bedrock, google, header } from './auth.ts';
import type { Auth, SignableRequest, SigningPorts } from './preset.ts';

type Form = Readonly<Record<string, string>>;

const NOW = Date.UTC(2026, 10, 22, 12, 0, 0);

/** A token endpoint that counts its calls. */
function createWorld(
  answer: (call: number) => { status: number; body: string } = () => ({ status: 200, body: '{"access_token":"t1","expires_in":3600}' }),
) {
  const posts: { url: string; form: Form }[] = [];
  let now = NOW;
  const ports: SigningPorts = {
    now: () => now,
    post: (url, form) => {
      posts.push({ url, form });
      return Promise.resolve(answer(posts.length));
    },
  };
  return { ports, posts, pass: (ms: number) => (now += ms) };
}

const REQUEST: SignableRequest = {
  method: 'POST',
  origin: 'https://bedrock-runtime.us-east-1.amazonaws.com',
  path: '/model/us.anthropic.claude-sonnet-5-v1%3A0/converse',
  headers: { 'content-type': 'application/json' },
  body: [Buffer.from('{"messages":'), Buffer.from('[]}')],
};

function chosen(auth: Auth, key: string): Exclude<Auth, { kind: 'by-key' }> {
  return auth.kind === 'by-key' ? chosen(auth.pick(key), key) : auth;
}

const fixed = (auth: Auth, key: string): Form => {
  const choice = chosen(auth, key);
  return choice.kind === 'fixed' ? choice.headers(key) : {};
};

function signer(auth: Auth, key: string) {
  const choice = chosen(auth, key);
  if (choice.kind !== 'signed') throw new Error(`not signed but ${choice.kind}`);
  const credential = { key };
  return (ports: SigningPorts, settings: Form = { region: 'us-east-1' }, request = REQUEST) =>
    choice.sign(request, credential, settings, ports);
}

describe('keys in headers', () => {
  it.each([
    { name: 'a bearer', auth: bearer, key: 'k', headers: { authorization: 'Bearer k' } },
    { name: 'a header of its own', auth: header('x-api-key'), key: 'k', headers: { 'x-api-key': 'k' } },
    { name: 'a Bedrock API key', auth: bedrock, key: 'ABSKQmVk', headers: { authorization: 'Bearer ABSKQmVk' } },
    { name: 'an Azure API key', auth: azure('api-key'), key: 'k', headers: { 'api-key': 'k' } },
    { name: 'a Google Cloud API key', auth: google, key: 'AQ.k', headers: { 'x-goog-api-key': 'AQ.k' } },
  ])('$name', ({ auth, key, headers }) => expect(fixed(auth, key)).toEqual(headers));
});

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/** What AWS does with a request, by its own description: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function expectedSignature(request: SignableRequest, headers: Form, secret: string, region: string): string {
  const signedHeaders = /SignedHeaders=([^,]+)/.exec(headers['authorization'] ?? '')?.[1] ?? '';
  const all: Form = { ...request.headers, ...headers, host: new URL(request.origin).host };
  const [path = '', query = ''] = request.path.split('?');
  const canonical = [
    request.method,
    path.split('/').map(encodeURIComponent).join('/'),
    query,
    ...signedHeaders.split(';').map((name) => `${name}:${(all[name] ?? '').trim()}`),
    '',
    signedHeaders,
    sha256(Buffer.concat(request.body)),
  ].join('\n');
  const date = headers['x-amz-date'] ?? '';
  const scope = `${date.slice(0, 8)}/${region}/bedrock/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = [date.slice(0, 8), region, 'bedrock', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, toSign).toString('hex');
}

describe('AWS Signature Version 4', () => {
  it.each([
    { name: 'a key pair', key: 'AKIDEXAMPLE:wJalr/XUtnFEMI+K7MDENG', region: 'us-east-1', token: undefined, path: REQUEST.path },
    { name: 'a session token', key: 'ASIA1:se/cret:tok+en/==', region: 'eu-west-1', token: 'tok+en/==', path: REQUEST.path },
    { name: 'a query', key: 'AKID:secret', region: 'us-east-1', token: undefined, path: '/models?a=1&b=2' },
  ])('signs by $name, so that AWS comes to the same', async ({ key, region, token, path }) => {
    const request = { ...REQUEST, path };
    const headers = await signer(bedrock, key)(createWorld().ports, { region }, request);
    const [id = '', secret = ''] = key.split(':');
    expect(headers['x-amz-date']).toBe('20261122T120000Z');
    expect(headers['x-amz-content-sha256']).toBe(sha256('{"messages":[]}'));
    expect(headers['x-amz-security-token']).toBe(token);
    expect(headers['authorization']).toContain(`Credential=${id}/20261122/${region}/bedrock/aws4_request`);
    expect(headers['authorization']).toContain(`Signature=${expectedSignature(request, headers, secret, region)}`);
    expect(headers['authorization']).toMatch(/SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date(;x-amz-security-token)?,/);
    expect(Object.keys(headers)).not.toContain('host');
  });

  it('says what is wrong with a credential that is no pair', async () => {
    await expect(signer(bedrock, 'AKID:')(createWorld().ports)).rejects.toThrow('accessKeyId:secretAccessKey');
  });
});

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ACCOUNT = JSON.stringify({
  type: 'service_account',
  client_email: 'pailou@example.iam.gserviceaccount.com',
  private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  private_key_id: 'k1',
  token_uri: 'https://elsewhere.example/token',
});
const PRINCIPAL = '{"tenantId":"ten/ant","clientId":"c","clientSecret":"s"}';

describe('Google service account', () => {
  it('asks for a token with a claim that it signed, at Google only', async () => {
    const world = createWorld();
    expect(await signer(google, ACCOUNT)(world.ports)).toEqual({ authorization: 'Bearer t1' });
    const [post] = world.posts;
    expect(post?.url).toBe('https://oauth2.googleapis.com/token');
    expect(post?.form['grant_type']).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const [head = '', claims = '', signature = ''] = (post?.form['assertion'] ?? '').split('.');
    expect(createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(publicKey, signature, 'base64url')).toBe(true);
    const read = (part: string) => parseObject(Buffer.from(part, 'base64url').toString());
    expect(read(head)).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'k1' });
    expect(read(claims)).toEqual({
      iss: 'pailou@example.iam.gserviceaccount.com',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      aud: 'https://oauth2.googleapis.com/token',
      iat: NOW / 1000,
      exp: NOW / 1000 + 3600,
    });
  });

  it.each([
    { name: 'without a key', key: '{"client_email":"a@b"}', message: 'client_email or private_key is missing' },
    { name: 'with a key that is none', key: '{"client_email":"a@b","private_key":"x"}', message: 'cannot be read' },
  ])('says what is wrong with an account $name', async ({ key, message }) => {
    await expect(signer(google, key)(createWorld().ports)).rejects.toThrow(message);
  });
});

describe('Azure service principal', () => {
  it('asks Entra for a token', async () => {
    const world = createWorld();
    expect(await signer(azure('api-key'), PRINCIPAL)(world.ports)).toEqual({ authorization: 'Bearer t1' });
    expect(world.posts).toEqual([
      {
        url: 'https://login.microsoftonline.com/ten%2Fant/oauth2/v2.0/token',
        form: {
          grant_type: 'client_credentials',
          client_id: 'c',
          client_secret: 's',
          scope: 'https://cognitiveservices.azure.com/.default',
        },
      },
    ]);
  });

  it('says what is wrong with a principal that lacks something', async () => {
    await expect(signer(azure('api-key'), '{"tenantId":"t"}')(createWorld().ports)).rejects.toThrow('clientId or clientSecret is missing');
  });
});

describe('tokens', () => {
  it('are kept until shortly before their end', async () => {
    const world = createWorld((call) => ({ status: 200, body: `{"access_token":"t${call}","expires_in":3600}` }));
    const sign = signer(azure('api-key'), PRINCIPAL);
    expect(await sign(world.ports)).toEqual({ authorization: 'Bearer t1' });
    world.pass(54 * 60_000);
    expect(await sign(world.ports)).toEqual({ authorization: 'Bearer t1' });
    world.pass(60_001);
    expect(await sign(world.ports)).toEqual({ authorization: 'Bearer t2' });
    expect(world.posts).toHaveLength(2);
  });

  it('are fetched once for calls that come together', async () => {
    const world = createWorld();
    const sign = signer(azure('api-key'), PRINCIPAL);
    await Promise.all([sign(world.ports), sign(world.ports), sign(world.ports)]);
    expect(world.posts).toHaveLength(1);
  });

  it('that were refused are asked for again, and nothing of the answer is told', async () => {
    const world = createWorld((call) =>
      call === 1 ? { status: 401, body: '{"error_description":"secret s is wrong"}' } : { status: 200, body: '{"access_token":"t"}' },
    );
    const sign = signer(azure('api-key'), PRINCIPAL);
    const refusal = await sign(world.ports).then(String, String);
    expect(refusal).toContain('HTTP 401');
    expect(refusal).not.toContain('secret s');
    expect(await sign(world.ports)).toEqual({ authorization: 'Bearer t' });
  });
});
