import OpenAI from 'openai';
import type { Config } from '../../src/config/config.ts';
import type { ProtocolId } from '../../src/ir/index.ts';
import type { TestServer } from '../server.ts';

/** The built-in provider, asked in one protocol only. */
export const UPSTREAMS: readonly ProtocolId[] = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'];

/** Another client of the same server, who must see nothing of the first one's. */
export const OTHER_KEY = 'pk-other-0123456789abcdef';

/** One provider for each protocol, and two keys. */
export const twoClients = (server: { readonly key: string }): Partial<Config> => ({
  keys: [
    { name: 'test', value: server.key },
    { name: 'other', value: OTHER_KEY },
  ],
  providers: Object.fromEntries(UPSTREAMS.map((protocol) => [protocol, { preset: 'sandbox', protocols: [protocol] }])),
});

export const openaiFor = (server: TestServer, key = server.key): OpenAI =>
  new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 });

/** Waits until it is so, as long as the test may take. */
export async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
