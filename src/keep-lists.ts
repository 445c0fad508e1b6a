import type { Clock } from './exchange/ports.ts';
import { type KeptLists, listOf, type ModelListFile } from './model-lists.ts';
import type { Snapshot } from './policy/snapshot.ts';
import { type AskList, syncModels } from './sync-models.ts';

/** What keeping lists needs of the world. */
export interface ListKeeperPorts {
  readonly file: ModelListFile;
  readonly ask: AskList;
  readonly clock: Pick<Clock, 'now'>;
  readonly snapshot: () => Snapshot;
  /** Puts lists in force. */
  readonly apply: (lists: KeptLists) => void;
  /** Whether this process is to ask, of those that share the folder; asked each time. */
  readonly isLeader: () => boolean;
  readonly onDefect: (error: unknown, what: string) => void;
  /** How often the file is looked at. */
  readonly lookMs?: number;
}

/** Another process may have asked: a look at the file is all that it takes to know. */
const LOOK_MS = 5000;
/** Providers that gave no list are not asked again before. */
const RETRY_MS = 10 * 60_000;

/** The providers whose lists are older than they may be, or that have none. */
function dueNames({ providers }: Snapshot, lists: KeptLists, everyMs: number, now: number): readonly string[] {
  const due = [...providers.values()].filter((one) => one.preset.models && (listOf(lists, one)?.at ?? -Infinity) + everyMs <= now);
  return due.map(({ name }) => name);
}

/** Follows the lists of the data folder, whoever writes them, and asks providers for theirs on the schedule that is configured. */
export function keepLists(ports: ListKeeperPorts): { start(): void; stop(): void } {
  const { file, clock, snapshot, lookMs = LOOK_MS } = ports;
  let seen = file.stamp();
  let triedAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const follow = (): void => {
    const stamp = file.stamp();
    if (stamp === seen) return;
    seen = stamp;
    ports.apply(file.read());
  };
  const askWhereDue = async (): Promise<void> => {
    const now = clock.now();
    const everyMs = snapshot().config.catalogue?.syncMs;
    if (everyMs === undefined || now - triedAt < Math.min(everyMs, RETRY_MS) || !ports.isLeader()) return;
    const before = file.read();
    const due = dueNames(snapshot(), before, everyMs, now);
    if (due.length === 0) return;
    triedAt = now;
    const { lists } = await syncModels(snapshot(), before, ports.ask, now, (name) => due.includes(name));
    if (!stopped) await file.write(lists);
  };
  const look = async (): Promise<void> => {
    try {
      await askWhereDue();
      if (!stopped) follow();
    } catch (error) {
      ports.onDefect(error, 'the lists of models');
    }
    if (!stopped) timer = setTimeout(() => void look(), lookMs).unref();
  };
  return {
    start: () => void look(),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
