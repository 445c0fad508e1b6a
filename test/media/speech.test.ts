import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../../src/media/audio/ffmpeg.ts';
import { type Answer, conduct, cutStream, type FakeUpstream, json, startUpstream, stream } from '../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';

let upstream: FakeUpstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startUpstream();
  const baseUrl = upstream.url;
  server = await startTestServer({
    providers: {
      openai: { preset: 'openai', baseUrl, key: 'k' },
      gemini: { preset: 'gemini', baseUrl, key: 'k', voices: { alloy: 'Zephyr' } },
      groq: { preset: 'groq', baseUrl, key: 'k' },
      eleven: { preset: 'elevenlabs', baseUrl, key: 'k' },
      minimax: { preset: 'minimax', baseUrl, key: 'k' },
    },
  });
});

afterAll(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
  await upstream.close();
});

const post = (body: unknown, path = '/v1/audio/speech', headers: Record<string, string> = {}): Promise<Response> =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

const bytesOf = async (answer: Response): Promise<Buffer> => Buffer.from(await answer.arrayBuffer());
const sent = (): Record<string, unknown> => JSON.parse(upstream.seen.at(-1)?.body ?? '{}') as Record<string, unknown>;

/** Half a second of a tone at 24 kHz. */
const TONE = Buffer.alloc(24_000);
for (let i = 0; i < TONE.length / 2; i++) TONE.writeInt16LE(Math.round(8000 * Math.sin(i / 8)), i * 2);

const geminiEvent = (pcm: Buffer, finishReason?: string, mimeType = 'audio/L16;codec=pcm;rate=24000'): string =>
  `data: ${JSON.stringify({
    candidates: [
      {
        content: { role: 'model', parts: [{ inlineData: { mimeType, data: pcm.toString('base64') } }] },
        ...(finishReason === undefined ? {} : { finishReason }),
      },
    ],
    usageMetadata: { promptTokenCount: 4, candidatesTokenCount: 13 },
  })}\r\n\r\n`;

const GEMINI = 'gemini/gemini-3.1-flash-tts-preview';
const geminiTone = () => stream([geminiEvent(TONE.subarray(0, 9_999)), geminiEvent(TONE.subarray(9_999), 'STOP')]);

describe('speech in the provider’s own format', () => {
  it('passes bytes and type, and fields that are not known here', async () => {
    upstream.answer = stream([Buffer.from([0xff, 0xf3, 1]), Buffer.from([2, 3])], 'audio/mpeg');
    const answer = await post({ model: 'openai/tts-1', input: 'Hi', voice: 'nova', speed: 0.25, new_field: [1] });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'audio/mpeg']);
    expect(answer.headers.get('x-pailou-served-by')).toBe('openai/tts-1');
    expect(await bytesOf(answer)).toEqual(Buffer.from([0xff, 0xf3, 1, 2, 3]));
    expect(sent()).toEqual({ new_field: [1], model: 'tts-1', input: 'Hi', voice: 'nova', speed: 0.25 });
  });

  it.each([
    ['as it stands', ' {"input":"Hi",  "model":"openai/tts-1","voice":"nova" }', ' {"input":"Hi",  "model":"tts-1","voice":"nova" }'],
    [
      'a voice of one’s own',
      '{"model":"openai/tts-1","input":"Hi","voice":{"id":"voice_1"}}',
      '{"model":"tts-1","input":"Hi","voice":{"id":"voice_1"}}',
    ],
    [
      'what is not known here',
      '{"brand_new":[1],"model":"openai/tts-1","input":"Hi","voice":"nova","speed":1.0}',
      '{"brand_new":[1],"model":"tts-1","input":"Hi","voice":"nova","speed":1.0}',
    ],
    [
      'another name for a voice is written',
      '{"model":"openai/tts-1","input":"Hi","voice":"Kore"}',
      '{"model":"tts-1","input":"Hi","voice":"alloy","response_format":"mp3"}',
    ],
  ])('the body passes byte by byte but for the model: %s', async (_name, body, expected) => {
    upstream.answer = stream(['x'], 'audio/mpeg');
    const answer = await fetch(`${server.url}/v1/audio/speech`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
      body,
    });
    expect([answer.status, upstream.seen.at(-1)?.body]).toEqual([200, expected]);
  });

  it('gives the first bytes before the last have come', async () => {
    const played = conduct();
    upstream.answer = played.answer;
    const asking = post({ model: 'tts-1', input: 'Hi', voice: 'alloy', response_format: 'opus' }, '/openai/v1/audio/speech');
    await played.asked;
    played.head(200, { 'content-type': 'audio/opus' });
    await played.write('first');
    const answer = await asking;
    const reader = answer.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('first');
    played.end('last');
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('last');
  });

  it('breaks the connection where the upstream broke off', async () => {
    upstream.answer = cutStream(['half of it'], 'rst');
    const answer = await post({ model: 'openai/tts-1', input: 'Hi', voice: 'alloy' });
    await expect(bytesOf(answer)).rejects.toThrow();
    await expect.poll(() => server.records.at(-1)).toMatchObject({ operation: 'speech', endedBy: 'gateway' });
  });

  it('hangs up when the client does', async () => {
    const played = conduct();
    upstream.answer = played.answer;
    const leaving = new AbortController();
    const asking = fetch(`${server.url}/v1/audio/speech`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'openai/tts-1', input: 'Hi', voice: 'alloy' }),
      signal: leaving.signal,
    });
    await played.asked;
    played.head(200, { 'content-type': 'audio/mpeg' });
    await played.write('first');
    await asking;
    leaving.abort();
    await played.hungUp;
    await expect.poll(() => server.records.at(-1)?.endedBy).toBe('client');
  });

  it('relays the provider’s own events, and counts what they say', async () => {
    const done = 'data: {"type":"speech.audio.done","usage":{"input_tokens":3,"output_tokens":9,"total_tokens":12}}\n\n';
    upstream.answer = stream(['data: {"type":"speech.audio.delta","audio":"AAEC"}\n\n', done]);
    const answer = await post({ model: 'openai/gpt-4o-mini-tts', input: 'Hi', voice: 'alloy', stream_format: 'sse' });
    expect(await answer.text()).toBe(`data: {"type":"speech.audio.delta","audio":"AAEC"}\n\n${done}`);
    expect(sent()['stream_format']).toBe('sse');
    await expect.poll(() => server.records.at(-1)).toMatchObject({ input: 3, output: 9 });
  });
});

