/** Gathers pieces that are held whole: up to `max` bytes. Of more, `over` is thrown, and nothing further is read. */
export async function collected(pieces: AsyncIterable<Buffer>, max: number, over: () => Error): Promise<Buffer> {
  const held: Buffer[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    // Leaving the loop hangs up.
    if (bytes > max) throw over();
    held.push(piece);
  }
  return Buffer.concat(held, bytes);
}
