import type { PartHead, ReplyEvent } from './event.ts';
import type { Fault } from './fault.ts';
import { createKeptText, type KeptText } from './kept-text.ts';
import type { Citation, NativeValue, Part, Residue, Seal, TokenLogprob } from './part.ts';
import type { Choice, Reply } from './reply.ts';
import type { Stop } from './stop.ts';
import type { Usage } from './usage.ts';

interface OpenPart {
  readonly head: PartHead;
  readonly choice: number;
  readonly said: KeptText;
  citations: readonly Citation[];
  logprobs: readonly TokenLogprob[];
}

interface PartEnd {
  readonly seal?: Seal | undefined;
  readonly residue?: Residue | undefined;
  readonly native?: NativeValue | undefined;
}

const given = <T>(key: string, value: T | undefined): Record<string, T> => (value === undefined ? {} : { [key]: value });

function closed(open: OpenPart, end: PartEnd): Part {
  const { head } = open;
  const text = open.said.text();
  const tail = { ...given('seal', end.seal), ...given('residue', end.residue ?? head.residue) };
  switch (head.kind) {
    case 'text':
      return {
        ...head,
        text,
        ...(open.citations.length > 0 ? { citations: open.citations } : {}),
        ...(open.logprobs.length > 0 ? { logprobs: open.logprobs } : {}),
        ...tail,
      };
    case 'refusal':
    case 'reasoning':
      return { ...head, text, ...tail };
    case 'tool-call':
      return { ...head, argumentsJson: text, ...tail };
    case 'hosted-call':
      return { ...head, inputJson: head.inputJson + text, ...tail, ...given('native', end.native ?? head.native) };
    case 'hosted-result':
      return { ...head, ...tail, ...given('native', end.native ?? head.native) };
    default:
      return { ...head, ...tail };
  }
}

/** What a collector ends with: the reply as far as it came, and the fault that ended it if one did. */
export interface Collected {
  readonly reply: Reply;
  readonly fault?: Fault;
  /** False when neither `reply-end` nor `fault` came. */
  readonly complete: boolean;
}

/** Builds a whole `Reply` from its events. `unfold` is its inverse. */
export interface Collector {
  event(event: ReplyEvent): void;
  result(): Collected;
}

/** What the pieces below share: what has come of a reply. */
interface Gathered {
  start: Extract<ReplyEvent, { type: 'reply-start' }> | undefined;
  end: Extract<ReplyEvent, { type: 'reply-end' }> | undefined;
  fault: Fault | undefined;
  usage: Usage | undefined;
  open: OpenPart | undefined;
  /** The parts of each choice that are closed. */
  readonly choices: Part[][];
}

function close(gathered: Gathered, how: PartEnd): void {
  const { open, choices } = gathered;
  if (!open) return;
  (choices[open.choice] ??= []).push(closed(open, how));
  gathered.open = undefined;
}

function take(gathered: Gathered, event: ReplyEvent): void {
  const { open } = gathered;
  switch (event.type) {
    case 'reply-start':
      gathered.start = event;
      return;
    case 'part-start':
      close(gathered, {});
      gathered.open = { head: event.part, choice: event.choice ?? 0, said: createKeptText(), citations: [], logprobs: [] };
      return;
    case 'part-delta':
      if (open) open.said.add(event.text);
      return;
    case 'part-note':
      if (open && event.citations) open.citations = [...open.citations, ...event.citations];
      if (open && event.logprobs) open.logprobs = [...open.logprobs, ...event.logprobs];
      return;
    case 'part-end':
      close(gathered, event);
      return;
    case 'usage':
      gathered.usage = event.usage;
      return;
    case 'reply-end':
      gathered.end = event;
      return;
    case 'fault':
      gathered.fault = event.fault;
      return;
  }
}

function replyOf({ start, end, usage, choices }: Gathered): Reply {
  const choice = (index: number, stop: Stop): Choice => ({ parts: choices[index] ?? [], stop });
  const others = end?.others?.map((stop, index) => choice(index + 1, stop));
  const residue = { ...start?.residue, ...end?.residue };
  return {
    id: start?.id ?? '',
    model: start?.model ?? '',
    ...given('createdAt', start?.createdAt),
    ...choice(0, end?.stop ?? { reason: 'other' }),
    ...(others && others.length > 0 ? { others } : {}),
    ...given('usage', usage),
    ...given('serviceTier', end?.serviceTier ?? start?.serviceTier),
    ...(Object.keys(residue).length > 0 ? { residue } : {}),
  };
}

export function createCollector(): Collector {
  const gathered: Gathered = { start: undefined, end: undefined, fault: undefined, usage: undefined, open: undefined, choices: [[]] };
  return {
    event: (event) => take(gathered, event),
    result() {
      close(gathered, {});
      const { end, fault } = gathered;
      return { reply: replyOf(gathered), complete: end !== undefined || fault !== undefined, ...(fault ? { fault } : {}) };
    },
  };
}
