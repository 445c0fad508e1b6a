import type { Emit, PartHead, ReplyEvent } from './event.ts';

type PartEvent = Extract<ReplyEvent, { type: 'part-delta' | 'part-note' | 'part-end' }>;

/** A part that waits for its turn, with what has come for it. */
interface Waiting {
  readonly key: string;
  readonly choice: number;
  readonly queue: (PartEvent | Extract<ReplyEvent, { type: 'part-start' }>)[];
  ended: boolean;
}

/**
 * Orders parts that a dialect interleaves (OpenAI tool calls by `index`, Responses items by `output_index`, choices of
 * `n` > 1): the part at the front streams through, the others wait and follow, choice by choice, in the order in which
 * they began. What waits is bounded by what one reply may hold (`wire` limits).
 */
export interface Sequencer {
  has(key: string): boolean;
  start(key: string, part: PartHead, choice?: number): void;
  /** More for the part; ignored when no such part is open. */
  push(key: string, event: PartEvent): void;
  end(key: string, event?: Extract<ReplyEvent, { type: 'part-end' }>): void;
  /** Ends every open part, of one choice or of all. */
  endAll(choice?: number): void;
  /** Lets what waits go: call before `reply-end`. */
  flush(): void;
  /** Choices up to this one may have parts at the front: a later choice waits until `flush` or `choiceOver`. */
  choiceOver(choice: number): void;
}

const END: PartEvent = { type: 'part-end' };

export function createSequencer(emit: Emit): Sequencer {
  const parts: Waiting[] = []; // parts[0] is at the front once `live` is set
  let live: Waiting | undefined;
  let current = 0;
  /** The latest choice of which a part has been told. */
  let shown = 0;

  /** Where the next part to be told stands: the first of the earliest choice; -1 when all must wait. */
  const nextIndex = (): number => {
    let at = -1;
    for (const [index, { choice }] of parts.entries()) {
      if (choice <= current && choice < (parts[at]?.choice ?? Number.POSITIVE_INFINITY)) at = index;
    }
    return at;
  };
  const advance = (): void => {
    while (!live) {
      const index = nextIndex();
      if (index < 0) return;
      const next = parts[index] as Waiting;
      shown = Math.max(shown, next.choice);
      for (const event of next.queue) emit(event);
      next.queue.length = 0;
      if (next.ended) parts.splice(index, 1);
      else live = next;
    }
  };
  const find = (key: string): Waiting | undefined => {
    if (live?.key === key) return live;
    for (let i = parts.length - 1; i >= 0; i--) if (parts[i]?.key === key && !parts[i]?.ended) return parts[i];
    return undefined;
  };
  const finish = (part: Waiting, event: PartEvent): void => {
    part.ended = true;
    if (part !== live) {
      part.queue.push(event);
      return;
    }
    emit(event);
    parts.splice(parts.indexOf(part), 1);
    live = undefined;
    advance();
  };

  return {
    has: (key) => find(key) !== undefined,
    start(key, part, choice = 0) {
      // What comes for a choice after one that follows it is too late to be told.
      if (choice < shown) return;
      parts.push({ key, choice, queue: [{ type: 'part-start', part, ...(choice > 0 ? { choice } : {}) }], ended: false });
      advance();
    },
    push(key, event) {
      const part = find(key);
      if (!part) return;
      if (part === live) emit(event);
      else part.queue.push(event);
    },
    end(key, event = END as Extract<ReplyEvent, { type: 'part-end' }>) {
      const part = find(key);
      if (part) finish(part, event);
    },
    endAll(choice) {
      const open = parts.filter((part) => !part.ended && (choice === undefined || part.choice === choice));
      for (const part of open) finish(part, END);
    },
    choiceOver(choice) {
      if (choice < current) return;
      current = choice + 1;
      advance();
    },
    flush() {
      current = Number.POSITIVE_INFINITY;
      advance();
    },
  };
}
