import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cutStream, type FakeUpstream, json, type Seen, startUpstream, stream } from '../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';

let upstream: FakeUpstream;
let server: TestServer;
const folder = mkdtempSync(join(tmpdir(), 'pailou-uploads-'));

beforeAll(async () => {
  upstream = await startUpstream();
  const baseUrl = upstream.url;
  server = await startTestServer(
    {
      providers: {
        openai: { preset: 'openai', baseUrl, key: 'k-openai' },
        groq: { preset: 'groq', baseUrl, key: 'k' },
        mistral: { preset: 'mistral', baseUrl, key: 'k' },
        eleven: { preset: 'elevenlabs', baseUrl, key: 'k' },
        gemini: { preset: 'gemini', baseUrl, key: 'k' },
        silicon: { preset: 'siliconflow', baseUrl, key: 'k' },
        deepgram: { preset: 'deepgram', baseUrl, key: 'k' },
      },
      models: { ears: 'openai/whisper-1' },
    },
    undefined,
    undefined,
    { spoolFolder: folder },
  );
});

afterAll(async () => {
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
  expect(server.defects).toEqual([]);
  await server.close();
  await upstream.close();
});

/** A WAV of silence, of bytes that are ASCII: the fake upstream keeps what it got as text. */
const wav = (bytes = 3200): Buffer => {
  const header = Buffer.from('UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=', 'base64');
  header.writeUInt32LE(0, 28);
  return Buffer.concat([header, Buffer.alloc(bytes)]);
};

const FILE: Part = ['file', wav(), 'a.wav', 'audio/wav'];

type Part = readonly [string, string | Buffer, string?, string?];

function formOf(parts: readonly Part[]): Buffer {
  const written = parts.flatMap(([name, value, filename, type]) => [
    Buffer.from(
      `--XX\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n` +
        `${type === undefined ? '' : `Content-Type: ${type}\r\n`}\r\n`,
    ),
    Buffer.from(value),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...written, Buffer.from('--XX--\r\n')]);
}

const post = (parts: readonly Part[], path = '/v1/audio/transcriptions', headers: Record<string, string> = {}): Promise<Response> =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'multipart/form-data; boundary=XX', ...headers },
    body: new Uint8Array(formOf(parts)),
  });

/** What the upstream got: fields, and files by size. */
async function got(seen: Seen | undefined): Promise<Record<string, string>> {
  const type = seen?.headers['content-type'] ?? '';
  const form = await new Response(new Uint8Array(Buffer.from(seen?.body ?? '', 'utf8')), { headers: { 'content-type': type } }).formData();
  return Object.fromEntries([...form].map(([name, value]) => [name, typeof value === 'string' ? value : `@${value.name} ${value.size}`]));
}

const TEXT = { text: 'Hello.', usage: { type: 'duration', seconds: 4 } };

