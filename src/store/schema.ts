/** Sealed state, kept between turns for clients whose protocol has no place for it. */
interface SealsTable {
  /** The client key's id. */
  readonly owner: string;
  readonly call_id: string;
  /** Encrypted with the master key. */
  readonly value: Uint8Array;
  /** Length of `value`. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly put_at: number;
}

/** Responses, conversations with their items, and threads: what the gateway remembers for clients. */
interface StoredStateTable {
  /** The client key's id. */
  readonly owner: string;
  readonly kind: string;
  readonly id: string;
  readonly parent: string | null;
  readonly position: number;
  /** Milliseconds since 1970. */
  readonly created_at: number;
  readonly used_at: number;
  /** Length of `value`. */
  readonly bytes: number;
  /** Encrypted with the master key. */
  readonly value: Uint8Array;
}

/** Long-running work of clients. */
interface JobsTable {
  readonly id: string;
  /** The client key's id. */
  readonly owner: string;
  readonly kind: string;
  readonly status: string;
  readonly phase: string;
  readonly progress: number;
  readonly provider: string;
  readonly model: string;
  readonly remote_id: string | null;
  /** The client's `Idempotency-Key`. */
  readonly request_key: string | null;
  /** Milliseconds since 1970. */
  readonly created_at: number;
  readonly completed_at: number | null;
  readonly expires_at: number | null;
  readonly deadline_at: number;
  /** The process that works on it; none: nothing is to be done. */
  readonly node: string | null;
  /** Encrypted with the master key. */
  readonly value: Uint8Array;
}

/** Processes that hold jobs. */
interface NodesTable {
  readonly id: string;
  /** The machine, and its space of process ids, where that is known: there a dead process is seen at once. */
  readonly place: string | null;
  readonly pid: number;
  /** Milliseconds since 1970; renewed while it lives. */
  readonly alive_until: number;
}

/** Media that are kept beside the database. */
interface MediaTable {
  readonly id: string;
  readonly owner: string;
  readonly media_type: string;
  readonly bytes: number;
  readonly created_at: number;
  readonly expires_at: number;
}

/** Answers by the `Idempotency-Key` that they were asked for with. */
interface IdempotencyTable {
  readonly owner: string;
  readonly request_key: string;
  /** Of the request: the same key with another is refused. */
  readonly fingerprint: string;
  /** The process that works on the answer. */
  readonly node: string;
  readonly created_at: number;
  /** Encrypted; none while it is worked on. */
  readonly answer: Uint8Array | null;
  readonly bytes: number;
}

/** The tables of the database, as the newest migration leaves them. */
export interface Schema {
  readonly seals: SealsTable;
  readonly stored_state: StoredStateTable;
  readonly jobs: JobsTable;
  readonly nodes: NodesTable;
  readonly media: MediaTable;
  readonly idempotency: IdempotencyTable;
}
