import { BadRequestError, InternalServerError, OpenAI, toFile } from 'openai';
import { describe, expect, it } from 'vitest';
import { imageSize } from '../../src/media/image-size.ts';
import { decodePng } from '../../src/sandbox/picture/read-png.ts';
import { createSandboxFetch } from './sandbox-fetch.ts';

const sandboxFetch = createSandboxFetch();
const client = new OpenAI({ apiKey: 'none', baseURL: 'http://sandbox/v1', fetch: sandboxFetch, maxRetries: 0 });

type Wish = Partial<OpenAI.Images.ImageGenerateParamsNonStreaming> & { readonly seed?: number };

const draw = async (prompt: string, more: Wish = {}): Promise<readonly Buffer[]> => {
  const reply = await client.images.generate({
    model: 'image',
    size: '256x256',
    prompt,
    ...more,
  } as OpenAI.Images.ImageGenerateParamsNonStreaming);
  return (reply.data ?? []).map(({ b64_json }) => Buffer.from(b64_json ?? '', 'base64'));
};

const one = async (prompt: string, more?: Wish): Promise<Buffer> => (await draw(prompt, more))[0] ?? Buffer.alloc(0);

/** Share of dots that are dark. */
function ink(png: Buffer): number {
  const { rgba, width, height } = decodePng(png) ?? { rgba: new Uint8Array(), width: 0, height: 0 };
  let dark = 0;
  for (let at = 0; at < rgba.length; at += 4) if ((rgba[at] ?? 0) + (rgba[at + 1] ?? 0) + (rgba[at + 2] ?? 0) < 200) dark++;
  return dark / (width * height);
}

