import type { JsonObject } from '../ir/index.ts';

/**
 * What is kept: a response (its parent is the response that it continues), a conversation, an item of one (its parent is
 * the conversation), a message of an Anthropic thread (its parent is the message that it continues). A reference says in
 * which response an output item is (its parent is that response).
 */
export type StateKind = 'response' | 'reference' | 'conversation' | 'item' | 'thread';

/** One thing that the gateway remembers for a client. Everything belongs to the key that made it. */
export interface StateRecord {
  /** The client key's id. */
  readonly owner: string;
  readonly kind: StateKind;
  readonly id: string;
  readonly parent?: string;
  /** Place among the children of its parent; grows. */
  readonly position: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly value: JsonObject;
}

/** Which record. */
export interface StateKey {
  readonly owner: string;
  readonly kind: StateKind;
  readonly id: string;
}

/** How much is read at once. */
export interface ChainLimits {
  readonly records: number;
  readonly bytes: number;
}

/** What of an owner's records are wanted: the children of a parent, in order of position. */
export interface ChildrenQuery {
  readonly owner: string;
  readonly kind: StateKind;
  readonly parent: string;
}

/**
 * Where state is kept between calls: bounded by age (since it was last used) and bytes. Reads see every write that was
 * made before them in this process. Another key's records are not there.
 */
export interface StateStore {
  get(key: StateKey): Promise<StateRecord | undefined>;
  /**
   * A record and what it continues, the oldest first; all of it is used anew, so that it ages together. `missing`: the id
   * that is not there, the first one included. `too-long`: more than `most`.
   */
  chain(key: StateKey, most: ChainLimits): Promise<readonly StateRecord[] | { readonly missing: string } | 'too-long'>;
  children(query: ChildrenQuery, most: ChainLimits): Promise<readonly StateRecord[] | 'too-long'>;
  /** Kept from now on, over what was there under its key; written behind, never blocks a reply. */
  put(record: StateRecord): void;
  /** True when it was there. Its children stay: see `deleteChildren`. */
  delete(key: StateKey): Promise<boolean>;
  deleteChildren(query: ChildrenQuery): Promise<void>;
  /** Everything that was put is written. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Names of which each is held by one call at a time. */
export interface Locks {
  /** Gives what lets it go; `undefined`: another call has it. Rejects (503) where that cannot be told. */
  lock(name: string): Promise<(() => void) | undefined>;
}

/** Seals what leaves the gateway's hands and must come back unread and unchanged: AES-256-GCM with a key derived from the master key. */
export interface Sealer {
  /** `context` is bound to the text: it does not open under another. */
  seal(plain: Buffer, context: string): Buffer;
  /** `undefined`: not sealed by this gateway, changed, or under another context. */
  open(sealed: Buffer, context: string): Buffer | undefined;
}
