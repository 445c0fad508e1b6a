import type { Json, JsonObject } from './json.ts';
import type { ProtocolId } from './protocol-id.ts';

/**
 * Fields of a dialect that the shared language has no word for, kept under the dialect's name. Only that dialect's
 * encoder writes them back (beside what it writes itself, which wins).
 */
export type Residue = { readonly [P in ProtocolId]?: JsonObject };

/** A value in one dialect's own words, for that dialect's encoder only. */
export interface NativeValue {
  readonly by: ProtocolId;
  readonly value: JsonObject;
}

/**
 * Sealed state: bytes that mean something to their maker only and return to it unchanged (Anthropic `signature` and
 * redacted thinking, Gemini `thoughtSignature`, OpenAI `encrypted_content`, a chat dialect's `reasoning_details`).
 */
export interface Seal {
  /** The dialect whose field held it. */
  readonly by: ProtocolId;
  /**
   * Who can open it: the preset's `sealMaker` (`anthropic`, `gemini`, `openai` …). Absent: read off a client's request in
   * its own dialect; then `by` alone decides.
   */
  readonly maker?: string;
  readonly value: string;
}

/** A mark after which the provider may cache the prefix (Anthropic `cache_control`). `ttl` as the wire has it: `5m`, `1h`. */
export interface CacheMark {
  readonly ttl?: string;
}

/** Where a claim of the text comes from. Offsets count UTF-16 units in the text part's own text. */
export interface Citation {
  readonly url?: string;
  readonly title?: string;
  /** The words of the source. */
  readonly quote?: string;
  readonly start?: number;
  readonly end?: number;
  readonly native?: NativeValue;
}

/** A token with its log probability, and those of the likeliest others. */
export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes?: readonly number[];
  readonly top?: readonly { readonly token: string; readonly logprob: number; readonly bytes?: readonly number[] }[];
}

interface Common {
  readonly cache?: CacheMark;
  readonly residue?: Residue;
}

/** Words. */
export interface TextPart extends Common {
  readonly kind: 'text';
  readonly text: string;
  readonly citations?: readonly Citation[];
  readonly logprobs?: readonly TokenLogprob[];
  /** Gemini hangs signatures on text parts too, also on a last one with empty text: that part is kept. */
  readonly seal?: Seal;
  /** Item id where the dialect has one (Responses `msg_…`): parts of one item share it. */
  readonly id?: string;
}

/** The model's own refusal text (OpenAI `refusal`). */
export interface RefusalPart extends Common {
  readonly kind: 'refusal';
  readonly text: string;
  readonly id?: string;
}

/** Where the bytes of a file are. */
export type MediaSource =
  | { readonly type: 'base64'; readonly data: string }
  | { readonly type: 'url'; readonly url: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'file'; readonly id: string; readonly by: ProtocolId };

/** An image, a document, a sound or a film. */
export interface MediaPart extends Common {
  readonly kind: 'media';
  readonly media: 'image' | 'audio' | 'video' | 'document';
  /** MIME type; absent when the dialect did not say and the bytes or the address did not show. */
  readonly mediaType?: string;
  readonly source: MediaSource;
  readonly filename?: string;
  readonly title?: string;
  /** Image detail as OpenAI words it. */
  readonly detail?: string;
  readonly seal?: Seal;
  readonly id?: string;
}

/** What a model thought. */
export interface ReasoningPart extends Common {
  readonly kind: 'reasoning';
  /** May be empty: then the seal is all there is. */
  readonly text: string;
  readonly seal?: Seal;
  /** Anthropic `redacted_thinking`: the seal is its data. */
  readonly redacted?: boolean;
  /** `summary`: a summary of the thinking; otherwise the thinking itself. */
  readonly form?: 'summary';
  /** Item id (Responses `rs_…`): neighbouring reasoning parts with one id are segments of one item; the seal is on the last. */
  readonly id?: string;
}

/** A call of one of the client’s tools. */
export interface ToolCallPart extends Common {
  readonly kind: 'tool-call';
  readonly id: string;
  readonly name: string;
  /** JSON text of the arguments, as the model wrote it; for `input: 'text'` (custom tools) the free text itself. */
  readonly argumentsJson: string;
  readonly input?: 'text';
  /** Group of functions that the tool belongs to (Responses `namespace`). */
  readonly namespace?: string;
  readonly seal?: Seal;
  /** Item id (Responses `fc_…`), apart from the call's id. */
  readonly itemId?: string;
}

/** What came of such a call. */
export interface ToolResultPart extends Common {
  readonly kind: 'tool-result';
  readonly callId: string;
  /** The tool's name where the dialect says it (Gemini). */
  readonly name?: string;
  readonly content: readonly Part[];
  readonly isError: boolean;
  /** The result as an object where the dialect sends one (Gemini `functionResponse.response`); `content` then holds its text. */
  readonly json?: Json;
  readonly input?: 'text';
  readonly itemId?: string;
}

/** Tools that the provider runs itself. */
export type HostedTool =
  | 'web-search'
  | 'web-fetch'
  | 'code-execution'
  | 'file-search'
  | 'image-generation'
  | 'computer'
  | 'shell'
  | 'mcp'
  /** Finds the tools whose definitions are deferred. */
  | 'tool-search'
  | 'other';

/** A call of a tool that the provider runs (and perhaps its result, when the dialect has both in one item). */
export interface HostedCallPart extends Common {
  readonly kind: 'hosted-call';
  readonly id: string;
  readonly tool: HostedTool;
  /** The dialect's own word for the tool. */
  readonly name: string;
  /** What it was asked: a query as `{"query": …}`, code as `{"code": …, "language": …}`, addresses as `{"urls": […]}`. */
  readonly inputJson: string;
  readonly seal?: Seal;
  readonly native?: NativeValue;
}

/** What came of a tool that the provider ran itself. */
export interface HostedResultPart extends Common {
  readonly kind: 'hosted-result';
  readonly callId: string;
  readonly tool: HostedTool;
  /** Text that stands for the result: found pages as `title url` lines, the output of code. */
  readonly text: string;
  readonly isError: boolean;
  readonly sources?: readonly { readonly url: string; readonly title?: string }[];
  readonly seal?: Seal;
  readonly native?: NativeValue;
}

/** A block that only one dialect can say. */
export interface NativePart extends Common {
  readonly kind: 'native';
  readonly by: ProtocolId;
  readonly value: JsonObject;
}

/** One piece of a turn. The order of parts is the truth; chat's `content` + `tool_calls` is a projection of it. */
export type Part =
  | TextPart
  | RefusalPart
  | MediaPart
  | ReasoningPart
  | ToolCallPart
  | ToolResultPart
  | HostedCallPart
  | HostedResultPart
  | NativePart;

/** Kinds of media as a message names them. */
export const MEDIA_NAMES: Readonly<Record<MediaPart['media'], string>> = {
  image: 'an image',
  audio: 'audio',
  video: 'a video',
  document: 'a document',
};
