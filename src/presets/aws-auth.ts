import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import type { SignatureV4 } from '@smithy/signature-v4';
import { GatewayError, gatewayFault } from '../ir/index.ts';
import type { Auth, Credential, SignableRequest } from './preset.ts';

/** SHA-256 by OpenSSL, for the signer, which wants a constructor; the JavaScript one costs four times as much a request. */
class NodeSha256 {
  private readonly hash: () => Hash | Hmac;
  private state: Hash | Hmac;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = secret === undefined ? undefined : typeof secret === 'string' ? Buffer.from(secret) : viewOf(secret);
    this.hash = () => (key ? createHmac('sha256', key) : createHash('sha256'));
    this.state = this.hash();
  }
  update(chunk: string | ArrayBuffer | ArrayBufferView): void {
    this.state.update(typeof chunk === 'string' ? chunk : viewOf(chunk));
  }
  async digest(): Promise<Uint8Array> {
    return this.state.digest();
  }
  reset(): void {
    this.state = this.hash();
  }
}

const viewOf = (bytes: ArrayBuffer | ArrayBufferView): Uint8Array =>
  ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes);

/** The parts of `accessKeyId:secretAccessKey[:sessionToken]`; none of them can hold a colon. */
function partsOf(key: string): { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string } {
  const [accessKeyId, secretAccessKey, sessionToken] = key.split(':');
  if (!accessKeyId || !secretAccessKey) {
    throw new GatewayError(
      gatewayFault('upstream', 'The AWS credential is not accessKeyId:secretAccessKey[:sessionToken]', { code: 'upstream_credential' }),
    );
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

function queryOf(search: URLSearchParams): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const name of new Set(search.keys())) query[name] = search.getAll(name);
  return query;
}

/** The request as the signer wants it. The body's hash is made here, so that its pieces need not be joined. */
function toSign({ method, origin, path, headers, body }: SignableRequest) {
  const at = path.indexOf('?');
  const { host, hostname, protocol } = new URL(origin);
  const hash = createHash('sha256');
  for (const piece of body) hash.update(piece);
  return {
    method,
    protocol,
    hostname,
    path: at < 0 ? path : path.slice(0, at),
    query: at < 0 ? {} : queryOf(new URLSearchParams(path.slice(at + 1))),
    headers: { ...headers, host, 'x-amz-content-sha256': hash.digest('hex') },
  };
}

const ADDED: ReadonlySet<string> = new Set(['authorization', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token']);

/**
 * Signature Version 4 in the region that the provider's `region` setting names.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 */
export function awsSigned(service: string): Auth {
  const signers = new WeakMap<Credential, SignatureV4>();
  const signerOf = async (credential: Credential, region: string): Promise<SignatureV4> => {
    const known = signers.get(credential);
    if (known) return known;
    const lib = await import('@smithy/signature-v4');
    const signer = new lib.SignatureV4({ service, region, credentials: partsOf(credential.key), sha256: NodeSha256 });
    signers.set(credential, signer);
    return signer;
  };
  return {
    kind: 'signed',
    async sign(request, credential, settings, ports) {
      const signer = await signerOf(credential, settings['region'] ?? 'us-east-1');
      const signed = await signer.sign(toSign(request), { signingDate: new Date(ports.now()) });
      return Object.fromEntries(
        Object.entries(signed.headers)
          .filter(([name]) => ADDED.has(name.toLowerCase()))
          .map(([name, value]) => [name.toLowerCase(), value]),
      );
    },
  };
}
