import type { JsonObject } from '../../ir/index.ts';
import type { Counted } from '../codec.ts';

/** A document as it was sent: its text, and the object that it stood in where it was one. */
export interface RerankDocument {
  readonly text: string;
  readonly object?: JsonObject;
}

/** Texts to be put in order of how well they answer a query. */
export interface RerankRequest {
  readonly query: string;
  readonly documents: readonly RerankDocument[];
  readonly topN?: number;
  /** Cohere and others: tokens of a document that are read. */
  readonly maxTokensPerDocument?: number;
  /** Members that are not known here, and whose dialect they are of. */
  readonly rest?: JsonObject;
  readonly dialect?: 'classic' | 'cohere';
}

/** The order that came out; `index` is a document's place in the request, the best first. */
export interface RerankReply extends Counted {
  readonly id?: string;
  readonly results: readonly { readonly index: number; readonly score: number }[];
  /** What a provider that bills by searches says. */
  readonly searchUnits?: number;
  /** The scores are likenesses of embeddings: no reranker was asked. */
  readonly emulated?: boolean;
}
