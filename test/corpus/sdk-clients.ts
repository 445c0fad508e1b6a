import Anthropic from '@anthropic-ai/sdk';
import { ApiError, GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import type { JsonObject, ProtocolId } from '../../src/ir/index.ts';
import type { SseFrame } from '../../src/wire/sse.ts';

/** What an SDK gave out for one answer. */
export interface Read {
  /** The reply as the SDK has it: one that came whole, or that it put together itself from a stream. */
  readonly reply?: JsonObject;
  /** The events of a stream, as the SDK handed them on. */
  readonly frames?: readonly SseFrame[];
}

/** An official SDK in front of the gateway. */
export interface SdkClient {
  readonly protocol: ProtocolId;
  /** `heard` is told each event of a stream as the SDK hands it on. */
  read(model: string, streamed: boolean, heard?: (frame: SseFrame) => void): Promise<Read>;
  /** What is wrong with the exception for a status of the gateway's; `undefined`: it is the right one. */
  wrongFor(error: unknown, status: number): string | undefined;
}

interface Server {
  readonly url: string;
  readonly key: string;
}

const nobody = (): void => {};

const messages = [{ role: 'user' as const, content: 'x' }];

const frame = (event: object, name?: string): SseFrame => ({ data: JSON.stringify(event), ...(name === undefined ? {} : { event: name }) });

/** The events of a stream, then what its SDK made of them. */
async function readStream<E extends object>(
  stream: AsyncIterable<E>,
  nameOf: (event: E) => string | undefined,
  final: () => Promise<object>,
  heard: (frame: SseFrame) => void,
): Promise<Read> {
  const frames: SseFrame[] = [];
  for await (const event of stream) {
    const next = frame(event, nameOf(event));
    frames.push(next);
    heard(next);
  }
  return { frames, reply: (await final()) as JsonObject };
}

type Classes = Readonly<Record<number, unknown>>;

/** The class and status of an exception, by the table of the SDK's own classes. */
const wrongClass =
  (classes: Classes, others: unknown): SdkClient['wrongFor'] =>
  (error, status) => {
    const wanted = (classes[status] ?? (status >= 500 ? classes[500] : undefined) ?? others) as new () => Error;
    if (!(error instanceof wanted)) return `${status} raised ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
    const found = (error as Error & { readonly status?: number }).status;
    return found === status ? undefined : `status ${String(found)}, not ${status}`;
  };

const OPENAI: Classes = {
  400: OpenAI.BadRequestError,
  404: OpenAI.NotFoundError,
  409: OpenAI.ConflictError,
  422: OpenAI.UnprocessableEntityError,
  429: OpenAI.RateLimitError,
  500: OpenAI.InternalServerError,
};

const ANTHROPIC: Classes = {
  400: Anthropic.BadRequestError,
  404: Anthropic.NotFoundError,
  409: Anthropic.ConflictError,
  413: Anthropic.ContentTooLargeError,
  422: Anthropic.UnprocessableEntityError,
  429: Anthropic.RateLimitError,
  500: Anthropic.InternalServerError,
  529: Anthropic.OverloadedError,
};

function openaiClients({ url, key }: Server): readonly SdkClient[] {
  const sdk = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
  const wrongFor = wrongClass(OPENAI, OpenAI.APIError);
  return [
    {
      protocol: 'openai-chat',
      wrongFor,
      async read(model, streamed, heard = nobody) {
        if (!streamed) return { reply: { ...(await sdk.chat.completions.create({ model, messages })) } as unknown as JsonObject };
        const stream = sdk.chat.completions.stream({ model, messages, stream_options: { include_usage: true } });
        return readStream(
          stream,
          () => undefined,
          () => stream.finalChatCompletion(),
          heard,
        );
      },
    },
    {
      protocol: 'openai-responses',
      wrongFor,
      async read(model, streamed, heard = nobody) {
        const params = { model, input: 'x', store: false };
        if (!streamed) return { reply: { ...(await sdk.responses.create(params)) } as unknown as JsonObject };
        const stream = sdk.responses.stream(params);
        return readStream(
          stream,
          (event) => event.type,
          () => stream.finalResponse(),
          heard,
        );
      },
    },
  ];
}

function anthropicClient({ url, key }: Server): SdkClient {
  const sdk = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });
  const params = { max_tokens: 1000, messages };
  return {
    protocol: 'anthropic-messages',
    wrongFor: wrongClass(ANTHROPIC, Anthropic.APIError),
    async read(model, streamed, heard = nobody) {
      if (!streamed) return { reply: { ...(await sdk.messages.create({ ...params, model })) } as unknown as JsonObject };
      const stream = sdk.messages.stream({ ...params, model });
      return readStream(
        stream,
        (event) => event.type,
        () => stream.finalMessage(),
        heard,
      );
    },
  };
}

function googleClient({ url, key }: Server): SdkClient {
  const sdk = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } });
  return {
    protocol: 'gemini',
    wrongFor: wrongClass({}, ApiError),
    async read(model, streamed, heard = nobody) {
      const params = { model, contents: 'x' };
      if (!streamed) return { reply: { ...(await sdk.models.generateContent(params)) } as unknown as JsonObject };
      const frames: SseFrame[] = [];
      for await (const chunk of await sdk.models.generateContentStream(params)) {
        const next = frame(chunk);
        frames.push(next);
        heard(next);
      }
      return { frames };
    },
  };
}

/** Every official SDK in front of a gateway. */
export const sdkClients = (server: Server): readonly SdkClient[] => [
  ...openaiClients(server),
  anthropicClient(server),
  googleClient(server),
];
