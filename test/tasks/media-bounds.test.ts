// Files of providers that never end: no more of them is kept than of all files together, and nothing is left of them.
import { expect, it } from 'vitest';
import { testKept } from '../kept.ts';

const MOST = 2 ** 20;
const PIECE = Buffer.alloc(64 * 1024, 7);

it('a file without an end is given up, and what there was of it is gone', async () => {
  const kept = testKept(() => Date.now(), { mediaBytes: MOST });
  const { mediaStore } = kept.ports;
  let taken = 0;
  let isLeft = false;
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        taken += PIECE.length;
        yield Buffer.from(PIECE);
      }
    } finally {
      isLeft = true;
    }
  }
  const about = { mediaType: 'video/mp4', owner: 'key_1' };
  await expect(mediaStore.put(endless(), about)).rejects.toMatchObject({ fault: { code: 'file_too_large' } });
  expect(taken).toBeLessThanOrEqual(MOST + 4 * PIECE.length);
  expect(isLeft).toBe(true);
  const small = await mediaStore.put(Buffer.alloc(MOST, 1), about);
  expect(small.bytes).toBe(MOST);
  await kept.close();
});
