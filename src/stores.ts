import { join } from 'node:path';
import type { Config } from './config/config.ts';
import type { Env } from './config/find-file.ts';
import { masterSecret } from './config/master-secret.ts';
import type { Clock, Journal, MediaStore, SealStore } from './exchange/ports.ts';
import type { Peers } from './cluster/peers.ts';
import type { IdempotencyStore } from './http/gateway/idempotency.ts';
import { lazily, type Lazy } from './lazily.ts';
import type { Log } from './observe/log.ts';
import { awsSigned } from './presets/aws-auth.ts';
import { lazyStateStore } from './state/lazy-store.ts';
import type { StateStore } from './state/ports.ts';
import type { Database } from './store/database.ts';
import { createIdempotencyStore } from './store/idempotency.ts';
import { createJournal } from './store/journal.ts';
import { createMasterKey, type MasterKey, type Sealer } from './store/master-key.ts';
import { createMediaIndex } from './store/media-index.ts';
import { createNode } from './store/node.ts';
import type { RequestsDatabase } from './store/requests/database.ts';
import type { Requests } from './store/requests/requests.ts';
import { createTaskStore } from './store/tasks.ts';
import { createMediaFolder } from './tasks/media-folder.ts';
import { createMediaS3 } from './tasks/media-s3.ts';
import { type Blobs, createMediaStore } from './tasks/media-store.ts';
import type { TaskStore } from './tasks/ports.ts';
import type { Send } from './upstream/send.ts';

/** What the server keeps in its data folder. */
export interface Stores {
  /** With a row in the table of requests for each record. */
  readonly journal: Journal;
  readonly seals: SealStore;
  /** Responses, conversations and threads. */
  readonly state: StateStore;
  /** Long-running work. */
  readonly tasks: TaskStore;
  /** Files that providers made. */
  readonly media: MediaStore & { sweep(): Promise<void> };
  /** Answers to be given again. */
  readonly idempotency: IdempotencyStore;
  /** Seals compaction items. */
  readonly compaction: () => Promise<Sealer>;
  /** Opens what is not open yet. */
  warm(): Promise<void>;
  /** Writes what is not written yet, and closes everything. */
  close(): Promise<void>;
}

/** What stores stand on. */
export interface StorePorts {
  /** The data folder. */
  readonly folder: string;
  readonly env: Env;
  readonly clock: Clock;
  readonly log: Log;
  /** In force now. */
  readonly config: () => Config;
  /** The way out to a storage of media. */
  readonly send: Send;
  /** Whether what is due on time is this process's to do. Absent: always. */
  readonly isLeader?: () => boolean;
  /** Other processes that use the same folder and are told of what is put into it; absent: none. */
  readonly peers?: Peers;
}

const sharedOf = ({ isLeader, peers }: StorePorts): Pick<StorePorts, 'isLeader' | 'peers'> => ({
  ...(isLeader ? { isLeader } : {}),
  ...(peers ? { peers } : {}),
});

function openJournal({ folder, clock, log }: StorePorts): Journal {
  return createJournal({
    folder: join(folder, 'journal'),
    now: () => clock.now(),
    onTrouble: (err, dropped) =>
      log.error({ err, dropped }, 'The journal cannot be written. Records wait in memory; what does not fit is dropped'),
    onRecovered: (dropped) => log.warn({ dropped }, 'The journal can be written again'),
  });
}

/** Calls that end before the table of requests is loaded; what is more is in the journal alone. */
const MAX_EARLY = 1000;
/** The longest that a call takes between its beginning and its row. */
const LONGEST_CALL_MS = 40 * 60_000;
const DAY_MS = 86_400_000;

/** What the pieces below share. */
interface RequestsOpening {
  readonly ports: StorePorts;
  /** Rows that came before the table was there. */
  readonly early: (readonly [id: string, json: string])[];
  readonly database: Lazy<RequestsDatabase>;
  readonly requests: Lazy<Requests>;
  made: Requests | undefined;
  /** When it could not be written last (milliseconds since 1970). */
  failingSince: number;
}

