import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import { checkedAddresses, checkedUrl, hostOf, pinned, refusal, systemResolve } from './guarded-url.ts';

/** How long a receiver may take altogether. */
const TOTAL_MS = 20_000;

/** What is posted. */
interface Message {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Posts to URLs that clients named, to allowed addresses only: checked when it is dialled, each time anew; redirects are not followed.
 * Resolves with the status.
 */
export function createWebhookPost(
  allow: () => readonly string[],
  resolve: (host: string) => Promise<readonly string[]> = systemResolve,
): (message: Message, signal: AbortSignal) => Promise<number> {
  return async ({ url: text, headers, body }, signal) => {
    const refuse = refusal('webhook.url');
    const url = checkedUrl(text, refuse);
    const host = hostOf(url);
    const addresses = await checkedAddresses(host, resolve, allow(), refuse);
    const { request } = url.protocol === 'https:' ? https : http;
    return new Promise((done, reject) => {
      const call = request({
        method: 'POST',
        host,
        ...(isIP(host) === 0 ? { servername: host } : {}),
        path: url.pathname + url.search,
        headers: { ...headers, host: url.host, 'user-agent': 'pailou', 'content-length': String(Buffer.byteLength(body)) },
        lookup: pinned(addresses),
        agent: false,
        maxHeaderSize: 16 * 1024,
        signal: AbortSignal.any([signal, AbortSignal.timeout(TOTAL_MS)]),
        ...(url.port === '' ? {} : { port: url.port }),
      });
      call.on('error', reject);
      call.on('response', (response) => {
        done(response.statusCode ?? 0);
        // What it says does not matter.
        response.destroy();
      });
      call.end(body);
    });
  };
}
