import type { Fault } from '../ir/index.ts';

/** One HTTP request to a provider. */
export interface UpstreamRequest {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  /** Lower-case names; without `host` and `content-length`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: readonly Buffer[];
  /** A body that is not held, instead of `body`; what its reading throws is what the sink is told. */
  readonly stream?: { readonly bytes: AsyncIterable<Buffer>; readonly length?: number };
  /** Whom it is for: those who ask for much do not hold up the others. */
  readonly owner?: string;
  /** Must not reach the upstream twice, whatever becomes of the connection: it starts something. */
  readonly isOnce?: boolean;
  /** Milliseconds. `idle`: between two reads of the body. */
  readonly timeouts: { readonly connect: number; readonly headers: number; readonly idle: number };
}

/** Headers as Node gives them: lower case, several values as a list. */
export type UpstreamHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Where the answer goes. `end` or `fail` comes exactly once, last. */
export interface UpstreamSink {
  head(status: number, headers: UpstreamHeaders): void;
  /** More bytes; `false` asks to wait until `resume`. */
  body(bytes: Buffer): boolean;
  end(): void;
  /** The request came to no end of its own: not connected, timed out, cut. `sent`: the upstream may have seen it. */
  fail(fault: Fault): void;
}

/** A request under way. */
export interface UpstreamCall {
  /** Ends it now; nothing more reaches the sink. */
  abort(): void;
  resume(): void;
}

/** The one way out. The first implementation is undici's `dispatch`; the sandbox is another. */
export type Send = (request: UpstreamRequest, sink: UpstreamSink) => UpstreamCall;
