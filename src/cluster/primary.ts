import { type ChildProcess, fork } from 'node:child_process';
import type { Running, Serve } from '../cli/ports.ts';
import type { Config } from '../config/config.ts';
import type { openListeners } from '../http/listeners.ts';
import type { Log } from '../observe/log.ts';
import { type Door, openDoor } from './door.ts';
import { createHub, type Hub } from './hub.ts';
import { createLink, type Link, Silence } from './link.ts';
import type { Message, OfPrimary, OfWorker } from './messages.ts';

/** What running workers stands on. */
export interface PrimaryPorts {
  /** The file that a worker runs. */
  readonly program: string;
  /** How many. */
  readonly count: number;
  /** A worker's environment. */
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** Listens. */
  readonly listen: typeof openListeners;
}

/** A worker that is not ready by then is given up. */
const START_MS = 60_000;
/** How long workers may take to make a configuration ready. */
const RELOAD_MS = 10_000;
/** One that lived as long has not failed at its start. */
const STEADY_MS = 10_000;
/** So many in a row that did not: another would fare no better. */
const MAX_FAILURES = 5;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5000;

/** A place for a worker, whichever process holds it. */
interface Seat {
  readonly number: number;
  process?: ChildProcess;
  link?: Link<OfWorker>;
  isReady: boolean;
  /** Of the configuration that it has. */
  revision: number;
  startedAt: number;
  /** How often in a row it did not live long. */
  failures: number;
  /** The next one is waited for. */
  waiting?: NodeJS.Timeout;
}

const NEW_SEAT: Omit<Seat, 'number'> = { isReady: false, revision: 0, startedAt: 0, failures: 0 };

/** What all workers share. */
interface Crew {
  readonly seats: readonly Seat[];
  readonly hub: Hub;
  readonly log: Log;
  readonly data: string;
  config: Config;
  revision: number;
  readonly program: string;
  readonly env: PrimaryPorts['env'];
  readonly door: Door;
  leader?: Seat;
  isStopping: boolean;
  /** Told of an end that nobody asked for, and of a worker that is there. */
  onEnded: (seat: Seat, code: number | null, signal: string | null) => void;
}

const nameOf = ({ number, process }: Seat): { readonly worker: number; readonly pid?: number } => ({
  worker: number,
  ...(process?.pid === undefined ? {} : { pid: process.pid }),
});