/** Speaks without end, as fast as it is taken; how much it could say. */
function endless(type: string, piece: Buffer): { readonly answer: Answer; said: number; gone: boolean } {
  const state = {
    said: 0,
    gone: false,
    answer: ((_request, response) => {
      response.writeHead(200, { 'content-type': type });
      response.on('close', () => (state.gone = true));
      const more = (): void => {
        while (!response.destroyed && response.write(piece)) state.said += piece.length;
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    }) as Answer,
  };
  return state;
}

const leaves = (body: object): { readonly asking: Promise<Response>; readonly leaving: AbortController } => {
  const leaving = new AbortController();
  const asking = fetch(`${server.url}/v1/audio/speech`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: leaving.signal,
  });
  return { asking, leaving };
};

/** Children of this process by a name. */
const childrenNamed = (name: string): number =>
  readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        return stat.includes(`(${name})`) && Number(/\) . (\d+)/.exec(stat)?.[1]) === process.pid;
      } catch {
        return false;
      }
    }).length;

describe('a client that takes its time', () => {
  it.each([
    ['the provider’s own format', { model: 'openai/tts-1', response_format: 'mp3' }],
    ['MP3 made here', { model: 'eleven/eleven_v3', response_format: 'wav' }],
  ])('stops the provider: %s', async (_name, body) => {
    const state = endless('audio/mpeg', Buffer.alloc(64 * 1024));
    upstream.answer = state.answer;
    const { asking, leaving } = leaves({ input: 'Hi', voice: 'alloy', ...body });
    await asking;
    let before = -1;
    await expect.poll(() => [before, (before = state.said)].every((one) => one === state.said), { interval: 200 }).toBe(true);
    expect(state.said).toBeLessThan(40 * 1024 * 1024);
    leaving.abort();
    await expect.poll(() => state.gone).toBe(true);
  });

  it.runIf(process.platform === 'linux' && findFfmpeg() !== undefined)('and goes: its program goes too', async () => {
    const state = endless('audio/pcm', TONE);
    upstream.answer = state.answer;
    const { asking, leaving } = leaves({ model: 'eleven/eleven_v3', input: 'Hi', voice: 'x', response_format: 'flac' });
    await asking;
    expect(childrenNamed('ffmpeg')).toBe(1);
    leaving.abort();
    await expect.poll(() => [state.gone, childrenNamed('ffmpeg')]).toEqual([true, 0]);
  });
});

describe('long speech', () => {
  it('is encoded without holding up other calls', async () => {
    const long = Buffer.concat(Array.from({ length: 240 }, () => TONE));
    upstream.answer = stream([geminiEvent(long, 'STOP')]);
    const delay = monitorEventLoopDelay({ resolution: 5 });
    const answer = await post({ model: GEMINI, input: 'Hi' });
    // From here on the work is the encoder's: a tenth of a second of sound at once.
    delay.enable();
    expect((await bytesOf(answer)).length).toBeGreaterThan(500_000);
    delay.disable();
    expect(delay.percentile(99) / 1e6).toBeLessThan(100);
  });
});

