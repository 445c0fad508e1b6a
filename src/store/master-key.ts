import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** Encrypts values for one purpose: AES-256-GCM with a key of its own, derived from the master key. */
export interface Sealer {
  /** `context` (say, the row that a value belongs to) is bound to it: it does not open under another. */
  seal(plain: Buffer, context: string): Buffer;
  /** `undefined`: not sealed with this master key for this purpose, changed, or under another context. */
  open(sealed: Uint8Array, context: string): Buffer | undefined;
}

/** The secret that everything encrypted in the data folder hangs on. */
export interface MasterKey {
  sealer(purpose: string): Sealer;
  /** Signs texts for one purpose: HMAC-SHA256, as base64url. */
  signer(purpose: string): (text: string) => string;
}

const FORMAT = 1;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES;

function createSealer(secret: string, purpose: string): Sealer {
  const key = Buffer.from(hkdfSync('sha256', secret, 'pailou', `seal ${purpose}`, 32));
  // Says which key a value needs, so that one sealed with another is told from one that was changed, and keys can be rotated.
  const keyId = createHash('sha256').update('pailou key id').update(key).digest().subarray(0, KEY_ID_BYTES);
  const head = Buffer.concat([Buffer.of(FORMAT), keyId]);
  return {
    seal(plain, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
      return Buffer.concat([head, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      if (bytes.length < HEAD_BYTES + TAG_BYTES || !bytes.subarray(0, head.length).equals(head)) return undefined;
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(head.length, HEAD_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(HEAD_BYTES, -TAG_BYTES)), decipher.final()]);
      } catch {
        return undefined;
      }
    },
  };
}

/** The master key of a secret, which must be random: it is stretched by nothing. */
export function createMasterKey(secret: string): MasterKey {
  const sealers = new Map<string, Sealer>();
  return {
    sealer(purpose) {
      const sealer = sealers.get(purpose) ?? createSealer(secret, purpose);
      sealers.set(purpose, sealer);
      return sealer;
    },
    signer(purpose) {
      const key = Buffer.from(hkdfSync('sha256', secret, 'pailou', `sign ${purpose}`, 32));
      return (text) => createHmac('sha256', key).update(text).digest('base64url');
    },
  };
}
