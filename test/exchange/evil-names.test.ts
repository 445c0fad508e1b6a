import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FAMILIES, providersAt } from '../fakes/fault-families.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { DIALECTS } from './dialects.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { connect } from 'node:net';

/** What would lead elsewhere, end a line, or change what a path means, if it went on as it is. */
const EVIL: readonly (readonly [name: string, text: string])[] = [
  ['line ends', 'up\r\nx-evil: 1\r\n'],
  ['a request of its own', 'up HTTP/1.1\r\nhost: evil.example\r\n\r\nGET /secret'],
  ['a line feed', 'up\nGET /secret'],
  ['a NUL', 'up\0'],
  ['the way up', '../../secret'],
  ['the way up, inside', 'up/../../secret'],
  ['the way up, escaped', '%2e%2e/%2e%2e/secret'],
  ['an escaped slash', 'up%2f..%2f..%2fsecret'],
  ['an escaped line end', 'up%0d%0ax-evil:%201'],
  ['escaped twice', 'up%252f..%252fsecret'],
  ['a back slash', 'up\\..\\secret'],
  ['a fragment', 'up#/secret'],
  ['a query', 'up?key=stolen&alt=sse'],
  ['a host', '@evil.example/secret'],
  ['another host', 'up@evil.example'],
  ['a whole URL', 'https://evil.example/secret'],
  ['a URL without a scheme', '//evil.example/secret'],
  ['a full-width slash', 'up／..／secret'],
  ['half a character', 'up\ud800'],
  ['very long', 'x'.repeat(5000)],
];

