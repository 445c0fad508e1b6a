import { spawn } from 'node:child_process';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createH1Send } from '../../src/upstream/h1-send.ts';
import { ask, exchange, OK_ANSWER, onRequest, portOf, type RawServer, requestTo, startRaw } from './wire.ts';

let h1: ReturnType<typeof createH1Send>;
let server: RawServer;
beforeEach(() => {
  h1 = createH1Send();
});
afterEach(async () => {
  h1.close();
  await server.close();
});

const serve = async (handle: (socket: Socket, number: number) => void): Promise<string> => {
  server = await startRaw(handle);
  return server.origin;
};
/** Answers every request with the same bytes. */
const always = (answer: string | Buffer) => (socket: Socket) => onRequest(socket, () => void socket.write(answer));
/** The other side has hung up. */
const closed = (socket: Socket | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (socket === undefined || socket.closed || socket.readableEnded) return resolve();
    for (const event of ['end', 'close']) socket.on(event, () => resolve());
    socket.resume();
  });
const turns = async (count = 20): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** Does something after so many milliseconds, by the clock that connections are kept by. */
async function later(ms: number, work: () => Promise<void>): Promise<void> {
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + ms);
  try {
    await work();
  } finally {
    clock.mockRestore();
  }
}

describe('a request', () => {
  const sent = async (more: Parameters<typeof requestTo>[1]): Promise<string> => {
    let seen = '';
    const origin = await serve((socket) => onRequest(socket, (text) => ((seen = text), void socket.write(OK_ANSWER))));
    expect(await ask(h1.send, origin, more)).toMatchObject({ status: 200, body: 'ok' });
    return seen.replace(origin.slice('http://'.length), 'HOST');
  };

  it('says its fields in the order and the letters given, and nothing of its own but host and length', async () => {
    const headers = { 'x-z': '1', Authorization: 'Bearer x', 'x-a': '\u00e9 \t2', accept: '*/*' };
    expect(await sent({ headers, body: [Buffer.from('ab'), Buffer.alloc(0), Buffer.from('c')] })).toBe(
      'POST /v1/x HTTP/1.1\r\nhost: HOST\r\nx-z: 1\r\nAuthorization: Bearer x\r\nx-a: \u00e9 \t2\r\naccept: */*\r\ncontent-length: 3\r\n\r\nabc',
    );
  });

  it.each([
    {
      name: 'POST without a body',
      more: { body: [], headers: {} },
      wire: 'POST /v1/x HTTP/1.1\r\nhost: HOST\r\ncontent-length: 0\r\n\r\n',
    },
    { name: 'GET', more: { method: 'GET', body: [], headers: {}, path: '/a?b=%20' }, wire: 'GET /a?b=%20 HTTP/1.1\r\nhost: HOST\r\n\r\n' },
    {
      name: 'a host of its own',
      more: { method: 'GET', body: [], headers: { host: 'x.y' } },
      wire: 'GET /v1/x HTTP/1.1\r\nhost: x.y\r\n\r\n',
    },
    {
      name: 'fields that only a connection can say',
      more: {
        method: 'GET',
        body: [],
        headers: { Expect: '100-continue', connection: 'close', te: 'trailers', 'Transfer-Encoding': 'chunked', a: 'b' },
      },
      wire: 'GET /v1/x HTTP/1.1\r\nhost: HOST\r\na: b\r\n\r\n',
    },
  ])('$name', async ({ more, wire }) => {
    expect(await sent(more)).toBe(wire);
  });

  it.each([
    { name: 'CR LF in a value', more: { headers: { a: 'b\r\nc: d' } } },
    { name: 'LF in a value', more: { headers: { a: 'b\nc' } } },
    { name: 'NUL in a value', more: { headers: { a: '\0' } } },
    { name: 'a character that is no byte', more: { headers: { a: '\u724c' } } },
    { name: 'a name with a colon', more: { headers: { 'a: b\r\nc': 'd' } } },
    { name: 'an empty name', more: { headers: { '': 'd' } } },
    { name: 'LF in the host', more: { headers: { host: 'a\nb' } } },
    { name: 'a space in the path', more: { path: '/a b' } },
    { name: 'CR LF in the path', more: { path: '/a\r\nb: c' } },
    { name: 'a path that is a URL', more: { path: 'http://other/' } },
    { name: 'a method with a space', more: { method: 'GET /x' } },
    { name: 'no origin', more: { origin: 'nowhere' } },
  ])('is refused with $name', async ({ more }) => {
    const origin = await serve(always(OK_ANSWER));
    const { fault } = await ask(h1.send, origin, more);
    expect(fault).toMatchObject({ kind: 'internal', code: 'upstream_request_invalid' });
    expect(server.sockets).toHaveLength(0);
  });

  it.each([100, 16 * 1024, 1_000_000, 4_000_000])('of %i bytes arrives whole, in pieces or in one', async (size) => {
    const whole = Buffer.alloc(size, '0123456789');
    for (const body of [[whole], [whole.subarray(0, 7), whole.subarray(7, 50), whole.subarray(50)]]) {
      let wire = '';
      const origin = await serve((socket) => onRequest(socket, (text) => ((wire = text), void socket.write(OK_ANSWER))));
      expect(await ask(h1.send, origin, { body })).toMatchObject({ status: 200 });
      expect(wire.slice(wire.indexOf('\r\n\r\n') + 4) === whole.toString()).toBe(true);
      if (body.length === 1) await server.close();
    }
  });
});

