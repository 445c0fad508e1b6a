import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, stream } from '../fakes/upstream.ts';
import { chat, DIALECTS, gemini, messages, responses } from './dialects.ts';
import { call, type Got, lastRecord, setStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ models: { fast: 'oai/up', fasti: 'claude/up', fastr: 'resp/up', fastg: 'gem/up' } });
});
afterAll(() => stage.close());

const send = (path: string, body: string | Buffer): Promise<Got> => call(stage.server.url + path, body, { 'x-api-key': stage.server.key });
const seenBody = (): string => stage.upstream.seen.at(-1)?.body ?? '';

describe('the body of a call in the provider’s own protocol', () => {
  const odd =
    '"messages" : [ {"role":"user","content":"\\u724c\\ud83c\\udfee \\/ é"} ] ,\r\n\t"unheard_of": {"big":12345678901234567890123, "e": 1E+2, "twice":1, "twice":2}, "a":null';
  it.each([
    { name: 'odd white space', sent: `  {\n  "model"  :  "fast" , ${odd} }  `, gets: `  {\n  "model"  :  "up" , ${odd} }  ` },
    { name: 'the model last', sent: `{${odd},"model":"fast"}`, gets: `{${odd},"model":"up"}` },
    { name: 'the model escaped', sent: `{${odd},"model":"f\\u0061st"}`, gets: `{${odd},"model":"up"}` },
    {
      name: 'a model deeper in',
      sent: `{"metadata":{"model":"fast"},${odd},"model":"fast"}`,
      gets: `{"metadata":{"model":"fast"},${odd},"model":"up"}`,
    },
    {
      name: 'the word in a text',
      sent: `{"x":"\\"model\\":\\"fast\\"",${odd},"model":"fast"}`,
      gets: `{"x":"\\"model\\":\\"fast\\"",${odd},"model":"up"}`,
    },
    { name: 'a byte order mark', sent: `\ufeff{"model":"fast",${odd}}`, gets: `{"model":"up",${odd}}` },
    { name: 'the target’s own name', sent: `{"model":"oai/up",${odd}}`, gets: `{"model":"up",${odd}}` },
    { name: 'stream false', sent: `{"stream":false,"model":"fast",${odd}}`, gets: `{"stream":false,"model":"up",${odd}}` },
    { name: 'nulls', sent: `{"stream":null,"n":null,"model":"fast",${odd}}`, gets: `{"stream":null,"n":null,"model":"up",${odd}}` },
  ])('$name: goes on as it is, but for the model', async ({ sent, gets }) => {
    stage.upstream.answer = json(chat.whole);
    expect((await send('/v1/chat/completions', sent)).status).toBe(200);
    expect(seenBody()).toBe(gets);
  });

  it.each([
    { dialect: messages, model: 'fasti' },
    { dialect: responses, model: 'fastr' },
  ])('$dialect.id: likewise, streamed or not', async ({ dialect, model }) => {
    for (const streamed of [false, true]) {
      stage.upstream.answer = streamed ? stream(dialect.events) : json(dialect.whole);
      const sent = JSON.stringify({ ...dialect.body(model, streamed), unheard_of: [1, { a: '\u2028' }] }, null, 3);
      await send(dialect.path(model, streamed), sent);
      expect(seenBody()).toBe(sent.replace(`"${model}"`, '"up"'));
    }
  });

  it('a provider that refuses a field: only that one goes', async () => {
    const { url } = stage.upstream;
    const strict = await setStage({ providers: { fussy: { preset: 'groq', baseUrl: url, key: 'up-secret', protocols: ['openai-chat'] } } });
    stage.upstream.answer = json(chat.whole);
    const kept = '"messages":[{"role":"user","content":"\\u724c", "n": 1.0}],"seed":12345678901234567890,"tools":[ {"x":1E+2} ]';
    const sent = `{"model":"fussy/up","logprobs":true, ${kept}}`;
    const got = await call(`${strict.server.url}/v1/chat/completions`, sent, { 'x-api-key': strict.server.key });
    await strict.close();
    expect(got.status).toBe(200);
    expect(seenBody()).toBe(`{"model":"up",${kept}}`);
  });

  it('Gemini: the path’s model, and one in the body', async () => {
    stage.upstream.answer = json(gemini.whole);
    await send('/v1beta/models/fastg:generateContent', '{ "contents":[{"parts":[{"text":"a"}]}], "unheardOf": 1 }');
    expect(stage.upstream.seen.at(-1)?.path).toBe('/v1beta/models/up:generateContent');
    expect(seenBody()).toBe('{ "contents":[{"parts":[{"text":"a"}]}], "unheardOf": 1 }');
    await send('/v1beta/models/fastg:generateContent', '{"model":"models/fastg","contents":[{"parts":[{"text":"a"}]}]}');
    expect(seenBody()).toBe('{"model":"models/up","contents":[{"parts":[{"text":"a"}]}]}');
    const got = await send('/v1beta/models/fastg:generateContent', '{"model":"models/other","contents":[]}');
    expect(gemini.envelope(JSON.parse(got.text), 400).message).toContain('other');
  });

  it('a member that is there twice and counts here is refused, in every protocol', async () => {
    for (const dialect of DIALECTS) {
      const sent = JSON.stringify(dialect.body('x', false)).replace(/}$/, ',"stream":true,"stream":false}');
      const got = await send(dialect.path(`${dialect.provider}/up`, false), sent);
      expect(dialect.envelope(JSON.parse(got.text), 400).message).toContain('twice');
    }
  });

  it('an escaped member name is the same member', async () => {
    stage.upstream.answer = json(chat.whole);
    await send('/v1/chat/completions', '{"mod\\u0065l":"fast","messages":[]}');
    expect(JSON.parse(seenBody())).toEqual({ model: 'up', messages: [] });
  });

  const MANY = Array.from({ length: 200 }, (_, at) => `"\\\\${at}":0,`).join('');
  it.each([
    ['as it is', '{"a\\\\b":1,"made \\"x\\"":2,"model":"fast","messages":[]}', '{"a\\\\b":1,"made \\"x\\"":2,"model":"up","messages":[]}'],
    ['beside an escaped one that counts', '{"mod\\u0065l":"fast","a\\\\b":1,"messages":[]}', '{"model":"up","a\\\\b":1,"messages":[]}'],
    ['many of them', `{${MANY}"model":"fast","messages":[]}`, `{${MANY}"model":"up","messages":[]}`],
  ])('a member whose name must be escaped goes on: %s', async (_name, sent, gets) => {
    stage.upstream.answer = json(chat.whole);
    expect((await send('/v1/chat/completions', sent)).status).toBe(200);
    expect(seenBody()).toBe(gets);
  });
});

