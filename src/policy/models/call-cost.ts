import type { ProtocolId } from '../../ir/index.ts';
import type { Provider } from '../../presets/preset.ts';
import type { Job } from '../routes/expand.ts';
import type { Needs } from '../needs.ts';
import type { Facts } from './model-facts.ts';
import { costOf, type Expected } from './price.ts';

/** A question of which nothing is known. */
const USUAL_QUESTION = 1000;
/** An answer where the call allows that many: what clients set as the most is far more than most answers have. */
const USUAL_ANSWER = 500;

/** What a call is expected to be, in tokens: only how targets compare depends on it. */
export const expectedOf = ({ operation, needs }: Pick<Job, 'operation'> & { readonly needs?: Needs }): Expected => ({
  operation,
  input: needs?.tokens ?? USUAL_QUESTION,
  output: Math.min(needs?.answer ?? USUAL_ANSWER, USUAL_ANSWER),
  ...(operation === 'generate' && needs?.abilities.includes('imageOutput') === true ? { makesImages: true } : {}),
});

/** What such a call would cost at a provider's model, in nano-USD; `undefined` where no price is known. */
export function costAt(
  facts: Facts,
  provider: Provider,
  { protocol, model }: { readonly protocol?: ProtocolId | undefined; readonly model: string },
  expected: Expected,
): number | undefined {
  const { price } = facts.of(provider, protocol, model);
  return price && costOf(price.value, expected, facts.rates);
}
