// Loaded into a gateway before its program: on SIGUSR2 it collects what can be collected and tells what is still held, as a line of stderr.
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

// Nor does it let go of what Node reads TypeScript with (4 MB) at one time or another: that would be anybody's who came in between.
setFlagsFromString('--no-flush-bytecode');

// Weak references and finalizers take turns of their own.
const COLLECTIONS = 4;

/** V8 makes code faster and lets it go as it sees fit, by the megabyte: none of it is anybody's who is connected. */
const isOfCode = (space: string): boolean => /code|trusted/.test(space);

function heldBytes(): number {
  const spaces = getHeapSpaceStatistics().filter(({ space_name }) => !isOfCode(space_name));
  return spaces.reduce((bytes, { space_used_size }) => bytes + space_used_size, process.memoryUsage().external);
}

process.on('SIGUSR2', () => {
  void (async () => {
    for (let i = 0; i < COLLECTIONS; i++) {
      globalThis.gc?.();
      await sleep(20);
    }
    process.stderr.write(`held ${heldBytes()}\n`);
  })();
});
