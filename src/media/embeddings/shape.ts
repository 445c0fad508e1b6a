import type { JsonObject } from '../../ir/index.ts';
import type { Counted, MediaTarget, WholeCodec } from '../codec.ts';

/** What a vector will be used for: a model that is trained for it embeds a question otherwise than its answer. */
export type EmbeddingTask =
  | 'query'
  | 'document'
  | 'similarity'
  | 'classification'
  | 'clustering'
  | 'question-answering'
  | 'fact-verification'
  | 'code-query';

/** One thing to be embedded: text, token numbers of OpenAI's, or Gemini's parts where they are more than text. */
export type EmbeddingContent =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tokens'; readonly tokens: readonly number[] }
  | { readonly kind: 'parts'; readonly parts: readonly JsonObject[] };

/** What is asked for one input, or for several alike. */
export interface EmbeddingWish {
  readonly task?: EmbeddingTask;
  /** Title of a document. */
  readonly title?: string;
  readonly dimensions?: number;
}

/** An input with what is asked for it, and its place in the client's body. */
export interface EmbeddingInput {
  readonly content: EmbeddingContent;
  readonly wish: EmbeddingWish;
  readonly at: string;
}

/** What the client calls things: for notes and errors. */
export interface WishNames {
  /** The list of inputs. */
  readonly inputs: string;
  readonly task: string;
  readonly title: string;
  readonly dimensions: string;
}

/** What a client asks for, of any length. */
export interface EmbeddingsCall {
  readonly inputs: readonly EmbeddingInput[];
  readonly names: WishNames;
  /** The client wants vectors as base64: asked for where the target can say them so. */
  readonly base64: boolean;
  /** Nobody asked for what is wished: that a target cannot say it is no loss. */
  readonly implied?: boolean;
  readonly user?: string;
  /** Members of an OpenAI body that are not known here, for a target of that dialect. */
  readonly rest?: JsonObject;
  /** Other members that are not known here: nobody can be told them. */
  readonly unknown?: readonly string[];
}

/** One request to a provider: inputs that want the same, no more of them than it takes at once. */
export interface EmbeddingsRequest extends EmbeddingWish {
  readonly inputs: readonly EmbeddingContent[];
  readonly names: WishNames;
  readonly base64: boolean;
  readonly user?: string;
  readonly rest?: JsonObject;
}

/** Numbers, or the base64 of little-endian float32: as the provider said it. */
export type Vector = readonly number[] | string;

/** One vector an input, in their order. */
export interface EmbeddingsReply extends Counted {
  readonly vectors: readonly Vector[];
}

type Options = Readonly<Record<string, string | number | boolean>>;

/** Looks into a body that was not parsed. */
export interface BodyMembers {
  /** The JSON text of a short member; `undefined` when it is absent or null. */
  text(name: string): string | undefined;
}

/** A provider's wire for embeddings. */
export interface EmbeddingsCodec extends WholeCodec<EmbeddingsRequest, EmbeddingsReply> {
  /** Inputs in one request, where the preset says nothing else. */
  readonly batch: number;
  /** Takes titles of documents. */
  readonly titles?: boolean;
  /** Can be told what vectors are for. */
  readonly tasks?: (options: Options) => boolean;
  /** Takes token numbers in place of text. */
  readonly tokens?: (options: Options) => boolean;
  /** Takes Gemini's parts. */
  readonly parts?: boolean;
  /** It speaks a dialect that clients have, whose bytes may pass as they are. */
  readonly relay?: {
    readonly dialect: 'openai' | 'gemini';
    /** Path below the base. `verb`: what a Gemini client called. */
    path(target: Pick<MediaTarget, 'model' | 'options' | 'settings'>, verb: string): string;
    /** Whether this body says nothing that the provider says in another way. */
    takes(options: Options, body: BodyMembers, verb: string): boolean;
  };
}
