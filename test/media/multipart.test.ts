import { createServer, type IncomingMessage, request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Form, formParts, type FormRules, readForm } from '../../src/http/gateway/media/multipart.ts';
import { GatewayError } from '../../src/ir/index.ts';

const RULES: FormRules & { heldBytes: number } = {
  files: ['image', 'mask'],
  limit: 256 * 1024,
  maxFiles: 2,
  fieldBytes: 64,
  heldBytes: 100 * 1024,
};

type Read = (request: IncomingMessage) => Promise<unknown>;

let port = 0;
let read: Read;
const server = createServer((request, response) => {
  read(request).then(
    (value) => response.end(JSON.stringify({ value })),
    (error: unknown) => {
      const fault = error instanceof GatewayError ? error.fault : { status: 500, message: String(error) };
      response.writeHead(fault.status).end(JSON.stringify({ fault }));
    },
  );
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());

interface Answer {
  readonly value?: Form & Record<string, unknown>;
  readonly fault?: { readonly status: number; readonly message: string; readonly param?: string; readonly code?: string };
}

const TYPE = 'multipart/form-data; boundary=XX';

function send(body: Buffer | string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ port, method: 'POST', headers: { 'content-type': TYPE, ...headers }, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve(JSON.parse(text) as Answer));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const part = (disposition: string, content: string, type?: string): string =>
  `--XX\r\nContent-Disposition: form-data; ${disposition}\r\n${type === undefined ? '' : `Content-Type: ${type}\r\n`}\r\n${content}\r\n`;
const END = '--XX--\r\n';
const PNG = part('name="image"; filename="a.png"', '\x89PNG', 'image/png');
const MODEL = part('name="model"', 'm');

const whole: Read = async (request) => {
  const form = await readForm(request, RULES);
  return { ...form, files: form.files.map(({ data, ...file }) => ({ ...file, bytes: data.length })) };
};

describe('forms that are read whole', () => {
  beforeAll(() => void (read = whole));

  it.each([
    { name: 'a file after a field', body: MODEL + PNG + END, fields: ['model=m'], files: ['image a.png image/png 5'] },
    { name: 'a file before a field', body: PNG + MODEL + END, fields: ['model=m'], files: ['image a.png image/png 5'] },
    {
      name: 'files in a list',
      body: PNG.replace('"image"', '"image[]"') + PNG.replace('"image"', '"image[1]"') + END,
      fields: [],
      files: ['image a.png image/png 5', 'image a.png image/png 5'],
    },
    {
      name: 'a text where a file may stand',
      body: part('name="image"', 'https://x.example/a.png') + END,
      fields: ['image=https://x.example/a.png'],
      files: [],
    },
    {
      name: 'a type without a file name',
      body: part('name="image"', 'abc', 'image/webp') + END,
      fields: [],
      files: ['image undefined image/webp 3'],
    },
    {
      name: 'a file name and no type that says anything',
      body: part('name="image"; filename="a.bin"', '', 'application/octet-stream') + END,
      fields: [],
      files: ['image a.bin undefined 0'],
    },
    { name: 'UTF-8', body: part('name="prompt"', '一只猫') + END, fields: ['prompt=一只猫'], files: [] },
    {
      name: 'a preamble and an epilogue',
      body: `hello\r\n${MODEL}${END}${'x'.repeat(100_000)}`,
      fields: ['model=m'],
      files: [],
    },
    { name: 'nothing', body: END, fields: [], files: [] },
  ])('$name', async ({ body, fields, files }) => {
    const { value, fault } = await send(body);
    expect(fault).toBeUndefined();
    expect(value?.fields.map((one) => `${one.name}=${one.value}`)).toEqual(fields);
    const found = value?.files as unknown as { name: string; filename?: string; mediaType?: string; bytes: number }[];
    expect(found.map((one) => `${one.name} ${one.filename} ${one.mediaType} ${one.bytes}`)).toEqual(files);
  });

  it('unpacks a packed body', async () => {
    const { value } = await send(gzipSync(MODEL + PNG + END), { 'content-encoding': 'gzip' });
    expect(value?.fields[0]?.value).toBe('m');
    const { fault } = await send('no gzip', { 'content-encoding': 'gzip' });
    expect(fault).toMatchObject({ status: 400, code: 'invalid_multipart' });
  });

  it.each([
    { name: 'JSON', headers: { 'content-type': 'application/json' }, body: '{}', status: 400, param: 'content-type' },
    { name: 'no boundary', headers: { 'content-type': 'multipart/form-data' }, body: END, status: 400 },
    { name: 'another boundary', headers: { 'content-type': 'multipart/form-data; boundary=YY' }, body: MODEL + END, status: 400 },
    { name: 'no body', body: '', status: 400 },
    { name: 'cut in a file', body: `${PNG.slice(0, -3)}`, status: 400, param: 'image' },
    { name: 'cut in a field', body: MODEL + part('name="prompt"', 'a cat').slice(0, -4), status: 400, param: 'prompt' },
    { name: 'cut between parts', body: MODEL, status: 400, param: 'model' },
    { name: 'a file in a part that takes none', body: part('name="picture"; filename="a.png"', 'x') + END, status: 400, param: 'picture' },
    { name: 'a file without a name', body: part('filename="a.png"', 'x') + END, status: 400 },
    { name: 'a field without a name', body: part('title="a"', 'x') + END, status: 400 },
    { name: 'too many files', body: PNG + PNG + PNG + END, status: 400, param: 'image' },
    { name: 'too many fields', body: MODEL.repeat(200) + END, status: 400 },
    { name: 'a field too long', body: part('name="prompt"', 'x'.repeat(65)) + END, status: 400, param: 'prompt' },
    {
      name: 'more files than are held',
      body: part('name="image"; filename="a"', 'x'.repeat(101 * 1024)) + END,
      status: 413,
      param: 'image',
    },
    { name: 'more than is taken at all', body: part('name="image"; filename="a"', 'x'.repeat(260 * 1024)) + END, status: 413 },
    {
      name: 'the same without a length',
      headers: { 'transfer-encoding': 'chunked' },
      body: 'x'.repeat(300 * 1024),
      status: 413,
    },
    { name: 'a head without end', body: `--XX\r\nContent-Disposition: ${'x'.repeat(100_000)}`, status: 400 },
  ])('refuses $name', async ({ body, headers, status, param }) => {
    const { fault } = await send(body, headers);
    expect(fault).toMatchObject({ status, ...(param === undefined ? {} : { param }) });
    expect(fault?.message.length).toBeLessThan(300);
  });

  it('ends when the client hangs up in the middle', async () => {
    const failed = new Promise<unknown>((resolve) => {
      read = (request) =>
        whole(request).catch((error: unknown) => {
          resolve(error);
          throw error;
        });
    });
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-type: ${TYPE}\r\ncontent-length: 9000\r\n\r\n${MODEL}--XX`, () => socket.destroy());
    expect(await failed).toMatchObject({ fault: { code: 'body_incomplete' } });
    read = whole;
  });
});

describe('forms that are read as they come', () => {
  const BIG = 64 * 1024 * 1024;
  const head = part('name="image"; filename="a"', '').slice(0, -2);

  /** Writes a form with a large file; gives how many of its bytes could be written so far. */
  function upload(onAnswer: (answer: Answer) => void): { written: number } {
    const state = { written: 0 };
    const sent = httpRequest({ port, method: 'POST', headers: { 'content-type': TYPE }, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => onAnswer(JSON.parse(text) as Answer));
    });
    sent.on('error', () => {});
    sent.write(head);
    const chunk = Buffer.alloc(256 * 1024);
    const more = (): void => {
      while (state.written < BIG) {
        state.written += chunk.length;
        if (!sent.write(chunk)) return void sent.once('drain', more);
      }
      sent.end(`\r\n${MODEL}${END}`);
    };
    more();
    return state;
  }

  it('holds the client back while a file is not read, and gives every byte of it', async () => {
    let go: (() => void) | undefined;
    read = async (request) => {
      const seen: string[] = [];
      for await (const one of formParts(request, { ...RULES, limit: 2 ** 30 })) {
        if (one.kind === 'field') {
          seen.push(`${one.name}=${one.value}`);
          continue;
        }
        await new Promise<void>((resolve) => (go = resolve));
        let bytes = 0;
        for await (const piece of one.body) bytes += piece.length;
        seen.push(`${one.name} ${bytes}`);
      }
      return seen;
    };
    let answer: Answer | undefined;
    const state = upload((got) => (answer = got));
    await expect.poll(() => go).toBeDefined();
    // Sockets hold some megabytes, the reader next to nothing.
    let before = -1;
    await expect.poll(() => [before, (before = state.written)].every((one) => one === state.written), { interval: 100 }).toBe(true);
    expect(state.written).toBeLessThan(BIG / 2);
    go?.();
    await expect.poll(() => answer, { timeout: 10_000 }).toEqual({ value: [`image ${BIG}`, 'model=m'] });
  });

  it('skips a file that nobody reads', async () => {
    read = async (request) => {
      const seen: string[] = [];
      for await (const one of formParts(request, RULES)) seen.push(one.name);
      return seen;
    };
    expect((await send(part('name="image"; filename="a"', 'x'.repeat(200_000)) + MODEL + END)).value).toEqual(['image', 'model']);
  });

  it('lets go of the rest when the caller leaves, after the answer', async () => {
    read = async (request) => {
      for await (const one of formParts(request, { ...RULES, limit: 2 ** 30 })) return one.name;
      return '';
    };
    const bytes = 8 * 1024 * 1024;
    // node:http's client stops writing once it has the answer.
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-type: ${TYPE}\r\ncontent-length: ${head.length + 100 + bytes}\r\n\r\n${head}`);
    socket.write('x'.repeat(100));
    await expect.poll(() => answer).toContain('{"value":"image"}');
    await new Promise<void>((resolve) => socket.write(Buffer.alloc(bytes), () => resolve()));
    // The connection is good for another request.
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-type: ${TYPE}\r\ncontent-length: ${END.length}\r\n\r\n${END}`);
    await expect.poll(() => answer).toContain('{"value":""}');
    socket.destroy();
  });

  it('fails the open file with what is wrong behind it', async () => {
    read = async (request) => {
      for await (const one of formParts(request, { ...RULES, limit: 2 ** 30 })) {
        if (one.kind === 'file') for await (const _ of one.body);
      }
      return 'whole';
    };
    expect((await send(PNG.slice(0, -3))).fault).toMatchObject({ code: 'invalid_multipart', param: 'image' });
  });
});
