// Who runs where: on a machine with few processors those who ask and those who answer would wait for each other.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Asked before any is taken away. */
export const PROCESSORS = availableParallelism();
const OTHERS = `1-${PROCESSORS - 1}`;

/** Runs a command of util-linux; where it is not there, or may not do it, it is measured all the same. */
const tell = (command: string, ...words: readonly string[]): boolean => spawnSync(command, words).status === 0;

/** Moves all of this process, and what it starts from then on, away from the first processor. https://man7.org/linux/man-pages/man1/taskset.1.html */
export const stepAside = (): boolean => PROCESSORS > 1 && tell('taskset', '-a', '-c', '-p', OTHERS, String(process.pid));

/** Uses all of them (again). */
export const stepBack = (pid: number = process.pid): boolean => tell('taskset', '-a', '-c', '-p', `0-${PROCESSORS - 1}`, String(pid));

/** The threads of the system itself: they have no command line. None where there is no such list. */
function systemThreads(): string[] {
  if (!existsSync('/proc/self/cmdline')) return [];
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') === '';
    } catch {
      return false;
    }
  });
}

/**
 * Moves away from the first processor what of the system itself may run elsewhere: one such thread takes it for some milliseconds twice a
 * second, which is the hundredth that a p99 tells of. Gives what takes that back.
 */
export function clearProcessor(): () => void {
  const moved = PROCESSORS > 1 ? systemThreads().filter((pid) => tell('taskset', '-c', '-p', OTHERS, pid)) : [];
  return () => {
    for (const pid of moved) stepBack(Number(pid));
  };
}

/** Gives the first processor to the thread of another process that does its work: what helps it, a collector say, stays with the others. */
export const giveProcessor = (pid = 0): boolean => PROCESSORS > 1 && tell('taskset', '-c', '-p', '0', String(pid));

/** Lets a process go before all others, for those who are measured, and who measure and do little else. https://man7.org/linux/man-pages/man1/chrt.1.html */
export const comesFirst = (pid: number = process.pid, priority = 10): boolean =>
  tell('chrt', '-a', '-r', '-p', String(priority), String(pid));

/** The threads of a process; itself where there is no list of them. */
const threadsOf = (pid: number): string[] => (existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [String(pid)]);

/**
 * Lets another process go before others, with the threads that help it: it waits for those when it collects garbage. By its niceness: what
 * would take a processor for good is held up for a twentieth of each second where it comes before all else. https://man7.org/linux/man-pages/man7/sched.7.html
 */
export const worksFirst = (pid = 0): boolean => tell('renice', '-n', '-20', '-p', ...threadsOf(pid));

/** Lets this process wait its turn again. */
export const waitsAgain = (): boolean => tell('chrt', '-a', '-o', '-p', '0', String(process.pid));
