import type { IncomingMessage } from 'node:http';
import type { Call } from '../../exchange/call.ts';
import type { ClientSink, OutHeaders } from '../../exchange/client-sink.ts';
import type { OncePorts } from '../../exchange/once/sharing.ts';
import { callHeaders } from '../../exchange/out-headers.ts';
import type { JsonObject, ProtocolId } from '../../ir/index.ts';
import type { ClientKey, Snapshot } from '../../policy/snapshot.ts';
import type { ClientCodec } from '../../protocols/protocol.ts';
import type { Tasks } from '../../tasks/ports.ts';
import type { Overload } from '../overload.ts';
import type { MediaOperation, Operation } from './endpoints.ts';
import type { Idempotency } from './idempotency.ts';
import type { ParsedPath } from './paths.ts';
import type { ScannedBody } from './read-call.ts';

/** A request that was recognised and whose caller is known. */
export interface Visit {
  readonly id: string;
  readonly label?: string;
  readonly at: number;
  readonly started: number;
  readonly method: string;
  readonly path: ParsedPath;
  readonly headers: IncomingMessage['headers'];
  readonly key: ClientKey;
  readonly client: ClientCodec;
  readonly snapshot: Snapshot;
  readonly sink: ClientSink;
  /** Where the connection comes from. */
  readonly address?: string | undefined;
}

/** What endpoints that are more than one exchange are made of; each answers through the visit's sink and never rejects but by a defect. */
export interface Services {
  readonly models: (visit: Visit, id: string | undefined) => Promise<void>;
  readonly countTokens: (visit: Visit, operation: Extract<Operation, { kind: 'count-tokens' }>, body: ScannedBody) => Promise<void>;
  /** Abilities besides chat. It reads the request's body itself: files pass without being held. */
  readonly media: (visit: Visit, operation: MediaOperation, request: IncomingMessage) => Promise<void>;
  readonly state: (visit: Visit, operation: Extract<Operation, { kind: 'state' }>, body: Buffer) => Promise<void>;
  /** Calls whose body names state that the gateway keeps (Responses, threads). `undefined`: nothing kept, run it as it is. */
  readonly stateful: (visit: Visit, call: Call) => Promise<void> | undefined;
  /** A body to be counted, with the conversation that it continues. */
  readonly expand: (visit: Visit, body: JsonObject) => Promise<JsonObject>;
}

/** What the edge needs of the world. */
export interface GatewayPorts extends OncePorts {
  readonly clients: ReadonlyMap<ProtocolId, ClientCodec>;
  readonly snapshot: () => Snapshot;
  readonly services: Services;
  /** Where uploads are kept that cannot be sent on at once; absent: the system's own folder for such files. */
  readonly spoolFolder?: string;
  /** Work that outlives its call. */
  readonly tasks: Tasks;
  readonly idempotency: Idempotency;
  /** Who is let in while there is much to do. */
  readonly overload: Overload;
  /** An answer is awaited: what it is kept alive with while it is silent (`isBefore`: until it begins), and the headers under which that begins it. */
  readonly track: (sink: ClientSink, keepAlive: string, headers: OutHeaders, isBefore?: boolean) => void;
}

/** Answers with a JSON body of ours. */
export function respondJson(
  visit: Pick<Visit, 'id' | 'label' | 'client' | 'sink'>,
  status: number,
  body: JsonObject,
  headers: Record<string, string> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  visit.sink.begin(status, { ...callHeaders(visit), 'content-type': 'application/json', ...headers }, bytes.length);
  visit.sink.end(bytes);
}
