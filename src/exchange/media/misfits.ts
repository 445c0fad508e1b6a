import { GatewayError } from '../../ir/index.ts';
import type { Candidate } from '../../policy/candidate.ts';
import type { Needs } from '../../policy/needs.ts';
import { lostParameters, parameterName } from '../refuse-losses.ts';
import type { Asking } from './choose-media.ts';
import { chosenAt, type Writing, writingAt } from './writing.ts';

/** What a call would meet at one target. */
interface Misfit {
  readonly refused: readonly string[];
  readonly lost: readonly string[];
}

function misfitAt(write: NonNullable<Asking['write']>, writing: Writing): Misfit {
  try {
    write(writing);
    return { refused: [], lost: lostParameters(writing.notes) };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { refused: [parameterName(error.fault.param ?? 'request')], lost: [] };
  }
}

/**
 * What targets would refuse of a call, and, where nothing may be left out (`strictly`), what they would leave out: found by writing it
 * for each of them. Nothing is sent.
 */
export function misfitsOf(
  call: Asking,
  candidates: readonly Candidate[],
  newId: (prefix: string) => string,
  strictly: boolean,
): Pick<Needs, 'refused' | 'lost'> {
  const { write, snapshot, ability } = call;
  if (!write) return {};
  const refused: Record<string, readonly string[]> = {};
  const lost: Record<string, readonly string[]> = {};
  for (const { provider: name, model } of candidates) {
    const provider = snapshot.providers.get(name);
    if (!provider?.media.some((one) => one.ability === ability && one.serves(model))) continue;
    const found = misfitAt(write, writingAt(chosenAt(call, provider, model), newId));
    if (found.refused.length > 0) refused[`${name}/${model}`] = found.refused;
    if (strictly && found.lost.length > 0) lost[`${name}/${model}`] = found.lost;
  }
  return {
    ...(Object.keys(refused).length > 0 ? { refused } : {}),
    ...(Object.keys(lost).length > 0 ? { lost } : {}),
  };
}
