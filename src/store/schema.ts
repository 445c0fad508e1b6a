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

/** The tables of the database, as the newest migration leaves them. */
export interface Schema {
  readonly seals: SealsTable;
}
