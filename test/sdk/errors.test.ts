import Anthropic from '@anthropic-ai/sdk';
import { ApiError } from '@google/genai';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { all, anthropicAt, at, gatewayOfThisFile, googleAt, openaiAt, UPSTREAMS, WAYS } from './stage.ts';

const gateway = gatewayOfThisFile();

/** An exception of an SDK, with the fields that they all or some of them have. */
interface Raised {
  readonly status?: number;
  readonly type?: string | null;
  readonly code?: string | null;
  readonly message: string;
  readonly headers?: Headers;
}

type Client = 'openai' | 'anthropic' | 'google';

interface Asking {
  readonly name: string;
  readonly client: Client;
  readonly ask: (model: string, streamed: boolean, key?: string) => Promise<unknown>;
}

const url = (): string => gateway().url;
const messages = [{ role: 'user' as const, content: 'x' }];

const SDKS: readonly Asking[] = [
  {
    name: 'openai, chat',
    client: 'openai',
    ask: async (model, streamed, key = gateway().key) => {
      const { completions } = openaiAt(url(), key).chat;
      return streamed ? all(await completions.create({ model, messages, stream: true })) : completions.create({ model, messages });
    },
  },
  {
    name: 'openai, responses',
    client: 'openai',
    ask: async (model, streamed, key = gateway().key) => {
      const { responses } = openaiAt(url(), key);
      const params = { model, input: 'x', store: false };
      return streamed ? all(await responses.create({ ...params, stream: true })) : responses.create(params);
    },
  },
  {
    name: 'anthropic',
    client: 'anthropic',
    ask: (model, streamed, key = gateway().key) => {
      const sdk = anthropicAt(url(), key);
      const params = { model, max_tokens: 50, messages };
      return streamed ? sdk.messages.stream(params).finalMessage() : sdk.messages.create(params);
    },
  },
  {
    name: 'google',
    client: 'google',
    ask: async (model, streamed, key = gateway().key) => {
      const { models } = googleAt(url(), key);
      const params = { model, contents: 'x' };
      return streamed ? all(await models.generateContentStream(params)) : models.generateContent(params);
    },
  },
];

/** What a provider says, and what each SDK raises: class and status. A provider's fault is none of the client's. */
interface Meaning {
  readonly upstream: string;
  readonly openai: readonly [unknown, number, string];
  readonly anthropic: readonly [unknown, number, string];
  readonly google: readonly [number, string];
}

const MEANINGS: readonly Meaning[] = [
  {
    upstream: 'status-400',
    openai: [OpenAI.BadRequestError, 400, 'invalid_request_error'],
    anthropic: [Anthropic.BadRequestError, 400, 'invalid_request_error'],
    google: [400, 'INVALID_ARGUMENT'],
  },
  {
    upstream: 'status-401',
    openai: [OpenAI.InternalServerError, 502, 'api_error'],
    anthropic: [Anthropic.InternalServerError, 502, 'api_error'],
    google: [502, 'UNAVAILABLE'],
  },
  {
    upstream: 'status-404',
    openai: [OpenAI.NotFoundError, 404, 'not_found_error'],
    anthropic: [Anthropic.NotFoundError, 404, 'not_found_error'],
    google: [404, 'NOT_FOUND'],
  },
  {
    upstream: 'status-413',
    openai: [OpenAI.APIError, 413, ''],
    anthropic: [Anthropic.ContentTooLargeError, 413, 'request_too_large'],
    google: [413, 'INVALID_ARGUMENT'],
  },
  {
    upstream: 'status-422',
    openai: [OpenAI.UnprocessableEntityError, 422, 'invalid_request_error'],
    anthropic: [Anthropic.UnprocessableEntityError, 422, 'invalid_request_error'],
    google: [422, 'INVALID_ARGUMENT'],
  },
  {
    upstream: 'status-429',
    openai: [OpenAI.RateLimitError, 429, 'rate_limit_error'],
    anthropic: [Anthropic.RateLimitError, 429, 'rate_limit_error'],
    google: [429, 'RESOURCE_EXHAUSTED'],
  },
  {
    upstream: 'status-500',
    openai: [OpenAI.InternalServerError, 502, 'api_error'],
    anthropic: [Anthropic.InternalServerError, 502, 'api_error'],
    google: [502, ''],
  },
  {
    upstream: 'status-503',
    openai: [OpenAI.InternalServerError, 503, 'overloaded_error'],
    anthropic: [Anthropic.OverloadedError, 529, 'overloaded_error'],
    google: [503, 'UNAVAILABLE'],
  },
  {
    upstream: 'status-529',
    openai: [OpenAI.InternalServerError, 503, 'overloaded_error'],
    anthropic: [Anthropic.OverloadedError, 529, 'overloaded_error'],
    google: [503, 'UNAVAILABLE'],
  },
  {
    upstream: 'status-504',
    openai: [OpenAI.InternalServerError, 504, ''],
    anthropic: [Anthropic.InternalServerError, 504, 'timeout_error'],
    google: [504, 'DEADLINE_EXCEEDED'],
  },
];

async function raisedBy(work: Promise<unknown>): Promise<Raised> {
  try {
    await work;
  } catch (error) {
    return error as Raised;
  }
  throw new Error('nothing was raised');
}

/** Class, status and word of an exception. */
function expectRaised(client: Client, raised: Raised, meaning: Omit<Meaning, 'upstream'>): void {
  if (client === 'google') {
    const [status, word] = meaning.google;
    expect(raised).toBeInstanceOf(ApiError);
    expect(raised.status).toBe(status);
    // The message of Google's SDK is the body.
    expect(raised.message).toContain(`"status":"${word}`);
    return;
  }
  const [kind, status, type] = meaning[client];
  expect(raised).toBeInstanceOf(kind);
  expect(raised.status).toBe(status);
  expect(raised.type ?? '').toContain(type);
}

describe.each(SDKS)('$name', ({ client, ask }) => {
  describe.each(WAYS)('$way', ({ streamed }) => {
    describe.each(UPSTREAMS)('over %s', (protocol) => {
      it.each(MEANINGS)('$upstream', async (meaning) => {
        expectRaised(client, await raisedBy(ask(at(protocol, meaning.upstream), streamed)), meaning);
      });

      it.each(['error-in-200', 'garbage', 'empty', 'html', 'hang-up'])('what is no answer is never taken for one: %s', async (name) => {
        const raised = await raisedBy(ask(at(protocol, name), streamed));
        expect(raised.status ?? 502).toBeGreaterThanOrEqual(500);
      });
    });

    it('when to come back', async () => {
      const raised = await raisedBy(ask(at('anthropic-messages', 'retry-after-5'), streamed));
      expect(raised.status).toBe(429);
      // Google's SDK keeps no headers.
      if (client !== 'google') expect(raised.headers?.get('retry-after')).toBe('5');
    });

    it('a key that is none', async () => {
      expectRaised(client, await raisedBy(ask(at('gemini', 'echo'), streamed, 'wrong')), {
        openai: [OpenAI.AuthenticationError, 401, 'authentication_error'],
        anthropic: [Anthropic.AuthenticationError, 401, 'authentication_error'],
        google: [401, 'UNAUTHENTICATED'],
      });
    });

    it('a model that is not there, and a provider that is not there', async () => {
      for (const model of ['no-such-model', 'nobody/echo']) {
        expectRaised(client, await raisedBy(ask(model, streamed)), {
          openai: [OpenAI.NotFoundError, 404, 'not_found_error'],
          anthropic: [Anthropic.NotFoundError, 404, 'not_found_error'],
          google: [404, 'NOT_FOUND'],
        });
      }
    });
  });
});
