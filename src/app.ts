import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
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
import { type GatewayPorts, handleGateway } from './http/gateway/handle.ts';
import { createIdempotency, type IdempotencyStore } from './http/gateway/idempotency.ts';
import { createModelsService } from './http/gateway/models.ts';
import { createWebSockets } from './http/gateway/websocket.ts';
import { createKeepAlives } from './http/keep-alive.ts';
import { ulid } from './http/new-id.ts';
import { createOverload, type OnShedding } from './http/overload.ts';
import { partOfLimits } from './http/part-of-limits.ts';
import { lazily } from './lazily.ts';
import { watchBodies } from './http/slow-bodies.ts';
import { compileSnapshot, withLists } from './compile-snapshot.ts';
import { keepLists } from './keep-lists.ts';
import { postForm } from './post-form.ts';
import type { KeptLists, ModelListFile } from './model-lists.ts';
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
  /** Gets ready for connections that another process accepts, in place of listening. */
  attend(): Promise<number>;
  accept(socket: Socket): void;
  /** Those that there are. */
  readonly connections: () => number;
  /** It listens: takes up the tasks that another process has left. */
  wake(): void;
  /** Calls under way. */
  readonly active: () => number;
  /** Takes no more calls, waits for those that run (at most `graceMs`), closes. */
  drain(graceMs: number): Promise<void>;
}

/** What trying remembers: of several processes together where there are some. */
function tryingOf({ clock, peers }: AppPorts, signals: LiveSignals): Trying {
  if (!peers) return createTrying(signals, clock);
  const trying = createTrying(signals, clock, { processes: peers.count, tell: peers.tellHealth });
  peers.onHealth((fact) => trying.health.learn(fact));
  return { ...trying, slots: peers.slots };
}

