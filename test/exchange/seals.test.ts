import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SEAL_MARK } from '../../src/ir/index.ts';
import { json, stream } from '../fakes/upstream.ts';
import { chat, type Data, dataOf, type Dialect, gemini, messages, responses } from './dialects.ts';
import { call, setStage, type Stage } from './stage.ts';

let stage: Stage;
const OTHER_KEY = 'pk-other-0123456789abcdef';
beforeAll(async () => {
  stage = await setStage({
    keys: [
      { name: 'test', value: 'pk-test-0123456789abcdef' },
      { name: 'other', value: OTHER_KEY },
    ],
  });
});
afterAll(() => stage.close());

/** A provider whose model thinks, seals its thoughts and calls a tool. */
interface Thinker {
  readonly name: string;
  readonly upstream: Dialect;
  readonly model: string;
  readonly seal: string;
  readonly whole: Record<string, unknown>;
  readonly events: readonly string[];
  /** Whether the thoughts came back to their maker as they were. */
  returned(sent: Data): boolean;
}

const named = (value: Record<string, unknown>): string => `event: ${String(value['type'])}\ndata: ${JSON.stringify(value)}\n\n`;
const CLAUDE_USAGE = { input_tokens: 5, output_tokens: 3 };
const THINKING = { type: 'thinking', thinking: 'I look it up.', signature: 'U0lHLUNMQVVERQ==' };
const TOOL_USE = { type: 'tool_use', id: 'toolu_1', name: 'lookup', input: { q: 'a' } };
const CLAUDE = { id: 'msg_1', type: 'message', role: 'assistant', model: 'up', stop_sequence: null, usage: CLAUDE_USAGE };

const claude: Thinker = {
  name: 'Anthropic',
  upstream: messages,
  model: 'claude/claude-sonnet-4-5',
  seal: THINKING.signature,
  whole: { ...CLAUDE, content: [THINKING, TOOL_USE], stop_reason: 'tool_use' },
  events: [
    named({ type: 'message_start', message: { ...CLAUDE, content: [], stop_reason: null } }),
    named({ type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } }),
    named({ type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: THINKING.thinking } }),
    named({ type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: THINKING.signature } }),
    named({ type: 'content_block_stop', index: 0 }),
    named({ type: 'content_block_start', index: 1, content_block: { ...TOOL_USE, input: {} } }),
    named({ type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"q":"a"}' } }),
    named({ type: 'content_block_stop', index: 1 }),
    named({ type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: CLAUDE_USAGE }),
    named({ type: 'message_stop' }),
  ],
  returned: (sent) =>
    sent.messages.some(
      (turn: Data) =>
        turn.role === 'assistant' &&
        turn.content[0]?.type === 'thinking' &&
        turn.content[0].thinking === THINKING.thinking &&
        turn.content[0].signature === THINKING.signature &&
        turn.content[1]?.type === 'tool_use',
    ),
};

const CALL = { functionCall: { name: 'lookup', args: { q: 'a' } }, thoughtSignature: 'U0lHLUdFTUlOSQ==' };
const GEMINI = {
  candidates: [{ content: { role: 'model', parts: [CALL] }, finishReason: 'STOP', index: 0 }],
  usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 3, totalTokenCount: 8 },
  modelVersion: 'up',
};
const google: Thinker = {
  name: 'Gemini',
  upstream: gemini,
  model: 'gem/gemini-3-pro-preview',
  seal: CALL.thoughtSignature,
  whole: GEMINI,
  events: [`data: ${JSON.stringify(GEMINI)}\r\n\r\n`],
  returned: (sent) =>
    sent.contents.some((turn: Data) =>
      turn.parts.some((part: Data) => part.functionCall && part.thoughtSignature === CALL.thoughtSignature),
    ),
};

