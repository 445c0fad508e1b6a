import type { Part, Turn } from '../../ir/index.ts';
import { DIALECT } from './dialect.ts';
import { answeredBy, answeredCall } from './hosted-parts.ts';

/*
 * Clients keep a streamed answer as they got it: a content for each chunk, a word or two in each. What was one thought, or
 * one text, is put together again, so that it means the same to other dialects.
 */

const isPlain = (part: Part): boolean =>
  (part.kind === 'text' || part.kind === 'reasoning') && !part.seal && !part.residue && !('citations' in part);

/** Adds a part to the answer so far: more of its last text, the foreign seal of it, its server's answer to a call, or a part of its own. */
function add(parts: Part[], part: Part): void {
  if (part.kind === 'native') {
    const at = answeredBy(parts, part);
    const call = parts[at];
    if (call?.kind === 'tool-call') parts.splice(at, 1, ...answeredCall(call, part.value));
    else parts.push(part);
    return;
  }
  const last = parts.at(-1);
  const grows = last !== undefined && last.kind === part.kind && isPlain(last) && (last.kind === 'text' || last.kind === 'reasoning');
  if (!grows || (part.kind !== 'text' && part.kind !== 'reasoning')) {
    parts.push(part);
    return;
  }
  if (isPlain(part)) parts[parts.length - 1] = { ...last, text: last.text + part.text } as Part;
  // A stream of ours tells the seal of another dialect in an empty part after the text that it is about.
  else if (part.text === '' && part.seal && part.seal.by !== DIALECT) parts[parts.length - 1] = { ...last, seal: part.seal };
  else parts.push(part);
}

/** Neighbouring contents of the model are one answer. */
export function joinModelTurns(turns: readonly Turn[]): readonly Turn[] {
  const out: Turn[] = [];
  let parts: Part[] | undefined;
  for (const turn of turns) {
    if (turn.role !== 'assistant') {
      parts = undefined;
      out.push(turn);
      continue;
    }
    if (!parts) {
      parts = [];
      out.push({ ...turn, parts });
    }
    for (const part of turn.parts) add(parts, part);
  }
  return out;
}
