import { numbersOf } from '../embeddings/vectors.ts';
import type { Vector } from '../embeddings/shape.ts';

/** How alike the directions of two vectors are, from -1 to 1; 0 where one has none, or they have not the same length. */
export function cosine(a: Vector, b: Vector): number {
  const left = numbersOf(a);
  const right = numbersOf(b);
  if (left.length !== right.length) return 0;
  let dot = 0;
  let leftSquares = 0;
  let rightSquares = 0;
  for (let at = 0; at < left.length; at++) {
    const x = left[at] ?? 0;
    const y = right[at] ?? 0;
    dot += x * y;
    leftSquares += x * x;
    rightSquares += y * y;
  }
  const lengths = Math.sqrt(leftSquares) * Math.sqrt(rightSquares);
  return lengths === 0 ? 0 : dot / lengths;
}
