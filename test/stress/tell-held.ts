// Loaded into a gateway before its program: on SIGUSR2 it collects what can be collected and tells what is still held, as a line of stderr.
import { setTimeout as sleep } from 'node:timers/promises';

// Weak references and finalizers take turns of their own.
const COLLECTIONS = 4;

process.on('SIGUSR2', () => {
  void (async () => {
    for (let i = 0; i < COLLECTIONS; i++) {
      globalThis.gc?.();
      await sleep(20);
    }
    const { heapUsed, external } = process.memoryUsage();
    process.stderr.write(`held ${heapUsed + external}\n`);
  })();
});
