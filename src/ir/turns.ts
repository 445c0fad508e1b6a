import type { Notes } from './note.ts';
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

/** A conversation for wires that tell instructions apart from it. */
export interface Conversation {
  /** What goes into the wire's field for instructions. */
  readonly instructions: readonly Part[];
  readonly turns: readonly Turn[];
}

/** The top-level instructions and the leading system and developer turns together, and the turns that follow them. */
export function hoistInstructions(request: ChatRequest): Conversation {
  const instructions = [...request.instructions];
  let first = 0;
  for (const turn of request.turns) {
    if (turn.role !== 'system' && turn.role !== 'developer') break;
    instructions.push(...turn.parts);
    first++;
  }
  return { instructions, turns: request.turns.slice(first) };
}

/** For wires whose instructions are text only: media among them open the conversation, which is noted. */
export function moveInstructionMedia({ instructions, turns }: Conversation, notes: Notes): Conversation {
  const media = instructions.filter((part) => part.kind === 'media');
  if (media.length === 0) return { instructions, turns };
  notes.add('system', 'moved', 'media among the instructions stand in the first user message');
  return { instructions: instructions.filter((part) => part.kind !== 'media'), turns: [{ role: 'user', parts: media }, ...turns] };
}

/** For wires whose assistant messages hold no media: what the model made opens the next user message, which is noted. */
export function moveAssistantMedia(turns: readonly Turn[], notes: Notes): readonly Turn[] {
  return turns.flatMap((turn): readonly Turn[] => {
    const media = turn.role === 'assistant' ? turn.parts.filter((part) => part.kind === 'media') : [];
    if (media.length === 0) return [turn];
    notes.add('messages', 'moved', 'media of the assistant stand in the user message that follows');
    return [
      { ...turn, parts: turn.parts.filter((part) => part.kind !== 'media') },
      { role: 'user', parts: media },
    ];
  });
}

/** The text of parts, joined; media and calls left out. */
export function textOf(parts: readonly Part[], separator = ''): string {
  const texts: string[] = [];
  for (const part of parts) if (part.kind === 'text' || part.kind === 'refusal') texts.push(part.text);
  return texts.join(separator);
}
