import { GatewayError } from '../ir/index.ts';
import type { CarriedError, Message, Topics } from './messages.ts';

/** What answers questions, by topic. What it throws is thrown at the other end. */
export type Handlers<In extends object> = {
  readonly [T in keyof In]: In[T] extends { readonly ask: infer A; readonly answer: infer R } ? (body: A) => R | Promise<R> : never;
};

type AskOf<Out, T extends keyof Out> = Out[T] extends { readonly ask: infer A } ? A : never;
type AnswerOf<Out, T extends keyof Out> = Out[T] extends { readonly answer: infer R } ? R : never;

/** One end of a pipe to another process. */
export interface Link<Out extends object> {
  /** Rejects with what the other end threw, or with `Silence` when it does not answer in time (milliseconds; `Infinity`: however long). */
  ask<T extends keyof Out & string>(topic: T, body: AskOf<Out, T>, withinMs: number): Promise<AnswerOf<Out, T>>;
  /** Nobody waits for an answer; lost where the other end takes nothing any more. */
  tell<T extends keyof Out & string>(topic: T, body: AskOf<Out, T>): void;
  /** Something came. */
  receive(message: Message): void;
  /** The other end is gone: nothing that was asked will be answered. */
  close(): void;
}

/** What a link stands on. */
export interface LinkPorts<In extends object> {
  /** Calls back when the message is on its way; throws or calls back with an error where it cannot be. */
  readonly send: (message: Message, onSent: (error: Error | null) => void) => void;
  readonly handlers: Handlers<In>;
  readonly monotonic?: () => number;
}

/** The other process does not answer: it is frozen, gone, or has too much to do. */
export class Silence extends Error {}

/** Questions under way and messages not yet sent, of each: more than that are not asked, and not told. */
const MAX_WAITING = 10_000;
/** One that did not answer in time is asked again no more often than that, until something comes from it. */
const PROBE_MS = 500;

function carried(error: unknown): CarriedError {
  if (error instanceof GatewayError) return { message: error.message, fault: error.fault };
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  return {
    message: error instanceof Error ? message : String(error),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof syscall === 'string' ? { syscall } : {}),
  };
}

function thrown({ message, fault, ...about }: CarriedError): Error {
  return fault ? new GatewayError(fault) : Object.assign(new Error(message), about);
}

interface Asking {
  readonly settle: (answer: Extract<Message, { kind: 'answer' }>) => void;
  readonly fail: () => void;
}

/** Questions and answers over a pipe between two processes: bounded, and each question with its time. */
export function createLink<Out extends object, In extends object = Topics>(ports: LinkPorts<In>): Link<Out> {
  const { handlers, monotonic = () => performance.now() } = ports;
  const asking = new Map<number, Asking>();
  let lastId = 0;
  let unsent = 0;
  let isClosed = false;
  /** When one that does not answer may be asked again. */
  let silentUntil: number | undefined;

  const send = (message: Message): void => {
    unsent += 1;
    const sent = (): void => void (unsent -= 1);
    try {
      ports.send(message, sent);
    } catch {
      sent();
    }
  };
  const isUsable = (): boolean => !isClosed && unsent < MAX_WAITING;
  const answer = async ({ topic, body, id }: Extract<Message, { kind: 'ask' }>): Promise<void> => {
    const handler = (handlers as Readonly<Record<string, ((body: unknown) => unknown) | undefined>>)[topic];
    let said: Pick<Extract<Message, { kind: 'answer' }>, 'body' | 'error'>;
    try {
      if (!handler) throw new Error(`nobody answers '${topic}'`);
      said = { body: await handler(body) };
    } catch (error) {
      said = { error: carried(error) };
    }
    if (id !== undefined && !isClosed) send({ kind: 'answer', id, ...said });
  };
  /** Whether one that is silent is not to be bothered again yet. */
  const isResting = (): boolean => {
    if (silentUntil === undefined) return false;
    if (monotonic() < silentUntil) return true;
    silentUntil = monotonic() + PROBE_MS;
    return false;
  };

  return {
    ask(topic, body, withinMs) {
      if (!isUsable() || asking.size >= MAX_WAITING || (withinMs !== Infinity && isResting())) {
        return Promise.reject(new Silence(`'${topic}' cannot be asked`));
      }
      lastId += 1;
      const id = lastId;
      return new Promise((resolve, reject) => {
        const fail = (): void => {
          asking.delete(id);
          reject(new Silence(`'${topic}' was not answered`));
        };
        const late = (): void => {
          silentUntil = monotonic() + PROBE_MS;
          fail();
        };
        const timer = withinMs === Infinity ? undefined : setTimeout(late, withinMs);
        asking.set(id, {
          settle(message) {
            clearTimeout(timer);
            asking.delete(id);
            if (message.error) reject(thrown(message.error));
            else resolve(message.body as AnswerOf<Out, typeof topic>);
          },
          fail() {
            clearTimeout(timer);
            fail();
          },
        });
        send({ kind: 'ask', topic, body, id });
      });
    },
    tell(topic, body) {
      if (isUsable()) send({ kind: 'ask', topic, body });
    },
    receive(message) {
      silentUntil = undefined;
      if (message.kind === 'ask') void answer(message);
      else if (message.kind === 'answer') asking.get(message.id)?.settle(message);
    },
    close() {
      isClosed = true;
      for (const one of asking.values()) one.fail();
    },
  };
}
