import type { ClientSink } from '../client-sink.ts';

/** Of larger pieces the next one would be held before it is known that this one was not taken. */
const LARGE_CHARS = 4 * 1024;

function isTaken(sink: ClientSink, piece: Buffer | string): boolean {
  const hasRoom = sink.write(piece);
  return piece.length < LARGE_CHARS ? hasRoom : (sink.flush?.() ?? hasRoom);
}

/** Writes what comes as it comes, as fast as the client takes it. Ends early when the client has hung up. */
export async function writeAll(sink: ClientSink, pieces: AsyncIterable<Buffer | string>): Promise<void> {
  let wake: (() => void) | undefined;
  sink.onDrain(() => wake?.());
  sink.onGone(() => wake?.());
  for await (const piece of pieces) {
    if (sink.closed) return;
    if (isTaken(sink, piece)) continue;
    await new Promise<void>((resolve) => (wake = resolve));
    wake = undefined;
  }
}
