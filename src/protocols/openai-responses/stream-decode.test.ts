import { describe, expect, it } from 'vitest';
import { createCollector, createGrammarCheck, type Fault, gatewayFault, type JsonObject, type ReplyEvent } from '../../ir/index.ts';
import { createStreamDecoder } from './stream-decode.ts';

/** Events of a stream, decoded; what breaks the grammar throws. */
function decode(events: readonly (JsonObject | string)[], cut?: Fault): readonly ReplyEvent[] {
  const decoder = createStreamDecoder({ maker: 'them', newId: (prefix) => `${prefix}new` });
  const out: ReplyEvent[] = [];
  const check = createGrammarCheck();
  const emit = (event: ReplyEvent): void => {
    const wrong = check.next(event);
    if (wrong) throw new Error(wrong);
    out.push(event);
  };
  for (const event of events) decoder.frame({ data: typeof event === 'string' ? event : JSON.stringify(event) }, emit);
  decoder.end(emit, cut);
  const wrong = check.end();
  if (wrong) throw new Error(wrong);
  return out;
}

function reply(events: readonly (JsonObject | string)[]) {
  const collector = createCollector();
  for (const event of decode(events)) collector.event(event);
  return collector.result();
}

const created: JsonObject = {
  type: 'response.created',
  response: { id: 'resp_1', model: 'm', created_at: 5, status: 'in_progress', output: [] },
};
const completed = (output: readonly JsonObject[] = [], more: JsonObject = {}): JsonObject => ({
  type: 'response.completed',
  response: { id: 'resp_1', model: 'm', status: 'completed', output, ...more },
});
const added = (output_index: number, item: JsonObject): JsonObject => ({ type: 'response.output_item.added', output_index, item });
const done = (output_index: number, item: JsonObject): JsonObject => ({ type: 'response.output_item.done', output_index, item });
const delta = (output_index: number, text: string, item_id = 'msg_1'): JsonObject => ({
  type: 'response.output_text.delta',
  output_index,
  content_index: 0,
  item_id,
  delta: text,
});
const message = (text: string): JsonObject => ({
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  content: [{ type: 'output_text', text }],
});

const TEXTS: readonly { readonly name: string; readonly events: readonly (JsonObject | string)[] }[] = [
  {
    name: 'as documented',
    events: [created, added(0, message('')), delta(0, 'a'), delta(0, 'b'), done(0, message('ab')), completed([message('ab')])],
  },
  { name: 'deltas alone', events: [created, delta(0, 'a'), delta(0, 'b'), completed()] },
  {
    name: 'the text only when its part is done',
    events: [created, { type: 'response.output_text.done', output_index: 0, content_index: 0, text: 'ab' }, completed()],
  },
  { name: 'the item only when it is done', events: [created, done(0, message('ab')), completed()] },
  { name: 'nothing before the last word', events: [created, completed([message('ab')])] },
  { name: 'no response.created', events: [added(0, message('')), delta(0, 'ab'), done(0, message('ab')), completed()] },
  {
    name: 'ids that change',
    events: [created, added(0, message('')), delta(0, 'a', 'x'), delta(0, 'b', 'y'), done(0, { ...message('ab'), id: 'z' }), completed()],
  },
  {
    name: 'no output_index',
    events: [created, added(0, message('')), { type: 'response.output_text.delta', item_id: 'msg_1', delta: 'ab' }, completed()],
  },
  {
    name: 'keepalives and words of tomorrow between',
    events: [created, { type: 'keepalive' }, delta(0, 'a'), { type: 'response.future' }, delta(0, 'b'), completed()],
  },
  { name: '[DONE] after the last word', events: [created, delta(0, 'ab'), completed(), '[DONE]'] },
];

describe('text', () => {
  it.each(TEXTS)('$name', ({ events }) => {
    const { reply: told, fault } = reply(events);
    expect(fault).toBeUndefined();
    expect(told.parts.map((part) => (part.kind === 'text' ? part.text : part.kind))).toEqual(['ab']);
    expect(told.stop.reason).toBe('stop');
  });
});