async function openRequestsDatabase({ folder, log }: StorePorts): Promise<RequestsDatabase> {
  const opened = await import('./store/requests/database.ts');
  return opened.openRequests(folder, (err) =>
    log.warn({ err }, 'The table of requests was damaged: it is put aside, and made again from the journal'),
  );
}

/** Makes the table, and puts into it what came before. */
async function makeRequests(opening: RequestsOpening): Promise<Requests> {
  const { ports, early, database } = opening;
  const { clock, log, config } = ports;
  const { createRequests } = await import('./store/requests/requests.ts');
  const made = createRequests({
    database,
    now: () => clock.now(),
    limits: () => config().limits,
    onTrouble(err, dropped) {
      opening.failingSince = clock.now();
      void noteDamage(ports, err);
      log.error({ err, dropped }, 'The table of requests cannot be written. Calls go on, and stand in the journal');
    },
    onRecovered(dropped) {
      log.warn({ dropped }, 'The table of requests can be written again');
      if (dropped > 0) void bringOver(opening, opening.failingSince - LONGEST_CALL_MS, true);
    },
    ...sharedOf(ports),
  });
  opening.made = made;
  for (const [id, json] of early.splice(0)) made.add(id, json);
  return made;
}

async function noteDamage({ folder, log }: StorePorts, trouble: unknown): Promise<void> {
  try {
    const { isDamaged, markDamaged } = await import('./store/requests/database.ts');
    if (!isDamaged(trouble)) return;
    await markDamaged(folder);
    log.error({}, 'The table of requests is damaged. With the next start it is put aside, and made again from the journal');
  } catch (err) {
    log.error({ err }, 'The table of requests could not be marked as damaged');
  }
}

/** Puts into the table what the journal has and it has not. Never rejects. */
async function bringOver({ ports, requests: load }: RequestsOpening, since: number, isThorough: boolean): Promise<void> {
  const { folder, log, config } = ports;
  try {
    const requests = await load();
    const { catchUp } = await import('./store/requests/catch-up.ts');
    await catchUp({ folder: join(folder, 'journal'), requests, since, maxRows: config().limits.requestRows, isThorough });
  } catch (err) {
    log.error({ err }, 'Calls of the journal could not be brought over into the table of requests');
  }
}

/** The table of requests, loaded with its first row. */
function openRequests(ports: StorePorts) {
  const { clock, log, config } = ports;
  const opening: RequestsOpening = {
    ports,
    early: [],
    database: lazily(() => openRequestsDatabase(ports)),
    requests: lazily(() => makeRequests(opening)),
    made: undefined,
    failingSince: 0,
  };
  const { early, database, requests } = opening;
  return {
    add(id: string, json: string): void {
      if (opening.made) return opening.made.add(id, json);
      if (config().limits.requestRows === 0) return;
      if (early.length < MAX_EARLY) early.push([id, json]);
      requests().catch((err: unknown) => log.error({ err }, 'The table of requests cannot be kept'));
    },
    async warm(): Promise<void> {
      const { requestDays, requestRows } = config().limits;
      if (requestRows === 0) return;
      await bringOver(opening, clock.now() - requestDays * DAY_MS, false);
    },
    async close(): Promise<void> {
      await requests.ifMade((made) => made.close());
      await database.ifMade((opened) => opened.destroy());
    },
  };
}

/** The store of seals, loaded with its first use. */
function openSeals(ports: StorePorts, database: () => Promise<Database>, masterKey: MasterKey) {
  const { clock, log, config } = ports;
  const onTrouble = (what: string, err: unknown): void => log.error({ err }, what);
  const store = lazily(async () => {
    const { createSealStore } = await import('./store/seals.ts');
    const sealer = masterKey.sealer('seals');
    const made = createSealStore({
      database,
      sealer: () => Promise.resolve(sealer),
      now: () => clock.now(),
      limits: () => config().limits,
      onTrouble,
      ...sharedOf(ports),
    });
    loaded = made;
    return made;
  });
  let loaded: SealStore | undefined;
  const seals: SealStore = {
    get: async (owner, callIds) => (await store()).get(owner, callIds),
    put(owner, entries) {
      // At once where it can be: a request that comes after the reply must find that something was put.
      if (loaded) return loaded.put(owner, entries);
      store().then(
        (made) => made.put(owner, entries),
        (error: unknown) => onTrouble('Sealed state could not be kept', error),
      );
    },
  };
  return { seals, close: () => store.ifMade((made) => made.close()), warm: store };
}

