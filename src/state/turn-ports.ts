import type { ClientSink, OutHeaders } from '../exchange/client-sink.ts';
import type { OncePorts } from '../exchange/once/sharing.ts';
import type { Sealer, StateStore } from './ports.ts';

/** What turns of the Responses API stand on. */
export interface TurnPorts {
  readonly exchange: OncePorts;
  readonly store: StateStore;
  readonly sealer: () => Promise<Sealer>;
  /** Keeps a silent stream alive with this text. */
  readonly track: (sink: ClientSink, keepAlive: string, headers: OutHeaders) => void;
  /** Conversations in which a response is being made. */
  readonly locks: Set<string>;
}
