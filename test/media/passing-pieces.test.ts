import { createHash } from 'node:crypto';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createResponseSink, type ResponseSink } from '../../src/http/response-sink.ts';
import { createMediaFolder } from '../../src/tasks/media-folder.ts';
import { copyPiece, reusePiece } from '../../src/wire/pieces.ts';
import { type FakeUpstream, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';

const KIB = 1024;

describe('a piece', () => {
  it.each([1, 40_000, 48 * KIB, 64 * KIB, 100_000])('of %i bytes is a copy', (length) => {
    const bytes = Buffer.alloc(length, 1);
    const piece = copyPiece(bytes);
    bytes.fill(2);
    expect(piece.equals(Buffer.alloc(length, 1))).toBe(true);
  });

  it('is used again when it was given back, and not before', () => {
    const first = copyPiece(Buffer.alloc(50 * KIB, 1));
    const second = copyPiece(Buffer.alloc(50 * KIB, 2));
    expect(second.buffer).not.toBe(first.buffer);
    reusePiece(first);
    expect(copyPiece(Buffer.alloc(64 * KIB, 3)).buffer).toBe(first.buffer);
    expect(second.every((byte) => byte === 2)).toBe(true);
  });

  it('of somebody else is left alone', () => {
    const foreign = Buffer.alloc(64 * KIB, 1);
    reusePiece(foreign);
    expect(copyPiece(Buffer.alloc(64 * KIB, 3)).buffer).not.toBe(foreign.buffer);
    expect(foreign.every((byte) => byte === 1)).toBe(true);
  });
});

describe('pieces that are written to a folder', () => {
  it('are used again when they are written, also where two files are written side by side', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pailou-pieces-'));
    const blobs = createMediaFolder(folder, Date.now);
    const places = new Set<ArrayBufferLike>();
    async function* pieces(of: string): AsyncIterable<Uint8Array> {
      for (let at = 0; at < 200; at++) {
        const piece = copyPiece(Buffer.alloc(60 * KIB, `${of}${at} `));
        places.add(piece.buffer);
        yield piece;
      }
    }
    const whole = (of: string): Buffer => Buffer.concat(Array.from({ length: 200 }, (_, at) => Buffer.alloc(60 * KIB, `${of}${at} `)));
    await Promise.all(['a', 'b'].map((id) => blobs.write(id, pieces(id), 'video/mp4', true)));
    for (const id of ['a', 'b']) expect((await readFile(join(folder, id))).equals(whole(id))).toBe(true);
    expect(places.size).toBeLessThan(8);
    await rm(folder, { recursive: true });
  });
});

describe('pieces that pass to a client that does not read yet', () => {
  it('are not used for others before they are out', { timeout: 30_000 }, async () => {
    let sink: ResponseSink | undefined;
    const server = createServer((request, response) => (sink = createResponseSink(request, response, {})));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await expect.poll(() => sink).toBeDefined();
    const numbered = (at: number): Buffer => Buffer.alloc(64 * KIB, `${at} `);
    const expected = createHash('sha256');
    sink?.begin(200, {}, 2 ** 40);
    let count = 0;
    // Until the connection holds no more, and some that wait here.
    for (let waiting = 0; waiting < 8; count++) {
      const isTaken = sink?.pass?.(copyPiece(numbered(count))) ?? true;
      expected.update(numbered(count));
      await new Promise(setImmediate);
      if (!isTaken) waiting++;
    }
    for (let at = 0; at < 100; at++) copyPiece(Buffer.alloc(64 * KIB, 'another'));
    const got = createHash('sha256');
    let left = count * 64 * KIB;
    let head: Buffer | undefined = Buffer.alloc(0);
    client.on('data', (bytes: Buffer) => {
      let body: Buffer = bytes;
      if (head) {
        head = Buffer.concat([head, bytes]);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        body = head.subarray(end + 4);
        head = undefined;
      }
      got.update(body);
      left -= body.length;
    });
    await expect.poll(() => left, { timeout: 10_000 }).toBe(0);
    expect(got.digest('hex')).toBe(expected.digest('hex'));
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
});

describe('replies of many vectors that pass side by side', () => {
  let upstream: FakeUpstream;
  let server: TestServer;
  beforeAll(async () => {
    upstream = await startUpstream((seen, response) => {
      const { input } = JSON.parse(seen.body) as { readonly input: string };
      response.writeHead(200, { 'content-type': 'application/json' }).end(replyTo(input));
    });
    server = await startTestServer({ providers: { oai: { preset: 'openai', baseUrl: upstream.url, key: 'k' } } });
  });
  afterAll(async () => {
    expect(server.defects).toEqual([]);
    await server.close();
    await upstream.close();
  });

  /** Of another length and with other numbers for each. */
  const replyTo = (input: string): string => {
    const seed = Number(input);
    const embedding = Array.from({ length: 8 }, () => `${String(seed).padStart(2, '0')},`.repeat(100_000 + seed * 3001)).join('');
    return `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[${embedding}0]}],"model":"up","usage":{"prompt_tokens":1}}`;
  };
  const hash = (data: string): string => createHash('sha256').update(data).digest('hex');

  /** Reads its answer when `until` has come; `undefined`: it went in the middle. */
  function ask(seed: number, until: Promise<unknown>, goes = false): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' };
      const sent = httpRequest(`${server.url}/v1/embeddings`, { method: 'POST', headers, agent: false }, (response) => {
        void until.then(() => {
          const whole = createHash('sha256');
          response.on('data', (piece: Buffer) => {
            whole.update(piece);
            if (!goes) return;
            sent.destroy();
            resolve(undefined);
          });
          response.on('end', () => resolve(whole.digest('hex')));
          response.on('error', goes ? () => undefined : reject);
        });
      });
      sent.on('error', goes ? () => undefined : reject);
      sent.end(JSON.stringify({ model: 'oai/text-embedding-3-small', input: String(seed), encoding_format: 'float' }));
    });
  }

  it('are each untouched, whoever reads late or goes', { timeout: 60_000 }, async () => {
    const quick: Promise<string | undefined>[] = [];
    let others = (): void => undefined;
    const later = new Promise<void>((resolve) => (others = resolve));
    const late = [0, 1, 2, 3].map((seed) => ask(seed, later));
    await expect.poll(() => upstream.seen.length).toBe(late.length);
    for (const seed of [4, 5, 6, 7]) quick.push(ask(seed, Promise.resolve()), ask(seed + 4, Promise.resolve(), true));
    const read = await Promise.all(quick);
    others();
    const expected = (seed: number): string => hash(replyTo(String(seed)));
    expect(read).toEqual([4, 5, 6, 7].flatMap((seed) => [expected(seed), undefined]));
    expect(await Promise.all(late)).toEqual([0, 1, 2, 3].map(expected));
  });
});
