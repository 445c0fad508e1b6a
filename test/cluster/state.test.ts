import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { leaveHome, newHome } from '../e2e/program.ts';
import { startUpstream, type FakeUpstream, json } from '../fakes/upstream.ts';
import { chatReply, type CrewServer, jsonOf, KEY, type OneConnection, startCrew, twoWorkers } from './crew.ts';

const REPLY = chatReply('Once');

let home: string;
let server: CrewServer;
let upstream: FakeUpstream;
let one: OneConnection;
let other: OneConnection;
beforeAll(async () => {
  home = await newHome('crew');
  upstream = await startUpstream(json(REPLY));
  server = await startCrew(
    home,
    `providers:\n  mine: { preset: sandbox, protocols: [anthropic-messages] }\n  up: { preset: ollama, baseUrl: "${upstream.url}", protocols: [openai-chat] }`,
  );
});
beforeEach(async () => {
  [one, other] = await twoWorkers(server);
});
afterAll(async () => {
  expect(server.out.stderr).not.toMatch(/"level":"(warn|error)"/);
  await leaveHome(home);
  await upstream.close();
});

/** How often what one worker has written is asked of another at once. */
const ROUNDS = 25;

const textIn = (response: Readonly<Record<string, unknown>>): string => JSON.stringify(response['output']);

