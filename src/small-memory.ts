import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** What calls allocate is garbage when they end, so more room would only be more memory that is touched. */
const ENOUGH_BYTES = 8 * 2 ** 20;
const LOOK_EVERY_MS = 1000;

/** Small buffers share one of this size, which stays until the last of them goes: Node's own 64 KiB would stay for a few bytes of each stream. */
const POOL_BYTES = 8 * 1024;

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
}

/**
 * Keeps V8's young generation small: left alone, a burst doubles it until it holds 100 MiB, which the process never gives
 * back. Measured with 1,000 streams: 41 KiB each, where it was 128; the time that calls take is the same. `--max-semi-space-size`
 * does it, but only on the command line; V8 reads this flag whenever it would grow.
 */
function keepYoungHeapSmall(): void {
  let isBound = false;
  const look = (): void => {
    const isEnough = youngBytes() >= ENOUGH_BYTES;
    if (isEnough === isBound) return;
    isBound = isEnough;
    setFlagsFromString(`--semi-space-growth-factor=${isBound ? 1 : 2}`);
  };
  look();
  setInterval(look, LOOK_EVERY_MS).unref();
}

/**
 * How V8 collects, by its version: others may not know these words. Each is V8's own choice between two ways that it has; measured with
 * streams of 8,000 events, as many as one process can do (`npm run test:stress -- --only overload` watches what comes of it).
 */
const V8_VERSION = '13.6.';
const COLLECTIONS = [
  // Small collections go on while V8 marks for a large one, as they did until lately. Without, the young generation grows meanwhile, and most
  // of what was written in that time counts as alive: each large collection promoted 20 MB of garbage, which held half as much memory again
  // and made the pauses three times as long.
  '--no-separate-gc-phases',
  // What survives a small one is some hundred KiB: the process has copied it before other threads could be asked to. Where all processors
  // are busy it waits for those, a tenth of a second at times; so it lets go of buffers itself, too.
  '--no-parallel-scavenge',
  '--no-concurrent-array-buffer-sweeping',
];

/**
 * So much more than what is alive, in percent, before the next large collection (left alone, V8 takes less the more it has to do, and comes
 * thrice as often), and whether it then moves what lies scattered.
 */
const LARGE = {
  usual: ['--heap-growing-percent=80', '--compact'],
  crowded: ['--heap-growing-percent=200', '--no-compact'],
};

const isKnown = (): boolean => process.versions.v8.startsWith(V8_VERSION);

/**
 * A large collection holds up whoever comes meanwhile, for some 10 ms: while calls are refused since there is more to do than can be done,
 * it comes half as often, and does without what may be done later, for more memory. Not before, however busy: who serves all that come has
 * the time for it.
 */
export function collectLess(is: boolean): void {
  if (isKnown()) for (const flag of is ? LARGE.crowded : LARGE.usual) setFlagsFromString(flag);
}

/** Makes Node and V8 hold no more memory for many small things than those take. For a process that serves; the timer keeps none alive. */
export function keepMemorySmall(): void {
  Buffer.poolSize = POOL_BYTES;
  if (isKnown()) for (const flag of COLLECTIONS) setFlagsFromString(flag);
  collectLess(false);
  keepYoungHeapSmall();
}
