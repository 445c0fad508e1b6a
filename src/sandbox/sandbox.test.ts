import { describe, expect, it } from 'vitest';
import {
  type Collected,
  createCollector,
  createGrammarCheck,
  type Fault,
  isObject,
  type Json,
  type JsonObject,
  parseObject,
  type Part,
  type Reply,
  unfold,
} from '../ir/index.ts';
import { clientCodecs, providerCodecs } from '../protocols/index.ts';
import type { ProviderCodec } from '../protocols/protocol.ts';
import { createSseReader, type SseFrame } from '../wire/sse.ts';
import { createFakeTimers } from './fake-timers.ts';
import { createSandbox, sandboxModels, type SandboxRequest } from './sandbox.ts';
import type { ServedProtocol } from './wires.ts';

/** What came of one request, in its order and time. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: readonly { readonly at: number; readonly text: string }[];
  readonly body: string;
  readonly ended: 'end' | 'cut' | 'reset' | undefined;
  /** Milliseconds until the head, and until the end. */
  readonly headAt: number;
  readonly endedAt: number;
}

function send(request: Partial<SandboxRequest> & { readonly json?: Json }, waitMs = 3_600_000): Answer {
  const timers = createFakeTimers();
  let ids = 0;
  const sandbox = createSandbox({
    now: () => 1_800_000_000_000 + timers.now(),
    newId: (prefix) => `${prefix}${++ids}`,
    setTimer: timers.setTimer,
    codecs: clientCodecs,
  });
  const out = { status: 0, headers: {}, headAt: -1, endedAt: -1, ended: undefined as Answer['ended'] };
  const chunks: { at: number; bytes: Buffer }[] = [];
  const finish = (how: Answer['ended']) => {
    expect(out.ended).toBeUndefined();
    Object.assign(out, { ended: how, endedAt: timers.now() });
  };
  sandbox.handle(
    { method: 'POST', path: '/', headers: {}, body: Buffer.from(JSON.stringify(request.json ?? {})), ...request },
    {
      head: (status, headers) => void Object.assign(out, { status, headers, headAt: timers.now() }),
      body(bytes) {
        chunks.push({ at: timers.now(), bytes });
        return true;
      },
      end: () => finish('end'),
      error: (kind) => finish(kind),
    },
  );
  timers.advance(waitMs);
  const texts = chunks.map(({ at, bytes }) => ({ at, text: bytes.toString('latin1') }));
  return { ...out, chunks: texts, body: Buffer.concat(chunks.map((chunk) => chunk.bytes)).toString() };
}

interface Asking {
  readonly model?: string;
  readonly stream?: boolean;
  readonly more?: JsonObject;
}

/** How one protocol is asked, in its own words. */
interface Speaker {
  readonly id: ServedProtocol;
  ask(prompt: string, asking?: Asking): Parameters<typeof send>[0];
  readonly tool?: JsonObject;
  readonly think?: JsonObject;
  readonly schema?: (schema: JsonObject) => JsonObject;
}

const PARAMETERS = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const WEATHER = { name: 'get_weather', description: 'Weather of a city' };

