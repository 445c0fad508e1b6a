import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryStateStore } from '../../src/state/memory-store.ts';
import { startTestServer, TEST_KEY, testConfig, type TestServer } from '../server.ts';
import { openaiFor, OTHER_KEY, twoClients, until } from './clients.ts';

let server: TestServer;
let openai: OpenAI;
beforeAll(async () => {
  server = await startTestServer(twoClients({ key: TEST_KEY }));
  openai = openaiFor(server);
});
afterAll(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
});

const model = 'anthropic-messages/chat';
const SLOW = 'anthropic-messages/slow-20ms';
const STORY = 'a long story please';

const isOver = (response: OpenAI.Responses.Response): boolean => response.status !== 'queued' && response.status !== 'in_progress';
const done = (client: OpenAI, id: string): Promise<OpenAI.Responses.Response> =>
  until(async () => {
    const response = await client.responses.retrieve(id);
    return isOver(response) ? response : undefined;
  });

describe('responses in the background', () => {
  it('are answered at once, polled, and continued', async () => {
    const queued = await openai.responses.create({ model, input: 'My name is Ada', background: true });
    expect(queued).toMatchObject({ status: 'queued', background: true, output: [], object: 'response' });
    expect(await done(openai, queued.id)).toMatchObject({ id: queued.id, status: 'completed', background: true });
    const next = await openai.responses.create({ model, input: 'What did I say before?', previous_response_id: queued.id });
    expect(next.output_text).toContain('My name is Ada');
  });

  it('cannot be continued before they are done', async () => {
    const { id } = await openai.responses.create({ model: 'anthropic-messages/stall-after-1', input: STORY, background: true });
    await expect(openai.responses.create({ model, input: 'x', previous_response_id: id })).rejects.toMatchObject({
      status: 400,
      code: 'previous_response_not_finished',
    });
    await openai.responses.cancel(id);
  });

  it('go on when their client has left, and are read again from where it was', async () => {
    const stream = await openai.responses.create({ model: SLOW, input: STORY, background: true, stream: true });
    let id = '';
    let last = -1;
    const texts: string[] = [];
    for await (const event of stream) {
      if (event.type === 'response.created') id = event.response.id;
      if (event.type === 'response.output_text.delta') texts.push(event.delta);
      last = event.sequence_number;
      if (texts.length === 2) break;
    }
    let final: OpenAI.Responses.Response | undefined;
    for await (const event of await openai.responses.retrieve(id, { stream: true, starting_after: last })) {
      expect(event.sequence_number).toBe(++last);
      if (event.type === 'response.output_text.delta') texts.push(event.delta);
      if (event.type === 'response.completed') final = event.response;
    }
    const kept = await openai.responses.retrieve(id);
    expect(kept.status).toBe('completed');
    expect(texts.join('')).toBe(kept.output_text);
    expect(final?.output).toEqual(kept.output);
    const again: string[] = [];
    for await (const event of await openai.responses.retrieve(id, { stream: true })) again.push(event.type);
    expect(again.filter((type) => type === 'response.output_text.delta')).toHaveLength(texts.length);
  });

  it('are cancelled, and stay so', async () => {
    const { id } = await openai.responses.create({ model: 'anthropic-messages/stall-after-1', input: STORY, background: true });
    expect(await openai.responses.cancel(id)).toMatchObject({ id, status: 'cancelled' });
    expect(await openai.responses.cancel(id)).toMatchObject({ status: 'cancelled' });
    expect(await openai.responses.retrieve(id)).toMatchObject({ status: 'cancelled', background: true });
    const record = await until(() =>
      Promise.resolve(server.records.find((one) => one.model === 'stall-after-1' && one.endedBy === 'client')),
    );
    expect(record.status).toBe(200);
  });

  it('end a reader when they are cancelled', async () => {
    const stream = await openai.responses.create({
      model: 'anthropic-messages/stall-after-1',
      input: STORY,
      background: true,
      stream: true,
    });
    const types: string[] = [];
    await expect(
      (async () => {
        for await (const event of stream) {
          types.push(event.type);
          if (event.type === 'response.created') await openai.responses.cancel(event.response.id);
        }
      })(),
    ).resolves.toBeUndefined();
    expect(types.at(-1)).toBe('response.failed');
    expect(types).not.toContain('response.completed');
  });

  it('fail with the reason', async () => {
    const { id } = await openai.responses.create({ model: 'anthropic-messages/status-529', input: 'x', background: true });
    expect(await done(openai, id)).toMatchObject({ status: 'failed', error: { message: expect.stringMatching(/\w/) } });
    const broken = await openai.responses.create({ model: 'anthropic-messages/cut-after-2', input: STORY, background: true });
    expect(await done(openai, broken.id)).toMatchObject({ status: 'failed', error: { message: expect.stringMatching(/\w/) } });
  });

  it('are refused cancellation when they are not in the background', async () => {
    const { id } = await openai.responses.create({ model, input: 'x' });
    await expect(openai.responses.cancel(id)).rejects.toMatchObject({ status: 400, code: 'response_not_cancellable' });
  });

  it('are deleted while they run', async () => {
    const { id } = await openai.responses.create({ model: 'anthropic-messages/stall-after-1', input: STORY, background: true });
    await openai.responses.delete(id);
    await expect(openai.responses.retrieve(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it('of one key are 404 for another', async () => {
    const { id } = await openai.responses.create({ model: 'anthropic-messages/stall-after-1', input: STORY, background: true });
    await expect(openaiFor(server, OTHER_KEY).responses.retrieve(id, { stream: true })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await openai.responses.cancel(id);
  });
});

describe('a restart', () => {
  it('leaves what was not done as failed, once its maker gave no sign for a while', async () => {
    let now = Date.now();
    const store = createMemoryStateStore(
      () => testConfig().limits,
      () => now,
    );
    const clock = { now: () => now, monotonic: () => performance.now() };
    const before = await startTestServer(twoClients({ key: TEST_KEY }), store, clock);
    const { id } = await openaiFor(before).responses.create({ model: 'anthropic-messages/stall-after-1', input: STORY, background: true });
    const after = await startTestServer(twoClients({ key: TEST_KEY }), store, clock);
    expect((await openaiFor(after).responses.retrieve(id)).status).toMatch(/queued|in_progress/);
    now += 60_000;
    expect(await openaiFor(after).responses.retrieve(id)).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('stopped') },
    });
    await after.close();
    await before.close();
  });

  it('that is asked for ends them as failed', async () => {
    const store = createMemoryStateStore(
      () => testConfig().limits,
      () => Date.now(),
    );
    const before = await startTestServer(twoClients({ key: TEST_KEY }), store);
    const { id } = await openaiFor(before).responses.create({ model: 'anthropic-messages/stall-after-1', input: STORY, background: true });
    await before.close();
    const after = await startTestServer(twoClients({ key: TEST_KEY }), store);
    expect(await openaiFor(after).responses.retrieve(id)).toMatchObject({ status: 'failed' });
    await after.close();
  });
});
