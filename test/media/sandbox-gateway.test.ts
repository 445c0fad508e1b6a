import { GoogleGenAI, Modality } from '@google/genai';
import { OpenAI, toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageSize } from '../../src/media/image-size.ts';
import { startTestServer, type TestServer } from '../server.ts';

let server: TestServer;
let client: OpenAI;
let google: GoogleGenAI;

beforeAll(async () => {
  server = await startTestServer();
  client = new OpenAI({ apiKey: server.key, baseURL: `${server.url}/v1`, maxRetries: 0 });
  google = new GoogleGenAI({ apiKey: server.key, httpOptions: { baseUrl: server.url } });
});

afterAll(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
});

const TEXT = 'The quick brown fox. 敏捷的棕色狐狸。';

const say = async (response_format: 'mp3' | 'wav' | 'pcm'): Promise<Buffer> =>
  Buffer.from(
    await (await client.audio.speech.create({ model: 'sandbox/speech', voice: 'alloy', input: TEXT, response_format })).arrayBuffer(),
  );

const hear = async (bytes: Buffer, name: string): Promise<string> =>
  (await client.audio.transcriptions.create({ model: 'sandbox/transcribe', file: await toFile(bytes, name) })).text;

/** Bare samples as a WAV file. */
function asWav(samples: Buffer): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF____WAVEfmt ', 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(24_000, 24);
  head.writeUInt32LE(48_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

const isPng = (base64: string | undefined): boolean => imageSize(Buffer.from(base64 ?? '', 'base64'))?.format === 'PNG';

describe('the sandbox behind the gateway: sound', () => {
  it.each(['mp3', 'wav'] as const)('is heard again as %s', async (format) => {
    expect(await hear(await say(format), `a.${format}`)).toBe(TEXT);
  });

  it('is heard again when the gateway has put its samples into another form', async () => {
    const reply = await google.models.generateContent({
      model: 'sandbox/speech',
      contents: TEXT,
      config: { responseModalities: [Modality.AUDIO], speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Kore' } } } },
    });
    const { mimeType, data } = reply.candidates?.[0]?.content?.parts?.[0]?.inlineData ?? {};
    expect(mimeType).toBe('audio/L16;codec=pcm;rate=24000');
    expect(await hear(asWav(Buffer.from(data ?? '', 'base64')), 'a.wav')).toBe(TEXT);
  });

  it('has two speakers', async () => {
    const voice = (speaker: string, voiceName: string) => ({ speaker, voiceConfig: { prebuiltVoiceConfig: { voiceName } } });
    const reply = await google.models.generateContent({
      model: 'sandbox/speech',
      contents: 'Say this kindly:\nJoe: How are you, Jane?\nJane: I am doing great!',
      config: {
        responseModalities: [Modality.AUDIO],
        speechConfig: { multiSpeakerVoiceConfig: { speakerVoiceConfigs: [voice('Joe', 'Charon'), voice('Jane', 'Kore')] } },
      },
    });
    const wav = asWav(Buffer.from(reply.candidates?.[0]?.content?.parts?.[0]?.inlineData?.data ?? '', 'base64'));
    const heard = await client.audio.transcriptions.create({
      model: 'sandbox/transcribe',
      file: await toFile(wav, 'a.wav'),
      response_format: 'diarized_json',
    });
    const { segments } = heard as unknown as OpenAI.Audio.TranscriptionDiarized;
    expect(segments.map(({ speaker, text }) => `${speaker} ${text}`)).toEqual(['A How are you, Jane?', 'B I am doing great!']);
  });

  it('streams transcripts', async () => {
    let text = '';
    for await (const event of await client.audio.transcriptions.create({
      model: 'sandbox/transcribe',
      file: await toFile(await say('wav'), 'a.wav'),
      stream: true,
    }))
      if (event.type === 'transcript.text.delta') text += event.delta;
    expect(text).toBe(TEXT);
  });

  it('breaks off when it is asked to', async () => {
    const cut = client.audio.speech.create({ model: 'sandbox/speech-cut-after-2', voice: 'alloy', input: TEXT, response_format: 'wav' });
    await expect(cut.then((answer) => answer.arrayBuffer())).rejects.toThrow();
  });

  it('answers chat aloud, and listens in it', async () => {
    const reply = await client.chat.completions.create({
      model: 'sandbox/chat',
      modalities: ['text', 'audio'],
      audio: { voice: 'alloy', format: 'wav' },
      messages: [{ role: 'user', content: 'reply with exactly: pong' }],
    });
    const { audio } = reply.choices[0]?.message ?? {};
    expect(audio?.transcript).toBe('pong');
    const heard = await client.chat.completions.create({
      model: 'sandbox/transcribe',
      messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: audio?.data ?? '', format: 'wav' } }] }],
    });
    expect(heard.choices[0]?.message.content).toBe('pong');
  });
});

