import type { Candidate } from '../policy/candidate.ts';
import type { Measured } from '../policy/live-signals.ts';
import type { AttemptEnd } from './call.ts';
import type { ExchangePorts } from './exchange.ts';

/** Fewer tokens say nothing of how fast they come. */
const MIN_TOKENS = 20;

/** What a try says of its target's speed: tokens a second over the whole of it, so that whole answers count like streams. */
function measurementsOf({ firstTokenAt, usage, fault }: AttemptEnd, started: number, now: number): Measured {
  const isWhole = fault === undefined && usage !== undefined && usage.output >= MIN_TOKENS && now > started;
  return {
    ...(firstTokenAt === undefined ? {} : { firstTokenMs: firstTokenAt - started }),
    ...(isWhole ? { tokensPerSecond: (usage.output * 1000) / (now - started) } : {}),
  };
}

/** Runs a try at a target, and remembers what that says of it: that it is busy meanwhile, how soon and how fast its tokens came. */
export async function measured(
  chosen: Candidate,
  run: () => Promise<AttemptEnd>,
  { signals, clock }: Pick<ExchangePorts, 'signals' | 'clock'>,
): Promise<AttemptEnd> {
  const started = clock.monotonic();
  let said: Measured = {};
  signals.began(chosen);
  try {
    const end = await run();
    said = measurementsOf(end, started, clock.monotonic());
    return end;
  } finally {
    signals.ended(chosen, said);
  }
}