/** Starts a process in a seat, with its link. */
function begin(seat: Seat, crew: Crew): Link<OfWorker> {
  const { hub, door, program, env } = crew;
  const { number } = seat;
  const child = fork(program, [], { env, serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const link: Link<OfWorker> = createLink<OfWorker, OfPrimary>({
    send: (message, onSent) => child.send(message, undefined, undefined, onSent),
    handlers: {
      ...hub.join(number, {
        ask: (topic, body, withinMs) => link.ask(topic, body, withinMs),
        tell: (topic, body) => link.tell(topic, body),
      }),
      taken(taken) {
        door.heard(number, taken);
        return undefined;
      },
    },
  });
  Object.assign(seat, { process: child, link, isReady: false, startedAt: performance.now() });
  let isGone = false;
  child.on('message', (message: Message) => {
    // What it said last may be read after its end: nobody would give back what that takes.
    if (!isGone) link.receive(message);
  });
  // What cannot be written to one that is going shows in its end.
  child.on('error', () => undefined);
  child.once('exit', (code, signal) => {
    isGone = true;
    door.shut(number);
    link.close();
    hub.left(number);
    seat.isReady = false;
    if (crew.leader === seat) delete crew.leader;
    crew.onEnded(seat, code, signal);
    delete seat.process;
  });
  return link;
}

/** Says which worker does what is due on time: the same as long as it is there. */
function lead(crew: Crew): void {
  if (crew.leader) return;
  const next = crew.seats.find(({ isReady }) => isReady);
  if (!next) return;
  crew.leader = next;
  next.link?.tell('lead', true);
}

/** Brings a worker to the configuration that is in force by then. */
async function bringUp(seat: Seat, crew: Crew): Promise<void> {
  while (seat.revision !== crew.revision) {
    const { revision, config } = crew;
    await seat.link?.ask('prepare', { revision, config }, RELOAD_MS);
    await seat.link?.ask('commit', revision, RELOAD_MS);
    seat.revision = revision;
  }
}

/** Has a worker listen as well, where the system lets it. */
async function shareDoor(seat: Seat, { door }: Crew): Promise<void> {
  if (door.isShared) await seat.link?.ask('listen', door.place, RELOAD_MS);
}

/** Puts a process into a seat, which takes connections when this settles; it has the configuration that is in force then. */
async function fill(seat: Seat, crew: Crew): Promise<void> {
  const link = begin(seat, crew);
  const { config, revision, data, seats } = crew;
  const order = { config, data, number: seat.number, count: seats.length };
  await link.ask('start', order, START_MS).catch((error: unknown) => {
    throw error instanceof Silence ? new Error(`worker ${seat.number} ended, or was not ready within ${START_MS / 1000} s`) : error;
  });
  seat.revision = revision;
  await bringUp(seat, crew);
  await shareDoor(seat, crew);
  seat.isReady = true;
  crew.hub.welcome(seat.number);
  crew.log.debug(nameOf(seat), 'A worker is ready');
  crew.door.open(seat.number, {
    give: (socket, onGiven) => seat.process?.send({ kind: 'connection' }, socket, {}, onGiven),
    thin: (many) => seat.link?.tell('thin', many),
  });
  lead(crew);
}

/** Puts another process into the place of one that has ended, after a while that grows; gives up where none lives. */
function refill(seat: Seat, crew: Crew, onFailed: (error: Error) => void): void {
  const isSteady = performance.now() - seat.startedAt > STEADY_MS;
  seat.failures = isSteady ? 0 : seat.failures + 1;
  if (seat.failures > MAX_FAILURES) {
    onFailed(new Error(`worker ${seat.number} ended ${seat.failures} times in a row soon after its start`));
    return;
  }
  const waitMs = seat.failures < 2 ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (seat.failures - 2));
  seat.waiting = setTimeout(() => {
    delete seat.waiting;
    fill(seat, crew).then(
      () => crew.log.info(nameOf(seat), 'A worker has taken the place of one that ended'),
      (error: unknown) => {
        if (crew.isStopping || !seat.process) return;
        crew.log.error({ ...nameOf(seat), err: error }, 'A worker could not start');
        seat.process?.kill('SIGKILL');
      },
    );
  }, waitMs);
}

/** Starts all of them. Where one cannot, none is left. */
async function fillAll(crew: Crew): Promise<void> {
  try {
    await Promise.all(crew.seats.map((seat) => fill(seat, crew)));
  } catch (error) {
    crew.isStopping = true;
    await stopAll(crew, ({ process }) => process?.kill('SIGKILL'));
    throw error;
  }
}

/** Lets nothing in, and ends every worker in its own way; settles when all are gone. */
async function stopAll({ seats, door }: Crew, end: (seat: Seat) => unknown): Promise<void> {
  door.close();
  const gone = seats.map((seat) => {
    clearTimeout(seat.waiting);
    if (!seat.process) return undefined;
    const ended = new Promise((resolve) => seat.process?.once('exit', resolve));
    end(seat);
    return ended;
  });
  await Promise.all(gone);
}

/** Puts a configuration in force in all workers, or, where one cannot use it, in none. */
async function reloadAll(crew: Crew, config: Config): Promise<void> {
  const revision = crew.revision + 1;
  const ready = crew.seats.filter(({ isReady }) => isReady);
  await Promise.all(
    ready.map((seat) =>
      seat.link?.ask('prepare', { revision, config }, RELOAD_MS).catch((error: unknown) => {
        // One that has ended meanwhile has no say: who comes in its place begins with what is in force then.
        if (seat.isReady) throw error;
      }),
    ),
  );
  crew.revision = revision;
  crew.config = config;
  crew.log.configure(config);
  // Not answered in time: it is in the worker's pipe, and will be read before anything that comes later.
  await Promise.allSettled(
    ready.map(async (seat) => {
      await seat.link?.ask('commit', revision, RELOAD_MS);
      seat.revision = revision;
    }),
  );
  // Those that came meanwhile began with the one before.
  await Promise.allSettled(crew.seats.filter((seat) => seat.isReady && !ready.includes(seat)).map((seat) => bringUp(seat, crew)));
}

/** A server of several processes that share a port: this one takes no calls, it watches over those that do. */
export const createWorkers =
  ({ program, count, env, log, listen }: PrimaryPorts): Serve =>
  async ({ config, data }): Promise<Running> => {
    const door = await openDoor(config.server, listen);
    const seats = Array.from({ length: count }, (_, index): Seat => ({ ...NEW_SEAT, number: index + 1 }));
    const shared = { program, env, door, hub: createHub(), log, data };
    const crew: Crew = { ...shared, seats, config, revision: 1, isStopping: false, onEnded: () => undefined };
    await fillAll(crew);

    let fail: (error: Error) => void = () => undefined;
    const failed = new Promise<Error>((resolve) => (fail = resolve));
    crew.onEnded = (seat, code, signal) => {
      if (crew.isStopping) return;
      log.error({ ...nameOf(seat), code, signal }, 'A worker has ended; its calls are lost, the others go on');
      lead(crew);
      refill(seat, crew, fail);
    };
    // One may have ended while the last ones started.
    for (const seat of seats) if (!seat.process) refill(seat, crew, fail);
    let reloading = Promise.resolve();
    return {
      port: door.place.port,
      failed,
      reload(next) {
        const done = reloading.then(() => reloadAll(crew, next));
        reloading = done.catch(() => undefined);
        return done;
      },
      async stop() {
        crew.isStopping = true;
        await stopAll(crew, ({ isReady, link, process }) => (isReady ? link?.tell('stop', undefined) : process?.kill('SIGKILL')));
        await log.flush();
      },
    };
  };
