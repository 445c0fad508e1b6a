import type { ClientSink, OutHeaders } from '../exchange/client-sink.ts';
import type { OncePorts } from '../exchange/once/sharing.ts';
import type { Peers } from '../cluster/peers.ts';
import type { Locks, Sealer, StateStore } from './ports.ts';

/** What turns of the Responses API stand on. */
export interface TurnPorts {
  readonly exchange: OncePorts;
  readonly store: StateStore;
  readonly sealer: () => Promise<Sealer>;
  /** Keeps a silent stream alive with this text. */
  readonly track: (sink: ClientSink, keepAlive: string, headers: OutHeaders) => void;
  /** Of conversations in which a response is being made, and of messages from which a thread is continued. */
  readonly locks: Locks;
  /** Other processes in which responses may be being made; absent: none. */
  readonly peers?: Pick<Peers, 'ask' | 'answer'>;
}
