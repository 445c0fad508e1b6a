import type { ProtocolId } from '../ir/index.ts';
import { decide, type Decision, type RouteRequest } from './decide.ts';
import type { Need, Needs } from './needs.ts';
import type { Preferences } from './preferences.ts';
import { type Caller, markedCaller } from './routes/strategies.ts';
import { NO_SIGNALS, type Signals, type WhyFull } from './signals.ts';
import type { Snapshot } from './snapshot.ts';

/** A call that nobody made, and what is to be imagined about the world. */
export interface Imagined {
  readonly model: string;
  /** Names to go to after it, in order. */
  readonly models?: readonly string[];
  readonly protocol: ProtocolId;
  /** The provider that its path names. */
  readonly platform?: string;
  /** Default: chat. */
  readonly operation?: RouteRequest['operation'];
  readonly needs?: readonly Need[];
  readonly tokens?: number;
  /** The name of a configured key; without one, a key that may do everything. */
  readonly key?: string;
  /** Providers, or `provider/model`, that do not answer. */
  readonly down?: readonly string[];
  /** Providers, or `provider/model`, whose minute is used up. */
  readonly limited?: readonly string[];
  /** Tokens that the answer may have. */
  readonly answer?: number;
  /** Parameters that targets would refuse, and leave out. */
  readonly refused?: Needs['refused'];
  readonly lost?: Needs['lost'];
  /** What the body says of providers. */
  readonly prefers?: Preferences;
  /** Who calls; nobody in particular where that is left out. */
  readonly caller?: Caller;
}

/** Where such a call would go: what a live one is decided by, asked without one. Of targets by weight the heaviest is drawn. */
export function explain(snapshot: Snapshot, imagined: Imagined): Decision {
  const {
    model,
    protocol,
    operation = 'generate',
    needs = [],
    tokens,
    answer,
    refused,
    lost,
    down = [],
    limited = [],
    caller = {},
    prefers,
    models,
    platform,
  } = imagined;
  const key = [...snapshot.keys.values()].find(({ name }) => name === imagined.key) ?? {};
  const whyFull: WhyFull = (one) =>
    limited.includes(one.provider) || limited.includes(`${one.provider}/${one.model}`) ? 'local_rate_limit' : undefined;
  const signals: Signals = { ...NO_SIGNALS, targets: new Map(down.map((name) => [name, { out: 'unhealthy' }])), whyFull };
  const wanted = {
    abilities: needs,
    ...(tokens === undefined ? {} : { tokens }),
    ...(answer === undefined ? {} : { answer }),
    ...(refused ? { refused } : {}),
    ...(lost ? { lost } : {}),
  };
  const asks = { ...(prefers ? { prefers } : {}), ...(models ? { models } : {}), ...(platform === undefined ? {} : { platform }) };
  return decide(snapshot, { model, protocol, operation, key, needs: wanted, caller: markedCaller(caller), ...asks }, signals);
}