describe('speech out of raw samples', () => {
  it('becomes WAV by a header', async () => {
    upstream.answer = geminiTone();
    const answer = await post({ model: GEMINI, input: 'Hi', voice: 'alloy', response_format: 'wav' });
    expect(answer.headers.get('content-type')).toBe('audio/wav');
    const wav = await bytesOf(answer);
    expect([wav.toString('latin1', 0, 4), wav.toString('latin1', 8, 16), wav.readUInt32LE(24), wav.readUInt16LE(34)]).toEqual([
      'RIFF',
      'WAVEfmt ',
      24_000,
      16,
    ]);
    expect(wav.subarray(44).equals(TONE)).toBe(true);
    // The operator's table of voices is over the preset's.
    expect(sent()).toMatchObject({
      generationConfig: { speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Zephyr' } } } },
    });
    await expect.poll(() => server.records.at(-1)).toMatchObject({ input: 4, output: 13 });
  });

  it('stays samples, brought to 24 kHz', async () => {
    upstream.answer = stream([geminiEvent(TONE, 'STOP', 'audio/l16; rate=48000; channels=1')]);
    const answer = await post({ model: GEMINI, input: 'Hi', response_format: 'pcm' });
    expect(answer.headers.get('content-type')).toBe('audio/pcm');
    const pcm = await bytesOf(answer);
    expect(Math.abs(pcm.length - TONE.length / 2)).toBeLessThanOrEqual(4);
    expect(pcm.readInt16LE(200)).toBeCloseTo(TONE.readInt16LE(400), -1);
  });

  it('becomes MP3 by the encoder that is always there', async () => {
    upstream.answer = geminiTone();
    const answer = await post({ model: GEMINI, input: 'Hi' });
    expect(answer.headers.get('content-type')).toBe('audio/mpeg');
    const mp3 = await bytesOf(answer);
    // MPEG 2 layer III, without CRC: https://www.datavoyage.com/mpgscript/mpeghdr.htm
    expect([mp3[0], (mp3[1] ?? 0) & 0xfe]).toEqual([0xff, 0xf2]);
    expect(mp3.length).toBeGreaterThan(2000);
  });

  it('a WAV of the provider’s becomes MP3, its header left out', async () => {
    const header = Buffer.from('UklGRv////9XQVZFZm10IBAAAAABAAEAgLsAAAB3AQACABAAZGF0Yf////8=', 'base64');
    upstream.answer = stream([header.subarray(0, 20), Buffer.concat([header.subarray(20), TONE])], 'audio/wav');
    const answer = await post({ model: 'groq/canopylabs/orpheus-v1-english', input: 'Hi', voice: 'hannah' });
    expect(sent()).toMatchObject({ response_format: 'wav', voice: 'hannah' });
    const mp3 = await bytesOf(answer);
    expect([mp3[0], (mp3[1] ?? 0) & 0xe0]).toEqual([0xff, 0xe0]);
  });

  it('is written in events where they are asked for', async () => {
    upstream.answer = geminiTone();
    const answer = await post({ model: GEMINI, input: 'Hi', response_format: 'pcm', stream_format: 'sse' });
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    const events = (await answer.text())
      .trim()
      .split('\n\n')
      .map((one) => JSON.parse(one.slice(6)) as { type: string; audio?: string; usage?: object });
    expect(Buffer.concat(events.map(({ audio }) => Buffer.from(audio ?? '', 'base64'))).equals(TONE)).toBe(true);
    expect(events.at(-1)).toEqual({ type: 'speech.audio.done', usage: { input_tokens: 4, output_tokens: 13, total_tokens: 17 } });
  });

  it('says in events that the provider broke off', async () => {
    upstream.answer = stream([geminiEvent(TONE.subarray(0, 4000)), geminiEvent(Buffer.alloc(0), 'OTHER')]);
    const text = await (await post({ model: GEMINI, input: 'Hi', response_format: 'pcm', stream_format: 'sse' })).text();
    expect(text).toContain('speech.audio.delta');
    expect(text).toContain('"error"');
    expect(text).not.toContain('speech.audio.done');
  });
});

describe('formats that need a program', () => {
  const program = findFfmpeg();

  it.each([
    ['opus', 'audio/ogg; codecs=opus', 'OggS'],
    ['flac', 'audio/flac', 'fLaC'],
    ['aac', 'audio/aac', '\xff\xf1'],
  ])('%s', async (format, type, magic) => {
    upstream.answer = geminiTone();
    const answer = await post({ model: GEMINI, input: 'Hi', response_format: format });
    if (program === undefined) {
      expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param: 'response_format' } }]);
      return;
    }
    expect(answer.headers.get('content-type')).toBe(type);
    expect((await bytesOf(answer)).toString('latin1', 0, magic.length)).toBe(magic);
  });

  it('are refused without it, with a list of what can be had', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '';
    try {
      const answer = await post({ model: GEMINI, input: 'Hi', response_format: 'opus' });
      expect(answer.status).toBe(400);
      const { error } = (await answer.json()) as { error: { message: string; param: string; code: string } };
      expect(error).toMatchObject({ param: 'response_format', code: 'unsupported_format' });
      expect(error.message).toContain('mp3, wav, pcm');
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('what is encoded plays', async () => {
    if (program === undefined) return;
    upstream.answer = geminiTone();
    const mp3 = await bytesOf(await post({ model: GEMINI, input: 'Hi' }));
    const { stdout, status } = spawnSync(program, ['-v', 'error', '-i', 'pipe:0', '-f', 's16le', '-ac', '1', 'pipe:1'], { input: mp3 });
    expect(status).toBe(0);
    expect(stdout.length / 48_000).toBeGreaterThan(0.45);
    expect(stdout.length / 48_000).toBeLessThan(0.7);
  });
});

