import { createSlots } from '../exchange/trying/slots.ts';
import type { HealthFact } from '../policy/health.ts';
import type { Handlers, Link } from './link.ts';
import type { OfPrimary, OfWorker } from './messages.ts';
import { createPlaces } from './places.ts';
import { createSharedMinutes, type SharedMinutes } from './shared-minutes.ts';

/** What the primary does for its workers while they work: it carries what one says to the others, and keeps what must be kept once. */
export interface Hub {
  /** A worker is there: what it may ask. */
  join(number: number, link: Outlet): Omit<Handlers<OfPrimary>, 'taken'>;
  /** It has started: tells it what the others have been told before. */
  welcome(number: number): void;
  /** It has ended: what it held is free. */
  left(number: number): void;
}

/** How long one worker may take to write what it has put … */
const FLUSH_MS = 3000;
/** … and to answer another's question. */
const QUESTION_MS = 1000;
/** What happened at places lately, for those that come later. Older than that it is forgotten: they find out for themselves. */
const MAX_FACTS = 2000;
/** Names that are kept at once; more are refused. */
const MAX_LOCKS = 100_000;

/** The way to a worker. */
type Outlet = Pick<Link<OfWorker>, 'ask' | 'tell'>;

interface Member {
  readonly link: Outlet;
  /** Stores that it has put something into that is not written yet. */
  readonly dirty: Set<string>;
  /** It has started, and been told what happened before. */
  isWelcome: boolean;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The first answer that is one; `undefined` when there is none. */
function firstAnswer(answers: readonly Promise<unknown>[]): Promise<unknown> {
  return new Promise((resolve) => {
    const all = answers.map((one) => one.then((answer) => answer !== undefined && resolve(answer)));
    void Promise.allSettled(all).then(() => resolve(undefined));
  });
}

/** What the pieces below share. */
interface Crew {
  readonly members: Map<number, Member>;
  readonly facts: { readonly by: Member; readonly fact: HealthFact }[];
  /** Who keeps a name. */
  readonly locks: Map<string, number>;
  readonly places: ReturnType<typeof createPlaces>;
  readonly minutes: SharedMinutes;
}

function newCrew(): Crew {
  const members = new Map<number, Member>();
  const places = createPlaces({
    slots: createSlots(),
    onPlaced: (number, ticket, placed) => members.get(number)?.link.tell('placed', { ticket, placed }),
    onFull: (place, isFull) => {
      for (const { link } of members.values()) link.tell('full', { place, isFull });
    },
  });
  const minutes = createSharedMinutes(
    () => performance.now(),
    (news) => {
      for (const { link } of members.values()) link.tell('minute', news);
    },
  );
  return { members, facts: [], locks: new Map(), places, minutes };
}

const othersOf = ({ members }: Crew, number: number): readonly Member[] =>
  [...members].flatMap(([other, member]) => (other === number ? [] : [member]));

/** Something happened at a place: the others are told, and those that come later. */
function learn(crew: Crew, number: number, by: Member, fact: HealthFact): void {
  const { facts } = crew;
  facts.push({ by, fact });
  // Many at a time: to move all of them for each would cost more than they do.
  if (facts.length >= 2 * MAX_FACTS) facts.splice(0, MAX_FACTS);
  for (const other of othersOf(crew, number)) if (other.isWelcome) other.link.tell('health', fact);
}

async function lock({ members, locks }: Crew, number: number, member: Member, name: string): Promise<boolean> {
  // Who let it go said so before anybody could ask for it; but two pipes are read one after the other.
  if (locks.has(name)) await nextTurn();
  const isThere = members.get(number) === member;
  if (!isThere || locks.has(name) || locks.size >= MAX_LOCKS) return false;
  locks.set(name, number);
  return true;
}

/** What the others have put into a store is written. */
async function settle(crew: Crew, number: number, store: string): Promise<void> {
  // Who put something said so before anybody could ask for it; but two pipes are read one after the other.
  await nextTurn();
  const late = othersOf(crew, number).filter((other) => other.dirty.has(store));
  await Promise.allSettled(late.map((other) => other.link.ask('flush', store, FLUSH_MS)));
}

/** What one of them may ask. */
function handlersOf(crew: Crew, number: number, member: Member): ReturnType<Hub['join']> {
  const { locks, places, minutes } = crew;
  return {
    health: (fact) => void learn(crew, number, member, fact),
    take: (wish) => places.take(number, wish),
    release: (ticket) => void places.release(number, ticket),
    count: ({ minute, taking }) => minutes.count(minute, taking),
    recount: ({ minute, at, by }) => void minutes.change(minute, at, by),
    lock: (name) => lock(crew, number, member, name),
    unlock(name) {
      if (locks.get(name) === number) locks.delete(name);
      return undefined;
    },
    dirty: (store) => void member.dirty.add(store),
    clean: (store) => void member.dirty.delete(store),
    settled: (store) => settle(crew, number, store).then(() => undefined),
    others: (question) => firstAnswer(othersOf(crew, number).map((other) => other.link.ask('question', question, QUESTION_MS))),
  };
}

/** Nobody has joined yet. */
export function createHub(): Hub {
  const crew = newCrew();
  const { members, facts, locks, places, minutes } = crew;
  return {
    join(number, link) {
      const member: Member = { link, dirty: new Set(), isWelcome: false };
      members.set(number, member);
      return handlersOf(crew, number, member);
    },
    welcome(number) {
      const member = members.get(number);
      if (!member) return;
      for (const place of places.full()) member.link.tell('full', { place, isFull: true });
      for (const news of minutes.full()) member.link.tell('minute', news);
      // Each tells when it happened, and changes what is remembered as it did then.
      for (const { by, fact } of facts) if (by !== member) member.link.tell('health', fact);
      member.isWelcome = true;
    },
    left(number) {
      members.delete(number);
      places.left(number);
      for (const [name, owner] of locks) if (owner === number) locks.delete(name);
    },
  };
}
