/** Pieces cut so that each holds whole 16-bit samples. */
export async function* wholeSamples(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let odd: Buffer | undefined;
  for await (const piece of source) {
    const bytes: Buffer = odd ? Buffer.concat([odd, piece]) : piece;
    const even = bytes.length - (bytes.length % 2);
    odd = even === bytes.length ? undefined : bytes.subarray(even);
    if (even > 0) yield bytes.subarray(0, even);
  }
}

/** Samples at another rate, by straight lines between neighbours: enough for speech. */
export async function* resampled(source: AsyncIterable<Buffer>, from: number, to: number): AsyncGenerator<Buffer> {
  if (from === to) {
    yield* source;
    return;
  }
  const step = from / to;
  let last = 0;
  /** Where the next sample stands, counted from `last`: -1 is `last` itself. */
  let at = 0;
  for await (const piece of source) {
    const count = piece.length / 2;
    const sample = (index: number): number => (index < 0 ? last : piece.readInt16LE(index * 2));
    const out = Buffer.allocUnsafe(Math.max(0, Math.ceil((count - 1 - at) / step)) * 2);
    let written = 0;
    for (; at < count - 1 && written < out.length; at += step, written += 2) {
      const low = Math.floor(at);
      const low16 = sample(low);
      out.writeInt16LE(Math.round(low16 + (sample(low + 1) - low16) * (at - low)), written);
    }
    at -= count;
    last = sample(count - 1);
    if (written > 0) yield out.subarray(0, written);
  }
}