describe('what is refused', () => {
  it.each([
    [{ input: 'Hi', voice: 'alloy' }, 'model'],
    [{ model: 'openai/tts-1', voice: 'alloy' }, 'input'],
    [{ model: 'openai/tts-1', input: ' ', voice: 'alloy' }, 'input'],
    [{ model: 'openai/tts-1', input: 7 }, 'input'],
    [{ model: 'openai/tts-1', input: 'Hi', voice: 7 }, 'voice'],
    [{ model: 'openai/tts-1', input: 'Hi', speed: 5 }, 'speed'],
    [{ model: 'openai/tts-1', input: 'Hi', speed: 0.2 }, 'speed'],
    [{ model: 'openai/tts-1', input: 'Hi', response_format: 'ogg' }, 'response_format'],
    [{ model: 'openai/tts-1', input: 'Hi', stream_format: 'ndjson' }, 'stream_format'],
    [{ model: 'openai/gpt-5', input: 'Hi' }, 'model'],
  ])('%j', async (body, param) => {
    const before = upstream.seen.length;
    const answer = await post(body);
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param, type: 'invalid_request_error' } }]);
    expect(upstream.seen.length).toBe(before);
  });

  it('passes on what the provider refuses, with its status, before any sound', async () => {
    upstream.answer = json({ base_resp: { status_code: 1026, status_msg: 'sensitive content' } });
    const answer = await post({ model: 'minimax/speech-2.6-hd', input: 'Hi' });
    expect(answer.status).toBe(400);
    upstream.answer = json({ error: { message: 'no such voice', type: 'invalid_request_error', param: 'voice' } }, 400);
    const other = await post({ model: 'openai/tts-1', input: 'Hi', voice: 'nobody' });
    expect([other.status, await other.json()]).toMatchObject([400, { error: { message: 'no such voice' } }]);
  });

  it('as a fault behind the gateway where its key has nothing left to spend, as with any provider', async () => {
    upstream.answer = json({ base_resp: { status_code: 1008, status_msg: 'insufficient balance' } });
    const answer = await post({ model: 'minimax/speech-2.6-hd', input: 'Hi' });
    expect([answer.status, await answer.json()]).toMatchObject([502, { error: { code: 'upstream_credential' } }]);
  });

  it('what the provider cannot be told, where the caller is strict', async () => {
    const answer = await post({ model: GEMINI, input: 'Hi', speed: 2 }, undefined, { 'x-strict': '1' });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param: 'speed' } }]);
  });
});

describe.each(['openai/tts-1', GEMINI, 'eleven/eleven_v3'])('the official SDK over %s', (model) => {
  it('audio.speech', async () => {
    upstream.answer = model === GEMINI ? geminiTone() : stream(['ID3', 'sound'], 'audio/mpeg');
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.key, maxRetries: 0 });
    const spoken = await client.audio.speech.create({ model, voice: 'alloy', input: 'Hi', response_format: 'mp3' });
    expect(spoken.headers.get('content-type')).toBe('audio/mpeg');
    expect((await spoken.arrayBuffer()).byteLength).toBeGreaterThan(5);
  });
});
