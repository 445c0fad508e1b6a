import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../server.ts';
import { openaiFor, OTHER_KEY, twoClients, until, UPSTREAMS } from './clients.ts';

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

const inputOf = (compacted: OpenAI.Responses.CompactedResponse): OpenAI.Responses.ResponseInput =>
  compacted.output as OpenAI.Responses.ResponseInput;

describe('a compacted window', () => {
  it.each(UPSTREAMS)('of %s goes on at every other provider', async (protocol) => {
    const first = await openai.responses.create({ model: `${protocol}/chat`, input: 'My name is Ada' });
    const compacted = await openai.responses.compact({ model: `${protocol}/chat`, previous_response_id: first.id });
    expect(compacted.object).toBe('response.compaction');
    expect(compacted.usage.total_tokens).toBeGreaterThan(0);
    expect(compacted.output.map((item) => item.type)).toEqual(['message', 'compaction']);
    expect(JSON.stringify(compacted.output.at(-1))).not.toContain('Ada');
    for (const other of UPSTREAMS) {
      const input = [...inputOf(compacted), { role: 'user' as const, content: 'What did I say before?' }];
      const next = await openai.responses.create({ model: `${other}/echo`, input, store: false });
      // The echo model says back everything that the user said since the last answer: what is opened stands there.
      expect(next.status).toBe('completed');
    }
  });

  it('hands the summary on, and only to the key that it was made for', async () => {
    const answer = (content: string) => ({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
    });
    const upstream = await startUpstream(json(answer('ADA LIKES GATES')));
    const own = await startTestServer({
      ...twoClients({ key: TEST_KEY }),
      providers: { them: { preset: 'openai-compatible', key: 'x', baseUrl: `${upstream.url}/v1` } },
    });
    const client = openaiFor(own);
    const input: OpenAI.Responses.ResponseInput = [
      { role: 'user', content: 'I am Ada' },
      { type: 'function_call', call_id: 'call_open', name: 'look', arguments: '{}' },
    ];
    const compacted = await client.responses.compact({ model: 'them/m', input, instructions: 'Be brief' });
    const asked = JSON.parse(upstream.seen[0]?.body ?? '{}') as { messages: { role: string; content: unknown }[] };
    expect(JSON.stringify(asked.messages)).toMatch(/Be brief.*I am Ada.*Called look.*Sum up this conversation/);
    expect(compacted.usage).toMatchObject({ input_tokens: 5, output_tokens: 7 });
    const next = [...inputOf(compacted), { role: 'user' as const, content: 'Go on' }];
    await client.responses.create({ model: 'them/m', input: next });
    expect(upstream.seen[1]?.body).toMatch(/I am Ada.*ADA LIKES GATES.*Go on/);
    expect(upstream.seen[1]?.body).not.toContain('pailou-compaction');
    await expect(openaiFor(own, OTHER_KEY).responses.create({ model: 'them/m', input: next })).rejects.toMatchObject({
      status: 400,
      param: 'input[1].encrypted_content',
    });
    upstream.answer = json(answer(''));
    await expect(client.responses.compact({ model: 'them/m', input })).rejects.toMatchObject({ status: 502, code: 'compaction_empty' });
    upstream.answer = json({ error: { message: 'slow down' } }, 429);
    await expect(client.responses.compact({ model: 'them/m', input })).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    expect(own.defects).toEqual([]);
    await own.close();
    await upstream.close();
  });

  it.each(UPSTREAMS)('is asked for by a trigger over %s, and shortens what follows', async (protocol) => {
    const model = `${protocol}/chat`;
    const first = await openai.responses.create({ model, input: 'My name is Ada' });
    const trigger = { type: 'compaction_trigger' as const };
    const whole = await openai.responses.create({ model, input: [trigger], previous_response_id: first.id });
    expect(whole).toMatchObject({ status: 'completed', previous_response_id: first.id, output: [{ type: 'compaction' }] });
    expect(whole.usage?.total_tokens).toBeGreaterThan(0);
    const types: string[] = [];
    for await (const event of await openai.responses.create({ model, input: [{ role: 'user', content: 'x' }, trigger], stream: true }))
      types.push(event.type);
    expect(types).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.output_item.done',
      'response.completed',
    ]);
    const bare = await openai.responses.create({ model, input: [{ role: 'user', content: 'x' }, trigger], store: false });
    expect(bare.output).toMatchObject([{ type: 'compaction' }]);
    const next = await openai.responses.create({ model, input: 'Go on', previous_response_id: whole.id });
    expect(next.status).toBe('completed');
    await expect(openai.responses.create({ model, input: [trigger, { role: 'user', content: 'x' }] })).rejects.toMatchObject({
      param: 'input[0]',
    });
    await expect(
      openai.responses.create({ model: `${protocol}/status-429`, input: [{ role: 'user', content: 'x' }, trigger] }),
    ).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    const { id } = await openai.responses.create({ model, input: [{ role: 'user', content: 'x' }, trigger], background: true });
    const done = await until(async () => {
      const response = await openai.responses.retrieve(id);
      return response.status === 'completed' ? response : undefined;
    });
    expect(done.output).toMatchObject([{ type: 'compaction' }]);
  });

  it('stands for what went before it, here and at its maker', async () => {
    const item = (text: string) => ({
      id: `msg_${text}`,
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text, annotations: [] }],
    });
    const reply = (output: readonly object[]) =>
      json({ id: 'resp_x', object: 'response', created_at: 1, status: 'completed', model: 'm', output, usage: null });
    const upstream = await startUpstream(reply([item('SAID')]));
    const chat = await startUpstream(
      json({
        id: 'c',
        object: 'chat.completion',
        created: 1,
        model: 'm',
        choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
      }),
    );
    const own = await startTestServer({
      providers: {
        them: { preset: 'openai', key: 'x', baseUrl: `${upstream.url}/v1`, protocols: ['openai-responses'] },
        others: { preset: 'openai-compatible', key: 'x', baseUrl: `${chat.url}/v1` },
      },
    });
    const client = openaiFor(own);
    const last = () => upstream.seen.at(-1)?.body ?? '';
    const first = await client.responses.create({ model: 'them/m', input: 'ASKED' });
    upstream.answer = reply([item('SUMMARY')]);
    const ours = await client.responses.create({
      model: 'them/m',
      input: [{ type: 'compaction_trigger' }],
      previous_response_id: first.id,
    });
    upstream.answer = reply([{ id: 'cmp_1', type: 'compaction', encrypted_content: 'theirs' }, item('LATER')]);
    const second = await client.responses.create({ model: 'them/m', input: 'MORE', previous_response_id: ours.id });
    expect(last()).toMatch(/ASKED.*SUMMARY.*MORE/);
    expect(last()).not.toContain('SAID');
    await client.responses.create({ model: 'them/m', input: 'END', previous_response_id: second.id });
    expect(JSON.parse(last()).input).toMatchObject([
      { type: 'compaction', encrypted_content: 'theirs' },
      { role: 'assistant' },
      { role: 'user' },
    ]);
    await client.responses.create({ model: 'others/m', input: 'END', previous_response_id: second.id });
    expect(chat.seen[0]?.body).toMatch(/ASKED.*SUMMARY.*MORE.*LATER.*END/);
    expect(chat.seen[0]?.body).not.toContain('theirs');
    expect(own.defects).toEqual([]);
    await own.close();
    await upstream.close();
    await chat.close();
  });

  it.each([
    { name: 'no model', body: { input: 'x' }, param: 'model' },
    { name: 'nothing to compact', body: { model: 'sandbox/chat' }, param: 'input' },
    { name: 'an unknown response', body: { model: 'sandbox/chat', previous_response_id: 'resp_none' }, param: 'previous_response_id' },
  ])('is refused for $name', async ({ body, param }) => {
    const answer = await fetch(`${server.url}/v1/responses/compact`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}` },
      body: JSON.stringify(body),
    });
    expect({ status: answer.status, body: await answer.json() }).toMatchObject({ status: 400, body: { error: { param } } });
  });
});