const REASONING = { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'gAAAAAB-SIG-OPENAI' };
const FUNCTION_CALL = { id: 'fc_1', type: 'function_call', status: 'completed', call_id: 'call_1', name: 'lookup', arguments: '{"q":"a"}' };
const RESPONSE = { ...responses.whole, output: [REASONING, FUNCTION_CALL] };
const openai: Thinker = {
  name: 'Responses',
  upstream: responses,
  model: 'resp/gpt-5',
  seal: REASONING.encrypted_content,
  whole: RESPONSE,
  events: [
    named({ type: 'response.created', response: { ...RESPONSE, status: 'in_progress', output: [] }, sequence_number: 0 }),
    named({ type: 'response.output_item.added', output_index: 0, item: { ...REASONING, encrypted_content: '' }, sequence_number: 1 }),
    named({ type: 'response.output_item.done', output_index: 0, item: REASONING, sequence_number: 2 }),
    named({
      type: 'response.output_item.added',
      output_index: 1,
      item: { ...FUNCTION_CALL, status: 'in_progress', arguments: '' },
      sequence_number: 3,
    }),
    named({ type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 1, delta: '{"q":"a"}', sequence_number: 4 }),
    named({ type: 'response.function_call_arguments.done', item_id: 'fc_1', output_index: 1, arguments: '{"q":"a"}', sequence_number: 5 }),
    named({ type: 'response.output_item.done', output_index: 1, item: FUNCTION_CALL, sequence_number: 6 }),
    named({ type: 'response.completed', response: RESPONSE, sequence_number: 7 }),
  ],
  returned: (sent) =>
    sent.input.some(
      (item: Data, at: number) => item.encrypted_content === REASONING.encrypted_content && sent.input[at + 1]?.type === 'function_call',
    ),
};

const THINKERS: readonly Thinker[] = [claude, google, openai];
const TOOL = { name: 'lookup', parameters: { type: 'object', properties: { q: { type: 'string' } } } };

async function send(client: Dialect, model: string, body: Record<string, unknown>, key = stage.server.key): Promise<Data> {
  const got = await call(stage.server.url + client.path(model, false), JSON.stringify(body), { 'x-api-key': key });
  expect(got.status, got.text).toBe(200);
  return JSON.parse(got.text);
}

const seen = (): Data => JSON.parse(stage.upstream.seen.at(-1)?.body ?? '');

const chatBody = (model: string, more: readonly Data[] = []): Record<string, unknown> => ({
  model,
  reasoning_effort: 'low',
  max_completion_tokens: 8000,
  messages: [{ role: 'user', content: 'look it up' }, ...more],
  tools: [{ type: 'function', function: TOOL }],
});

/** The first turn by a chat client, streamed or not: its message as the client keeps it, bare. */
async function firstTurn(thinker: Thinker, streamed: boolean): Promise<Data> {
  if (!streamed) {
    stage.upstream.answer = json(thinker.whole);
    return (await send(chat, thinker.model, chatBody(thinker.model))).choices[0].message;
  }
  stage.upstream.answer = stream(thinker.events);
  const got = await call(`${stage.server.url}/v1/chat/completions`, JSON.stringify({ ...chatBody(thinker.model), stream: true }), {
    'x-api-key': stage.server.key,
  });
  const calls: Data[] = [];
  for (const one of dataOf(got.text)) {
    for (const piece of one.choices?.[0]?.delta?.tool_calls ?? []) {
      const known = (calls[piece.index] ??= { ...piece, function: { name: '', arguments: '' } });
      known.function.name += piece.function?.name ?? '';
      known.function.arguments += piece.function?.arguments ?? '';
    }
  }
  return { role: 'assistant', content: null, tool_calls: calls };
}

const bare = (message: Data): Data => ({
  role: 'assistant',
  content: message.content ?? null,
  tool_calls: message.tool_calls.map(({ id, type, function: f }: Data) => ({
    id,
    type,
    function: { name: f.name, arguments: f.arguments },
  })),
});
const result = (message: Data): Data => ({ role: 'tool', tool_call_id: message.tool_calls[0].id, content: 'found' });

