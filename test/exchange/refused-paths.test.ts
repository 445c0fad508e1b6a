import { request } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { type Data, chat, gemini, messages } from './dialects.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({});
});
afterAll(async () => {
  await server.close();
  expect(server.defects).toEqual([]);
});

interface Refused {
  readonly status: number;
  readonly id: unknown;
  readonly body: Data;
}

/** Sends a target as it is written here: a URL would be put in order first. */
function send(method: string, path: string, headers: Record<string, string>): Promise<Refused> {
  return new Promise((resolve, reject) => {
    const sent = request({ port: new URL(server.url).port, host: '127.0.0.1', method, path, headers }, (response) => {
      const { statusCode: status = 0, headers } = response;
      readText(response).then((text) => resolve({ status, id: headers['x-request-id'], body: JSON.parse(text) }), reject);
    });
    sent.on('error', reject).end(method === 'POST' ? '{}' : undefined);
  });
}

const THEIRS = {
  OpenAI: ({ status, body }: Refused) => {
    chat.envelope(body, status);
    expect(Object.keys(body)).toEqual(['error']);
  },
  Anthropic: ({ status, body, id }: Refused) => {
    messages.envelope(body, status);
    expect(body.request_id).toBe(id);
  },
  Gemini: ({ status, body }: Refused) => void gemini.envelope(body, status),
  Cohere: ({ body, id }: Refused) => expect(body).toEqual({ id, message: expect.any(String), error: expect.any(Object) }),
};

/** Below what is served, what is asked for by a wrong method, and what cannot be read. */
const ROWS: readonly (readonly [whose: keyof typeof THEIRS, method: string, path: string, headers?: Record<string, string>])[] = [
  ['OpenAI', 'POST', '/v1/nonsense'],
  ['OpenAI', 'POST', '/v1/chat/completions/x'],
  ['OpenAI', 'POST', '/v1/chat/completions/%zz?of=messages'],
  ['OpenAI', 'POST', '/v1/chat/%00/messages/v1beta'],
  ['OpenAI', 'POST', '/v1/rerank/%zz'],
  ['OpenAI', 'POST', '/v1/models/a%2f..%2fmessages'],
  ['OpenAI', 'GET', '/v1/../admin'],
  ['OpenAI', 'POST', '/v1/responses/%zz'],
  ['Anthropic', 'POST', '/v1/messages/x'],
  ['Anthropic', 'GET', '/v1/messages'],
  ['Anthropic', 'POST', '/v1/messages/batches/%zz'],
  ['Anthropic', 'POST', '/v1/messages%00'],
  ['Anthropic', 'POST', '/v1/messages/../x'],
  ['Anthropic', 'POST', '/v1/../v1/messages'],
  ['Anthropic', 'POST', '/v1/%6dessages/%2e%2e/x'],
  ['Anthropic', 'POST', '/mine/v1/messages/%'],
  ['Anthropic', 'POST', 'http://other.example/v1/messages'],
  ['Anthropic', 'POST', '/v1/%zz', { 'anthropic-version': '2023-06-01' }],
  ['Gemini', 'POST', '/v1beta/nonsense'],
  ['Gemini', 'POST', '/v1beta1/nonsense'],
  ['Gemini', 'POST', '/v1beta/files'],
  ['Gemini', 'POST', '/v1beta/models/x:nonsense'],
  ['Gemini', 'POST', '/v1/models/x:nonsense'],
  ['Gemini', 'POST', '/v1/models/x:batchGenerateContent'],
  ['Gemini', 'GET', '/v1/models/x:generateContent'],
  ['Gemini', 'POST', '/v1beta/models/%zz:generateContent'],
  ['Gemini', 'POST', '/v1beta%zz'],
  ['Gemini', 'POST', '/v1beta1/publishers/google/models/a%2f..%2fb:predict'],
  ['Gemini', 'POST', '/v1/models/a%2f..%2fb:streamGenerateContent?alt=sse'],
  ['Gemini', 'POST', '/v1/models/%zz:embedContent'],
  ['Gemini', 'POST', '/v1/%zz', { 'x-goog-api-client': 'genai-js/1' }],
  ['Gemini', 'POST', '/v1/%zz?key=pk-x'],
  ['Cohere', 'POST', '/v2/rerank/x'],
  ['Cohere', 'GET', '/v2/rerank'],
  ['Cohere', 'GET', '/v2/rerank/x'],
  ['Cohere', 'POST', '/v2/rerank/%zz'],
  ['Cohere', 'POST', '/v2/rerank%00'],
  ['Cohere', 'POST', '/v2/../v2/rerank'],
  ['Cohere', 'POST', '/mine/v2/rerank/%'],
  ['Cohere', 'POST', '/v2/nonsense'],
];

const NAMED = ROWS.map(([whose, method, path, more = {}]) => ({ whose, method, path, more }));

it.each(NAMED)('in the words of $whose: $method $path $more', async ({ whose, method, path, more }) => {
  // By its key as well as without one.
  for (const headers of [{ ...more, authorization: `Bearer ${server.key}` }, more]) {
    const refused = await send(method, path, headers);
    expect([401, 404, 405]).toContain(refused.status);
    THEIRS[whose](refused);
  }
});
