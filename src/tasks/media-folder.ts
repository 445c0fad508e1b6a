import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Blobs } from './media-store.ts';

/** Pieces of an unfinished file: taken away when they are so old that nobody writes them any more. */
const STALE_MS = 24 * 3_600_000;

/** Takes away what a process that was killed has left half written. */
async function clean(folder: string, now: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.endsWith('.part')) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: now }));
    if (now - mtimeMs > STALE_MS) await rm(path, { force: true });
  }
}

/** Writes one piece after the other: no more of a large file is held than its source holds. */
async function writePieces(path: string, source: AsyncIterable<Uint8Array>): Promise<number> {
  const file = await open(path, 'w', 0o600);
  try {
    let bytes = 0;
    for await (const piece of source) {
      for (let at = 0; at < piece.length;) at += (await file.write(piece, at)).bytesWritten;
      bytes += piece.length;
    }
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

/** Files in a folder (0700, each 0600), written beside and renamed, so that none is half. */
export function createMediaFolder(folder: string, now: () => number): Blobs {
  let ready: Promise<void> | undefined;
  const prepare = async (): Promise<void> => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await clean(folder, now());
  };
  const pathOf = (id: string): string => join(folder, id);
  return {
    async write(id, source) {
      ready ??= prepare().catch((error: unknown) => {
        ready = undefined;
        throw error;
      });
      await ready;
      const part = `${pathOf(id)}.part`;
      try {
        const bytes = await writePieces(part, source);
        await rename(part, pathOf(id));
        return bytes;
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
    },
    async read(id, { from, to }) {
      if (to < from) return Readable.from([]);
      const stream = createReadStream(pathOf(id), { start: from, end: to, highWaterMark: 256 * 1024 });
      await new Promise<void>((resolve, reject) => {
        stream.once('open', () => resolve());
        stream.once('error', reject);
      });
      return stream;
    },
    delete: (id) => rm(pathOf(id), { force: true }),
  };
}