const SPEAKERS: readonly Speaker[] = [
  {
    id: 'openai-chat',
    ask: (prompt, { model = 'chat', stream = false, more = {} } = {}) => ({
      path: '/v1/chat/completions',
      json: {
        model,
        stream,
        messages: [{ role: 'user', content: prompt }],
        ...(stream ? { stream_options: { include_usage: true } } : {}),
        ...more,
      },
    }),
    tool: { tools: [{ type: 'function', function: { ...WEATHER, parameters: PARAMETERS } }] },
    think: { reasoning_effort: 'low' },
    schema: (schema) => ({ response_format: { type: 'json_schema', json_schema: { name: 'it', schema } } }),
  },
  {
    id: 'openai-responses',
    ask: (prompt, { model = 'chat', stream = false, more = {} } = {}) => ({
      path: '/v1/responses',
      json: { model, stream, input: prompt, ...more },
    }),
    tool: { tools: [{ type: 'function', ...WEATHER, parameters: PARAMETERS }] },
    think: { reasoning: { effort: 'low', summary: 'auto' } },
    schema: (schema) => ({ text: { format: { type: 'json_schema', name: 'it', schema } } }),
  },
  {
    id: 'anthropic-messages',
    ask: (prompt, { model = 'chat', stream = false, more = {} } = {}) => ({
      path: '/v1/messages',
      json: { model, stream, max_tokens: 4096, messages: [{ role: 'user', content: prompt }], ...more },
    }),
    tool: { tools: [{ ...WEATHER, input_schema: PARAMETERS }] },
    think: { thinking: { type: 'enabled', budget_tokens: 1024 } },
    schema: (schema) => ({ output_config: { format: { type: 'json_schema', schema } } }),
  },
  {
    id: 'gemini',
    ask: (prompt, { model = 'chat', stream = false, more = {} } = {}) => ({
      path: `/v1beta/models/${encodeURIComponent(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
      json: { contents: [{ role: 'user', parts: [{ text: prompt }] }], ...more },
    }),
    tool: { tools: [{ functionDeclarations: [{ ...WEATHER, parameters: PARAMETERS }] }] },
    think: { generationConfig: { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } } },
    schema: (schema) => ({ generationConfig: { responseMimeType: 'application/json', responseJsonSchema: schema } }),
  },
  {
    id: 'openai-completions',
    ask: (prompt, { model = 'chat', stream = false, more = {} } = {}) => ({
      path: '/v1/completions',
      json: { model, stream, prompt, ...(stream ? { stream_options: { include_usage: true } } : {}), ...more },
    }),
  },
];

const BOTH = SPEAKERS.flatMap((speaker) =>
  [false, true].map((stream) => ({ name: `${speaker.id}, ${stream ? 'streamed' : 'whole'}`, speaker, stream })),
);

function codecOf(id: string): ProviderCodec {
  const codec = [...providerCodecs.values()].find((one) => one.id === id);
  if (!codec) throw new Error(id);
  return codec;
}

function framesOf(body: string): readonly SseFrame[] {
  const frames: SseFrame[] = [];
  const reader = createSseReader();
  reader.push(Buffer.from(body), (frame) => frames.push(frame));
  reader.end((frame) => frames.push(frame));
  return frames;
}

const legal = (problem: string | undefined): void => {
  if (problem !== undefined) throw new Error(problem);
};

/** Reads an answer as the provider's half of its protocol does. */
function read(speaker: Speaker, answer: Answer, stream: boolean): Collected {
  const codec = codecOf(speaker.id);
  const source = { maker: 'sandbox', newId: (prefix: string) => `${prefix}x` };
  const collector = createCollector();
  const grammar = createGrammarCheck();
  if (!stream) unfold(codec.decodeReply(JSON.parse(answer.body) as JsonObject, source), (event) => collector.event(event));
  else {
    const decoder = codec.streamDecoder(source);
    const emit = (event: Parameters<typeof collector.event>[0]): void => {
      legal(grammar.next(event));
      collector.event(event);
    };
    for (const frame of framesOf(answer.body)) decoder.frame(frame, emit);
    decoder.end(emit);
    legal(grammar.end());
  }
  return collector.result();
}

const textIn = (reply: Reply): string => reply.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
const only = <K extends Part['kind']>(reply: Reply, kind: K): readonly Extract<Part, { kind: K }>[] =>
  reply.parts.filter((part): part is Extract<Part, { kind: K }> => part.kind === kind);

function talk(
  speaker: Speaker,
  prompt: string,
  asking: Asking,
): { readonly answer: Answer; readonly reply: Reply; readonly fault?: Fault | undefined } {
  const answer = send(speaker.ask(prompt, asking));
  const { reply, fault } = read(speaker, answer, asking.stream ?? false);
  return { answer, reply, fault };
}

describe.each(BOTH)('$name', ({ speaker, stream }) => {
  const isChat = speaker.id !== 'openai-completions';

  it('answers with text, the model named as asked, an end and usage', () => {
    const { answer, reply, fault } = talk(speaker, 'Count to 12', { stream, model: 'chat' });
    expect(fault).toBeUndefined();
    expect(answer).toMatchObject({ status: 200, ended: 'end' });
    expect(answer.headers['content-type']).toContain(stream ? 'text/event-stream' : 'application/json');
    expect(textIn(reply)).toBe('1 2 3 4 5 6 7 8 9 10 11 12');
    expect(reply).toMatchObject({ model: 'chat', stop: { reason: 'stop' }, usage: { input: 7, output: 7 } });
    expect(reply.id).not.toBe('');
  });

  it('echoes', () => expect(textIn(talk(speaker, ' 春 [[fail]]\n', { stream, model: 'sandbox/echo' }).reply)).toBe(' 春 [[fail]]\n'));

  it('comes in as many pieces as there are words, or in one', () => {
    const { length } = send(speaker.ask('Count to 30', { stream })).chunks;
    expect(stream ? length >= 30 : length === 1).toBe(true);
  });

  it('stops for length', () => {
    const limit: Record<string, JsonObject> = {
      gemini: { generationConfig: { maxOutputTokens: 2 } },
      'openai-responses': { max_output_tokens: 2 },
    };
    const { reply } = talk(speaker, 'Count to 100', { stream, more: limit[speaker.id] ?? { max_tokens: 2 } });
    expect(reply.stop.reason).toBe('length');
    expect(textIn(reply)).toBe('1 2 3 4');
  });

  if (isChat)
    it('calls a tool', () => {
      const { reply } = talk(speaker, 'weather in Oslo?', { stream, more: speaker.tool ?? {} });
      expect(only(reply, 'tool-call').map(({ name, argumentsJson }) => [name, JSON.parse(argumentsJson) as Json])).toEqual([
        ['get_weather', { city: 'Oslo' }],
      ]);
      expect(reply.stop.reason).toBe('tool-calls');
    });

  if (isChat)
    it('calls tools in parallel, under ids of their own', () => {
      const { reply } = talk(speaker, '[[call get_weather {"city":"A"}]] [[call get_weather {"city":"B"}]]', {
        stream,
        more: speaker.tool ?? {},
      });
      const calls = only(reply, 'tool-call');
      expect(calls.map((call) => JSON.parse(call.argumentsJson) as Json)).toEqual([{ city: 'A' }, { city: 'B' }]);
      expect(new Set(calls.map((call) => call.id)).size).toBe(2);
    });

  if (isChat)
    it('thinks', () => {
      const { reply } = talk(speaker, '[[think two and two]] 2 + 2', { stream, more: speaker.think ?? {} });
      expect(only(reply, 'reasoning').map((part) => part.text)).toEqual(['two and two']);
      expect(textIn(reply)).toBe('2 + 2 = 4');
      expect(reply.usage?.reasoning).toBe(3);
    });

  if (isChat)
    it('keeps to a schema', () => {
      const { reply } = talk(speaker, 'Who won?', { stream, more: speaker.schema?.(PARAMETERS) ?? {} });
      expect(JSON.parse(textIn(reply))).toEqual({ city: 'example city' });
    });

  it.each([400, 404, 429, 500, 503, 529])('fails with %i, in the words of its protocol', (status) => {
    const answer = send(speaker.ask('hi', { stream, model: `status-${status}` }));
    expect(answer).toMatchObject({ status, ended: 'end' });
    expect(codecOf(speaker.id).decodeFault(status, answer.body)).toMatchObject({
      by: 'upstream',
      message: expect.stringContaining(String(status)),
    });
  });

  it('says when to come back', () => {
    expect(send(speaker.ask('hi', { stream, model: 'retry-after-5' }))).toMatchObject({ status: 429, headers: { 'retry-after': '5' } });
    const prompted = send(speaker.ask('[[fail status=503 retry-after=1500ms]]', { stream }));
    expect(prompted).toMatchObject({ status: 503, headers: { 'retry-after': '2', 'retry-after-ms': '1500' } });
  });

  it('knows no other models, and says which it has', () => {
    const answer = send(speaker.ask('hi', { stream, model: 'gpt-9' }));
    expect(answer.status).toBe(404);
    for (const { id } of sandboxModels) expect(answer.body).toContain(id.slice('sandbox/'.length));
  });

  it('answers 200 with an error inside', () => {
    const answer = send(speaker.ask('hi', { stream, model: 'error-in-200' }));
    expect(answer).toMatchObject({ status: 200, ended: 'end' });
    const found = stream ? read(speaker, answer, true).fault : parseObject(answer.body)?.['error'];
    expect(found).toBeDefined();
  });

  it('answers with a page, with nothing, with garbage', () => {
    expect(send(speaker.ask('hi', { stream, model: 'html-502' }))).toMatchObject({
      status: 502,
      headers: { 'content-type': 'text/html; charset=utf-8' },
    });
    expect(send(speaker.ask('hi', { stream, model: 'empty' }))).toMatchObject({ status: 200, body: '', ended: 'end' });
    const garbage = send(speaker.ask('hi', { stream, model: 'garbage' }));
    expect(garbage).toMatchObject({ status: 200, ended: 'end' });
    expect(garbage.chunks).toHaveLength(1);
    expect(parseObject(garbage.body)).toBeUndefined();
    expect(send(speaker.ask('hi', { stream, model: 'hang-up' }))).toMatchObject({ status: 0, body: '', ended: 'cut' });
  });

  it.each([
    ['cut', 'cut'],
    ['reset', 'reset'],
    ['stall', undefined],
  ] as const)('%s in the middle', (word, ended) => {
    const answer = send(speaker.ask('Count to 9', { stream, model: `${word}-after-3` }));
    expect(answer).toMatchObject({ status: 200, ended });
    const whole = send(speaker.ask('Count to 9', { stream })).body;
    expect(answer.body.length).toBeGreaterThan(0);
    expect(answer.body.length).toBeLessThan(whole.length);
  });

  if (stream)
    it.each(['cut', 'reset', 'stall'])('%s after so many pieces', (word) => {
      for (const [pieces, text] of [
        [0, ''],
        [1, '1'],
        [3, '1 2 3'],
      ] as const) {
        const { reply, fault } = read(speaker, send(speaker.ask('Count to 9', { stream, model: `${word}-after-${pieces}` })), true);
        expect([textIn(reply), fault?.kind]).toEqual([text, expect.any(String)]);
      }
    });

  it('never completes an answer that is shorter than the cut', () => {
    const answer = send(speaker.ask('ping', { stream, model: 'cut-after-999' }));
    expect(answer.ended).toBe('cut');
    const complete = stream ? read(speaker, answer, true).fault === undefined : parseObject(answer.body) !== undefined;
    expect(complete).toBe(false);
  });

  if (stream)
    it('sends an error event in the middle', () => {
      const answer = send(speaker.ask('Count to 9', { stream, model: 'error-after-3' }));
      const { reply, fault } = read(speaker, answer, true);
      expect([answer.ended, textIn(reply), fault?.message]).toEqual(['end', '1 2 3', expect.stringContaining('as it was asked to')]);
    });

  if (!stream)
    it('has no middle for an error: fails with 500', () => {
      expect(send(speaker.ask('Count to 9', { model: 'error-after-3' }))).toMatchObject({ status: 500, ended: 'end' });
    });

  it('sends garbage in the middle', () => {
    const { body, ended } = send(speaker.ask('Count to 9', { stream, model: 'garbage-after-3' }));
    expect(ended).toBe('end');
    expect(body).toContain('<<< garbage >>>');
  });

  it('takes its time', () => {
    const slow = send(speaker.ask('Count to 3', { stream, model: 'slow' }));
    expect(slow).toMatchObject({ headAt: stream ? 0 : 1240, endedAt: 1240 });
    const first = send(speaker.ask('Count to 3', { stream, model: 'slow-first-token-3s' }));
    expect(first).toMatchObject({ headAt: stream ? 0 : 3000, endedAt: 3000 });
    expect(send(speaker.ask('Count to 3', { stream, model: 'slow-headers-2s' }))).toMatchObject({ headAt: 2000, endedAt: 2000 });
  });

  it('names the wrong field', () => {
    const { path = '' } = speaker.ask('hi', { stream });
    const wrong = speaker.id === 'gemini' ? { contents: 7 } : { model: 'chat', stream, max_tokens: 5, messages: 7, input: 7, prompt: true };
    expect(send({ path, json: wrong }).status).toBe(400);
    expect(send({ path, body: Buffer.from('{"model":') }).status).toBe(400);
    expect(send({ path, json: [] }).status).toBe(400);
    expect(send({ path, method: 'GET' }).status).toBe(405);
  });
});

describe('Gemini without alt=sse', () => {
  const path = '/v1beta/models/chat:streamGenerateContent';
  const ask = (prompt: string, model = 'chat') =>
    send({ path: path.replace('chat', model), json: { contents: [{ parts: [{ text: prompt }] }] } });
  it('streams one JSON array', () => {
    const { body, chunks } = ask('Count to 5');
    const elements = JSON.parse(body) as JsonObject[];
    expect(chunks.length).toBeGreaterThanOrEqual(5);
    expect(elements.every((element) => isObject(element))).toBe(true);
  });
  it('closes it after an error', () => {
    const elements = JSON.parse(ask('Count to 5', 'error-after-2').body) as JsonObject[];
    expect(elements.at(-1)).toHaveProperty('error');
  });
});

describe('counting', () => {
  it.each<[string, string, JsonObject, JsonObject]>([
    [
      'Anthropic',
      '/v1/messages/count_tokens',
      { model: 'chat', messages: [{ role: 'user', content: 'Count to 12' }] },
      { input_tokens: 7 },
    ],
    [
      'Responses',
      '/v1/responses/input_tokens',
      { model: 'chat', input: 'Count to 12' },
      { object: 'response.input_tokens', input_tokens: 7 },
    ],
    ['Gemini', '/v1beta/models/chat:countTokens', { contents: [{ parts: [{ text: 'Count to 12' }] }] }, { totalTokens: 7 }],
    [
      'Gemini, a whole request',
      '/v1/models/chat:countTokens',
      { generateContentRequest: { model: 'models/chat', contents: [{ parts: [{ text: 'Count to 12' }] }] } },
      { totalTokens: 7 },
    ],
  ])('%s', (_name, path, json, expected) => {
    const answer = send({ path, json });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([200, expect.objectContaining(expected)]);
  });
  it('fails as other calls do', () => {
    const messages = [{ role: 'user', content: 'x' }];
    expect(send({ path: '/v1/messages/count_tokens', json: { model: 'status-529', messages } }).status).toBe(529);
    expect(send({ path: '/v1/messages/count_tokens', json: { model: 'nothing', messages } }).status).toBe(404);
  });
});

describe('embeddings', () => {
  const embed = (json: JsonObject): Answer => send({ path: '/v1/embeddings', json: { model: 'embed', ...json } });
  const vectors = (json: JsonObject): number[][] =>
    (JSON.parse(embed(json).body) as { data: { embedding: number[] }[] }).data.map((one) => one.embedding);
  const dot = (a: number[] = [], b: number[] = []): number => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);

  it('are near for texts with words in common', () => {
    const [cat, cats, ship] = vectors({ input: ['the cat sat here', 'the cat sat there', 'ships sail far away'] });
    expect(dot(cat, cat)).toBeCloseTo(1, 5);
    expect(dot(cat, cats)).toBeGreaterThan(dot(cat, ship) + 0.3);
  });
  it('come as base64, in the size that was asked for', () => {
    const { data } = JSON.parse(embed({ input: '你好', encoding_format: 'base64', dimensions: 8 }).body) as {
      data: { embedding: string }[];
    };
    const bytes = Buffer.from(data[0]?.embedding ?? '', 'base64');
    expect(Array.from({ length: 8 }, (_, at) => bytes.readFloatLE(at * 4))).toEqual(vectors({ input: '你好', dimensions: 8 })[0]);
  });
  it.each<[name: string, json: JsonObject, count: number]>([
    ['a text', { input: 'a' }, 1],
    ['texts', { input: ['a', ''] }, 2],
    ['tokens', { input: [1, 2, 3] }, 1],
    ['lists of tokens', { input: [[1], [2, 3]] }, 2],
  ])('take %s', (_name, json, count) => expect(vectors(json)).toHaveLength(count));
  it.each<[name: string, json: JsonObject, status: number]>([
    ['no input', {}, 400],
    ['an empty list', { input: [] }, 400],
    ['an object', { input: [{}] }, 400],
    ['a fraction of dimensions', { input: 'a', dimensions: 1.5 }, 400],
    ['a model that talks', { input: 'a', model: 'chat' }, 400],
    ['an unknown model', { input: 'a', model: 'x' }, 404],
    ['a failing model', { input: 'a', model: 'embed+status-503' }, 503],
  ])('answer %s with an error', (_name, json, status) => expect(embed(json).status).toBe(status));
  it('is no model to talk to', () =>
    expect(send({ path: '/v1/chat/completions', json: { model: 'embed', messages: [{ role: 'user', content: 'x' }] } }).status).toBe(400));
});

describe('Gemini’s embeddings', () => {
  const one = { content: { parts: [{ text: 'the cat sat' }] }, outputDimensionality: 8 };
  const ask = (verb: string, json: JsonObject, model = 'embed'): Answer => send({ path: `/v1beta/models/${model}:${verb}`, json });
  it('are those of OpenAI’s endpoint', () => {
    const { data } = JSON.parse(send({ path: '/v1/embeddings', json: { model: 'embed', input: 'the cat sat', dimensions: 8 } }).body) as {
      data: { embedding: number[] }[];
    };
    const values = data[0]?.embedding;
    expect(JSON.parse(ask('embedContent', one).body)).toEqual({ embedding: { values }, usageMetadata: { promptTokenCount: 3 } });
    expect(JSON.parse(ask('batchEmbedContents', { requests: [one, one] }).body)).toMatchObject({ embeddings: [{ values }, { values }] });
  });
  it.each<[verb: string, json: JsonObject, model: string, status: number]>([
    ['embedContent', {}, 'embed', 400],
    ['embedContent', { ...one, outputDimensionality: 0 }, 'embed', 400],
    ['batchEmbedContents', { requests: [] }, 'embed', 400],
    ['batchEmbedContents', { requests: [{}] }, 'embed', 400],
    ['embedContent', one, 'chat', 400],
    ['embedContent', one, 'embed+status-429', 429],
  ])('%s of %j by %s is answered with %d', (verb, json, model, status) => expect(ask(verb, json, model).status).toBe(status));
});

describe('rerank', () => {
  const ask = (json: JsonObject): Answer => send({ path: '/v1/rerank', json: { model: 'rerank', query: 'a city in Jiangsu', ...json } });
  const documents = ['Paris is in France', { text: 'Suzhou is a city in Jiangsu' }, 'Rome'];
  it('puts what is near first', () => {
    const reply = JSON.parse(ask({ documents, top_n: 2, return_documents: true }).body) as {
      results: { index: number; relevance_score: number }[];
    };
    expect(reply.results).toHaveLength(2);
    expect(reply.results[0]).toMatchObject({ index: 1, document: { text: 'Suzhou is a city in Jiangsu' } });
    expect(reply.results[0]?.relevance_score).toBeGreaterThan(0.5);
  });
  it.each<[json: JsonObject, status: number]>([
    [{}, 400],
    [{ documents: [] }, 400],
    [{ documents: [3] }, 400],
    [{ documents, query: 3 }, 400],
    [{ documents, model: 'embed' }, 400],
    [{ documents, model: 'rerank+status-500' }, 500],
  ])('of %j is answered with %d', (json, status) => expect(ask(json).status).toBe(status));
});

describe('lists', () => {
  const get = (path: string, headers: Record<string, string> = {}) => {
    const { status, body } = send({ method: 'GET', path, headers, body: Buffer.alloc(0) });
    return { status, json: JSON.parse(body) as JsonObject };
  };
  it.each<[string, string, Record<string, string>, JsonObject]>([
    [
      'OpenAI',
      '/v1/models',
      {},
      { object: 'list', data: expect.arrayContaining([expect.objectContaining({ id: 'chat', object: 'model' })]) as Json },
    ],
    [
      'Anthropic',
      '/v1/models',
      { 'anthropic-version': '2023-06-01' },
      { has_more: false, data: expect.arrayContaining([expect.objectContaining({ id: 'chat', type: 'model' })]) as Json },
    ],
    [
      'Gemini',
      '/v1beta/models?pageSize=3',
      {},
      { models: expect.arrayContaining([expect.objectContaining({ name: 'models/chat' })]) as Json },
    ],
    ['one model', '/v1/models/echo', {}, { id: 'echo' }],
    ['one model by its name in the gateway', '/v1beta/models/sandbox%2Fecho', {}, { name: 'models/echo' }],
  ])('%s', (_name, path, headers, expected) =>
    expect(get(path, headers)).toEqual({ status: 200, json: expect.objectContaining(expected) as unknown }),
  );
  it.each<[string, string, Record<string, string>, number]>([
    ['an unknown model', '/v1/models/x', {}, 404],
    ['an unknown path', '/v1/threads', {}, 404],
    ['the root', '/', {}, 404],
  ])('%s is an error', (_name, path, headers, status) => expect(get(path, headers).status).toBe(status));
});
