import type { JsonObject } from './json.ts';
import type { CacheMark, HostedTool, NativeValue, Part, Residue } from './part.ts';

/**
 * One message. Tool results are parts of `user` turns. Decoders keep the client's messages apart; encoders join
 * neighbours where their dialect needs it (`mergeTurns`).
 */
export interface Turn {
  readonly role: 'system' | 'developer' | 'user' | 'assistant';
  readonly parts: readonly Part[];
  readonly name?: string;
  readonly residue?: Residue;
}

/** A tool that takes JSON by a schema. */
export interface FunctionTool {
  readonly kind: 'function';
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments, as the client sent it. */
  readonly parameters?: JsonObject;
  readonly strict?: boolean;
  readonly namespace?: string;
  readonly cache?: CacheMark;
  readonly residue?: Residue;
}

/** A tool whose input is free text, perhaps held to a grammar (OpenAI custom tools). */
export interface CustomTool {
  readonly kind: 'custom';
  readonly name: string;
  readonly description?: string;
  readonly format?: JsonObject;
  readonly namespace?: string;
  readonly residue?: Residue;
}

/** A tool that the provider runs. `native` is the client's own definition. */
export interface HostedToolDefinition {
  readonly kind: 'hosted';
  readonly tool: HostedTool;
  readonly name: string;
  readonly allowedDomains?: readonly string[];
  readonly blockedDomains?: readonly string[];
  readonly maxUses?: number;
  readonly userLocation?: JsonObject;
  readonly native: NativeValue;
}

/** A tool that a model may call. */
export type Tool = FunctionTool | CustomTool | HostedToolDefinition;

/** Whether and which tools a model must call. */
export type ToolChoice =
  | { readonly type: 'auto' | 'none' | 'required' }
  | { readonly type: 'tool'; readonly name: string; readonly namespace?: string }
  | { readonly type: 'hosted'; readonly tool: HostedTool; readonly native?: NativeValue }
  | { readonly type: 'allowed'; readonly mode: 'auto' | 'required'; readonly names: readonly string[]; readonly native?: NativeValue };

/** What form an answer must have. */
export type OutputFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json' }
  | {
      readonly type: 'json-schema';
      readonly schema: JsonObject;
      readonly name?: string;
      readonly description?: string;
      readonly strict?: boolean;
    };

/** How much a model is to think, from nothing to all that it can. */
export type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';

/** How much the model should think, and what of it is shown. Every member is as the client said it; encoders map (`reasoning.ts`). */
export interface Reasoning {
  readonly effort?: Effort;
  /** Thinking tokens; -1: the model decides (Gemini). */
  readonly budgetTokens?: number;
  /** Anthropic's adaptive thinking: on, the model decides how much. */
  readonly adaptive?: boolean;
  /** `false`: switched off in so many words. */
  readonly enabled?: boolean;
  /** Whether thoughts, or a summary of them, are wanted back. */
  readonly show?: 'auto' | 'concise' | 'detailed' | 'none';
}

/** A call for text, in any of the four protocols. Everything optional is absent unless the client said it. */
export interface ChatRequest {
  readonly model: string;
  /** The dialect's top-level instructions (Anthropic `system`, Gemini `systemInstruction`, Responses `instructions`). */
  readonly instructions: readonly Part[];
  /** Messages; `system` and `developer` turns stand where the client put them. */
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
  readonly output?: OutputFormat;
  readonly verbosity?: string;
  readonly reasoning?: Reasoning;
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  /** How many answers. */
  readonly n?: number;
  /** Token log probabilities wanted; `top`: how many alternatives at each place. */
  readonly logprobs?: { readonly top?: number };
  /** What the model may answer in besides text: `text`, `image`, `audio`. */
  readonly modalities?: readonly string[];
  readonly stream: boolean;
  /** The client asked for a usage report at the end of its stream (OpenAI `stream_options.include_usage`). */
  readonly includeUsage?: boolean;
  readonly user?: string;
  readonly metadata?: JsonObject;
  readonly serviceTier?: string;
  readonly store?: boolean;
  readonly promptCacheKey?: string;
  /** A cache mark on the whole request (Anthropic's automatic caching). */
  readonly cache?: CacheMark;
  readonly residue?: Residue;
}
