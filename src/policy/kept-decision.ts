import type { Ability, ProtocolId } from '../ir/index.ts';
import type { Candidate, ReasonCode } from './candidate.ts';
import { decide, type Decision, type RouteRequest } from './decide.ts';
import type { Failure } from './routes/route.ts';
import { isOrderReason } from './routes/strategies.ts';
import { type Lookup, type Signals, type TargetSignals } from './signals.ts';
import type { Snapshot } from './snapshot.ts';

/** Names with what was known of them. */
type Known<V> = readonly (readonly [name: string, known: V])[];

/**
 * A decision as it is kept with its call's record: what the record does not say and `decide` needs to run again, and what came of it.
 * Small and plain, so that it can be written as JSON; it holds nothing of the body.
 */
export interface KeptDecision {
  /** Of what was asked, all that has no place of its own in a record. */
  readonly asks?: Pick<RouteRequest, 'platform' | 'models' | 'needs' | 'prefers' | 'caller'>;
  /** The gateway asked on its own account: the key's `models` did not bind it. */
  readonly anyModel?: true;
  /** Drawn; absent where nothing was. */
  readonly random?: number;
  /** The turns that its routes had taken. */
  readonly turns?: Known<number>;
  /** What was known of targets, those of which nothing was known left out. */
  readonly targets?: Known<TargetSignals>;
  /** Each candidate in order: verdict, protocol, reasons, failures that it is kept for, and the target's name, as `wordsOf` writes them. */
  readonly outcome: readonly string[];
  /** Nothing was chosen. */
  readonly refused?: NonNullable<Decision['refusal']>['kind'];
}

/** A decision with what it was made from. */
export interface Decided {
  readonly decision: Decision;
  readonly request: RouteRequest;
  /** What was read of what changes; absent where nothing could matter. */
  readonly reads?: Reads;
}

/** Signals that take note of what is read of them. */
interface Reads extends Signals {
  readonly known: { readonly turns: [string, number][]; readonly targets: [string, TargetSignals][] };
}

function noting<V>(from: Lookup<V>, known: [string, V][]): Lookup<V> {
  return {
    size: from.size,
    get(name) {
      const found = from.get(name);
      if (found !== undefined && !known.some(([one]) => one === name)) known.push([name, found]);
      return found;
    },
  };
}

/** Decides, and takes note of what was read to do so. */
export function decideNoting(snapshot: Snapshot, request: RouteRequest, signals: Signals): Decided {
  const known: Reads['known'] = { turns: [], targets: [] };
  const { turns, targets, ...rest } = signals;
  const reads = { ...rest, turns: noting(turns, known.turns), targets: noting(targets, known.targets), known };
  return { decision: decide(snapshot, request, reads), request, reads };
}

const VERDICTS = { chosen: '1', eligible: '+', rejected: '-' } as const;
const BY_SIGN: Readonly<Record<string, Candidate['verdict']>> = { '1': 'chosen', '+': 'eligible', '-': 'rejected' };
/** For what is not there. */
const NONE = '.';

/** `1 openai-chat alias,weight . provider/model`: the name stands last, as it may hold anything. */
function wordsOf({ verdict, protocol, reasons, after, provider, model }: Candidate): string {
  const why = reasons.length === 0 ? NONE : reasons.length === 1 ? reasons[0] : reasons.join(',');
  return `${VERDICTS[verdict]} ${protocol ?? NONE} ${why} ${after ? after.join(',') : NONE} ${provider}/${model}`;
}

type Target = Pick<Candidate, 'provider' | 'model'>;

const nameOf = ({ provider, model }: Target): string => `${provider}/${model}`;

const listIn = (words: string): readonly string[] => (words === NONE ? [] : words.split(','));

