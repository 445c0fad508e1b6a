import type { Config } from '../../../src/config/config.ts';
import type { RouteSettings } from '../../../src/policy/routes/route.ts';
import { type Answer, json, stream } from '../../fakes/upstream.ts';
import { TEST_KEY } from '../../server.ts';
import { type Data, type Dialect, DIALECTS } from '../dialects.ts';
import { call, type Got, type Stage } from '../stage.ts';

/** A second client, who must not see what the first one was told. */
export const OTHER_KEY = 'pk-test-other-0123456789';

/** A name for each provider whose answers are kept, and what else a test wants of its route. */
export const keeping = (cache: RouteSettings['cache'] = 60_000): Partial<Config> => ({
  keys: [
    { name: 'test', value: TEST_KEY },
    { name: 'other', value: OTHER_KEY },
  ],
  models: Object.fromEntries(
    [...DIALECTS.map(({ provider }) => [`kept-${provider}`, provider] as const), ['also-oai', 'oai'] as const].map(([name, provider]) => [
      name,
      { targets: [{ to: `${provider}/up` }], ...(cache === undefined ? {} : { cache }) },
    ]),
  ),
});

/** The same question in each protocol. */
export function question(client: Dialect, model: string, isStream: boolean, text = 'hello'): Data {
  const streams = isStream ? { stream: true } : {};
  switch (client.id) {
    case 'openai-chat': {
      const messages = [
        { role: 'system', content: 'be brief' },
        { role: 'user', content: text },
      ];
      const usage = isStream ? { stream_options: { include_usage: true } } : {};
      return { model, messages, max_tokens: 100, temperature: 0, ...streams, ...usage };
    }
    case 'openai-responses':
      return { model, instructions: 'be brief', input: text, max_output_tokens: 100, temperature: 0, store: false, ...streams };
    case 'anthropic-messages':
      return { model, system: 'be brief', max_tokens: 100, temperature: 0, messages: [{ role: 'user', content: text }], ...streams };
    default:
      return {
        systemInstruction: { parts: [{ text: 'be brief' }] },
        contents: [{ role: 'user', parts: [{ text }] }],
        generationConfig: { maxOutputTokens: 100, temperature: 0 },
      };
  }
}

export interface Question {
  readonly client: Dialect;
  readonly model: string;
  readonly stream?: boolean;
  readonly text?: string;
  readonly key?: string;
  readonly headers?: Record<string, string>;
  /** Changes the body. */
  readonly body?: Data;
}

/** Asks it. */
export function put(
  { server }: Stage,
  { client, model, stream: isStream = false, text, key = TEST_KEY, headers = {}, body = {} }: Question,
): Promise<Got> {
  const whole = { ...question(client, model, isStream, text), ...body };
  return call(`${server.url}${client.path(model, isStream)}`, JSON.stringify(whole), {
    'content-type': 'application/json',
    authorization: `Bearer ${key}`,
    ...headers,
  });
}

/** A provider of a dialect that answers as it was asked, streamed or whole. */
export const answering =
  (upstream: Dialect): Answer =>
  (request, response) => {
    const isStream = request.path.includes('streamGenerateContent') || (JSON.parse(request.body) as Data).stream === true;
    (isStream ? stream(upstream.events) : json(upstream.whole))(request, response);
  };
