import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AttemptEnd, Call, Target } from '../../src/exchange/call.ts';
import { withCutUsage } from '../../src/exchange/cut-usage.ts';
import { roughTokens } from '../../src/exchange/rough-tokens.ts';
import { nothingReceived, receive, type Received } from '../../src/exchange/sampled-answer.ts';
import { gatewayFault } from '../../src/ir/index.ts';
import { codecOf } from '../corpus/replay.ts';
import { conduct, cutStream, stream } from '../fakes/upstream.ts';
import { type Dialect, DIALECTS, PAIRS, WORDS } from './dialects.ts';
import { ask, call, lastRecord, setStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.close());

const SENTENCES = 60;
/** Says that all has come. */
const LAST = 'lastword';
const LINE = 'A gate of carved stone stands over the road, 牌楼 in Chinese, and travellers pass under it; 3 of 12 remain. ';

/** A dialect's stream up to a place in its text, of which there is much, in pieces of a few words. */
function begun({ events, before }: Dialect): readonly string[] {
  const first = events.slice(0, before).find((event) => event.includes(WORDS[0])) ?? '';
  const start = events.slice(0, events.indexOf(first));
  const pieces = Array.from({ length: SENTENCES }, () => LINE.match(/.{1,9}/g) ?? []).flat();
  return [...start, ...[...pieces, LAST].map((piece) => first.replace(WORDS[0], piece))];
}
const TOKENS = countTokens(LINE.repeat(SENTENCES));

const near = (output: number | undefined): void => {
  expect(output).toBeGreaterThan(TOKENS * 0.7);
  expect(output).toBeLessThan(TOKENS * 1.4);
};

describe.each(PAIRS)('$name: an answer that is cut', ({ client, upstream }) => {
  it.each(['fin', 'rst', 'client'] as const)('by %s is recorded with what had come, as an estimate', async (by) => {
    const before = stage.server.records.length;
    const conducted = conduct();
    stage.upstream.answer = conducted.answer;
    const gone = new AbortController();
    const model = `${upstream.provider}/up`;
    const asked = fetch(stage.server.url + client.path(model, true), {
      method: 'POST',
      headers: { authorization: `Bearer ${stage.server.key}` },
      body: JSON.stringify(client.body(model, true)),
      signal: gone.signal,
    });
    await conducted.asked;
    conducted.head();
    for (const piece of begun(upstream)) await conducted.write(piece);
    const reader = (await asked).body?.getReader();
    const words = new TextDecoder();
    for (let text = ''; !text.includes(LAST);) {
      const { value, done } = (await reader?.read()) ?? { done: true };
      if (done) throw new Error('the end came before the last word');
      text = text.slice(-LAST.length) + words.decode(value, { stream: true });
    }
    if (by === 'client') gone.abort();
    else conducted.cut(by);
    const record = await lastRecord(stage, before + 1);
    expect(record).toMatchObject({ estimated: true, endedBy: by === 'client' ? 'client' : 'upstream' });
    expect(record.input).toBeGreaterThan(0);
    near(record.output);
  });

  it('after its last report is recorded with that, which is no estimate', async () => {
    // Responses and Gemini tell their end and their usage at once: there is nothing after it that could be cut.
    if (upstream.id === 'openai-responses') return;
    const before = stage.server.records.length;
    stage.upstream.answer = cutStream(upstream.events.slice(0, -1), 'fin');
    await ask(stage, client, upstream, true);
    const record = await lastRecord(stage, before + 1);
    if (upstream.id === 'gemini') expect(record.estimated).toBe(true);
    expect(record).toMatchObject({ input: 5, output: expect.any(Number) as number });
    if (record.estimated === undefined) expect(record.output).toBe(3);
  });

  it('in no place is recorded as it was reported', async () => {
    const before = stage.server.records.length;
    stage.upstream.answer = stream(upstream.events);
    await ask(stage, client, upstream, true);
    const record = await lastRecord(stage, before + 1);
    expect(record).toMatchObject({ input: 5, output: 3 });
    expect(record.estimated).toBeUndefined();
  });
});

const CHANCES = [11, 12, 13, 14];