describe('calls', () => {
  const call = (index: number, args: string): JsonObject => ({
    type: 'function_call',
    id: `fc_${index}`,
    call_id: `call_${index}`,
    name: 'f',
    arguments: args,
  });
  const args = (output_index: number, text: string): JsonObject => ({
    type: 'response.function_call_arguments.delta',
    output_index,
    delta: text,
  });

  it('interleaved, in the order in which they began', () => {
    const { reply: told } = reply([
      created,
      added(0, call(0, '')),
      added(1, call(1, '')),
      args(1, '{"b"'),
      args(0, '{"a":1}'),
      args(1, ':2}'),
      done(1, call(1, '{"b":2}')),
      done(0, call(0, '{"a":1}')),
      completed(),
    ]);
    expect(told.parts).toMatchObject([
      { kind: 'tool-call', id: 'call_0', itemId: 'fc_0', argumentsJson: '{"a":1}' },
      { kind: 'tool-call', id: 'call_1', argumentsJson: '{"b":2}' },
    ]);
    expect(told.stop.reason).toBe('tool-calls');
  });

  it('a name that comes with the finished item', () => {
    const { reply: told } = reply([created, added(0, { type: 'function_call', id: 'fc_0' }), done(0, call(0, '{}')), completed()]);
    expect(told.parts).toMatchObject([{ kind: 'tool-call', name: 'f', argumentsJson: '{}' }]);
  });
});

describe('thoughts', () => {
  it('the seal of the item is on its last piece', () => {
    const summary = (summary_index: number, text: string): JsonObject => ({
      type: 'response.reasoning_summary_text.delta',
      output_index: 0,
      summary_index,
      delta: text,
    });
    const item = {
      type: 'reasoning',
      id: 'rs_1',
      summary: [
        { type: 'summary_text', text: 'a' },
        { type: 'summary_text', text: 'b' },
      ],
    };
    const { reply: told } = reply([
      created,
      added(0, { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'partial' }),
      summary(0, 'a'),
      summary(1, 'b'),
      done(0, { ...item, encrypted_content: 'whole' }),
      completed(),
    ]);
    expect(told.parts).toEqual([
      { kind: 'reasoning', form: 'summary', id: 'rs_1', text: 'a' },
      { kind: 'reasoning', form: 'summary', id: 'rs_1', text: 'b', seal: { by: 'openai-responses', maker: 'them', value: 'whole' } },
    ]);
  });

  it('without words and seal there are none', () => {
    const item = { type: 'reasoning', id: 'rs_1', summary: [] };
    expect(reply([created, added(0, item), done(0, item), completed()]).reply.parts).toEqual([]);
  });
});

describe('failures', () => {
  const broken = gatewayFault('timeout', 'The upstream stalled');
  it.each<{ name: string; events: readonly (JsonObject | string)[]; cut?: Fault; fault: object }>([
    {
      name: 'an error event',
      events: [created, { type: 'error', error: { code: 'rate_limit_exceeded', message: 'slow' } }],
      fault: { kind: 'rate_limit', message: 'slow' },
    },
    {
      name: 'a failed response',
      events: [
        created,
        delta(0, 'a'),
        { type: 'response.failed', response: { status: 'failed', error: { code: 'server_error', message: 'broke' } } },
      ],
      fault: { kind: 'upstream', message: 'broke' },
    },
    { name: "xAI's error", events: [created, { code: 'x', error: 'bad key' }], fault: { message: 'bad key' } },
    { name: 'an error where a stream was due', events: [{ error: { message: 'no' } }], fault: { message: 'no' } },
    { name: 'garbage', events: [created, '{"type":'], fault: { code: 'upstream_malformed' } },
    { name: '[DONE] before the last word', events: [created, delta(0, 'a'), '[DONE]'], fault: { code: 'stream_ended_early' } },
    { name: 'an early end', events: [created, delta(0, 'a')], fault: { code: 'stream_ended_early' } },
    { name: 'nothing', events: [], fault: { code: 'stream_ended_early' } },
    { name: 'a cut', events: [created, delta(0, 'a')], cut: broken, fault: broken },
    { name: 'cancelled', events: [created, { type: 'response.cancelled', response: {} }], fault: { code: 'response_cancelled' } },
  ])('$name', ({ events, cut, fault }) => {
    const told = decode(events, cut);
    expect(told.at(-1)).toMatchObject({ type: 'fault', fault });
    expect(told.filter((event) => event.type === 'reply-end')).toEqual([]);
  });
});
