import type { Candidate, Decision } from './decide.ts';
import type { OutReason, Signals, TargetSignals } from './signals.ts';

/** What changes while the server runs and decisions read. In memory, bounded. */
export interface LiveSignals {
  /** As it is now. */
  read(): Signals;
  /** A decision is followed: its routes have taken their turn. */
  follow(decision: Decision): void;
  /** A call to a target is under way. */
  began(target: Target): void;
  /** It has ended; with what was measured of it. */
  ended(target: Target, measured?: Measured): void;
  /** A target, or a provider as a whole, is out, or back. */
  mark(name: string, out: OutReason | undefined): void;
}

type Target = Pick<Candidate, 'provider' | 'model'>;

/** What a call tells of its target. */
export type Measured = Pick<TargetSignals, 'firstTokenMs' | 'tokensPerSecond'>;

/** Targets and routes remembered at most; those longest unused go first. */
const MAX_KNOWN = 2000;

/** How much the newest measurement counts. */
const SHARE = 0.2;

/** A moving average with one more measurement, to hundredths. */
function average(before: number | undefined, measured: number | undefined): number | undefined {
  if (measured === undefined) return before;
  return Math.round((before === undefined ? measured : before + (measured - before) * SHARE) * 100) / 100;
}

function put<V>(map: Map<string, V>, name: string, value: V): void {
  map.delete(name);
  map.set(name, value);
  if (map.size <= MAX_KNOWN) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}

/** Makes a place for what is learnt of targets. `random`: from 0 up to 1. */
export function createLiveSignals(random: () => number = Math.random): LiveSignals {
  const turns = new Map<string, number>();
  const targets = new Map<string, TargetSignals>();
  const nameOf = ({ provider, model }: Target): string => `${provider}/${model}`;
  const change = (name: string, changes: TargetSignals): void => put(targets, name, { ...targets.get(name), ...changes });
  return {
    // To nine places: written down with a decision, and fine enough for any share.
    read: () => ({ random: Math.floor(random() * 1e9) / 1e9, turns, targets }),
    follow({ turned }) {
      for (const name of turned ?? []) put(turns, name, (turns.get(name) ?? 0) + 1);
    },
    began(target) {
      const name = nameOf(target);
      change(name, { busy: (targets.get(name)?.busy ?? 0) + 1 });
    },
    ended(target, measured = {}) {
      const name = nameOf(target);
      const before = targets.get(name) ?? {};
      const firstTokenMs = average(before.firstTokenMs, measured.firstTokenMs);
      const tokensPerSecond = average(before.tokensPerSecond, measured.tokensPerSecond);
      change(name, {
        busy: Math.max(0, (before.busy ?? 1) - 1),
        ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
        ...(tokensPerSecond === undefined ? {} : { tokensPerSecond }),
      });
    },
    mark(name, out) {
      const { out: before, ...rest } = targets.get(name) ?? {};
      if (out !== before) put(targets, name, out === undefined ? rest : { ...rest, out });
    },
  };
}
