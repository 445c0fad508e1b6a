/** So much work with what was read is done in one turn of the event loop, in milliseconds; the rest comes in the next ones. */
const TURN_MS = 1.2;
/**
 * After so much, what is read still is put off to the next turn before it is worked on: how long that takes is known only then, and those
 * that nobody has told to wait yet are not counted.
 */
const MOST_MS = 2 * TURN_MS;
/** Below this nobody needs to know when the turn ends. */
const NOTABLE_MS = 0.5;
/** How much the last read counts for how long one takes, by whether it took longer: a turn of many that are long is worse than one of few. */
const WEIGHT = { longer: 1 / 4, shorter: 1 / 32 };
/** Of a turn, what goes to those who began first, so that some end soon; the rest goes around. */
const SEATS_SHARE = 7 / 8;

/** Who reads an answer. */
export interface Reader {
  /** For whom: those who ask share each turn alike. */
  readonly owner: string;
  /** When it began, in monotonic milliseconds. */
  readonly since: number;
  /** Since when it waits for its turn, in monotonic milliseconds. Kept here. */
  waitsSince: number | undefined;
  /** It may read again, and works on what it has put off. */
  resume(): void;
}

/** Who reads in which turn. */
export interface ReadTurns {
  /**
   * A read was taken and worked on, which took so long (milliseconds), until `now` (monotonic). `false`: stop reading; `resume` is
   * called when it is this one's turn again.
   */
  took(reader: Reader, ms: number, now: number): boolean;
  /**
   * Whether bytes that have come at `now` (monotonic) are put off: there is no time left for this one in this turn. It must not read on then; `resume` is called
   * in the next turns, before those that have nothing to work on.
   */
  putsOff(reader: Reader, now: number): boolean;
  /** Its answer is over. Must be told of each that was ever asked to stop. */
  left(reader: Reader): void;
  /** There is more to do than can be done, or no longer: more is read at once then. */
  crowd(is: boolean): void;
  isCrowded(): boolean;
  /** For how long the one that waits longest has waited, in milliseconds: 0 where none waits. */
  waitedMs(now: number): number;
}

/** What one owner's answers take of this turn, and those that wait for another, in the order in which they came to wait. */
interface Lane {
  spentMs: number;
  /** Those who have put off what they read, in their order. */
  readonly late: Reader[];
  queue: Reader[];
  /** The first ones to have begun, who need not queue … */
  readonly seats: Set<Reader>;
  /** … and those of them that wait for this turn. */
  seated: Reader[];
  /** When the last of them began. Nobody who began before it queues, unless `isNewOlder` says so: else all would be looked at in each turn. */
  lastSince: number;
  isNewOlder: boolean;
}

const began = ({ since }: Reader): number => since;

/** Where the one is that began first, of those in a queue. */
function indexOfFirst(queue: readonly Reader[]): number {
  let index = -1;
  let since = Infinity;
  for (let at = 0; at < queue.length; at++) {
    const one = queue[at] as Reader;
    if (began(one) >= since) continue;
    index = at;
    since = began(one);
  }
  return index;
}

/** Of those who have seats, the one that began last. */
function lastSeated(seats: ReadonlySet<Reader>): Reader | undefined {
  let last: Reader | undefined;
  for (const one of seats) if (!last || began(one) > began(last)) last = one;
  return last;
}

/** Gives the seats, so many, to those of a lane that began first. */
function seat(lane: Lane, many: number): void {
  const { queue, seats } = lane;
  if (seats.size >= many && !lane.isNewOlder) return;
  for (let index = indexOfFirst(queue); index >= 0; index = indexOfFirst(queue)) {
    const reader = queue[index] as Reader;
    const last = seats.size < many ? undefined : lastSeated(seats);
    if (seats.size >= many && (!last || began(last) <= began(reader))) break;
    // It has its turn, and then it queues.
    if (last) seats.delete(last);
    queue.splice(index, 1);
    seats.add(reader);
    lane.seated.push(reader);
  }
  const last = lastSeated(seats);
  lane.lastSince = last ? began(last) : -Infinity;
  lane.isNewOlder = false;
}

/** Lets those of a lane work on what they have put off, for so long and so many at most, at least one; gives how many have. */
function catchUp(lane: Lane, ms: number, many: number): number {
  let done = 0;
  for (; done < lane.late.length && (done === 0 || (lane.spentMs < ms && done < many)); done++) lane.late[done]?.resume();
  lane.late.splice(0, done);
  return done;
}

/**
 * Lets so many of a lane read or catch up, for so long, at least one; gives how many. Those who have seats come first: else all would have
 * a little of each turn, and none would end.
 */
function serve(lane: Lane, many: number, ms: number): number {
  seat(lane, Math.floor(many * SEATS_SHARE));
  const { seated } = lane;
  lane.seated = [];
  for (const reader of seated) reader.resume();
  const room = Math.max(1, many - seated.length);
  const done = catchUp(lane, ms, room);
  // Where there is too much to catch up on, nothing new is read.
  const others = lane.late.length > 0 || done >= room ? [] : lane.queue.splice(0, room - done);
  for (const reader of others) reader.resume();
  return seated.length + done + others.length;
}

