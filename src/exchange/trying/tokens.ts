import { parseObject } from '../../ir/index.ts';
import { expectedOf } from '../../policy/models/call-cost.ts';
import type { Needs } from '../../policy/needs.ts';
import type { Call } from '../call.ts';
import { readNeeds } from '../read-needs.ts';

/**
 * How many tokens a chat is expected to take, counted when that is first asked: those of its question, low, and as many for its answer
 * as most have, or fewer where the call allows no more. `known`: what the decision has read of the body.
 */
export function tokensReader({ prepared, body }: Pick<Call, 'prepared' | 'body'>, known: Needs | undefined): () => number {
  let tokens: number | undefined;
  return () => {
    if (tokens !== undefined) return tokens;
    const needs = known ?? readNeeds(prepared?.body ?? parseObject(body.toString('utf8')) ?? {});
    const { input, output } = expectedOf({ operation: 'generate', needs });
    return (tokens = input + output);
  };
}
