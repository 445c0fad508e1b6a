import type { TapRules } from '../protocols/protocol.ts';
import type { Call } from './call.ts';

/** How many answers a body asks for (`n`); what is no number is the decoder's to refuse. */
export function choicesOf(call: Call): number {
  const span = call.scan.values.get('n');
  const n = span ? Number(call.body.toString('latin1', span.from, span.to)) : 1;
  return Number.isNaN(n) ? 1 : n;
}

const FINISHED = /"finish_reason"\s*:\s*"/g;

/** Rules for a stream of several choices: only the frame that ends the last of them finishes the reply, the others go on meanwhile. */
export function untilLastChoice(rules: TapRules, choices: number): TapRules {
  if (choices <= 1) return rules;
  let left = choices;
  return {
    ...rules,
    read(frame, soFar) {
      const { stop: first, finished, ...rest } = soFar;
      const found = rules.read(frame, { ...rest, finished: false });
      left -= frame.data.match(FINISHED)?.length ?? 0;
      const finish = found.stop !== undefined && left <= 0;
      const stop = first ?? found.stop;
      return { ...found, finished: finished || finish, finish, ...(stop ? { stop } : {}) };
    },
  };
}