describe('a reply in the client’s own protocol', () => {
  it.each(DIALECTS)('$id: comes back byte for byte, whatever the cuts and line ends', async (dialect) => {
    const odd = dialect.events.map((event) => event.replace('}\n', '   }\n'));
    for (const events of [odd, odd.map((event) => event.replaceAll(/\r?\n/g, '\r\n')), odd.flatMap((event) => [': ping\n\n', event])]) {
      const bytes = Buffer.from(events.join(''));
      for (const size of [1, 7, 64, bytes.length]) {
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
        stage.upstream.answer = stream(pieces, 'text/event-stream;charset=utf-8');
        const body = {
          ...dialect.body(`${dialect.provider}/up`, true),
          ...(dialect === chat ? { stream_options: { include_usage: true } } : {}),
        };
        const got = await send(dialect.path(`${dialect.provider}/up`, true), JSON.stringify(body));
        expect(got.text).toBe(bytes.toString());
        expect(got.headers['content-type']).toBe('text/event-stream;charset=utf-8');
      }
    }
  });

  it.each([10, 70_000, 3_000_000])('whole, of %i bytes: as it is', async (size) => {
    const reply = `{ "id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"${'牌'.repeat(size / 3)}"},"finish_reason":"stop"}],\n "big":12345678901234567890, "usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}\n`;
    const before = stage.server.records.length;
    stage.upstream.answer = json(reply, 200, { 'content-length': String(Buffer.byteLength(reply)) });
    const got = await send('/v1/chat/completions', JSON.stringify(chat.body('fast', false)));
    expect(got.text).toBe(reply);
    expect(got.headers['content-length']).toBe(String(Buffer.byteLength(reply)));
    expect(await lastRecord(stage, before + 1)).toMatchObject({ input: 5, output: 3, lane: 'raw' });
  });

  it('one that is cut after it has begun is broken off, not ended', async () => {
    stage.upstream.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(`{"choices":["${'x'.repeat(300_000)}`, () => response.socket?.end());
    };
    const got = await send('/v1/chat/completions', JSON.stringify(chat.body('fast', false)));
    expect(got).toMatchObject({ status: 200, complete: false });
  });

  it('a model’s error passes with the vendor’s own members', async () => {
    const error = {
      error: { message: 'too long', type: 'invalid_request_error', param: 'messages', code: 'context_length_exceeded', extra: [1] },
    };
    stage.upstream.answer = json(error, 400);
    const got = await send('/v1/chat/completions', JSON.stringify(chat.body('fast', false)));
    expect([got.status, JSON.parse(got.text)]).toEqual([400, error]);
  });
});