describe('a body that comes in pieces', () => {
  async function* pieces(...list: readonly string[]): AsyncGenerator<Buffer> {
    for (const piece of list) {
      await turns(2);
      yield Buffer.from(piece);
    }
  }
  const bodyOf = async (stream: { bytes: AsyncIterable<Buffer>; length?: number }, last: string): Promise<string> => {
    let wire = '';
    const origin = await serve((socket) =>
      socket.on('data', (bytes) => {
        wire += bytes.toString('latin1');
        if (wire.endsWith(last)) socket.write(OK_ANSWER);
      }),
    );
    expect(await ask(h1.send, origin, { body: [], headers: {}, stream })).toMatchObject({ status: 200 });
    return wire.slice(wire.indexOf('content-type') + 1).replace(/^.*\r\nhost: [^\r]*\r\n/s, '');
  };

  it('goes out with its length', async () => {
    expect(await bodyOf({ bytes: pieces('ab', '', 'cde'), length: 5 }, 'cde')).toBe('content-length: 5\r\n\r\nabcde');
  });

  it('goes out in chunks without one', async () => {
    expect(await bodyOf({ bytes: pieces('ab', '', '0123456789abcdef') }, '0\r\n\r\n')).toBe(
      'transfer-encoding: chunked\r\n\r\n2\r\nab\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n',
    );
  });

  it.each([
    { name: 'more than was said', bytes: () => pieces('abc', 'def'), length: 5 },
    { name: 'less than was said', bytes: () => pieces('abc'), length: 5 },
  ])('with $name is not finished', async ({ bytes, length }) => {
    const origin = await serve((socket) => socket.resume());
    expect((await ask(h1.send, origin, { body: [], stream: { bytes: bytes(), length } })).fault?.code).toBe('upstream_request_invalid');
    await closed(server.sockets[0]);
  });

  it('that breaks ends the request', async () => {
    async function* breaks(): AsyncGenerator<Buffer> {
      yield Buffer.from('a');
      throw new Error('gone');
    }
    const origin = await serve((socket) => socket.resume());
    expect((await ask(h1.send, origin, { body: [], stream: { bytes: breaks() } })).fault?.code).toBe('upstream_request_invalid');
    await closed(server.sockets[0]);
  });

  it('is read no faster than the upstream takes it', async () => {
    let pulled = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        pulled += 65_536;
        yield Buffer.alloc(65_536);
      }
    }
    const origin = await serve((socket) => socket.pause());
    const { call } = exchange(h1.send, requestTo(origin, { body: [], stream: { bytes: endless() } }));
    await expect.poll(() => server.sockets.length).toBe(1);
    let before = -1;
    await expect.poll(() => before === (before = pulled), { interval: 50 }).toBe(true);
    expect(pulled).toBeLessThan(16 * 1024 * 1024);
    call.abort();
    await closed(server.sockets[0]);
  });

  it('is not read on when the upstream refuses early, and the refusal arrives', async () => {
    let stopped = false;
    async function* endless(): AsyncGenerator<Buffer> {
      try {
        for (;;) yield Buffer.alloc(65_536);
      } finally {
        stopped = true;
      }
    }
    const refusal = 'HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig';
    const origin = await serve((socket) =>
      socket.once('data', () => socket.write(refusal.slice(0, -3), () => setImmediate(() => socket.end('big')))).resume(),
    );
    expect(await ask(h1.send, origin, { body: [], stream: { bytes: endless() } })).toMatchObject({ status: 413, body: 'big' });
    await expect.poll(() => stopped).toBe(true);
    await closed(server.sockets[0]);
  });

  it('of megabytes that is held and refused early: the refusal arrives', async () => {
    const origin = await serve((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig')).resume(),
    );
    expect(await ask(h1.send, origin, { body: [Buffer.alloc(30_000_000)] })).toMatchObject({ status: 413, body: 'big' });
    await closed(server.sockets[0]);
  });

  it.each([
    ['goes out on a connection that was just used', 0, 1],
    ['never goes out on a connection that may be stale: it could not be sent again', 1500, 2],
  ])('%s', async (_name, agoMs, sockets) => {
    const origin = await serve((socket) => socket.on('data', () => socket.write(OK_ANSWER)));
    await ask(h1.send, origin);
    await later(agoMs, async () =>
      expect(await ask(h1.send, origin, { body: [], stream: { bytes: pieces('x'), length: 1 } })).toMatchObject({ status: 200 }),
    );
    expect(server.sockets).toHaveLength(sockets);
  });
});

