import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from './config/config.ts';
import type { ExchangePorts } from './exchange/exchange.ts';
import { askModelFacts, createModelLists, type ListedModel } from './exchange/model-list.ts';
import { createTaskDrivers } from './exchange/media/task-drivers.ts';
import type { Clock, Journal, MediaFetcher, MediaStore, SealStore } from './exchange/ports.ts';
import { type Checks, createChecks } from './exchange/trying/checks.ts';
import { createAnswerMemory } from './exchange/once/kept-answers.ts';
import type { Peers } from './cluster/peers.ts';
import { createTrying } from './exchange/trying/trying.ts';
import type { Trying } from './exchange/trying/walking.ts';
import { createCountTokensService, type LocalCounter } from './http/gateway/count-tokens.ts';
import { handleGateway } from './http/gateway/handle.ts';
import { type GatewayPorts } from './http/gateway/visit.ts';
import { createIdempotency, type IdempotencyStore } from './http/gateway/idempotency.ts';
import { createModelsService } from './http/gateway/models.ts';
import { createWebSockets } from './http/gateway/websocket.ts';
import { closeServer, createHttpServer, refuseConnection } from './http/http-server.ts';
import { createKeepAlives } from './http/keep-alive.ts';
import { ulid } from './http/new-id.ts';
import { createOverload, systemGauges, type OnShedding } from './http/overload.ts';
import { partOfLimits } from './http/part-of-limits.ts';
import { lazily } from './lazily.ts';
import { compileSnapshot, withLists } from './compile-snapshot.ts';
import { keepLists } from './keep-lists.ts';
import { postForm } from './post-form.ts';
import type { KeptLists, ModelListFile } from './model-lists.ts';
import type { HealthNews } from './policy/health-news.ts';
import { type RetryLimits, USUAL_LIMITS } from './policy/retry.ts';
import { createLiveSignals, type LiveSignals } from './policy/live-signals.ts';
import type { Snapshot } from './policy/snapshot.ts';
import { clientCodecs, providerCodecs } from './protocols/index.ts';
import type { StateServices } from './state/index.ts';
import type { Tasks, TaskStore } from './tasks/ports.ts';
import type { Pace } from './tasks/machine.ts';
import { createTasks } from './tasks/tasks.ts';
import type { PostWebhook } from './tasks/webhook.ts';
import type { Send } from './upstream/send.ts';

/** Everything from outside that the server stands on. Tests pass their own. */
export interface AppPorts {
  readonly clock: Clock;
  readonly send: Send;
  readonly seals: SealStore;
  readonly media: MediaFetcher;
  readonly journal: Journal;
  readonly counter: LocalCounter;
  /** Long-running work: its rows, its files, how its ends are told. */
  readonly tasks: { readonly store: TaskStore; readonly post: PostWebhook; readonly pace?: Pace };
  readonly mediaStore: MediaStore & { sweep(): Promise<void> };
  readonly idempotency: IdempotencyStore;
  readonly sandboxModels: readonly ListedModel[];
  /** Endpoints over stored state; made here so that tests can leave it out. */
  readonly state: (gateway: () => GatewayPorts) => StateServices;
  readonly onDefect: (error: unknown, callId: string) => void;
  /** Calls are refused because there is too much to do, or are taken again. */
  readonly onShedding?: OnShedding;
  /** There is no room for another connection; told once a minute at most. */
  readonly onFull?: () => void;
  /** For how long what came from an upstream has waited to be read, in milliseconds; `now`: monotonic. */
  readonly waitedMs?: (now: number) => number;
  /** A target, a key or a provider is set aside, or well again; of several processes the leader alone tells it. */
  readonly onHealth?: (news: HealthNews) => void;
  /** Where uploads are kept that cannot be sent on at once; absent: the system's own folder for such files. */
  readonly spoolFolder?: string;
  /**
   * Whether what is to be done once among several processes, on a schedule, is this one's to do now; asked each time it is due.
   * Absent: always.
   */
  readonly isLeader?: () => boolean;
  /** Other processes that do the same work; absent: none. */
  readonly peers?: Peers;
  /** Where providers' own lists of models are kept; absent: nowhere. */
  readonly modelLists?: ModelListFile;
}

/** A running gateway. */
export interface App {
  readonly server: Server;
  /** Takes another configuration: calls that run finish on the one that they began with. Throws and changes nothing when a provider cannot be made of it. */
  reload(config: Config): void;
  /** The same in two steps: throws where it cannot be used; what it returns puts it in force. */
  prepare(config: Config): () => void;
  readonly snapshot: () => Snapshot;
  /** Gets ready for connections that others accept, in place of listening. */
  attend(): void;
  accept(socket: Socket): void;
  /** Those that there are. */
  readonly connections: () => number;
  /** Asks so many of them, of those that ask anything next, to come again. */
  thin(many: number): void;
  /** It listens: takes up the tasks that another process has left. */
  wake(): void;
  /** Calls under way. */
  readonly active: () => number;
  /** Takes no more calls, waits for those that run (at most `graceMs`), closes. */
  drain(graceMs: number): Promise<void>;
}