describe('the sandbox behind the gateway: pictures', () => {
  it('draws and edits', async () => {
    const drawn = await client.images.generate({ model: 'sandbox/image', prompt: '一座灯塔', size: '512x512' });
    expect(isPng(drawn.data?.[0]?.b64_json)).toBe(true);
    const bytes = Buffer.from(drawn.data?.[0]?.b64_json ?? '', 'base64');
    const edited = await client.images.edit({
      model: 'sandbox/image',
      prompt: 'At night',
      image: [await toFile(bytes, 'a.png', { type: 'image/png' })],
      size: '512x512',
    });
    expect(isPng(edited.data?.[0]?.b64_json)).toBe(true);
    await expect(client.images.generate({ model: 'sandbox/image-refused', prompt: 'x' })).rejects.toMatchObject({
      status: 400,
      code: 'moderation_blocked',
    });
  });

  it('streams', async () => {
    const types: string[] = [];
    for await (const event of await client.images.generate({
      model: 'sandbox/image',
      prompt: 'x',
      size: '256x256',
      stream: true,
      partial_images: 1,
    }))
      types.push(event.type);
    expect(types).toEqual(['image_generation.partial_image', 'image_generation.completed']);
  });

  const CHATS: readonly (readonly [string, (stream: boolean) => Promise<string | undefined>])[] = [
    [
      'OpenAI Chat',
      async (stream) => {
        const ask = { model: 'sandbox/image', messages: [{ role: 'user' as const, content: '一座灯塔' }] };
        type Pictured = { readonly images?: readonly { readonly image_url: { readonly url: string } }[] };
        const found: Pictured[] = [];
        if (stream)
          for await (const chunk of await client.chat.completions.create({ ...ask, stream: true }))
            found.push((chunk.choices[0]?.delta ?? {}) as Pictured);
        else found.push((await client.chat.completions.create(ask)).choices[0]?.message as Pictured);
        return found.flatMap(({ images = [] }) => images)[0]?.image_url.url.replace('data:image/png;base64,', '');
      },
    ],
    [
      'Gemini',
      async (stream) => {
        const ask = { model: 'sandbox/image', contents: '一座灯塔' };
        const replies = stream ? await google.models.generateContentStream(ask) : [await google.models.generateContent(ask)];
        let data: string | undefined;
        for await (const reply of replies)
          for (const part of reply.candidates?.[0]?.content?.parts ?? []) data = part.inlineData?.data ?? data;
        return data;
      },
    ],
    [
      'OpenAI Responses',
      async (stream) => {
        const ask = { model: 'sandbox/image', input: '一座灯塔' };
        let reply: OpenAI.Responses.Response | undefined;
        if (stream) {
          for await (const event of await client.responses.create({ ...ask, stream: true }))
            if (event.type === 'response.completed') reply = event.response;
        } else reply = await client.responses.create(ask);
        const call = reply?.output.find((item) => item.type === 'image_generation_call');
        return call?.result ?? undefined;
      },
    ],
  ];
  it.each(CHATS.flatMap(([name, ask]) => [false, true].map((stream) => [name, stream, ask] as const)))(
    'in chat: %s, stream %s',
    async (_, stream, ask) => {
      expect(isPng(await ask(stream))).toBe(true);
    },
  );
});

describe('the sandbox behind the gateway: films', () => {
  async function done(id: string): Promise<OpenAI.Video> {
    for (;;) {
      const video = await client.videos.retrieve(id);
      if (video.status !== 'queued' && video.status !== 'in_progress') return video;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  const create = (prompt: string, model = 'sandbox/video-takes-50ms') =>
    client.videos.create({ model: model as 'sora-2', prompt, size: '320x192' as '720x1280', seconds: '4' });

  it('are made, remixed and fetched', async () => {
    const made = await done((await create('纸船 a paper boat')).id);
    expect(made).toMatchObject({ status: 'completed', progress: 100, error: null });
    const content = await client.videos.downloadContent(made.id);
    expect(content.headers.get('content-type')).toBe('video/mp4');
    expect(Buffer.from(await content.arrayBuffer()).toString('latin1', 4, 8)).toBe('ftyp');
    const remix = await done((await client.videos.remix(made.id, { prompt: 'at night' })).id);
    expect(remix.status).toBe('completed');
  });

  it.each([
    ['sandbox/video-fail+takes-50ms', 'x', 'video_generation_failed'],
    ['sandbox/video-takes-50ms', '[[filter]] x', 'moderation_blocked'],
  ])('%s: %s fails', async (model, prompt, code) => {
    expect(await done((await create(prompt, model)).id)).toMatchObject({ status: 'failed', error: { code } });
  });

  it('are refused', async () => {
    await expect(create('x', 'sandbox/video-refused')).rejects.toMatchObject({ status: 400, code: 'moderation_blocked' });
  });
});
