import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGuardedStream } from './guarded-stream.ts';
import { createWebhookPost } from './webhook-post.ts';

let server: Server;
let url: string;
const seen: { method: string; path: string; headers: IncomingHttpHeaders; body: string }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      const path = request.url ?? '';
      seen.push({ method: request.method ?? '', path, headers: request.headers, body });
      if (path === '/away') response.writeHead(302, { location: '/here' }).end();
      else if (path === '/inside') response.writeHead(302, { location: 'http://10.0.0.7/x' }).end();
      else if (path === '/round') response.writeHead(302, { location: '/round' }).end();
      else if (path === '/cut') response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy());
      else if (path === '/gone') response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': 'Video/MP4; x=y' }).end('film');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const LOOPBACK = (): readonly string[] => ['127.0.0.1/32'];
const NEVER = new AbortController().signal;

describe('a webhook', () => {
  const message = { url: '', headers: { 'webhook-id': 'msg_1', 'content-type': 'application/json' }, body: '{"ä":1}' };

  it('is posted as it is, to an allowed address', async () => {
    const post = createWebhookPost(LOOPBACK);
    expect(await post({ ...message, url: `${url}/hook?a=b` }, NEVER)).toBe(200);
    expect(seen.at(-1)).toMatchObject({ method: 'POST', path: '/hook?a=b', body: '{"ä":1}', headers: { 'webhook-id': 'msg_1' } });
  });

  it('is not sent on by its receiver', async () => {
    const before = seen.length;
    expect(await createWebhookPost(LOOPBACK)({ ...message, url: `${url}/away` }, NEVER)).toBe(302);
    expect(seen.length).toBe(before + 1);
  });

  it.each([
    ['a private address', 'http://10.0.0.7/hook'],
    ['this machine', 'http://localhost:1/hook'],
    ['a name that leads inside', 'https://hook.example.com/x'],
    ['another scheme', 'file:///etc/passwd'],
    ['a password in it', 'https://a:b@example.com/'],
  ])('never goes to %s', async (_name, to) => {
    const post = createWebhookPost(
      () => [],
      async () => ['192.168.1.7'],
    );
    const before = seen.length;
    await expect(post({ ...message, url: to }, NEVER)).rejects.toMatchObject({ fault: { param: 'webhook.url' } });
    expect(seen.length).toBe(before);
  });
});

describe('a file that a provider names', () => {
  const open = createGuardedStream(LOOPBACK);
  const text = async (path: string): Promise<string> => {
    let out = '';
    for await (const piece of (await open(url + path, NEVER)).body) out += Buffer.from(piece).toString();
    return out;
  };

  it('comes as it is, also from where it was sent on', async () => {
    expect(await text('/film')).toBe('film');
    expect(await text('/away')).toBe('film');
    expect((await open(`${url}/film`, NEVER)).mediaType).toBe('video/mp4');
  });

  it.each([
    ['leads inside by a detour', '/inside', 'url_not_allowed'],
    ['leads nowhere', '/round', 'url_redirects'],
    ['is gone', '/gone', 'url_gone'],
    ['is cut', '/cut', 'url_unreachable'],
  ])('is a fault of the upstream where it %s', async (_name, path, code) => {
    await expect(text(path)).rejects.toMatchObject({ fault: { status: 502, code } });
  });
});