/** What trying remembers: of several processes together where there are some. */
function tryingOf(ports: AppPorts, signals: LiveSignals, snapshot: () => Snapshot): Trying {
  const { clock, peers, onHealth, isLeader = () => true } = ports;
  // What one learns all do, several at once now and then: told by each that did first it would be told twice.
  const telling = onHealth && { news: (news: HealthNews): void => void (isLeader() && onHealth(news)) };
  const limits = (): RetryLimits => snapshot().config.limits.retries ?? USUAL_LIMITS;
  if (!peers) return createTrying(signals, clock, { limits, ...telling });
  const trying = createTrying(signals, clock, { limits, processes: peers.count, tell: peers.tellHealth, ...telling });
  peers.onHealth((fact) => trying.health.learn(fact));
  return { ...trying, slots: peers.slots, minutes: peers.minutes };
}

function exchangePorts(ports: AppPorts, snapshot: () => Snapshot): ExchangePorts {
  const signals = createLiveSignals();
  return {
    clock: ports.clock,
    send: ports.send,
    newId: (prefix) => prefix + ulid(ports.clock.now()).toLowerCase(),
    post: postForm(ports.send),
    codecs: providerCodecs,
    seals: ports.seals,
    signals,
    trying: tryingOf(ports, signals, snapshot),
    media: ports.media,
    mediaStore: ports.mediaStore,
    record: (record) => ports.journal.append(record),
    onDefect: ports.onDefect,
  };
}

/** Asks providers how they are; it has not begun. */
function checksOf({ isLeader = () => true, ...ports }: AppPorts, { post, trying }: ExchangePorts): Checks {
  const { clock, send, onDefect } = ports;
  return createChecks({ clock, send, post, health: trying.health, random: trying.random, isLeader, onDefect });
}

/** The machinery of tasks, with what is known of each kind. */
function tasksOf(ports: AppPorts, exchange: ExchangePorts, snapshot: () => Snapshot): Tasks & { wake(): void } {
  const { store, post, pace } = ports.tasks;
  const { isLeader } = ports;
  return createTasks({
    store,
    post,
    media: ports.mediaStore,
    drivers: createTaskDrivers({ exchange, snapshot }),
    clock: ports.clock,
    newId: exchange.newId,
    settings: () => snapshot().config.tasks,
    onDefect: ports.onDefect,
    ...(pace ? { pace } : {}),
    ...(isLeader ? { isLeader } : {}),
  });
}

/** What keeps providers' own lists of models, where there is a place for them. */
function listKeeperOf(ports: AppPorts, exchange: ExchangePorts, snapshot: () => Snapshot, apply: (lists: KeptLists) => void) {
  const { modelLists: file, clock, onDefect, isLeader = () => true } = ports;
  return file && keepLists({ file, clock, onDefect, isLeader, snapshot, apply, ask: (provider) => askModelFacts(provider, exchange) });
}

/** What a running gateway goes by: another configuration and other lists take the place of those before. */
interface InForce {
  lists: KeptLists | undefined;
  snapshot: Snapshot;
  isDraining: boolean;
}

/** Answers kept for the calls that are the same. */
const answersOf = (ports: AppPorts, snapshot: () => Snapshot): GatewayPorts['answers'] => ({
  store: createAnswerMemory(
    () => ports.clock.now(),
    () => snapshot().config.limits.cacheBytes,
    ports.peers,
  ),
  flights: new Map(),
});

