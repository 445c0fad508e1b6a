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

const ASKS = 'What did I say before?';

describe.each(UPSTREAMS)('responses over %s', (protocol) => {
  const model = `${protocol}/chat`;

  it('continue one another, whole and streamed', async () => {
    const first = await openai.responses.create({ model, input: 'My name is Ada' });
    const second = await openai.responses.create({ model, input: ASKS, previous_response_id: first.id });
    expect(second.output_text).toContain('My name is Ada');
    expect(second).toMatchObject({ previous_response_id: first.id, store: true, background: false, status: 'completed' });
    const stream = openai.responses.stream({ model, input: 'And my cat is Bob', previous_response_id: second.id });
    const third = await stream.finalResponse();
    expect(third).toMatchObject({ previous_response_id: second.id, status: 'completed' });
    const items = await openai.responses.inputItems.list(third.id, { order: 'asc' });
    expect(items.data.map((item) => ('role' in item ? item.role : item.type))).toEqual(['user', 'assistant', 'user', 'assistant', 'user']);
    const { output_text: _text, ...wire } = await openai.responses.retrieve(third.id);
    expect(third).toMatchObject(wire);
  });

  it('keep a tool call for its result', async () => {
    const tools: OpenAI.Responses.Tool[] = [
      { type: 'function', name: 'get_weather', strict: false, parameters: { type: 'object', properties: { city: { type: 'string' } } } },
    ];
    const first = await openai.responses.create({ model, input: 'Look: [[call get_weather {"city":"Suzhou"}]]', tools });
    const call = first.output.find((item) => item.type === 'function_call');
    expect(call?.arguments).toContain('Suzhou');
    const output = { type: 'function_call_output' as const, call_id: call?.call_id ?? '', output: '{"degrees":21}' };
    const second = await openai.responses.create({ model, input: [output], tools, previous_response_id: first.id });
    expect(second.output_text).toContain('21');
  });

  it('keep sealed reasoning for its maker', async () => {
    const first = await openai.responses.create({
      model,
      input: 'Hi [[think]]',
      include: ['reasoning.encrypted_content'],
      reasoning: { effort: 'high' },
    });
    const reasoning = first.output.find((item) => item.type === 'reasoning');
    const kept = (await openai.responses.retrieve(first.id)).output.find((item) => item.type === 'reasoning');
    expect(kept?.encrypted_content).toBe(reasoning?.encrypted_content);
    // The sandbox answers 400 to a seal of its own that was changed.
    const second = await openai.responses.create({ model, input: ASKS, previous_response_id: first.id });
    expect(second.status).toBe('completed');
  });

  it('that fail in the middle are kept as failed', async () => {
    const stream = await openai.responses.create({ model: `${protocol}/error-after-3`, input: 'a long story please', stream: true });
    let id = '';
    await expect(
      (async () => {
        for await (const event of stream) if (event.type === 'response.created') id = event.response.id;
      })(),
    ).rejects.toThrow();
    expect(await openai.responses.retrieve(id)).toMatchObject({ id, status: 'failed', error: { message: expect.any(String) } });
  });

  it('that are cut short are kept as incomplete, and can be continued', async () => {
    const first = await openai.responses.create({ model, input: 'Tell me a long story about gates', max_output_tokens: 16 });
    expect(first.status).toBe('incomplete');
    expect(await openai.responses.retrieve(first.id)).toMatchObject({ status: 'incomplete' });
    const second = await openai.responses.create({ model, input: ASKS, previous_response_id: first.id });
    expect(second.output_text).toContain('Tell me a long story');
  });
});

