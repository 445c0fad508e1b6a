import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, stream } from '../fakes/upstream.ts';
import { chat, type Data, type Dialect, DIALECTS, gemini, messages, PAIRS, responses } from './dialects.ts';
import { changed, EVIL, placesIn, RICH } from './evil-bodies.ts';
import { call, type Got, setStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ models: { fast: 'oai/up' } });
});
afterAll(() => stage.close());

const other = (client: Dialect): Dialect => (client === messages ? chat : messages);
const modelOf = (upstream: Dialect): string => `${upstream.provider}/up`;

function send(client: Dialect, upstream: Dialect, body: string | Buffer, streamed = false): Promise<Got> {
  return call(stage.server.url + client.path(modelOf(upstream), streamed), body, { 'x-api-key': stage.server.key });
}

describe.each(DIALECTS)('$id: bodies that are none', (client) => {
  it.each([
    { name: 'nothing', body: '', says: /empty/ },
    { name: 'white space', body: ' \n ', says: /empty/ },
    { name: 'a word', body: 'hello', says: /position 0 \(line 1, column 1\)/ },
    { name: 'a list', body: '[]', says: /found an array/ },
    { name: 'null', body: 'null', says: /found null/ },
    { name: 'half', body: '{"a":{"b":1}', says: /the end of the text at position 12/ },
    { name: 'a comma too many', body: '{"a":1,}', says: /'}' at position 7/ },
    { name: 'a secret where none belongs', body: '{"a":1,\n sk-live-secret}', says: /line 2, column 2/ },
    { name: 'more after it', body: '{}{}', says: /position 2/ },
    { name: 'too deep', body: `{"a":${'['.repeat(200)}${']'.repeat(200)}}`, says: /nested too deeply/ },
    { name: 'far too deep', body: `{"a":${'['.repeat(1_000_000)}`, says: /nested too deeply/ },
    { name: 'no UTF-8', body: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), says: /position 1/ },
  ])('$name', async ({ body, says }) => {
    const got = await send(client, client, body);
    expect(got.status, got.text).toBe(400);
    expect(client.envelope(JSON.parse(got.text), 400).message).toMatch(says);
    expect(got.text).not.toContain('sk-live');
  });
});

interface Wrong {
  readonly field: string;
  readonly value: unknown;
  /** The path that must be named; the field itself where it is absent. */
  readonly names?: string;
}

const each = (fields: readonly string[], value: unknown): Wrong[] => fields.map((field) => ({ field, value }));

/** Known fields of the wrong kind, for each dialect, on the lane that reads them. */
const WRONG: readonly { readonly client: Dialect; readonly rows: readonly Wrong[] }[] = [
  {
    client: chat,
    rows: [
      ...each(['messages', 'tools', 'stop', 'modalities'], { a: 1 }),
      ...each(['temperature', 'top_p', 'frequency_penalty', 'presence_penalty', 'seed'], 'hot'),
      ...each(['max_tokens', 'max_completion_tokens', 'n', 'top_logprobs'], -1),
      ...each(['logprobs', 'parallel_tool_calls', 'store'], 'yes'),
      ...each(['response_format', 'metadata', 'stream_options'], 'json'),
      ...each(['user', 'service_tier', 'reasoning_effort'], 7),
      { field: 'messages', value: [1], names: 'messages[0]' },
      { field: 'messages', value: [{ role: 'user', content: 5 }], names: 'messages[0].content' },
      { field: 'messages', value: [{ role: 'user', content: [{ type: 'text', text: 5 }] }], names: 'messages[0].content[0].text' },
      {
        field: 'messages',
        value: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 5 } }] }],
        names: 'messages[0].content[0].image_url.url',
      },
      { field: 'messages', value: [{ role: 5, content: 'a' }], names: 'messages[0].role' },
      { field: 'tools', value: [{ type: 'function', function: { name: 5 } }], names: 'tools[0].function.name' },
    ],
  },
  {
    client: messages,
    rows: [
      ...each(['messages', 'tools', 'stop_sequences'], 'a'),
      ...each(['temperature', 'top_p', 'top_k'], 'hot'),
      ...each(['max_tokens'], 'many'),
      ...each(['tool_choice', 'thinking', 'metadata'], 'a'),
      ...each(['system'], 5),
      { field: 'messages', value: [{ role: 'user', content: 5 }], names: 'messages[0].content' },
      { field: 'messages', value: [{ role: 'user', content: [{ type: 'text', text: 5 }] }], names: 'messages[0].content[0].text' },
      { field: 'tools', value: [{ name: 5, input_schema: {} }], names: 'tools[0].name' },
    ],
  },
  {
    client: responses,
    rows: [
      ...each(['tools', 'include'], 'a'),
      ...each(['input'], 5),
      ...each(['temperature', 'top_p'], 'hot'),
      ...each(['max_output_tokens'], 'many'),
      ...each(['reasoning', 'text', 'metadata'], 'a'),
      ...each(['instructions'], 5),
      { field: 'input', value: [{ role: 'user', content: 5 }], names: 'input[0].content' },
    ],
  },
  {
    client: gemini,
    rows: [
      ...each(['contents', 'tools'], 5),
      ...each(['generationConfig', 'toolConfig'], 'a'),
      { field: 'contents', value: [{ parts: 5 }], names: 'contents[0].parts' },
      { field: 'contents', value: [{ parts: [{ text: 5 }] }], names: 'contents[0].parts[0].text' },
      { field: 'generationConfig', value: { temperature: 'hot' }, names: 'temperature' },
    ],
  },
];

