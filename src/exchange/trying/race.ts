import { GatewayError } from '../../ir/index.ts';
import type { AttemptEnd } from '../call.ts';
import { isFor } from './guide.ts';
import { enter, type Entry, type Tour, tryOnce, type Waiter } from './one-try.ts';
import { createRaceSink, type RaceSink } from './race-sink.ts';
import type { Next, Tried } from './walking.ts';

/** A try under way. */
interface Runner {
  readonly next: Next;
  readonly sink: RaceSink;
  readonly done: Promise<Tried>;
  /** How it ended, once it has. */
  ended?: Tried;
}

function run(tour: Tour, entry: Entry): Runner {
  const sink = createRaceSink(tour.call.sink, () => tour.sent);
  const runner: Runner = { next: entry.next, sink, done: tryOnce(tour, entry, sink) };
  runner.done.then(
    (tried) => (runner.ended = tried),
    // Whoever waits for it is told.
    () => {},
  );
  return runner;
}

/** Whether a try has come to nothing yet when the time is over. */
function isSlow({ sink, done }: Runner, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(!sink.closed), ms);
    const stop = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    sink.onBegin(stop);
    done.then(stop, stop);
  });
}

/** Another try is wanted for as long as a slow one has come to nothing. */
class WhileSlow implements Waiter {
  readonly #sink: RaceSink;
  readonly #over: Promise<void>;
  #isOver = false;

  constructor({ sink, done }: Runner) {
    this.#sink = sink;
    this.#over = new Promise((resolve) => {
      const end = (): void => {
        this.#isOver = true;
        resolve();
      };
      sink.onBegin(end);
      done.then(end, end);
    });
  }
  get closed(): boolean {
    return this.#isOver || this.#sink.closed;
  }
  onGone(listener: () => void): void {
    void this.#over.then(listener);
  }
}

/** Starts another try beside a slow one, where there is a place with room and the budget allows it. */
async function startBeside(tour: Tour, slow: Runner): Promise<Runner | undefined> {
  const { guide, trying, tried } = tour;
  const next = guide.beside(slow.next, tried);
  if (!next || !trying.hedges.withdraw()) return undefined;
  try {
    const entry = await enter(tour, next, new WhileSlow(slow));
    // Nor that its minute has none.
    if (!entry || 'refusal' in entry) return undefined;
    tour.hedged = true;
    return run(tour, entry);
  } catch (error) {
    // That there is no room after all is nothing to tell anybody of: the first one goes on.
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

/** What one that was given up for a quicker one has used, as far as its upstream had said. */
const lostOf = ({ ended }: Runner): Pick<AttemptEnd, 'lost'> => (ended?.end.usage ? { lost: ended.end.usage } : {});

/** Ends a race: the other is given up at once, and what it did is told. */
async function win(tour: Tour, winner: Runner, loser: Runner): Promise<Tried> {
  loser.sink.leave();
  const tried = await winner.done;
  const { provider, model } = loser.next.candidate;
  if (tried.end.endedBy !== 'client' || winner.sink.begun) tour.call.failed.push(`${provider}/${model};hedge_lost`);
  tour.call.answeredBy(tried.number);
  return { ...tried, end: { ...tried.end, ...lostOf(loser) } };
}

/** The first of two to say something to the client, or to fail. */
function firstToTell(one: Runner, two: Runner): Promise<Runner> {
  return new Promise((resolve, reject) => {
    for (const [mine, other] of [
      [one, two],
      [two, one],
    ] as const) {
      mine.sink.onBegin(() => {
        other.sink.leave();
        resolve(mine);
      });
      mine.done.then(() => resolve(mine), reject);
    }
  });
}

async function finish(tour: Tour, one: Runner, two: Runner): Promise<Tried> {
  const first = await firstToTell(one, two);
  const other = first === one ? two : one;
  if (first.sink.begun || !first.ended || first.ended.isFinal) return win(tour, first, other);
  const { fault } = first.ended.end;
  // What no other place would make good is the last word for both.
  const isHopeless = fault !== undefined && !isFor(other.next.candidate, fault);
  if (isHopeless && !other.sink.begun) return win(tour, first, other);
  tour.fail(first.ended);
  const last = await other.done;
  tour.call.answeredBy(last.number);
  return last;
}

/** Whether a try of this call may have another beside it, and after how long. */
export function hedgeMsOf({ call, hedged, sent, tries }: Tour, { candidate }: Next): number | undefined {
  if (candidate.hedgeMs === undefined || hedged || call.isJob === true || call.mayGoOn) return undefined;
  return sent + 2 <= tries ? candidate.hedgeMs : undefined;
}

/**
 * Makes a try, and should it have said nothing after a while another one beside it, once a call. The first to say something to the
 * client goes on; the other one is given up at once.
 */
export async function race(tour: Tour, entry: Entry, hedgeMs: number): Promise<Tried> {
  tour.trying.hedges.deposit();
  const one = run(tour, entry);
  if (!(await isSlow(one, hedgeMs))) return one.done;
  const two = await startBeside(tour, one);
  if (!two) return one.done;
  try {
    return await finish(tour, one, two);
  } catch (error) {
    one.sink.leave();
    two.sink.leave();
    throw error;
  }
}
