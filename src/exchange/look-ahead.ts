import type { Candidate } from '../policy/candidate.ts';

/** How far it is looked ahead of a call. */
export interface LookAhead {
  /** Tries that the call has: what comes after so many targets that fit is not reached. */
  readonly tries: number;
  /** Size of the call's body. */
  readonly bytes: number;
}

/** A body that takes milliseconds to be written: nobody else is served meanwhile. */
const LARGE_BYTES = 1024 * 1024;

/**
 * Looks at candidates in their order until as many fit (`fitsAt`) as the call may be tried at; for a large body at no more than so many in
 * all. What was not looked at says for itself what it will not take.
 */
export function lookAhead(candidates: readonly Candidate[], { tries, bytes }: LookAhead, fitsAt: (candidate: Candidate) => boolean): void {
  const isOpen = ({ verdict }: Candidate): boolean => verdict !== 'rejected';
  let left = tries;
  for (const one of bytes > LARGE_BYTES ? candidates.filter(isOpen).slice(0, tries) : candidates) {
    if (left <= 0) return;
    // One that is out now may come back where the others do not fit, and is no place to go until then.
    if (fitsAt(one) && isOpen(one)) left--;
  }
}
