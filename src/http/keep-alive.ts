import type { ClientSink } from '../exchange/client-sink.ts';

/** How long a client's stream may be silent before a keep-alive goes out, in milliseconds (RELIABILITY, Streams). */
const SILENCE_MS = 15_000;

/** Streams that are looked after. */
export interface KeepAlives {
  /** Sends `text` to the client whenever nothing else went out for a while; the first one commits status 200. */
  add(sink: ClientSink & { readonly idleSince?: number }, text: string): void;
  readonly size: number;
  stop(): void;
}

/** One timer for all streams: it looks once a second which of them have been silent for too long. */
export function createKeepAlives(now: () => number, silenceMs = SILENCE_MS, everyMs = 1000): KeepAlives {
  const streams = new Map<ClientSink & { readonly idleSince?: number }, string>();
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const before = now() - silenceMs;
    for (const [sink, text] of streams) {
      if (sink.closed) streams.delete(sink);
      else if ((sink.idleSince ?? 0) <= before) {
        if (!sink.begun) sink.begin(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
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
    add(sink, text) {
      streams.set(sink, text);
      timer ??= setInterval(look, everyMs).unref();
    },
    get size() {
      return streams.size;
    },
    stop,
  };
}
