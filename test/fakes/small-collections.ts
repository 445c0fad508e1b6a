// Small collections on demand, and what they leave: for what must not hang on something old.
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as (options: { readonly type: 'minor' | 'major' }) => void;

/** What survives two is old. */
function collectSmall(): void {
  for (let time = 0; time < 3; time++) gc({ type: 'minor' });
}

/** What the old generation holds, in bytes. */
const oldBytes = (): number =>
  getHeapSpaceStatistics().reduce(
    (sum, { space_name, space_used_size }) => (space_name.startsWith('new') ? sum : sum + space_used_size),
    0,
  );

/** What each turn leaves in the old generation, in bytes, where whoever takes its work has grown old before it. */
export function leftByTurns(turns: number, turn: (number: number) => void): number {
  turn(0);
  collectSmall();
  gc({ type: 'major' });
  const before = oldBytes();
  for (let number = 1; number <= turns; number++) {
    turn(number);
    collectSmall();
  }
  return (oldBytes() - before) / turns;
}
