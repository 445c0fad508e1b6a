import type { UpstreamHeaders } from './send.ts';

/**
 * All connections read into this one: what is kept of it is copied, which costs less than the buffer of 64 KiB that a socket would
 * otherwise make for each read and then cut down.
 */
const SHARED = Buffer.allocUnsafeSlow(64 * 1024);
/** What was read last is what is held for a client that does not read: of five hundred of those each may hold so much. */
const SPARING = SHARED.subarray(0, 16 * 1024);
/** Of what comes as it is made, and has come for long, half of that. */
const LONG = SHARED.subarray(0, 8 * 1024);
const LONG_READS = 32;
/** Where calls are refused, several times as much: a read and a write cost as much as some KiB of what is in them. */
const CROWDED = SHARED.subarray(0, 32 * 1024);
/** After so many reads without a wait a client keeps up. */
const CALM_READS = 64;

/** How much one connection reads at once. */
export interface ReadSize {
  /** What the next read goes into. `isCrowded`: there is more to do than can be done. */
  next(isCrowded?: boolean): Buffer;
  /** An answer has begun. */
  head(headers: UpstreamHeaders): void;
  /** It has ended, with the read that is being taken: the next one is another's first. */
  end(): void;
  /** A read was taken; `waits`: by a reader that asks to wait before the next one. */
  read(waits: boolean): void;
  /** The wait is over. */
  resumed(): void;
}

/** An answer that comes as it is made: more than one read has seldom come at once. */
const isLive = (headers: UpstreamHeaders): boolean =>
  headers['content-length'] === undefined && !String(headers['content-type']).includes('json');

/**
 * The first read of an answer is a large one. Then little is read at once of what comes as it is made, and for a while where a read had to
 * wait beyond its turn of the event loop.
 */
export function createReadSize(): ReadSize {
  let into = SHARED;
  let usual = SHARED;
  let calm = 0;
  let reads = 0;
  let waiting = false;
  let looks = false;
  const look = (): void => {
    looks = false;
    if (waiting && into === SHARED) into = SPARING;
  };
  return {
    next: (isCrowded = false) => (isCrowded && calm > 0 && into.length < CROWDED.length ? CROWDED : into),
    head(headers) {
      if (isLive(headers)) into = usual = SPARING;
    },
    end() {
      into = usual = SHARED;
      waiting = false;
      reads = 0;
    },
    read(waits) {
      waiting = waits;
      if (usual === SPARING && ++reads >= LONG_READS) into = usual = LONG;
      calm = waits ? 0 : calm + 1;
      if (calm >= CALM_READS) into = usual;
      if (!waits || looks || into !== SHARED) return;
      looks = true;
      setImmediate(look);
    },
    resumed() {
      waiting = false;
    },
  };
}
