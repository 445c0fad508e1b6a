import type { Socket } from 'node:net';
import type { Running } from '../cli/ports.ts';
import type { Config } from '../config/config.ts';
import type { Place } from '../http/listeners.ts';
import { createLink, type Link } from './link.ts';
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

/** Serves the primary: starts the server when it is told to, takes configurations over, and ends. */
export function runWorker(process: WorkerProcess, serve: (order: StartOrder, peers: Peers) => Promise<WorkerServer>): void {
  let server: WorkerServer | undefined;
  let prepared: { readonly revision: number; readonly commit: () => void } | undefined;
  let own: PeerHandlers | undefined;
  const ours = (): PeerHandlers => own ?? notYet();

  const link: Link<OfPrimary> = createLink<OfPrimary, OfWorker>({
    send: process.send,
    handlers: {
      async start(order) {
        const { peers, handlers } = createPeers(order.number, order.count, link);
        own = handlers;
        server = await serve(order, peers);
        setInterval(tellTaken, TELL_MS).unref();
        return undefined;
      },
      prepare({ revision, config }) {
        prepared = { revision, commit: (server ?? notYet()).prepare(config) };
        return undefined;
      },
      commit(revision) {
        if (prepared?.revision === revision) prepared.commit();
        prepared = undefined;
        return undefined;
      },
      async stop() {
        await server?.stop();
        process.exit();
        return undefined;
      },
      async listen(place) {
        await (server ?? notYet()).listen(place);
        return undefined;
      },
      thin(many) {
        server?.thin(many);
        return undefined;
      },
      lead: (leads) => ours().lead(leads),
      flush: (store) => ours().flush(store),
      health: (fact) => ours().health(fact),
      placed: (said) => ours().placed(said),
      full: (said) => ours().full(said),
      minute: (news) => ours().minute(news),
      question: (question) => ours().question(question),
    },
  });
  let taken = 0;
  let told = '';
  const tellTaken = (): void => {
    const now = { open: server?.connections() ?? 0, taken };
    // Nothing new, nothing said.
    if (`${now.open} ${now.taken}` === told) return;
    told = `${now.open} ${now.taken}`;
    link.tell('taken', now);
  };
  process.onMessage((message, socket) => {
    if (message.kind !== 'connection') return link.receive(message);
    taken += 1;
    // It may have gone on its way here.
    if (socket) server?.accept(socket);
  });
}
