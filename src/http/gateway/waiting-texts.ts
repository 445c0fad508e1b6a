/** Letters that are joined; of longer texts each stands by itself. */
const BLOCK = 2048;

interface Block {
  readonly text: string;
  readonly lengths: readonly number[];
}

/**
 * Texts that wait, in their order. Small ones wait as one: by itself each takes some hundred bytes besides its letters, and all that it was
 * cut out of.
 */
export class WaitingTexts {
  readonly #blocks: Block[] = [];
  /** Those that came last, of which no block was made yet. */
  readonly #last: string[] = [];
  #lastLength = 0;
  /** Of the first block, how many texts are taken, and their letters. */
  #taken = 0;
  #takenLength = 0;

  get isEmpty(): boolean {
    return this.#blocks.length === 0 && this.#last.length === 0;
  }

  push(text: string): void {
    this.#last.push(text);
    this.#lastLength += text.length;
    if (this.#lastLength < BLOCK) return;
    this.#blocks.push({ text: this.#last.join(''), lengths: this.#last.map(({ length }) => length) });
    this.#last.length = 0;
    this.#lastLength = 0;
  }

  /** Takes the first one. */
  shift(): string | undefined {
    const [block] = this.#blocks;
    if (block) return this.#next(block);
    const text = this.#last.shift();
    this.#lastLength -= text?.length ?? 0;
    return text;
  }

  #next({ text, lengths }: Block): string {
    const end = this.#takenLength + (lengths[this.#taken] as number);
    const next = text.slice(this.#takenLength, end);
    this.#taken++;
    this.#takenLength = end;
    if (this.#taken < lengths.length) return next;
    this.#blocks.shift();
    this.#taken = 0;
    this.#takenLength = 0;
    return next;
  }
}
