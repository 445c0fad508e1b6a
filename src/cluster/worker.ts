import type { Running } from '../cli/ports.ts';
import type { Config } from '../config/config.ts';
import { createLink, type Link } from './link.ts';
import type { Message, OfPrimary, OfWorker, StartOrder } from './messages.ts';
import { createPeers, type PeerHandlers, type Peers } from './peers.ts';

/** A server, as a worker runs it. */
export interface WorkerServer extends Pick<Running, 'port' | 'stop'> {
  /** Makes ready what a configuration needs, or throws; what it returns puts it in force. */
  prepare(config: Config): () => void;
}

/** The process, as far as a worker needs it: its pipe to the primary. */
export interface WorkerProcess {
  readonly send: (message: Message, onSent: (error: Error | null) => void) => void;
  readonly onMessage: (receive: (message: Message) => void) => void;
  /** Ends the process. */
  readonly exit: () => void;
}

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
        return server.port;
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
      lead: (leads) => ours().lead(leads),
      flush: (store) => ours().flush(store),
      health: (fact) => ours().health(fact),
      placed: (said) => ours().placed(said),
      full: (said) => ours().full(said),
      question: (question) => ours().question(question),
    },
  });
  process.onMessage((message) => link.receive(message));
}
