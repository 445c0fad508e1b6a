import type { Ability, ProtocolId } from '../../ir/index.ts';
import { type Candidate, triedInOrder } from '../candidate.ts';
import type { Decision } from '../decide.ts';
import { explain } from '../explain.ts';
import { PLAIN_FACTS } from '../models/model-facts.ts';
import { type MaxPrice, parseAmount } from '../models/price.ts';
import type { Need } from '../needs.ts';
import type { Preferences } from '../preferences.ts';
import type { Caller } from './strategies.ts';
import type { Snapshot } from '../snapshot.ts';

/** A call to be decided, and where it must go. */
export interface RouteTest {
  readonly name: string;
  readonly when: {
    readonly model: string;
    readonly protocol?: ProtocolId | 'anthropic';
    /** Default: chat. */
    readonly operation?: 'chat' | Ability;
    readonly needs?: readonly Need[];
    readonly tokens?: number;
    /** Names to go to after it, in order. */
    readonly models?: readonly string[];
    /** Tokens that the answer may have. */
    readonly answer?: number;
    /** The provider that its path names. */
    readonly platform?: string;
    /** What its conversation is told by. */
    readonly session?: string;
    /** Who asks, as the body says it, and from which address. */
    readonly user?: string;
    readonly address?: string;
    /** What the body says of providers: names, what comes first, and the most that is paid, as `1.5 USD`. */
    readonly order?: readonly string[];
    readonly only?: readonly string[];
    readonly ignore?: readonly string[];
    readonly requireParameters?: boolean;
    readonly allowFallbacks?: boolean;
    readonly sort?: NonNullable<Preferences['sort']>;
    readonly dataCollection?: NonNullable<Preferences['dataCollection']>;
    readonly maxPrice?: { readonly [B in keyof MaxPrice]?: string };
    /** The name of a configured key. */
    readonly key?: string;
    /** Providers, or `provider/model`, that do not answer. */
    readonly down?: readonly string[];
    /** … whose minute is used up. */
    readonly limited?: readonly string[];
  };
  readonly expect: {
    /** The target that is tried first. */
    readonly first?: string;
    /** All targets in the order of trying. */
    readonly order?: readonly string[];
    /** Targets that are not tried. */
    readonly not?: readonly string[];
    /** Nothing may be tried. */
    readonly refused?: boolean;
  };
}

/** How a test came out. */
export interface RouteTestResult {
  readonly name: string;
  readonly ok: boolean;
  /** What was expected, as it is written. */
  readonly expected: RouteTest['expect'];
  /** What is tried, in order. */
  readonly tried: readonly string[];
  readonly decision: Decision;
}

const nameOf = ({ provider, model }: Candidate): string => `${provider}/${model}`;

function holds({ first, order, not = [], refused }: RouteTest['expect'], tried: readonly string[]): boolean {
  if (first !== undefined && tried[0] !== first) return false;
  if (order && (order.length !== tried.length || order.some((name, index) => tried[index] !== name))) return false;
  if (not.some((name) => tried.includes(name))) return false;
  return refused === undefined || refused === (tried.length === 0);
}

/** What a test's body says of providers. */
function prefersOf(when: RouteTest['when'], { facts = PLAIN_FACTS }: Snapshot): { readonly prefers?: Preferences } {
  const { sort, maxPrice, order, only, ignore, requireParameters, allowFallbacks, dataCollection } = when;
  const amounts = Object.entries(maxPrice ?? {}).flatMap(([of, text]) => {
    const read = parseAmount(text);
    return read ? [[of, read.amount * facts.rates[read.currency]]] : [];
  });
  const most = maxPrice ? { maxPrice: Object.fromEntries(amounts) as MaxPrice } : {};
  const prefers: Preferences = {
    ...(order ? { order } : {}),
    ...(only ? { only } : {}),
    ...(ignore ? { ignore } : {}),
    ...(requireParameters === undefined ? {} : { requireParameters }),
    ...(allowFallbacks === undefined ? {} : { allowFallbacks }),
    ...(sort === undefined ? {} : { sort }),
    ...(dataCollection === undefined ? {} : { dataCollection }),
    ...most,
  };
  return Object.keys(prefers).length === 0 ? {} : { prefers };
}

/** Who makes a test's call. */
const callerOf = ({ session, user, address }: RouteTest['when']): Caller => ({
  ...(session === undefined ? {} : { session }),
  ...(user === undefined ? {} : { user }),
  ...(address === undefined ? {} : { client: address }),
});

/** Runs route tests against the one router. */
export function runRouteTests(snapshot: Snapshot, tests: readonly RouteTest[]): readonly RouteTestResult[] {
  return tests.map(({ name, when, expect }) => {
    const { protocol = 'openai-chat', operation = 'chat', ...call } = when;
    const decision = explain(snapshot, {
      ...call,
      ...prefersOf(when, snapshot),
      caller: callerOf(when),
      protocol: protocol === 'anthropic' ? 'anthropic-messages' : protocol,
      operation: operation === 'chat' ? 'generate' : operation,
    });
    const tried = triedInOrder(decision.candidates).map(nameOf);
    return { name, ok: holds(expect, tried), expected: expect, tried, decision };
  });
}