/** Bytes in pieces of chance sizes, the same for the same seed. */
function piecesOf(bytes: Buffer, seed: number, most = 30_000): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let state = seed;
  for (let at = 0; at < bytes.length;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const size = 1 + Math.floor((state / 2 ** 32) ** 3 * most);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

function receivedOf({ id }: Pick<Dialect, 'id'>, pieces: readonly Buffer[]): Received {
  const received = nothingReceived({ operation: 'generate' }, codecOf(id).tap);
  received.headers = { 'content-type': 'text/event-stream' };
  for (const piece of pieces) receive(received, piece);
  return received;
}

const LEFT: AttemptEnd = { endedBy: 'client', firstTokenAt: 1 };
/** Its upstream told an error behind it. */
const BROKEN: AttemptEnd = { endedBy: 'upstream', firstTokenAt: 1, fault: { ...gatewayFault('upstream', 'it broke'), by: 'upstream' } };

/** The tokens of what came of an answer that its client left, or that ended otherwise. */
function estimateOf({ id }: Pick<Dialect, 'id'>, pieces: readonly Buffer[], end = LEFT): number | undefined {
  const asked = { operation: 'generate', body: Buffer.from('{}') } as unknown as Call;
  const target = { codec: codecOf(id), provider: { maker: 'm' }, wire: { wire: {} } } as unknown as Target;
  return withCutUsage(asked, target, end, receivedOf({ id }, pieces)).usage?.output;
}

describe.each(DIALECTS)('$id: an estimate does not depend on how the bytes came', (dialect) => {
  const events = begun(dialect).map((event) => Buffer.from(event));
  const all = Buffer.concat(events);
  const comings: readonly (readonly [string, readonly Buffer[]])[] = [
    ['event by event', events],
    ['all at once', [all]],
    ['the first by itself', [all.subarray(0, events[0]?.length), all.subarray(events[0]?.length)]],
    ['byte by byte', [...all].map((byte) => Buffer.from([byte]))],
    ...CHANCES.map((seed) => [`in pieces, seed ${seed}`, piecesOf(all, seed)] as const),
    ...CHANCES.map((seed) => [`in small pieces, seed ${seed}`, piecesOf(all, seed, 800)] as const),
  ];
  it.each(comings)('%s', (name, pieces) => {
    const received = receivedOf(dialect, pieces);
    expect(received.samples.reduce((bytes, one) => bytes + one.length, 0)).toBeLessThanOrEqual(8 * 1024);
    // Single bytes are no events: then there is only what an earlier report said.
    if (name !== 'byte by byte') near(estimateOf(dialect, pieces));
  });
});

describe.each(DIALECTS)('$id: an event that is longer than what is kept of it', ({ id, events }) => {
  const from = events.findIndex((event) => event.includes(WORDS[0]));
  const long = Buffer.from(events[from]?.replace(WORDS[0], LINE.repeat(SENTENCES)) ?? '');
  const start = events.slice(0, from).map((event) => Buffer.from(event));
  it.each([
    ['that comes whole after short ones', [...start, long]],
    ['of which a part has come', [...start, long.subarray(0, long.length * 0.9)]],
    ['that came in two', [...start, long.subarray(0, 3000), long.subarray(3000)]],
  ])('%s is counted', (_name, pieces) => {
    const output = estimateOf({ id }, pieces) ?? 0;
    expect(output).toBeGreaterThan(TOKENS * 0.4);
    expect(output).toBeLessThan(TOKENS * 1.5);
  });
});

/** Events that a tool of the provider's fills, with hardly a word in them. */
const FOUND: readonly (readonly [id: Dialect['id'], what: string, event: (data: string) => object])[] = [
  [
    'anthropic-messages',
    'what a search has found',
    (data) => ({
      type: 'content_block_start',
      index: 1,
      content_block: {
        type: 'web_search_tool_result',
        tool_use_id: 'srvtoolu_1',
        content: [{ type: 'web_search_result', title: 'A page', url: 'https://a.example/', encrypted_content: data, page_age: null }],
      },
    }),
  ],
  [
    'openai-responses',
    'a picture',
    (data) => ({ type: 'response.image_generation_call.partial_image', item_id: 'ig_1', output_index: 1, partial_image_b64: data }),
  ],
];

describe.each(FOUND)('%s: %s is not counted as if it were words', (id, _what, event) => {
  const dialect = DIALECTS.find((one) => one.id === id);
  const giant = `data: ${JSON.stringify(event(Buffer.alloc(150_000, 'a picture').toString('base64')))}\n\n`;
  const bytes = Buffer.from([...(dialect ? begun(dialect) : []), giant].join(''));
  it.each([8192, 16_384, 65_536])('in pieces of %d bytes', (size) => {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
    const output = estimateOf({ id }, pieces) ?? 0;
    expect(output).toBeGreaterThan(TOKENS * 0.5);
    expect(output).toBeLessThan(TOKENS * 2);
  });
});

describe('words count wherever they stand among what has none', () => {
  const event = (value: object): string => `event: x\ndata: ${JSON.stringify(value)}\n\n`;
  const found = Array.from({ length: 40 }, (_, index) =>
    event({
      type: 'content_block_start',
      index,
      content_block: {
        type: 'web_search_tool_result',
        tool_use_id: 's',
        content: [{ type: 'web_search_result', encrypted_content: 'x'.repeat(1000) }],
      },
    }),
  ).join('');
  const dialect = DIALECTS.find(({ id }) => id === 'anthropic-messages') as Dialect;
  const words = begun(dialect).join('');
  it.each([
    ['first', words + found + found],
    ['between', found + words + found],
    ['last', found + found + words],
  ])('%s', (_where, text) => {
    const bytes = Buffer.from(text);
    for (const size of [bytes.length, 16_384]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
      const output = estimateOf(dialect, pieces) ?? 0;
      expect(output).toBeGreaterThan(TOKENS / 2);
      expect(output).toBeLessThan(TOKENS * 2);
    }
  });
});

it('one word behind long events that only say what was asked is counted', () => {
  const reply = { id: 'resp_1', object: 'response', instructions: LINE.repeat(60), tools: [], output: [] };
  const event = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const text = [
    event('response.created', { response: reply }),
    event('response.in_progress', { response: reply }),
    event('response.output_item.added', { output_index: 0, item: { id: 'm', type: 'message', role: 'assistant', content: [] } }),
    event('response.output_text.delta', { item_id: 'm', output_index: 0, content_index: 0, delta: 'One' }),
    event('error', { code: 'server_error', message: 'it broke' }),
  ].join('');
  const output = estimateOf({ id: 'openai-responses' }, [Buffer.from(text)], BROKEN) ?? 0;
  expect(output).toBeGreaterThan(0);
  expect(output).toBeLessThan(20);
});

it.each(['\n', '\r\n', '\r'])('events are no giants, whatever ends their lines: %j', (end) => {
  const [dialect] = DIALECTS;
  const bytes = Buffer.from(dialect ? begun(dialect).join('').replaceAll('\n', end) : '');
  const pieces = Array.from({ length: Math.ceil(bytes.length / 16_384) }, (_, at) => bytes.subarray(at * 16_384, (at + 1) * 16_384));
  near(estimateOf({ id: 'openai-chat' }, pieces));
});

describe('what the last events say again is said once', () => {
  const WORDS_SAID = LINE.match(/.{1,5}/g) ?? [];
  const eventOf = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const reply = { id: 'resp_1', object: 'response', instructions: LINE.repeat(40), tools: [] };
  const content = [{ type: 'output_text', text: LINE, annotations: [] }];
  const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content };
  const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  const told = [
    eventOf('response.created', { response: reply }),
    eventOf('response.in_progress', { response: reply }),
    eventOf('response.output_item.added', { output_index: 0, item: { ...item, content: [] } }),
    eventOf('response.content_part.added', { ...at, part: { type: 'output_text', text: '', annotations: [] } }),
    ...WORDS_SAID.map((delta) => eventOf('response.output_text.delta', { ...at, delta, obfuscation: 'x'.repeat(16) })),
    eventOf('response.output_text.done', { ...at, text: LINE }),
    eventOf('response.content_part.done', { ...at, part: content[0] }),
    eventOf('response.output_item.done', { output_index: 0, item }),
  ].join('');
  const last = eventOf('response.completed', { response: { ...reply, output: [item] } });
  const few = countTokens(LINE);
  it.each([
    ['before the last event', ''],
    ['in the middle of it', last.slice(0, last.length / 2)],
  ])('cut %s, all at once', (_name, rest) => {
    const output = estimateOf({ id: 'openai-responses' }, [Buffer.from(told + rest)]) ?? 0;
    expect(output).toBeGreaterThan(few / 2);
    expect(output).toBeLessThan(few * 3);
  });
});

