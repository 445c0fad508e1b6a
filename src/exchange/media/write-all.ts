import type { ClientSink } from '../client-sink.ts';

/** Writes what comes as it comes, as fast as the client takes it. Ends early when the client has hung up. */
export async function writeAll(sink: ClientSink, pieces: AsyncIterable<Buffer | string>): Promise<void> {
  let wake: (() => void) | undefined;
  sink.onDrain(() => wake?.());
  sink.onGone(() => wake?.());
  for await (const piece of pieces) {
    if (sink.closed) return;
    if (sink.write(piece)) continue;
    await new Promise<void>((resolve) => (wake = resolve));
    wake = undefined;
  }
}
