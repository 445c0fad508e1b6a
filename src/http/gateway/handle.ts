import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Fault, GatewayError, gatewayFault } from '../../ir/index.ts';
import type { Call } from '../../exchange/call.ts';
import type { ClientSink, OutHeaders } from '../../exchange/client-sink.ts';
import { respondFault } from '../../exchange/exchange.ts';
import { answerCall } from '../../exchange/once/answer-call.ts';
import type { ClientKey } from '../../policy/snapshot.ts';
import type { ClientCodec } from '../../protocols/protocol.ts';
import { clientAddress } from '../client-address.ts';
import { ulid } from '../new-id.ts';
import { createResponseSink } from '../response-sink.ts';
import { authenticate, UNAUTHENTICATED } from './authenticate.ts';
import { corsHeaders, preflightHeaders } from './cors.ts';
import { dialectOf } from './dialect-of.ts';
import { type Dialect, type Operation, operationOf } from './endpoints.ts';
import { chatAudio } from './media/chat-audio.ts';
import { geminiSpeech } from './media/speech-gemini.ts';
import { parsePath } from './paths.ts';
import { fingerprintOf, onlyOnce } from './idempotency.ts';
import { keptEndpoint } from './media/media-links.ts';
import { envelopeFor } from './media/shape-envelopes.ts';
import { letGo, readBody } from './read-body.ts';
import { checkedModel, checkNestedModel, flagOf, isStrict, labelOf, modelOf, scanBody, type ScannedBody } from './read-call.ts';
import { noteRefusal } from './note-refusal.ts';
import { readRouting } from './read-routing.ts';
import { NO_ROOM, refuseBusy } from './refuse-busy.ts';
import { whileAlive } from './stay-alive.ts';
import { type GatewayPorts, respondJson, type Visit } from './visit.ts';

function clientFor(ports: GatewayPorts, dialect: Dialect): ClientCodec {
  const client = ports.clients.get(dialect.protocol);
  if (!client) throw new Error(`no client codec for ${dialect.protocol}`);
  return envelopeFor(dialect, client);
}

/** What a request for nothing that there is gets; `undefined` for the others. */
function refusalOf(operation: Operation): Fault | undefined {
  switch (operation.kind) {
    case 'not-due':
      return gatewayFault('not_found', `'${operation.what}' is not served by this version of Pailou`, { code: 'not_supported' });
    case 'method':
      return {
        ...gatewayFault('bad_request', `This path answers ${operation.allow}`, { code: 'method_not_allowed' }),
        status: 405,
      };
    case 'unknown':
      return gatewayFault('not_found', 'Unknown path. See GET /v1/models and the API documentation for what there is', {
        code: 'unknown_path',
      });
    default:
      return undefined;
  }
}

/** Builds the exchange's call from a request that generates. */
function callOf(visit: Visit, operation: Extract<Operation, { kind: 'generate' }>, received: ScannedBody): Call {
  const { scanned, routing } = readRouting(received, visit);
  const gemini = operation.protocol === 'gemini';
  const model = operation.model === undefined ? modelOf(scanned) : checkedModel(operation.model);
  if (gemini) checkNestedModel(scanned, model);
  const { id, label, at, started, key, client, headers, snapshot, path, address } = visit;
  return {
    id,
    at,
    started,
    key,
    client,
    operation: operation.kind,
    model,
    stream: operation.stream ?? flagOf(scanned, 'stream'),
    form: operation.array === true ? 'json-array' : 'sse',
    strict: isStrict(headers, key.strict),
    body: scanned.body,
    scan: scanned.scan,
    headers,
    snapshot,
    ...(label === undefined ? {} : { label }),
    ...(path.platform === undefined ? {} : { platform: path.platform }),
    ...(address === undefined ? {} : { address }),
    ...(routing ? { routing } : {}),
  };
}

function run(visit: Visit, operation: Extract<Operation, { kind: 'generate' }>, body: Buffer, ports: GatewayPorts): Promise<unknown> {
  const scanned = scanBody(body, visit.snapshot.config.limits.depth);
  const call = callOf(visit, operation, scanned);
  const work = (within: Visit): Promise<unknown> => {
    const spoken = geminiSpeech(within, call, ports) ?? chatAudio(within, call, ports);
    if (spoken instanceof Promise) return spoken;
    return ports.services.stateful(within, call) ?? answerCall(spoken ?? call, within.sink, ports);
  };
  const about = { operation: call.operation, asked: call.model };
  const fingerprint = (): string => fingerprintOf(visit, [`${call.stream} ${call.form}\n`, body]);
  return whileAlive(visit, call.stream ? call.form : 'whole', ports, () => onlyOnce(visit, ports, { fingerprint, work, about }));
}

/** What the gateway keeps for a client: made once for each `Idempotency-Key`. */
function runState(visit: Visit, operation: Extract<Operation, { kind: 'state' }>, body: Buffer, ports: GatewayPorts): Promise<unknown> {
  const work = (within: Visit): Promise<void> => ports.services.state(within, operation, body);
  if (visit.method !== 'POST') return work(visit);
  const about = { operation: operation.resource, asked: '' };
  const once = (): Promise<unknown> => onlyOnce(visit, ports, { fingerprint: () => fingerprintOf(visit, [body]), work, about });
  return operation.asksModel === true ? whileAlive(visit, 'whole', ports, once) : once();
}

