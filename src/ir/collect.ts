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

export function createCollector(): Collector {
  let start: Extract<ReplyEvent, { type: 'reply-start' }> | undefined;
  let end: Extract<ReplyEvent, { type: 'reply-end' }> | undefined;
  let fault: Fault | undefined;
  let usage: Usage | undefined;
  let open: OpenPart | undefined;
  const choices: Part[][] = [[]];

  const close = (how: PartEnd): void => {
    if (!open) return;
    const parts = (choices[open.choice] ??= []);
    parts.push(closed(open, how));
    open = undefined;
  };
  const choice = (index: number, stop: Stop): Choice => ({ parts: choices[index] ?? [], stop });

  return {
    event(event) {
      switch (event.type) {
        case 'reply-start':
          start = event;
          return;
        case 'part-start':
          close({});
          open = { head: event.part, choice: event.choice ?? 0, said: createKeptText(), citations: [], logprobs: [] };
          return;
        case 'part-delta':
          if (open) open.said.add(event.text);
          return;
        case 'part-note':
          if (open && event.citations) open.citations = [...open.citations, ...event.citations];
          if (open && event.logprobs) open.logprobs = [...open.logprobs, ...event.logprobs];
          return;
        case 'part-end':
          close(event);
          return;
        case 'usage':
          usage = event.usage;
          return;
        case 'reply-end':
          end = event;
          return;
        case 'fault':
          fault = event.fault;
          return;
      }
    },
    result() {
      close({});
      const others = end?.others?.map((stop, index) => choice(index + 1, stop));
      const residue = { ...start?.residue, ...end?.residue };
      const reply: Reply = {
        id: start?.id ?? '',
        model: start?.model ?? '',
        ...given('createdAt', start?.createdAt),
        ...choice(0, end?.stop ?? { reason: 'other' }),
        ...(others && others.length > 0 ? { others } : {}),
        ...given('usage', usage),
        ...given('serviceTier', end?.serviceTier ?? start?.serviceTier),
        ...(Object.keys(residue).length > 0 ? { residue } : {}),
      };
      return { reply, complete: end !== undefined || fault !== undefined, ...(fault ? { fault } : {}) };
    },
  };
}
