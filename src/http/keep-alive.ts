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

/** One timer for all streams: it looks once a second which of them have been silent for too long. */
export function createKeepAlives(now: () => number, silenceMs = SILENCE_MS, everyMs = 1000): KeepAlives {
  const streams = new Map<Watched, { readonly text: string; readonly headers: OutHeaders }>();
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const before = now() - silenceMs;
    for (const [sink, { text, headers }] of streams) {
      if (sink.closed) streams.delete(sink);
      else if ((sink.idleSince ?? 0) <= before) {
        if (!sink.begun) sink.begin(200, { ...headers, 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
        sink.write(text);
      }
    }
    if (streams.size === 0) stop();
  };
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  return {
    add(sink, text, headers) {
      streams.set(sink, { text, headers });
      // At once, not with the next look: what is held so long is no cheap garbage any more.
      sink.onOver?.(() => streams.delete(sink));
      timer ??= setInterval(look, everyMs).unref();
    },
    get size() {
      return streams.size;
    },
    stop,
  };
}
