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

/** A class, since there is one for each stream that is read: a function for each of its doings would cost each stream more than its words. */
class PartSequencer implements Sequencer {
  readonly #emit: Emit;
  /** The first is at the front once `#live` is set. */
  readonly #parts: Waiting[] = [];
  #live: Waiting | undefined;
  #current = 0;
  /** The latest choice of which a part has been told. */
  #shown = 0;

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  has(key: string): boolean {
    return this.#find(key) !== undefined;
  }

  start(key: string, part: PartHead, choice = 0): void {
    // What comes for a choice after one that follows it is too late to be told.
    if (choice < this.#shown) return;
    this.#parts.push({ key, choice, queue: [{ type: 'part-start', part, ...(choice > 0 ? { choice } : {}) }], ended: false });
    this.#advance();
  }

  push(key: string, event: PartEvent): void {
    const part = this.#find(key);
    if (!part) return;
    if (part === this.#live) this.#emit(event);
    else part.queue.push(event);
  }

  end(key: string, event: PartEvent = END): void {
    const part = this.#find(key);
    if (part) this.#finish(part, event);
  }

  endAll(choice?: number): void {
    const open = this.#parts.filter((part) => !part.ended && (choice === undefined || part.choice === choice));
    for (const part of open) this.#finish(part, END);
  }

  choiceOver(choice: number): void {
    if (choice < this.#current) return;
    this.#current = choice + 1;
    this.#advance();
  }

  flush(): void {
    this.#current = Number.POSITIVE_INFINITY;
    this.#advance();
  }

  /** Where the next part to be told stands: the first of the earliest choice; -1 when all must wait. */
  #nextIndex(): number {
    let at = -1;
    for (const [index, { choice }] of this.#parts.entries()) {
      if (choice <= this.#current && choice < (this.#parts[at]?.choice ?? Number.POSITIVE_INFINITY)) at = index;
    }
    return at;
  }

  #advance(): void {
    while (!this.#live) {
      const index = this.#nextIndex();
      if (index < 0) return;
      const next = this.#parts[index] as Waiting;
      this.#shown = Math.max(this.#shown, next.choice);
      for (const event of next.queue) this.#emit(event);
      next.queue.length = 0;
      if (next.ended) this.#parts.splice(index, 1);
      else this.#live = next;
    }
  }

  #find(key: string): Waiting | undefined {
    if (this.#live?.key === key) return this.#live;
    return this.#parts.findLast((part) => part.key === key && !part.ended);
  }

  #finish(part: Waiting, event: PartEvent): void {
    part.ended = true;
    if (part !== this.#live) {
      part.queue.push(event);
      return;
    }
    this.#emit(event);
    this.#parts.splice(this.#parts.indexOf(part), 1);
    this.#live = undefined;
    this.#advance();
  }
}

/** Nothing has begun. */
export const createSequencer = (emit: Emit): Sequencer => new PartSequencer(emit);
