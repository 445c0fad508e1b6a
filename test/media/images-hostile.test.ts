import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMediaFetcher } from '../../src/egress/media-fetcher.ts';
import { type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAADklEQVR4nGNwgAEGOAsALRQEgQjZfUEAAAAASUVORK5CYII=';

let upstream: FakeUpstream;
let server: TestServer;
beforeAll(async () => {
  upstream = await startUpstream(json({ created: 1, data: [{ b64_json: PNG }] }));
  server = await startTestServer({ providers: { openai: { preset: 'openai', baseUrl: upstream.url, key: 'k' } } }, undefined, undefined, {
    media: createMediaFetcher({
      bounds: () => ({ allow: [], fetchBytes: 2 ** 20 }),
      resolve: () => Promise.reject(new Error('ENOTFOUND')),
    }),
  });
});
afterAll(async () => {
  expect(server.defects).toEqual([]);
  await Promise.all([server.close(), upstream.close()]);
});

const send = (path: string, body: string | Uint8Array<ArrayBuffer>, type: string): Promise<Response> =>
  fetch(server.url + path, { method: 'POST', headers: { authorization: `Bearer ${server.key}`, 'content-type': type }, body });

/** A status that says whose mistake it is, in an envelope. */
async function checkAnswer(answer: Response): Promise<void> {
  const text = await answer.text();
  expect(answer.status, text.slice(0, 300)).toBeLessThan(500);
  if (answer.status === 200) return;
  expect(JSON.parse(text)).toMatchObject({ error: { message: expect.any(String) as string } });
}

const FIELDS = [
  'n',
  'size',
  'quality',
  'style',
  'background',
  'output_format',
  'output_compression',
  'response_format',
  'stream',
  'partial_images',
]
  .concat([
    'image',
    'images',
    'mask',
    'seed',
    'user',
    'async',
    'webhook',
    'aspect_ratio',
    'resolution',
    'negative_prompt',
    '__proto__',
    'constructor',
  ])
  .concat(['moderation', 'input_fidelity', 'safety_identifier']);
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(
    '1024x1024',
    '16:9',
    '2K',
    'url',
    'b64_json',
    'data:image/png;base64,AAAA',
    'data:,',
    'http://[::1]/a',
    'file:///etc/passwd',
    PNG,
    [PNG, PNG],
    -1,
    1e9,
    0.5,
  ),
);
const body = fc.dictionary(fc.constantFrom(...FIELDS), value, { maxKeys: 4 });
const PATHS = ['/v1/images/generations', '/v1/images/edits', '/v1/images/variations'] as const;

describe('bodies of anything', () => {
  it('are answered with a status that is not ours', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...PATHS), body, fc.boolean(), async (path, fields, isValid) => {
        const more = isValid ? { model: 'openai/dall-e-2', prompt: 'x' } : {};
        await checkAnswer(await send(path, JSON.stringify({ ...more, ...fields }), 'application/json'));
      }),
      { numRuns: 400 },
    );
  }, 60_000);

  it('of Imagen too', async () => {
    const parameters = fc.dictionary(
      fc.constantFrom('sampleCount', 'aspectRatio', 'sampleImageSize', 'outputOptions', 'seed', 'negativePrompt', 'editMode'),
      value,
      { maxKeys: 3 },
    );
    const instances = fc.oneof(
      fc.constant([{ prompt: 'x' }]),
      fc.jsonValue({ maxDepth: 3 }),
      fc.array(fc.record({ prompt: value, image: value, referenceImages: value }, { requiredKeys: [] })),
    );
    await fc.assert(
      fc.asyncProperty(instances, parameters, async (one, two) => {
        await checkAnswer(
          await send('/openai/v1beta/models/dall-e-2:predict', JSON.stringify({ instances: one, parameters: two }), 'application/json'),
        );
      }),
      { numRuns: 200 },
    );
  }, 60_000);

  it('forms of anything, cut anywhere', async () => {
    const part = fc.tuple(
      fc.constantFrom('image', 'image[]', 'mask', 'prompt', 'model', 'n', 'async', 'x'),
      fc.oneof(fc.constant(PNG), fc.string({ maxLength: 50 })),
      fc.boolean(),
    );
    const form = fc.tuple(fc.array(part, { maxLength: 6 }), fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(form, async ([parts, cut, isWhole]) => {
        const text = parts.map(([name, content, isFile]) => {
          const head = `--b\r\ncontent-disposition: form-data; name="${name}"${isFile ? '; filename="a.png"\r\ncontent-type: image/png' : ''}\r\n\r\n`;
          return head + (isFile ? Buffer.from(content, 'base64').toString('latin1') : content) + '\r\n';
        });
        const whole = Buffer.from(`${text.join('')}--b--\r\n`, 'latin1');
        const sent = isWhole ? whole : whole.subarray(0, Math.floor(whole.length * cut));
        await checkAnswer(await send('/v1/images/edits', new Uint8Array(sent), 'multipart/form-data; boundary=b'));
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});

describe('a length that lies', () => {
  it('is no reason to wait for ever, nor to ask the provider', async () => {
    const before = upstream.seen.length;
    const { port } = new URL(server.url);
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(Number(port), '127.0.0.1', () => {
        const head = `POST /v1/images/edits HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.key}\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 1000\r\n\r\n`;
        socket.write(`${head}--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nopenai/dall-e-2\r\n`);
        socket.end();
      });
      socket.on('data', (piece: Buffer) => (text += piece.toString()));
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
    });
    expect(answer === '' || answer.startsWith('HTTP/1.1 400')).toBe(true);
    expect(upstream.seen.length).toBe(before);
  });
});
