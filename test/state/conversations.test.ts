import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../server.ts';
import { openaiFor, OTHER_KEY, twoClients, UPSTREAMS } from './clients.ts';

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

describe('conversations', () => {
  it.each(UPSTREAMS)('grow with each response over %s', async (protocol) => {
    const model = `${protocol}/chat`;
    const { id } = await openai.conversations.create({ items: [{ role: 'user', content: 'My cat is Bob' }], metadata: { topic: 'cats' } });
    await openai.responses.create({ model, input: 'My name is Ada', conversation: id });
    const last = await openai.responses.create({ model, input: 'What did I say before?', conversation: { id } });
    expect(last.output_text).toContain('My name is Ada');
    expect(last.conversation).toEqual({ id });
    const items = await openai.conversations.items.list(id, { order: 'asc' });
    expect(items.data.map((item) => ('role' in item ? item.role : item.type))).toEqual(['user', 'user', 'assistant', 'user', 'assistant']);
    // A response knows what stood before it, not what came after.
    const first = await openai.responses.inputItems.list(last.id, { order: 'asc' });
    expect(first.data).toHaveLength(4);
  });

  it('are read, changed and deleted', async () => {
    const made = await openai.conversations.create({ metadata: { a: '1' } });
    expect(made).toMatchObject({ object: 'conversation', metadata: { a: '1' } });
    expect(await openai.conversations.update(made.id, { metadata: { b: '2' } })).toMatchObject({ id: made.id, metadata: { b: '2' } });
    expect(await openai.conversations.retrieve(made.id)).toMatchObject({ id: made.id, created_at: made.created_at, metadata: { b: '2' } });
    expect(await openai.conversations.delete(made.id)).toEqual({ id: made.id, object: 'conversation.deleted', deleted: true });
    await expect(openai.conversations.retrieve(made.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it('have items that are added, read and deleted one by one', async () => {
    const { id } = await openai.conversations.create();
    const added = await openai.conversations.items.create(id, {
      items: [
        { role: 'user', content: 'one' },
        { type: 'message', id: 'msg_mine', role: 'user', content: [{ type: 'input_text', text: 'two' }] },
      ] as OpenAI.Responses.ResponseInputItem[],
    });
    expect(added.data).toMatchObject([
      { type: 'message', status: 'completed', content: [{ type: 'input_text', text: 'one' }] },
      { id: 'msg_mine' },
    ]);
    expect(await openai.conversations.items.retrieve('msg_mine', { conversation_id: id })).toMatchObject({ id: 'msg_mine' });
    await openai.conversations.items.delete('msg_mine', { conversation_id: id });
    await expect(openai.conversations.items.retrieve('msg_mine', { conversation_id: id })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    const left = await openai.conversations.items.list(id);
    expect(left.data.map((item) => item.id)).toEqual([added.first_id]);
  });

  it('take one response at a time', async () => {
    const { id } = await openai.conversations.create();
    const ask = (input: string) => openai.responses.create({ model: 'gemini/slow-headers-100ms', input, conversation: id });
    const both = await Promise.allSettled([ask('one'), ask('two')]);
    expect(both.map((one) => one.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(both.find((one) => one.status === 'rejected')?.reason).toMatchObject({ status: 409, code: 'conversation_locked' });
    const background = await openai.responses.create({
      model: 'gemini/stall-after-1',
      input: 'a long story',
      conversation: id,
      background: true,
    });
    await expect(ask('three')).rejects.toBeInstanceOf(OpenAI.ConflictError);
    await openai.responses.cancel(background.id);
    expect((await ask('four')).status).toBe('completed');
    await expect(openai.responses.create({ model: 'gemini/status-400', input: 'x', conversation: id })).rejects.toMatchObject({
      status: 400,
    });
    expect((await openai.conversations.items.list(id)).data).toHaveLength(4);
  });

  it('keep items apart whose provider gives the same id twice', async () => {
    const item = {
      id: 'msg_0',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'Hi', annotations: [] }],
    };
    const upstream = await startUpstream(
      json({ id: 'resp_0', object: 'response', created_at: 1, status: 'completed', model: 'm', output: [item], usage: null }),
    );
    const own = await startTestServer({
      providers: { them: { preset: 'openai', key: 'x', baseUrl: `${upstream.url}/v1`, protocols: ['openai-responses'] } },
    });
    const client = openaiFor(own);
    const { id } = await client.conversations.create();
    for (const input of ['one', 'two']) await client.responses.create({ model: 'them/m', input, conversation: id });
    const { data } = await client.conversations.items.list(id, { order: 'asc' });
    expect(data.map((one) => ('role' in one ? one.role : ''))).toEqual(['user', 'assistant', 'user', 'assistant']);
    expect(new Set(data.map((one) => one.id)).size).toBe(4);
    expect(JSON.parse(upstream.seen[1]?.body ?? '').input).toHaveLength(3);
    await own.close();
    await upstream.close();
  });

  it('of one key are 404 for another', async () => {
    const { id } = await openai.conversations.create({ items: [{ role: 'user', content: 'mine' }] });
    const other = openaiFor(server, OTHER_KEY);
    await expect(other.conversations.retrieve(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(other.conversations.items.list(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(other.conversations.delete(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(other.responses.create({ model: 'sandbox/echo', input: 'x', conversation: id })).rejects.toBeInstanceOf(
      OpenAI.NotFoundError,
    );
  });

  it.each(['/v1/conversations', '/v1/conversations/conv_x/items', '/v1/responses/compact', '/v1/responses'])(
    '%s refuses what is nested too deeply',
    async (path) => {
      const answer = await fetch(server.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${server.key}` },
        body: `{"model":"sandbox/echo","items":${'['.repeat(5000)}${']'.repeat(5000)}}`,
      });
      expect({ status: answer.status, body: await answer.json() }).toMatchObject({
        status: 400,
        body: { error: { code: 'body_too_deep' } },
      });
    },
  );

  it.each([
    { name: 'too many items', body: { items: Array.from({ length: 21 }, () => ({ role: 'user', content: 'x' })) }, param: 'items' },
    { name: 'metadata that is not text', body: { metadata: { a: 1 } }, param: 'metadata.a' },
    {
      name: 'too much metadata',
      body: { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`k${at}`, 'v'])) },
      param: 'metadata',
    },
  ])('refuse $name', async ({ body, param }) => {
    const answer = await fetch(`${server.url}/v1/conversations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}` },
      body: JSON.stringify(body),
    });
    expect({ status: answer.status, body: await answer.json() }).toMatchObject({ status: 400, body: { error: { param } } });
  });
});