describe('a provider of the client’s own dialect', () => {
  it.each([
    ['the model before the file', [['model', 'ears'], ['language', 'en'], FILE, ['prompt', 'Ada']] as Part[]],
    ['the file before the model', [FILE, ['language', 'en'], ['model', 'ears'], ['prompt', 'Ada']] as Part[]],
    [
      'a large file before the model',
      [
        ['file', wav(3_000_000), 'a.wav', 'audio/wav'],
        ['language', 'en'],
        ['model', 'ears'],
        ['prompt', 'Ada'],
      ] as Part[],
    ],
  ])('%s: the bytes of both sides pass', async (_name, parts) => {
    upstream.answer = json('{ "text" : "Hello." }');
    const answer = await post(parts);
    expect([answer.status, await answer.text()]).toEqual([200, '{ "text" : "Hello." }']);
    expect(answer.headers.get('x-pailou-served-by')).toBe('openai/whisper-1');
    const seen = upstream.seen.at(-1);
    const file = parts.find(([name]) => name === 'file')?.[1].length;
    expect(await got(seen)).toEqual({ model: 'whisper-1', language: 'en', prompt: 'Ada', file: `@a.wav ${file}` });
    expect([seen?.path, seen?.headers.authorization]).toEqual(['/v1/audio/transcriptions', 'Bearer k-openai']);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('passes formats and fields that are not known here, and the platform’s path', async () => {
    upstream.answer = json('1\n00:00:00,000 --> 00:00:01,000\nHi\n', 200, { 'content-type': 'text/plain; charset=utf-8' });
    const answer = await post(
      [['model', 'whisper-1'], FILE, ['response_format', 'srt'], ['brand_new', 'x']],
      '/openai/v1/audio/translations',
    );
    expect([answer.headers.get('content-type'), await answer.text()]).toEqual([
      'text/plain; charset=utf-8',
      '1\n00:00:00,000 --> 00:00:01,000\nHi\n',
    ]);
    expect(await got(upstream.seen.at(-1))).toMatchObject({ response_format: 'srt', brand_new: 'x' });
    expect(upstream.seen.at(-1)?.path).toBe('/v1/audio/translations');
  });

  it('takes every way of sending a key, and refuses others', async () => {
    upstream.answer = json(TEXT);
    const parts: Part[] = [['model', 'ears'], FILE];
    const keyed: Record<string, string>[] = [{ 'x-api-key': server.key }, { 'x-goog-api-key': server.key }, { 'api-key': server.key }];
    for (const headers of keyed) expect((await post(parts, undefined, { authorization: '', ...headers })).status).toBe(200);
    expect((await post(parts, `/v1/audio/transcriptions?key=${server.key}`, { authorization: '' })).status).toBe(200);
    expect((await post(parts, undefined, { authorization: 'Bearer nobody' })).status).toBe(401);
  });

  it('relays events as they are, and counts what they say', async () => {
    const done =
      'data: {"type":"transcript.text.done","text":"Hi","usage":{"type":"tokens","input_tokens":14,"output_tokens":2,"total_tokens":16}}\r\n\r\n';
    const pieces = ['data: {"type":"transcript.text.delta","delta":"Hi"}\r\n\r\n', done, 'data: [DONE]\r\n\r\n'];
    upstream.answer = stream(pieces);
    const answer = await post([FILE, ['model', 'openai/gpt-4o-transcribe'], ['stream', 'true']]);
    expect(await answer.text()).toBe(pieces.join(''));
    await expect.poll(() => server.records.at(-1)).toMatchObject({ operation: 'transcription', input: 14, output: 2 });
  });

  it('says in events that they broke off', async () => {
    upstream.answer = cutStream(['data: {"type":"transcript.text.delta","delta":"Hi"}\n\n'], 'rst');
    const text = await (await post([['model', 'openai/gpt-4o-transcribe'], ['stream', 'true'], FILE])).text();
    expect(text).toContain('"error"');
  });

  it('passes on what is refused', async () => {
    upstream.answer = json({ error: { message: 'corrupted', type: 'invalid_request_error', param: 'file', code: null } }, 400);
    for (const parts of [
      [['model', 'ears'], FILE],
      [FILE, ['model', 'ears']],
    ] as Part[][]) {
      const answer = await post(parts);
      expect([answer.status, await answer.json()]).toMatchObject([400, { error: { message: 'corrupted', param: 'file' } }]);
    }
    upstream.answer = json({ error: { message: 'bad key' } }, 401);
    const trouble = await post([['model', 'ears'], FILE]);
    expect([trouble.status, await trouble.json()]).toMatchObject([502, { error: { code: 'upstream_credential' } }]);
  });
});

const SEGMENTS = {
  text: 'Hello. Bye.',
  language: 'english',
  duration: 2.5,
  segments: [
    { id: 0, start: 0, end: 1.25, text: ' Hello.' },
    { id: 1, start: 1.25, end: 2.5, text: ' Bye.' },
  ],
};

describe('a provider that gives less than is asked', () => {
  it.each([
    ['srt', 'application/x-subrip', '1\n00:00:00,000 --> 00:00:01,250\nHello.\n\n2\n00:00:01,250 --> 00:00:02,500\nBye.\n\n'],
    ['vtt', 'text/vtt', 'WEBVTT\n\n00:00:00.000 --> 00:00:01.250\nHello.\n\n00:00:01.250 --> 00:00:02.500\nBye.\n\n'],
  ])('%s is made of its segments', async (format, type, text) => {
    upstream.answer = json(SEGMENTS);
    const answer = await post([['model', 'groq/whisper-large-v3'], FILE, ['response_format', format]]);
    expect(answer.headers.get('content-type')).toContain(type);
    expect(await answer.text()).toBe(text);
    expect(await got(upstream.seen.at(-1))).toMatchObject({ response_format: 'verbose_json' });
  });

  it('events are made of its whole answer', async () => {
    upstream.answer = json({ text: 'Hello.' });
    const answer = await post([['model', 'silicon/FunAudioLLM/SenseVoiceSmall'], FILE, ['stream', 'true']]);
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    expect(await answer.text()).toBe(
      'data: {"type":"transcript.text.delta","delta":"Hello."}\n\ndata: {"type":"transcript.text.done","text":"Hello."}\n\ndata: [DONE]\n\n',
    );
    expect(await got(upstream.seen.at(-1))).not.toHaveProperty('stream');
  });

  it.each([
    ['silicon/FunAudioLLM/SenseVoiceSmall', 'srt', 'json, text'],
    ['groq/whisper-large-v3', 'diarized_json', 'json, text, verbose_json, srt, vtt'],
  ])('%s refuses %s and lists what it gives', async (model, format, able) => {
    for (const parts of [
      [['model', model], FILE, ['response_format', format]],
      [FILE, ['model', model], ['response_format', format]],
    ] as Part[][]) {
      const answer = await post(parts);
      expect(answer.status).toBe(400);
      const { error } = (await answer.json()) as { error: { message: string; param: string } };
      expect(error.param).toBe('response_format');
      expect(error.message).toContain(able);
    }
  });
});

describe('translated', () => {
  it('Mistral’s events', async () => {
    upstream.answer = stream([
      'event: transcription.language\ndata: {"type":"transcription.language","audio_language":"en"}\n\n',
      'event: transcription.text.delta\ndata: {"type":"transcription.text.delta","text":"Hel"}\n\n',
      'event: transcription.text.delta\ndata: {"type":"transcription.text.delta","text":"lo."}\n\n',
      'event: transcription.done\ndata: {"type":"transcription.done","model":"voxtral","text":"Hello.","language":"en","usage":{"prompt_tokens":4,"completion_tokens":3,"total_tokens":20}}\n\n',
    ]);
    const answer = await post([['model', 'mistral/voxtral-mini-latest'], ['stream', 'true'], FILE]);
    expect(await answer.text()).toBe(
      [
        '{"type":"transcript.text.delta","delta":"Hel"}',
        '{"type":"transcript.text.delta","delta":"lo."}',
        '{"type":"transcript.text.done","text":"Hello.","usage":{"type":"tokens","input_tokens":17,"output_tokens":3,"total_tokens":20}}',
        '[DONE]',
      ]
        .map((data) => `data: ${data}\n\n`)
        .join(''),
    );
    expect(await got(upstream.seen.at(-1))).toEqual({ model: 'voxtral-mini-latest', stream: 'true', file: `@a.wav ${FILE[1].length}` });
  });

  it('Gemini’s times, as a structured answer', async () => {
    const said = {
      language: 'en',
      segments: [
        { start: '00:00', end: '00:01.5', text: 'Hello.', speaker: 'A' },
        { start: '01:02', end: '1:00:03', text: 'Bye.' },
      ],
    };
    upstream.answer = json({
      candidates: [{ content: { parts: [{ text: JSON.stringify(said) }] }, finishReason: 'STOP' }],
      usageMetadata: { promptTokenCount: 90, candidatesTokenCount: 30 },
    });
    const answer = await post([FILE, ['model', 'gemini/gemini-2.5-flash'], ['response_format', 'srt']]);
    expect(await answer.text()).toBe('1\n00:00:00,000 --> 00:00:01,500\nHello.\n\n2\n00:01:02,000 --> 01:00:03,000\nBye.\n\n');
    const body = JSON.parse(upstream.seen.at(-1)?.body ?? '') as {
      generationConfig: { responseSchema: object };
      contents: { parts: { inlineData: object }[] }[];
    };
    expect(body.generationConfig.responseSchema).toMatchObject({ required: ['segments'] });
    expect(body.contents[0]?.parts[1]?.inlineData).toEqual({ mimeType: 'audio/wav', data: wav().toString('base64') });
  });

  it('Gemini’s stream', async () => {
    const event = (text: string, finishReason?: string): string =>
      `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text }] }, ...(finishReason ? { finishReason } : {}) }], usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 2 } })}\r\n\r\n`;
    upstream.answer = stream([event('Hel'), event('lo.', 'STOP')]);
    const text = await (await post([['model', 'gemini/gemini-2.5-flash'], ['stream', 'true'], FILE])).text();
    expect(text).toContain('"delta":"Hel"');
    expect(text).toContain('"text":"Hello.","usage":{"type":"tokens","input_tokens":9,"output_tokens":2,"total_tokens":11}');
    expect(upstream.seen.at(-1)?.path).toBe('/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse');
  });

  it.each([
    ['all before it', [['model', 'deepgram/nova-3'], ['language', 'en'], ['response_format', 'srt'], FILE]],
    [
      'some behind it',
      [
        ['model', 'deepgram/nova-3'],
        ['file', wav(900_000), 'a.wav', 'audio/wav'],
        ['language', 'en'],
        ['response_format', 'srt'],
      ],
    ],
    ['all behind it', [FILE, ['language', 'en'], ['response_format', 'srt'], ['model', 'deepgram/nova-3']]],
  ] as [string, Part[]][])('a provider that takes the file itself, with what is asked in the address: %s', async (_name, parts) => {
    upstream.answer = json({
      results: {
        channels: [{ alternatives: [{ transcript: 'Hello.', words: [] }] }],
        utterances: [{ start: 0, end: 1.5, transcript: 'Hello.' }],
      },
    });
    const answer = await post(parts);
    expect(await answer.text()).toBe('1\n00:00:00,000 --> 00:00:01,500\nHello.\n\n');
    const seen = upstream.seen.at(-1);
    const file = parts.find(([name]) => name === 'file')?.[1];
    expect(seen?.path).toBe('/v1/listen?language=en&model=nova-3&smart_format=true&utterances=true');
    expect([seen?.body, seen?.headers['content-length'], seen?.headers['content-type']]).toEqual([
      String(file),
      String(file?.length),
      'audio/wav',
    ]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is an error where the answer cannot be read', async () => {
    upstream.answer = json({ nothing: true });
    const answer = await post([['model', 'eleven/scribe_v2'], FILE]);
    expect([answer.status, await answer.json()]).toMatchObject([502, { error: { code: 'upstream_malformed' } }]);
    upstream.answer = json({ candidates: [{ content: { parts: [{ text: 'Hel' }] }, finishReason: 'MAX_TOKENS' }] });
    expect((await post([['model', 'gemini/gemini-2.5-flash'], FILE])).status).toBe(502);
  });
});

describe('what is refused', () => {
  it.each([
    ['no file', [['model', 'ears']], 'file', 400],
    ['no model', [FILE], 'model', 400],
    ['no model behind a large file', [['file', wav(600_000), 'a.wav']], 'model', 400],
    [
      'a file in another part',
      [
        ['model', 'ears'],
        ['audio', wav(), 'a.wav', 'audio/wav'],
      ],
      'audio',
      400,
    ],
    ['two files', [['model', 'ears'], FILE, FILE], 'file', 400],
    [
      'a file of four bytes',
      [
        ['model', 'ears'],
        ['file', 'RIFF', 'a.wav', 'audio/wav'],
      ],
      'file',
      400,
    ],
    [
      'an empty file',
      [
        ['model', 'ears'],
        ['file', '', 'a.wav', 'audio/wav'],
      ],
      'file',
      400,
    ],
    [
      'a file that is no audio',
      [
        ['model', 'ears'],
        ['file', 'Dear Sir or Madam', 'a.txt', 'text/plain'],
      ],
      'file',
      400,
    ],
    ['an unknown format', [['model', 'ears'], ['response_format', 'docx'], FILE], 'response_format', 400],
    ['an unknown format behind the file', [['model', 'ears'], FILE, ['response_format', 'docx']], 'response_format', 400],
    ['a temperature that is none', [FILE, ['model', 'ears'], ['temperature', 'warm']], 'temperature', 400],
    ['an unknown granularity', [FILE, ['model', 'ears'], ['timestamp_granularities[]', 'phoneme']], 'timestamp_granularities', 400],
    ['a flag that is none', [['stream', 'yes'], ['model', 'ears'], FILE], 'stream', 400],
    ['an unknown model', [['model', 'nobody'], FILE], 'model', 404],
    ['a model that cannot listen', [['model', 'openai/gpt-5'], FILE], 'model', 400],
    [
      'more than fits into a request of Gemini',
      [
        ['model', 'gemini/gemini-2.5-flash'],
        ['file', wav(15 * 1024 * 1024), 'a.wav'],
      ],
      'file',
      413,
    ],
    [
      'times of words where there are none',
      [['model', 'gemini/gemini-2.5-flash'], FILE, ['response_format', 'verbose_json'], ['timestamp_granularities[]', 'word']],
      'timestamp_granularities',
      400,
    ],
  ] as [string, Part[], string, number][])('%s', async (_name, parts, param, status) => {
    upstream.answer = json(TEXT);
    const answer = await post(parts);
    const body = (await answer.json()) as { error: { param: string } };
    expect([answer.status, body.error.param]).toEqual([status, param]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['before the file', [['model', 'mistral/voxtral-mini-latest'], ['prompt', 'Ada'], FILE]],
    ['behind the file', [['model', 'mistral/voxtral-mini-latest'], FILE, ['prompt', 'Ada']]],
    ['with a file that waits', [FILE, ['prompt', 'Ada'], ['model', 'mistral/voxtral-mini-latest']]],
  ] as [string, Part[]][])('what a provider cannot be told, where the caller is strict: %s', async (_name, parts) => {
    upstream.answer = json(TEXT);
    const answer = await post(parts, undefined, { 'x-strict': '1' });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param: 'prompt', code: 'not_expressible' } }]);
  });

  it('JSON, and a form that ends in its file', async () => {
    const answer = await fetch(`${server.url}/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
      body: '{"model":"ears"}',
    });
    expect(answer.status).toBe(400);
    for (const parts of [[['model', 'ears'], FILE], [FILE]] as Part[][]) {
      const body = formOf(parts);
      const cut = await fetch(`${server.url}/v1/audio/transcriptions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${server.key}`, 'content-type': 'multipart/form-data; boundary=XX' },
        body: new Uint8Array(body.subarray(0, body.length - 40)),
      });
      expect([cut.status, await cut.json()]).toMatchObject([400, { error: { param: 'file', code: 'invalid_multipart' } }]);
    }
  });

  it('leaves nothing behind when the client hangs up in the middle, and hangs up itself', async () => {
    for (const order of ['model first', 'file first']) {
      const body = formOf(
        order === 'model first'
          ? [
              ['model', 'ears'],
              ['file', wav(900_000), 'a.wav'],
            ]
          : [['file', wav(900_000), 'a.wav']],
      );
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      socket.on('error', () => {});
      const records = server.records.length;
      socket.write(
        `POST /v1/audio/transcriptions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.key}\r\n` +
          `content-type: multipart/form-data; boundary=XX\r\ncontent-length: ${body.length + 1000}\r\n\r\n`,
      );
      await new Promise<void>((resolve) => socket.write(body.subarray(0, 800_000), () => resolve()));
      socket.destroy();
      if (order === 'model first') await expect.poll(() => server.records.length).toBe(records + 1);
      await expect.poll(() => readdirSync(folder)).toEqual([]);
    }
  });

  it('answers while the client still sends, where the upstream has refused', async () => {
    upstream.answer = json(TEXT);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = httpRequest(
        `${server.url}/v1/audio/transcriptions`,
        { method: 'POST', headers: { authorization: `Bearer ${server.key}`, 'content-type': 'multipart/form-data; boundary=XX' } },
        (response) => {
          response.resume();
          resolve(response.statusCode);
          sent.destroy();
        },
      );
      sent.on('error', reject);
      sent.write(
        formOf([
          ['model', 'openai/gpt-5'],
          ['file', wav(200_000), 'a.wav'],
        ]).subarray(0, -20),
      );
    });
    expect(status).toBe(400);
  });
});

describe.each([
  ['openai/whisper-1', (): void => void (upstream.answer = json({ text: 'Hello.' }))],
  [
    'eleven/scribe_v2',
    (): void => void (upstream.answer = json({ text: 'Hello.', words: [{ text: 'Hello.', start: 0, end: 1, type: 'word' }] })),
  ],
  [
    'gemini/gemini-2.5-flash',
    (): void => void (upstream.answer = json({ candidates: [{ content: { parts: [{ text: 'Hello.' }] }, finishReason: 'STOP' }] })),
  ],
])('the official SDK over %s', (model, answers) => {
  const client = (): OpenAI => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.key, maxRetries: 0 });

  it('audio.transcriptions', async () => {
    answers();
    const file = await toFile(wav(), 'hello.wav');
    expect((await client().audio.transcriptions.create({ file, model })).text).toBe('Hello.');
  });

  it('audio.transcriptions, streamed', async () => {
    const event = (type: string, more: object): string => `data: ${JSON.stringify({ type, ...more })}\n\n`;
    if (model.startsWith('openai')) {
      upstream.answer = stream([
        event('transcript.text.delta', { delta: 'Hello.' }),
        event('transcript.text.done', { text: 'Hello.' }),
        'data: [DONE]\n\n',
      ]);
    } else if (model.startsWith('gemini')) {
      upstream.answer = stream([
        `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: 'Hello.' }] }, finishReason: 'STOP' }] })}\n\n`,
      ]);
    } else answers();
    const file = await toFile(wav(), 'hello.wav');
    const types: string[] = [];
    for await (const one of await client().audio.transcriptions.create({ file, model, stream: true })) types.push(one.type);
    expect(types).toEqual(['transcript.text.delta', 'transcript.text.done']);
  });

  it('audio.translations', async () => {
    if (model.startsWith('eleven')) return;
    answers();
    const file = await toFile(wav(), 'hello.wav');
    expect((await client().audio.translations.create({ file, model })).text).toBe('Hello.');
  });
});
