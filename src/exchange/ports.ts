import type { ReasoningPart, Seal } from '../ir/index.ts';

/** The clock. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds of a clock that never goes back. */
  monotonic(): number;
}

/** Sealed state that belongs before or on one tool call, for clients whose protocol has no place for it. */
export interface KeptSeal {
  /** Reasoning parts that stood before the call in the same turn (only those with a seal, or whose maker wants text back). */
  readonly reasoning: readonly ReasoningPart[];
  /** The seal on the call itself. */
  readonly seal?: Seal;
  /** Who made it. */
  readonly maker: string;
}

/** Where sealed state is kept between turns: by the key that owns the conversation and the tool-call id, bounded by age and bytes. */
export interface SealStore {
  /** What is kept under these ids; ids without anything are absent. Never throws: what cannot be read is not there. */
  get(owner: string, callIds: readonly string[]): Promise<ReadonlyMap<string, KeptSeal>>;
  /** Kept from now on; written behind, never blocks a reply. */
  put(owner: string, entries: ReadonlyMap<string, KeptSeal>): void;
}

/** One finished call, as the journal and later the ledger keep it. No bodies. */
export interface CallRecord {
  readonly id: string;
  /** Milliseconds since 1970 when it was received. */
  readonly at: number;
  readonly key: string;
  readonly protocol: string;
  readonly operation: string;
  readonly asked: string;
  readonly provider?: string;
  readonly model?: string;
  readonly upstream?: string;
  readonly lane?: 'raw' | 'translated';
  readonly status: number;
  readonly attempts: number;
  readonly durationMs: number;
  readonly firstTokenMs?: number;
  readonly input?: number;
  readonly output?: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  readonly reasoning?: number;
  readonly estimated?: boolean;
  readonly stop?: string;
  readonly fault?: string;
  readonly endedBy: 'upstream' | 'client' | 'gateway';
  readonly notes?: string;
}

/** The append-only journal. */
export interface Journal {
  /** Queues one record; it is on disk soon after (batched), in order. Never throws, never waits. */
  append(record: CallRecord): void;
  /** Everything queued is on disk. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Fetches what a client's URL names, through the egress guard. */
export interface MediaFetcher {
  /** The bytes and media type of a public URL. Throws `GatewayError` (400) naming `param` when it may not or cannot be fetched. */
  fetch(url: string, param: string, signal: AbortSignal): Promise<{ readonly data: Buffer; readonly mediaType: string }>;
}
