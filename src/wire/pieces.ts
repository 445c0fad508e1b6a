/*
 * Buffers for large pieces of bodies that go round: made anew for each, a gigabyte of them would have to be collected, which
 * costs more than all else that is done with bytes that pass. Whoever has used one up gives it back; one that is kept, or
 * forgotten, is collected as any other.
 */

/** As much as is read at once. */
const PIECE_BYTES = 64 * 1024;
/** Smaller ones would keep much more than they are where somebody gathers them. */
const LEAST_BYTES = 48 * 1024;
/** How many wait for the next use. */
const MAX_FREE = 64;

const ours = new WeakSet<ArrayBufferLike>();
const free: Buffer[] = [];

/** A copy of bytes whose place is read into again. */
export function copyPiece(bytes: Buffer): Buffer {
  const { length } = bytes;
  if (length < LEAST_BYTES || length > PIECE_BYTES) return Buffer.from(bytes);
  let piece = free.pop();
  if (!piece) {
    piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    ours.add(piece.buffer);
  }
  bytes.copy(piece);
  return piece.subarray(0, length);
}

/** What is kept of a read: a small piece as a copy of its own, not in Node's pool either, since it would keep all that was read with it. */
export function keptPiece(bytes: Buffer): Buffer {
  if (bytes.length * 4 >= bytes.buffer.byteLength) return bytes;
  const kept = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(kept);
  return kept;
}

/** Gives back what was used up: nobody may look at it any more, nor give it back again. */
export function reusePiece(bytes: Uint8Array): void {
  if (bytes.length >= LEAST_BYTES && free.length < MAX_FREE && ours.has(bytes.buffer)) free.push(Buffer.from(bytes.buffer));
}
