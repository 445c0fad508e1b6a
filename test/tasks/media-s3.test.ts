import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsSigned } from '../../src/presets/aws-auth.ts';
import { createMediaS3 } from '../../src/tasks/media-s3.ts';
import type { Blobs } from '../../src/tasks/media-store.ts';
import { createUndiciSend } from '../../src/upstream/undici-send.ts';
import { type FakeS3, startS3 } from '../fakes/s3.ts';

const SECRET = 'secret/of+the=bucket';

let s3: FakeS3;
let undici: ReturnType<typeof createUndiciSend>;
let blobs: Blobs;

function blobsWith(secret: string): Blobs {
  const auth = awsSigned('s3');
  const credential = { key: `AKID:${secret}` };
  return createMediaS3({
    endpoint: s3.url,
    bucket: 'films',
    prefix: 'media/',
    send: undici.send,
    async sign(request) {
      if (auth.kind !== 'signed') throw new Error('not signed');
      return auth.sign(
        request,
        credential,
        { region: 'eu-west-1' },
        { now: Date.now, post: () => Promise.reject(new Error('nothing to post')) },
      );
    },
  });
}

beforeAll(async () => {
  s3 = await startS3(SECRET);
  undici = createUndiciSend();
  blobs = blobsWith(SECRET);
});

afterAll(async () => {
  await undici.close();
  await s3.close();
});

async function* pieces(data: Buffer, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const found: Uint8Array[] = [];
  for await (const piece of source) found.push(piece);
  return Buffer.concat(found);
}

const MIB = 1024 * 1024;

describe('media in a bucket', () => {
  it.each([
    ['nothing', 0],
    ['a small file in one request', 1000],
    ['a file of exactly one part', 8 * MIB],
    ['a large file in parts', 20 * MIB + 17],
  ])('keeps %s, and gives it back by ranges', async (_name, size) => {
    const data = randomBytes(size);
    expect(await blobs.write('abc1', pieces(data, 300_000), 'video/mp4')).toBe(size);
    expect(s3.objects.get('/films/media/abc1')?.mediaType).toBe('video/mp4');
    expect((await all(await blobs.read('abc1', { from: 0, to: size - 1 }))).equals(data)).toBe(true);
    if (size > 10) expect((await all(await blobs.read('abc1', { from: 5, to: 8 }))).equals(data.subarray(5, 9))).toBe(true);
    expect(s3.uploads.size).toBe(0);
    await blobs.delete('abc1');
    expect(s3.objects.size).toBe(0);
    await blobs.delete('abc1');
  });

  it('leaves nothing of a source that breaks, nor of a part that is refused', async () => {
    const broken = async function* (): AsyncIterable<Uint8Array> {
      yield randomBytes(9 * MIB);
      throw new Error('cut');
    };
    await expect(blobs.write('abc2', broken(), 'video/mp4')).rejects.toThrow('cut');
    s3.failNext = { times: 1, status: 500, on: 'partNumber=2' };
    await expect(blobs.write('abc2', pieces(randomBytes(17 * MIB), MIB), 'video/mp4')).rejects.toThrow(/does not take a file \(HTTP 500\)/);
    expect([s3.objects.size, s3.uploads.size]).toEqual([0, 0]);
  });

  it('is refused with another secret, and says nothing of the bucket', async () => {
    const wrong = blobsWith('another');
    await expect(wrong.write('abc3', pieces(Buffer.from('x'), 1), 'video/mp4')).rejects.toMatchObject({
      fault: { code: 'media_unavailable', message: 'The storage of media does not take a file (HTTP 403)' },
    });
    await expect(wrong.read('abc3', { from: 0, to: 1 })).rejects.toMatchObject({ fault: { status: 503 } });
  });
});
