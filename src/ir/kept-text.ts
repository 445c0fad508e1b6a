import { GatewayError, gatewayFault } from './fault.ts';

/** A block of text is at least so long. */
const BLOCK = 1024;
/** As many pieces stand by themselves at most, and as many of those that are joined: each takes some forty bytes besides its characters. */
const PIECES = 32;
const JOINED = 8;
/** UTF-16 units of one text that is kept: as much as is held of a reply that comes whole. */
const MOST = 64 * 1024 * 1024;

/**
 * The same text, cut loose from what it was cut out of: V8 keeps a text in memory as long as any piece of it is held, and a sum of texts
 * as its pieces. Says the same as its argument, half characters included.
 */
export const ownText = (text: string): string => JSON.parse(JSON.stringify(text)) as string;

/**
 * Gathers small pieces of text, so that those that wait take little more than what their characters take. Its arrays are emptied, not
 * replaced: one that had grown old would keep what was in it until the next large collection.
 */
export class TextBlocks {
  readonly #small: string[] = [];
  /** Those before, joined some at a time. */
  readonly #joined: string[] = [];
  #length = 0;

  /** A block of a memory of its own, as soon as there is one. */
  add(piece: string): string | undefined {
    this.#small.push(piece);
    this.#length += piece.length;
    if (this.#length >= BLOCK) return this.#take();
    if (this.#small.length >= PIECES) this.#join();
    return undefined;
  }

  /** In UTF-16 units. */
  get length(): number {
    return this.#length;
  }

  /** What is no block yet. */
  rest(): string {
    return this.#joined.join('') + this.#small.join('');
  }

  #join(): void {
    if (this.#joined.length >= JOINED) this.#joined.splice(0, JOINED, this.#joined.join(''));
    this.#joined.push(this.#small.join(''));
    this.#small.length = 0;
  }

  #take(): string {
    // What is joined of several is copied; one alone may be a piece of a longer text.
    const isAlone = this.#small.length === 1 && this.#joined.length === 0;
    const block = isAlone ? ownText(this.#small[0] as string) : [...this.#joined, ...this.#small].join('');
    this.#small.length = 0;
    this.#joined.length = 0;
    this.#length = 0;
    return block;
  }
}

/** Text that comes in many small pieces and is kept: takes what its characters take, where `+=` takes sixty bytes a piece. */
export interface KeptText {
  /** Throws `GatewayError` where it becomes too long to be kept. */
  add(piece: string): void;
  /** In UTF-16 units. */
  length(): number;
  text(): string;
}

class Kept implements KeptText {
  readonly #blocks: string[] = [];
  readonly #last = new TextBlocks();
  #before = 0;

  add(piece: string): void {
    const block = this.#last.add(piece);
    if (block === undefined) return;
    this.#blocks.push(block);
    this.#before += block.length;
    if (this.#before <= MOST) return;
    throw new GatewayError(gatewayFault('upstream', 'The upstream sent a longer reply than can be kept', { code: 'upstream_too_long' }));
  }
  length(): number {
    return this.#before + this.#last.length;
  }
  text(): string {
    return this.#blocks.join('') + this.#last.rest();
  }
}

/** Nothing yet. */
export const createKeptText = (): KeptText => new Kept();