/** Runs what the request asks for. */
function perform(visit: Visit, operation: Operation, body: Buffer, ports: GatewayPorts): Promise<unknown> | undefined {
  switch (operation.kind) {
    case 'generate':
      return run(visit, operation, body, ports);
    case 'count-tokens':
      return ports.services.countTokens(visit, operation, scanBody(body, visit.snapshot.config.limits.depth));
    case 'models':
      return ports.services.models(visit, operation.id);
    case 'state':
      return runState(visit, operation, body, ports);
    default:
      throw new Error(`nothing to perform for ${operation.kind}`);
  }
}

/** What a body of unknown length counts as. */
const UNKNOWN_BYTES = 1024 * 1024;

/** What of a request's body will be held in memory, by its head. Forms are not: they go on, or to the disk. */
function heldOf(headers: IncomingMessage['headers']): number {
  const { 'content-length': length, 'content-encoding': encoding, 'content-type': type } = headers;
  if (type?.startsWith('multipart/')) return 0;
  const bytes = length === undefined ? UNKNOWN_BYTES : Number(length);
  return encoding === undefined ? bytes : Math.max(bytes, UNKNOWN_BYTES);
}

/** Every request of a client comes in here. Never throws, never leaves a request without an answer. `isBeyond`: there is no room for its connection. */
export function handleGateway(request: IncomingMessage, response: ServerResponse, ports: GatewayPorts, isBeyond = false): void {
  const started = ports.clock.monotonic();
  const at = ports.clock.now();
  const snapshot = ports.snapshot();
  const { headers } = request;
  const method = request.method ?? 'GET';
  const { cors } = snapshot.config.server;
  if (method === 'OPTIONS') {
    response.writeHead(204, { ...preflightHeaders(headers, cors), 'x-request-id': labelOf(headers) ?? `req_${ulid(at)}` }).end();
    return letGo(request);
  }
  let sink: ClientSink | undefined;
  // Not for those that are refused by the thousand.
  const open = (): ClientSink => (sink ??= createResponseSink(request, response, corsHeaders(headers, cors)));
  const target = request.url ?? '/';
  const path = parsePath(target);
  const operation: Operation = path ? operationOf(method, path) : { kind: 'unknown' };
  const client = clientFor(ports, dialectOf(operation, path, target, headers));
  const id = `req_${ulid(at)}`;
  const label = labelOf(headers);
  const who = { id, client, ...(label === undefined ? {} : { label }) };
  if (isBeyond) return refuseBusy(who, request, response, NO_ROOM, corsHeaders(headers, cors));
  let key: ClientKey | undefined;
  const refuse = (fault: Fault, more?: OutHeaders): void => {
    const status = respondFault(who, open(), fault, undefined, more);
    if (key) noteRefusal({ ...who, at, started, method, key, snapshot }, operation, status, fault, ports);
    letGo(request);
  };
  const fail = (error: unknown): void => {
    if (error instanceof GatewayError) return refuse(error.fault);
    ports.onDefect(error, id);
    if (sink?.begun) sink.abort();
    else refuse(gatewayFault('internal', 'The gateway failed on this request. Its log has the details under the request id'));
  };

  if (operation.kind === 'hello') {
    respondJson({ ...who, sink: open() }, 200, { name: 'pailou' });
    return letGo(request);
  }
  if (!path) return refuse(gatewayFault('not_found', 'The path cannot be read', { code: 'unknown_path' }));
  if (operation.kind === 'kept')
    return void keptEndpoint({ ...who, method, path, headers, snapshot, sink: open() }, operation.id, ports).catch(fail);
  const caller = authenticate(snapshot, headers, path.query);
  if (typeof caller === 'string') return refuse(gatewayFault('authentication', UNAUTHENTICATED[caller], { code: 'invalid_api_key' }));
  key = caller;
  const refusal = refusalOf(operation);
  if (refusal) return refuse(refusal, operation.kind === 'method' ? { allow: operation.allow } : {});
  // What only reads (lists, tasks, files) is answered all the same.
  if (method === 'POST') {
    const place = ports.overload.enter(key.id, Math.min(heldOf(headers), snapshot.config.limits.body));
    if (typeof place !== 'function') {
      // Without a record: there would be thousands, when least can be written.
      return refuseBusy(who, request, response, place, corsHeaders(headers, cors));
    }
    response.on('close', place);
  }
  const address = clientAddress(request, snapshot.config.server.trustedProxies);
  const visit: Visit = { ...who, at, started, method, path, headers, key: caller, snapshot, sink: open(), address };
  if (operation.kind === 'media') return void ports.services.media(visit, operation, request).catch(fail);
  readBody(request, snapshot.config.limits.body, (body) => {
    if (!Buffer.isBuffer(body)) return refuse(body);
    try {
      perform(visit, operation, body, ports)?.catch(fail);
    } catch (error) {
      fail(error);
    }
  });
}
