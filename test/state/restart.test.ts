import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { createMasterKey } from '../../src/store/master-key.ts';
import { createStoredState } from '../../src/store/stored-state.ts';
import { startTestServer, TEST_KEY, testConfig, type TestServer } from '../server.ts';
import { openaiFor, twoClients } from './clients.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-restart-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const troubles: unknown[] = [];

/** A server on the database of the folder, as after a start. */
async function start(): Promise<{ readonly server: TestServer; stop(): Promise<void> }> {
  const database: Database = await openDatabase(folder);
  const sealer = createMasterKey('kept').sealer('state');
  const store = createStoredState({
    database: () => Promise.resolve(database),
    sealer: () => Promise.resolve(sealer),
    now: () => Date.now(),
    limits: () => testConfig().limits,
    onTrouble: (what, error) => troubles.push([what, error]),
  });
  const server = await startTestServer(twoClients({ key: TEST_KEY }), store);
  const stop = async (): Promise<void> => {
    await server.close();
    await store.close();
    await database.destroy();
    expect(server.defects).toEqual([]);
  };
  return { server, stop };
}

it('what is kept outlives a restart: responses, conversations, threads', async () => {
  const model = 'gemini/chat';
  const asks = 'What did I say before?';
  const before = await start();
  const openai = openaiFor(before.server);
  const { id } = await openai.responses.create({ model, input: 'My name is Ada' });
  const conversation = await openai.conversations.create({ items: [{ role: 'user', content: 'My cat is Bob' }] });
  await openai.responses.create({ model, input: 'I like gates', conversation: conversation.id });
  const running = await openai.responses.create({ model: 'gemini/stall-after-1', input: 'a long story', background: true });
  const anthropic = new Anthropic({ baseURL: before.server.url, apiKey: TEST_KEY, maxRetries: 0 });
  const first = await anthropic.beta.messages.create({
    model,
    max_tokens: 100,
    thread: { type: 'create' },
    messages: [{ role: 'user', content: 'I am in Suzhou' }],
  });
  await before.stop();

  const after = await start();
  const again = openaiFor(after.server);
  expect(await again.responses.retrieve(id)).toMatchObject({ id, status: 'completed' });
  expect((await again.responses.create({ model, input: asks, previous_response_id: id })).output_text).toContain('My name is Ada');
  expect((await again.responses.create({ model, input: asks, conversation: conversation.id })).output_text).toContain('I like gates');
  expect(await again.responses.retrieve(running.id)).toMatchObject({ status: 'failed' });
  const second = await new Anthropic({ baseURL: after.server.url, apiKey: TEST_KEY, maxRetries: 0 }).beta.messages.create({
    model,
    max_tokens: 100,
    thread: { type: 'continue', previous_message_id: first.id },
    messages: [{ role: 'user', content: asks }],
  });
  expect(JSON.stringify(second.content)).toContain('I am in Suzhou');
  await after.stop();
  expect(troubles).toEqual([]);
});
