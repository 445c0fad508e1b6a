import type { Config } from '../config/config.ts';

/** Replaces secrets in a text. */
export type Redact = (text: string) => string;

/** Shorter ones are no secrets, and taking them out would take every other word with them. */
const MIN_LENGTH = 6;
const MASK = '[secret]';

/** Names of headers and settings that hold a secret; the configuration masks the same. */
const SECRET_NAME = /auth|key|token|secret|cookie|password/i;

/** What looks like a credential, whoever it belongs to: a client may send us one that we do not know. */
const CREDENTIALS =
  /\b(?:Bearer|Basic) +[\w.~+/=-]{8,}|\b[sp]k[-_][\w-]{16,}|(?<=[?&](?:key|api_key|access_token|token)=)[^&\s"]+|[\w-]{32,}/g;
const MIXED = [/[a-z]/, /[A-Z]/, /\d/];

/** Long words of small and large letters and digits are credentials; those of fewer kinds are ids and hashes, which stay. */
const isCredential = (found: string): boolean =>
  !/^[\w-]{32,}$/.test(found) || /^[sp]k[-_]/.test(found) || MIXED.every((kind) => kind.test(found));

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

/** A credential, and the parts of one that is made of several: `id:secret`. */
function* partsOf(key: string): Iterable<string> {
  yield key;
  if (!key.startsWith('{')) yield* key.split(':').slice(1);
}

function* secretsOf(config: Config): Iterable<string> {
  for (const { value } of config.keys) yield value;
  const { s3 } = config.tasks.media;
  if (s3) yield* partsOf(s3.key);
  for (const { key, keys = [], headers = {}, settings = {} } of Object.values(config.providers)) {
    if (key !== undefined) yield* partsOf(key);
    for (const { value } of keys) yield* partsOf(value);
    for (const [name, value] of [...Object.entries(headers), ...Object.entries(settings)]) if (SECRET_NAME.test(name)) yield value;
  }
}

/** Takes out every secret of a configuration, also where JSON escapes it, and whatever looks like a credential. */
export function createRedact(config: Config): Redact {
  const secrets = [...secretsOf(config)].filter(({ length }) => length >= MIN_LENGTH);
  // Longer ones first: one may begin with another.
  const forms = [...new Set(secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]))].sort(
    (a, b) => b.length - a.length,
  );
  const known = forms.length > 0 ? new RegExp(forms.map(escaped).join('|'), 'g') : undefined;
  return (text) => (known ? text.replaceAll(known, MASK) : text).replaceAll(CREDENTIALS, (found) => (isCredential(found) ? MASK : found));
}
