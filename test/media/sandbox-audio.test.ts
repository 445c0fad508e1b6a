import { BadRequestError, InternalServerError, OpenAI, RateLimitError, toFile } from 'openai';
import { describe, expect, it } from 'vitest';
import { createSandboxFetch } from './sandbox-fetch.ts';

const client = new OpenAI({ apiKey: 'none', baseURL: 'http://sandbox/v1', fetch: createSandboxFetch(), maxRetries: 0 });

const ENGLISH = 'The quick brown fox jumps over the lazy dog. It was not amused!';
const CHINESE = '你好，世界。今天天气怎么样？';

type Speech = Partial<OpenAI.Audio.SpeechCreateParams> & { readonly input: string };

async function say({ model = 'speech', voice = 'alloy', ...more }: Speech): Promise<Buffer> {
  const answer = await client.audio.speech.create({ model, voice, ...more });
  return Buffer.from(await answer.arrayBuffer());
}

const hear = async (bytes: Buffer, name = 'a.wav'): Promise<string> =>
  (await client.audio.transcriptions.create({ model: 'transcribe', file: await toFile(bytes, name) })).text;

/** Seconds of a WAV file of the sandbox's. */
const seconds = (wav: Buffer): number => (wav.length - 44) / 48_000;

describe('speech of the sandbox', () => {
  it.each([
    ['wav', 'audio/wav', 'RIFF'],
    ['mp3', 'audio/mpeg', 'ID3'],
    ['pcm', 'audio/pcm', ''],
  ] as const)('%s is what its type says, and is heard again', async (response_format, type, magic) => {
    const answer = await client.audio.speech.create({ model: 'speech', voice: 'nova', input: ENGLISH, response_format });
    expect(answer.headers.get('content-type')).toBe(type);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(bytes.toString('latin1', 0, magic.length)).toBe(magic);
    if (response_format === 'pcm') return;
    expect(await hear(bytes, `a.${response_format}`)).toBe(ENGLISH);
  });

  it('is the same for the same request, another for another voice, and takes as long as it takes to say', async () => {
    const [once, again, other, fast, slow, long] = await Promise.all([
      say({ input: ENGLISH, response_format: 'wav' }),
      say({ input: ENGLISH, response_format: 'wav' }),
      say({ input: ENGLISH, response_format: 'wav', voice: 'onyx' }),
      say({ input: ENGLISH, response_format: 'wav', speed: 2 }),
      say({ input: ENGLISH, response_format: 'wav', speed: 0.25 }),
      say({ input: ENGLISH + ENGLISH, response_format: 'wav' }),
    ]);
    expect(once.equals(again)).toBe(true);
    expect(once.equals(other)).toBe(false);
    expect(seconds(fast)).toBeCloseTo(seconds(once) / 2, 1);
    expect(seconds(slow)).toBeCloseTo(seconds(once) * 4, 1);
    expect(seconds(long)).toBeGreaterThan(seconds(once) * 1.9);
    for (const sound of [once, other, fast, slow]) expect(await hear(sound)).toBe(ENGLISH);
  });

  it.each(['Hi', '嗯', CHINESE, '!!!', '🙂 tab\tand\nnewline', 'x'.repeat(4096)])('says %j and hears it', async (input) => {
    expect(await hear(await say({ input, response_format: 'wav', speed: 4 }))).toBe(input.trim());
  });

  it('streams as events', async () => {
    const answer = await client.audio.speech.create({
      model: 'speech',
      voice: 'alloy',
      input: 'Hello there',
      stream_format: 'sse',
      response_format: 'pcm',
    });
    const events = (await answer.text())
      .split('\n\n')
      .filter(Boolean)
      .map((frame) => JSON.parse(frame.replace('data: ', '')) as { type: string; audio?: string; usage?: object });
    expect(events.at(-1)).toMatchObject({ type: 'speech.audio.done', usage: { input_tokens: 3 } });
    const audio = Buffer.concat(events.flatMap(({ audio: piece }) => (piece ? [Buffer.from(piece, 'base64')] : [])));
    expect(audio.equals(await say({ input: 'Hello there', response_format: 'pcm' }))).toBe(true);
  });

  it.each([
    [{ input: '' }, 'input'],
    [{ input: 'x'.repeat(4097) }, 'input'],
    [{ input: 'a', response_format: 'opus' }, 'response_format'],
    [{ input: 'a', speed: 5 }, 'speed'],
    [{ input: 'a', speed: 0.1 }, 'speed'],
    [{ input: 'a', stream_format: 'x' }, 'stream_format'],
    [{ input: 'a', voice: 7 }, 'voice'],
    [{ input: 'a', model: 'chat' }, 'model'],
  ])('refuses %j by name', async (wrong, param) => {
    const error = await say(wrong as Speech).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(BadRequestError);
    expect((error as BadRequestError).param).toBe(param);
  });

  it('says what it can encode', async () => {
    await expect(say({ input: 'a', response_format: 'flac' })).rejects.toThrow("'mp3', 'wav', 'pcm'");
  });

  it('fails as it is asked to, by name and in the text', async () => {
    await expect(say({ input: 'a', model: 'speech-status-429' })).rejects.toBeInstanceOf(RateLimitError);
    await expect(say({ input: '[[fail status=429 retry-after=2]] a' })).rejects.toBeInstanceOf(RateLimitError);
    await expect(say({ input: 'a', model: 'status-503' })).rejects.toBeInstanceOf(InternalServerError);
    await expect(say({ input: ENGLISH, response_format: 'wav', model: 'speech-cut-after-2' })).rejects.toThrow();
    await expect(say({ input: ENGLISH, response_format: 'mp3', model: 'speech-reset-after-1' })).rejects.toThrow();
    await expect(say({ input: 'a', model: 'speech-hang-up' })).rejects.toThrow('Connection error');
    expect(await hear(await say({ input: '[[fail slow-1ms]] Hello', response_format: 'wav' }))).toBe('Hello');
  });
});

