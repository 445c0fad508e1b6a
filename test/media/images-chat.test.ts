import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, type FakeUpstream, json, startUpstream, stream } from '../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAADklEQVR4nGNwgAEGOAsALRQEgQjZfUEAAAAASUVORK5CYII=';
const URI = `data:image/png;base64,${PNG}`;
const PARTS = [{ text: 'Here it is:' }, { inlineData: { mimeType: 'image/png', data: PNG } }, { text: 'Enjoy.' }];
const USAGE = { promptTokenCount: 5, candidatesTokenCount: 1290, totalTokenCount: 1295 };

const geminiChunk = (parts: readonly object[], more: object = {}): string =>
  `data: ${JSON.stringify({ candidates: [{ content: { role: 'model', parts }, index: 0, ...more }], usageMetadata: USAGE, modelVersion: 'm' })}\r\n\r\n`;

/** Gemini, whole and streamed. */
const gemini: Answer = (request, response) =>
  request.path.includes('stream')
    ? stream([...PARTS.map((part) => geminiChunk([part])), geminiChunk([{ text: '' }], { finishReason: 'STOP' })])(request, response)
    : json({
        candidates: [{ content: { role: 'model', parts: PARTS }, finishReason: 'STOP', index: 0 }],
        usageMetadata: USAGE,
        modelVersion: 'm',
      })(request, response);

const chatChunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const IMAGES = [{ type: 'image_url', image_url: { url: URI } }];

/** OpenRouter, whole and streamed. */
const router: Answer = (request, response) =>
  request.body.includes('"stream":true')
    ? stream([
        chatChunk({ role: 'assistant', content: 'Here it is:' }),
        chatChunk({ images: IMAGES }),
        chatChunk({}, 'stop'),
        'data: [DONE]\n\n',
      ])(request, response)
    : json({
        id: 'c',
        object: 'chat.completion',
        created: 1,
        model: 'm',
        choices: [{ index: 0, message: { role: 'assistant', content: 'Here it is:', images: IMAGES }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 5, completion_tokens: 1290, total_tokens: 1295 },
      })(request, response);

let google: FakeUpstream;
let routed: FakeUpstream;
let server: TestServer;
let openai: OpenAI;

beforeAll(async () => {
  [google, routed] = await Promise.all([startUpstream(gemini), startUpstream(router)]);
  server = await startTestServer({
    providers: {
      gemini: { preset: 'gemini', baseUrl: google.url, key: 'k' },
      inline: { preset: 'gemini', baseUrl: google.url, key: 'k', images: { chat: 'inline' } },
      openrouter: { preset: 'openrouter', baseUrl: routed.url, key: 'k', protocols: ['openai-chat'] },
    },
  });
  openai = new OpenAI({ apiKey: server.key, baseURL: `${server.url}/v1`, maxRetries: 0 });
});
afterAll(async () => {
  expect(server.defects).toEqual([]);
  await Promise.all([server.close(), google.close(), routed.close()]);
});
beforeEach(() => {
  google.answer = gemini;
});

const ask = (model: string) => ({ model, messages: [{ role: 'user' as const, content: '生成一只小猫' }] });
const LINK = /!\[image\]\((http:\/\/127\.0\.0\.1:\d+\/media\/[^)]+)\)/;

interface WithImages {
  readonly content: string | null;
  readonly images?: readonly { readonly type: string; readonly image_url: { readonly url: string } }[];
}

async function streamed(model: string): Promise<WithImages> {
  let content = '';
  const images: NonNullable<WithImages['images']>[number][] = [];
  for await (const chunk of await openai.chat.completions.create({ ...ask(model), stream: true })) {
    const delta = (chunk.choices[0]?.delta ?? {}) as Partial<WithImages>;
    content += delta.content ?? '';
    images.push(...(delta.images ?? []));
  }
  return { content, images };
}

const whole = async (model: string): Promise<WithImages> =>
  (await openai.chat.completions.create(ask(model))).choices[0]?.message as unknown as WithImages;

