import type { Signals, TargetSignals } from '../signals.ts';
import { hash32, hashUnit, markOf } from './hash.ts';
import type { Route, RouteTarget, Strategy } from './route.ts';

/** What of a call decides where it goes when a route asks for it. */
export interface Caller {
  /** The client's address. */
  readonly client?: string;
  readonly user?: string;
  /** What its conversation is told by. */
  readonly session?: string;
}

/** A caller by marks: so routes tell callers apart, and what is kept of a decision names nobody. */
export function markedCaller({ client, user, session }: Caller): Caller {
  return {
    ...(client === undefined ? {} : { client: markOf(client) }),
    ...(user === undefined ? {} : { user: markOf(user) }),
    ...(session === undefined ? {} : { session: markOf(session) }),
  };
}

const ORDER_REASONS = [
  'weight',
  'round_robin',
  'random',
  'priority',
  'least_busy',
  'lowest_latency',
  'lowest_cost',
  'hash',
  'sticky_session',
] as const;

/** Why a target stands where it stands in its route. */
export type OrderReason = (typeof ORDER_REASONS)[number];

/** Whether a reason says that a route put something in order. */
export const isOrderReason = (reason: string): boolean => (ORDER_REASONS as readonly string[]).includes(reason);

/** A route's targets in the order of trying. */
export interface Arranged {
  readonly targets: readonly RouteTarget[];
  readonly reason: OrderReason;
  /** Where price decides: targets of which none is known. */
  readonly unknown?: ReadonlySet<string>;
}

/** What is known of what a target leads to. */
export interface Known {
  signals(to: string): TargetSignals | undefined;
  /** What the call would cost there, in nano-USD. */
  cost(to: string): number | undefined;
}

interface Situation {
  readonly known: Known;
  /** From 0 up to 1, this route's own: routes in one decision draw apart. */
  readonly random: number;
  readonly turn: number;
  readonly key: string;
}

type Arrange = (targets: readonly RouteTarget[], at: Situation) => readonly RouteTarget[];

/** Draws one after the other without putting back, each as often as it weighs. The heaviest come first in the lot: 0 draws it. */
const byWeight: Arrange = (targets, { random }) => {
  const lot = targets.toSorted((a, b) => b.weight - a.weight);
  const out: RouteTarget[] = [];
  let at = random;
  while (lot.length > 0) {
    const total = lot.reduce((sum, { weight }) => sum + weight, 0);
    const point = at * total;
    let index = 0;
    let passed = lot[0]?.weight ?? 0;
    while (index < lot.length - 1 && point >= passed) passed += lot[++index]?.weight ?? 0;
    const [drawn] = lot.splice(index, 1);
    if (!drawn) break;
    out.push(drawn);
    // What is left of the number once it has chosen is as random as before.
    const begin = passed - drawn.weight;
    at = drawn.weight > 0 && total > 0 ? Math.min(Math.max((point - begin) / drawn.weight, 0), 1 - Number.EPSILON) : 0;
  }
  return out;
};

const evenly = (targets: readonly RouteTarget[]): readonly RouteTarget[] => targets.map((one) => ({ ...one, weight: 1 }));

const inTurn: Arrange = (targets, { turn }) => {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  let left = total > 0 ? turn % total : turn % targets.length;
  let first = 0;
  while (first < targets.length - 1 && left >= (total > 0 ? (targets[first]?.weight ?? 0) : 1)) {
    left -= total > 0 ? (targets[first]?.weight ?? 0) : 1;
    first++;
  }
  return [...targets.slice(first), ...targets.slice(0, first)];
};

/** Highest random weight: each target scores on its own, so that one that goes or comes moves only its own share. */
const byHash: Arrange = (targets, { key }) => {
  const score = ({ to, weight }: RouteTarget): number => (weight <= 0 ? 0 : weight / -Math.log(hashUnit(`${to}\u0000${key}`)));
  const scored = targets.map((target) => ({ target, score: score(target) }));
  return scored.toSorted((a, b) => b.score - a.score).map(({ target }) => target);
};

