import { checkedAddresses, checkedUrl, hostOf, refusal, requestTo, systemResolve } from './guarded-url.ts';

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
    return new Promise((done, reject) => {
      const call = requestTo(url, addresses, {
        method: 'POST',
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
        maxHeaderSize: 16 * 1024,
        signal: AbortSignal.any([signal, AbortSignal.timeout(TOTAL_MS)]),
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
