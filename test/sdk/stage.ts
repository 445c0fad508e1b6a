import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect } from 'vitest';
import type { ProtocolId } from '../../src/ir/index.ts';
import { startTestServer, type TestServer } from '../server.ts';

/** Each upstream protocol is one provider: the built-in one, asked in that protocol only. */
export const UPSTREAMS: readonly ProtocolId[] = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'];

/** The name of a model at the provider that speaks one protocol. */
export const at = (protocol: ProtocolId, model: string): string => `up-${protocol}/${model}`;

/** Settings under which every provider of `UPSTREAMS` is there. */
export const PROVIDERS = Object.fromEntries(UPSTREAMS.map((protocol) => [`up-${protocol}`, { preset: 'sandbox', protocols: [protocol] }]));

/** A gateway for the tests of one file, which must leave no defect behind. */
export function gatewayOfThisFile(): () => TestServer {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ providers: PROVIDERS });
  });
  afterAll(async () => {
    expect(server.defects).toEqual([]);
    await server.close();
  });
  return () => server;
}

/** The official SDKs as a user sets them up, without their own retries. */
export const openaiAt = (url: string, apiKey: string): OpenAI => new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
export const anthropicAt = (baseURL: string, apiKey: string): Anthropic => new Anthropic({ baseURL, apiKey, maxRetries: 0 });
export const googleAt = (baseUrl: string, apiKey: string): GoogleGenAI => new GoogleGenAI({ apiKey, httpOptions: { baseUrl } });

export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
export const PDF = Buffer.from('%PDF-1.4\n%%EOF\n').toString('base64');

/** The parameters of `get_weather`. */
export const WEATHER = {
  type: 'object',
  properties: { city: { type: 'string' }, unit: { type: 'string', enum: ['c', 'f'] } },
  required: ['city'],
} as const;

/** The same as a strict schema: every member is required, no other is allowed. */
export const STRICT_WEATHER: { [word: string]: unknown } = { ...WEATHER, required: ['city', 'unit'], additionalProperties: false };

/** Prompts that the built-in provider answers with one call, and with two at once. */
export const CALL = 'Look it up: [[call get_weather {"city":"Suzhou"}]]';
export const CALLS = `${CALL} [[call get_weather {"city":"Hangzhou"}]]`;
export const CITIES = [{ city: 'Suzhou' }, { city: 'Hangzhou' }];

/** What breaks a stream after its third piece. */
export const BREAKS = ['cut-after-3', 'reset-after-3', 'error-after-3', 'garbage-after-3'] as const;

/** Everything that something gives out until it is over. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Reads until it breaks: what came before, and what was thrown. */
export async function untilBroken<T>(items: AsyncIterable<T>): Promise<{ readonly came: readonly T[]; readonly thrown: unknown }> {
  const came: T[] = [];
  try {
    for await (const item of items) came.push(item);
  } catch (thrown) {
    return { came, thrown };
  }
  return { came, thrown: undefined };
}

/** The two ways to ask: for the whole answer, and for a stream that the SDK puts together. */
export const WAYS = [
  { way: 'whole', streamed: false },
  { way: 'streamed', streamed: true },
] as const;

/** Whether a provider is told where to stop: Responses has no such field, which a note says. */
export const stopsAt = (protocol: ProtocolId): boolean => protocol !== 'openai-responses';

/** Whether a provider counts tokens when it is asked: chat has no endpoint for that. */
export const countsTokens = (protocol: ProtocolId): boolean => protocol !== 'openai-chat';