describe('images of the sandbox', () => {
  it.each([
    [undefined, 1024, 1024],
    ['auto', 1024, 1024],
    ['1536x1024', 1536, 1024],
    ['16x16', 16, 16],
    ['300x200', 300, 200],
  ])('size %s', async (size, width, height) => {
    const [png = Buffer.alloc(0)] = await draw('A lighthouse', { size: size as 'auto' });
    expect(imageSize(png)).toEqual({ format: 'PNG', width, height });
    expect(decodePng(png)).toMatchObject({ width, height });
  });

  it('draws what it is asked for, also in Chinese, and the same again', async () => {
    const [english, chinese, again, other, none] = await Promise.all(
      ['A lighthouse', '一座灯塔', '一座灯塔', '一座灯塔。', ' \u200b.'].map((prompt) => one(prompt)),
    );
    expect(chinese?.equals(again ?? Buffer.alloc(0))).toBe(true);
    expect(chinese?.equals(other ?? Buffer.alloc(0))).toBe(false);
    for (const png of [english, chinese]) expect(ink(png ?? Buffer.alloc(0))).toBeGreaterThan(ink(none ?? Buffer.alloc(0)) + 0.01);
  });

  it('makes several, each another; a seed decides their colours', async () => {
    const pictures = await draw('Trees', { n: 4 });
    expect(new Set(pictures.map((png) => png.toString('base64'))).size).toBe(4);
    const [first, second, third] = await Promise.all([one('Trees', { seed: 7 }), one('Trees', { seed: 7 }), one('Trees', { seed: 8 })]);
    expect(first.equals(second)).toBe(true);
    expect(first.equals(third)).toBe(false);
  });

  it('says what was made', async () => {
    const reply = await client.images.generate({
      model: 'image',
      prompt: '[[words 3]] Trees',
      size: '512x256',
      quality: 'high',
      background: 'transparent',
    });
    expect(reply).toMatchObject({
      size: '512x256',
      quality: 'high',
      background: 'transparent',
      output_format: 'png',
      created: expect.any(Number),
    });
    expect(reply.usage).toMatchObject({ input_tokens: 2, output_tokens: 132, total_tokens: 134 });
    expect(reply.data?.[0]?.revised_prompt).toBe('Trees');
    const { rgba } = decodePng(Buffer.from(reply.data?.[0]?.b64_json ?? '', 'base64')) ?? { rgba: new Uint8Array() };
    expect(rgba.filter((_, at) => at % 4 === 3 && rgba[at] === 0).length).toBeGreaterThan(1000);
  });

  it('gives addresses that need no server', async () => {
    const reply = await client.images.generate({ model: 'image', prompt: 'Trees', size: '256x256', response_format: 'url' });
    expect(reply.data?.[0]?.url).toMatch(/^data:image\/png;base64,iVBORw0KGgo/);
  });

  it('streams parts before the whole', async () => {
    const stream = await client.images.generate({ model: 'image', prompt: 'Trees', size: '256x256', stream: true, partial_images: 2 });
    const events: OpenAI.Images.ImageGenStreamEvent[] = [];
    for await (const event of stream) events.push(event);
    expect(events.map(({ type }) => type)).toEqual([
      'image_generation.partial_image',
      'image_generation.partial_image',
      'image_generation.completed',
    ]);
    const pictures = events.map(({ b64_json }) => Buffer.from(b64_json, 'base64'));
    expect(pictures.at(-1)?.equals(await one('Trees'))).toBe(true);
    const inks = pictures.map(ink);
    expect(inks).toEqual(inks.toSorted((a, b) => a - b));
    expect(events.at(-1)).toMatchObject({ usage: { output_tokens: 66 } });
  });

  it('edits what it can read, and says what it was given', async () => {
    const source = await one('Trees');
    const file = (bytes: Buffer, name: string) => toFile(bytes, name);
    const plain = await client.images.edit({ model: 'image', image: await file(source, 'a.png'), prompt: 'In snow', size: '256x256' });
    const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000ffc0001108001000200301220002110103110100ffd9', 'hex');
    const both = await client.images.edit({
      model: 'image',
      image: [await file(source, 'a.png'), await file(jpeg, 'b.jpg')],
      mask: await file(source, 'm.png'),
      prompt: 'In snow',
      size: '256x256',
    });
    const [first, second] = [plain, both].map((reply) => Buffer.from(reply.data?.[0]?.b64_json ?? '', 'base64'));
    expect(imageSize(first ?? Buffer.alloc(0))).toMatchObject({ width: 256, height: 256 });
    expect(first?.equals(second ?? Buffer.alloc(0))).toBe(false);
    expect(plain.usage?.input_tokens_details).toEqual({ text_tokens: 2, image_tokens: 88 });
    const varied = await client.images.createVariation({ model: 'image', image: await file(source, 'a.png'), n: 2, size: '256x256' });
    expect(varied.data).toHaveLength(2);
  });

  it.each([
    ['an address', 'https://example.com/a.png'],
    ['bare base64', 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAADklEQVR4nGNgYGCAYwAADgADAUCBOgAAAABJRU5ErkJggg=='],
    ['a list', ['https://example.com/a.png', 'data:image/gif;base64,R0lGODlhAQABAAAAACw=']],
    ['objects', [{ image_url: 'https://example.com/a.png' }, { file_id: 'file-1' }]],
  ])('edits in JSON: %s', async (_, image) => {
    const answer = await sandboxFetch('http://sandbox/v1/images/edits', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'image',
        prompt: 'In snow',
        size: '256x256',
        [Array.isArray(image) && typeof image[0] === 'object' ? 'images' : 'image']: image,
      }),
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ data: [{ b64_json: expect.stringMatching(/^iVBORw0KGgo/) }] });
  });

  it.each([
    [{ prompt: '' }, 'prompt'],
    [{ size: '10x10' }, 'size'],
    [{ size: '5000x100' }, 'size'],
    [{ size: '4096x4096' }, 'size'],
    [{ size: 'large' }, 'size'],
    [{ n: 11 }, 'n'],
    [{ n: 1.5 }, 'n'],
    [{ output_format: 'webp' }, 'output_format'],
    [{ quality: 'best' }, 'quality'],
    [{ response_format: 'png' }, 'response_format'],
    [{ partial_images: 4, stream: true }, 'partial_images'],
    [{ model: 'chat' }, 'model'],
  ])('refuses %j by name', async (wrong, param) => {
    const error = await draw('Trees', wrong as Wish).catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(BadRequestError);
    expect((error as BadRequestError).param).toBe(param);
  });

  it.each([
    ['four bytes', Buffer.from('89504e47', 'hex')],
    ['a text', Buffer.from('not a picture')],
  ])('refuses an edit of %s', async (_, bytes) => {
    const error = await client.images
      .edit({ model: 'image', image: await toFile(bytes, 'a.png'), prompt: 'x' })
      .catch((fault: unknown) => fault);
    expect((error as BadRequestError).param).toBe('image');
  });

  it('refuses and fails as it is asked to', async () => {
    for (const refused of [one('x', { model: 'image-refused' }), one('[[refuse]] x'), one('[[filter]] x')])
      await expect(refused).rejects.toMatchObject({ status: 400, code: 'moderation_blocked' });
    await expect(one('[[fail status=503]] x')).rejects.toBeInstanceOf(InternalServerError);
    await expect(one('x', { model: 'image-fail' })).rejects.toBeInstanceOf(InternalServerError);
    await expect(one('x', { model: 'image-cut-after-0' })).rejects.toThrow();
    expect(imageSize(await one('x', { model: 'image-takes-5ms' }))).toBeDefined();
  });
});
