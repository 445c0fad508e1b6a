import { createOpenAI } from '@ai-sdk/openai';
import { generateText, type ModelMessage, stepCountIs, tool, jsonSchema } from 'ai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, TEST_KEY, type TestServer } from '../server.ts';
import { twoClients, UPSTREAMS } from './clients.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer(twoClients({ key: TEST_KEY }));
});
afterAll(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
});

// By default this SDK leaves earlier answers out and names their items instead: they must be kept here.
it.each(UPSTREAMS)('the AI SDK goes on by item references over %s', async (protocol) => {
  const seen: string[] = [];
  const openai = createOpenAI({
    baseURL: `${server.url}/v1`,
    apiKey: server.key,
    fetch: (url, init) => {
      seen.push(String(init?.body));
      return fetch(url, init);
    },
  });
  const model = openai.responses(`${protocol}/chat`);
  const tools = {
    get_weather: tool({
      inputSchema: jsonSchema<{ city: string }>({ type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }),
      execute: ({ city }) => Promise.resolve({ city, degrees: 21 }),
    }),
  };
  const messages: ModelMessage[] = [{ role: 'user', content: 'Look: [[call get_weather {"city":"Suzhou"}]]' }];
  const first = await generateText({ model, messages, tools, stopWhen: stepCountIs(3) });
  expect(first.text).toContain('21');
  messages.push(...first.response.messages, { role: 'user', content: 'What did I say before?' });
  const second = await generateText({ model, messages, tools });
  expect(second.text).toContain('Look');
  expect(seen.some((body) => body.includes('"item_reference"'))).toBe(true);
});
