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
   * commits status 200, with these headers. `isBefore`: it means nothing only in front of an answer, and is not sent once that has begun.
   */
  add(sink: Watched, text: string, headers: OutHeaders, isBefore?: boolean): void;
  readonly size: number;
  stop(): void;
}

/** An answer, with its place in the list. */
interface Entry {
  readonly sink: Watched;
  readonly text: string;
  readonly headers: OutHeaders;
  readonly isBefore: boolean;
  /** Monotonic milliseconds: until then the client was heard, and heard nothing because it spoke itself. A long upload is no silence. */
  readonly since: number;
  /** What the sink's `idleSince` was when this had gone out. */
  said?: number | undefined;
  place: number;
}

/** Whether the answer itself has begun: in the middle of it even white space means something. */
const hasAnswer = ({ sink, said }: Entry): boolean => sink.begun && said !== sink.idleSince;

/** One timer for all answers: it looks now and then which clients have heard nothing for too long. `silenceMs`: asked each time. */
export function createKeepAlives(now: () => number, silenceMs: () => number | undefined = () => undefined, everyMs = EVERY_MS): KeepAlives {
  // A list whose gaps are filled by its last: a map that much is added to and taken from holds on to what it held.
  const entries: Entry[] = [];
  let timer: NodeJS.Timeout | undefined;
  const remove = (entry: Entry): void => {
    if (entries[entry.place] !== entry) return;
    const last = entries.pop();
    if (last && last !== entry) {
      entries[entry.place] = last;
      last.place = entry.place;
    }
  };
  const say = (entry: Entry): void => {
    const { sink, text, headers, isBefore } = entry;
    if (!sink.begun) sink.begin(200, headers);
    sink.write(text);
    // At once, so that what goes out later is known to be another's.
    if (!isBefore) return;
    sink.flush?.();
    entry.said = sink.idleSince;
  };
  const look = (): void => {
    const before = now() - (silenceMs() ?? SILENCE_MS);
    // From the end: what fills a gap has been looked at.
    for (const entry of entries.toReversed()) {
      const { sink, since, isBefore } = entry;
      if ((!sink.onOver && sink.closed) || (isBefore && hasAnswer(entry))) remove(entry);
      else if (!sink.closed && Math.max(sink.idleSince ?? 0, since) <= before) say(entry);
    }
    if (entries.length === 0) stop();
  };
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  return {
    add(sink, text, headers, isBefore = false) {
      if (sink.closed) return;
      // By the clock of the sinks.
      const entry: Entry = { sink, text, headers, isBefore, since: performance.now(), place: entries.length };
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