/** Fewest calls under way for its weight; of equals, drawn by weight. */
const byBusy: Arrange = (targets, at) => {
  const load = ({ to, weight }: RouteTarget): number => ((at.known.signals(to)?.busy ?? 0) + 1) / Math.max(weight, 1e-9);
  const drawn = byWeight(targets, at);
  return drawn.toSorted((a, b) => load(a) - load(b));
};

/** Of two drawn by weight the quicker one: all calls at the one that was quickest would make it slow. One of which nothing is known is tried. */
const byLatency: Arrange = (targets, at) => {
  const latency = ({ to }: RouteTarget): number => at.known.signals(to)?.firstTokenMs ?? 0;
  const [first, second, ...rest] = byWeight(targets, at);
  if (!first || !second) return targets;
  const pair = latency(second) < latency(first) ? [second, first] : [first, second];
  return [...pair, ...rest.toSorted((a, b) => latency(a) - latency(b))];
};

/** The cheapest for this call; of equals, drawn by weight. What has no price that is known comes last. */
const byCost: Arrange = (targets, at) => {
  const costs = new Map(targets.map(({ to }) => [to, at.known.cost(to) ?? Number.MAX_VALUE]));
  return byWeight(targets, at).toSorted((a, b) => (costs.get(a.to) ?? 0) - (costs.get(b.to) ?? 0));
};

const HASHED: ReadonlySet<Strategy> = new Set(['hash-client', 'hash-user', 'hash-session']);

const TABLE: { readonly [S in Strategy]: { readonly arrange: Arrange; readonly reason: OrderReason } } = {
  weighted: { arrange: byWeight, reason: 'weight' },
  'round-robin': { arrange: inTurn, reason: 'round_robin' },
  random: { arrange: (targets, at) => byWeight(evenly(targets), at), reason: 'random' },
  priority: { arrange: (targets) => targets, reason: 'priority' },
  'least-busy': { arrange: byBusy, reason: 'least_busy' },
  'lowest-latency': { arrange: byLatency, reason: 'lowest_latency' },
  'lowest-cost': { arrange: byCost, reason: 'lowest_cost' },
  'hash-client': { arrange: byHash, reason: 'hash' },
  'hash-user': { arrange: byHash, reason: 'hash' },
  'hash-session': { arrange: byHash, reason: 'hash' },
};

function keyOf(strategy: Strategy, caller: Caller): string | undefined {
  if (strategy === 'hash-client') return caller.client;
  if (strategy === 'hash-user') return caller.user;
  return caller.session;
}

/** How a route is put in order for this caller. Who cannot be told apart is drawn for by weight. */
function wayOf(route: Route, caller: Caller): { readonly arrange: Arrange; readonly reason: OrderReason; readonly key: string } {
  if (route.affinity && caller.session !== undefined) return { arrange: byHash, reason: 'sticky_session', key: caller.session };
  const way = TABLE[route.strategy];
  if (!HASHED.has(route.strategy)) return { ...way, key: '' };
  const key = keyOf(route.strategy, caller);
  return key === undefined ? { ...TABLE.weighted, key: '' } : { ...way, key };
}

/** A route's targets in the order of trying: tier by tier, within one by its strategy. Pure. */
export function arrange(route: Route, caller: Caller, signals: Pick<Signals, 'random' | 'turns'>, known: Known): Arranged {
  const { arrange: put, reason, key } = wayOf(route, caller);
  // Each route draws on its own, and 0 stays 0: the likeliest of everything.
  const random = signals.random === 0 ? 0 : (signals.random + hash32(route.name) / 2 ** 32) % 1;
  const at: Situation = { known, random, turn: signals.turns.get(route.name) ?? 0, key };
  const out: RouteTarget[] = [];
  let from = 0;
  for (let to = 1; to <= route.targets.length; to++) {
    if (to < route.targets.length && route.targets[to]?.order === route.targets[from]?.order) continue;
    const tier = route.targets.slice(from, to);
    out.push(...(tier.length > 1 ? put(tier, at) : tier));
    from = to;
  }
  if (reason !== 'lowest_cost') return { targets: out, reason };
  return { targets: out, reason, unknown: new Set(out.flatMap(({ to }) => (known.cost(to) === undefined ? [to] : []))) };
}
