import { createHash, type Hash } from 'node:crypto';
import {
  type ChatRequest,
  createKeptText,
  type KeptText,
  type Part,
  type ReasoningPart,
  type ReplyEvent,
  type Seal,
  TextBlocks,
  type Turn,
} from '../ir/index.ts';
import type { KeptSeal } from './ports.ts';

/** Watches a reply for sealed state that belongs to its tool calls and its text. */
export interface SealKeeper {
  event(event: ReplyEvent): void;
  /** What to keep, by what stands for a tool call; for a text by the id that `textId` makes. */
  readonly kept: ReadonlyMap<string, KeptSeal>;
}

/** Reasoning longer than this is not kept: the bound of one entry. */
const MAX_TEXT = 256 * 1024;

/** How many turns back a text's seal is looked for: makers want to see it, but refuse nothing for want of it. */
const TEXT_TURNS = 32;

const textOf = (parts: readonly Part[]): string =>
  parts.map((part) => (part.kind === 'text' ? part.text : part.kind === 'tool-result' ? textOf(part.content) : '')).join('');

const hashFor = (asked: Turn | undefined): Hash =>
  createHash('sha256')
    .update(textOf(asked?.parts ?? []))
    .update('\0');

/** What stands for a text that has no id: itself, and the turn that it answers. */
const textId = (said: string, asked: Turn | undefined): string => `text_${hashFor(asked).update(said).digest('base64url')}`;

/** Makes a text's id while the text comes, so that it is not kept. */
function createTextId(asked: Turn | undefined) {
  const waiting = new TextBlocks();
  let hash: Hash | undefined;
  /** Half of a character, which waits for the other. */
  let half = '';
  let length = 0;
  return {
    add(text: string): void {
      length += text.length;
      if (length > MAX_TEXT) return;
      const block = waiting.add(text);
      if (block === undefined) return;
      const all = half + block;
      const to = (all.charCodeAt(all.length - 1) & 0xfc00) === 0xd800 ? all.length - 1 : all.length;
      hash = (hash ?? hashFor(asked)).update(all.slice(0, to));
      half = all.slice(to);
    },
    /** `undefined`: of no text, or of one that is too long. */
    id(): string | undefined {
      if (length === 0 || length > MAX_TEXT) return undefined;
      return `text_${(hash ?? hashFor(asked)).update(half + waiting.rest()).digest('base64url')}`;
    },
  };
}

/** Ids that a model counts up (`functions.lookup:0`, `call_1`, `3`): the next conversation has them again. */
const COUNTED = /^(?:.*[^a-zA-Z0-9])?\d{1,6}$|^tool_\d+_/;

/** What stands for a tool call: its id, and for one that is not its own alone also the turn that it answers. */
const callId = (id: string, asked: Turn | undefined): string => (COUNTED.test(id) ? textId(id, asked).replace('text_', 'call_') : id);

/**
 * Gathers the reasoning that stands before each tool call, the seal on the call, and the seal on the text. `asked`: the turn that is answered.
 * `textUnsealed`: no seal comes with the text, which then costs nothing.
 */
export function createSealKeeper(maker: string, asked?: Turn, textUnsealed = false): SealKeeper {
  const kept = new Map<string, KeptSeal>();
  const said = createTextId(asked);
  let textSeal: Seal | undefined;
  let reasoning: ReasoningPart[] = [];
  let open:
    | { kind: 'reasoning'; part: Omit<ReasoningPart, 'text' | 'seal'>; text: KeptText }
    | { kind: 'call'; id: string }
    | { kind: 'text' }
    | undefined;

  const end = (seal: Seal | undefined): void => {
    if (open?.kind === 'reasoning') {
      const part: ReasoningPart = { ...open.part, text: open.text.text(), ...(seal ? { seal } : {}) };
      if (open.text.length() <= MAX_TEXT) reasoning.push(part);
    } else if (open?.kind === 'call') {
      // Reasoning is kept with the first call after it; parallel calls follow their first.
      if (reasoning.length > 0 || seal) kept.set(callId(open.id, asked), { reasoning, maker, ...(seal ? { seal } : {}) });
      reasoning = [];
    } else if (open?.kind === 'text') textSeal = seal ?? textSeal;
    open = undefined;
  };
  return {
    kept,
    event(event) {
      if (event.type === 'part-start') {
        const { part } = event;
        if (part.kind === 'reasoning') open = { kind: 'reasoning', part, text: createKeptText() };
        else if (part.kind === 'tool-call') open = { kind: 'call', id: part.id };
        else if (part.kind === 'text' && (event.choice ?? 0) === 0) open = { kind: 'text' };
        else open = undefined;
      } else if (event.type === 'part-delta') {
        if (open?.kind === 'reasoning' && open.text.length() <= MAX_TEXT) open.text.add(event.text);
        else if (open?.kind === 'text' && !textUnsealed) said.add(event.text);
      } else if (event.type === 'part-end') end(event.seal);
      else if (event.type === 'reply-end' && textSeal && asked) {
        const id = said.id();
        if (id !== undefined) kept.set(id, { reasoning: [], maker, seal: textSeal });
      }
    },
  };
}

/** Whether a turn's thoughts came back with what their maker wants to see of them. Text alone is not that: many clients echo it. */
const isSealed = (turn: Turn): boolean => turn.parts.some((part) => part.kind === 'reasoning' && part.seal !== undefined);

/** The id of a turn's text, where it came back without its seal. */
function bareTextId(turns: readonly Turn[], index: number): string | undefined {
  const { role, parts } = turns[index] ?? { role: 'user', parts: [] };
  if (role !== 'assistant' || index < turns.length - TEXT_TURNS || parts.some((part) => part.kind === 'text' && part.seal))
    return undefined;
  const said = textOf(parts);
  return said === '' || said.length > MAX_TEXT ? undefined : textId(said, turns[index - 1]);
}

/** Ids of what in a conversation came back bare: without the sealed reasoning or the seal that may be kept for it. */
export function bareIds({ turns }: ChatRequest): readonly string[] {
  const ids: string[] = [];
  for (const [index, turn] of turns.entries()) {
    if (turn.role !== 'assistant') continue;
    const text = bareTextId(turns, index);
    if (text !== undefined) ids.push(text);
    if (isSealed(turn)) continue;
    for (const part of turn.parts) if (part.kind === 'tool-call' && !part.seal) ids.push(callId(part.id, turns[index - 1]));
  }
  return ids;
}

/** A turn with the seal of its text on its last words. */
function restoreText(turn: Turn, seal: Seal | undefined): Turn {
  const last = turn.parts.findLastIndex((part) => part.kind === 'text' && part.text !== '');
  const part = turn.parts[last];
  return seal && part?.kind === 'text' ? { ...turn, parts: turn.parts.with(last, { ...part, seal }) } : turn;
}

function restoreTurn(turn: Turn, asked: Turn | undefined, kept: ReadonlyMap<string, KeptSeal>): Turn {
  if (turn.role !== 'assistant' || isSealed(turn)) return turn;
  const found = turn.parts.map((part) => (part.kind === 'tool-call' ? kept.get(callId(part.id, asked)) : undefined));
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
  kept.size === 0
    ? request
    : {
        ...request,
        turns: request.turns.map((turn, index) =>
          restoreTurn(restoreText(turn, kept.get(bareTextId(request.turns, index) ?? '')?.seal), request.turns[index - 1], kept),
        ),
      };
