import type { Fault } from '../ir/index.ts';
import type { ProviderSettings } from '../presets/preset.ts';

/** What of a provider's configuration its own error texts must not show. */
export type Hidden = Pick<ProviderSettings, 'key' | 'keys' | 'headers' | 'settings' | 'baseUrl'>;

/** Shorter ones are no secrets, and taking them out would take every other word with them. */
const MIN_LENGTH = 6;
const SECRET_NAME = /auth|key|token|secret|cookie|password/i;

/** A key as a whole, and the parts of one that is made of several: `id:secret`, or a service account's JSON. */
function* partsOf(key: string): Iterable<string> {
  yield key;
  if (key.startsWith('{')) yield* Array.from(key.matchAll(/"(?:private_key|private_key_id)"\s*:\s*"([^"]+)"/g), ([, found]) => found ?? '');
  else yield* key.split(':');
}

function* secretsOf({ key, keys = [], headers, settings }: Hidden): Iterable<string> {
  if (key !== undefined) yield* partsOf(key.trim());
  for (const { value } of keys) yield* partsOf(value.trim());
  for (const [name, value] of [...Object.entries(headers ?? {}), ...Object.entries(settings ?? {})]) {
    if (SECRET_NAME.test(name)) yield value.replace(/^(?:Bearer|Basic) +/i, '');
  }
}

/** Addresses that the operator chose; a vendor's own are known to everyone. */
function* addressesOf({ baseUrl }: Hidden): Iterable<string> {
  for (const address of baseUrl === undefined ? [] : typeof baseUrl === 'string' ? [baseUrl] : Object.values(baseUrl)) {
    if (!URL.canParse(address)) continue;
    const { origin, host } = new URL(address);
    yield origin;
    if (/[.:]/.test(host)) yield host;
  }
}

/** A provider's words without the gateway's credential and without the address that the operator gave for it. */
export function hideSecrets(hidden: Hidden | undefined, text: string): string {
  if (!hidden) return text;
  let shown = text;
  for (const secret of secretsOf(hidden)) if (secret.length >= MIN_LENGTH) shown = shown.replaceAll(secret, '[secret]');
  for (const address of addressesOf(hidden)) shown = shown.replaceAll(address, '[address]');
  return shown;
}

/** A body or an event of a provider's, likewise; the same bytes where there is nothing to hide. */
export function hideInBytes(hidden: Hidden | undefined, bytes: Buffer): Buffer {
  const text = bytes.toString('utf8');
  const shown = hideSecrets(hidden, text);
  return shown === text ? bytes : Buffer.from(shown);
}

/** A provider's fault as clients may read it. */
export function hideInFault(hidden: Hidden | undefined, fault: Fault): Fault {
  const message = hideSecrets(hidden, fault.message);
  if (fault.details === undefined) return message === fault.message ? fault : { ...fault, message };
  return { ...fault, message, details: JSON.parse(hideSecrets(hidden, JSON.stringify(fault.details))) as unknown };
}
