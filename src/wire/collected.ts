import { createHeldBytes } from './held-bytes.ts';

/** Gathers pieces that are held whole: up to `max` bytes. Of more, `over` is thrown, and nothing further is read. */
export async function collected(pieces: AsyncIterable<Buffer>, max: number, over: () => Error): Promise<Buffer> {
  const held = createHeldBytes();
  for await (const piece of pieces) {
    // Leaving the loop hangs up.
    if (held.length() + piece.length > max) throw over();
    held.add(piece);
  }
  return held.whole();
}
