import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type FakeUpstream, json, startUpstream, stream } from '../fakes/upstream.ts';
import { call } from '../exchange/stage.ts';
import { startTestServer, type TestServer } from '../server.ts';

/** What a whole call may take at some providers, and how much of that their chat takes. */
const TOTAL_MS = 1500;
const CHAT_MS = 1200;

let upstream: FakeUpstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startUpstream();
  const baseUrl = upstream.url;
  server = await startTestServer({
    providers: {
      openai: { preset: 'openai', baseUrl, key: 'k' },
      gemini: { preset: 'gemini', baseUrl, key: 'k' },
      claude: { preset: 'anthropic', baseUrl, key: 'k', speech: 'openai/gpt-4o-mini-tts' },
      deepseek: { preset: 'deepseek', baseUrl, key: 'k', speech: 'openai/gpt-4o-mini-tts' },
      hasty: { preset: 'deepseek', baseUrl, key: 'k', speech: 'voice/gpt-4o-mini-tts', timeouts: { total: TOTAL_MS } },
      voice: { preset: 'openai', baseUrl, key: 'k', timeouts: { total: TOTAL_MS } },
    },
  });
});

afterAll(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
  await upstream.close();
});

const client = (): OpenAI => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.key, maxRetries: 0 });

const SAID = 'Two plus two is four.';
const MESSAGES = [{ role: 'user' as const, content: 'What is 2 + 2?' }];
const AUDIO = { modalities: ['text', 'audio'] as ('text' | 'audio')[], audio: { voice: 'alloy', format: 'wav' as const } };

const claudeReply = {
  id: 'm',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: SAID }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 9, output_tokens: 7 },
};
const claudeStream = [
  { type: 'message_start', message: { ...claudeReply, content: [], stop_reason: null } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Two plus two ' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'is four.' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } },
  { type: 'message_stop' },
].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);

const chatReply = (message: object, finish_reason = 'stop'): object => ({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'deepseek-chat',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason }],
  usage: { prompt_tokens: 9, completion_tokens: 7, total_tokens: 16 },
});

/** A chat that answers, and a voice that says in bytes what it was asked to. */
const both =
  (chat: Answer): Answer =>
  (seen, response) => {
    if (!seen.path.endsWith('/audio/speech')) return chat(seen, response);
    const { input, voice, response_format: format } = JSON.parse(seen.body) as Record<string, string>;
    response.writeHead(200, { 'content-type': 'audio/wav' }).end(`RIFF ${format} ${voice}: ${input}`);
  };

const bytesOf = (data: string): string => Buffer.from(data, 'base64').toString();

