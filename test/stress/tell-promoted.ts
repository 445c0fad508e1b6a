// Loaded into a gateway before its program: on SIGUSR2 it makes small collections and tells what the old generation holds, as a line of stderr.
import { getHeapSpaceStatistics } from 'node:v8';

/** What survives two is old. */
const COLLECTIONS = 3;

const oldBytes = (): number => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? 0;

process.on('SIGUSR2', () => {
  for (let i = 0; i < COLLECTIONS; i++) globalThis.gc?.({ type: 'minor' });
  process.stderr.write(`held ${oldBytes()}\n`);
});
