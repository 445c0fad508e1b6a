import type { Notes } from '../../ir/index.ts';
import type { Spot } from '../../policy/conversations.ts';
import type { AttemptEnd, Call } from '../call.ts';
import type { Step, Trying } from './walking.ts';

const WHY = {
  target: 'the conversation goes to another target than before, whose prompt cache does not hold it',
  key: 'the conversation goes with another key of the provider than before, whose prompt cache may not hold it',
} as const;

/** Where a conversation goes that is to stay where it was; `undefined` where nothing keeps it, or nothing tells it. */
function spotOf(
  { snapshot, model: asked }: Pick<Call, 'snapshot' | 'model'>,
  { candidate, provider }: Pick<Step, 'candidate' | 'provider'>,
  sessionOf: () => string | undefined,
): Spot | undefined {
  const isSticky = candidate.reasons.includes('sticky_session');
  const hasKeys = snapshot.providers.get(candidate.provider)?.credentials !== undefined;
  const session = isSticky || hasKeys ? sessionOf() : undefined;
  if (session === undefined) return undefined;
  return {
    session,
    asked,
    provider: candidate.provider,
    ...(isSticky ? { target: `${candidate.provider}/${candidate.model}` } : {}),
    ...(hasKeys ? { credential: provider.credential } : {}),
  };
}

/** Makes a try, and says where its conversation had to leave its target or its key for it. */
export function tellingMoves(
  call: Pick<Call, 'snapshot' | 'model'>,
  step: Pick<Step, 'candidate' | 'provider'>,
  { session, notes }: { readonly session: () => string | undefined; readonly notes: Notes },
  { conversations }: Pick<Trying, 'conversations'>,
  run: () => Promise<AttemptEnd>,
): Promise<AttemptEnd> {
  const spot = spotOf(call, step, session);
  return spot ? telling(spot, notes, conversations, run) : run();
}

async function telling(
  spot: Spot,
  notes: Notes,
  conversations: Trying['conversations'],
  run: () => Promise<AttemptEnd>,
): Promise<AttemptEnd> {
  for (const move of conversations.moves(spot)) notes.add(`affinity.${move}`, 'moved', WHY[move]);
  const end = await run();
  // From the first token on its prompt is in that cache.
  if (end.firstTokenAt !== undefined) conversations.stays(spot);
  return end;
}