describe('transcription of the sandbox', () => {
  const spoken = say({ input: `${ENGLISH} ${CHINESE}`, response_format: 'wav' });
  const file = async () => toFile(await spoken, 'a.wav');
  const model = 'transcribe';

  it('hears what was cut and joined, each voice by itself', async () => {
    const [first, second] = await Promise.all([
      say({ input: 'Good morning.', voice: 'alloy', response_format: 'pcm' }),
      say({ input: 'Good evening.', voice: 'onyx', response_format: 'pcm' }),
    ]);
    const samples = Buffer.concat([first, first, second]);
    // As a gateway would put bare samples into a WAV file, with a length that nobody knew.
    const head = Buffer.from(await spoken).subarray(0, 44);
    head.writeUInt32LE(0xffff_ffff, 40);
    expect(await hear(Buffer.concat([head, samples]))).toBe('Good morning. Good morning. Good evening.');
    expect(await hear(Buffer.concat([head, samples.subarray(5000)]))).toContain('Good evening.');
    const reply = await client.audio.transcriptions.create({
      model,
      file: await toFile(Buffer.concat([head, samples]), 'a.wav'),
      response_format: 'diarized_json',
    });
    const { segments } = reply as unknown as OpenAI.Audio.TranscriptionDiarized;
    expect(segments.map(({ speaker, text }) => `${speaker}: ${text}`)).toEqual([
      'A: Good morning.',
      'A: Good morning.',
      'B: Good evening.',
    ]);
  });

  it('has times', async () => {
    const reply = await client.audio.transcriptions.create({
      model,
      file: await file(),
      response_format: 'verbose_json',
      timestamp_granularities: ['segment', 'word'],
    });
    expect(reply).toMatchObject({ text: `${ENGLISH} ${CHINESE}`, language: 'english', duration: expect.closeTo(seconds(await spoken), 2) });
    expect(reply.segments?.map(({ text }) => text)).toEqual([
      'The quick brown fox jumps over the lazy dog.',
      'It was not amused!',
      '你好，世界。',
      '今天天气怎么样？',
    ]);
    const times = [...(reply.words ?? [])].flatMap(({ start, end }) => [start, end]);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(reply.words?.[2]?.word).toBe('brown');
  });

  it('writes subtitles', async () => {
    const srt = await client.audio.transcriptions.create({ model, file: await file(), response_format: 'srt' });
    expect(srt).toMatch(/^1\n00:00:00,000 --> 00:00:0\d,\d{3}\nThe quick brown fox jumps over the lazy dog\.\n\n2\n/);
    const vtt = await client.audio.transcriptions.create({ model, file: await file(), response_format: 'vtt' });
    expect(vtt).toMatch(/^WEBVTT\n\n00:00:00\.000 --> 00:00:0\d\.\d{3}\nThe quick/);
    const text = await client.audio.transcriptions.create({ model, file: await file(), response_format: 'text' });
    expect(text).toBe(`${ENGLISH} ${CHINESE}\n`);
  });

  it('streams', async () => {
    let text = '';
    let done: string | undefined;
    for await (const event of await client.audio.transcriptions.create({ model, file: await file(), stream: true })) {
      if (event.type === 'transcript.text.delta') text += event.delta;
      if (event.type === 'transcript.text.done') done = event.text;
    }
    expect([text, done]).toEqual([`${ENGLISH} ${CHINESE}`, `${ENGLISH} ${CHINESE}`]);
  });

  it('gives translations of what is English already, and says of the rest that it is none', async () => {
    const of = async (input: string) =>
      (await client.audio.translations.create({ model, file: await toFile(await say({ input, response_format: 'wav' }), 'a.wav') })).text;
    expect(await of('Good morning.')).toBe('Good morning.');
    expect(await of(CHINESE)).toBe(`[not translated by the sandbox] ${CHINESE}`);
  });

  it('makes up no words for other sounds', async () => {
    const silence = Buffer.concat([(await spoken).subarray(0, 44), Buffer.alloc(48_000)]);
    silence.writeUInt32LE(48_000, 40);
    expect(await hear(silence)).toMatch(/^A sound without words of the sandbox \(WAV, 1\.00 s, 24000 Hz, mono, 48044 bytes\)/);
  });

  it.each([
    ['four bytes', 'file', async () => ({ file: await toFile(Buffer.from('RIFX'), 'a.wav') })],
    ['a picture', 'file', async () => ({ file: await toFile(Buffer.from('89504e470d0a1a0a', 'hex'), 'a.mp3') })],
    ['nothing', 'file', async () => ({ file: await toFile(Buffer.alloc(0), 'a.mp3') })],
    ['a format that is none', 'response_format', async () => ({ file: await file(), response_format: 'docx' as 'json' })],
    ['a temperature', 'temperature', async () => ({ file: await file(), temperature: 7 })],
  ])('refuses %s by name', async (_, param, make) => {
    const error = await client.audio.transcriptions
      .create({ model, ...(await make()) } as { model: string; file: File })
      .catch((one: unknown) => one);
    expect(error).toBeInstanceOf(BadRequestError);
    expect((error as BadRequestError).param).toBe(param);
  });

  it('fails as it is asked to', async () => {
    await expect(client.audio.transcriptions.create({ model: 'transcribe-status-429', file: await file() })).rejects.toBeInstanceOf(
      RateLimitError,
    );
    await expect(client.audio.transcriptions.create({ model, file: await file(), prompt: '[[fail]]' })).rejects.toBeInstanceOf(
      InternalServerError,
    );
  });
});