describe.each([
  ['whole', whole],
  ['streamed', streamed],
] as const)("an image made in OpenAI's chat, %s", (_name, call) => {
  it('stands in images, and in the text as a link that the gateway serves', async () => {
    const { content, images } = await call('gemini/gemini-2.5-flash-image');
    expect(images?.map(({ image_url }) => image_url.url)).toEqual([URI]);
    const [text, address] = LINK.exec(content ?? '') ?? [];
    expect(content).toBe(`Here it is:\n\n${text}\n\nEnjoy.`);
    const served = await fetch(address ?? '');
    expect([served.status, served.headers.get('content-type')]).toEqual([200, 'image/png']);
    expect(Buffer.from(await served.arrayBuffer()).toString('base64')).toBe(PNG);
  });

  it('stands in the text itself where the operator says so', async () => {
    const { content, images } = await call('inline/gemini-2.5-flash-image');
    expect([content, images?.length]).toEqual([`Here it is:\n\n![image](${URI})\n\nEnjoy.`, 1]);
  });

  it('passes as it came between clients and providers of the same dialect', async () => {
    const { content, images } = await call('openrouter/google/gemini-2.5-flash-image');
    expect([content, images?.length]).toEqual(['Here it is:', 1]);
  });
});

const MODELS = ['gemini/gemini-2.5-flash-image', 'openrouter/google/gemini-2.5-flash-image'];

describe.each(MODELS)('an image of %s in other dialects', (model) => {
  it('is an item of Responses', async () => {
    const reply = await openai.responses.create({ model, input: 'a cat' });
    const items = reply.output.filter(({ type }) => type === 'image_generation_call');
    expect(items).toMatchObject([{ status: 'completed', result: PNG }]);
    const types: string[] = [];
    const results: unknown[] = [];
    for await (const event of await openai.responses.create({ model, input: 'a cat', stream: true })) {
      types.push(event.type);
      if (event.type === 'response.output_item.done' && event.item.type === 'image_generation_call') results.push(event.item.result);
    }
    expect([results, types.at(-1)]).toEqual([[PNG], 'response.completed']);
  });

  it('is a block of Messages', async () => {
    const client = new Anthropic({ apiKey: server.key, baseURL: server.url, maxRetries: 0 });
    const body = { model, max_tokens: 100, messages: [{ role: 'user' as const, content: 'a cat' }] };
    const isImage = ({ type }: { readonly type: string }): boolean => type === 'image';
    const reply = await client.messages.create(body);
    const block = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } };
    expect((reply.content as readonly { type: string }[]).filter(isImage)).toEqual([block]);
    const seen: object[] = [];
    for await (const event of await client.messages.create({ ...body, stream: true })) {
      if (event.type === 'content_block_start' && isImage(event.content_block as { type: string })) seen.push(event.content_block);
    }
    expect(seen).toEqual([block]);
  });

  it('is inline data of Gemini', async () => {
    const client = new GoogleGenAI({ apiKey: server.key, httpOptions: { baseUrl: server.url } });
    const data = { mimeType: 'image/png', data: PNG };
    const inline = (parts: readonly { inlineData?: unknown }[] | undefined): readonly unknown[] =>
      parts?.flatMap(({ inlineData }) => inlineData ?? []) ?? [];
    const reply = await client.models.generateContent({ model, contents: 'a cat' });
    expect(inline(reply.candidates?.[0]?.content?.parts)).toEqual([data]);
    const seen: unknown[] = [];
    for await (const chunk of await client.models.generateContentStream({ model, contents: 'a cat' }))
      seen.push(...inline(chunk.candidates?.[0]?.content?.parts));
    expect(seen).toEqual([data]);
  });
});

describe('an image that was made goes back', () => {
  it('with the conversation, as bytes', async () => {
    const message = await whole('gemini/gemini-2.5-flash-image');
    await openai.chat.completions.create({
      model: 'gemini/gemini-2.5-flash-image',
      messages: [
        { role: 'user', content: 'a cat' },
        { role: 'assistant', ...message } as never,
        { role: 'user', content: 'make it black' },
      ],
    });
    const sent = JSON.parse(google.seen.at(-1)?.body ?? '') as { contents: { role: string; parts: { inlineData?: { data: string } }[] }[] };
    expect(sent.contents[1]?.parts.flatMap(({ inlineData }) => inlineData?.data ?? [])).toEqual([PNG]);
  });
});

it('what was asked for as JSON stays JSON: the image stands beside it only', async () => {
  google.answer = json({
    candidates: [{ content: { role: 'model', parts: [PARTS[1], { text: '{"name":"Axel"}' }] }, finishReason: 'STOP', index: 0 }],
    usageMetadata: USAGE,
    modelVersion: 'm',
  });
  const asked = { ...ask('gemini/gemini-2.5-flash-image'), response_format: { type: 'json_object' as const } };
  const message = (await openai.chat.completions.create(asked)).choices[0]?.message as WithImages | undefined;
  expect(JSON.parse(message?.content ?? '')).toEqual({ name: 'Axel' });
  expect(message?.images).toHaveLength(1);
});
