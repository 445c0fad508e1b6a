import type * as http from 'node:http';
import { GatewayError, gatewayFault } from '../ir/index.ts';
import { checkedAddresses, checkedUrl, FILE_HEADERS, hostOf, type Refuse, requestTo, systemResolve } from './guarded-url.ts';

const IDLE_MS = 60_000;
/** Storages of providers send on to where the file is; each place is checked anew. */
const MAX_REDIRECTS = 5;

/** A file as it comes. */
interface GuardedFile {
  readonly mediaType: string;
  readonly body: AsyncIterable<Uint8Array>;
}

const refuse: Refuse = (why, code) =>
  new GatewayError(gatewayFault('upstream', `What the provider made cannot be fetched from where it says: ${why}`, { code }));

function get(url: URL, addresses: readonly string[], signal: AbortSignal): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const call = requestTo(url, addresses, { headers: FILE_HEADERS, maxHeaderSize: 32 * 1024, timeout: IDLE_MS, signal });
    call.on('timeout', () => call.destroy(new Error('idle')));
    call.on('error', () => reject(refuse('its server could not be reached', 'url_unreachable')));
    call.on('response', resolve);
    call.end();
  });
}

/** The bytes of an answer; one that is cut throws `GatewayError`. */
async function* bytesOf(response: http.IncomingMessage): AsyncIterable<Uint8Array> {
  try {
    yield* response as AsyncIterable<Buffer>;
  } catch {
    throw refuse('its server cut the answer', 'url_unreachable');
  }
}

/**
 * Opens a file that a provider names, as it comes, without the provider's key: through the same checks as what clients name, but
 * redirects are followed.
 */
export function createGuardedStream(
  allow: () => readonly string[],
  resolve: (host: string) => Promise<readonly string[]> = systemResolve,
): (url: string, signal: AbortSignal) => Promise<GuardedFile> {
  return async (text, signal) => {
    let next = text;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const url = checkedUrl(next, refuse);
      const response = await get(url, await checkedAddresses(hostOf(url), resolve, allow(), refuse), signal);
      const { statusCode = 0, headers } = response;
      if (statusCode >= 200 && statusCode < 300) {
        return { mediaType: headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '', body: bytesOf(response) };
      }
      response.destroy();
      const { location } = headers;
      if (statusCode < 300 || statusCode >= 400 || location === undefined || !URL.canParse(location, next)) {
        throw refuse(`its server answered ${statusCode}`, statusCode === 404 || statusCode === 410 ? 'url_gone' : 'url_unreachable');
      }
      next = new URL(location, next).href;
    }
    throw refuse('it redirects too often', 'url_redirects');
  };
}
