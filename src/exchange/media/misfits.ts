import { GatewayError } from '../../ir/index.ts';
import type { Candidate } from '../../policy/candidate.ts';
import type { Needs } from '../../policy/needs.ts';
import { lookAhead } from '../look-ahead.ts';
import { lostParameters, namesInAll, parameterName } from '../refuse-losses.ts';
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
 * for those of them that it may come to (`tries`). Nothing is sent.
 */
export function misfitsOf(
  call: Asking,
  candidates: readonly Candidate[],
  newId: (prefix: string) => string,
  { strictly, tries }: { readonly strictly: boolean; readonly tries: number },
): Pick<Needs, 'refused' | 'lost'> {
  const { write, snapshot, ability, bytes = 0 } = call;
  if (!write) return {};
  const refused: Record<string, readonly string[]> = {};
  const lost: Record<string, readonly string[]> = {};
  const named = namesInAll();
  lookAhead(candidates, { tries, bytes }, ({ provider: name, model }) => {
    const provider = snapshot.providers.get(name);
    if (!provider?.media.some((one) => one.ability === ability && one.serves(model))) return false;
    const found = misfitAt(write, writingAt(chosenAt(call, provider, model), newId));
    const isLosing = strictly && found.lost.length > 0;
    if (found.refused.length > 0) refused[`${name}/${model}`] = named(found.refused);
    if (isLosing) lost[`${name}/${model}`] = named(found.lost);
    return found.refused.length === 0 && !isLosing;
  });
  return {
    ...(Object.keys(refused).length > 0 ? { refused } : {}),
    ...(Object.keys(lost).length > 0 ? { lost } : {}),
  };
}