/** All parts of a gateway but its server; nothing has begun. */
function partsOf(ports: AppPorts, inForce: InForce) {
  const snapshot = (): Snapshot => inForce.snapshot;
  const exchange = exchangePorts(ports, snapshot);
  const keeper = listKeeperOf(ports, exchange, snapshot, (next) => {
    inForce.lists = next;
    inForce.snapshot = withLists(inForce.snapshot, next, inForce.snapshot.revision + 1);
  });
  const state = ports.state(() => gateway);
  // With its first call: a server for chat starts without the wires of all other abilities.
  const media = lazily(async () => (await import('./http/gateway/media/index.ts')).createMediaService(() => gateway));
  const limitsOf = partOfLimits(ports.peers?.count ?? 1);
  const keepAlives = createKeepAlives(
    () => ports.clock.monotonic(),
    () => snapshot().config.server.keepAlive?.delay,
  );
  const tasks = tasksOf(ports, exchange, snapshot);
  const idempotency = createIdempotency(ports.idempotency);
  const limits = (): Config['limits'] => limitsOf(snapshot().config.limits);
  const overload = createOverload(limits, ports.onShedding, systemGauges(ports.waitedMs));
  const gateway: GatewayPorts = {
    ...exchange,
    overload,
    clients: clientCodecs,
    ...(ports.spoolFolder === undefined ? {} : { spoolFolder: ports.spoolFolder }),
    snapshot,
    tasks,
    idempotency,
    answers: answersOf(ports, snapshot),
    services: {
      models: createModelsService(createModelLists(exchange, ports.sandboxModels, (provider, said) => keeper?.learn(provider, said))),
      media: async (visit, operation, request) => (await media())(visit, operation, request),
      countTokens: createCountTokensService(exchange, ports.counter, state.expand),
      ...state,
    },
    track: (sink, text, headers, isBefore) => keepAlives.add(sink, text, headers, isBefore),
  };
  const webSockets = createWebSockets(gateway, state.turns);
  return { gateway, state, media, keeper, checks: checksOf(ports, exchange), keepAlives, tasks, idempotency, limits, overload, webSockets };
}

type Parts = ReturnType<typeof partsOf>;

/** Takes no more calls, waits for those that run, closes: what needs what goes last. */
function drain(parts: Parts, http: ReturnType<typeof createHttpServer>, graceMs: number): Promise<void> {
  const { state, idempotency, tasks } = parts;
  parts.checks.stop();
  parts.keeper?.stop();
  parts.webSockets.drain();
  return new Promise((resolve) => {
    const cut = (): void => {
      state.stop();
      idempotency.stop();
      void tasks.stop();
    };
    const closed = async (): Promise<void> => {
      await state.idle();
      await idempotency.idle();
      await tasks.idle();
      await tasks.stop();
      // Not before: streams that are silent while the server drains are kept alive as well.
      parts.keepAlives.stop();
      parts.overload.stop();
      callOff();
      resolve();
    };
    const callOff = closeServer(http, graceMs, cut, () => void closed());
  });
}

const TELL_FULL_MS = 60_000;

/** Lets connections in while there is room for them. */
function doorOf(ports: AppPorts, { server, connections }: ReturnType<typeof createHttpServer>, limits: Parts['limits']): App['accept'] {
  let toldAt = -Infinity;
  return (socket) => {
    const isRoom = connections.makeRoom(limits().connections);
    if (isRoom || connections.mayBeExtra()) server.emit('connection', socket);
    else refuseConnection(socket);
    if (isRoom) return;
    const extra = connections.sockets.get(socket);
    if (extra) extra.isExtra = true;
    const now = ports.clock.monotonic();
    if (now - toldAt < TELL_FULL_MS) return;
    toldAt = now;
    ports.onFull?.();
  };
}

/** Puts the server together. It does not listen yet. */
export function createApp(config: Config, ports: AppPorts): App {
  const lists = ports.modelLists?.read();
  const inForce: InForce = { lists, snapshot: compileSnapshot(config, 1, lists), isDraining: false };
  const parts = partsOf(ports, inForce);
  const { gateway, checks, tasks, keeper, media } = parts;
  const http = createHttpServer({
    monotonic: ports.clock.monotonic,
    isDraining: () => inForce.isDraining,
    request: (request, response, isBeyond) => handleGateway(request, response, gateway, isBeyond),
    upgrade: parts.webSockets.upgrade,
  });
  const { server, connections } = http;
  const prepare = (next: Config): (() => void) => {
    const made = compileSnapshot(next, inForce.snapshot.revision + 1);
    return () => {
      inForce.snapshot = inForce.lists ? withLists(made, inForce.lists, inForce.snapshot.revision + 1) : made;
      checks.follow(inForce.snapshot);
    };
  };
  return {
    server,
    snapshot: () => inForce.snapshot,
    wake() {
      tasks.wake();
      checks.follow(inForce.snapshot);
      keeper?.start();
      // Here already when it is first asked for.
      media().catch((error: unknown) => ports.onDefect(error, 'media'));
    },
    active: () => connections.active,
    attend() {
      // What watches over slow heads begins with it.
      server.emit('listening');
    },
    accept: doorOf(ports, http, parts.limits),
    connections: () => connections.sockets.size,
    thin: connections.thin,
    reload: (next) => prepare(next)(),
    prepare,
    drain(graceMs) {
      inForce.isDraining = true;
      return drain(parts, http, graceMs);
    },
  };
}
