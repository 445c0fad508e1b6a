import { createSlots } from '../exchange/trying/slots.ts';
import type { HealthFact } from '../policy/health.ts';
import type { Handlers, Link } from './link.ts';
import type { OfPrimary, OfWorker } from './messages.ts';
import { createPlaces } from './places.ts';

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

/** Nobody has joined yet. */
export function createHub(): Hub {
  const members = new Map<number, Member>();
  const facts: { readonly by: Member; readonly fact: HealthFact }[] = [];
  /** Who keeps a name. */
  const locks = new Map<string, number>();
  const places = createPlaces({
    slots: createSlots(),
    onPlaced: (number, ticket, placed) => members.get(number)?.link.tell('placed', { ticket, placed }),
    onFull: (place, isFull) => {
      for (const { link } of members.values()) link.tell('full', { place, isFull });
    },
  });
  const others = (number: number): readonly Member[] => [...members].flatMap(([other, member]) => (other === number ? [] : [member]));

  return {
    join(number, link) {
      const dirty = new Set<string>();
      const member: Member = { link, dirty, isWelcome: false };
      members.set(number, member);
      return {
        health: (fact) => {
          facts.push({ by: member, fact });
          // Many at a time: to move all of them for each would cost more than they do.
          if (facts.length >= 2 * MAX_FACTS) facts.splice(0, MAX_FACTS);
          for (const other of others(number)) if (other.isWelcome) other.link.tell('health', fact);
          return undefined;
        },
        take: (wish) => places.take(number, wish),
        release(ticket) {
          places.release(number, ticket);
          return undefined;
        },
        async lock(name) {
          // Who let it go said so before anybody could ask for it; but two pipes are read one after the other.
          if (locks.has(name)) await nextTurn();
          const isThere = members.get(number) === member;
          if (!isThere || locks.has(name) || locks.size >= MAX_LOCKS) return false;
          locks.set(name, number);
          return true;
        },
        unlock(name) {
          if (locks.get(name) === number) locks.delete(name);
          return undefined;
        },
        dirty(store) {
          dirty.add(store);
          return undefined;
        },
        clean(store) {
          dirty.delete(store);
          return undefined;
        },
        async settled(store) {
          // Who put something said so before anybody could ask for it; but two pipes are read one after the other.
          await nextTurn();
          const late = others(number).filter((other) => other.dirty.has(store));
          await Promise.allSettled(late.map((other) => other.link.ask('flush', store, FLUSH_MS)));
          return undefined;
        },
        others: (question) => firstAnswer(others(number).map((other) => other.link.ask('question', question, QUESTION_MS))),
      };
    },
    welcome(number) {
      const member = members.get(number);
      if (!member) return;
      for (const place of places.full()) member.link.tell('full', { place, isFull: true });
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
