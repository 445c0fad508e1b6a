import { createServer, getCACertificates, setDefaultCACertificates, type TlsOptions, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { createH1Send } from '../../src/upstream/h1-send.ts';
import { type Certificate, makeCertificate } from '../fakes/certificate.ts';
import { ask, exchange, OK_ANSWER, onRequest, portOf, requestTo, startRaw } from './wire.ts';

const trusted = getCACertificates('default');
const localhost = makeCertificate(['localhost']);
const after: (() => unknown)[] = [];
afterEach(async () => {
  setDefaultCACertificates(trusted);
  for (const undo of after.splice(0)) await undo();
});

interface TlsServer {
  readonly port: number;
  readonly sockets: TLSSocket[];
  readonly requests: string[];
}

/** A server behind a certificate. */
async function startTls({ cert, key }: Certificate, answer = OK_ANSWER, options: TlsOptions = {}): Promise<TlsServer> {
  const [sockets, requests]: [TLSSocket[], string[]] = [[], []];
  const server = createServer({ cert, key, ALPNProtocols: ['h2', 'http/1.1'], ...options }, (socket) => {
    socket.on('error', () => {});
    sockets.push(socket);
    onRequest(socket, (request) => {
      requests.push(request);
      socket.write(answer);
    });
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, resolve));
  after.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: portOf(server), sockets, requests };
}

const start = (): ReturnType<typeof createH1Send> => {
  const h1 = createH1Send();
  after.push(() => h1.close());
  return h1;
};

describe('a client over TLS', () => {
  it('speaks to who is trusted: by name, in HTTP/1.1, again on the same connection, with the session of the last one', async () => {
    setDefaultCACertificates([localhost.cert]);
    const server = await startTls(localhost);
    const { send } = start();
    const origin = `https://localhost:${server.port}`;
    for (let i = 0; i < 3; i++) expect(await ask(send, origin)).toMatchObject({ status: 200, body: 'ok' });
    expect(server.sockets.map(({ alpnProtocol, servername }) => ({ alpnProtocol, servername }))).toEqual([
      { alpnProtocol: 'http/1.1', servername: 'localhost' },
    ]);
    server.sockets[0]?.destroy();
    await expect.poll(async () => ((await ask(send, origin)).body, server.sockets.length)).toBeGreaterThan(1);
    expect(server.sockets.at(-1)?.isSessionReused()).toBe(true);
  });

  it('an answer of megabytes comes whole, with waiting in between', async () => {
    setDefaultCACertificates([localhost.cert]);
    const size = 8_000_000;
    const server = await startTls(localhost, `HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n${'x'.repeat(size)}`);
    const { send } = start();
    let [received, waits] = [0, 0];
    const over = await new Promise<unknown>((resolve) => {
      const call = send(requestTo(`https://localhost:${server.port}`), {
        head: () => {},
        body(bytes) {
          received += bytes.length;
          if (received < 200_000 * (waits + 1)) return true;
          waits++;
          setImmediate(() => call.resume());
          return false;
        },
        end: () => resolve('end'),
        fail: resolve,
      });
    });
    expect([over, received]).toEqual(['end', size]);
    expect(waits).toBeGreaterThan(10);
  });

  it.each([
    { name: 'nobody vouches for', cert: localhost, trust: [], host: 'localhost' },
    { name: 'belongs to another host', cert: makeCertificate(['example.com']), host: 'localhost' },
    { name: 'belongs to a name, of an address', cert: localhost, host: '127.0.0.1' },
    { name: 'has expired', cert: makeCertificate(['localhost'], [-3, -2]), host: 'localhost' },
    { name: 'is not yet valid', cert: makeCertificate(['localhost'], [2, 3]), host: 'localhost' },
  ])('a certificate that $name gets no byte of the request', async ({ cert, trust, host }) => {
    setDefaultCACertificates(trust ?? [cert.cert]);
    const server = await startTls(cert);
    const { fault } = await ask(start().send, `https://${host}:${server.port}`, { headers: { authorization: 'Bearer secret' } });
    expect(fault?.code).toBe('upstream_tls');
    expect(server.requests).toEqual([]);
  });

  it('an upstream that speaks no TLS is not trusted', async () => {
    const plain = await startRaw((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    after.push(() => plain.close());
    expect((await ask(start().send, plain.origin.replace('http', 'https'))).fault?.code).toBe('upstream_tls');
  });

  it('a connection that is cut in mid-answer is told, and who hangs up is heard', async () => {
    setDefaultCACertificates([localhost.cert]);
    const server = await startTls(localhost, OK_ANSWER.slice(0, -1));
    const { send } = start();
    const origin = `https://localhost:${server.port}`;
    const cut = exchange(send, requestTo(origin));
    await expect.poll(() => cut.soFar.body).toBe('o');
    server.sockets[0]?.destroy();
    expect((await cut.got).fault?.code).toBe('upstream_cut');
    const left = exchange(send, requestTo(origin));
    await expect.poll(() => left.soFar.body).toBe('o');
    left.call.abort();
    await expect.poll(() => server.sockets[1]?.destroyed).toBe(true);
  });
});
