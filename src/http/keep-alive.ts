import type { ClientSink, OutHeaders } from '../exchange/client-sink.ts';

/** How long a client's stream may be silent before a keep-alive goes out, in milliseconds (RELIABILITY, Streams). */
const SILENCE_MS = 15_000;

type Watched = ClientSink & { readonly idleSince?: number; onOver?(listener: () => void): void };

/** Streams that are looked after. */
export interface KeepAlives {
  /** Sends `text` to the client whenever nothing else went out for a while; the first one commits status 200. */
  add(sink: Watched, text: string, headers: OutHeaders): void;
  readonly size: number;
  stop(): void;
}

/** A stream, with its place in the list. */
interface Entry {
  readonly sink: Watched;
  readonly text: string;
  readonly headers: OutHeaders;
  place: number;
}

/** One timer for all streams: it looks once a second which of them have been silent for too long. */
export function createKeepAlives(now: () => number, silenceMs = SILENCE_MS, everyMs = 1000): KeepAlives {
  // A list whose gaps are filled by its last: a map that much is added to and taken from holds on to what it held.
  const streams: Entry[] = [];
  let timer: NodeJS.Timeout | undefined;
  const remove = (entry: Entry): void => {
    const last = streams.pop();
    if (last && last !== entry) {
      streams[entry.place] = last;
      last.place = entry.place;
    }
  };
  const look = (): void => {
    const before = now() - silenceMs;
    // From the end: what fills a gap has been looked at.
    for (const entry of streams.toReversed()) {
      const { sink, text, headers } = entry;
      if (!sink.onOver && sink.closed) remove(entry);
      else if (!sink.closed && (sink.idleSince ?? 0) <= before) {
        if (!sink.begun) sink.begin(200, { ...headers, 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
        sink.write(text);
      }
    }
    if (streams.length === 0) stop();
  };
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  return {
    add(sink, text, headers) {
      if (sink.closed) return;
      const entry: Entry = { sink, text, headers, place: streams.length };
      streams.push(entry);
      // At once where the sink tells, else with the next look.
      sink.onOver?.(() => remove(entry));
      timer ??= setInterval(look, everyMs).unref();
    },
    get size() {
      return streams.length;
    },
    stop,
  };
}
