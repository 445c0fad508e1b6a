import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createNetworkSend } from '../../src/upstream/choose-send.ts';
import { createProxyOf } from '../../src/upstream/proxy-of.ts';
import { makeCertificate } from '../fakes/certificate.ts';
import { ask, OK_ANSWER, onRequest, portOf, requestTo, startRaw } from './wire.ts';

const trusted = getCACertificates('default');
const after: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of after.splice(0).toReversed()) await undo();
});

describe('the proxy for an origin', () => {
  const P = 'http://proxy:3128';
  const BOTH = { HTTP_PROXY: 'http://plain:1', HTTPS_PROXY: P };
  it.each([
    { name: 'none without a word', env: {}, origin: 'https://api.example.com', proxy: undefined },
    { name: 'by scheme: https', env: BOTH, origin: 'https://api.example.com', proxy: P },
    { name: 'by scheme: http', env: BOTH, origin: 'http://api.example.com', proxy: 'http://plain:1' },
    { name: 'none for http where only https has one', env: { HTTPS_PROXY: P }, origin: 'http://a.example', proxy: undefined },
    { name: 'small letters first', env: { https_proxy: P, HTTPS_PROXY: 'http://other' }, origin: 'https://a.example', proxy: P },
    { name: 'an empty word is none', env: { HTTPS_PROXY: ' ' }, origin: 'https://a.example', proxy: undefined },
    { name: 'never this machine', env: BOTH, origin: 'http://localhost:11434', proxy: undefined },
    { name: 'never 127.x', env: BOTH, origin: 'http://127.0.0.2:8000', proxy: undefined },
    { name: 'never ::1', env: BOTH, origin: 'http://[::1]:8000', proxy: undefined },
    { name: 'a host that only looks so', env: BOTH, origin: 'https://localhost.example', proxy: P },
    { name: 'an exception', env: { ...BOTH, NO_PROXY: 'a.example, b.example' }, origin: 'https://b.example', proxy: undefined },
    { name: 'and what is below it', env: { ...BOTH, no_proxy: 'example.com' }, origin: 'https://api.example.com', proxy: undefined },
    { name: 'with a dot before it', env: { ...BOTH, no_proxy: '.example.com' }, origin: 'https://api.example.com', proxy: undefined },
    { name: 'with a star before it', env: { ...BOTH, no_proxy: '*.example.com' }, origin: 'https://api.example.com', proxy: undefined },
    { name: 'not what ends alike', env: { ...BOTH, no_proxy: 'example.com' }, origin: 'https://badexample.com', proxy: P },
    { name: 'in capitals', env: { ...BOTH, NO_PROXY: 'API.Example.COM' }, origin: 'https://api.example.com', proxy: undefined },
    { name: 'with its port', env: { ...BOTH, NO_PROXY: 'a.example:443' }, origin: 'https://a.example', proxy: undefined },
    { name: 'not with another port', env: { ...BOTH, NO_PROXY: 'a.example:8443' }, origin: 'https://a.example', proxy: P },
    { name: 'everything', env: { ...BOTH, NO_PROXY: '*' }, origin: 'https://a.example', proxy: undefined },
    { name: 'a network', env: { ...BOTH, NO_PROXY: '10.0.0.0/8' }, origin: 'http://10.1.2.3:8000', proxy: undefined },
    { name: 'outside of it', env: { ...BOTH, NO_PROXY: '10.0.0.0/8' }, origin: 'https://11.1.2.3', proxy: P },
    { name: 'a network of IPv6', env: { ...BOTH, NO_PROXY: 'fd00::/8' }, origin: 'https://[fd00::1]', proxy: undefined },
    { name: 'an address', env: { ...BOTH, NO_PROXY: '192.168.0.7' }, origin: 'https://192.168.0.7', proxy: undefined },
    { name: 'an address of IPv6', env: { ...BOTH, NO_PROXY: '2001:db8::1' }, origin: 'https://[2001:db8::1]', proxy: undefined },
    { name: 'a network that is none', env: { ...BOTH, NO_PROXY: '10.0.0.0/99, x/8' }, origin: 'https://10.0.0.1', proxy: P },
  ])('$name', ({ env, origin, proxy }) => {
    expect(createProxyOf(env)(origin)).toBe(proxy);
  });
});

