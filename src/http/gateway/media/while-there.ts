import type { Visit } from '../visit.ts';

/**
 * Reads what is kept for a client, maybe far away: `signal` aborts when the client leaves, and what fails then is nobody's concern.
 */
export async function whileThere(sink: Visit['sink'], read: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const left = new AbortController();
  sink.onGone(() => left.abort());
  try {
    await read(left.signal);
  } catch (error) {
    if (!left.signal.aborted) throw error;
  }
}
