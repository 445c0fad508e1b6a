import { badField, type ChatRequest, type JsonObject, textOf } from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { residueOf } from './dialect.ts';

/** Writes a request of `/v1/completions`. Throws `GatewayError` for a conversation: how a model reads one is its own business. */
export function encodeRequest(request: ChatRequest, context: TargetContext): JsonObject {
  const { turns, instructions, tools, logprobs } = request;
  const [turn] = turns;
  const plain = turns.length === 1 && turn?.role === 'user' && turn.parts.every((part) => part.kind === 'text');
  if (!plain || instructions.length > 0 || tools.length > 0)
    throw badField('messages', 'Invalid request: this target completes one text, it takes no conversation', 'unsupported_content');
  const members: Readonly<Record<string, JsonObject[string]>> = {
    max_tokens: request.maxOutputTokens,
    temperature: request.temperature,
    top_p: request.topP,
    frequency_penalty: request.frequencyPenalty,
    presence_penalty: request.presencePenalty,
    seed: request.seed,
    stop: request.stop,
    n: request.n,
    logprobs: logprobs && (logprobs.top ?? 0),
    user: request.user,
  };
  const given = Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
  const usage = context.facts.includeUsage || request.includeUsage === true;
  return {
    ...residueOf(request),
    model: context.model,
    prompt: textOf(turn?.parts ?? []),
    ...given,
    ...(request.stream ? { stream: true, ...(usage ? { stream_options: { include_usage: true } } : {}) } : {}),
  };
}
