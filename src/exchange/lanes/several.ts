import { type Fault, type ReplyEvent, type Stop, sumUsage, type Usage } from '../../ir/index.ts';
import type { UpstreamHeaders } from '../../upstream/send.ts';
import type { AttemptEnd, Decoded } from '../call.ts';
import { endOf, factsOf, type ReplyTaker, type Seen, see } from './client-stream.ts';
import { type Lane, type LaneContext, ownFault } from './lane.ts';
import { clientTaker, createBranchLane, type Listener } from './translated.ts';

/** What a call whose turn has not come may have waiting before it is paused. */
const MAX_WAITING_BYTES = 256 * 1024;

interface Branch {
  readonly index: number;
  readonly context: LaneContext;
  readonly seen: Seen;
  readonly waiting: ReplyEvent[];
  waitingBytes: number;
  stop: Stop | undefined;
}

const nobody = (): void => {};

/** All branches' usage so far. */
function usageOf(branches: readonly Branch[]): Usage | undefined {
  let sum: Usage | undefined;
  for (const { seen } of branches) if (seen.usage) sum = sum ? sumUsage(sum, seen.usage) : seen.usage;
  return sum;
}

/** Calls that answer one client, as far as they have come. */
interface Several {
  readonly count: number;
  readonly decoded: Decoded;
  readonly listenTo: (index: number) => Listener;
  readonly hears: Listener | undefined;
  readonly branches: Branch[];
  client: ReplyTaker | undefined;
  /** The choice whose turn it is. */
  current: number;
  over: boolean;
}

function tell({ hears, client }: Several, event: ReplyEvent): void {
  hears?.(event);
  client?.event(event);
}

function failAll(several: Several, fault: Fault): void {
  if (several.over) return;
  several.over = true;
  const { client, branches } = several;
  if (client && !client.isOver()) client.event({ type: 'fault', fault });
  for (const branch of branches) {
    branch.context.abortUpstream();
    branch.context.done(endOf(branch.seen, 'upstream', fault));
  }
}

function endAll(several: Several): void {
  several.over = true;
  const ordered = several.branches.toSorted((a, b) => a.index - b.index);
  const [first, ...others] = ordered.map((branch) => branch.stop ?? { reason: 'other' as const });
  const usage = usageOf(several.branches);
  if (usage) tell(several, { type: 'usage', usage });
  tell(several, { type: 'reply-end', stop: first ?? { reason: 'other' }, others });
}

/** Lets the next choices speak, as far as the one at the front has ended. */
function advance(several: Several): void {
  while (several.current < several.count) {
    const front = several.branches.find((branch) => branch.index === several.current);
    if (!front) return;
    for (const event of front.waiting) tell(several, event);
    front.waiting.length = 0;
    front.waitingBytes = 0;
    if (!front.stop) {
      front.context.resumeUpstream();
      return;
    }
    several.current++;
  }
  endAll(several);
}

function say(several: Several, branch: Branch, event: ReplyEvent): void {
  if (branch.index === several.current) tell(several, event);
  else {
    branch.waiting.push(event);
    branch.waitingBytes += event.type === 'part-delta' ? event.text.length + 64 : 256;
  }
}

function take(several: Several, branch: Branch, event: ReplyEvent): void {
  see(branch.seen, event);
  several.listenTo(branch.index)(event);
  switch (event.type) {
    case 'fault':
      return failAll(several, ownFault(branch.context, event.fault));
    case 'usage':
      return;
    case 'reply-start':
      if (branch.index === 0) say(several, branch, event);
      return;
    case 'reply-end':
      branch.stop = event.stop;
      if (branch.index === several.current) advance(several);
      branch.context.done(endOf(branch.seen, 'upstream'));
      return;
    case 'part-start':
      branch.context.onFirstToken();
      return say(several, branch, branch.index === 0 ? event : { ...event, choice: branch.index });
    default:
      say(several, branch, event);
  }
}

