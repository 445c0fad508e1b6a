import { inLanguage, type Language } from '../config/language.ts';
import type { Candidate, Decision } from '../policy/decide.ts';
import { twoColumns } from './help.ts';
import type { Messages } from './messages.ts';
import { reasonWords } from './reason-words.ts';

const RANK = { chosen: 0, eligible: 1, rejected: 2 } as const;

/** Candidates as people read them: what is tried, in order, then what is left out. */
export const inOrder = (candidates: readonly Candidate[]): readonly Candidate[] =>
  candidates.toSorted((a, b) => RANK[a.verdict] - RANK[b.verdict]);

/** What people are shown of a decision: the order of trying, then what is left out, each with why. */
export function decisionText({ asked, candidates, refusal }: Decision, messages: Messages, language: Language): string {
  const ordered = inOrder(candidates);
  const chosen = ordered.find(({ verdict }) => verdict === 'chosen');
  const row = (one: Candidate): [string, string] => {
    const mark = one.verdict === 'rejected' ? '-' : one.verdict === 'chosen' ? '1.' : '+';
    const name = `${mark} ${one.provider}/${one.model}${one.protocol === undefined ? '' : ` (${one.protocol})`}`;
    const reasons = one.reasons.map((code) => inLanguage(reasonWords(code), language)).join(messages.comma);
    const after = one.after ? `${messages.onlyAfter(one.after.join(messages.comma))}${messages.comma}` : '';
    return [name, `${messages[one.verdict]}${messages.colon}${language === 'zh' ? '' : ' '}${after}${reasons}`];
  };
  const head = chosen ? `${asked} → ${chosen.provider}/${chosen.model}` : `${asked} → ${messages.nowhere(refusal?.message ?? '')}`;
  return ordered.length === 0 ? `${head}\n` : `${head}\n${twoColumns(ordered.map(row))}\n`;
}