describe('a connection', () => {
  it('serves one request after another, never two at once', async () => {
    const open: number[] = [];
    const origin = await serve((socket, number) => {
      open[number] = 0;
      onRequest(socket, () => {
        expect(open[number]).toBe(0);
        open[number] = 1;
        setImmediate(() => {
          open[number] = 0;
          socket.write(OK_ANSWER);
        });
      });
    });
    for (let i = 0; i < 5; i++) expect(await ask(h1.send, origin)).toMatchObject({ body: 'ok' });
    expect(server.sockets).toHaveLength(1);
    await Promise.all([ask(h1.send, origin), ask(h1.send, origin)]);
    expect(server.sockets).toHaveLength(2);
  });

  it.each([
    { name: 'close', answer: 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok' },
    { name: 'a body until it closes', answer: 'HTTP/1.1 200 OK\r\n\r\nok' },
    { name: 'more than an answer', answer: `${OK_ANSWER}${OK_ANSWER}` },
  ])('is not used again after $name', async ({ answer }) => {
    const origin = await serve((socket) =>
      onRequest(socket, () => void (answer.includes('length') ? socket.write(answer) : socket.end(answer))),
    );
    for (let i = 0; i < 3; i++) expect(await ask(h1.send, origin)).toMatchObject({ body: 'ok' });
    expect(server.sockets).toHaveLength(3);
    await Promise.all(server.sockets.map(closed));
  });

  it('that is said something while it is idle is not trusted again', async () => {
    const origin = await serve(always(OK_ANSWER));
    await ask(h1.send, origin);
    server.sockets[0]?.write(OK_ANSWER.replace('ok', 'no'));
    await closed(server.sockets[0]);
    expect(await ask(h1.send, origin)).toMatchObject({ body: 'ok' });
  });

  it.each([
    { name: 'in order', shut: (socket: Socket) => void socket.end() },
    { name: 'hard', shut: (socket: Socket) => void socket.resetAndDestroy() },
  ])('that closes $name just as it is used again costs nobody an answer', async ({ shut }) => {
    const origin = await serve((socket) =>
      onRequest(socket, (_, number) => {
        if (number > 0) return shut(socket);
        socket.write(OK_ANSWER);
      }),
    );
    for (let i = 0; i < 50; i++) expect(await ask(h1.send, origin)).toMatchObject({ status: 200, body: 'ok' });
  });

  it('whose close is on its way costs nobody an answer', async () => {
    const origin = await serve((socket) => onRequest(socket, () => void socket.end(OK_ANSWER)));
    for (let i = 0; i < 200; i++) expect(await ask(h1.send, origin)).toMatchObject({ status: 200, body: 'ok' });
  });

  it.each([
    { name: 'that is new', before: 0, answer: '', requests: 1 },
    { name: 'that had begun to answer', before: 1, answer: 'H', requests: 2 },
  ])('$name and is lost is not tried again', async ({ before, answer, requests }) => {
    let seen = 0;
    const origin = await serve((socket) =>
      onRequest(socket, () => {
        if (seen++ < before) socket.write(OK_ANSWER);
        else socket.end(answer);
      }),
    );
    for (let i = 0; i < before; i++) await ask(h1.send, origin);
    expect((await ask(h1.send, origin)).fault?.code).toBe('upstream_closed');
    expect(seen).toBe(requests);
  });

  it('that is lost later than a close on its way can be is not tried again: the upstream may have been at work', async () => {
    let seen = 0;
    const origin = await serve((socket) =>
      onRequest(socket, () => {
        if (seen++ === 0) socket.write(OK_ANSWER);
        else setTimeout(() => socket.end(), 400);
      }),
    );
    await ask(h1.send, origin);
    expect((await ask(h1.send, origin)).fault?.code).toBe('upstream_closed');
    expect(seen).toBe(2);
  });

  it('is tried again once', async () => {
    let seen = 0;
    const origin = await serve((socket) =>
      onRequest(socket, () => {
        if (seen++ === 0) socket.write(OK_ANSWER);
        else socket.end();
      }),
    );
    await ask(h1.send, origin);
    expect((await ask(h1.send, origin)).fault?.code).toBe('upstream_closed');
    expect(seen).toBe(3);
  });

  it.each([
    ['that was just used gets what must not arrive twice, and it is not sent again', 0, 1],
    ['that may be stale never gets what must not arrive twice', 1500, 2],
  ])('%s', async (_name, agoMs, sockets) => {
    let seen = 0;
    const origin = await serve((socket) => onRequest(socket, () => void (seen++ === 0 ? socket.write(OK_ANSWER) : socket.end())));
    await ask(h1.send, origin);
    await later(agoMs, async () => expect((await ask(h1.send, origin, { isOnce: true })).fault?.code).toBe('upstream_closed'));
    expect([seen, server.sockets.length]).toEqual([2, sockets]);
  });

  it('is let go before the upstream does, as it says', async () => {
    const origin = await serve(always(OK_ANSWER.replace('\r\n\r\n', '\r\nkeep-alive: timeout=2\r\n\r\n')));
    await ask(h1.send, origin);
    const since = performance.now();
    await closed(server.sockets[0]);
    expect(performance.now() - since).toBeGreaterThan(900);
  });

  it('whose writing side the upstream closes after its answer is given up, not used again', async () => {
    const origin = await serve((socket) => onRequest(socket, () => void socket.end(OK_ANSWER)));
    await ask(h1.send, origin);
    await closed(server.sockets[0]);
  });
});

describe('an end before the answer', () => {
  const waits = { connect: 20_000, headers: 20_000, idle: 20_000 };
  it.each([
    { name: 'no connection', to: 'http://127.0.0.1:1', code: 'upstream_unreachable' },
    { name: 'no such host', to: 'http://nowhere.invalid', code: 'upstream_unresolved' },
  ])('$name', async ({ to, code }) => {
    await serve(() => {});
    expect((await ask(h1.send, to)).fault?.code).toBe(code);
  });

  it.each([
    {
      name: 'a connection that does not come about',
      scheme: 'https',
      answer: '',
      timeouts: { ...waits, connect: 80 },
      code: 'upstream_connect_timeout',
    },
    { name: 'silence', scheme: 'http', answer: '', timeouts: { ...waits, headers: 80 }, code: 'upstream_headers_timeout' },
    {
      name: 'announcements and silence',
      scheme: 'http',
      answer: 'HTTP/1.1 103 x\r\n\r\n',
      timeouts: { ...waits, headers: 80 },
      code: 'upstream_headers_timeout',
    },
    {
      name: 'half a head',
      scheme: 'http',
      answer: 'HTTP/1.1 200 OK\r\na',
      timeouts: { ...waits, headers: 80 },
      code: 'upstream_headers_timeout',
    },
    {
      name: 'a head and silence',
      scheme: 'http',
      answer: OK_ANSWER.slice(0, -1),
      timeouts: { ...waits, idle: 80 },
      code: 'upstream_idle_timeout',
    },
  ])('$name', async ({ scheme, answer, timeouts, code }) => {
    const origin = await serve((socket) => void socket.resume().write(answer));
    expect((await ask(h1.send, origin.replace('http', scheme), { timeouts })).fault).toMatchObject({ kind: 'timeout', code });
    await closed(server.sockets[0]);
  });

  it('a stream that goes on is not idle, however long it takes', async () => {
    const origin = await serve((socket) =>
      onRequest(socket, () => {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
        let left = 12;
        const timer = setInterval(() => {
          socket.write(--left === 0 ? '0\r\n\r\n' : '1\r\nx\r\n');
          if (left === 0) clearInterval(timer);
        }, 50);
      }),
    );
    expect(await ask(h1.send, origin, { timeouts: { ...waits, idle: 400 } })).toMatchObject({ body: 'x'.repeat(11) });
  });
});

describe('a reader that waits', () => {
  const FLOOD = 64 * 1024 * 1024;
  it('keeps the upstream waiting, is not timed out, and gets everything when it goes on', async () => {
    let written = 0;
    const piece = Buffer.alloc(64 * 1024, 'x');
    const origin = await serve((socket) =>
      onRequest(socket, () => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${FLOOD}\r\n\r\n`);
        const more = (): void => {
          while (written < FLOOD) {
            written += piece.length;
            if (!socket.write(piece)) return void socket.once('drain', more);
          }
        };
        more();
      }),
    );
    let received = 0;
    let goes = false;
    const over = new Promise<unknown>((resolve) => {
      const call = h1.send(requestTo(origin, { timeouts: { connect: 20_000, headers: 20_000, idle: 150 } }), {
        head: () => {},
        body(bytes) {
          received += bytes.length;
          return goes;
        },
        end: () => resolve('end'),
        fail: resolve,
      });
      void (async () => {
        let before = -1;
        await expect.poll(() => received > 0 && before === (before = written), { interval: 200, timeout: 10_000 }).toBe(true);
        expect(received).toBeLessThanOrEqual(64 * 1024);
        expect(written).toBeLessThan(20_000_000);
        // A step at a time.
        call.resume();
        await expect.poll(() => received, { timeout: 10_000 }).toBeGreaterThan(64 * 1024);
        expect(received).toBeLessThanOrEqual(128 * 1024);
        goes = true;
        call.resume();
        call.resume();
      })().catch(resolve);
    });
    expect(await over).toBe('end');
    expect(received).toBe(FLOOD);
  });
});

describe('who hangs up', () => {
  it.each([
    { name: 'at once', answer: '', when: () => true },
    {
      name: 'before the head',
      answer: 'HTTP/1.1 200 OK\r\n',
      when: () => server.sockets.length === 1 && server.sockets[0]?.bytesRead !== 0,
    },
    { name: 'in the body', answer: OK_ANSWER.slice(0, -1), when: (body: string) => body === 'o' },
  ])('$name hears nothing more, and the upstream is told', async ({ answer, when }) => {
    const origin = await serve(always(answer));
    const { call, got, soFar } = exchange(h1.send, requestTo(origin));
    let told = false;
    void got.then(() => (told = true));
    await expect.poll(() => when(soFar.body), { interval: 1 }).toBe(true);
    call.abort();
    call.abort();
    call.resume();
    await Promise.all(server.sockets.map(closed));
    await turns();
    expect(told).toBe(false);
    expect(await ask(h1.send, origin, { timeouts: { connect: 1000, headers: 100, idle: 100 } })).toHaveProperty('fault');
  });

  it.each(['head', 'body'] as const)('from within its %s hears nothing more', async (when) => {
    const origin = await serve(always('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n'));
    const heard: string[] = [];
    const hear = (what: string) => (): boolean => {
      heard.push(what);
      if (what === when) call.abort();
      return true;
    };
    const call = h1.send(requestTo(origin), { head: hear('head'), body: hear('body'), end: hear('end'), fail: hear('fail') });
    await expect.poll(() => heard.at(-1)).toBe(when);
    await closed(server.sockets[0]);
    await turns();
    expect(heard).toEqual(when === 'head' ? ['head'] : ['head', 'body']);
  });

  it('hears no fault of a request that was refused', async () => {
    const origin = await serve(always(OK_ANSWER));
    const { call, got } = exchange(h1.send, requestTo(origin, { path: 'x' }));
    call.abort();
    let told = false;
    void got.then(() => (told = true));
    await turns();
    expect(told).toBe(false);
  });
});

describe('many', () => {
  const answer: RequestListener = (request, response) => {
    let bytes = 0;
    request.on('data', (piece: Buffer) => (bytes += piece.length));
    request.on('end', () => {
      response.write(`${request.url} `);
      setImmediate(() => response.end(String(bytes)));
    });
  };

  it('requests at once to a real server each get their own answer', async () => {
    server = await startRaw(() => {});
    const real = createHttpServer(answer);
    await new Promise<void>((resolve) => real.listen(0, '127.0.0.1', 512, resolve));
    const origin = `http://127.0.0.1:${portOf(real)}`;
    for (let round = 0; round < 3; round++) {
      const got = await Promise.all(
        Array.from({ length: 1000 }, (_, i) => ask(h1.send, origin, { path: `/${i}`, body: [Buffer.alloc(i * 10)] })),
      );
      expect(got.map(({ status, body }) => [status, body])).toEqual(got.map((_, i) => [200, `/${i} ${i * 10}`]));
      // What is idle is bounded.
      await expect.poll(() => new Promise((resolve) => real.getConnections((_error, count) => resolve(count)))).toBeLessThanOrEqual(256);
    }
    h1.close();
    await new Promise((resolve) => real.close(resolve));
  });

  it('upstreams: one that is dead holds up no other', async () => {
    const dead = await startRaw(() => {});
    const origin = await serve(always(OK_ANSWER));
    const held = Array.from({ length: 500 }, () => exchange(h1.send, requestTo(dead.origin)));
    for (let i = 0; i < 20; i++) expect(await ask(h1.send, origin)).toMatchObject({ body: 'ok' });
    for (const { call } of held) call.abort();
    await dead.close();
  });
});

describe('what is left behind', () => {
  const resources = (): string[] =>
    process.getActiveResourcesInfo().filter((one) => one === 'Timeout' || one.includes('SocketWrap') || one.includes('ConnectWrap'));

  it('is no timer, and no socket that keeps a process', async () => {
    const before = resources();
    const origin = await serve((socket, number) => (number % 2 === 0 ? always(OK_ANSWER)(socket) : socket.resume().end('x')));
    await Promise.all(Array.from({ length: 40 }, () => ask(h1.send, origin)));
    for (let i = 0; i < 10; i++) exchange(h1.send, requestTo(origin)).call.abort();
    await turns();
    const timers = (of: readonly string[]): number => of.filter((one) => one === 'Timeout').length;
    // One of a test before may have run out meanwhile.
    expect(timers(resources())).toBeLessThanOrEqual(timers(before));
    h1.close();
    await Promise.all(server.sockets.map(closed));
    await server.close();
    await expect.poll(() => resources().length).toBeLessThanOrEqual(before.length);
  });

  it('is no process that waits for an idle connection', async () => {
    const origin = await serve(always(OK_ANSWER));
    const script = `
      const { createH1Send } = await import(${JSON.stringify(new URL('../../src/upstream/h1-send.ts', import.meta.url).href)});
      const timeouts = { connect: 20000, headers: 20000, idle: 20000 };
      const request = { origin: '${origin}', method: 'GET', path: '/', headers: {}, body: [], timeouts };
      createH1Send().send(request, { head() {}, body: () => true, end: () => console.log('ended'), fail: console.log });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([code, said]).toEqual([0, 'ended\n']);
  });

  it('ends what runs when it is closed, and sends no more', async () => {
    const origin = await serve((socket) => socket.resume());
    const { got } = exchange(h1.send, requestTo(origin));
    await expect.poll(() => server.sockets.length).toBe(1);
    h1.close();
    expect((await got).fault?.code).toBe('upstream_closed');
    expect((await ask(h1.send, origin)).fault?.code).toBe('upstream_closed');
  });
});