describe('a call of a server of tools, among what the server says and long seals', () => {
  const eventOf = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const itemOf = (type: string, more: object, is: 'added' | 'done'): string =>
    eventOf(`response.output_item.${is}`, { output_index: 0, item: { id: 'item_1', type, ...more } });
  const ARGUMENTS = JSON.stringify({
    street: 'Gate Street',
    question: 'Which gates of carved stone still stand over the road, and since when?',
  });
  const server_label = 'gates';
  const sealed = (bytes: number): object => ({ summary: [], encrypted_content: Buffer.alloc(bytes, 'seal').toString('base64') });
  const call = { server_label, name: 'ask', arguments: ARGUMENTS, output: null };
  const tools = [{ name: 'ask', description: LINE.repeat(4), input_schema: { type: 'object' } }];
  const response = { id: 'resp_1', instructions: LINE.repeat(6), tools: [], output: [] };
  const told = [
    eventOf('response.created', { response }),
    eventOf('response.in_progress', { response }),
    itemOf('mcp_list_tools', { server_label, tools: [] }, 'added'),
    itemOf('mcp_list_tools', { server_label, tools }, 'done'),
    itemOf('reasoning', sealed(700), 'added'),
    itemOf('reasoning', sealed(1500), 'done'),
    itemOf('mcp_call', { ...call, arguments: '' }, 'added'),
    eventOf('response.mcp_call_arguments.delta', { item_id: 'item_1', output_index: 0, delta: ARGUMENTS }),
    eventOf('response.mcp_call_arguments.done', { item_id: 'item_1', output_index: 0, arguments: ARGUMENTS }),
    itemOf('mcp_call', { ...call, output: LINE.repeat(40) }, 'done'),
    itemOf('reasoning', sealed(700), 'added'),
    itemOf('reasoning', sealed(1400), 'done'),
  ];
  const word = [
    itemOf('message', { role: 'assistant', content: [] }, 'added'),
    eventOf('response.output_text.delta', { item_id: 'item_1', output_index: 0, content_index: 0, delta: 'Two', logprobs: [] }),
  ];
  const few = countTokens(ARGUMENTS);
  const comings: readonly (readonly [string, (text: string) => readonly Buffer[]])[] = [
    ['all at once', (text) => [Buffer.from(text)]],
    ...CHANCES.map((seed) => [`in pieces, seed ${seed}`, (text: string) => piecesOf(Buffer.from(text), seed)] as const),
  ];
  it.each(comings)('its arguments are counted, of what came %s', (_name, pieces) => {
    for (const text of [told.join(''), [...told, ...word].join('')]) {
      const output = estimateOf({ id: 'openai-responses' }, pieces(text)) ?? 0;
      expect(output).toBeGreaterThan(few / 2);
      expect(output).toBeLessThan(few * 4 + 50);
    }
  });
});

