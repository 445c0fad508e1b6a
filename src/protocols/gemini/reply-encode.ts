import { type Choice, isObject, type JsonObject, type Part, type Reply, type Stop, type TokenLogprob } from '../../ir/index.ts';
import type { ReplyContext } from '../protocol.ts';
import { normal, objects, residueOf } from './dialect.ts';
import { encodeGrounding, type PlacedCitation } from './grounding.ts';
import { encodeLogprobs } from './logprobs.ts';
import { encodeReplyPart } from './reply-part-encode.ts';
import { finishReason } from './stops.ts';
import { encodeUsage } from './usage.ts';

/** The reply's id: one that the gateway has given, the upstream's, or a new one. */
export const responseId = (id: string, context: ReplyContext): string => context.replyId ?? (id === '' ? context.newId('') : id);

/** What hangs on the texts of a candidate and is told beside its content. */
export interface Beside {
  readonly text: string;
  readonly citations: readonly PlacedCitation[];
  readonly logprobs: readonly TokenLogprob[];
}

/** A candidate's members beside its content. `own`: what this dialect said of it, in its own words. */
export function encodeBeside(stop: Stop, index: number, own: JsonObject, { text, citations, logprobs }: Beside): JsonObject {
  const isTold = own['groundingMetadata'] !== undefined || own['citationMetadata'] !== undefined;
  const groundingMetadata = isTold ? undefined : encodeGrounding(citations, text);
  const logprobsResult = encodeLogprobs(logprobs);
  return {
    finishReason: finishReason(stop),
    index,
    ...own,
    ...(groundingMetadata ? { groundingMetadata } : {}),
    ...(logprobsResult ? { logprobsResult } : {}),
  };
}

/** Whether a reply is Google's refusal of the prompt, which has no candidates. */
export function isBlocked(residue: JsonObject, parts: number): boolean {
  const { promptFeedback } = residue;
  return parts === 0 && isObject(promptFeedback) && normal(promptFeedback)['blockReason'] !== undefined;
}

function besideOf(parts: readonly Part[]): Beside {
  const citations: PlacedCitation[] = [];
  const logprobs: TokenLogprob[] = [];
  let text = '';
  for (const part of parts) {
    if (part.kind === 'refusal') text += part.text;
    if (part.kind !== 'text') continue;
    for (const citation of part.citations ?? []) citations.push({ citation, base: text.length });
    logprobs.push(...(part.logprobs ?? []));
    text += part.text;
  }
  return { text, citations, logprobs };
}

function encodeCandidate(choice: Choice, index: number, own: JsonObject, context: ReplyContext): JsonObject {
  const parts = choice.parts.flatMap((part) => encodeReplyPart(part, context));
  return { content: { parts, role: 'model' }, ...encodeBeside(choice.stop, index, own, besideOf(choice.parts)) };
}

/** What this dialect said of the reply as a whole, and of each candidate. */
export function ownWords(residue: JsonObject): { readonly envelope: JsonObject; readonly candidates: readonly JsonObject[] } {
  const { candidates, ...envelope } = residue;
  return { envelope, candidates: objects(candidates) };
}

/** Writes a whole reply. */
export function encodeReply(reply: Reply, context: ReplyContext): JsonObject {
  const { envelope, candidates } = ownWords(residueOf(reply));
  const choices = [reply, ...(reply.others ?? [])];
  const blocked = isBlocked(
    envelope,
    choices.reduce((sum, choice) => sum + choice.parts.length, 0),
  );
  return {
    ...(blocked ? {} : { candidates: choices.map((choice, index) => encodeCandidate(choice, index, candidates[index] ?? {}, context)) }),
    ...envelope,
    ...(reply.usage ? { usageMetadata: encodeUsage(reply.usage) } : {}),
    modelVersion: reply.model,
    responseId: responseId(reply.id, context),
  };
}
