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

type Ask = Extract<Message, { kind: 'ask' }>;
type Answer = Extract<Message, { kind: 'answer' }>;

/** A question under way. */
interface Asking {
  readonly topic: string;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout | undefined;
}

/** What the pieces below share. */
interface Linking {
  readonly send: LinkPorts<object>['send'];
  readonly handlers: Readonly<Record<string, ((body: unknown) => unknown) | undefined>>;
  readonly monotonic: () => number;
  /** By the ids of their messages. */
  readonly asking: Map<number, Asking>;
  lastId: number;
  unsent: number;
  isClosed: boolean;
  /** When one that does not answer may be asked again. */
  silentUntil: number | undefined;
}

function send(linking: Linking, message: Message): void {
  linking.unsent += 1;
  const sent = (): void => void (linking.unsent -= 1);
  try {
    linking.send(message, sent);
  } catch {
    sent();
  }
}

const isUsable = ({ isClosed, unsent }: Linking): boolean => !isClosed && unsent < MAX_WAITING;

/** Whether one that is silent is not to be bothered again yet. */
function isResting(linking: Linking): boolean {
  const { silentUntil, monotonic } = linking;
  if (silentUntil === undefined) return false;
  if (monotonic() < silentUntil) return true;
  linking.silentUntil = monotonic() + PROBE_MS;
  return false;
}

const mayAsk = (linking: Linking, withinMs: number): boolean =>
  isUsable(linking) && linking.asking.size < MAX_WAITING && (withinMs === Infinity || !isResting(linking));

/** Takes a question out of those that are under way. */
function taken({ asking }: Linking, id: number): Asking | undefined {
  const one = asking.get(id);
  asking.delete(id);
  clearTimeout(one?.timer);
  return one;
}

function fail(linking: Linking, id: number): void {
  const one = taken(linking, id);
  one?.reject(new Silence(`'${one.topic}' was not answered`));
}

function late(linking: Linking, id: number): void {
  linking.silentUntil = linking.monotonic() + PROBE_MS;
  fail(linking, id);
}

function settle(linking: Linking, { id, body, error }: Answer): void {
  const one = taken(linking, id);
  if (error) one?.reject(thrown(error));
  else one?.resolve(body);
}

function ask(linking: Linking, topic: string, body: unknown, withinMs: number): Promise<unknown> {
  if (!mayAsk(linking, withinMs)) return Promise.reject(new Silence(`'${topic}' cannot be asked`));
  linking.lastId += 1;
  const id = linking.lastId;
  return new Promise((resolve, reject) => {
    const timer = withinMs === Infinity ? undefined : setTimeout(late, withinMs, linking, id);
    linking.asking.set(id, { topic, resolve, reject, timer });
    send(linking, { kind: 'ask', topic, body, id });
  });
}

async function answer(linking: Linking, { topic, body, id }: Ask): Promise<void> {
  const handler = linking.handlers[topic];
  let said: Pick<Answer, 'body' | 'error'>;
  try {
    if (!handler) throw new Error(`nobody answers '${topic}'`);
    said = { body: await handler(body) };
  } catch (error) {
    said = { error: carried(error) };
  }
  if (id !== undefined && !linking.isClosed) send(linking, { kind: 'answer', id, ...said });
}

function receive(linking: Linking, message: Message): void {
  linking.silentUntil = undefined;
  if (message.kind === 'ask') void answer(linking, message);
  else if (message.kind === 'answer') settle(linking, message);
}

function close(linking: Linking): void {
  linking.isClosed = true;
  for (const id of linking.asking.keys()) fail(linking, id);
}

const newLinking = <In extends object>({ send: sending, handlers, monotonic }: LinkPorts<In>): Linking => ({
  send: sending,
  handlers: handlers as Linking['handlers'],
  monotonic: monotonic ?? (() => performance.now()),
  asking: new Map(),
  lastId: 0,
  unsent: 0,
  isClosed: false,
  silentUntil: undefined,
});

/** Questions and answers over a pipe between two processes: bounded, and each question with its time. */
export function createLink<Out extends object, In extends object = Topics>(ports: LinkPorts<In>): Link<Out> {
  const linking = newLinking(ports);
  return {
    ask: <T extends keyof Out & string>(topic: T, body: AskOf<Out, T>, withinMs: number) =>
      ask(linking, topic, body, withinMs) as Promise<AnswerOf<Out, T>>,
    tell(topic, body) {
      if (isUsable(linking)) send(linking, { kind: 'ask', topic, body });
    },
    receive: (message) => receive(linking, message),
    close: () => close(linking),
  };
}
