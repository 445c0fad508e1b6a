/**
 * What a target's wire takes, beyond what its protocol says: data from presets (per provider and per model), read by
 * the encoders. Every member has a default in `DEFAULT_FACTS`; presets list differences.
 */
export interface TargetFacts {
  /** What a tool-call id may look like; others are rewritten (`tool-ids.ts`). */
  readonly toolId: { readonly max: number; readonly charset: 'any' | 'word'; readonly exact?: number };
  /** `developer` messages are understood (else they are sent as `system`). */
  readonly developerRole: boolean;
  /** Anthropic wires: `system` messages between the others, after a user's one, are taken (newest Claude); absent: no. */
  readonly midSystem?: boolean;
  /** Where the field for the answer's length goes (chat). */
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens';
  /** The dialect insists on a maximum (Anthropic): what to send when the client named none. */
  readonly defaultMaxTokens: number;
  /** `temperature`, `top_p`, … are accepted at all (reasoning models of OpenAI and newest Claude refuse them). */
  readonly sampling: boolean;
  /** The highest temperature taken; above is lowered with a note. */
  readonly maxTemperature: number;
  readonly topK: boolean;
  /** `temperature` and `top_p` may come together; absent: yes. Claude since 4.1 refuses both in one request. */
  readonly temperatureWithTopP?: boolean;
  readonly penalties: boolean;
  readonly seed: boolean;
  readonly logprobs: boolean;
  /** `n` > 1 in one call. */
  readonly n: boolean;
  readonly maxStop: number;
  readonly parallelToolCalls: boolean;
  readonly strictTools: boolean;
  /** `tool_choice: required` and naming a tool are taken; if not they become `auto` plus an instruction, with a note. */
  readonly forcedToolChoice: boolean;
  readonly output: 'json-schema' | 'json-object' | 'none';
  /** Chat: the field in which an assistant message carries its reasoning back; `none`: it must not be sent. */
  readonly reasoningField: 'reasoning_content' | 'reasoning' | 'reasoning_details' | 'none';
  /** Chat: thoughts must come back in that field beside the tool calls that they led to, or the turn is refused; absent: no. */
  readonly thoughtsWithCalls?: boolean;
  /** How the wire is told to think: see each encoder. */
  readonly reasoningControl:
    | 'effort' // reasoning_effort / reasoning.effort
    | 'openrouter' // reasoning: { effort | max_tokens | enabled }
    | 'thinking-type' // thinking: { type: enabled | disabled }
    | 'enable-thinking' // enable_thinking: bool, thinking_budget
    | 'chat-template' // chat_template_kwargs: { enable_thinking }
    | 'budget' // Anthropic thinking.budget_tokens, Gemini thinkingBudget
    | 'adaptive' // Anthropic thinking: { type: adaptive } with output_config.effort
    | 'level' // Gemini thinkingLevel
    | 'none';
  /** Effort words that the target takes; others go to the nearest. */
  readonly efforts: readonly string[];
  readonly maxBudgetTokens: number;
  /** Sources that it can fetch or read itself; what is missing here is inlined by the gateway, or refused. */
  readonly media: {
    readonly image: 'url-and-bytes' | 'bytes' | 'url' | 'none';
    readonly document: 'url-and-bytes' | 'bytes' | 'url' | 'none';
    readonly audio: 'url-and-bytes' | 'bytes' | 'url' | 'none';
    readonly video: 'url-and-bytes' | 'bytes' | 'url' | 'none';
  };
  /** Media inside tool results. */
  readonly mediaInToolResults: boolean;
  /** Message content must be one string (some compatible servers). */
  readonly stringContent: boolean;
  /** Gemini: tools take full JSON Schema in `parametersJsonSchema` and `responseJsonSchema`. */
  readonly jsonSchemaFields: boolean;
  /** Gemini: functionCall and functionResponse take ids. */
  readonly geminiToolIds: boolean;
  /** Hosted tools that the wire has under its own names. */
  readonly hostedTools: readonly string[];
  /** Anthropic `cache_control` is understood on this wire (also by some chat wires, as OpenRouter's). */
  readonly cacheControl: boolean;
  /** Ask for `stream_options.include_usage` so that a streamed call is counted. */
  readonly includeUsage: boolean;
  readonly store: boolean;
  /** `response.encrypted_content` can be asked for with `include`. */
  readonly encryptedReasoning: boolean;
  /** Metadata, user and the like are taken. */
  readonly metadata: boolean;
  /** Chat: fields that only some wires take, sent for clients of other dialects where they are listed here; absent: none. */
  readonly chatFields?: readonly ('verbosity' | 'prompt_cache_key' | 'custom_tools')[];
}

/** What is taken to be true of a target of which nothing else is known. */
export const DEFAULT_FACTS: TargetFacts = {
  toolId: { max: 64, charset: 'any' },
  developerRole: false,
  maxTokensField: 'max_tokens',
  defaultMaxTokens: 8192,
  sampling: true,
  maxTemperature: 2,
  topK: false,
  penalties: true,
  seed: true,
  logprobs: true,
  n: true,
  maxStop: 16,
  parallelToolCalls: true,
  strictTools: true,
  forcedToolChoice: true,
  output: 'json-schema',
  reasoningField: 'reasoning_content',
  reasoningControl: 'effort',
  efforts: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'],
  maxBudgetTokens: 32_768,
  media: { image: 'url-and-bytes', document: 'url-and-bytes', audio: 'bytes', video: 'none' },
  mediaInToolResults: false,
  stringContent: false,
  jsonSchemaFields: true,
  geminiToolIds: false,
  hostedTools: [],
  cacheControl: false,
  includeUsage: true,
  store: true,
  encryptedReasoning: false,
  metadata: true,
};

/** Differences from the defaults, as presets list them. */
export type FactChanges = { readonly [K in keyof TargetFacts]?: TargetFacts[K] };
