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

/** What the pieces below share. */
interface Keeping {
  readonly ports: ListKeeperPorts;
  /** The file as it was put in force. */
  seen: ReturnType<ModelListFile['stamp']>;
  /** When providers were asked on the schedule, and those on this machine. */
  triedAt: number;
  localAt: number;
  /** Ends when all that was learnt is written. */
  writing: Promise<void>;
  timer: NodeJS.Timeout | undefined;
  isStopped: boolean;
}

const WHAT = 'the lists of models';

/** Does what is due, and again a while later. */
async function look(keeping: Keeping): Promise<void> {
  const { onDefect, lookMs = LOOK_MS } = keeping.ports;
  try {
    await askLocal(keeping);
    await askWhereDue(keeping);
    if (!keeping.isStopped) follow(keeping);
  } catch (error) {
    onDefect(error, WHAT);
  }
  if (!keeping.isStopped) keeping.timer = setTimeout(() => void look(keeping), lookMs).unref();
}

async function askLocal(keeping: Keeping): Promise<void> {
  const { clock, snapshot, ask, isLeader } = keeping.ports;
  if (clock.now() - keeping.localAt < LOCAL_MS || !isLeader()) return;
  keeping.localAt = clock.now();
  const local = [...snapshot().providers.values()].filter(({ preset }) => preset.local && preset.models);
  await Promise.all(local.map(async (provider) => learn(keeping, provider, await ask(provider))));
}

async function askWhereDue(keeping: Keeping): Promise<void> {
  const { file, clock, snapshot, ask, isLeader } = keeping.ports;
  const now = clock.now();
  const everyMs = snapshot().config.catalogue?.syncMs;
  if (everyMs === undefined || now - keeping.triedAt < Math.min(everyMs, RETRY_MS) || !isLeader()) return;
  const before = file.read();
  const due = dueNames(snapshot(), before, everyMs, now);
  if (due.length === 0) return;
  keeping.triedAt = now;
  const { lists } = await syncModels(snapshot(), before, ask, now, (name) => due.includes(name));
  if (!keeping.isStopped) await file.write(lists);
}

/** Puts in force what somebody has written. */
function follow(keeping: Keeping): void {
  const { file, apply } = keeping.ports;
  const stamp = file.stamp();
  if (stamp === keeping.seen) return;
  keeping.seen = stamp;
  apply(file.read());
}

/** One after the other: each stands on what the one before has written. */
function learn(keeping: Keeping, provider: Provider, said: ReadonlyMap<string, Said>): void {
  if (said.size === 0) return;
  keeping.writing = keeping.writing
    .then(() => write(keeping, provider, said))
    .catch((error: unknown) => keeping.ports.onDefect(error, WHAT));
}

async function write(keeping: Keeping, provider: Provider, said: ReadonlyMap<string, Said>): Promise<void> {
  const { file, clock, snapshot } = keeping.ports;
  const { providers } = snapshot();
  const before = new Map([...file.read()].filter(([name]) => providers.has(name)));
  if (keeping.isStopped || isKnown(listOf(before, provider)?.models, said)) return;
  await file.write(new Map([...before, [provider.name, { place: placeOf(provider), at: clock.now(), models: said }]]));
  follow(keeping);
}

/**
 * Follows the lists of the data folder, whoever writes them, and asks providers for theirs on the schedule that is configured. Servers
 * on this machine are asked anyway: what they have changes with a command, and nobody knows it but they.
 */
export function keepLists(ports: ListKeeperPorts): ListKeeper {
  const keeping: Keeping = {
    ports,
    seen: ports.file.stamp(),
    triedAt: -Infinity,
    localAt: -Infinity,
    writing: Promise.resolve(),
    timer: undefined,
    isStopped: false,
  };
  return {
    start: () => void look(keeping),
    learn: (provider, said) => learn(keeping, provider, said),
    stop() {
      keeping.isStopped = true;
      clearTimeout(keeping.timer);
    },
  };
}
