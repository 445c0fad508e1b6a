import type { ChatRequest, Part, ReasoningPart, ReplyEvent, Seal, Turn } from '../ir/index.ts';
import type { KeptSeal } from './ports.ts';

/** Watches a reply for sealed state that belongs to its tool calls. */
export interface SealKeeper {
  event(event: ReplyEvent): void;
  /** What to keep, by tool-call id. */
  readonly kept: ReadonlyMap<string, KeptSeal>;
}

/** Reasoning longer than this is not kept: the bound of one entry. */
const MAX_TEXT = 256 * 1024;

/** Gathers the reasoning that stands before each tool call, and the seal on the call. */
export function createSealKeeper(maker: string): SealKeeper {
  const kept = new Map<string, KeptSeal>();
  let reasoning: ReasoningPart[] = [];
  let open: { kind: 'reasoning'; part: Omit<ReasoningPart, 'text' | 'seal'>; text: string } | { kind: 'call'; id: string } | undefined;

  const end = (seal: Seal | undefined): void => {
    if (open?.kind === 'reasoning') {
      const part: ReasoningPart = { ...open.part, text: open.text, ...(seal ? { seal } : {}) };
      if (open.text.length <= MAX_TEXT) reasoning.push(part);
    } else if (open?.kind === 'call') {
      // Reasoning is kept with the first call after it; parallel calls follow their first.
      if (reasoning.length > 0 || seal) kept.set(open.id, { reasoning, maker, ...(seal ? { seal } : {}) });
      reasoning = [];
    }
    open = undefined;
  };
  return {
    kept,
    event(event) {
      if (event.type === 'part-start') {
        const { part } = event;
        if (part.kind === 'reasoning') open = { kind: 'reasoning', part, text: '' };
        else if (part.kind === 'tool-call') open = { kind: 'call', id: part.id };
        else open = undefined;
      } else if (event.type === 'part-delta') {
        if (open?.kind === 'reasoning' && open.text.length <= MAX_TEXT) open.text += event.text;
      } else if (event.type === 'part-end') end(event.seal);
    },
  };
}

/** Whether a turn's thoughts came back with what their maker wants to see of them. Text alone is not that: many clients echo it. */
const isSealed = (turn: Turn): boolean => turn.parts.some((part) => part.kind === 'reasoning' && part.seal !== undefined);

/** Ids of tool calls in a conversation that came back bare: without the sealed reasoning or the seal that may be kept for them. */
export function bareCallIds(request: ChatRequest): readonly string[] {
  const ids: string[] = [];
  for (const turn of request.turns) {
    if (turn.role !== 'assistant' || isSealed(turn)) continue;
    for (const part of turn.parts) if (part.kind === 'tool-call' && !part.seal) ids.push(part.id);
  }
  return ids;
}

function restoreTurn(turn: Turn, kept: ReadonlyMap<string, KeptSeal>): Turn {
  if (turn.role !== 'assistant' || isSealed(turn)) return turn;
  const found = turn.parts.map((part) => (part.kind === 'tool-call' ? kept.get(part.id) : undefined));
  if (found.every((one) => one === undefined)) return turn;
  // The kept thoughts are the whole ones: the text that the client echoed is among them.
  const replaces = found.some((one) => one !== undefined && one.reasoning.length > 0);
  const parts: Part[] = [];
  for (const [index, part] of turn.parts.entries()) {
    if (replaces && part.kind === 'reasoning') continue;
    const one = found[index];
    if (one) parts.push(...one.reasoning);
    parts.push(part.kind !== 'tool-call' || part.seal || !one?.seal ? part : { ...part, seal: one.seal });
  }
  return { ...turn, parts };
}

/** The conversation with the kept state put back where it stood. */
export const restoreSeals = (request: ChatRequest, kept: ReadonlyMap<string, KeptSeal>): ChatRequest =>
  kept.size === 0 ? request : { ...request, turns: request.turns.map((turn) => restoreTurn(turn, kept)) };
