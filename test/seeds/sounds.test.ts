import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { byCurl, hasCurl } from './program.ts';
import { type Shape, shapeProblems } from './shape.ts';

/* The documents' examples of speech and transcripts, against the sandbox. */

const TEXT = '你好，这是一段语音。';

let server: TestServer;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pailou-seeds-'));
  server = await startTestServer({
    models: { 'gemini-2.5-flash-preview-tts': 'sandbox/speech', 'tts-1': 'sandbox/speech', 'whisper-1': 'sandbox/transcribe' },
  });
});
afterAll(async () => {
  expect(server.defects).toEqual([]);
  rmSync(folder, { recursive: true });
  await server.close();
});

/** What document 001 says of the answer. */
const GEMINI_SPEECH: Shape = {
  candidates: [
    {
      content: { role: '=model', parts: [{ inlineData: { mimeType: '=audio/L16;codec=pcm;rate=24000', data: 'text' } }] },
      finishReason: '=STOP',
    },
  ],
  usageMetadata: 'object',
  modelVersion: 'text',
};
const voiced = (voiceName: string): object => ({ voiceConfig: { prebuiltVoiceConfig: { voiceName } } });
const SCRIPT = 'TTS the following talk between Joe and Jane:\nJoe: Where have you been, Jane?\nJane: By the lake, it was lovely!';

describe('document 001', () => {
  it.each([
    ['default voice', TEXT, {}],
    ['named voice', TEXT, { speechConfig: voiced('Kore') }],
    [
      'two speakers',
      SCRIPT,
      {
        speechConfig: {
          multiSpeakerVoiceConfig: {
            speakerVoiceConfigs: [
              { speaker: 'Joe', ...voiced('Charon') },
              { speaker: 'Jane', ...voiced('Kore') },
            ],
          },
        },
      },
    ],
  ])('speech by Gemini: %s', async (_, text, config) => {
    const answer = await fetch(`${server.url}/v1beta/models/gemini-2.5-flash-preview-tts:generateContent`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${server.key}` },
      body: JSON.stringify({
        contents: [{ role: 'user', parts: [{ text }] }],
        generationConfig: { responseModalities: ['AUDIO'], ...config },
      }),
    });
    expect([answer.status, shapeProblems(await answer.json(), GEMINI_SPEECH)]).toEqual([200, []]);
  });
});

const speech = async (response_format?: string) => {
  const body = { model: 'tts-1', input: TEXT, voice: 'alloy', ...(response_format === undefined ? {} : { response_format }), speed: 1.0 };
  const answer = await fetch(`${server.url}/v1/audio/speech`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.key}` },
    body: JSON.stringify(body),
  });
  return { status: answer.status, contentType: answer.headers.get('content-type'), bytes: Buffer.from(await answer.arrayBuffer()) };
};

describe('document 002', () => {
  it.each([
    ['mp3', 'audio/mpeg', /^ID3/],
    [undefined, 'audio/mpeg', /^ID3/],
    ['wav', 'audio/wav', /^RIFF....WAVE/s],
  ])('speech, response_format %s', async (format, type, head) => {
    const { status, contentType, bytes } = await speech(format);
    expect([status, contentType]).toEqual([200, type]);
    expect(bytes.toString('latin1')).toMatch(head);
  });

  it.skipIf(!hasCurl).each([
    ['json', 'application/json', `{"text":"${TEXT}"`],
    ['text', 'text/plain', TEXT],
    [undefined, 'application/json', `{"text":"${TEXT}"`],
  ])('transcription, response_format %s', async (format, type, begins) => {
    const file = join(folder, 'speech.mp3');
    writeFileSync(file, (await speech('mp3')).bytes);
    const form = [
      `file=@${file}`,
      'model=whisper-1',
      'language=zh',
      'temperature=0',
      ...(format === undefined ? [] : [`response_format=${format}`]),
    ];
    const parts = form.flatMap((part) => ['--form', part]);
    const { status, contentType, body } = await byCurl(
      `${server.url}/v1/audio/transcriptions`,
      '-H',
      `Authorization: Bearer ${server.key}`,
      ...parts,
    );
    expect([status, contentType.split(';')[0]]).toEqual([200, type]);
    expect(body.toString('utf8').startsWith(begins), body.toString('utf8')).toBe(true);
  });
});
