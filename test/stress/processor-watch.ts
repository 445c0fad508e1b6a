// Sees when a processor is not to be had. `fork('processor-watch.ts')`, put on a processor before all else there: to any message, the moments
// since the last one in which it was away, in milliseconds of the machine's clock (`machineNow`). Other guests of a machine take it out of sight of its system.
import { machineNow, type Moment } from './moments.ts';

const TICK_MS = 1;
/** A timer is late by some tenths of a millisecond as a rule. */
const LATE_MS = 0.7;
/** Between two looks at its messages. */
const TICKS = 20;

const cell = new Int32Array(new SharedArrayBuffer(4));
let away: Moment[] = [];

function watch(): void {
  for (let tick = 0; tick < TICKS; tick++) {
    const from = machineNow();
    Atomics.wait(cell, 0, 0, TICK_MS);
    const to = machineNow();
    if (to - from > TICK_MS + LATE_MS) away.push({ from: from + TICK_MS, to });
  }
  setImmediate(watch);
}

process.on('message', () => {
  process.send?.(away);
  away = [];
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
watch();
