import type { EmbeddingsRequest } from './shape.ts';

/** The texts of a request to a target that takes nothing else: what is none has been seen to. */
export const textsOf = ({ inputs }: EmbeddingsRequest): readonly string[] =>
  inputs.map((one) => {
    if (one.kind !== 'text') throw new Error(`${one.kind} are not for this target`);
    return one.text;
  });