/** The store of responses, conversations and threads, loaded with its first use. */
function openState(ports: StorePorts, database: () => Promise<Database>, masterKey: MasterKey) {
  const { clock, log, config } = ports;
  const onTrouble = (what: string, err: unknown): void => log.error({ err }, what);
  const store = lazily(async () => {
    const { createStoredState } = await import('./store/stored-state.ts');
    const sealer = masterKey.sealer('state');
    return createStoredState({
      database,
      sealer: () => Promise.resolve(sealer),
      now: () => clock.now(),
      limits: () => config().limits,
      onTrouble,
      ...sharedOf(ports),
    });
  });
  return { state: lazyStateStore(store, (error) => onTrouble('State could not be kept', error)), warm: store };
}

/** Where media lie: a folder, or a bucket where one is configured. */
function openBlobs({ folder, clock, config, send }: StorePorts): Blobs {
  const { media } = config().tasks;
  const { s3 } = media;
  if (!s3) return createMediaFolder(media.folder ?? join(folder, 'media'), () => clock.now());
  const auth = awsSigned('s3');
  const credential = { key: s3.key };
  const signing = { now: () => clock.now(), post: () => Promise.reject(new Error('nothing to post')) };
  return createMediaS3({
    endpoint: s3.endpoint,
    bucket: s3.bucket,
    prefix: s3.prefix ?? '',
    send,
    sign: async (request) => (auth.kind === 'signed' ? auth.sign(request, credential, { region: s3.region }, signing) : {}),
  });
}

/** Tasks, their media, and answers to be given again: loaded with their first use. */
function openTasks(ports: StorePorts, database: () => Promise<Database>, masterKey: MasterKey) {
  const { clock, config } = ports;
  const now = (): number => clock.now();
  const node = createNode(now);
  const bounds = (): { readonly keepMs: number; readonly bytes: number } => {
    const { keepMs, media } = config().tasks;
    return { keepMs, bytes: media.bytes };
  };
  return {
    tasks: createTaskStore({ database, sealer: masterKey.sealer('tasks'), node }),
    media: createMediaStore({
      index: createMediaIndex(database, now),
      blobs: openBlobs(ports),
      sign: masterKey.signer('media'),
      now,
      bounds,
    }),
    idempotency: createIdempotencyStore({ database, sealer: masterKey.sealer('idempotency'), node, now }),
  };
}

/** Opens the data folder. Rejects when there can be no master key, without which nothing could be kept. */
export async function openStores(ports: StorePorts): Promise<Stores> {
  const { folder, env, log } = ports;
  const masterKey = createMasterKey(await masterSecret(folder, env));
  // With its first use: it takes longer to load than everything else.
  const database = lazily(async () => {
    const { openDatabase } = await import('./store/database.ts');
    return openDatabase(folder);
  });
  const lines = openJournal(ports);
  const requests = openRequests(ports);
  const journal: Journal = {
    ...lines,
    append(record) {
      const json = JSON.stringify(record);
      lines.append(record, json);
      requests.add(record.id, json);
    },
  };
  const { seals, close, warm } = openSeals(ports, database, masterKey);
  const { state, warm: warmState } = openState(ports, database, masterKey);
  const compaction = masterKey.sealer('compaction');
  return {
    journal,
    seals,
    state,
    ...openTasks(ports, database, masterKey),
    compaction: () => Promise.resolve(compaction),
    async warm() {
      await Promise.all([warm(), warmState()]);
      await database().catch((err: unknown) =>
        log.error({ err }, 'The database cannot be opened. Calls go on; what they would keep is lost'),
      );
      await requests.warm();
    },
    async close() {
      await close();
      await state.close();
      await journal.close();
      await requests.close();
      await database.ifMade((made) => made.destroy());
    },
  };
}
