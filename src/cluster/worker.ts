import type { Socket } from 'node:net';
import type { Running } from '../cli/ports.ts';
import type { Config } from '../config/config.ts';
import type { Place } from '../http/listeners.ts';
import { createLink, type Handlers, type Link } from './link.ts';
import type { Message, OfPrimary, OfWorker, StartOrder } from './messages.ts';
import { createPeers, type PeerHandlers, type Peers } from './peers.ts';

/** A server, as a worker runs it. */
export interface WorkerServer extends Pick<Running, 'stop'> {
  /** Takes a connection. */
  accept(socket: Socket): void;
  /** Connections that it has. */
  readonly connections: () => number;
  /** Asks so many of them, of those that ask anything next, to come again. */
  thin(many: number): void;
  /** Listens to a port that the primary has and shares. */
  listen(place: Place): Promise<void>;
  /** Makes ready what a configuration needs, or throws; what it returns puts it in force. */
  prepare(config: Config): () => void;
}

/** The process, as far as a worker needs it: its pipe to the primary. */
export interface WorkerProcess {
  readonly send: (message: Message, onSent: (error: Error | null) => void) => void;
  readonly onMessage: (receive: (message: Message, socket: Socket | undefined) => void) => void;
  /** Ends the process. */
  readonly exit: () => void;
}

/** How often the primary hears what connections there are. */
const TELL_MS = 100;

const notYet = (): never => {
  throw new Error('the server has not started');
};

/** What the pieces below share. */
interface Working {
  server: WorkerServer | undefined;
  /** A configuration that is ready to be put in force. */
  prepared: { readonly revision: number; readonly commit: () => void } | undefined;
  /** What answers for the peers, from the start on. */
  peers: PeerHandlers | undefined;
  /** Connections that it was given, and what the primary was told of them last. */
  taken: number;
  told: string;
}

const serverOf = ({ server }: Working): WorkerServer => server ?? notYet();
const peersOf = ({ peers }: Working): PeerHandlers => peers ?? notYet();

/** Tells the primary what connections there are; nothing new, nothing said. */
function tellTaken(working: Working, link: Link<OfPrimary>): void {
  const now = { open: working.server?.connections() ?? 0, taken: working.taken };
  const said = `${now.open} ${now.taken}`;
  if (said === working.told) return;
  working.told = said;
  link.tell('taken', now);
}

function handlersOf(working: Working, start: (order: StartOrder) => Promise<void>, exit: () => void): Handlers<OfWorker> {
  return {
    async start(order) {
      await start(order);
      return undefined;
    },
    prepare({ revision, config }) {
      working.prepared = { revision, commit: serverOf(working).prepare(config) };
      return undefined;
    },
    commit(revision) {
      const { prepared } = working;
      if (prepared?.revision === revision) prepared.commit();
      working.prepared = undefined;
      return undefined;
    },
    async stop() {
      await working.server?.stop();
      exit();
      return undefined;
    },
    async listen(place) {
      await serverOf(working).listen(place);
      return undefined;
    },
    thin(many) {
      working.server?.thin(many);
      return undefined;
    },
    lead: (leads) => peersOf(working).lead(leads),
    flush: (store) => peersOf(working).flush(store),
    health: (fact) => peersOf(working).health(fact),
    placed: (said) => peersOf(working).placed(said),
    full: (said) => peersOf(working).full(said),
    minute: (news) => peersOf(working).minute(news),
    question: (question) => peersOf(working).question(question),
  };
}

/** Serves the primary: starts the server when it is told to, takes configurations over, and ends. */
export function runWorker(process: WorkerProcess, serve: (order: StartOrder, peers: Peers) => Promise<WorkerServer>): void {
  const working: Working = { server: undefined, prepared: undefined, peers: undefined, taken: 0, told: '' };
  const start = async (order: StartOrder): Promise<void> => {
    const { peers, handlers } = createPeers(order.number, order.count, link);
    working.peers = handlers;
    working.server = await serve(order, peers);
    setInterval(tellTaken, TELL_MS, working, link).unref();
  };
  const link: Link<OfPrimary> = createLink<OfPrimary, OfWorker>({
    send: process.send,
    handlers: handlersOf(working, start, process.exit),
  });
  process.onMessage((message, socket) => {
    if (message.kind !== 'connection') return link.receive(message);
    working.taken += 1;
    // It may have gone on its way here.
    if (socket) working.server?.accept(socket);
  });
}
