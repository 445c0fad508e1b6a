/** Who may wait where a provider takes only so many calls at once. */
export interface QueueRule {
  /** At one place: the provider, one of its keys, or it as a target of a route. 0: nobody waits. */
  readonly calls: number;
  /** … of one caller. */
  readonly perCaller: number;
  /** The longest wait. */
  readonly waitMs: number;
}

/** Where the operator says nothing else. */
export const USUAL_QUEUE: QueueRule = { calls: 1000, perCaller: 250, waitMs: 30_000 };

/** One that lets nobody wait. */
export const NO_QUEUE: QueueRule = { calls: 0, perCaller: 0, waitMs: 0 };

/** Whether a call may wait for a place at a provider. */
export const mayWait = ({ queue = USUAL_QUEUE }: { readonly queue?: QueueRule }): boolean => queue.calls > 0;