it('what only the events say that else repeat others is counted', () => {
  const item = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    content: [{ type: 'output_text', text: LINE.repeat(8), annotations: [] }],
  };
  const said = { type: 'response.output_item.done', output_index: 0, item };
  const begins = { type: 'response.created', response: { id: 'resp_1', instructions: LINE.repeat(20), output: [] } };
  const text = [begins, said].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
  const output = estimateOf({ id: 'openai-responses' }, [Buffer.from(text)]) ?? 0;
  expect(output).toBeGreaterThan(countTokens(LINE) * 4);
  expect(output).toBeLessThan(countTokens(LINE) * 16);
});

it('what a reply says of its question is none of its words', () => {
  const said = { type: 'response.created', response: { id: 'resp_1', instructions: LINE.repeat(20), output: [] } };
  const pieces = [Buffer.from(`event: response.created\ndata: ${JSON.stringify(said)}\n\n`), Buffer.from('event: response.in')];
  expect(estimateOf({ id: 'openai-responses' }, pieces)).toBe(1);
});

it.each(DIALECTS)('$id: what cannot be read is one token at least, also before an error', ({ id }) => {
  for (const end of [LEFT, BROKEN]) expect(estimateOf({ id }, [Buffer.from('data: {"a":')], end)).toBe(1);
});

