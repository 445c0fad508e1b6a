import type { IncomingHttpHeaders } from 'node:http';
import type { ChatRequest, Emit, Fault, JsonObject, Notes, ProtocolId, Stop, Usage } from '../ir/index.ts';
import type { Candidate, RouteRequest } from '../policy/decide.ts';
import type { ClientKey, Snapshot } from '../policy/snapshot.ts';
import type { Provider, ProviderWire, Timeouts } from '../presets/preset.ts';
import type { ClientCodec, ProviderCodec } from '../protocols/protocol.ts';
import type { TopLevel } from '../wire/top-level-scan.ts';
import type { ClientSink, OutHeaders } from './client-sink.ts';

/** One client call that was received, authenticated and looked at, but not yet read through. */
export interface Call {
  /** `req_` and a ULID: keys the journal and the records. */
  readonly id: string;
  /** The client's own `x-request-id`. */
  readonly label?: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Monotonic milliseconds. */
  readonly started: number;
  readonly key: ClientKey;
  readonly client: ClientCodec;
  readonly operation: 'generate' | 'embed';
  readonly platform?: string;
  readonly model: string;
  readonly stream: boolean;
  /** How a stream is written: server-sent events, or Gemini's JSON array. */
  readonly form: StreamForm;
  readonly strict: boolean;
  readonly body: Buffer;
  readonly scan: TopLevel;
  readonly headers: IncomingHttpHeaders;
  readonly snapshot: Snapshot;
  /** Where the client's connection comes from. */
  readonly address?: string;
  /** What the body said of where to go. */
  readonly routing?: Routing;
  /** Path below the wire's base when a body is relayed as it is (embeddings). */
  readonly relayPath?: string;
  /** Set where the gateway keeps state or changed the body (Responses, threads): the body to use instead. */
  readonly prepared?: Prepared;
  /** Its route keeps answers: what became of that. */
  readonly cached?: Cached;
  /** It is a part of one that a client waits for. */
  readonly within?: Within;
  /** Hears the events of the reply, for each try apart; `sink` is the try's own. */
  readonly overhears?: (sink: ClientSink, target: Target) => Emit;
}

/** The time of calls that are parts of one: the first of them sets it. */
export interface Within {
  /** Monotonic milliseconds at which all of them must have ended. */
  endsAt?: number;
}

/** `hit`: answered with what another call was told, `ageS` seconds ago; `miss`: nothing was kept; `bypass`: nothing was looked for. */
export interface Cached {
  readonly how: 'hit' | 'miss' | 'bypass';
  readonly ageS?: number;
}

/** What a body says of where to go; taken out of it, since most providers do not know it. */
export interface Routing {
  readonly asks: Pick<RouteRequest, 'models' | 'prefers'>;
  /** `provider` as it was sent, for those that know it. */
  readonly provider?: JsonObject;
  /** Members that nothing here follows. */
  readonly ignored: readonly string[];
}

/** How a stream goes to the client: SSE, one JSON array, or frames of a WebSocket. */
export type StreamForm = 'sse' | 'json-array';

/** A body that the gateway has changed before translation. */
export interface Prepared {
  readonly body: JsonObject;
  /** The id that the reply must carry. */
  readonly replyId?: string;
  /** Relay the changed body on the raw lane where the protocols match. */
  readonly raw: boolean;
  /** Last changes where it goes to a provider of the client's own protocol as it is (raw lane). */
  readonly onRaw?: (body: JsonObject, target: Target) => JsonObject;
}

/** Where an attempt goes. */
export interface Target {
  readonly candidate: Candidate;
  readonly provider: Provider;
  readonly wire: ProviderWire;
  readonly codec: ProviderCodec;
  readonly model: string;
  readonly protocol: ProtocolId;
  readonly lane: 'raw' | 'translated';
  /** The provider's, and the route's over them. */
  readonly timeouts: Timeouts;
}

/** How an attempt ended. */
export interface AttemptEnd {
  /** Present when it failed. Nothing was sent to the client unless the sink has begun. */
  readonly fault?: Fault;
  /** The upstream's own error answer, for a client of the same protocol. */
  readonly errorBody?: {
    readonly status: number;
    readonly contentType: string;
    readonly body: Buffer;
  };
  /** Headers of the upstream's error answer that the client may see. */
  readonly headers?: OutHeaders;
  readonly usage?: Usage;
  /** What another try used, as far as its upstream had said, when it was given up for this quicker one. */
  readonly lost?: Usage;
  readonly stop?: Stop;
  readonly upstreamModel?: string;
  /** Monotonic milliseconds. */
  readonly firstTokenAt?: number;
  readonly endedBy: 'upstream' | 'client' | 'gateway';
}

/** A request read into the shared language, with its notes. */
export interface Decoded {
  readonly request: ChatRequest;
  readonly body: JsonObject;
  readonly notes: Notes;
}
