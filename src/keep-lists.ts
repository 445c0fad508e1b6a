import type { Clock } from './exchange/ports.ts';
import { type KeptLists, listOf, type ModelListFile, placeOf } from './model-lists.ts';
import type { Said } from './policy/models/model-facts.ts';
import type { Snapshot } from './policy/snapshot.ts';
import type { Provider } from './presets/preset.ts';
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
/** How often servers on this machine are asked. */
const LOCAL_MS = 60_000;
/** Providers that gave no list are not asked again before. */
const RETRY_MS = 10 * 60_000;

/** The providers whose lists are older than they may be, or that have none. */
function dueNames({ providers }: Snapshot, lists: KeptLists, everyMs: number, now: number): readonly string[] {
  const due = [...providers.values()].filter((one) => one.preset.models && (listOf(lists, one)?.at ?? -Infinity) + everyMs <= now);
  return due.map(({ name }) => name);
}

/** Whether a list says what is known already. */
const isKnown = (kept: ReadonlyMap<string, Said> | undefined, said: ReadonlyMap<string, Said>): boolean =>
  kept?.size === said.size && JSON.stringify([...kept]) === JSON.stringify([...said]);

/** Keeps the lists of a data folder. */
export interface ListKeeper {
  start(): void;
  /** A provider was asked for its list, for whatever reason. An empty one says nothing. */
  learn(provider: Provider, said: ReadonlyMap<string, Said>): void;
  stop(): void;
}

/**
 * Follows the lists of the data folder, whoever writes them, and asks providers for theirs on the schedule that is configured. Servers
 * on this machine are asked anyway: what they have changes with a command, and nobody knows it but they.
 */
export function keepLists(ports: ListKeeperPorts): ListKeeper {
  const { file, clock, snapshot, lookMs = LOOK_MS } = ports;
  let seen = file.stamp();
  let triedAt = -Infinity;
  let localAt = -Infinity;
  let writing = Promise.resolve();
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
  const keep = async (provider: Provider, said: ReadonlyMap<string, Said>): Promise<void> => {
    const { providers } = snapshot();
    const before = new Map([...file.read()].filter(([name]) => providers.has(name)));
    if (stopped || isKnown(listOf(before, provider)?.models, said)) return;
    await file.write(new Map([...before, [provider.name, { place: placeOf(provider), at: clock.now(), models: said }]]));
    follow();
  };
  // One after the other: each stands on what the one before has written.
  const learn = (provider: Provider, said: ReadonlyMap<string, Said>): void => {
    if (said.size === 0) return;
    writing = writing.then(() => keep(provider, said)).catch((error: unknown) => ports.onDefect(error, 'the lists of models'));
  };
  const askLocal = async (): Promise<void> => {
    if (clock.now() - localAt < LOCAL_MS || !ports.isLeader()) return;
    localAt = clock.now();
    const local = [...snapshot().providers.values()].filter(({ preset }) => preset.local && preset.models);
    await Promise.all(local.map(async (provider) => learn(provider, await ports.ask(provider))));
  };
  const look = async (): Promise<void> => {
    try {
      await askLocal();
      await askWhereDue();
      if (!stopped) follow();
    } catch (error) {
      ports.onDefect(error, 'the lists of models');
    }
    if (!stopped) timer = setTimeout(() => void look(), lookMs).unref();
  };
  return {
    start: () => void look(),
    learn,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
