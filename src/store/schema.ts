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

/** The tables of the database, as the newest migration leaves them. */
export interface Schema {
  readonly seals: SealsTable;
  readonly stored_state: StoredStateTable;
}
