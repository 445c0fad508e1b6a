import type { Part, Residue } from './part.ts';
import type { Stop } from './stop.ts';
import type { Usage } from './usage.ts';

/** One answer of several (`n` > 1). */
export interface Choice {
  readonly parts: readonly Part[];
  readonly stop: Stop;
}

/** A whole answer. `parts` and `stop` are the first choice; `others` the rest, in order. */
export interface Reply extends Choice {
  readonly id: string;
  /** The upstream's own word for the model. */
  readonly model: string;
  /** Seconds since 1970, where the wire says it. */
  readonly createdAt?: number;
  readonly others?: readonly Choice[];
  readonly usage?: Usage;
  readonly serviceTier?: string;
  readonly residue?: Residue;
}
