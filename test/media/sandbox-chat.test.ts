import { describe, expect, it } from 'vitest';
import { imageSize } from '../../src/media/image-size.ts';
import { transcribe, transcribeSamples } from '../../src/sandbox/sound/transcribe.ts';
import { createSandboxFetch } from './sandbox-fetch.ts';

/* Pictures and sounds out of the sandbox's chat, on each of its wires, as a provider's answer would be. */

const sandboxFetch = createSandboxFetch();

async function post(path: string, body: object): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await sandboxFetch(`http://sandbox${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, text: await answer.text() };
}

const chat = (model: string, more: object = {}, content: unknown = '一座灯塔') =>
  post('/v1/chat/completions', { model, messages: [{ role: 'user', content }], ...more });

const gemini = (
  model: string,
  generationConfig: object = {},
  parts: readonly object[] = [{ text: '一座灯塔' }],
  verb = 'generateContent',
) => post(`/v1beta/models/${model}:${verb}`, { contents: [{ role: 'user', parts }], generationConfig });

/** The first base64 text of a PNG. */
const pictureIn = (text: string): Buffer => Buffer.from(/iVBORw0KGgo[A-Za-z0-9+/=]+/.exec(text)?.[0] ?? '', 'base64');

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAADklEQVR4nGNwgAEGOAsALRQEgQjZfUEAAAAASUVORK5CYII=';

describe('pictures in chat', () => {
  it.each([
    ['OpenAI Chat', () => chat('image'), '"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,'],
    ['OpenAI Chat, streamed', () => chat('image', { stream: true }), '"images":[{"index":0,"type":"image_url"'],
    ['Gemini', () => gemini('image'), '"inlineData":{"mimeType":"image/png"'],
    ['Gemini, streamed', () => gemini('image', {}, [{ text: 'x' }], 'streamGenerateContent'), '"inlineData":{"mimeType":"image/png"'],
    ['OpenAI Responses', () => post('/v1/responses', { model: 'image', input: 'x' }), '"type":"image_generation_call"'],
    [
      'OpenAI Responses, streamed',
      () => post('/v1/responses', { model: 'image', input: 'x', stream: true }),
      '"type":"image_generation_call"',
    ],
    [
      'Anthropic Messages',
      () => post('/v1/messages', { model: 'image', max_tokens: 100, messages: [{ role: 'user', content: 'x' }] }),
      '"type":"image"',
    ],
  ])('%s', async (_, send, words) => {
    const { status, text } = await send();
    expect([status, text.includes(words)]).toEqual([200, true]);
    expect(imageSize(pictureIn(text))).toEqual({ format: 'PNG', width: 1024, height: 1024 });
  });

  it.each([
    ['Gemini', () => gemini('image', { imageConfig: { aspectRatio: '16:9' } }), 1344, 768],
    ['OpenAI Chat', () => chat('image', { image_config: { aspect_ratio: '2:3' } }), 832, 1248],
  ])('have the shape that was asked for: %s', async (_, send, width, height) => {
    expect(imageSize(pictureIn((await send()).text))).toMatchObject({ width, height });
  });

  it('are made from those that are given, and come alone where only they are wanted', async () => {
    const plain = pictureIn((await gemini('image')).text);
    const given = await gemini('image', { responseModalities: ['IMAGE'] }, [
      { text: '一座灯塔' },
      { inlineData: { mimeType: 'image/png', data: PNG } },
    ]);
    expect(pictureIn(given.text).equals(plain)).toBe(false);
    expect(pictureIn(given.text).includes(Buffer.from('from an image (image/png, PNG, 3×2'))).toBe(true);
    expect(given.text).not.toContain('"text"');
  });

  it('are refused, filtered, slow and broken as they are asked to be', async () => {
    expect(JSON.parse((await chat('image-refused')).text)).toMatchObject({ choices: [{ message: { refusal: expect.any(String) } }] });
    expect(JSON.parse((await chat('image', {}, '[[filter]] x')).text)).toMatchObject({ choices: [{ finish_reason: 'content_filter' }] });
    expect((await chat('image-status-503')).status).toBe(503);
    await expect(chat('image-cut-after-0', { stream: true })).rejects.toThrow();
  });
});

interface Spoken {
  readonly choices: readonly {
    readonly message: { readonly content: string | null; readonly audio?: { readonly data: string; readonly transcript: string } };
  }[];
}

const speechIn = (text: string): Buffer => {
  const parsed = JSON.parse(text) as { candidates: { content: { parts: { inlineData?: { mimeType: string; data: string } }[] } }[] };
  const part = parsed.candidates[0]?.content.parts[0]?.inlineData;
  expect(part?.mimeType).toBe('audio/L16;codec=pcm;rate=24000');
  return Buffer.from(part?.data ?? '', 'base64');
};

describe('sounds in chat', () => {
  it('OpenAI Chat: an answer that is spoken, and a model that reads aloud', async () => {
    const modalities = { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' } };
    for (const [model, prompt] of [
      ['chat', 'reply with exactly: pong'],
      ['speech', 'pong'],
    ] as const) {
      const { audio, content } = (JSON.parse((await chat(model, modalities, prompt)).text) as Spoken).choices[0]?.message ?? {
        content: '',
      };
      expect([content, audio?.transcript]).toEqual([null, 'pong']);
      expect(transcribe(Buffer.from(audio?.data ?? '', 'base64'))?.text).toBe('pong');
    }
  });

  it('OpenAI Chat, streamed as samples', async () => {
    const { text } = await chat(
      'speech',
      { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'pcm16' }, stream: true },
      'pong',
    );
    const data = text
      .split('\n\n')
      .flatMap((frame) => /"data":"([^"]*)"/.exec(frame)?.[1] ?? [])
      .map((piece) => Buffer.from(piece, 'base64'));
    expect(transcribeSamples(Buffer.concat(data))?.text).toBe('pong');
  });

  it('tool calls are not spoken', async () => {
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
    const { text } = await chat(
      'chat',
      { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' }, tools },
      '[[call f {}]]',
    );
    expect(JSON.parse(text)).toMatchObject({
      choices: [{ finish_reason: 'tool_calls', message: { tool_calls: [{ function: { name: 'f' } }] } }],
    });
  });

  it('OpenAI Chat takes the formats that it can make', async () => {
    const { status, text } = await chat('speech', { modalities: ['audio'], audio: { voice: 'alloy', format: 'opus' } });
    expect([status, JSON.parse(text)]).toMatchObject([400, { error: { param: 'audio.format' } }]);
  });

  const voiced = (voiceName: string) => ({ voiceConfig: { prebuiltVoiceConfig: { voiceName } } });

  it('Gemini: samples, in the voice that was asked for', async () => {
    const say = async (voice: string) =>
      speechIn((await gemini('speech', { responseModalities: ['AUDIO'], speechConfig: voiced(voice) })).text);
    const [kore, puck] = [await say('Kore'), await say('Puck')];
    expect(transcribeSamples(kore)).toMatchObject({ text: '一座灯塔', sentences: [{ voice: 'Kore' }] });
    expect(kore.equals(puck)).toBe(false);
    expect(transcribeSamples(speechIn((await gemini('speech', { responseModalities: ['AUDIO'] })).text))?.text).toBe('一座灯塔');
  });

  it('Gemini: two speakers, and what stands before them is not spoken', async () => {
    const speakerVoiceConfigs = [
      { speaker: 'Joe', ...voiced('Charon') },
      { speaker: 'Jane', ...voiced('Kore') },
    ];
    const script = 'Say this kindly:\nJoe: How are you?\nJane: Very well.\nAnd you?\nJoe: Well.';
    const { text } = await gemini(
      'speech',
      { responseModalities: ['AUDIO'], speechConfig: { multiSpeakerVoiceConfig: { speakerVoiceConfigs } } },
      [{ text: script }],
    );
    const { sentences } = transcribeSamples(speechIn(text)) ?? { sentences: [] };
    expect(sentences.map(({ voice, text: said }) => `${voice}: ${said}`)).toEqual([
      'Charon: How are you?',
      'Kore: Very well.',
      'Kore: And you?',
      'Charon: Well.',
    ]);
  });

  it('Gemini: a third speaker is refused', async () => {
    const speakerVoiceConfigs = ['Joe', 'Jane', 'Bob'].map((speaker) => ({ speaker, ...voiced('Kore') }));
    const config = { responseModalities: ['AUDIO'], speechConfig: { multiSpeakerVoiceConfig: { speakerVoiceConfigs } } };
    const { status, text } = await gemini('speech', config, [{ text: 'Joe: Hi' }]);
    expect([status, text]).toEqual([400, expect.stringContaining('speakerVoiceConfigs')]);
  });

  it('are listened to', async () => {
    const samples = speechIn((await gemini('speech', { responseModalities: ['AUDIO'] })).text);
    const heard = async (mimeType: string, data: Buffer): Promise<string> =>
      (await gemini('transcribe', {}, [{ inlineData: { mimeType, data: data.toString('base64') } }])).text;
    expect(await heard('audio/L16;codec=pcm;rate=24000', samples)).toContain('"text":"一座灯塔"');
    expect(await heard('audio/wav', Buffer.from('RIFF\0\0\0\0WAVE', 'latin1'))).toContain(
      'A sound without words of the sandbox (WAV, 12 bytes)',
    );
    expect((await chat('transcribe', {}, 'no sound')).text).toContain('There is no sound in this message.');
  });
});

it.each(['video', 'embed', 'rerank'])('%s does not chat', async (model) => {
  const { status, text } = await chat(model);
  expect([status, JSON.parse(text)]).toMatchObject([400, { error: { param: 'model' } }]);
});