// An Anthropic stream says before its words that a text begins, which stands whole.
const SELF_CONTAINED = DIALECTS.filter(({ id }) => id !== 'anthropic-messages');

describe.each(SELF_CONTAINED)('$id: a first event that is longer than what is kept of it is counted by its words', ({ id, events }) => {
  const from = events.findIndex((event) => event.includes(WORDS[0]));
  const long = events[from]?.replace(WORDS[0], LINE.repeat(SENTENCES)) ?? '';
  it.each([
    ['after the events before it, all at once', [...events.slice(0, from), long].join('')],
    ['alone', long],
    ['cut after its words, before its end', long.slice(0, -12)],
  ])('%s', (_name, text) => near(estimateOf({ id }, [Buffer.from(text)])));
});

describe('an error in place of an answer', () => {
  it.each(PAIRS)('costs nothing: $name', async ({ client, upstream }) => {
    const before = stage.server.records.length;
    stage.upstream.answer = stream([upstream.errorEvent]);
    await ask(stage, client, upstream, true);
    expect((await lastRecord(stage, before + 1)).output).toBeUndefined();
  });

  it.each(PAIRS)('costs nothing where nobody says what it is: $name', async ({ client, upstream }) => {
    const before = stage.server.records.length;
    const error = JSON.stringify(upstream.error(400, 'it broke'));
    stage.upstream.answer = (_request, response) => void response.writeHead(200).end(error);
    await ask(stage, client, upstream, false);
    expect((await lastRecord(stage, before + 1)).output).toBeUndefined();
  });

  it.each(PAIRS.filter(({ upstream }) => upstream.id === 'openai-responses'))(
    'costs nothing after events that say that one begins: $name',
    async ({ client, upstream }) => {
      const before = stage.server.records.length;
      const opening = upstream.events.filter((event) => /response\.(?:created|in_progress)/.test(event));
      expect(opening).not.toEqual([]);
      stage.upstream.answer = stream([...opening, upstream.errorEvent]);
      await ask(stage, client, upstream, true);
      expect((await lastRecord(stage, before + 1)).output).toBeUndefined();
    },
  );
});

describe('what a text takes, roughly', () => {
  it.each([
    ['English', LINE.replace(/[^ -~]/g, '').repeat(5)],
    ['Chinese', '牌楼是中国传统建筑之一，常见于街道、寺庙与园林的入口处，用来表彰或纪念。'.repeat(5)],
    ['code', 'export const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;\n'.repeat(5)],
    ['JSON', '{"city":"Suzhou","unit":"c","days":[1,2,3],"at":"2026-01-01T00:00:00Z"},'.repeat(5)],
  ])('is a third off at most: %s', (_name, text) => {
    expect(roughTokens(text) / countTokens(text)).toBeGreaterThan(0.67);
    expect(roughTokens(text) / countTokens(text)).toBeLessThan(1.5);
  });

  it('is nothing for nothing', () => expect(roughTokens('')).toBe(0));
});

it('a client that leaves before anything came is recorded without usage', async () => {
  const before = stage.server.records.length;
  const conducted = conduct();
  stage.upstream.answer = conducted.answer;
  const gone = new AbortController();
  const asked = call(`${stage.server.url}/v1/nothing`, undefined).then(() =>
    fetch(`${stage.server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stage.server.key}` },
      body: '{"model":"oai/up","messages":[{"role":"user","content":"hello"}]}',
      signal: gone.signal,
    }).catch(() => undefined),
  );
  await conducted.asked;
  gone.abort();
  await asked;
  expect(await lastRecord(stage, before + 1)).not.toHaveProperty('output');
});
