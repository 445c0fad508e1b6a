import { type Counted, createLedgers, type Full, type Taking } from '../exchange/trying/minutes.ts';
import type { Minute } from '../policy/minute.ts';
import type { MinuteNews } from './messages.ts';

/** Minutes of keys and providers as the primary counts them: the calls of all workers together. */
export interface SharedMinutes {
  count(minute: Minute, taking: Taking): Counted | Full;
  /** A call that was counted took so much more, or less. */
  change(minute: Minute, at: Counted['at'], by: Taking): void;
  /** Those that are full now. */
  full(): readonly MinuteNews[];
}

/** `onNews`: told when a minute is full, for how long, and when it is not any more before that. */
export function createSharedMinutes(monotonic: () => number, onNews: (news: MinuteNews) => void): SharedMinutes {
  const ledgers = createLedgers(monotonic);
  /** Until when minutes are full, as it was told. */
  const told = new Map<string, number>();

  const tell = (minute: Minute): void => {
    const { place } = minute;
    const fullForMs = ledgers.fullForMs(minute);
    const now = monotonic();
    const until = told.get(place) ?? 0;
    for (const [name, end] of told) if (end <= now) told.delete(name);
    if (fullForMs > 0) told.set(place, now + fullForMs);
    else told.delete(place);
    // A minute has room again at the end of a part of time: what differs by less than a millisecond is the same end.
    const isKnown = fullForMs > 0 ? Math.abs(now + fullForMs - until) < 1 : until <= now;
    if (!isKnown) onNews({ place, fullForMs });
  };
  return {
    count(minute, taking) {
      const counted = ledgers.count(minute, taking);
      tell(minute);
      return counted;
    },
    change(minute, at, by) {
      ledgers.change(minute.place, at, by);
      tell(minute);
    },
    full() {
      const now = monotonic();
      return [...told].flatMap(([place, until]) => (until > now ? [{ place, fullForMs: until - now }] : []));
    },
  };
}
