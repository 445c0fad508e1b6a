// One stream as its client sees it, when each of its events says when it left the upstream (`stamped`).
import type { Agent } from 'node:http';
import type { Asked } from '../fakes/fault-families.ts';
import { overSocket } from '../fakes/web-sockets.ts';
import { KEY } from './gateway.ts';
import { type Lane, unpacked } from './lanes.ts';
import type { Moment } from './moments.ts';
import { talk } from './talk.ts';

/** What one stream took. */
export interface Timed {
  /** To its first event, without the upstream's own time. */
  readonly first: number;
  /** From the request to its first event. */
  readonly began: Moment;
  /** How much longer than the upstream's each gap was, and when its second event came. */
  readonly gaps: readonly { readonly by: number; readonly at: number }[];
  /** What was wrong with it; nothing, as a rule. */
  readonly wrong?: string;
}

const STAMP = /@([\d.]+);([\d.]+)@/g;
/** No stamp is longer. */
const REST = 60;
/** No piece of sound is longer, in base64. */
const PACKED_REST = 4096;

/**
 * Asks for a stream of so many events and follows it. The upstream must run in this process: its clock is ours. `isPacked`: the stamps may
 * be in base64. `isSocket`: it is asked for over a WebSocket, from whose opening on it is timed.
 */
export async function timed(
  base: string,
  { path, type, body }: Asked,
  events: number,
  agent: Agent,
  { isPacked, isSocket }: Pick<Lane, 'isPacked' | 'isSocket'> = {},
): Promise<Timed> {
  let from = performance.now();
  let first = Infinity;
  let to = Infinity;
  let last: { readonly sent: number; readonly came: number } | undefined;
  let seen = 0;
  let rest = '';
  const gaps: { readonly by: number; readonly at: number }[] = [];
  const heard = (text: string): void => {
    const came = performance.now();
    rest += text;
    for (const [, stamp, own] of (isPacked ? unpacked(rest) : rest).matchAll(STAMP)) {
      const sent = Number(stamp);
      // Some dialects say all again at their end, and what is left of the last piece is looked at again.
      if (last && sent <= last.sent) continue;
      seen++;
      if (last) gaps.push({ by: came - last.came - (sent - last.sent), at: came });
      else [first, to] = [came - from - Number(own), came];
      last = { sent, came };
    }
    // A stamp may come in two pieces.
    rest = rest.slice(isPacked ? -PACKED_REST : -REST);
  };
  const got = isSocket
    ? await overSocket({ url: base, key: KEY, asked: { path, body }, heard, opened: () => (from = performance.now()) })
    : await talk({ url: base + path, type, body, agent, heard });
  const isRight = got.status === 200 && got.isWhole && seen === events;
  return {
    first,
    began: { from, to },
    gaps,
    ...(isRight ? {} : { wrong: `${got.status}, ${seen} of ${events} events: ${got.text.slice(0, 200)}` }),
  };
}
