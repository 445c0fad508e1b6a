import { readdirSync, readFileSync } from 'node:fs';

/** A process and those that it started, by the kernel's lists. https://man7.org/linux/man-pages/man5/proc.5.html */
function tree(pid: number): number[] {
  const found = [pid];
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim();
      if (children !== '') for (const child of children.split(' ')) found.push(...tree(Number(child)));
    }
  } catch {
    // It ended meanwhile.
  }
  return found;
}

function sum(pid: number, of: (pid: number) => number): number {
  let total = 0;
  for (const one of tree(pid)) {
    try {
      total += of(one);
    } catch {
      // It ended meanwhile.
    }
  }
  return total;
}

/** CPU time of a process tree so far, in microseconds: exact, from the scheduler. */
export const cpuMicros = (pid: number): number =>
  sum(pid, (one) => {
    let ns = 0;
    for (const task of readdirSync(`/proc/${one}/task`))
      ns += Number(readFileSync(`/proc/${one}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
    return ns / 1000;
  });

/** Memory of a process tree, in KiB. */
export const residentKiB = (pid: number): number =>
  sum(pid, (one) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${one}/status`, 'utf8'))?.[1] ?? 0));

/** Memory of each process of a tree, in KiB: its own, and its part of what it shares with others. The first is the one that started them. */
export const memoryOfEach = (pid: number): readonly { readonly own: number; readonly resident: number }[] =>
  tree(pid).map((one) => {
    const text = readFileSync(`/proc/${one}/smaps_rollup`, 'utf8');
    const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
    return { own: of('Pss'), resident: of('Rss') };
  });
