import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError, gatewayFault } from '../../../ir/index.ts';
import { randomUUID } from 'node:crypto';

/** A file of a client's that is kept until it is sent on. */
export interface Spooled {
  readonly length: number;
  /** Its bytes from the beginning, as often as wanted. */
  bytes(): AsyncIterable<Buffer>;
  /** Lets go of it; nothing of it stays. */
  close(): Promise<void>;
}

/** Smaller files stay in memory. */
const HELD_BYTES = 256 * 1024;
const READ_BYTES = 128 * 1024;
/** All that is kept on disk at once, for all callers. */
const MAX_ALL_BYTES = 16 * 1024 ** 3;
let allBytes = 0;

const cannot = (message: string): GatewayError =>
  new GatewayError(gatewayFault('overloaded', message, { code: 'spool_failed', retryAfterMs: 5000 }));

/** A temporary file without a name: where the system allows it nothing is left behind, however the process ends. */
async function openNameless(folder: string): Promise<{ readonly handle: FileHandle; remove(): Promise<void> }> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `upload-${randomUUID()}`);
  const handle = await open(path, 'wx+', 0o600);
  const isGone = await unlink(path).then(
    () => true,
    () => false,
  );
  return { handle, remove: async () => void (isGone || (await unlink(path).catch(() => undefined))) };
}

async function* eachOf(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
}

function inMemory(pieces: readonly Buffer[], length: number): Spooled {
  return {
    length,
    bytes: () => eachOf(pieces),
    close: () => Promise.resolve(),
  };
}

async function* readAll(handle: FileHandle, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < length;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(Math.min(READ_BYTES, length - at)), 0, undefined, at);
    if (bytesRead === 0) throw cannot('A file that was kept on disk cannot be read');
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Writes all of it; `count` is told of every byte on disk. */
async function writeAllTo(
  handle: FileHandle,
  held: readonly Buffer[],
  rest: AsyncIterator<Buffer>,
  count: (bytes: number) => void,
): Promise<number> {
  let length = 0;
  const write = async (piece: Buffer): Promise<void> => {
    count(piece.length);
    for (let from = 0; from < piece.length;) {
      const { bytesWritten } = await handle.write(piece, from, piece.length - from, length + from);
      from += bytesWritten;
    }
    length += piece.length;
  };
  for (const piece of held) await write(piece);
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) await write(next.value);
  return length;
}

/** Keeps a file: a small one in memory, a larger one on disk. Throws what reading it throws, and 503 where the disk is full. */
export async function spool(source: AsyncIterable<Buffer>, folder: string): Promise<Spooled> {
  const rest = source[Symbol.asyncIterator]();
  const held: Buffer[] = [];
  let bytes = 0;
  for (let next = await rest.next(); ; next = await rest.next()) {
    if (next.done === true) return inMemory(held, bytes);
    held.push(next.value);
    bytes += next.value.length;
    if (bytes > HELD_BYTES) break;
  }
  const { handle, remove } = await openNameless(folder).catch(() => {
    throw cannot('A file cannot be kept on disk until it is sent on');
  });
  let counted = 0;
  const count = (more: number): void => {
    if (allBytes + more > MAX_ALL_BYTES) throw cannot('Too many files are kept on disk at once. Try again shortly');
    allBytes += more;
    counted += more;
  };
  const close = async (): Promise<void> => {
    allBytes -= counted;
    counted = 0;
    await handle.close().catch(() => undefined);
    await remove();
  };
  try {
    const length = await writeAllTo(handle, held, rest, count);
    return { length, bytes: () => readAll(handle, length), close };
  } catch (error) {
    await close();
    if (error instanceof GatewayError) throw error;
    throw cannot('A file cannot be kept on disk until it is sent on');
  }
}
