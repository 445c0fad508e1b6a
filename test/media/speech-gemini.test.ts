import { GoogleGenAI } from '@google/genai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitScript } from '../../src/media/speech/script.ts';
import { type Answer, conduct, type FakeUpstream, json, startUpstream, stream } from '../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';

let upstream: FakeUpstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startUpstream();
  const baseUrl = upstream.url;
  server = await startTestServer({
    providers: {
      openai: { preset: 'openai', baseUrl, key: 'k', voices: { Charon: 'ballad' } },
      eleven: { preset: 'elevenlabs', baseUrl, key: 'k' },
      groq: { preset: 'groq', baseUrl, key: 'k' },
      minimax: { preset: 'minimax', baseUrl, key: 'k' },
      gemini: { preset: 'gemini', baseUrl, key: 'k' },
    },
    models: { 'gemini-*-preview-tts': 'openai/gpt-4o-mini-tts' },
  });
});

afterAll(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
  await upstream.close();
});

const MODEL = 'gemini-2.5-flash-preview-tts';

const post = (body: object, path = `/v1beta/models/${MODEL}:generateContent`, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { 'x-goog-api-key': server.key, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

const voiceConfig = (voiceName: string): object => ({ prebuiltVoiceConfig: { voiceName } });
const speaker = (name: string, voiceName: string): object => ({ speaker: name, voiceConfig: voiceConfig(voiceName) });
const ask = (text: string, speechConfig?: object): object => ({
  contents: [{ role: 'user', parts: [{ text }] }],
  generationConfig: { responseModalities: ['AUDIO'], ...(speechConfig ? { speechConfig } : {}) },
});
const two = (...speakers: object[]): object => ({ multiSpeakerVoiceConfig: { speakerVoiceConfigs: speakers } });
const JOE_AND_JANE = two(speaker('Joe', 'Charon'), speaker('Jane', 'Kore'));

/** Speaks what it is asked to in bytes: the voice and the text. */
const echo: Answer = (seen, response) => {
  const { voice, input } = JSON.parse(seen.body) as { voice: string; input: string };
  response.writeHead(200, { 'content-type': 'audio/pcm' }).end(`[${voice}|${input}]`.padEnd(40, '.'));
};

const sentSince = (count: number): Record<string, unknown>[] =>
  upstream.seen.slice(count).map(({ body }) => JSON.parse(body) as Record<string, unknown>);

interface Chunk {
  readonly candidates: { finishReason?: string; content: { parts: { inlineData: { mimeType: string; data: string } }[] } }[];
  readonly modelVersion: string;
}

const soundOf = (chunks: readonly Chunk[]): string =>
  Buffer.concat(
    chunks.flatMap(({ candidates }) => candidates[0]?.content.parts.map(({ inlineData }) => Buffer.from(inlineData.data, 'base64')) ?? []),
  ).toString();

describe('Gemini’s speech over OpenAI’s', () => {
  it('one voice, as samples', async () => {
    upstream.answer = echo;
    const before = upstream.seen.length;
    const answer = await post(ask('Hello', { voiceConfig: voiceConfig('Puck') }));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-pailou-served-by')).toBe('openai/gpt-4o-mini-tts');
    const reply = (await answer.json()) as Chunk;
    expect(reply).toMatchObject({ modelVersion: 'gpt-4o-mini-tts', candidates: [{ finishReason: 'STOP', content: { role: 'model' } }] });
    expect(reply.candidates[0]?.content.parts[0]?.inlineData.mimeType).toBe('audio/L16;codec=pcm;rate=24000');
    expect(soundOf([reply])).toBe('[fable|Hello]'.padEnd(40, '.'));
    expect(sentSince(before)).toEqual([{ model: 'gpt-4o-mini-tts', input: 'Hello', voice: 'fable', response_format: 'pcm' }]);
  });

  it.each([
    ['no speechConfig: the provider’s own voice', undefined, 'alloy'],
    ['a voice that no table knows, as it is', { voiceConfig: voiceConfig('Nobody') }, 'Nobody'],
    ['the operator’s table before the preset’s', { voiceConfig: voiceConfig('Charon') }, 'ballad'],
    ['snake_case', { voice_config: { prebuilt_voice_config: { voice_name: 'Kore' } } }, 'alloy'],
  ])('%s', async (_name, config, voice) => {
    upstream.answer = echo;
    const before = upstream.seen.length;
    expect((await post(ask('Hello', config))).status).toBe(200);
    expect(sentSince(before)).toMatchObject([{ voice }]);
  });

  it('two speakers: each line by its voice, joined in order; the preamble is an instruction', async () => {
    upstream.answer = echo;
    const before = upstream.seen.length;
    const script =
      'TTS the following conversation between Joe and Jane:\nJoe: How are you today Jane?\nJane: I am well.\nAnd you?\nJoe: Fine.';
    const reply = (await (await post(ask(script, JOE_AND_JANE))).json()) as Chunk;
    expect(soundOf([reply])).toBe(
      ['[ballad|How are you today Jane?]', '[alloy|I am well.\nAnd you?]', '[ballad|Fine.]'].map((one) => one.padEnd(40, '.')).join(''),
    );
    const instructions = 'TTS the following conversation between Joe and Jane:';
    expect(sentSince(before)).toMatchObject([{ instructions }, { instructions }, { instructions }]);
  });

  it('streams, as events and as an array', async () => {
    upstream.answer = (seen, response) => {
      const { input } = JSON.parse(seen.body) as { input: string };
      response.writeHead(200, { 'content-type': 'audio/pcm' });
      response.write(input.slice(0, 3), () => setImmediate(() => response.end(input.slice(3))));
    };
    const said = ask('Joe: abcdefgh\nJane: ijklmnop', JOE_AND_JANE);
    const events = await (await post(said, `/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`)).text();
    const chunks = events
      .trim()
      .split('\n\n')
      .map((one) => JSON.parse(one.slice(6)) as Chunk);
    expect(soundOf(chunks)).toBe('abcdefghijklmnop');
    expect(chunks.at(-1)?.candidates[0]?.finishReason).toBe('STOP');
    // Whole samples in every piece.
    for (const one of chunks) expect(soundOf([one]).length % 2).toBe(0);
    const array = (await (await post(said, `/v1beta/models/${MODEL}:streamGenerateContent`)).json()) as Chunk[];
    expect(soundOf(array)).toBe('abcdefghijklmnop');
  });

  it('tells an error in Gemini’s envelope, before and after the first sound', async () => {
    upstream.answer = json({ error: { message: 'no such voice', type: 'invalid_request_error' } }, 400);
    const refused = await post(ask('Hello'));
    expect([refused.status, await refused.json()]).toMatchObject([
      400,
      { error: { code: 400, message: 'no such voice', status: 'INVALID_ARGUMENT' } },
    ]);
    let calls = 0;
    upstream.answer = (seen, response) => {
      if (calls++ === 0) echo(seen, response);
      else json({ error: { message: 'busy' } }, 503)(seen, response);
    };
    const text = await (await post(ask('Joe: a\nJane: b', JOE_AND_JANE), `/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`)).text();
    expect(text).toContain('inlineData');
    expect(text).toContain('"error"');
    expect(text).not.toContain('STOP');
  });

  it('hangs up on every voice when the client does', async () => {
    const played = conduct();
    upstream.answer = played.answer;
    const leaving = new AbortController();
    const asking = fetch(`${server.url}/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`, {
      method: 'POST',
      headers: { 'x-goog-api-key': server.key, 'content-type': 'application/json' },
      body: JSON.stringify(ask('Hello')),
      signal: leaving.signal,
    });
    await played.asked;
    played.head(200, { 'content-type': 'audio/pcm' });
    await played.write('abcd');
    await asking;
    leaving.abort();
    await played.hungUp;
  });

  it.each([
    [
      'a third speaker in the configuration',
      ask('Joe: hi', two(speaker('Joe', 'Kore'), speaker('Jane', 'Puck'), speaker('Bob', 'Orus'))),
      'speakerVoiceConfigs',
    ],
    ['a third speaker in the script', ask('Joe: hi\nBob: hello', JOE_AND_JANE), 'contents'],
    ['a script without its speakers', ask('Hello there', JOE_AND_JANE), 'contents'],
    ['the same speaker twice', ask('Joe: hi', two(speaker('Joe', 'Kore'), speaker('Joe', 'Puck'))), 'speakerVoiceConfigs'],
    ['both forms at once', ask('Joe: hi', { ...JOE_AND_JANE, voiceConfig: voiceConfig('Kore') }), 'voiceConfig'],
    ['no speakers', ask('Joe: hi', two()), 'speakerVoiceConfigs'],
    ['nothing to say', ask('  '), 'contents'],
    ['a voice that is no name', ask('Hello', { voiceConfig: { prebuiltVoiceConfig: { voiceName: 7 } } }), 'voiceName'],
    [
      'a picture',
      { ...ask('x'), contents: [{ parts: [{ text: 'Read' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }] }] },
      'contents[0].parts',
    ],
    ['several candidates', { ...ask('x'), generationConfig: { responseModalities: ['AUDIO'], candidateCount: 2 } }, 'candidateCount'],
  ])('refuses %s', async (_name, body, field) => {
    const before = upstream.seen.length;
    const answer = await post(body);
    const { error } = (await answer.json()) as { error: { status: string; details: { fieldViolations?: { field: string }[] }[] } };
    expect([answer.status, error.status]).toEqual([400, 'INVALID_ARGUMENT']);
    expect(error.details.flatMap((one) => one.fieldViolations ?? []).map((one) => one.field)).toEqual([expect.stringContaining(field)]);
    expect(upstream.seen.length).toBe(before);
  });
});

describe('where it stays what it was', () => {
  it('a provider of Gemini’s own protocol gets the bytes as they are', async () => {
    upstream.answer = json({ candidates: [] });
    const body = ask('Hello', { voiceConfig: voiceConfig('Kore') });
    await post(body, `/gemini/v1beta/models/${MODEL}:generateContent`);
    expect(upstream.seen.at(-1)).toMatchObject({ path: `/v1beta/models/${MODEL}:generateContent`, body: JSON.stringify(body) });
  });

  it('text is not spoken', async () => {
    upstream.answer = json({ error: { message: 'not a chat model' } }, 404);
    await post({ contents: [{ parts: [{ text: 'AUDIO?' }] }] });
    expect(upstream.seen.at(-1)?.path).not.toContain('speech');
  });
});

describe.each([
  ['openai/gpt-4o-mini-tts', (): Answer => stream([Buffer.alloc(4800, 1)], 'audio/pcm')],
  ['eleven/eleven_v3', (): Answer => stream([Buffer.alloc(4800, 1)], 'audio/pcm')],
  [
    'groq/canopylabs/orpheus-v1-english',
    (): Answer =>
      stream([Buffer.from('UklGRv////9XQVZFZm10IBAAAAABAAEAwF0AAIC7AAACABAAZGF0Yf////8=', 'base64'), Buffer.alloc(4800, 1)], 'audio/wav'),
  ],
  [
    'minimax/speech-2.6-hd',
    (): Answer =>
      stream([
        `data: {"data":{"audio":"${Buffer.alloc(4800, 1).toString('hex')}","status":1}}\n\n`,
        'data: {"data":{"audio":"","status":2}}\n\n',
      ]),
  ],
])('the official SDK over %s', (model, answers) => {
  const client = (): GoogleGenAI => new GoogleGenAI({ apiKey: server.key, httpOptions: { baseUrl: server.url } });
  const config = {
    responseModalities: ['AUDIO'],
    speechConfig: {
      multiSpeakerVoiceConfig: {
        speakerVoiceConfigs: [
          { speaker: 'Joe', voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Kore' } } },
          { speaker: 'Jane', voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Puck' } } },
        ],
      },
    },
  };

  it('speechConfig', async () => {
    upstream.answer = answers();
    const single = { ...config, speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Kore' } } } };
    const reply = await client().models.generateContent({ model, contents: 'Hello', config: single });
    expect(Buffer.from(reply.data ?? '', 'base64').equals(Buffer.alloc(4800, 1))).toBe(true);
  });

  it('two speakers, streamed', async () => {
    upstream.answer = answers();
    let bytes = 0;
    const contents = 'Joe: Hello\nJane: Hi';
    for await (const one of await client().models.generateContentStream({ model, contents, config })) {
      bytes += Buffer.from(one.data ?? '', 'base64').length;
    }
    expect(bytes).toBe(9600);
  });
});

describe('scripts', () => {
  it.each([
    ['Joe: a\nJane: b', '', ['Joe|a', 'Jane|b']],
    ['Be quick:\n\nJoe: a\nJoe: b', 'Be quick:', ['Joe|a\nb']],
    ['**Joe:** a\n\n**Jane**: b\nc', '', ['Joe|a', 'Jane|b\nc']],
    ['joe: a\r\nJANE：b', '', ['Joe|a', 'Jane|b']],
    ['Joe: see https://x.example\nat 10:30: go', '', ['Joe|see https://x.example\nat 10:30: go']],
    ['Joe:\na line below\nJane: b', '', ['Joe|a line below', 'Jane|b']],
    ['Joe: he said: stop\nJane: b', '', ['Joe|he said: stop', 'Jane|b']],
  ])('%j', (text, preamble, lines) => {
    const script = splitScript(text, ['Joe', 'Jane'], 'contents');
    expect([script.preamble, script.lines.map((line) => `${line.speaker}|${line.text}`)]).toEqual([preamble, lines]);
  });
});