describe('a chat model without audio, and one that speaks for it', () => {
  it.each([
    ['claude/claude-sonnet-4-5', json(claudeReply)],
    ['deepseek/deepseek-chat', json(chatReply({ content: SAID }))],
  ])('%s: the answer is spoken', async (model, chat) => {
    upstream.answer = both(chat);
    const before = upstream.seen.length;
    const reply = await client().chat.completions.create({ model, messages: MESSAGES, ...AUDIO });
    const message = reply.choices[0]?.message;
    expect([message?.content, message?.audio?.transcript]).toEqual([null, SAID]);
    expect(bytesOf(message?.audio?.data ?? '')).toBe(`RIFF wav alloy: ${SAID}`);
    expect(reply.usage?.completion_tokens).toBe(7);
    const [asked] = upstream.seen.slice(before);
    expect(asked?.body).not.toContain('modalities');
    // Two upstreams were asked: two rows, under ids of their own.
    await expect
      .poll(() =>
        server.records
          .slice(-2)
          .map(({ operation }) => operation)
          .toSorted(),
      )
      .toEqual(['generate', 'speech']);
    expect(new Set(server.records.map(({ id }) => id)).size).toBe(server.records.length);
  });

  it('what the caller says of providers holds for the chat, not for who speaks it', async () => {
    upstream.answer = both(json(claudeReply));
    const body = { model: 'claude/claude-sonnet-4-5', messages: MESSAGES, ...AUDIO, provider: { only: ['claude'] } };
    const reply = await client().chat.completions.create(body as never);
    expect((reply as OpenAI.ChatCompletion).choices[0]?.message.audio?.transcript).toBe(SAID);
  });

  it('streams the transcript as it comes, then the sound, then what ends it', async () => {
    upstream.answer = both(stream(claudeStream));
    const deltas: Record<string, unknown>[] = [];
    const finishes: (string | null | undefined)[] = [];
    const said = await client().chat.completions.create({ model: 'claude/claude-sonnet-4-5', messages: MESSAGES, ...AUDIO, stream: true });
    for await (const chunk of said) {
      const choice = chunk.choices[0];
      if (choice) deltas.push(choice.delta as Record<string, unknown>);
      finishes.push(choice?.finish_reason);
    }
    const audio = deltas.flatMap((delta) => (delta['audio'] ? [delta['audio'] as Record<string, string>] : []));
    expect(audio.map(({ transcript }) => transcript ?? '').join('')).toBe(SAID);
    expect(audio.map(({ data }) => bytesOf(data ?? '')).join('')).toBe(`RIFF wav alloy: ${SAID}`);
    expect(audio.find(({ id }) => id)?.['id']).toMatch(/^audio_/);
    expect(finishes.at(-1)).toBe('stop');
    expect(deltas.some((delta) => typeof delta['content'] === 'string' && delta['content'] !== '')).toBe(false);
  });

  const piece = 'word '.repeat(100_000);
  const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content: piece } }] };
  it.each<[string, string, object]>([
    [
      'claude/claude-sonnet-4-5',
      claudeStream.slice(0, 2).join(''),
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: piece } },
    ],
    ['deepseek/deepseek-chat', '', chunk],
  ])('%s: breaks off an answer without an end: it can be neither held nor spoken', async (model, start, delta) => {
    let sent = 0;
    let isLetGo = false;
    upstream.answer = both((_seen, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`${start}: begun\n\n`);
      response.on('close', () => (isLetGo = true));
      const say = (): void => {
        if (isLetGo) return;
        sent += piece.length;
        const isTaken = response.write(`data: ${JSON.stringify(delta)}\n\n`);
        if (isTaken) setImmediate(say);
        else response.once('drain', say);
      };
      say();
    });
    const body = { model, messages: MESSAGES, ...AUDIO, stream: true };
    const got = await call(`${server.url}/v1/chat/completions`, JSON.stringify(body), {
      'content-type': 'application/json',
      authorization: `Bearer ${server.key}`,
    });
    expect(got.status).toBe(200);
    expect(got.text).not.toContain('"finish_reason":"stop"');
    expect(got.text.slice(-1000)).toContain('"code":"upstream_malformed"');
    await expect.poll(() => server.records.at(-1)).toMatchObject({ fault: 'upstream_malformed', provider: model.split('/')[0] });
    await expect.poll(() => isLetGo).toBe(true);
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it('knows in the next turn what was said', async () => {
    upstream.answer = both(json(chatReply({ content: SAID })));
    const first = await client().chat.completions.create({ model: 'deepseek/deepseek-chat', messages: MESSAGES, ...AUDIO });
    const { id = '' } = first.choices[0]?.message.audio ?? {};
    await client().chat.completions.create({
      model: 'deepseek/deepseek-chat',
      messages: [...MESSAGES, { role: 'assistant', audio: { id } }, { role: 'user', content: 'Again' }],
    });
    const { messages } = JSON.parse(upstream.seen.at(-1)?.body ?? '{}') as { messages: object[] };
    expect(messages[1]).toEqual({ role: 'assistant', content: SAID });
  });

  it('calls of tools are not spoken', async () => {
    const calls = [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }];
    upstream.answer = both(json(chatReply({ content: null, tool_calls: calls }, 'tool_calls')));
    const reply = await client().chat.completions.create({ model: 'deepseek/deepseek-chat', messages: MESSAGES, ...AUDIO });
    expect(reply.choices[0]?.message.tool_calls).toEqual(calls);
    expect(reply.choices[0]?.message.audio).toBeUndefined();
  });

  it('an error of either is the answer', async () => {
    upstream.answer = json({ error: { message: 'too long', type: 'invalid_request_error' } }, 400);
    const asking = client().chat.completions.create({ model: 'deepseek/deepseek-chat', messages: MESSAGES, ...AUDIO });
    await expect(asking).rejects.toMatchObject({ status: 400, message: expect.stringContaining('too long') as string });
    upstream.answer = (seen, response) =>
      seen.path.endsWith('/audio/speech')
        ? json({ error: { message: 'no voice' } }, 503)(seen, response)
        : json(chatReply({ content: SAID }))(seen, response);
    const other = client().chat.completions.create({ model: 'deepseek/deepseek-chat', messages: MESSAGES, ...AUDIO });
    await expect(other).rejects.toMatchObject({ status: 503 });
  });

  it.each([
    ['whole', false, 504],
    ['streamed', true, 200],
  ])('both have the time of one call, %s: the voice has what the chat has left of it', async (_, isStream, status) => {
    const delta = { role: 'assistant', content: SAID };
    const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: null }] };
    const last = { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
    const chat = isStream
      ? stream([chunk, last].map((one) => `data: ${JSON.stringify(one)}\n\n`).concat('data: [DONE]\n\n'))
      : json(chatReply({ content: SAID }));
    upstream.answer = (seen, response) => {
      if (!seen.path.endsWith('/audio/speech')) setTimeout(() => chat(seen, response), CHAT_MS);
    };
    const began = performance.now();
    const got = await call(
      `${server.url}/v1/chat/completions`,
      JSON.stringify({ model: 'hasty/deepseek-chat', messages: MESSAGES, ...AUDIO, stream: isStream }),
      { 'content-type': 'application/json', authorization: `Bearer ${server.key}` },
    );
    const took = performance.now() - began;
    expect(got.status).toBe(status);
    expect(got.text).toContain('"code":"upstream_total_timeout"');
    // A voice with a whole total of its own would have ended much later.
    expect(took).toBeGreaterThan(TOTAL_MS - 50);
    expect(took).toBeLessThan(CHAT_MS + TOTAL_MS - 300);
  });

  it.each([
    [{ ...AUDIO, audio: { voice: 'alloy', format: 'ogg' } }, 'audio.format'],
    [{ ...AUDIO, n: 2 }, 'n'],
    [{ ...AUDIO, audio: { voice: 7 } }, 'audio.voice'],
  ])('refuses %j', async (more, param) => {
    const answer = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'deepseek/deepseek-chat', messages: MESSAGES, ...more }),
    });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param } }]);
  });
});

