import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FAMILIES, providersAt } from '../fakes/fault-families.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { EVIL_NAMES, ID_PATHS, ID_PLACES, inTarget, isChat, wentRight, withModel } from './evil-names.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { connect } from 'node:net';

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
function expectRight(paths: readonly string[]): void {
  for (const { path } of upstream.tries) expect([path, wentRight(path, paths)]).toEqual([path, true]);
}

/** Where each endpoint's calls go when they are as they should be. */
async function usualPath(family: (typeof FAMILIES)[number]): Promise<string> {
  const { path, type, body } = family.ask('x');
  await send('POST', path, type, body);
  const usual = upstream.tries[0]?.path ?? '';
  upstream.tries.length = 0;
  // Some paths hold the model: all of it up to that.
  return /^.*?\/models?\//.exec(usual)?.[0] ?? usual;
}

describe.each(FAMILIES)('$name', (family) => {
  it.each(EVIL_NAMES)('a model with %s leads nowhere else', async (_name, text) => {
    const usual = await usualPath(family);
    expect(usual).not.toBe('');
    const { path, type, body } = withModel(family, text);
    const status = await send('POST', path, type, body);
    expect(status).toBeGreaterThanOrEqual(200);
    // What the upstream answered is no answer: 502. Never a fault of ours.
    expect([500, 503]).not.toContain(status);
    // What is only odd goes on, escaped where it must be: the test would see nothing otherwise.
    if (text === 'up@evil.example' && isChat(family)) expect(upstream.tries.length).toBeGreaterThan(0);
    expectRight([usual]);
    for (const { body: sent } of upstream.tries) expect(sent).not.toContain('\r\nx-evil: 1\r\n\r\n');
  });

  it.each(EVIL_NAMES)('a platform with %s leads nowhere', async (_name, text) => {
    const { path, type, body } = family.ask('x');
    const platform = inTarget(text);
    const status = await send('POST', `/${platform}${path}`, type, body);
    expect([400, 401, 403, 404, 405]).toContain(status);
    expect(upstream.tries).toEqual([]);
  });
});

const JSON_TYPE = 'application/json';

describe('ids', () => {
  it.each(ID_PLACES)('of %s lead nowhere, whatever stands in them', async (_name, ask) => {
    for (const [, text] of EVIL_NAMES) {
      const [method, path, body] = ask(text);
      const target = inTarget(path);
      const status = await send(method, target, JSON_TYPE, Buffer.from(body === undefined ? '' : JSON.stringify(body)));
      expect(status, target).toBeGreaterThanOrEqual(200);
      expect(status, target).toBeLessThan(500);
      expectRight(ID_PATHS);
      upstream.tries.length = 0;
    }
  });
});
