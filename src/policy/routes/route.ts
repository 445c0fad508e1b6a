import { type Rule, ruleOf } from '../rules.ts';
import type { Timeouts } from '../../presets/preset.ts';

/** How a route puts its targets in order. */
export const STRATEGIES = [
  'weighted',
  'round-robin',
  'random',
  'priority',
  'least-busy',
  'lowest-latency',
  'lowest-cost',
  'hash-client',
  'hash-user',
  'hash-session',
] as const;

/** How the targets of a route take turns. */
export type Strategy = (typeof STRATEGIES)[number];

/** What may have gone wrong at a target, as far as fallbacks tell it apart. */
export const FAILURES = ['context', 'refused', 'rateLimited', 'down'] as const;

/** One of them. */
export type Failure = (typeof FAILURES)[number];

/** A target as configured. */
export interface TargetSettings {
  /** `provider/model`, or another name of `models`. */
  readonly to: string;
  /** How much of the traffic, in proportion to the others of its order; default 1, 0: none unless the others are out. */
  readonly weight?: number;
  /** Lower ones first; default 1. */
  readonly order?: number;
  /** Calls that it may have under way at once by this route; others wait. */
  readonly concurrency?: number;
  /** How long its waits may last, over the route's. */
  readonly timeout?: Partial<Timeouts>;
}

/** A route as configured. */
export interface RouteSettings extends Rule {
  readonly targets: readonly TargetSettings[];
  readonly strategy?: Strategy;
  /** A conversation stays on its target. */
  readonly affinity?: boolean;
  /** Names to go to when all targets failed, in order: whatever the trouble was, or by its kind. */
  readonly fallback?: readonly string[] | { readonly [K in Failure | 'any']?: readonly string[] };
  readonly timeout?: Partial<Timeouts>;
  /** Milliseconds without a word after which another target is tried beside the slow one. */
  readonly hedge?: number;
  /** Answers are kept and given again: for so long in milliseconds, `shared` between keys. */
  readonly cache?: number | { readonly ttl: number; readonly shared?: boolean };
}

/** What a name of `models` may stand for: another name, or a route. */
export type ModelSettings = string | RouteSettings;

/** A target, ready to be put in order. */
export interface RouteTarget {
  readonly to: string;
  readonly weight: number;
  readonly order: number;
  readonly concurrency?: number;
  /** Its own, with the route's where it has none. */
  readonly timeouts?: Partial<Timeouts>;
}

/** Where to go next, and after what; without `after` whatever the trouble was. */
export interface Fallback {
  readonly to: string;
  readonly after?: Failure;
}

/** How long the answers of a route are kept, and for whom. */
export interface CacheRule {
  readonly ttlMs: number;
  /** What one key was told, another may be told. */
  readonly shared: boolean;
}

/** A route, compiled once per configuration. */
export interface Route {
  readonly name: string;
  /** By order; as written within one. */
  readonly targets: readonly RouteTarget[];
  readonly strategy: Strategy;
  readonly affinity: boolean;
  readonly fallbacks: readonly Fallback[];
  readonly timeouts?: Partial<Timeouts>;
  readonly hedgeMs?: number;
  /** Absent: nothing is kept. */
  readonly cache?: CacheRule;
  /** Where its calls may go. */
  readonly rule?: Rule;
}

/** What names stand for: exact ones, and patterns in file order. */
export interface ModelTable {
  readonly aliases: ReadonlyMap<string, string | Route>;
  readonly patterns: readonly { readonly glob: string; readonly target: string | Route }[];
  /** Some route keeps answers; absent: none does. */
  readonly keepsAnswers?: true;
}

function fallbacksOf(fallback: RouteSettings['fallback']): readonly Fallback[] {
  if (fallback === undefined) return [];
  if (Array.isArray(fallback)) return (fallback as readonly string[]).map((to) => ({ to }));
  const byFailure = fallback as { readonly [K in Failure | 'any']?: readonly string[] };
  const told = FAILURES.flatMap((after) => (byFailure[after] ?? []).map((to): Fallback => ({ to, after })));
  return [...told, ...(byFailure.any ?? []).map((to): Fallback => ({ to }))];
}

function cacheRule(cache: NonNullable<RouteSettings['cache']>): CacheRule {
  return typeof cache === 'number' ? { ttlMs: cache, shared: false } : { ttlMs: cache.ttl, shared: cache.shared ?? false };
}

function compileRoute(name: string, settings: RouteSettings): Route {
  const targets = settings.targets.map(({ weight = 1, order = 1, timeout, ...rest }): RouteTarget => ({
    ...rest,
    weight,
    order,
    ...(timeout ? { timeouts: { ...settings.timeout, ...timeout } } : {}),
  }));
  return {
    name,
    targets: targets.toSorted((a, b) => a.order - b.order),
    strategy: settings.strategy ?? 'weighted',
    affinity: settings.affinity ?? false,
    fallbacks: fallbacksOf(settings.fallback),
    ...(settings.timeout ? { timeouts: settings.timeout } : {}),
    ...(settings.hedge === undefined ? {} : { hedgeMs: settings.hedge }),
    ...(settings.cache === undefined ? {} : { cache: cacheRule(settings.cache) }),
    ...ruleOf(settings),
  };
}

/** Compiles configured names: exact ones apart from patterns. */
export function compileModels(models: Readonly<Record<string, ModelSettings>>): ModelTable {
  const aliases = new Map<string, string | Route>();
  const patterns: { readonly glob: string; readonly target: string | Route }[] = [];
  for (const [name, settings] of Object.entries(models)) {
    const target = typeof settings === 'string' ? settings : compileRoute(name, settings);
    if (name.includes('*')) patterns.push({ glob: name, target });
    else aliases.set(name, target);
  }
  const keepsAnswers = Object.values(models).some((settings) => typeof settings !== 'string' && settings.cache !== undefined);
  return { aliases, patterns, ...(keepsAnswers ? { keepsAnswers } : {}) };
}
