// Upstreams of every endpoint that stand still in the middle of their answers until they are told to go on.
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAMILIES, type Family } from '../fakes/fault-families.ts';
import type { Behaviour } from '../fakes/fault-upstream.ts';
import { type Lane, LANES } from './lanes.ts';

/** Tells which family a request is of: for `ask`. */
export const familyMark = (family: Family): string => `family-${FAMILIES.indexOf(family)}-`;

/** A stream of so many events, each with what `said` gives in it. What stands before the first comes with it, and the end with the last. */
export function stepsOf({ answer }: Lane, events: number, said: (which: number) => string): readonly Buffer[] {
  let made = 0;
  let seen = 0;
  const steps: Buffer[][] = [[]];
  for (const piece of answer(events, () => said(made++))) {
    if (made > seen && seen > 0) steps.push([]);
    seen = made;
    steps.at(-1)?.push(Buffer.from(piece));
  }
  return steps.map((pieces) => Buffer.concat(pieces));
}

/** Each event says which it is. */
const numbered = (which: number): string => `@${which}@`;

/** Whether all events of a stream came, each once and in its order; some dialects say all again at their end. */
export const hasAllEvents = (text: string, events: number): boolean =>
  [...text.matchAll(/@(\d+)@/g)].slice(0, events).filter(([, which], at) => Number(which) === at).length === events;

/** An upstream that waits. */
export interface Held {
  readonly behave: Behaviour;
  /** Requests whose answer is no stream that have come. */
  readonly wholes: () => number;
  /** From now on, and for those that come from now on: to the end. */
  goOn(): void;
}

/**
 * Streams of `LANES` (`markOf`), of so many events, stand still after half of them; the answers of other families (`familyMark`) before they
 * begin. Gaps are of `gapMs` on average.
 */
export function held(events: number, gapMs: number): Held {
  let goOn = (): void => undefined;
  const turn = new Promise<void>((resolve) => (goOn = resolve));
  const streams = LANES.map((lane) => ({ type: lane.type, steps: stepsOf(lane, events, numbered), before: Math.ceil(events / 2) }));
  const others = FAMILIES.map(({ type, pieces }) => ({ type, steps: pieces, before: 0 }));
  let wholes = 0;
  const play = async (response: ServerResponse, { type, steps, before }: (typeof streams | typeof others)[number]): Promise<void> => {
    for (const [at, step] of steps.entries()) {
      if (at === before) await turn;
      // Not all at the same moment.
      if (at > 0 || before === 0) await sleep(Math.random() * 2 * gapMs);
      if (response.destroyed) return;
      if (at === 0) response.writeHead(200, { 'content-type': type });
      response.write(step);
    }
    response.end();
  };
  return {
    behave({ text }, response) {
      const [, kind, number] = /(lane|family)-(\d+)-/.exec(text) ?? [];
      const answer = (kind === 'lane' ? streams : others)[Number(number)];
      if (!answer) return void response.writeHead(404).end();
      if (kind === 'family') wholes++;
      void play(response, answer);
    },
    wholes: () => wholes,
    goOn: () => goOn(),
  };
}