describe('what one worker keeps, another has at once:', () => {
  it('responses that are continued', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const [first, second] = round % 2 === 0 ? [one, other] : [other, one];
      const stored = await jsonOf(first.send('POST', '/v1/responses', { model: 'mine/chat', input: `My name is Ada${round}` }));
      const next = { model: 'mine/chat', input: 'What did I say before?', previous_response_id: stored['id'] };
      expect(textIn(await jsonOf(second.send('POST', '/v1/responses', next)))).toContain(`Ada${round}`);
    }
  });

  it('a conversation, with what is added to it', async () => {
    const { id } = await jsonOf(one.send('POST', '/v1/conversations', {}));
    for (let round = 0; round < ROUNDS; round++) {
      const [first, second] = round % 2 === 0 ? [other, one] : [one, other];
      const items = [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: `round ${round}` }] }];
      await jsonOf(first.send('POST', `/v1/conversations/${String(id)}/items`, { items }));
      const { data } = await jsonOf(second.send('GET', `/v1/conversations/${String(id)}/items?limit=100`));
      expect((data as readonly unknown[]).length).toBe(round + 1);
    }
  });

  it('a thread', async () => {
    const headers = { 'x-api-key': KEY };
    const messages = [{ role: 'user', content: 'My name is Ada' }];
    let last = await jsonOf(
      one.send('POST', '/v1/messages', { model: 'mine/chat', max_tokens: 100, thread: { type: 'create' }, messages }, headers),
    );
    for (let round = 0; round < ROUNDS; round++) {
      const thread = { type: 'continue', previous_message_id: last['id'] };
      const body = { model: 'mine/chat', max_tokens: 100, thread, messages: [{ role: 'user', content: 'And then?' }] };
      last = await jsonOf((round % 2 === 0 ? other : one).send('POST', '/v1/messages', body, headers));
    }
  });

  it('sealed state, for a client whose protocol has no place for it', async () => {
    const tools = [
      { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } },
    ];
    const chat = async (by: OneConnection, messages: readonly unknown[]) => {
      const { choices } = await jsonOf(by.send('POST', '/v1/chat/completions', { model: 'mine/chat', messages, tools }));
      const [{ message }] = choices as readonly [{ message: { content: string; tool_calls?: readonly { id: string }[] } }];
      return message;
    };
    for (let round = 0; round < ROUNDS; round++) {
      const [first, second] = round % 2 === 0 ? [one, other] : [other, one];
      const question = { role: 'user', content: `[[think of rain ${round}]] [[call weather {"city":"Paris"}]]` };
      const { tool_calls: calls = [] } = await chat(first, [question]);
      const bare = { role: 'assistant', content: null, tool_calls: calls };
      const result = { role: 'tool', tool_call_id: calls[0]?.id, content: '{"rain":true}' };
      const { content } = await chat(second, [question, bare, result, { role: 'user', content: '[[seals]]' }]);
      expect(content).toBe('own seals: 1, foreign seals: 0');
    }
  });

  it('a response that is continued over a WebSocket', async () => {
    const stored = await jsonOf(one.send('POST', '/v1/responses', { model: 'mine/chat', input: 'My name is Ada' }));
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/responses`, { headers: { authorization: `Bearer ${KEY}` } });
    const events: string[] = [];
    socket.on('message', (data: Buffer) => events.push(data.toString()));
    await new Promise((resolve) => socket.on('open', resolve));
    socket.send(
      JSON.stringify({ type: 'response.create', model: 'mine/chat', input: 'What did I say before?', previous_response_id: stored['id'] }),
    );
    await expect.poll(() => events.find((event) => event.includes('"response.completed"'))).toContain('Ada');
    socket.close();
  });

  it('a picture, by its link, and a task', async () => {
    const made = await jsonOf(
      one.send('POST', '/v1/images/generations', { model: 'sandbox/image', prompt: 'a dot', response_format: 'url' }),
    );
    const [{ url }] = made['data'] as readonly [{ url: string }];
    const { pathname, search } = new URL(url);
    expect((await other.send('GET', pathname + search)).status).toBe(200);
    const task = await jsonOf(one.send('POST', '/v1/images/generations', { model: 'sandbox/image', prompt: 'a dot', async: true }));
    await expect
      .poll(async () => (await jsonOf(other.send('GET', `/v1/images/${String(task['task_id'] ?? task['id'])}`)))['status'])
      .toBe('completed');
  });
});

describe('what may be done once is done once:', () => {
  it('a call with an Idempotency-Key', async () => {
    upstream.seen.length = 0;
    const body = { model: 'up/m', messages: [{ role: 'user', content: 'Hello!' }] };
    const send = (by: OneConnection) => by.send('POST', '/v1/chat/completions', body, { 'idempotency-key': 'once-for-all' });
    const both = await Promise.all([send(one), send(other)]);
    expect(both.map(({ status }) => status).toSorted()).toContain(200);
    const again = async () => (await Promise.all([send(one), send(other)])).map(({ status, text }) => [status, text.includes('Once')]);
    await expect.poll(again).toEqual([
      [200, true],
      [200, true],
    ]);
    expect(upstream.seen).toHaveLength(1);
  });

  it('a turn of a conversation', async () => {
    const { id } = await jsonOf(one.send('POST', '/v1/conversations', {}));
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ model: 'mine/slow', input: 'Hello!', conversation: id, stream: true });
    const running = await fetch(`${server.url}/v1/responses`, { method: 'POST', headers, body });
    const turn = { model: 'mine/chat', input: 'Hello!', conversation: id };
    const refused = await Promise.all([one, other].map((by) => by.send('POST', '/v1/responses', turn)));
    expect(refused.map(({ status, text }) => [status, text.includes('conversation_locked')])).toEqual([
      [409, true],
      [409, true],
    ]);
    expect(await running.text()).toContain('response.completed');
    for (const by of [one, other]) expect((await by.send('POST', '/v1/responses', turn)).status).toBe(200);
  });
});

describe('a response in the background', () => {
  it('is followed from another worker as it is made, to its end', async () => {
    const { id } = await jsonOf(one.send('POST', '/v1/responses', { model: 'mine/slow-50ms', input: 'Tell me a story', background: true }));
    expect((await jsonOf(other.send('GET', `/v1/responses/${String(id)}`)))['status']).toMatch(/queued|in_progress/);
    const [mine, theirs] = await Promise.all([one, other].map((by) => by.send('GET', `/v1/responses/${String(id)}?stream=true`)));
    expect(theirs?.text).toContain('event: response.completed');
    expect(theirs?.text).toBe(mine?.text);
    expect(mine?.text.match(/output_text\.delta/g)?.length).toBeGreaterThan(3);
  });

  it('is cancelled from another worker', async () => {
    const { id } = await jsonOf(one.send('POST', '/v1/responses', { model: 'mine/stall-after-1', input: 'A story', background: true }));
    expect((await jsonOf(other.send('POST', `/v1/responses/${String(id)}/cancel`)))['status']).toBe('cancelled');
    expect((await jsonOf(one.send('GET', `/v1/responses/${String(id)}`)))['status']).toBe('cancelled');
  });
});