describe('the usage report that the gateway asks for', () => {
  const events = chat.events.join('');
  const usageEvent = chat.events.at(-2) ?? '';
  it.each([
    { name: 'no options', options: '', sent: '"stream_options":{"include_usage":true},' },
    { name: 'options without it', options: ',"stream_options":{"x":1}', sent: undefined },
    { name: 'options of null', options: ',"stream_options":null', sent: undefined },
    { name: 'it refused', options: ',"stream_options":{"include_usage":false}', sent: undefined },
  ])('$name: is asked for, and taken out again', async ({ options, sent }) => {
    const before = stage.server.records.length;
    stage.upstream.answer = stream(chat.events);
    const got = await send('/v1/chat/completions', `{"model":"fast","messages":[],"stream":true${options}}`);
    expect(JSON.parse(seenBody()).stream_options.include_usage).toBe(true);
    if (sent) expect(seenBody()).toBe(`{${sent}"model":"up","messages":[],"stream":true}`);
    expect(got.text).toBe(events.replace(usageEvent, ''));
    expect(await lastRecord(stage, before + 1)).toMatchObject({ input: 5, output: 3 });
  });

  it('stays for a client that asked, and on the finish chunk', async () => {
    stage.upstream.answer = stream(chat.events);
    const got = await send('/v1/chat/completions', '{"model":"fast","messages":[],"stream":true,"stream_options":{"include_usage":true}}');
    expect(got.text).toBe(events);
    const early = chat.events.map((event) =>
      event.replace(
        '"finish_reason":"stop"}]',
        '"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}',
      ),
    );
    stage.upstream.answer = stream(early);
    expect((await send('/v1/chat/completions', '{"model":"fast","messages":[],"stream":true}')).text).toContain('"total_tokens":2');
  });

  it('of Azure’s kind of stream: a first chunk without choices passes', async () => {
    const first = 'data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}\n\n';
    stage.upstream.answer = stream([first, ...chat.events]);
    const got = await send('/v1/chat/completions', '{"model":"fast","messages":[],"stream":true}');
    expect(got.text).toBe(first + events.replace(usageEvent, ''));
  });

  it('a stream without its last word is whole when it ends after the finish', async () => {
    const cut = chat.events.slice(0, -1).join('');
    stage.upstream.answer = stream([cut]);
    const got = await send('/v1/chat/completions', '{"model":"fast","messages":[],"stream":true,"stream_options":{"include_usage":true}}');
    expect(got.text).toBe(cut);
  });
});

describe('embeddings', () => {
  const vectors =
    '{"object":"list", "data":[{"object":"embedding","index":0,"embedding":[0.10000000000000001,-1e-9]},{"object":"embedding","index":1,"embedding":"AACAPwAAAEA="}],"model":"up","usage":{"prompt_tokens":4,"total_tokens":4}}';
  it('of OpenAI’s shape are relayed as they are', async () => {
    const before = stage.server.records.length;
    stage.upstream.answer = json(vectors);
    const sent = '{"input":[[1,2],[3]], "encoding_format":"base64","model":"fast", "dimensions":2}';
    const got = await send('/v1/embeddings', sent);
    expect(got.text).toBe(vectors);
    expect(stage.upstream.seen.at(-1)?.path).toBe('/v1/embeddings');
    expect(seenBody()).toBe(sent.replace('fast', 'up'));
    expect(await lastRecord(stage, before + 1)).toMatchObject({ input: 4, operation: 'embeddings', lane: 'raw' });
  });

  it.each([
    {
      verb: 'embedContent',
      body: { content: { parts: [{ text: 'a' }] }, taskType: 'RETRIEVAL_QUERY' },
      gets: { content: { parts: [{ text: 'a' }] }, taskType: 'RETRIEVAL_QUERY' },
    },
    {
      verb: 'batchEmbedContents',
      body: { requests: [{ model: 'models/fastg', content: { parts: [{ text: 'a' }] } }] },
      gets: { requests: [{ model: 'models/up', content: { parts: [{ text: 'a' }] } }] },
    },
  ])('of Gemini’s: $verb', async ({ verb, body, gets }) => {
    const reply = '{"embedding": {"values":[0.10000000000000001]}}';
    stage.upstream.answer = json(reply);
    const got = await send(`/v1beta/models/fastg:${verb}`, JSON.stringify(body));
    expect(got.text).toBe(reply);
    expect(stage.upstream.seen.at(-1)?.path).toBe(`/v1beta/models/up:${verb}`);
    expect(JSON.parse(seenBody())).toEqual(gets);
  });

  it('another model in a batch is refused', async () => {
    const got = await send('/v1beta/models/fastg:batchEmbedContents', '{"requests":[{"model":"models/other","content":{}}]}');
    expect(got.status).toBe(400);
    expect(got.text).toContain('requests[0].model');
  });

  it('a provider that has none in this protocol is named', async () => {
    const got = await send('/v1/embeddings', '{"model":"claude/up","input":"a"}');
    expect(got.status).toBe(400);
    expect(chat.envelope(JSON.parse(got.text), 400)).toMatchObject({ param: 'model' });
  });
});
