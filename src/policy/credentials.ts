import { hashUnit } from './routes/hash.ts';

/** One of several ways to pay a provider. */
export interface Weighted {
  readonly id: string;
  readonly weight: number;
}

/** What a choice depends on. */
export interface Choosing {
  /** From 0 up to, not including, 1. */
  readonly random: number;
  /** What the conversation is told by; absent: each call is on its own. */
  readonly session?: string;
  readonly isOut: (id: string) => boolean;
}

function byWeight<T extends Weighted>(some: readonly T[], random: number): T | undefined {
  let point = random * some.reduce((sum, { weight }) => sum + weight, 0);
  for (const one of some) {
    point -= one.weight;
    if (point < 0) return one;
  }
  return some[0];
}

/** Highest random weight: where one goes out, only its own conversations move, and they come back with it. */
function bySession<T extends Weighted>(some: readonly T[], session: string): T | undefined {
  let best: T | undefined;
  let most = -1;
  for (const one of some) {
    const score = one.weight <= 0 ? 0 : one.weight / -Math.log(hashUnit(`${one.id}\u0000${session}`));
    if (score > most) [best, most] = [one, score];
  }
  return best;
}

/** The credential for a call, of those that are not out; `undefined` when all are. A weight of 0: only when no other is left. */
export function chooseCredential<T extends Weighted>(all: readonly T[], { random, session, isOut }: Choosing): T | undefined {
  const standing = all.length === 1 && !isOut(all[0]?.id ?? '') ? all : all.filter(({ id }) => !isOut(id));
  if (standing.length <= 1) return standing[0];
  const usual = standing.filter(({ weight }) => weight > 0);
  const some = usual.length > 0 ? usual : standing;
  return session === undefined ? byWeight(some, random) : bySession(some, session);
}
