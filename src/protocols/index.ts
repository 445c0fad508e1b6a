import type { FactChanges, ProtocolId } from '../ir/index.ts';
import { anthropicMessages } from './anthropic-messages/index.ts';
import { bedrockConverse } from './bedrock-converse/index.ts';
import { gemini } from './gemini/index.ts';
import { openaiChat } from './openai-chat/index.ts';
import { openaiCompletions } from './openai-completions/index.ts';
import { openaiResponses } from './openai-responses/index.ts';
import type { ClientCodec, ProviderCodec } from './protocol.ts';

/** What clients may speak. */
export const clientCodecs: ReadonlyMap<ProtocolId, ClientCodec> = new Map<ProtocolId, ClientCodec>([
  ['openai-chat', openaiChat],
  ['openai-responses', openaiResponses],
  ['anthropic-messages', anthropicMessages],
  ['gemini', gemini],
  ['openai-completions', openaiCompletions],
]);

/** What providers may be asked in. */
export const providerCodecs: ReadonlyMap<ProtocolId, ProviderCodec> = new Map<ProtocolId, ProviderCodec>([
  ['openai-chat', openaiChat],
  ['openai-responses', openaiResponses],
  ['anthropic-messages', anthropicMessages],
  ['gemini', gemini],
  ['bedrock-converse', bedrockConverse],
  ['openai-completions', openaiCompletions],
]);

/** A dialect's own facts, over the defaults and under a preset's. */
export const codecFacts = (id: ProtocolId): FactChanges => providerCodecs.get(id)?.facts ?? {};