/** The client's own writer: made with the first answer; its end is told branch by branch. */
function clientOf({ branches, decoded }: Several, context: LaneContext, upstream: UpstreamHeaders): ReplyTaker {
  const resumeAll = (): void => {
    for (const { context } of branches) context.resumeUpstream();
  };
  return clientTaker({ ...context, done: nobody, onFirstToken: nobody, resumeUpstream: resumeAll }, decoded, upstream, nobody);
}

function takerFor(several: Several, branch: Branch, upstream: UpstreamHeaders): ReplyTaker {
  several.client ??= clientOf(several, branch.context, upstream);
  return {
    isOver: () => several.over || branch.stop !== undefined,
    flows: () => (branch.index === several.current ? (several.client?.flows() ?? true) : branch.waitingBytes < MAX_WAITING_BYTES),
    soFar: () => factsOf(branch.seen),
    event: (event) => {
      if (!several.over) take(several, branch, event);
    },
  };
}

/**
 * Several calls that answer one client as the choices of one reply: the first choice is told as it comes, the others wait
 * for their turn (the grammar tells choices in order), usage is added up, and one that fails fails all. `hears`: is told what the
 * client is told.
 */
export function createSeveral(
  count: number,
  decoded: Decoded,
  listenTo: (index: number) => Listener,
  hears?: Listener,
): (index: number) => (context: LaneContext) => Lane {
  const several: Several = { count, decoded, listenTo, hears, branches: [], client: undefined, current: 0, over: false };
  return (index) => (context) => {
    const branch: Branch = { index, context, seen: {}, waiting: [], waitingBytes: 0, stop: undefined };
    several.branches.push(branch);
    const done = (end: AttemptEnd): void => {
      if (end.fault) failAll(several, end.fault);
      context.done(end);
    };
    return createBranchLane({ ...context, done }, decoded, (_, upstream) => takerFor(several, branch, upstream));
  };
}

/**
 * Makes the attempts of one reply: all at once, or one after another where there is room for one at a time, until one fails. `attempt`
 * is told how long those before it took.
 */
export function attemptAll<T>(
  all: readonly T[],
  isLimited: boolean,
  monotonic: () => number,
  attempt: (one: T, tookMs: number) => Promise<AttemptEnd>,
): Promise<AttemptEnd> {
  const [only] = all;
  return only && all.length === 1 ? attempt(only, 0) : attemptSeveral(all, isLimited, monotonic, attempt);
}

async function attemptSeveral<T>(
  all: readonly T[],
  isLimited: boolean,
  monotonic: () => number,
  attempt: (one: T, tookMs: number) => Promise<AttemptEnd>,
): Promise<AttemptEnd> {
  if (!isLimited) return endOfAll(await Promise.all(all.map((one) => attempt(one, 0))));
  const started = monotonic();
  const ends: AttemptEnd[] = [];
  for (const one of all) {
    const end = await attempt(one, monotonic() - started);
    ends.push(end);
    if (end.fault || end.endedBy === 'client') break;
  }
  return endOfAll(ends);
}

/** How several attempts of one reply ended: the worst of it, with all of their usage. */
function endOfAll(ends: readonly AttemptEnd[]): AttemptEnd {
  const [first] = ends;
  if (!first) throw new Error('no attempt');
  const worst = ends.find((end) => end.endedBy === 'client') ?? ends.find((end) => end.fault) ?? first;
  let usage: Usage | undefined;
  for (const end of ends) if (end.usage) usage = usage ? sumUsage(usage, end.usage) : end.usage;
  const tokenTimes = ends.flatMap((end) => (end.firstTokenAt === undefined ? [] : [end.firstTokenAt]));
  return {
    ...first,
    ...worst,
    ...(usage ? { usage } : {}),
    ...(tokenTimes.length > 0 ? { firstTokenAt: Math.min(...tokenTimes) } : {}),
  };
}
