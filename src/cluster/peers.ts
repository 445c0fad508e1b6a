import { GatewayError, gatewayFault } from '../ir/index.ts';
import type { Minutes } from '../exchange/trying/minutes.ts';
import type { Slots } from '../exchange/trying/slots.ts';
import type { HealthFact } from '../policy/health.ts';
import { type Handlers, type Link, Silence } from './link.ts';
import type { OfPrimary, OfWorker } from './messages.ts';
import { createRemoteMinutes, type RemoteMinutes } from './remote-minutes.ts';
import { createRemoteSlots, type RemoteSlots } from './remote-slots.ts';

/** What a store tells the processes that share it, and asks of them: what one has put, all can read. */
export interface Settling {
  /** Something was put that is not written yet; `flush` writes it where another process waits for it. */
  dirty(): void;
  /** All of it is written. */
  clean(): void;
  /** Settles when what the others had put before is written; also when they do not answer in time. */
  others(): Promise<void>;
}

/** The other processes that do the same work, as one of them sees them. */
export interface Peers {
  /** Which one this is, from 1, and of how many. */
  readonly number: number;
  readonly count: number;
  /** Whether what is due on time is this one's to do. */
  readonly isLeader: () => boolean;
  /** Places at providers, counted together. */
  readonly slots: Slots;
  /** What keys and providers take in a minute, counted together. */
  readonly minutes: Minutes;
  /** Tells the others what happened at a place. */
  readonly tellHealth: (fact: HealthFact) => void;
  /** Hears what happened there. */
  onHealth(learn: (fact: HealthFact) => void): void;
  /** Shares a store by its name. */
  settling(store: string, flush: () => Promise<void>): Settling;
  /** Keeps a name for one of them; `undefined`: another has it. Throws the 503 when that cannot be told. */
  lock(name: string): Promise<(() => void) | undefined>;
  /** What the first of the others answers that can; `undefined`: none. */
  ask(topic: string, body: unknown): Promise<unknown>;
  /** Answers the others; `undefined`: it cannot. */
  answer(topic: string, answer: (body: unknown) => unknown): void;
}

/** What a worker answers by itself; the rest is the server's. */
export type PeerHandlers = Pick<Handlers<OfWorker>, 'lead' | 'flush' | 'health' | 'placed' | 'full' | 'minute' | 'question'>;

/** How long the primary is waited for: it has little to do, the machine may have much. Once it has not answered nobody waits for it. */
const ANSWER_MS = 5000;
/** … and other workers, for what can be done without. */
const OTHERS_MS = 1500;

const cannotTell = (): GatewayError =>
  new GatewayError({
    ...gatewayFault('overloaded', 'Whether another process is at work on this cannot be told just now', { code: 'store_unavailable' }),
    retryAfterMs: 1000,
  });

/** Answers `instead` where nobody does. */
const unlessSilent = <T>(answer: Promise<T>, instead: () => T): Promise<T> =>
  answer.catch((error: unknown) => {
    if (error instanceof Silence) return instead();
    throw error;
  });

/** What the pieces below share: what this worker knows, and who of it hears and answers the others. */
interface Knowing {
  readonly slots: RemoteSlots;
  readonly minutes: RemoteMinutes;
  readonly learners: ((fact: HealthFact) => void)[];
  readonly flushes: Map<string, () => Promise<void>>;
  readonly answers: Map<string, (body: unknown) => unknown>;
  leads: boolean;
}

/** Tells the primary of each change from written to unwritten and back, once. */
function settlingOver(link: Link<OfPrimary>, store: string): Settling {
  let isDirty = false;
  return {
    dirty() {
      if (!isDirty) link.tell('dirty', store);
      isDirty = true;
    },
    clean() {
      if (isDirty) link.tell('clean', store);
      isDirty = false;
    },
    others: () => unlessSilent(link.ask('settled', store, ANSWER_MS), () => undefined),
  };
}

async function lockOver(link: Link<OfPrimary>, name: string): Promise<(() => void) | undefined> {
  const isOurs = await unlessSilent(link.ask('lock', name, ANSWER_MS), () => {
    // It may be given later, to nobody.
    link.tell('unlock', name);
    throw cannotTell();
  });
  return isOurs ? () => link.tell('unlock', name) : undefined;
}

function handlersOf(knowing: Knowing): PeerHandlers {
  const { slots, minutes, learners, flushes, answers } = knowing;
  return {
    lead(isLeader) {
      knowing.leads = isLeader;
      return undefined;
    },
    async flush(store) {
      await flushes.get(store)?.();
      return undefined;
    },
    health(fact) {
      for (const learn of learners) learn(fact);
      return undefined;
    },
    placed({ ticket, placed }) {
      slots.placed(ticket, placed);
      return undefined;
    },
    full({ place, isFull }) {
      slots.full(place, isFull);
      return undefined;
    },
    minute(news) {
      minutes.learn(news);
      return undefined;
    },
    question: ({ topic, body }) => answers.get(topic)?.(body),
  };
}

/** The peers of a worker, over its link to the primary. */
export function createPeers(
  number: number,
  count: number,
  link: Link<OfPrimary>,
): { readonly peers: Peers; readonly handlers: PeerHandlers } {
  const knowing: Knowing = {
    slots: createRemoteSlots({ link, number, count }),
    minutes: createRemoteMinutes({ link, number, count, monotonic: () => performance.now() }),
    learners: [],
    flushes: new Map(),
    answers: new Map(),
    leads: false,
  };
  const { slots, minutes, learners, flushes, answers } = knowing;
  const peers: Peers = {
    number,
    count,
    isLeader: () => knowing.leads,
    slots,
    minutes,
    tellHealth: (fact) => link.tell('health', fact),
    onHealth: (learn) => void learners.push(learn),
    settling(store, flush) {
      flushes.set(store, flush);
      return settlingOver(link, store);
    },
    lock: (name) => lockOver(link, name),
    ask: (topic, body) => unlessSilent(link.ask('others', { topic, body }, OTHERS_MS), () => undefined),
    answer: (topic, answer) => void answers.set(topic, answer),
  };
  return { peers, handlers: handlersOf(knowing) };
}