/** Each request's target, exactly as it came. */
const LEGAL = /^\/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*(?:\?[^#\s]*)?$/;

let server: TestServer;
let upstream: FaultUpstream;
beforeAll(async () => {
  upstream = await startFaultUpstream((_one, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  server = await startTestServer({ providers: providersAt(upstream.url) });
});
beforeEach(() => void (upstream.tries.length = 0));
afterAll(async () => {
  await server.close();
  await upstream.close();
  expect(server.defects).toEqual([]);
});

/** Sends bytes as they are; gives the status of the answer. */
function send(method: string, path: string, type: string, body: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    let seen = '';
    socket.on('data', (bytes) => (seen += bytes.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => resolve(Number(seen.slice(9, 12))));
    socket.write(
      `${method} ${path} HTTP/1.1\r\nhost: x\r\nx-api-key: ${server.key}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`,
    );
    socket.write(body);
  });
}

/** What reached the upstream went where it should. */
function expectRight(paths: ReadonlySet<string>): void {
  for (const { path } of upstream.tries) {
    expect(path).toMatch(LEGAL);
    // However often it is unescaped, no segment leads up.
    expect(path.split('?')[0]?.split('/'), path).not.toContain('..');
    expect(path, path).not.toMatch(/%2e%2e(?:\/|$)|%2f\.\.(?:%2f|\/|$)|\/secret|%0d|%0a|%00|evil\.example\/|\?key=stolen/i);
    expect(
      [...paths].some((one) => path === one || path.startsWith(one)),
      path,
    ).toBe(true);
  }
}

/** Where each endpoint's calls go when they are as they should be. */
async function usualPath(family: (typeof FAMILIES)[number]): Promise<string> {
  const { path, type, body } = family.ask('x');
  await send('POST', path, type, body);
  const usual = upstream.tries[0]?.path ?? '';
  upstream.tries.length = 0;
  // Gemini's path holds the model: all of it up to that.
  return usual.includes('/models/') ? usual.slice(0, usual.indexOf('/models/') + 8) : usual;
}

const isChat = ({ name }: (typeof FAMILIES)[number]): boolean => DIALECTS.some(({ id }) => name.startsWith(id));

/** The model in a body or a path, replaced. */
function withModel(
  family: (typeof FAMILIES)[number],
  model: string,
): { readonly path: string; readonly type: string; readonly body: Buffer } {
  const { path, type, body } = family.ask('x');
  const text = body.toString('latin1');
  const known = (/"model":\s*"([^"]+)"/.exec(text) ?? /name="model"\r\n\r\n([^\r]+)/.exec(text))?.[1];
  // Abilities besides chat are known by how a model's name begins.
  const named = isChat(family) ? `${family.provider}/${model}` : `${known ?? `${family.provider}/up`}${model}`;
  if (type.startsWith('multipart/')) {
    const sent = text.replace(/(name="model"\r\n\r\n)[^\r]+/, (_all, head: string) => head + Buffer.from(named).toString('latin1'));
    return { path, type, body: Buffer.from(sent, 'latin1') };
  }
  if (known !== undefined) {
    return { path, type, body: Buffer.from(body.toString().replace(JSON.stringify(known), () => JSON.stringify(named))) };
  }
  // As a client writes it who escapes nothing but what ends the request line.
  const inPath = named.replaceAll(/[\s\0\u0080-\uffff]/g, (char) => encodeURIComponent(char.isWellFormed() ? char : '\ufffd'));
  return { path: path.replace(`${family.provider}/up`, () => inPath), type, body };
}

describe.each(FAMILIES)('$name', (family) => {
  it.each(EVIL)('a model with %s leads nowhere else', async (_name, text) => {
    const usual = await usualPath(family);
    expect(usual).not.toBe('');
    const { path, type, body } = withModel(family, text);
    const status = await send('POST', path, type, body);
    expect(status).toBeGreaterThanOrEqual(200);
    // What the upstream answered is no answer: 502. Never a fault of ours.
    expect([500, 503]).not.toContain(status);
    // What is only odd goes on, escaped where it must be: the test would see nothing otherwise.
    if (text === 'up@evil.example' && isChat(family)) expect(upstream.tries.length).toBeGreaterThan(0);
    expectRight(new Set([usual]));
    for (const { body: sent } of upstream.tries) expect(sent).not.toContain('\r\nx-evil: 1\r\n\r\n');
  });

  it.each(EVIL)('a platform with %s leads nowhere', async (_name, text) => {
    const { path, type, body } = family.ask('x');
    const platform = text.replaceAll(/[\s\0\u0080-\uffff]/g, (char) => encodeURIComponent(char.isWellFormed() ? char : '\ufffd'));
    const status = await send('POST', `/${platform}${path}`, type, body);
    expect([400, 401, 403, 404, 405]).toContain(status);
    expect(upstream.tries).toEqual([]);
  });
});

const JSON_TYPE = 'application/json';

/** Places of ids: in paths, and in bodies. */
const IDS: readonly (readonly [name: string, ask: (id: string) => readonly [method: string, path: string, body?: unknown]])[] = [
  ['a response', (id) => ['GET', `/v1/responses/${id}`]],
  ['a response to cancel', (id) => ['POST', `/v1/responses/${id}/cancel`, {}]],
  ['a response to delete', (id) => ['DELETE', `/v1/responses/${id}`]],
  ['a response’s items', (id) => ['GET', `/v1/responses/${id}/input_items`]],
  ['a conversation', (id) => ['GET', `/v1/conversations/${id}`]],
  ['an item', (id) => ['GET', `/v1/conversations/conv_1/items/${id}`]],
  ['a video', (id) => ['GET', `/v1/videos/${id}`]],
  ['a video’s content', (id) => ['GET', `/v1/videos/${id}/content`]],
  ['a video to remix', (id) => ['POST', `/v1/videos/${id}/remix`, { prompt: 'a' }]],
  ['a character', (id) => ['GET', `/v1/videos/characters/${id}`]],
  ['a task of images', (id) => ['GET', `/v1/images/${id}`]],
  ['an operation', (id) => ['GET', `/v1beta/operations/${id}`]],
  ['an operation of a model', (id) => ['GET', `/v1beta/models/gem/up/operations/${id}`]],
  ['a file', (id) => ['GET', `/v1beta/files/${id}:download`]],
  ['a kept file', (id) => ['GET', `/media/${id}`]],
  ['a model', (id) => ['GET', `/v1/models/${id}`]],
  ['a region', (id) => ['POST', `/v1/projects/p/locations/${id}/publishers/google/models/gem/up:generateContent`, { contents: [] }]],
  ['the response before', (id) => ['POST', '/v1/responses', { model: 'res/up', input: 'a', previous_response_id: id }]],
  ['the conversation of a response', (id) => ['POST', '/v1/responses', { model: 'res/up', input: 'a', conversation: id }]],
  ['an operation to fetch', (id) => ['POST', '/v1beta/models/gem/up:fetchPredictOperation', { operationName: id }]],
  ['a video to extend', (id) => ['POST', '/v1/videos/extensions', { model: 'maker/sora-2', prompt: 'a', video: { id } }]],
];

describe('ids', () => {
  it.each(IDS)('of %s lead nowhere, whatever stands in them', async (_name, ask) => {
    for (const [, text] of EVIL) {
      const [method, path, body] = ask(text);
      const target = path.replaceAll(/[\s\0\u0080-\uffff]/g, (char) => encodeURIComponent(char.isWellFormed() ? char : '\ufffd'));
      const status = await send(method, target, JSON_TYPE, Buffer.from(body === undefined ? '' : JSON.stringify(body)));
      expect(status, target).toBeGreaterThanOrEqual(200);
      expect(status, target).toBeLessThan(500);
      expectRight(new Set(['/v1/models', '/v1beta/models', '/models', '/v1/chat/completions', '/v1/responses', '/v1/videos']));
      upstream.tries.length = 0;
    }
  });
});