describe('the way out', () => {
  it('leads through the proxy that the environment names, past it where it says so', async () => {
    const upstream = await startRaw((socket) => onRequest(socket, () => void socket.write(OK_ANSWER)));
    const seen: string[] = [];
    const proxy = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.end('by proxy');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const network = createNetworkSend({ http_proxy: `http://127.0.0.1:${portOf(proxy)}`, no_proxy: 'outside.invalid' });
    after.push(
      () => upstream.close(),
      () => new Promise((resolve) => (proxy.closeAllConnections(), proxy.close(resolve))),
      () => network.close(),
    );

    for (let i = 0; i < 2; i++) {
      expect(await ask(network.send, 'http://provider.invalid')).toMatchObject({ status: 200, body: 'by proxy' });
    }
    expect(seen).toEqual(['POST http://provider.invalid/v1/x', 'POST http://provider.invalid/v1/x']);
    // This machine is reached without it; what it does not resolve is not asked of it.
    expect(await ask(network.send, upstream.origin)).toMatchObject({ body: 'ok' });
    expect((await ask(network.send, 'http://outside.invalid')).fault?.code).toBe('upstream_unresolved');
    expect(seen).toHaveLength(2);
  });

  it('has a bounded number of pools: one that gives way for another ends first what runs on it', async () => {
    let slow: ServerResponse | undefined;
    const proxy = createServer((request, response) => {
      if (request.url?.includes('slow') !== true) return void response.end('by proxy');
      response.write('first ');
      slow = response;
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const network = createNetworkSend({ http_proxy: `http://127.0.0.1:${portOf(proxy)}` });
    after.push(
      () => new Promise((resolve) => (proxy.closeAllConnections(), proxy.close(resolve))),
      () => network.close(),
    );
    const first = ask(network.send, 'http://slow.invalid');
    await vi.waitUntil(() => slow);
    let most = 0;
    proxy.on('connection', () => void proxy.getConnections((_, many) => (most = Math.max(most, many))));
    for (let i = 0; i < 300; i++) expect(await ask(network.send, `http://p${i}.invalid`)).toMatchObject({ body: 'by proxy' });
    slow?.end('last');
    expect(await first).toMatchObject({ status: 200, body: 'first last' });
    expect(most).toBeLessThanOrEqual(260);
  });

  it('leads through a tunnel where it is to be secret', async () => {
    const certificate = makeCertificate(['provider.invalid']);
    setDefaultCACertificates([certificate.cert]);
    const upstream = createTlsServer(certificate, (socket) =>
      onRequest(
        socket.on('error', () => {}),
        () => void socket.write(OK_ANSWER),
      ),
    );
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const seen: string[] = [];
    const proxy = createServer().on('connect', (request, client) => {
      seen.push(`${request.url} ${request.headers['proxy-authorization']}`);
      const onward = connect(portOf(upstream), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        onward.pipe(client).pipe(onward);
      });
      for (const one of [client, onward]) one.on('error', () => {});
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const network = createNetworkSend({ HTTPS_PROXY: `http://me:secret@127.0.0.1:${portOf(proxy)}` });
    after.push(
      () => new Promise((resolve) => upstream.close(resolve)),
      () => new Promise((resolve) => (proxy.closeAllConnections(), proxy.close(resolve))),
      () => network.close(),
      () => setDefaultCACertificates(trusted),
    );
    for (let i = 0; i < 2; i++) expect(await ask(network.send, 'https://provider.invalid')).toMatchObject({ status: 200, body: 'ok' });
    expect([...new Set(seen)]).toEqual([`provider.invalid:443 Basic ${Buffer.from('me:secret').toString('base64')}`]);
  });

  it('to nowhere is refused', async () => {
    const network = createNetworkSend();
    after.push(() => network.close());
    await network.warm();
    expect((await ask(network.send, 'nowhere')).fault?.code).toBe('upstream_request_invalid');
  });

  it.each(['not a url', 'http://127.0.0.1:1'])('through a proxy that is not there (%s) is a fault', async (proxy) => {
    const network = createNetworkSend({ https_proxy: proxy });
    after.push(() => network.close());
    expect((await ask(network.send, 'https://provider.invalid')).fault).toMatchObject({ by: 'gateway' });
  });

  it('reads more at once where there is more to do than can be done', async () => {
    const KIB = 1024;
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n';
    const upstream = await startRaw((socket) =>
      onRequest(socket, () => void socket.end(Buffer.concat([Buffer.from(head), Buffer.alloc(4 * KIB * KIB)]))),
    );
    const network = createNetworkSend();
    after.push(
      () => upstream.close(),
      () => network.close(),
    );
    const largest = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const pieces: number[] = [];
        network.send(requestTo(upstream.origin), {
          head() {},
          body: (bytes) => pieces.push(bytes.length) > 0,
          // The first read of an answer is a large one at all times.
          end: () => resolve(Math.max(...pieces.slice(1))),
          fail: reject,
        });
      });
    expect(await largest()).toBe(16 * KIB);
    network.crowd(true);
    expect(await largest()).toBe(32 * KIB);
    network.crowd(false);
    expect(await largest()).toBe(16 * KIB);
  });
});
