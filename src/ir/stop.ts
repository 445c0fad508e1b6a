/** Why the reply ended. Unknown words of a wire become `other`, with the raw word kept beside it. */
export type StopReason =
  | 'stop'
  | 'length'
  | 'tool-calls'
  | 'stop-sequence'
  | 'content-filter'
  | 'refusal'
  /** The turn is to be continued by sending it back (Anthropic `pause_turn`). */
  | 'pause'
  | 'context-exceeded'
  | 'malformed-tool-call'
  | 'other';

/** Why a reply ended. */
export interface Stop {
  readonly reason: StopReason;
  /** The wire's own word. */
  readonly raw?: string;
  readonly sequence?: string;
}
