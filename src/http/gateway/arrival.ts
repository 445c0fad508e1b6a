import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ClientSink, OutHeaders } from '../../exchange/client-sink.ts';
import { respondFault } from '../../exchange/exchange.ts';
import { type Fault, GatewayError, gatewayFault } from '../../ir/index.ts';
import type { ClientKey } from '../../policy/snapshot.ts';
import type { ClientCodec } from '../../protocols/protocol.ts';
import { ulid } from '../new-id.ts';
import { createResponseSink } from '../response-sink.ts';
import { corsHeaders } from './cors.ts';
import { dialectOf } from './dialect-of.ts';
import { type Dialect, type Operation, operationOf } from './endpoints.ts';
import { envelopeFor } from './media/shape-envelopes.ts';
import { noteRefusal } from './note-refusal.ts';
import { type ParsedPath, parsePath } from './paths.ts';
import { letGo } from './read-body.ts';
import { labelOf } from './read-call.ts';
import type { GatewayPorts, Visit } from './visit.ts';

/** A request that has come in: what its head says before it is known who sends it, and what answers it. */
export interface Arrival extends Pick<Visit, 'at' | 'started' | 'method' | 'headers' | 'snapshot'> {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly ports: GatewayPorts;
  /** `undefined`: it cannot be read. */
  readonly path: ParsedPath | undefined;
  readonly operation: Operation;
  /** What every answer is written with. */
  readonly who: Pick<Visit, 'id' | 'label' | 'client'>;
  readonly cors: OutHeaders;
  /** Who sends it, once that is known. */
  key: ClientKey | undefined;
  /** Made by `sinkOf`. */
  sink: ClientSink | undefined;
}

function clientFor(ports: GatewayPorts, dialect: Dialect): ClientCodec {
  const client = ports.clients.get(dialect.protocol);
  if (!client) throw new Error(`no client codec for ${dialect.protocol}`);
  return envelopeFor(dialect, client);
}

/** The id of a request that came then. */
export const newRequestId = (at: number): string => `req_${ulid(at)}`;

/** Reads the head of a request. */
export function arrivalOf(request: IncomingMessage, response: ServerResponse, ports: GatewayPorts): Arrival {
  const started = ports.clock.monotonic();
  const at = ports.clock.now();
  const snapshot = ports.snapshot();
  const { headers, method = 'GET' } = request;
  const target = request.url ?? '/';
  const path = parsePath(target);
  const operation: Operation = path ? operationOf(method, path) : { kind: 'unknown' };
  const client = clientFor(ports, dialectOf(operation, path, target, headers));
  const label = labelOf(headers);
  const who = { id: newRequestId(at), client, ...(label === undefined ? {} : { label }) };
  const cors = corsHeaders(headers, snapshot.config.server.cors);
  return { request, response, ports, started, at, method, headers, snapshot, path, operation, who, cors, key: undefined, sink: undefined };
}

/** What the answer goes to: made when it is first asked for, so not for those that are refused by the thousand. */
export const sinkOf = (arrival: Arrival): ClientSink =>
  (arrival.sink ??= createResponseSink(arrival.request, arrival.response, arrival.cors));

/** Answers with a fault, before anything else was answered; recorded where it is known who asked. */
export function refuse(arrival: Arrival, fault: Fault, more?: OutHeaders): void {
  const { request, ports, who, at, started, method, snapshot, operation, key } = arrival;
  const status = respondFault(who, sinkOf(arrival), fault, undefined, more);
  if (key) noteRefusal({ ...who, at, started, method, key, snapshot }, operation, status, fault, ports);
  letGo(request);
}

/** Ends a request on which the gateway threw: by its refusal, or as one of our own defects, which is told to the operator. */
export function fail(arrival: Arrival, error: unknown): void {
  if (error instanceof GatewayError) return refuse(arrival, error.fault);
  arrival.ports.onDefect(error, arrival.who.id);
  if (arrival.sink?.begun) arrival.sink.abort();
  else refuse(arrival, gatewayFault('internal', 'The gateway failed on this request. Its log has the details under the request id'));
}
