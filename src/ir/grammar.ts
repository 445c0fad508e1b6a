import type { ReplyEvent } from './event.ts';

/** Follows a stream of events and names the first that breaks the grammar of `ReplyEvent`. */
export interface GrammarCheck {
  /** What is wrong with this event at this place, or `undefined`. */
  next(event: ReplyEvent): string | undefined;
  /** What is wrong with stopping here, or `undefined`. */
  end(): string | undefined;
}

export function createGrammarCheck(): GrammarCheck {
  let state: 'new' | 'between' | 'open' | 'over' = 'new';
  let choice = 0;
  return {
    next(event) {
      if (state === 'over') return `${event.type} after the end`;
      switch (event.type) {
        case 'fault':
          state = 'over';
          return undefined;
        case 'reply-start':
          if (state !== 'new') return 'a second reply-start';
          state = 'between';
          return undefined;
        case 'part-start': {
          if (state !== 'between') return `part-start while ${state}`;
          const at = event.choice ?? 0;
          if (at < choice) return `part of choice ${at} after choice ${choice}`;
          choice = at;
          state = 'open';
          return undefined;
        }
        case 'part-delta':
        case 'part-note':
          return state === 'open' ? undefined : `${event.type} while ${state}`;
        case 'part-end':
          if (state !== 'open') return `part-end while ${state}`;
          state = 'between';
          return undefined;
        case 'usage':
          return state === 'new' ? 'usage before reply-start' : undefined;
        case 'reply-end':
          if (state !== 'between') return `reply-end while ${state}`;
          state = 'over';
          return undefined;
      }
    },
    end: () => (state === 'over' ? undefined : `stream ended while ${state}`),
  };
}
