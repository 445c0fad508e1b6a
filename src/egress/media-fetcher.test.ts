import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GatewayError } from '../ir/index.ts';
import { createMediaFetcher, type FetcherPorts } from './media-fetcher.ts';

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const PARAM = 'messages[0].content[1]';

let server: Server;
let port: number;
let answer: RequestListener;
let seen: IncomingMessage[];
const never = new AbortController().signal;

beforeEach(async () => {
  seen = [];
  answer = (_request, response) => response.writeHead(200, { 'content-type': 'image/png' }).end(PNG);
  server = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const LOOPBACK = { allow: ['127.0.0.0/8'], fetchBytes: 2 ** 20 };

/** A fetcher in a world of few names. */
function fetcher(names: Readonly<Record<string, readonly string[]>> = {}, changes: Partial<FetcherPorts> = {}) {
  const resolve = (host: string): Promise<readonly string[]> =>
    names[host] ? Promise.resolve(names[host]) : Promise.reject(new Error(`ENOTFOUND ${host}`));
  return createMediaFetcher({ bounds: () => LOOPBACK, resolve, ...changes });
}

/** The fault that fetching ends in. */
async function faultOf(url: string, subject = fetcher(), signal = never) {
  try {
    await subject.fetch(url, PARAM, signal);
  } catch (error) {
    if (error instanceof GatewayError) return error.fault;
    throw error;
  }
  throw new Error(`${url} was fetched`);
}

describe('a URL that may be fetched', () => {
  it('gives bytes and their type', async () => {
    expect(await fetcher().fetch(`http://127.0.0.1:${port}/a.png?b=c#d`, PARAM, never)).toEqual({ data: PNG, mediaType: 'image/png' });
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /a.png?b=c']);
  });

  it('is asked for by its name, at the address that was checked', async () => {
    let asked = 0;
    const resolve = () => Promise.resolve((asked += 1) === 1 ? ['127.0.0.1'] : ['169.254.169.254']);
    const subject = createMediaFetcher({ bounds: () => LOOPBACK, resolve });
    await subject.fetch(`http://files.example:${port}/`, PARAM, never);
    expect(asked).toBe(1);
    expect(seen[0]?.headers.host).toBe(`files.example:${port}`);
  });

  it('is asked for without anything that tells who asks', async () => {
    await fetcher().fetch(`http://127.0.0.1:${port}/`, PARAM, never);
    const names = Object.keys(seen[0]?.headers ?? {}).sort();
    expect(names).toEqual(['accept', 'accept-encoding', 'connection', 'host', 'user-agent']);
  });

  it('is asked for over TLS under its name', async () => {
    let hello = Buffer.alloc(0);
    const tcp = createTcpServer((socket) =>
      socket
        .on('error', () => undefined)
        .on('data', (bytes: Buffer) => {
          hello = Buffer.concat([hello, bytes]);
          socket.destroy();
        }),
    );
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const { port: tlsPort } = tcp.address() as AddressInfo;
    const fault = await faultOf(`https://files.example.:${tlsPort}/`, fetcher({ 'files.example': ['127.0.0.1'] }));
    tcp.close();
    expect(fault).toMatchObject({ status: 400, code: 'url_unreachable' });
    expect(hello.includes('files.example')).toBe(true);
    expect(hello.includes('files.example.')).toBe(false);
  });

  it.each([
    { name: 'bytes win over the header', said: 'image/jpeg', data: PNG, type: 'image/png' },
    { name: 'the header where bytes say nothing', said: 'Text/Plain; charset=utf-8', data: Buffer.from('hello'), type: 'text/plain' },
    { name: 'PDF', said: 'application/octet-stream', data: Buffer.from('%PDF-1.7\n'), type: 'application/pdf' },
    { name: 'WebP', said: undefined, data: Buffer.from('RIFF\0\0\0\0WEBPVP8 '), type: 'image/webp' },
    { name: 'WAV', said: undefined, data: Buffer.from('RIFF\0\0\0\0WAVEfmt '), type: 'audio/wav' },
    { name: 'a header that is none', said: 'nonsense', data: Buffer.from('x'), type: 'application/octet-stream' },
    { name: 'nothing at all', said: undefined, data: Buffer.alloc(0), type: 'application/octet-stream' },
  ])('has a media type: $name', async ({ said, data, type }) => {
    answer = (_request, response) => response.writeHead(200, said === undefined ? {} : { 'content-type': said }).end(data);
    expect(await fetcher().fetch(`http://127.0.0.1:${port}/`, PARAM, never)).toEqual({ data, mediaType: type });
  });

  it('changes with the configuration', async () => {
    let allow: readonly string[] = [];
    const subject = fetcher({}, { bounds: () => ({ allow, fetchBytes: 1000 }) });
    const url = `http://127.0.0.1:${port}/`;
    expect((await faultOf(url, subject)).code).toBe('url_not_allowed');
    allow = ['127.0.0.1'];
    expect((await subject.fetch(url, PARAM, never)).mediaType).toBe('image/png');
    allow = ['10.0.0.0/8'];
    expect((await faultOf(url, subject)).code).toBe('url_not_allowed');
  });
});

describe('a URL that leads inside is refused', () => {
  const NAMES = {
    localhost: ['127.0.0.1'],
    'inside.example': ['10.0.0.7'],
    'both.example': ['8.8.8.8', '10.0.0.7'],
    'metadata.google.internal': ['169.254.169.254'],
    'six.example': ['::ffff:10.0.0.7'],
    'odd.example': ['not an address'],
  };
  const HOSTS = [
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '127.0.0.1.',
    '１２７.0.0.1',
    '127。0。0。1',
    '0',
    '0.0.0.0',
    '[::]',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[fd00:ec2::254]',
    '169.254.169.254',
    '2852039166',
    '0xA9.254.0251.254',
    '100.100.100.200',
    'localhost',
    'LOCALHOST',
    'localhost.',
    'loc%61lhost',
    'ｌｏｃａｌｈｏｓｔ',
    'inside.example',
    'both.example',
    'metadata.google.internal',
    'six.example',
    'odd.example',
  ];
  it.each(HOSTS)('%s', async (host) => {
    const fault = await faultOf(`http://${host}:${port}/`, fetcher(NAMES, { bounds: () => ({ allow: [], fetchBytes: 1000 }) }));
    expect(fault).toMatchObject({ status: 400, by: 'gateway', kind: 'bad_request', code: 'url_not_allowed', param: PARAM });
    expect(fault.message).toBe(`The URL in '${PARAM}' cannot be used: its host is not a public one`);
    expect(seen).toEqual([]);
  });
});

describe('a URL that is none of ours', () => {
  it.each([
    'file:///etc/passwd',
    'ftp://example.com/a',
    'gopher://example.com/',
    'data:text/plain,hello',
    'javascript:1',
    '//example.com/a.png',
    '/etc/passwd',
    'http://',
    'http://[::1%25eth0]/',
    'http://user@example.com/',
    'http://user:secret@example.com/',
    `http://example.com/${'a'.repeat(9000)}`,
    '',
  ])('%s', async (url) => {
    const fault = await faultOf(url);
    expect(fault).toMatchObject({ status: 400, code: 'invalid_url', param: PARAM });
    expect(fault.message).not.toContain('secret');
  });

  it('is unknown where its host is', async () => {
    expect(await faultOf('http://nowhere.example/')).toMatchObject({ status: 400, code: 'url_unreachable' });
  });
});

describe('an answer that is not taken', () => {
  const redirect =
    (status: number): RequestListener =>
    (_request, response) => {
      response.writeHead(status, { location: 'http://169.254.169.254/' }).end();
    };
  const CASES: readonly { readonly name: string; readonly answer: RequestListener; readonly code: string; readonly says: string }[] = [
    ...[301, 302, 303, 307, 308].map((status) => ({
      name: `${status}`,
      answer: redirect(status),
      code: 'url_redirects',
      says: 'redirects',
    })),
    ...[404, 410].map((status) => ({
      name: `${status}`,
      answer: ((_, response) => response.writeHead(status).end('no')) satisfies RequestListener,
      code: 'url_gone',
      says: `answered ${status}`,
    })),
    { name: '500', answer: (_, response) => response.writeHead(500).end(), code: 'url_unreachable', says: 'answered 500' },
    {
      name: 'a length that is too large',
      answer: (_, response) => void response.writeHead(200, { 'content-length': 2 ** 40 }).write('x'),
      code: 'file_too_large',
      says: 'larger than 1048576 bytes',
    },
    {
      name: 'more than was said',
      answer: (_, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
        };
        response.on('drain', more);
        more();
      },
      code: 'file_too_large',
      says: 'larger than 1048576 bytes',
    },
    {
      name: 'compressed',
      answer: (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
      code: 'url_unreachable',
      says: 'compressed',
    },
    {
      name: 'cut',
      answer: (_, response) => {
        response.writeHead(200, { 'content-length': 1000 });
        response.write('x', () => response.destroy());
      },
      code: 'url_unreachable',
      says: 'cut the answer',
    },
    { name: 'no answer', answer: (request) => void request.socket.destroy(), code: 'url_unreachable', says: 'could not be reached' },
    {
      name: 'garbage',
      answer: (request) => void request.socket.end('220 smtp ready\r\n'),
      code: 'url_unreachable',
      says: 'could not be reached',
    },
    {
      name: 'huge headers',
      answer: (_, response) => response.writeHead(200, { x: 'y'.repeat(20_000) }).end(),
      code: 'url_unreachable',
      says: 'could not',
    },
  ];
  it.each(CASES)('$name', async ({ answer: given, code, says }) => {
    answer = given;
    const fault = await faultOf(`http://127.0.0.1:${port}/`);
    expect(fault).toMatchObject({ status: 400, code, param: PARAM, message: expect.stringContaining(says) });
    expect(fault.message).not.toMatch(/127\.0\.0\.1|169\.254/);
  });

  it('a server that never ends', async () => {
    answer = (_request, response) => void response.writeHead(200).write('x');
    expect(await faultOf(`http://127.0.0.1:${port}/`, fetcher({}, { totalMs: 100 }))).toMatchObject({
      message: expect.stringContaining('took too long'),
    });
  });

  it('a name that is never resolved', async () => {
    const subject = fetcher({}, { totalMs: 100, resolve: () => new Promise(() => undefined) });
    expect(await faultOf('http://slow.example/', subject)).toMatchObject({ message: expect.stringContaining('took too long') });
  });

  it('a client that goes away ends the fetch', async () => {
    const client = new AbortController();
    const gone = new Promise<void>((resolve) => {
      answer = (request, response) => {
        request.socket.on('close', () => resolve());
        response.writeHead(200).write('x');
        client.abort();
      };
    });
    expect((await faultOf(`http://127.0.0.1:${port}/`, fetcher(), client.signal)).status).toBe(400);
    await gone;
  });

  it('files of one call that are too large together', async () => {
    answer = (_request, response) => response.writeHead(200).end(Buffer.alloc(900));
    const subject = fetcher({}, { bounds: () => ({ allow: ['127.0.0.1'], fetchBytes: 1000 }) });
    const call = new AbortController().signal;
    const url = `http://127.0.0.1:${port}/`;
    for (let file = 0; file < 4; file += 1) await subject.fetch(url, PARAM, call);
    expect(await faultOf(url, subject, call)).toMatchObject({ code: 'file_too_large', message: expect.stringContaining('together') });
    expect((await subject.fetch(url, PARAM, new AbortController().signal)).data).toHaveLength(900);
  });
});

describe('many fetches', () => {
  it('run a few at a time, and more than can wait are told to come back', async () => {
    let running = 0;
    let most = 0;
    const held: (() => void)[] = [];
    answer = (_request, response) => {
      most = Math.max(most, (running += 1));
      held.push(() => {
        running -= 1;
        response.end('x');
      });
    };
    const subject = fetcher();
    const all = Array.from({ length: 300 }, () => subject.fetch(`http://127.0.0.1:${port}/`, PARAM, new AbortController().signal));
    const ended = Promise.allSettled(all);
    const release = setInterval(() => held.splice(0).forEach((one) => one()), 1);
    const results = await ended;
    clearInterval(release);
    expect(most).toBeLessThanOrEqual(16);
    const refused = results.flatMap((one) => (one.status === 'rejected' ? [(one.reason as GatewayError).fault] : []));
    expect(refused).toHaveLength(300 - 16 - 256);
    expect(refused[0]).toMatchObject({ status: 503, code: 'fetches_full', retryAfterMs: 1000 });
  });
});