describe('stored responses', () => {
  const model = 'anthropic-messages/chat';

  it('with store: false are not there', async () => {
    const first = await openai.responses.create({ model, input: 'My name is Ada', store: false });
    await expect(openai.responses.retrieve(first.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(openai.responses.create({ model, input: ASKS, previous_response_id: first.id })).rejects.toMatchObject({
      status: 400,
      code: 'previous_response_not_found',
      param: 'previous_response_id',
    });
  });

  it('may be continued by one that is not stored', async () => {
    const first = await openai.responses.create({ model, input: 'My name is Ada' });
    const second = await openai.responses.create({ model, input: ASKS, previous_response_id: first.id, store: false });
    expect(second.output_text).toContain('My name is Ada');
    expect(second).toMatchObject({ store: false });
    await expect(openai.responses.retrieve(second.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it('of one key are 404 for another', async () => {
    const { id } = await openai.responses.create({ model, input: 'mine' });
    const other = openaiFor(server, OTHER_KEY);
    await expect(other.responses.retrieve(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(other.responses.inputItems.list(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(other.responses.delete(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(other.responses.cancel(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(other.responses.create({ model, input: 'x', previous_response_id: id })).rejects.toMatchObject({
      code: 'previous_response_not_found',
    });
    expect((await openai.responses.retrieve(id)).id).toBe(id);
  });

  it('are gone once deleted', async () => {
    const { id } = await openai.responses.create({ model, input: 'x' });
    await openai.responses.delete(id);
    await expect(openai.responses.retrieve(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(openai.responses.delete(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it('are told as a stream, from any place', async () => {
    const { id } = await openai.responses.create({ model, input: 'say 牌楼' });
    const types: string[] = [];
    for await (const event of await openai.responses.retrieve(id, { stream: true })) types.push(event.type);
    expect(types).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.output_item.done',
      'response.completed',
    ]);
    const late: string[] = [];
    for await (const event of await openai.responses.retrieve(id, { stream: true, starting_after: 500 })) late.push(event.type);
    expect(late).toEqual(['response.completed']);
  });

  it('are answered to an item_reference', async () => {
    const first = await openai.responses.create({ model, input: 'My name is Ada' });
    const input: OpenAI.Responses.ResponseInput = [
      { role: 'user', content: 'My cat is Bob' },
      { type: 'item_reference', id: first.output[0]?.id ?? '' },
      { role: 'user', content: ASKS },
    ];
    expect((await openai.responses.create({ model, input, store: false })).output_text).toContain('My cat is Bob');
    await expect(openai.responses.create({ model, input: [{ type: 'item_reference', id: 'msg_none' }] })).rejects.toMatchObject({
      status: 400,
      param: 'input[0]',
      code: 'item_not_found',
    });
  });

  it('are counted with what they continue', async () => {
    const first = await openai.responses.create({ model, input: 'My name is Ada and I like gates '.repeat(20) });
    const input = 'What did I say before?';
    const alone = await openai.responses.inputTokens.count({ model: 'gemini/chat', input });
    const whole = await openai.responses.inputTokens.count({ model: 'gemini/chat', input, previous_response_id: first.id });
    expect(whole.input_tokens).toBeGreaterThan(alone.input_tokens + 100);
    const none = openai.responses.inputTokens.count({ model: 'gemini/chat', input, previous_response_id: 'resp_none' });
    await expect(none).rejects.toMatchObject({ code: 'previous_response_not_found' });
  });

  it('say so where nothing is kept', async () => {
    const { limits } = server.app.snapshot().config;
    const own = await startTestServer({ limits: { ...limits, storedDays: 0 } });
    const client = openaiFor(own);
    expect(await client.responses.create({ model: 'sandbox/echo', input: 'x' })).toMatchObject({ store: false, status: 'completed' });
    await expect(client.responses.create({ model: 'sandbox/echo', input: 'x', background: true })).rejects.toMatchObject({
      status: 400,
      param: 'background',
    });
    await own.close();
  });

  it('page their input items', async () => {
    const input = ['one', 'two', 'three', 'four', 'five'].map((content) => ({ role: 'user' as const, content }));
    const { id } = await openai.responses.create({ model, input });
    const textOf = (item: OpenAI.Responses.ResponseItem): string => ('content' in item ? JSON.stringify(item.content) : '');
    const seen: string[] = [];
    for await (const item of openai.responses.inputItems.list(id, { limit: 2, order: 'asc' })) seen.push(textOf(item));
    expect(seen.map((text) => /one|two|three|four|five/.exec(text)?.[0])).toEqual(['one', 'two', 'three', 'four', 'five']);
    const page = await openai.responses.inputItems.list(id, { limit: 2 });
    expect(page.data.map(textOf).join()).toMatch(/five.*four/);
    expect(page.has_more).toBe(true);
    await expect(openai.responses.inputItems.list(id, { limit: 1000 })).rejects.toMatchObject({ status: 400, param: 'limit' });
    await expect(openai.responses.inputItems.list(id, { after: 'msg_none' })).rejects.toMatchObject({ status: 400, param: 'after' });
  });

  it.each([
    {
      name: 'two things to continue',
      body: { previous_response_id: 'resp_a', conversation: 'conv_b' },
      status: 400,
      param: 'conversation',
    },
    { name: 'background without store', body: { background: true, store: false }, status: 400, param: 'background' },
    { name: 'an id that is a number', body: { previous_response_id: 7 }, status: 400, param: 'previous_response_id' },
    { name: 'an unknown conversation', body: { conversation: 'conv_none' }, status: 404, param: 'conversation' },
    { name: 'an item that is a number', body: { input: [7] }, status: 400, param: 'input[0]' },
  ])('refuse $name', async ({ body, status, param }) => {
    const answer = await fetch(`${server.url}/v1/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, input: 'x', ...body }),
    });
    expect({ status: answer.status, body: await answer.json() }).toMatchObject({ status, body: { error: { param } } });
  });

  it.each([
    ['PUT', '/v1/responses/resp_x', 405],
    ['GET', '/v1/responses/resp_x/cancel', 405],
    ['GET', '/v1/responses/resp_x/nothing', 404],
    ['GET', '/v1/responses/compact', 405],
    ['GET', '/v1/conversations', 405],
    ['GET', '/v1/conversations/conv_x/things', 404],
  ])('%s %s is %i', async (method, path, status) => {
    const answer = await fetch(server.url + path, { method, headers: { authorization: `Bearer ${server.key}` } });
    expect(answer.status).toBe(status);
  });
});

describe('what a provider of the same protocol is sent', () => {
  const reply = (body: object) => ({
    id: 'resp_theirs',
    object: 'response',
    created_at: 1,
    status: 'completed',
    model: 'm',
    output: [],
    store: false,
    ...body,
  });
  const said = {
    id: 'msg_theirs',
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text: 'Hi', annotations: [] }],
  };
  const thought = { id: 'rs_theirs', type: 'reasoning', summary: [], encrypted_content: 'sealed' };
  const bare = { id: 'rs_bare', type: 'reasoning', summary: [{ type: 'summary_text', text: 'x' }] };

  it('is everything, without state or ids of its own, and its reply gets the ids of the gateway', async () => {
    const upstream = await startUpstream(json(reply({ output: [thought, bare, said], unheard_of: 7 })));
    const own = await startTestServer({
      providers: { them: { preset: 'openai', key: 'x', baseUrl: `${upstream.url}/v1`, protocols: ['openai-responses'] } },
    });
    const client = openaiFor(own);
    const first = await client.responses.create({ model: 'them/gpt-5', input: 'a', instructions: 'Be brief' });
    expect(first).toMatchObject({ id: expect.stringMatching(/^resp_(?!theirs)/), store: true, unheard_of: 7 });
    await client.responses.create({ model: 'them/gpt-4o', input: 'b', previous_response_id: first.id });
    const bodies = upstream.seen.map((seen) => JSON.parse(seen.body) as Record<string, unknown>);
    expect(bodies[0]).toMatchObject({ store: false, include: ['reasoning.encrypted_content'], instructions: 'Be brief' });
    const { id: _id, ...nameless } = said;
    expect(bodies[1]).toEqual({
      model: 'gpt-4o',
      store: false,
      input: [
        { type: 'message', role: 'user', status: 'completed', content: [{ type: 'input_text', text: 'a' }] },
        thought,
        nameless,
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'b' }] },
      ],
    });
    expect(own.defects).toEqual([]);
    await own.close();
    await upstream.close();
  });

  it('may break in the middle of a large reply: the client is told, and nothing is kept', async () => {
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(`{"id":"resp_theirs","output":"${'x'.repeat(500_000)}`, () => response.socket?.resetAndDestroy());
    });
    const own = await startTestServer({
      providers: { them: { preset: 'openai', key: 'x', baseUrl: `${upstream.url}/v1`, protocols: ['openai-responses'] } },
    });
    await expect(openaiFor(own).responses.create({ model: 'them/gpt-5', input: 'a' })).rejects.toMatchObject({ status: 502 });
    expect(own.defects).toEqual([]);
    await own.close();
    await upstream.close();
  });
});