/** The candidates of a kept decision, but for their routes' timeouts and hedges. What is not written as it should be is left out. */
export function candidatesOf({ outcome }: Pick<KeptDecision, 'outcome'>): readonly Candidate[] {
  return outcome.flatMap((words) => {
    const [, sign = '', protocol = '', why = '', after = '', provider = '', model = ''] =
      /^(\S) (\S+) (\S+) (\S+) ([^/]*)\/(.*)$/s.exec(words) ?? [];
    const verdict = BY_SIGN[sign];
    if (!verdict) return [];
    return {
      provider,
      model,
      verdict,
      reasons: listIn(why) as readonly ReasonCode[],
      ...(protocol === NONE ? {} : { protocol: protocol as ProtocolId }),
      ...(after === NONE ? {} : { after: listIn(after) as readonly Failure[] }),
    };
  });
}

function asksOf({ platform, models, needs, prefers, caller }: RouteRequest): Pick<KeptDecision, 'asks'> | undefined {
  if (platform === undefined && !models && !needs && !prefers && !caller) return undefined;
  const asks = {
    ...(platform === undefined ? {} : { platform }),
    ...(models ? { models } : {}),
    ...(needs ? { needs } : {}),
    ...(prefers ? { prefers } : {}),
    ...(caller ? { caller } : {}),
  };
  return { asks };
}

const isDrawn = ({ reasons }: Candidate): boolean => reasons.some(isOrderReason);

function readsOf({ random, known: { turns, targets } }: Reads, { candidates }: Decision): Partial<KeptDecision> {
  return {
    ...(random !== 0 && candidates.some(isDrawn) ? { random } : {}),
    ...(turns.length > 0 ? { turns } : {}),
    ...(targets.length > 0 ? { targets } : {}),
  };
}

/** What is kept of a decision. */
export function keepDecision({ decision, request, reads }: Decided): KeptDecision {
  const outcome = decision.candidates.map(wordsOf);
  const asks = asksOf(request);
  if (!asks && !reads && !decision.refusal) return { outcome };
  return {
    ...asks,
    ...(reads ? readsOf(reads, decision) : {}),
    outcome,
    ...(decision.refusal ? { refused: decision.refusal.kind } : {}),
  };
}

/**
 * What is kept of a call that was answered with what another was told: who had made that, and that this is why. There was nothing to
 * decide, so there is nothing to decide again: it is no matter for `replay`.
 */
export const keepAnswered = (by: Pick<Candidate, 'provider' | 'model' | 'protocol'>): KeptDecision => ({
  outcome: [wordsOf({ ...by, verdict: 'chosen', reasons: ['cache_hit'] })],
});

/** What a record says of a call by itself. */
export interface Recorded {
  readonly asked: string;
  readonly protocol: ProtocolId;
  /** As records say it: `generate`, an ability, or `count_tokens`, which is decided as if it were generated. */
  readonly operation: string;
  /** The key's name. */
  readonly key: string;
}

/** Decides a call again from what was kept of it: for the snapshot that it was decided on, the same decision. */
export function replay(snapshot: Snapshot, call: Recorded, kept: KeptDecision): Decision {
  const { random = 0, turns = [], targets = [] } = kept;
  const full = new Set(candidatesOf(kept).flatMap((one) => (one.reasons.includes('concurrency_full') ? [nameOf(one)] : [])));
  const isFull = (one: Target): boolean => full.has(nameOf(one));
  const then: Signals = { random, turns: new Map(turns), targets: new Map(targets), ...(full.size > 0 ? { isFull } : {}) };
  const { models, ...open } = [...snapshot.keys.values()].find(({ name }) => name === call.key) ?? { models: undefined };
  const key = models === undefined || kept.anyModel === true ? open : { ...open, models };
  const operation = call.operation === 'count_tokens' ? 'generate' : (call.operation as 'generate' | Ability);
  return decide(snapshot, { ...kept.asks, model: call.asked, protocol: call.protocol, operation, key }, then);
}

/** Whether a decision comes out as a kept one did: the same candidates, verdicts, reasons and order. */
export function isSameOutcome(decision: Decision, { outcome, refused }: KeptDecision): boolean {
  const { candidates, refusal } = decision;
  if (refusal?.kind !== refused || candidates.length !== outcome.length) return false;
  return candidates.every((one, index) => wordsOf(one) === outcome[index]);
}