describe('a model that only speaks', () => {
  const tone = Buffer.alloc(4800, 1);
  const geminiTone = stream([
    `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ inlineData: { mimeType: 'audio/L16;rate=24000', data: tone.toString('base64') } }] }, finishReason: 'STOP' }] })}\n\n`,
  ]);

  it('says in chat what the client said last, in the format that was asked for', async () => {
    upstream.answer = geminiTone;
    const reply = await client().chat.completions.create({ model: 'gemini/gemini-3.1-flash-tts-preview', messages: MESSAGES, ...AUDIO });
    const audio = reply.choices[0]?.message.audio;
    expect(audio?.transcript).toBe('What is 2 + 2?');
    const wav = Buffer.from(audio?.data ?? '', 'base64');
    expect([wav.toString('latin1', 0, 4), wav.subarray(44).equals(tone)]).toEqual(['RIFF', true]);
  });

  it('and streams it', async () => {
    upstream.answer = geminiTone;
    const said = await client().chat.completions.create({
      model: 'gemini/gemini-3.1-flash-tts-preview',
      messages: MESSAGES,
      modalities: ['text', 'audio'],
      audio: { voice: 'alloy', format: 'pcm16' },
      stream: true,
    });
    const data: Buffer[] = [];
    for await (const chunk of said) {
      const { audio } = (chunk.choices[0]?.delta ?? {}) as { audio?: { data?: string } };
      if (audio?.data !== undefined) data.push(Buffer.from(audio.data, 'base64'));
    }
    expect(Buffer.concat(data).equals(tone)).toBe(true);
  });
});

describe('a chat model with audio of its own', () => {
  const gemini = (stream: boolean): Promise<Response> =>
    fetch(`${server.url}/v1beta/models/openai/gpt-audio:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`, {
      method: 'POST',
      headers: { 'x-goog-api-key': server.key, 'content-type': 'application/json' },
      body: JSON.stringify({ contents: [{ parts: [{ text: 'What is 2 + 2?' }] }], generationConfig: { responseModalities: ['AUDIO'] } }),
    });

  it('speaks to Gemini’s clients, whole and streamed', async () => {
    upstream.answer = json(chatReply({ content: null, audio: { id: 'audio_1', data: 'UklGRAAA', transcript: SAID, expires_at: 9 } }));
    const reply = (await (await gemini(false)).json()) as { candidates: { content: { parts: object[] } }[] };
    expect(reply.candidates[0]?.content.parts).toEqual([{ text: SAID }, { inlineData: { mimeType: 'audio/wav', data: 'UklGRAAA' } }]);
    const asked = JSON.parse(upstream.seen.at(-1)?.body ?? '') as Record<string, unknown>;
    expect([asked['modalities'], asked['audio']]).toEqual([['text', 'audio'], { voice: 'alloy', format: 'wav' }]);
    const chunk = (delta: object, finish_reason: string | null = null): string =>
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
    upstream.answer = stream([
      chunk({ role: 'assistant', audio: { id: 'audio_1', transcript: SAID } }),
      chunk({ audio: { data: 'AAEA' } }),
      chunk({ audio: { data: 'AQAB' } }),
      chunk({}, 'stop'),
      'data: [DONE]\n\n',
    ]);
    const text = await (await gemini(true)).text();
    expect(text).toContain('{"inlineData":{"mimeType":"audio/L16;codec=pcm;rate=24000","data":"AAEAAQAB"}}');
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toMatchObject({ audio: { voice: 'alloy', format: 'pcm16' } });
  });

  it('is asked for it as the client did', async () => {
    upstream.answer = json(chatReply({ content: null, audio: { id: 'audio_1', data: 'AAAA', transcript: SAID, expires_at: 9 } }));
    const body = { model: 'gpt-audio', messages: MESSAGES, ...AUDIO };
    const reply = await client().chat.completions.create({ ...body, model: 'openai/gpt-audio' });
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toEqual(body);
    expect(reply.choices[0]?.message.audio).toEqual({ id: 'audio_1', data: 'AAAA', transcript: SAID, expires_at: 9 });
  });
});
