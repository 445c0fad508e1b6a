// When nobody could have been in time: the server's processor was away, or those who measure were busy themselves.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { inOrder, machineNow, type Moment } from './moments.ts';
import { comesFirst, giveProcessor } from './processors.ts';

const TICK_MS = 1;
/** This process does all that is asked and answered: it is a little late often, and that is measured with everything. */
const LATE_MS = 1.2;
/** Before whoever is measured. */
const PRIORITY = 30;

/** Looks at the machine until it is stopped. */
export interface HeldUp {
  /** The moments so far, in order, as `performance.now()` has them. */
  moments(): Promise<Moment[]>;
  stop(): void;
}

/** Looks at the first processor, and at this process. */
export async function watchHeldUp(): Promise<HeldUp> {
  const child = fork(join(import.meta.dirname, 'processor-watch.ts'));
  await once(child, 'message');
  giveProcessor(child.pid);
  comesFirst(child.pid, PRIORITY);
  const ahead = machineNow() - performance.now();
  const seen: Moment[] = [];
  let due = performance.now() + TICK_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    if (now - due > LATE_MS) seen.push({ from: due, to: now });
    due = now + TICK_MS;
  }, TICK_MS);
  return {
    async moments() {
      child.send('');
      const [away] = (await once(child, 'message')) as [Moment[]];
      for (const { from, to } of away) seen.push({ from: from - ahead, to: to - ahead });
      return inOrder(seen);
    },
    stop() {
      clearInterval(timer);
      child.kill();
    },
  };
}
