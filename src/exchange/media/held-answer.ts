import { GatewayError, gatewayFault } from '../../ir/index.ts';

/** The largest whole answer that is held: sixteen images as base64. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

const tooMuch = (): GatewayError =>
  new GatewayError(gatewayFault('upstream', 'The upstream answered with more than can be held', { code: 'upstream_malformed' }));

/** An answer that is held until all of it has come. */
export interface HeldAnswer {
  /** Throws `GatewayError` where it becomes more than can be held. */
  add(piece: Buffer): void;
  whole(): Buffer;
}

/** Nothing has come. */
export function createHeldAnswer(): HeldAnswer {
  const pieces: Buffer[] = [];
  let bytes = 0;
  return {
    add(piece) {
      bytes += piece.length;
      if (bytes > MAX_ANSWER_BYTES) throw tooMuch();
      pieces.push(piece);
    },
    whole: () => Buffer.concat(pieces, bytes),
  };
}