describe.each(WRONG.map(({ client, rows }) => ({ id: client.id, client, rows })))(
  '$id: known fields of the wrong kind',
  ({ client, rows }) => {
    it.each(rows.map((row) => ({ ...row, title: `${row.field}: ${JSON.stringify(row.value)}` })))(
      '$title',
      async ({ field, value, names }) => {
        stage.upstream.seen.length = 0;
        const target = other(client);
        const got = await send(client, target, JSON.stringify({ ...client.body(modelOf(target), false), [field]: value }));
        expect(got.status, got.text).toBe(400);
        expect(client.envelope(JSON.parse(got.text), 400).message).toContain(names ?? field);
        if (client === chat || client === responses) expect(JSON.parse(got.text).error.param).toContain((names ?? field).split(/[[.]/)[0]);
        expect(stage.upstream.seen).toEqual([]);
      },
    );
  },
);

describe.each(DIALECTS.filter((one) => one !== gemini))('$id: what is missing', (client) => {
  it('model, in the words of the contract', async () => {
    const { model: _, ...body } = client.body('x', false);
    for (const sent of [body, { ...body, model: null }, { ...body, model: '' }]) {
      const got = await send(client, client, JSON.stringify(sent));
      const { error }: Data = JSON.parse(got.text);
      expect([got.status, error.message]).toEqual([400, "Invalid request: missing required parameter 'model'"]);
      if (client !== messages) expect(error).toMatchObject({ param: 'model', code: 'missing_parameter' });
    }
  });

  it('the conversation', async () => {
    const field = client === responses ? 'input' : 'messages';
    const { [field]: _, ...body } = client.body(modelOf(other(client)), false);
    const got = await send(client, other(client), JSON.stringify(body));
    expect([got.status, client.envelope(JSON.parse(got.text), 400).message]).toEqual([
      400,
      `Invalid request: missing required parameter '${field}'`,
    ]);
  });

  it.each([5, true, {}, []])('a model that is %j', async (model) => {
    const got = await send(client, client, JSON.stringify({ ...client.body('x', false), model }));
    expect(got.status).toBe(400);
    expect(client.envelope(JSON.parse(got.text), 400).message).toContain("'model' must be a string");
  });

  it('stream that is no boolean', async () => {
    const got = await send(client, client, JSON.stringify({ ...client.body(modelOf(client), false), stream: 'yes' }));
    expect(client.envelope(JSON.parse(got.text), 400).message).toContain("'stream'");
  });
});

describe.each(PAIRS)('$name: what is never an error', ({ client, upstream }) => {
  it('unknown fields, at the top and in messages', async () => {
    stage.upstream.answer = json(upstream.whole);
    const body = client.body(modelOf(upstream), false);
    const deep = JSON.parse(JSON.stringify(body).replaceAll('"role":"user"', '"role":"user","unheard_of":{"a":[1]}'));
    const got = await send(client, upstream, JSON.stringify({ ...deep, unheard_of: { a: 1 }, another: null }));
    expect(got.status, got.text).toBe(200);
  });

  it('names of every object’s members change nothing', async () => {
    stage.upstream.answer = json(upstream.whole);
    const plain = JSON.stringify(client.body(modelOf(upstream), false));
    await send(client, upstream, plain);
    const wanted = JSON.parse(stage.upstream.seen.at(-1)?.body ?? '');
    const evil = '"__proto__":{"stream":true,"model":"evil","n":9},"constructor":{"prototype":{"stream":true}},';
    const got = await send(client, upstream, plain.replaceAll('{"', `{${evil}"`));
    expect(got.status, got.text).toBe(200);
    const sent = JSON.parse(stage.upstream.seen.at(-1)?.body ?? '');
    for (const key of Object.keys(wanted))
      if (!['messages', 'input', 'contents'].includes(key)) expect(sent[key], key).toEqual(wanted[key]);
    expect(({} as Record<string, unknown>)['stream']).toBeUndefined();
    expect(stage.upstream.seen.at(-1)?.body).not.toContain('"model":"evil","n":9,"model"');
  });
});

describe.each(PAIRS)('$name: bodies with something wrong in them', ({ client, upstream }) => {
  it('words that every object knows are words like others', async () => {
    stage.upstream.answer = json(upstream.whole);
    const rich = { ...client.body(modelOf(upstream), false), ...RICH[client.id] };
    for (const place of placesIn(rich).filter(([first]) => first !== undefined && first !== 'model')) {
      for (const word of ['__proto__', 'constructor', 'toString']) {
        const got = await send(client, upstream, JSON.stringify(changed(rich, place, word)));
        expect(got.status, `${place.join('.')}: ${got.text}`).toBeLessThan(500);
        if (got.status !== 200) client.envelope(JSON.parse(got.text), got.status);
        expect(stage.upstream.seen.at(-1)?.body ?? '').not.toContain('[native code]');
      }
    }
    expect(stage.server.defects).toEqual([]);
  });

  it('are answered in the client’s envelope, never with a fault of ours', async () => {
    const rich = { ...client.body(modelOf(upstream), false), ...RICH[client.id] };
    const places = placesIn(rich).filter(([first]) => first !== undefined && first !== 'model');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: places.length - 1 }), EVIL), { minLength: 1, maxLength: 2 }),
        fc.boolean(),
        async (edits, streamed) => {
          stage.upstream.answer = streamed ? stream(upstream.events) : json(upstream.whole);
          let body: unknown = rich;
          for (const [place, evil] of edits) {
            const way = places[place] ?? [];
            try {
              body = changed(body, way, evil);
            } catch {
              // An earlier change took the place away.
            }
          }
          const sent = JSON.stringify(client === gemini ? body : { ...(body as object), model: modelOf(upstream), stream: streamed });
          const got = await send(client, upstream, sent, streamed);
          expect(got.status, `${sent}\n${got.text}`).toBeLessThan(500);
          if (got.status !== 200) client.envelope(JSON.parse(got.text), got.status);
          expect(stage.server.defects, sent).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('also when their text is changed anywhere', async () => {
    const sent = JSON.stringify({ ...client.body(modelOf(upstream), false), ...RICH[client.id] });
    stage.upstream.answer = json(upstream.whole);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: sent.length - 1 }), fc.nat({ max: 4 }), fc.string({ maxLength: 3 }), async (at, cut, put) => {
        const mutant = sent.slice(0, at) + put + sent.slice(at + cut);
        const got = await send(client, upstream, mutant);
        // A name that is no longer right, or one in another provider's words.
        expect(got.status, `${mutant}\n${got.text}`).toBeLessThan(500);
        if (got.status !== 200) client.envelope(JSON.parse(got.text), got.status);
        expect(stage.server.defects, mutant).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});
