import type { Part } from './part.ts';
import type { ChatRequest, Turn } from './request.ts';

/** Joins neighbouring turns of one role (for dialects that want roles to alternate, or one message per reply). Names and residue of the first are kept. */
export function mergeTurns(turns: readonly Turn[], roles: readonly Turn['role'][] = ['user', 'assistant']): readonly Turn[] {
  const out: Turn[] = [];
  for (const turn of turns) {
    const last = out.at(-1);
    if (last && last.role === turn.role && roles.includes(turn.role) && last.name === turn.name) {
      out[out.length - 1] = { ...last, parts: [...last.parts, ...turn.parts] };
    } else out.push(turn);
  }
  return out;
}

/** The top-level instructions and the leading system and developer turns together, and the turns that follow them. */
export function hoistInstructions(request: ChatRequest): { readonly instructions: readonly Part[]; readonly turns: readonly Turn[] } {
  const instructions = [...request.instructions];
  let first = 0;
  for (const turn of request.turns) {
    if (turn.role !== 'system' && turn.role !== 'developer') break;
    instructions.push(...turn.parts);
    first++;
  }
  return { instructions, turns: request.turns.slice(first) };
}

/** The text of parts, joined; media and calls left out. */
export function textOf(parts: readonly Part[], separator = ''): string {
  const texts: string[] = [];
  for (const part of parts) if (part.kind === 'text' || part.kind === 'refusal') texts.push(part.text);
  return texts.join(separator);
}
