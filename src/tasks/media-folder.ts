import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { reusePiece } from '../wire/pieces.ts';
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
async function writePieces(path: string, source: AsyncIterable<Uint8Array>, isFleeting: boolean): Promise<number> {
  const file = await open(path, 'w', 0o600);
  try {
    let bytes = 0;
    for await (const piece of source) {
      for (let at = 0; at < piece.length;) at += (await file.write(piece, at)).bytesWritten;
      bytes += piece.length;
      if (isFleeting) reusePiece(piece);
    }
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

/** Pieces of a file that is given out, and how many buffers take turns: a gigabyte then leaves nothing to be collected. */
const PIECE_BYTES = 64 * 1024;
const BUFFERS = 8;

/** Reads a range piece by piece; closes the file at the end, also when nobody wants the rest. */
async function* readPieces(
  file: FileHandle,
  { from, to }: { readonly from: number; readonly to: number },
  isFleeting: boolean,
): AsyncIterable<Uint8Array> {
  try {
    const turns: Buffer[] = [];
    for (let at = from, turn = 0; at <= to; turn++) {
      const buffer = (isFleeting ? turns[turn % BUFFERS] : undefined) ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
      if (isFleeting) turns[turn % BUFFERS] = buffer;
      const { bytesRead } = await file.read(buffer, 0, Math.min(PIECE_BYTES, to - at + 1), at);
      if (bytesRead === 0) throw new Error('a kept file is shorter than it was');
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
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
    async write(id, source, _mediaType, isFleeting = false) {
      ready ??= prepare().catch((error: unknown) => {
        ready = undefined;
        throw error;
      });
      await ready;
      const part = `${pathOf(id)}.part`;
      try {
        const bytes = await writePieces(part, source, isFleeting);
        await rename(part, pathOf(id));
        return bytes;
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
    },
    async read(id, range, isFleeting = false) {
      return readPieces(await open(pathOf(id), 'r'), range, isFleeting);
    },
    delete: (id) => rm(pathOf(id), { force: true }),
  };
}
