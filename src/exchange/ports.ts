import type { ReasoningPart, Seal } from '../ir/index.ts';
import type { KeptDecision } from '../policy/kept-decision.ts';

/** The clock. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds of a clock that never goes back. */
  monotonic(): number;
}

/** Sealed state that belongs before or on one tool call, or on a text, for clients whose protocol has no place for it. */
export interface KeptSeal {
  /** Reasoning parts that stood before the call in the same turn (only those with a seal, or whose maker wants text back). */
  readonly reasoning: readonly ReasoningPart[];
  /** The seal on the call or the text itself. */
  readonly seal?: Seal;
  /** Who made it. */
  readonly maker: string;
}

/** Where sealed state is kept between turns: by the key that owns the conversation and the tool-call id (or what stands for a text), bounded by age and bytes. */
export interface SealStore {
  /** What is kept under these ids; ids without anything are absent. Never throws: what cannot be read is not there. */
  get(owner: string, callIds: readonly string[]): Promise<ReadonlyMap<string, KeptSeal>>;
  /** Kept from now on; written behind, never blocks a reply. */
  put(owner: string, entries: ReadonlyMap<string, KeptSeal>): void;
}

/** One finished call, as the journal and the table of requests keep it. No bodies. */
export interface CallRecord {
  readonly id: string;
  /** The client's own `x-request-id`. */
  readonly label?: string;
  /** Milliseconds since 1970 when it was received. */
  readonly at: number;
  /** The key's name. */
  readonly key: string;
  readonly protocol: string;
  /** `generate`, `count_tokens`, or an ability. */
  readonly operation: string;
  /** The model as it was asked for; empty where the call did not come to say. */
  readonly asked: string;
  readonly provider?: string;
  readonly model?: string;
  readonly upstream?: string;
  readonly lane?: 'raw' | 'translated';
  readonly stream?: true;
  readonly status: number;
  /** Requests that were sent to providers. */
  readonly attempts: number;
  readonly durationMs: number;
  readonly firstTokenMs?: number;
  readonly input?: number;
  readonly output?: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  readonly cacheWrite1h?: number;
  readonly reasoning?: number;
  readonly inputAudio?: number;
  readonly outputAudio?: number;
  readonly inputImage?: number;
  readonly outputImage?: number;
  readonly estimated?: boolean;
  readonly stop?: string;
  readonly fault?: string;
  /** Tries before the last one, and what became of them: `provider/model;code, …`. */
  readonly failed?: string;
  readonly endedBy: 'upstream' | 'client' | 'gateway';
  readonly notes?: string;
  /** Answered with what another call had brought: from the cache, together with one under way, or by its `Idempotency-Key`. */
  readonly cache?: 'hit' | 'shared' | 'repeat';
  /** The configuration that it ran on: how often it had been loaded, and its fingerprint. */
  readonly revision: number;
  readonly config: string;
  /** How it was decided where to go, or, with `cache`, who had made the answer; absent where it did not come to that. */
  readonly route?: KeptDecision;
}

/** The append-only journal. */
export interface Journal {
  /** Queues one record; it is on disk soon after (batched), in order. Never throws, never waits. `json`: the record, where it is written already. */
  append(record: CallRecord, json?: string): void;
  /** Everything queued is on disk. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Fetches what a URL names that is not the operator's, through the egress guard. */
export interface MediaFetcher {
  /** The bytes and media type of a public URL. Throws `GatewayError` (400) naming `param` when it may not or cannot be fetched. */
  fetch(url: string, param: string, signal: AbortSignal): Promise<{ readonly data: Buffer; readonly mediaType: string }>;
  /** Whether a client's URL may be reached at all. Throws `GatewayError` (400) naming `param`. */
  check(url: string, param: string): Promise<void>;
  /** A file of any size that a provider named, as it comes; without the provider's key. Throws `GatewayError` (502). */
  open(url: string, signal: AbortSignal): Promise<{ readonly mediaType: string; readonly body: AsyncIterable<Uint8Array> }>;
}

/** Something that was kept to be given out later: what a provider made, or what a client brought. */
export interface KeptMedia {
  /** Lower-case letters and digits only, not to be guessed. */
  readonly id: string;
  readonly owner: string;
  readonly mediaType: string;
  readonly bytes: number;
  /** Milliseconds since 1970: gone after that. */
  readonly expiresAt: number;
}

/**
 * Where media are kept (`tasks.media`: a folder, or S3), and from where they are given out. Bounded by age and bytes.
 *
 * - `put` keeps bytes or a stream, and resolves when they are safe: then `link` gives a path that anyone who has it may GET
 *   (`/media/{id}?exp=…&sig=…`, with Range, the right content type), until it expires. Nothing is left of a stream that breaks;
 *   its pieces are the store's: nobody else may look at them afterwards.
 * - `mediaLink` in `media/media-link.ts` makes the whole address of a path, as the client knows this server.
 */
export interface MediaStore {
  put(
    data: Uint8Array | AsyncIterable<Uint8Array>,
    about: {
      readonly mediaType: string;
      readonly owner: string;
      /** Default: as long as `tasks.keep` says. */ readonly expiresAt?: number;
    },
  ): Promise<KeptMedia>;
  /** What is kept under an id; `undefined` when nothing is (any more). */
  find(id: string): Promise<KeptMedia | undefined>;
  /**
   * Its bytes, or those from `from` up to and with `to`. `isFleeting`: a piece need be good only until the second one after it is asked
   * for, so that a large file leaves nothing to be collected. `signal`: nobody wants it any more; then it rejects, also while it is read.
   */
  read(
    media: KeptMedia,
    range?: { readonly from: number; readonly to: number },
    isFleeting?: boolean,
    signal?: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>>;
  /** All of a small one. `signal`: as when it is read. */
  whole(media: KeptMedia, signal?: AbortSignal): Promise<Buffer>;
  remove(id: string): Promise<void>;
  /** A signed path. `expiresAt`: milliseconds since 1970, at most when the medium itself goes; default 24 hours from now. */
  link(media: Pick<KeptMedia, 'id' | 'expiresAt'>, expiresAt?: number): string;
  /** Whether a link's signature is ours and its time has not come. `exp`, `sig`: as they stand in the link. */
  isSigned(id: string, exp: string, sig: string): boolean;
}
