import type { ClientSink, OutHeaders } from '../exchange/client-sink.ts';

/** How long a client may hear nothing before a keep-alive goes out, in milliseconds, where the configuration says nothing (RELIABILITY, Streams). */
const SILENCE_MS = 15_000;
/** So much later than that it may be. */
const EVERY_MS = 250;

type Watched = ClientSink & { readonly idleSince?: number; onOver?(listener: () => void): void };

/** Answers that are looked after. */
export interface KeepAlives {
  /**
   * Sends `text`, which means nothing wherever it stands, to the client whenever nothing else went out for a while; the first time
   * commits status 200, with these headers.
   */
  add(sink: Watched, text: string, headers: OutHeaders): void;
  readonly size: number;
  stop(): void;
}

/** An answer, with its place in the list. */
interface Entry {
  readonly sink: Watched;
  readonly text: string;
  readonly headers: OutHeaders;
  place: number;
}

/** One timer for all answers: it looks now and then which clients have heard nothing for too long. `silenceMs`: asked each time. */
export function createKeepAlives(now: () => number, silenceMs: () => number | undefined = () => undefined, everyMs = EVERY_MS): KeepAlives {
  // A list whose gaps are filled by its last: a map that much is added to and taken from holds on to what it held.
  const entries: Entry[] = [];
  let timer: NodeJS.Timeout | undefined;
  const remove = (entry: Entry): void => {
    const last = entries.pop();
    if (last && last !== entry) {
      entries[entry.place] = last;
      last.place = entry.place;
    }
  };
  const look = (): void => {
    const before = now() - (silenceMs() ?? SILENCE_MS);
    // From the end: what fills a gap has been looked at.
    for (const entry of entries.toReversed()) {
      const { sink, text, headers } = entry;
      if (!sink.onOver && sink.closed) remove(entry);
      else if (!sink.closed && (sink.idleSince ?? 0) <= before) {
        if (!sink.begun) sink.begin(200, headers);
        sink.write(text);
      }
    }
    if (entries.length === 0) stop();
  };
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  return {
    add(sink, text, headers) {
      if (sink.closed) return;
      const entry: Entry = { sink, text, headers, place: entries.length };
      entries.push(entry);
      // At once where the sink tells, else with the next look.
      sink.onOver?.(() => remove(entry));
      timer ??= setInterval(look, everyMs).unref();
    },
    get size() {
      return entries.length;
    },
    stop,
  };
}
