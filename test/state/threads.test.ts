import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, TEST_KEY, testConfig, type TestServer } from '../server.ts';
import { OTHER_KEY, twoClients, UPSTREAMS } from './clients.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer(twoClients({ key: TEST_KEY }));
});
afterAll(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
});

const anthropicFor = (at: TestServer, key = at.key): Anthropic => new Anthropic({ baseURL: at.url, apiKey: key, maxRetries: 0 });
const textOf = (message: Anthropic.Beta.BetaMessage): string =>
  message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');

const weather = (results: string[]) => ({
  type: 'custom' as const,
  name: 'get_weather',
  description: 'The weather',
  input_schema: { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] },
  parse: (input: unknown) => input as { city: string },
  run: ({ city }: { city: string }) => {
    results.push(city);
    return `${city}: 21 degrees`;
  },
});

describe.each(UPSTREAMS)('message threads over %s', (protocol) => {
  const model = `${protocol}/chat`;

  it('are continued with the new turn only, whole and streamed', async () => {
    const thread = anthropicFor(server).beta.messages.thread({ model, max_tokens: 200, system: 'Be brief' });
    await thread.send({ role: 'user', content: 'My name is Ada' });
    const second = await thread.send({ role: 'user', content: 'What did I say before?' });
    expect(textOf(second)).toContain('My name is Ada');
    const streamed = await thread.stream({ role: 'user', content: 'My cat is Bob' }).finalMessage();
    const last = await thread.send({ role: 'user', content: 'What did I say before?' });
    expect(textOf(last)).toContain('My cat is Bob');
    expect(new Set([second.id, streamed.id, last.id]).size).toBe(3);
  });

  it.each([false, true])('carry the tool runner (stream: %s)', async (stream) => {
    const ran: string[] = [];
    const runner = anthropicFor(server).beta.messages.toolRunner({
      model,
      max_tokens: 400,
      stream,
      tools: [weather(ran)],
      messages: [{ role: 'user', content: 'Look: [[call get_weather {"city":"Suzhou"}]] [[call get_weather {"city":"Hangzhou"}]]' }],
    });
    const last = await runner.runUntilDone();
    expect(ran.toSorted()).toEqual(['Hangzhou', 'Suzhou']);
    expect(textOf(last)).toContain('21');
  });
});

describe('a thread', () => {
  const model = 'openai-chat/chat';
  const create = { model, max_tokens: 100, thread: { type: 'create' as const } };
  const messages: Anthropic.Beta.BetaMessageParam[] = [{ role: 'user', content: 'My name is Ada' }];
  const started = (): Promise<Anthropic.Beta.BetaMessage> => anthropicFor(server).beta.messages.create({ ...create, messages });
  const continuing = (id: string) => ({ model, max_tokens: 100, thread: { type: 'continue' as const, previous_message_id: id }, messages });

  it('that is unknown is thread_not_found', async () => {
    await expect(anthropicFor(server).beta.messages.create(continuing('msg_none'))).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    await expect(anthropicFor(server).beta.messages.create(continuing('msg_none'))).rejects.toMatchObject({
      status: 404,
      error: { error: { type: 'not_found_error', details: { error_code: 'thread_not_found' } } },
    });
  });

  it('of one key is not found by another', async () => {
    const { id } = await started();
    await expect(anthropicFor(server, OTHER_KEY).beta.messages.create(continuing(id))).rejects.toMatchObject({ status: 404 });
  });

  it('cannot be continued twice from one message', async () => {
    const { id } = await started();
    await anthropicFor(server).beta.messages.create(continuing(id));
    await expect(anthropicFor(server).beta.messages.create(continuing(id))).rejects.toMatchObject({
      status: 400,
      error: { error: { details: { error_code: 'thread_already_continued' } } },
    });
  });

  it('is continued by one request at a time', async () => {
    const { id } = await started();
    const client = anthropicFor(server);
    const both = await Promise.allSettled([
      client.beta.messages.create({ ...continuing(id), model: 'openai-chat/slow-headers-100ms' }),
      client.beta.messages.create({ ...continuing(id), model: 'openai-chat/slow-headers-100ms' }),
    ]);
    const refused = both.find((one) => one.status === 'rejected');
    expect(both.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    expect(refused?.reason).toMatchObject({ status: 400, error: { error: { details: { error_code: 'thread_continue_in_flight' } } } });
  });

  it('keeps its system and tools', async () => {
    const { id } = await anthropicFor(server).beta.messages.create({ ...create, messages, system: 'Be brief' });
    await expect(anthropicFor(server).beta.messages.create({ ...continuing(id), system: 'Be long' })).rejects.toMatchObject({
      status: 400,
      error: { error: { details: { error_code: 'thread_fingerprint_mismatch' } } },
    });
    await anthropicFor(server).beta.messages.create({ ...continuing(id), system: 'Be brief' });
  });

  it('is refused, not ignored, where nothing is kept', async () => {
    const { limits } = testConfig();
    const own = await startTestServer({ limits: { ...limits, storedBytes: 0 } });
    await expect(anthropicFor(own).beta.messages.create({ ...create, model: 'sandbox/chat', messages })).rejects.toMatchObject({
      status: 400,
      error: { error: { details: { error_code: 'thread_unsupported_request', unsupported: [] } } },
    });
    await own.close();
  });

  it.each([{ thread: 7 }, { thread: { type: 'fork' } }, { thread: { type: 'continue' } }])('that is %j is refused', async (wrong) => {
    const body = { ...create, messages, ...wrong } as unknown as Anthropic.Beta.MessageCreateParamsNonStreaming;
    await expect(anthropicFor(server).beta.messages.create(body)).rejects.toMatchObject({ status: 400 });
  });

  it('that is null is none', async () => {
    const { thread: _thread, ...rest } = create;
    const message = await anthropicFor(server).beta.messages.create({ ...rest, messages, thread: null });
    expect(textOf(message)).toMatch(/Ada/);
  });

  it('goes to a provider of this protocol whole, without its flag, cache marks of old turns, or the field', async () => {
    const reply = {
      id: 'msg_theirs',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [
        { type: 'thinking', thinking: 'hm', signature: 'signed' },
        { type: 'text', text: 'Hi' },
      ],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 1, output_tokens: 1 },
    };
    const upstream = await startUpstream(json(reply));
    const own = await startTestServer({ providers: { them: { preset: 'anthropic', key: 'x', baseUrl: upstream.url } } });
    const thread = anthropicFor(own).beta.messages.thread({
      model: 'them/m',
      max_tokens: 9,
      system: 'S',
      betas: ['context-1m-2025-08-07'],
    });
    const marked = (text: string) => ({
      role: 'user' as const,
      content: [{ type: 'text' as const, text, cache_control: { type: 'ephemeral' as const } }],
    });
    const first = await thread.send(marked('a'));
    expect(first.id).not.toBe('msg_theirs');
    await thread.send(marked('b'));
    const [, second] = upstream.seen;
    expect(second?.headers['anthropic-beta']).toBe('context-1m-2025-08-07');
    expect(JSON.parse(second?.body ?? '')).toEqual({
      model: 'm',
      max_tokens: 9,
      stream: false,
      system: 'S',
      messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }, { role: 'assistant', content: reply.content }, marked('b')],
    });
    expect(own.defects).toEqual([]);
    await own.close();
    await upstream.close();
  });
});