describe.each(THINKERS)('a chat client that keeps no thoughts, and $name', (thinker) => {
  const { upstream, model, seal } = thinker;
  it.each([
    { name: 'whole', streamed: false },
    { name: 'streamed', streamed: true },
  ])('$name: they come back to their maker by the tool call’s id', async ({ streamed }) => {
    const message = await firstTurn(thinker, streamed);
    stage.upstream.answer = json(upstream.whole);
    await send(chat, model, chatBody(model, [bare(message), result(message)]));
    expect(thinker.returned(seen()), stage.upstream.seen.at(-1)?.body).toBe(true);
  });

  it('also when the client echoes their text', async () => {
    const message = await firstTurn(thinker, false);
    stage.upstream.answer = json(upstream.whole);
    await send(chat, model, chatBody(model, [{ ...bare(message), reasoning_content: 'I look it up.' }, result(message)]));
    expect(thinker.returned(seen()), stage.upstream.seen.at(-1)?.body).toBe(true);
  });

  it('another client gets nothing of them', async () => {
    const message = await firstTurn(thinker, false);
    stage.upstream.answer = json(upstream.whole);
    await send(chat, model, chatBody(model, [bare(message), result(message)]), OTHER_KEY);
    expect(stage.upstream.seen.at(-1)?.body).not.toContain(seal);
  });

  it.each(THINKERS.filter((one) => one !== thinker))(
    'the conversation goes on with $name, which is shown no foreign seal',
    async (next) => {
      const message = await firstTurn(thinker, false);
      stage.upstream.answer = json(next.upstream.whole);
      const reply = await send(chat, next.model, chatBody(next.model, [bare(message), result(message)]));
      expect(reply.choices[0].finish_reason).toBe('stop');
      expect(stage.upstream.seen.at(-1)?.body).not.toContain(seal);
    },
  );
});

describe.each(THINKERS.filter((one) => one !== claude))('an Anthropic client, and $name', (thinker) => {
  const body = (model: string, more: readonly Data[] = []): Record<string, unknown> => ({
    model,
    max_tokens: 8000,
    thinking: { type: 'enabled', budget_tokens: 2000 },
    messages: [{ role: 'user', content: 'look it up' }, ...more],
    tools: [{ name: TOOL.name, input_schema: TOOL.parameters }],
  });
  const turns = (message: Data): Data[] => {
    const { id } = message.content.find((block: Data) => block.type === 'tool_use');
    return [
      { role: 'assistant', content: message.content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'found' }] },
    ];
  };

  it('seals travel with the client’s own messages, to their maker only', async () => {
    stage.upstream.answer = json(thinker.whole);
    const message = await send(messages, thinker.model, body(thinker.model));
    expect(JSON.stringify(message)).toContain(SEAL_MARK);
    // Under another key, so that nothing of it can come from what is kept here.
    stage.upstream.answer = json(thinker.upstream.whole);
    await send(messages, thinker.model, body(thinker.model, turns(message)), OTHER_KEY);
    expect(thinker.returned(seen()), stage.upstream.seen.at(-1)?.body).toBe(true);
    for (const next of THINKERS.filter((one) => one !== thinker)) {
      stage.upstream.answer = json(next.upstream.whole);
      await send(messages, next.model, body(next.model, turns(message)), OTHER_KEY);
      const sent = stage.upstream.seen.at(-1)?.body ?? '';
      expect(sent).not.toContain(thinker.seal);
      expect(sent).not.toContain(SEAL_MARK);
    }
  });
});

describe.each(THINKERS.filter((one) => one !== google))('a Gemini client, and $name', (thinker) => {
  it('seals travel in thoughtSignature, to their maker only', async () => {
    const body = (more: readonly Data[] = []): Record<string, unknown> => ({
      contents: [{ role: 'user', parts: [{ text: 'look it up' }] }, ...more],
      tools: [{ functionDeclarations: [{ name: TOOL.name, parametersJsonSchema: TOOL.parameters }] }],
      generationConfig: { thinkingConfig: { thinkingBudget: 2000, includeThoughts: true }, maxOutputTokens: 8000 },
    });
    stage.upstream.answer = json(thinker.whole);
    const reply = await send(gemini, thinker.model, body());
    const { content } = reply.candidates[0];
    const { id } = content.parts.find((part: Data) => part.functionCall).functionCall;
    const more = [
      content,
      { role: 'user', parts: [{ functionResponse: { ...(id ? { id } : {}), name: 'lookup', response: { output: 'found' } } }] },
    ];
    stage.upstream.answer = json(thinker.upstream.whole);
    await send(gemini, thinker.model, body(more), OTHER_KEY);
    expect(thinker.returned(seen()), stage.upstream.seen.at(-1)?.body).toBe(true);
    stage.upstream.answer = json(gemini.whole);
    await send(gemini, google.model, body(more), OTHER_KEY);
    expect(stage.upstream.seen.at(-1)?.body).not.toContain(SEAL_MARK);
    expect(stage.upstream.seen.at(-1)?.body).not.toContain(thinker.seal);
  });
});
