import { GatewayError, gatewayFault } from '../../ir/index.ts';
import { createHeldBytes } from '../../wire/held-bytes.ts';

/** The largest whole answer that is held: sixteen images as base64. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
/** All answers to what one try asks: where it is several requests, all are held until the last has come. */
const MAX_TRY_BYTES = 512 * 1024 * 1024;

const tooMuch = (): GatewayError =>
  new GatewayError(gatewayFault('upstream', 'The upstream answered with more than can be held', { code: 'upstream_malformed' }));

/** An answer that is held until all of it has come. */
export interface HeldAnswer {
  /** Throws `GatewayError` where it becomes more than can be held. */
  add(piece: Buffer): void;
  whole(): Buffer;
}

/** Gives what holds one answer after another, or side by side, of one try. */
export function createHeldAnswers(): () => HeldAnswer {
  let all = 0;
  return () => {
    const held = createHeldBytes();
    return {
      add(piece) {
        all += piece.length;
        if (held.length() + piece.length > MAX_ANSWER_BYTES || all > MAX_TRY_BYTES) throw tooMuch();
        held.add(piece);
      },
      whole: held.whole,
    };
  };
}
