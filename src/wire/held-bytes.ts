/** Shorter pieces are put together: each takes more than a hundred bytes besides what is in it. */
const SHORT_BYTES = 1024;
const BLOCK_BYTES = 16 * 1024;
/** So many stand by themselves first: most of what is held comes in a few. */
const FEW = 16;

/** Bytes that are held until all have come, in pieces however small. */
export interface HeldBytes {
  add(piece: Buffer): void;
  /** How many there are. */
  length(): number;
  /** All of them. */
  whole(): Buffer;
}

/** Nothing yet. */
export function createHeldBytes(): HeldBytes {
  const pieces: Buffer[] = [];
  let length = 0;
  let block: Buffer | undefined;
  /** Where in the block that begins which is not among the pieces yet, and where it ends. */
  let from = 0;
  let to = 0;
  const close = (): void => {
    if (block && to > from) pieces.push(block.subarray(from, to));
    from = to;
  };
  const join = (piece: Buffer): void => {
    if (!block || to + piece.length > BLOCK_BYTES) {
      close();
      block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      from = to = 0;
    }
    to += piece.copy(block, to);
  };
  return {
    add(piece) {
      length += piece.length;
      if (piece.length < SHORT_BYTES && pieces.length >= FEW) return join(piece);
      close();
      pieces.push(piece);
    },
    length: () => length,
    whole() {
      close();
      return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, length);
    },
  };
}
