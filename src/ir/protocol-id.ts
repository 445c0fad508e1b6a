/**
 * The wire formats. The first four are spoken on both sides; `openai-completions` (legacy) is spoken by clients and
 * relayed to providers that have it; `bedrock-converse` is outbound only.
 */
export type ProtocolId = 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini' | 'openai-completions' | 'bedrock-converse';