function exchangePorts(ports: AppPorts): ExchangePorts {
  const signals = createLiveSignals();
  return {
    clock: ports.clock,
    send: ports.send,
    newId: (prefix) => prefix + ulid(ports.clock.now()).toLowerCase(),
    post: postForm(ports.send),
    codecs: providerCodecs,
    seals: ports.seals,
    signals,
    trying: tryingOf(ports, signals),
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

/** Whatever a client sends, it has come whole by then. Long before, `watchBodies` cuts what does not go on. */
const REQUEST_MS = 24 * 3_600_000;

/** What waits to be sent to a client before whoever writes is asked to wait: the system holds much more besides. */
const UNSENT_BYTES = 16 * 1024;

/** How long one who sent something unreadable may take to read that. */
const UNREADABLE_MS = 2000;

/** What is wrong with bytes that are no request, by node:http's word for it. */
const UNREADABLE: Readonly<Record<string, readonly [number, string, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'The request headers are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not come whole in time'],
};

/** The answer to bytes that are no request: nothing is known of the dialect of who sent them. */
function answerUnreadable(code: string | undefined): string {
  const [status, reason, message] = UNREADABLE[code ?? ''] ?? [400, 'Bad Request', 'The request is not valid HTTP'];
  const body = JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code: 'invalid_http' } });
  const head = `HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
  return `${head}\r\n\r\n${body}`;
}

/** Health: alive as long as it answers; ready until it drains. */
function answerHealth(url: string | undefined, draining: boolean): { status: number; text: string } | undefined {
  if (url === '/livez') return { status: 200, text: 'ok\n' };
  if (url === '/readyz') return draining ? { status: 503, text: 'draining\n' } : { status: 200, text: 'ok\n' };
  return undefined;
}

/** A client's connection, with the answers that are under way on it (several where it pipelines), the first one first. */
interface Connection {
  readonly open: ServerResponse[];
  /** WebSockets are counted, too. */
  upgraded: boolean;
}

const isIdle = ({ open, upgraded }: Connection): boolean => open.length === 0 && !upgraded;

/**
 * Who is connected, and what runs. A set of the answers under way would be simpler, but a set that much is added to and
 * taken from keeps what it held alive until the next large collection: a third of all memory that calls use.
 */
function createConnections() {
  const sockets = new Map<Socket, Connection>();
  let active = 0;
  let whenEmpty = (): void => undefined;
  const connected = (socket: Socket): Connection => {
    const known = sockets.get(socket);
    if (known) return known;
    const connection: Connection = { open: [], upgraded: false };
    sockets.set(socket, connection);
    socket.on('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0) whenEmpty();
    });
    return connection;
  };
  return {
    sockets,
    connected,
    /** The requests under way, those whose bodies are still to come among them. */
    *requests(): Generator<IncomingMessage> {
      for (const { open } of sockets.values()) for (const { req } of open) yield req;
    },
    get active() {
      return active;
    },
    /** Calls when there are none, at once where that is so. */
    onEmpty(call: () => void): void {
      if (sockets.size === 0) call();
      else whenEmpty = call;
    },
    /** An answer is under way; `onIdle` comes when it has ended and nothing else is under way on its connection. */
    began(socket: Socket, response: ServerResponse, onIdle: (socket: Socket) => void): void {
      const connection = connected(socket);
      connection.open.push(response);
      active++;
      response.on('close', () => {
        active--;
        connection.open.splice(connection.open.indexOf(response), 1);
        if (isIdle(connection)) onIdle(socket);
      });
    },
  };
}

/** Puts the server together. It does not listen yet. */
export function createApp(config: Config, ports: AppPorts): App {
  let lists = ports.modelLists?.read();
  let snapshot = compileSnapshot(config, 1, lists);
  let draining = false;
  const connections = createConnections();
  const { sockets } = connections;
  const onIdle = (socket: Socket): void => {
    if (draining) socket.end();
  };
  const keepAlives = createKeepAlives(
    () => ports.clock.monotonic(),
    () => snapshot.config.server.keepAlive?.delay,
  );
  const exchange = exchangePorts(ports);
  const checks = checksOf(ports, exchange);
  const apply = (next: KeptLists): void => {
    lists = next;
    snapshot = withLists(snapshot, next, snapshot.revision + 1);
  };
  const keeper = listKeeperOf(ports, exchange, () => snapshot, apply);
  const state = ports.state(() => gateway);
  const tasks = tasksOf(ports, exchange, () => snapshot);
  const idempotency = createIdempotency(ports.idempotency);
  // With its first call: a server for chat starts without the wires of all other abilities.
  const media = lazily(async () => (await import('./http/gateway/media/index.ts')).createMediaService(() => gateway));
  const limitsOf = partOfLimits(ports.peers?.count ?? 1);
  const overload = createOverload(() => limitsOf(snapshot.config.limits), ports.onShedding);
  const gateway: GatewayPorts = {
    ...exchange,
    overload,
    clients: clientCodecs,
    ...(ports.spoolFolder === undefined ? {} : { spoolFolder: ports.spoolFolder }),
    snapshot: () => snapshot,
    tasks,
    idempotency,
    answers: {
      store: createAnswerMemory(
        () => ports.clock.now(),
        () => snapshot.config.limits.cacheBytes,
        ports.peers,
      ),
      flights: new Map(),
    },
    services: {
      models: createModelsService(createModelLists(exchange, ports.sandboxModels, (provider, said) => keeper?.learn(provider, said))),
      media: async (visit, operation, request) => (await media())(visit, operation, request),
      countTokens: createCountTokensService(exchange, ports.counter, state.expand),
      ...state,
    },
    track: (sink, text, headers) => keepAlives.add(sink, text, headers),
  };
  const server = createServer(
    {
      // Clients that offer another protocol (Java's: h2c) are answered in this one.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
      keepAliveTimeout: 75_000,
      headersTimeout: 30_000,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: 5000,
      maxHeaderSize: 64 * 1024,
      noDelay: true,
      highWaterMark: UNSENT_BYTES,
    },
    (request, response) => {
      const health = answerHealth(request.url, draining);
      if (health) {
        response.writeHead(health.status, { 'content-type': 'text/plain' }).end(health.text);
        return;
      }
      connections.began(request.socket, response, onIdle);
      if (draining) response.setHeader('connection', 'close');
      handleGateway(request, response, gateway);
    },
  );
  const webSockets = createWebSockets(gateway, state.turns);
  server.on('upgrade', (request, socket: Socket, head) => {
    // Counted like a request: closed politely when the server drains.
    connections.connected(socket).upgraded = true;
    webSockets.upgrade(request, socket, head);
  });
  server.on('connection', connections.connected);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // An answer that has begun must not have another in its middle.
    const hasBegun = sockets.get(socket as Socket)?.open[0]?.headersSent === true;
    if (!socket.writable || hasBegun) {
      socket.destroy();
      return;
    }
    socket.end(answerUnreadable(error.code));
    setTimeout(() => socket.destroy(), UNREADABLE_MS).unref();
  });
  const bodies = watchBodies(connections.requests, ports.clock.monotonic, ({ socket }) => {
    server.emit('clientError', Object.assign(new Error('the body does not go on'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
  });
  server.on('close', bodies.stop);

  const prepare = (next: Config): (() => void) => {
    const made = compileSnapshot(next, snapshot.revision + 1);
    return () => {
      snapshot = lists ? withLists(made, lists, snapshot.revision + 1) : made;
      checks.follow(snapshot);
    };
  };

  return {
    server,
    snapshot: () => snapshot,
    wake() {
      tasks.wake();
      checks.follow(snapshot);
      keeper?.start();
      // Here already when it is first asked for.
      media().catch((error: unknown) => ports.onDefect(error, 'media'));
    },
    active: () => connections.active,
    attend() {
      // What watches over slow heads begins with it.
      server.emit('listening');
      return Promise.resolve(0);
    },
    accept: (socket) => void server.emit('connection', socket),
    connections: () => sockets.size,
    reload: (next) => prepare(next)(),
    prepare,
    drain(graceMs) {
      draining = true;
      checks.stop();
      keeper?.stop();
      webSockets.drain();
      // Sockets without a request are closed at once: `server.close` would wait for them.
      for (const [socket, connection] of sockets) if (isIdle(connection)) socket.destroy();
      return new Promise((resolve) => {
        const force = setTimeout(() => {
          for (const socket of sockets.keys()) socket.destroy();
          state.stop();
          idempotency.stop();
          void tasks.stop();
        }, graceMs);
        const closed = async (): Promise<void> => {
          await state.idle();
          await idempotency.idle();
          await tasks.idle();
          await tasks.stop();
          // Not before: streams that are silent while the server drains are kept alive as well.
          keepAlives.stop();
          overload.stop();
          clearTimeout(force);
          resolve();
        };
        if (server.listening) server.close(closed);
        else connections.onEmpty(() => server.close(closed));
      });
    },
  };
}
