import type { Part, ReasoningPart, RefusalPart, TextPart } from '../../ir/index.ts';
import { residueOf } from './dialect.ts';

/** Parts that are one item of this dialect. */
export type PartGroup =
  | { readonly kind: 'message'; readonly parts: readonly (TextPart | RefusalPart)[] }
  | { readonly kind: 'reasoning'; readonly parts: readonly ReasoningPart[] }
  | { readonly kind: 'single'; readonly part: Exclude<Part, TextPart | RefusalPart | ReasoningPart> };

const isSaid = (part: Part): part is TextPart | RefusalPart => part.kind === 'text' || part.kind === 'refusal';

type Joint = { readonly kind: Part['kind']; readonly id?: string | undefined; readonly residue?: Part['residue'] };

/** Whether a text goes on in the item of the one before it. A seal that must come back stands between items. */
export const goesOnSaid = (before: Joint, after: Joint, sealed: boolean): boolean => !sealed && before.id === after.id;

/** Whether a thought goes on in the item of the one before it: those of one id, the seal on the last. */
export const goesOnThinking = (before: Joint, after: Joint, sealed: boolean): boolean =>
  !sealed && (after.id === undefined ? residueOf(after as Part)['joined'] === true : before.id === after.id);

/** Puts neighbouring parts together as items. */
export function groupParts(parts: readonly Part[]): readonly PartGroup[] {
  const groups: PartGroup[] = [];
  for (const part of parts) {
    const last = groups.at(-1);
    const before = last && last.kind !== 'single' ? last.parts.at(-1) : undefined;
    const sealed = before !== undefined && 'seal' in before && before.seal !== undefined;
    if (isSaid(part)) {
      if (last?.kind === 'message' && before && goesOnSaid(before, part, sealed))
        groups[groups.length - 1] = { ...last, parts: [...last.parts, part] };
      else groups.push({ kind: 'message', parts: [part] });
    } else if (part.kind === 'reasoning') {
      if (last?.kind === 'reasoning' && before && goesOnThinking(before, part, sealed))
        groups[groups.length - 1] = { ...last, parts: [...last.parts, part] };
      else groups.push({ kind: 'reasoning', parts: [part] });
    } else groups.push({ kind: 'single', part });
  }
  return groups;
}
