import { type Counted, createLedgers, type Full, type Held, lessOf, type Minutes, type Taking } from '../exchange/trying/minutes.ts';
import type { Minute, MinuteLimits } from '../policy/minute.ts';
import { type Link, Silence } from './link.ts';
import type { MinuteNews, OfPrimary } from './messages.ts';

/** Minutes as a worker asks the primary for places in them. */
export interface RemoteMinutes extends Minutes {
  /** The primary's word on whether one is full. */
  learn(news: MinuteNews): void;
}

/** What it stands on. */
export interface RemoteMinutesPorts {
  readonly link: Link<OfPrimary>;
  /** Which worker this is, from 1, and of how many. */
  readonly number: number;
  readonly count: number;
  readonly monotonic: () => number;
}

/** As long as for places. */
const ANSWER_MS = 5000;
/** A worker has no share of a limit that is smaller than the number of workers: when the primary may be there again. */
const COME_BACK_MS = 2000;

const shareOf = (limit: number, { number, count }: RemoteMinutesPorts): number =>
  Math.floor(limit / count) + (number <= limit % count ? 1 : 0);

/** What a worker may send in a minute of which nobody knows what the others send. */
function ownShare({ rpm, tpm, ...minute }: Minute, ports: RemoteMinutesPorts): Minute & MinuteLimits {
  return {
    ...minute,
    ...(rpm === undefined ? {} : { rpm: shareOf(rpm, ports) }),
    ...(tpm === undefined ? {} : { tpm: shareOf(tpm, ports) }),
  };
}

const isNothing = ({ requests, tokens }: Taking): boolean => requests === 0 && tokens === 0;

/**
 * Minutes that the primary counts for all workers. While it does not answer, a worker goes by its own share of the limit, less what it
 * has sent in the last minute, so that all of them together stay within it a minute later at the latest.
 */
export function createRemoteMinutes(ports: RemoteMinutesPorts): RemoteMinutes {
  const { link, monotonic } = ports;
  /** What was sent from here. */
  const own = createLedgers(monotonic);
  /** Until when minutes are full, by the primary's word. */
  const full = new Map<string, number>();

  const takeAlone = (minute: Minute, taking: Taking): Held | Full => {
    const share = ownShare(minute, ports);
    if (share.rpm === 0) return { by: 'rpm', freeInMs: COME_BACK_MS };
    if (share.tpm === 0) return { by: 'tpm', freeInMs: COME_BACK_MS };
    const counted = own.count(share, taking);
    if ('freeInMs' in counted) return counted;
    return { settle: (took) => own.change(minute.place, counted.at, lessOf(took, taking)) };
  };
  /** The primary has let it in: counted here as well, whatever the share. */
  const hold = (minute: Minute, taking: Taking, { at }: Counted): Held => {
    const { place, title } = minute;
    const here = own.count({ place, title }, taking) as Counted;
    return {
      settle(took) {
        const by = lessOf(took, taking);
        if (isNothing(by)) return;
        own.change(place, here.at, by);
        link.tell('recount', { minute, at, by });
      },
    };
  };
  return {
    fullForMs({ place }) {
      const until = full.get(place);
      return until === undefined ? 0 : Math.max(0, until - monotonic());
    },
    async take(minute, taking) {
      try {
        const counted = await link.ask('count', { minute, taking }, ANSWER_MS);
        return 'freeInMs' in counted ? counted : hold(minute, taking, counted);
      } catch (error) {
        if (!(error instanceof Silence)) throw error;
        // Where the question is read later it is counted there for nobody: a minute with too little is better than one with too much.
        return takeAlone(minute, taking);
      }
    },
    learn({ place, fullForMs }) {
      const now = monotonic();
      for (const [name, until] of full) if (until <= now) full.delete(name);
      if (fullForMs > 0) full.set(place, now + fullForMs);
      else full.delete(place);
    },
  };
}