/** What the pieces below share: the turn under way, and what is left of those before it. */
interface Round {
  /** By their owners; in the order in which they are served. */
  readonly lanes: Map<string, Lane>;
  readonly nextTurn: (run: () => void) => void;
  /** Begins the next turn. */
  readonly run: () => void;
  /** What reads have taken of this turn. */
  spentMs: number;
  /** What one takes, from those before. */
  readMs: number;
  isArmed: boolean;
  isCrowded: boolean;
  /** Some wait for the next turn. */
  isFull: boolean;
}

function laneOf({ lanes }: Round, owner: string): Lane {
  const known = lanes.get(owner);
  if (known) return known;
  const made: Lane = { spentMs: 0, late: [], queue: [], seats: new Set<Reader>(), seated: [], lastSince: -Infinity, isNewOlder: false };
  lanes.set(owner, made);
  return made;
}

/** Asks to be told when the next turn begins. */
function arm(round: Round): void {
  if (round.isArmed) return;
  round.isArmed = true;
  round.nextTurn(round.run);
}

/** The next turn has begun: what was put off is worked on, and those read who wait. */
function serveAll(round: Round): void {
  const { lanes } = round;
  round.isArmed = false;
  round.spentMs = 0;
  let left = TURN_MS;
  let toServe = lanes.size;
  for (const [owner, lane] of lanes) {
    const share = left / toServe--;
    lane.spentMs = 0;
    left -= round.readMs * serve(lane, Math.max(1, Math.floor(share / round.readMs)), share);
    lanes.delete(owner);
    // Behind the others: what one leaves goes to those after it.
    if (lane.queue.length + lane.late.length + lane.seated.length > 0) lanes.set(owner, lane);
    if (toServe === 0) break;
  }
  round.isFull = lanes.size > 0;
  if (round.isFull) arm(round);
}

/** Counts what a read took. */
function count(round: Round, lane: Lane, ms: number): void {
  round.spentMs += ms;
  round.readMs += (ms - round.readMs) * (ms > round.readMs ? WEIGHT.longer : WEIGHT.shorter);
  lane.spentMs += ms;
  if (round.spentMs > NOTABLE_MS) arm(round);
}

/** Whether one of this lane may go on in this turn. */
function hasTime(round: Round, lane: Lane): boolean {
  if (round.spentMs < TURN_MS && !round.isFull) return true;
  // Whoever has not had a share of its own does not wait for those who have had theirs.
  return lane.spentMs < TURN_MS / round.lanes.size && lane.queue.length === 0;
}

/** Behind those of its lane that wait, or among those who have seats. */
function queueUp(lane: Lane, reader: Reader): void {
  if (lane.seats.has(reader)) {
    lane.seated.push(reader);
    return;
  }
  lane.queue.push(reader);
  if (began(reader) < lane.lastSince) lane.isNewOlder = true;
}

function took(round: Round, reader: Reader, ms: number, now: number): boolean {
  const lane = laneOf(round, reader.owner);
  count(round, lane, ms);
  reader.waitsSince = undefined;
  if (hasTime(round, lane)) return true;
  round.isFull = true;
  reader.waitsSince = now;
  queueUp(lane, reader);
  arm(round);
  return false;
}

function putsOff(round: Round, reader: Reader, now: number): boolean {
  if (round.spentMs < MOST_MS) return false;
  const lane = laneOf(round, reader.owner);
  if (lane.spentMs < TURN_MS / round.lanes.size || lane.seats.has(reader)) return false;
  reader.waitsSince ??= now;
  lane.late.push(reader);
  round.isFull = true;
  arm(round);
  return true;
}

function longestWaitMs({ lanes }: Round, now: number): number {
  let longest = 0;
  for (const { queue, late } of lanes.values())
    for (const first of [queue[0], late[0]]) longest = Math.max(longest, now - (first?.waitsSince ?? now));
  return longest;
}

/**
 * Keeps the turns of the event loop short, however many streams there are: once a turn has done enough, those who read after that
 * wait, and go on in the next ones, as many a turn as it has time for; what comes in spite of that is worked on in the next ones. So new
 * connections, refusals and health come in between; whoever asks for little waits for nobody who asks for much; and of one owner's
 * answers, those that began first are not held up by all others.
 */
export function createReadTurns(nextTurn: Round['nextTurn'] = setImmediate): ReadTurns {
  const round: Round = {
    lanes: new Map<string, Lane>(),
    nextTurn,
    run: () => serveAll(round),
    spentMs: 0,
    readMs: 0,
    isArmed: false,
    isCrowded: false,
    isFull: false,
  };
  return {
    took: (reader, ms, now) => took(round, reader, ms, now),
    putsOff: (reader, now) => putsOff(round, reader, now),
    left: (reader) => void round.lanes.get(reader.owner)?.seats.delete(reader),
    crowd: (is) => void (round.isCrowded = is),
    isCrowded: () => round.isCrowded,
    waitedMs: (now) => longestWaitMs(round, now),
  };
}
