import type { JsonObject } from '../../ir/index.ts';
import type { Counted } from '../codec.ts';

/** Something to be judged: a text, or OpenAI's parts with texts and images together. */
export type ModerationInput =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'parts'; readonly parts: readonly JsonObject[] };

/** Inputs to be judged, one by one. */
export interface ModerationsRequest {
  readonly inputs: readonly ModerationInput[];
}

/** The judgement of one input, with categories in the provider's words. */
export interface Judgement {
  readonly flagged: boolean;
  readonly categories: Readonly<Record<string, boolean>>;
  readonly scores: Readonly<Record<string, number>>;
  /** Which kinds of input a category was judged by. */
  readonly appliedTypes?: JsonObject;
}

/** One judgement an input, in their order. */
export interface ModerationsReply extends Counted {
  readonly id?: string;
  readonly results: readonly Judgement[];
}
