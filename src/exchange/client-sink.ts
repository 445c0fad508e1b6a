import type { Fault } from '../ir/index.ts';

/** Headers for a client, lower-case names. */
export type OutHeaders = Record<string, string | readonly string[]>;

/** A refusal as it is written where nothing has gone out yet. */
export interface Refusal {
  readonly status: number;
  readonly headers: OutHeaders;
  readonly body: Buffer;
}

/** The way back to one client. */
export interface ClientSink {
  /** A status line and headers have gone out: from here on errors are in-band. */
  readonly begun: boolean;
  /** The client has hung up, or everything was said. */
  readonly closed: boolean;
  /** `length`: the body's size where it is known; otherwise it is a stream. */
  begin(status: number, headers: OutHeaders, length?: number): void;
  /** Joins what one turn of the event loop writes. `false`: wait for `onDrain`. */
  write(bytes: Buffer | string): boolean;
  /**
   * Sends what this turn has written, for whoever writes no more in it: told then that it must wait, it is spared a piece that would be held.
   * `false`: wait for `onDrain`; `undefined` and where it is absent, what `write` has said holds.
   */
  flush?(): boolean | undefined;
  /** As `write`, and lets bytes of a body be used again (`reusePiece`) when they are out: nobody else may hold them. Absent where somebody does. */
  pass?(bytes: Buffer): boolean;
  end(bytes?: Buffer | string): void;
  /**
   * Told of what goes wrong, before it is written in the client's own words, and how it would be said to one that has heard nothing.
   * Absent where nobody wants to know.
   */
  failed?(fault: Fault, refusal: Refusal): void;
  /** Breaks the connection, so that what was sent cannot look complete. */
  abort(): void;
  /** The client hung up before the end. Called at most once; at once when it already has. */
  onGone(listener: () => void): void;
  onDrain(listener: () => void): void;
}
