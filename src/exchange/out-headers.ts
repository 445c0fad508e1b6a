import type { Note, ProtocolId } from '../ir/index.ts';
import type { UpstreamHeaders } from '../upstream/send.ts';
import type { Cached, Call, Target } from './call.ts';
import type { OutHeaders } from './client-sink.ts';
import { rateLimitHeader } from './rate-limit-headers.ts';

const MAX_NOTES = 2048;

/** `field;what` pairs, 2 KiB at most, printable ASCII only. */
export function notesHeader(notes: readonly Note[]): string {
  let text = '';
  for (const note of notes) {
    const pair = `${note.field.replaceAll(/[^\x21-\x2b\x2d-\x3a\x3c-\x7e]/g, '?').slice(0, 100)};${note.what}`;
    if (text.length + pair.length + 2 > MAX_NOTES) break;
    text += text === '' ? pair : `, ${pair}`;
  }
  return text;
}

const isWait = (name: string): boolean => name === 'retry-after' || name === 'retry-after-ms';
const isLimit = (name: string): boolean => name.startsWith('x-ratelimit-') || name.startsWith('anthropic-ratelimit-');

/**
 * Copies the upstream's headers that a client may see: when to come back, and how much is left of the provider's limits, in
 * the client's own vendor's words. Content headers are the lanes' business.
 */
export function passHeaders(from: UpstreamHeaders, to: OutHeaders, client: ProtocolId, now: () => number): void {
  for (const name in from) {
    const value = from[name];
    if (typeof value !== 'string') continue;
    if (isWait(name)) to[name] = value;
    else if (isLimit(name)) {
      const said = rateLimitHeader(name, value, client, now());
      if (said) to[said[0]] = said[1];
    }
  }
}

/** The headers that every reply carries: ids, and where the call went. */
export function callHeaders(call: Pick<Call, 'client' | 'id' | 'label'>): OutHeaders {
  return {
    'x-request-id': call.label ?? call.id,
    'x-pailou-request-id': call.id,
    ...(call.client.id === 'anthropic-messages' ? { 'request-id': call.id } : {}),
  };
}

/** Where a call went. */
export const servedBy = (
  target: { readonly provider: { readonly name: string }; readonly model: string },
  attempts: number,
): OutHeaders => ({
  'x-pailou-served-by': asHeader(`${target.provider.name}/${target.model}`),
  'x-pailou-attempts': String(attempts),
});

/** The same for a routed call. `overheadMs`: how much of the time was the gateway's own. */
export function routedHeaders(call: Call, target: Target, attempts: number, overheadMs: number, notes: readonly Note[]): OutHeaders {
  const headers = Object.assign(callHeaders(call), servedBy(target, attempts));
  headers['x-pailou-overhead-ms'] = overheadMs.toFixed(2);
  if (notes.length > 0) headers['x-pailou-notes'] = notesHeader(notes);
  if (call.cached) Object.assign(headers, cacheHeaders(call.cached));
  return headers;
}

/** Whether an answer was given before, and its age in seconds. https://www.rfc-editor.org/rfc/rfc9111#section-5.1 */
export const cacheHeaders = ({ how, ageS }: Cached): OutHeaders => ({
  'x-pailou-cache': how,
  ...(ageS === undefined ? {} : { age: String(ageS) }),
});

/** A header value of printable ASCII: anything else is percent-encoded. */
const asHeader = (text: string): string =>
  /^[\x20-\x7e]*$/.test(text) ? text : encodeURI(text.toWellFormed()).replaceAll(/[^\x20-\x7e]/g, '?');
