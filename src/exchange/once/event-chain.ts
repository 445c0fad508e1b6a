import type { ReplyEvent } from '../../ir/index.ts';

/** An event, and what came after it. Who has read it holds its place; what everybody has read is let go of by itself. */
export interface Link {
  readonly event?: ReplyEvent;
  /** What all events up to this one take, about. */
  readonly upTo: number;
  next?: Link;
}

/** About what an event takes in memory. */
const sizeOf = (event: ReplyEvent): number => {
  if (event.type === 'part-delta') return event.text.length + 96;
  if (event.type === 'usage' || event.type === 'part-end') return 256;
  return JSON.stringify(event).length + 96;
};

/** Adds an event behind the last link; gives the new last one. */
export function append(last: Link, event: ReplyEvent): Link {
  const link: Link = { event, upTo: last.upTo + sizeOf(event) };
  last.next = link;
  return link;
}

/** The place before the first event. */
export const beginning = (): Link => ({ upTo: 0 });

/** Texts of one part up to this length are kept as one piece. */
const MAX_PIECE = 4096;

/** The events behind a place, neighbouring pieces of one text joined. */
export function eventsAfter(first: Link): readonly ReplyEvent[] {
  const events: ReplyEvent[] = [];
  let text: string | undefined;
  const close = (): void => {
    if (text !== undefined) events.push({ type: 'part-delta', text });
    text = undefined;
  };
  for (let link = first.next; link?.event; link = link.next) {
    const { event } = link;
    if (event.type !== 'part-delta') {
      close();
      events.push(event);
    } else if (text !== undefined && text.length + event.text.length <= MAX_PIECE) text += event.text;
    else {
      close();
      text = event.text;
    }
  }
  close();
  return events;
}

/** Events one behind the other. */
export function chainOf(events: readonly ReplyEvent[]): Link {
  const first = beginning();
  let last = first;
  for (const event of events) last = append(last, event);
  return first;
}
