import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Fault, gatewayFault } from '../../ir/index.ts';
import type { Call } from '../../exchange/call.ts';
import { answerCall } from '../../exchange/once/answer-call.ts';
import type { ClientKey } from '../../policy/snapshot.ts';
import { clientAddress } from '../client-address.ts';
import { type Arrival, arrivalOf, fail, newRequestId, refuse, sinkOf } from './arrival.ts';
import { authenticate, UNAUTHENTICATED } from './authenticate.ts';
import { preflightHeaders } from './cors.ts';
import type { Operation } from './endpoints.ts';
import { chatAudio } from './media/chat-audio.ts';
import { geminiSpeech } from './media/speech-gemini.ts';
import type { ParsedPath } from './paths.ts';
import { fingerprintOf, onlyOnce } from './idempotency.ts';
import { keptEndpoint } from './media/media-links.ts';
import { letGo, readBody } from './read-body.ts';
import { checkedModel, checkNestedModel, flagOf, isStrict, labelOf, modelOf, scanBody, type ScannedBody } from './read-call.ts';
import { readRouting } from './read-routing.ts';
import { NO_ROOM, refuseBusy } from './refuse-busy.ts';
import { whileAlive } from './stay-alive.ts';
import { type GatewayPorts, respondJson, type Visit } from './visit.ts';

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

/** Lets a call in, or refuses it because there is too much to do: `false`. What only reads (lists, tasks, files) is let in all the same. */
function letIn({ request, response, method, headers, snapshot, who, cors, ports }: Arrival, key: ClientKey): boolean {
  if (method !== 'POST') return true;
  const place = ports.overload.enter(key.id, Math.min(heldOf(headers), snapshot.config.limits.body));
  if (typeof place === 'function') {
    response.on('close', place);
    return true;
  }
  // Without a record: there would be thousands, when least can be written.
  refuseBusy(who, request, response, place, cors);
  return false;
}

function visitOf(arrival: Arrival, path: ParsedPath, key: ClientKey): Visit {
  const { request, who, at, started, method, headers, snapshot } = arrival;
  const address = clientAddress(request, snapshot.config.server.trustedProxies);
  return { ...who, at, started, method, path, headers, key, snapshot, sink: sinkOf(arrival), address };
}

/** Reads the request's body, and does what it asks for. */
function serve(arrival: Arrival, visit: Visit): void {
  const { request, operation, snapshot, ports } = arrival;
  const failed = (error: unknown): void => fail(arrival, error);
  if (operation.kind === 'media') return void ports.services.media(visit, operation, request).catch(failed);
  readBody(request, snapshot.config.limits.body, (body) => {
    if (!Buffer.isBuffer(body)) return refuse(arrival, body);
    try {
      perform(visit, operation, body, ports)?.catch(failed);
    } catch (error) {
      failed(error);
    }
  });
}

/** What a signed link names: no key is asked for. */
function giveKept(arrival: Arrival, path: ParsedPath, id: string): void {
  const { who, method, headers, snapshot, ports } = arrival;
  const asked = { ...who, method, path, headers, snapshot, sink: sinkOf(arrival) };
  keptEndpoint(asked, id, ports).catch((error: unknown) => fail(arrival, error));
}

function greet(arrival: Arrival): void {
  respondJson({ ...arrival.who, sink: sinkOf(arrival) }, 200, { name: 'pailou' });
  letGo(arrival.request);
}

function answerPreflight(request: IncomingMessage, response: ServerResponse, ports: GatewayPorts): void {
  const { headers } = request;
  const id = labelOf(headers) ?? newRequestId(ports.clock.now());
  response.writeHead(204, { ...preflightHeaders(headers, ports.snapshot().config.server.cors), 'x-request-id': id }).end();
  letGo(request);
}

/** Every request of a client comes in here. Never throws, never leaves a request without an answer. `isBeyond`: there is no room for its connection. */
export function handleGateway(request: IncomingMessage, response: ServerResponse, ports: GatewayPorts, isBeyond = false): void {
  if (request.method === 'OPTIONS') return answerPreflight(request, response, ports);
  const arrival = arrivalOf(request, response, ports);
  const { operation, path } = arrival;
  if (isBeyond) return refuseBusy(arrival.who, request, response, NO_ROOM, arrival.cors);
  if (operation.kind === 'hello') return greet(arrival);
  if (!path) return refuse(arrival, gatewayFault('not_found', 'The path cannot be read', { code: 'unknown_path' }));
  if (operation.kind === 'kept') return giveKept(arrival, path, operation.id);
  const key = authenticate(arrival.snapshot, arrival.headers, path.query);
  if (typeof key === 'string') return refuse(arrival, gatewayFault('authentication', UNAUTHENTICATED[key], { code: 'invalid_api_key' }));
  arrival.key = key;
  const refusal = refusalOf(operation);
  if (refusal) return refuse(arrival, refusal, operation.kind === 'method' ? { allow: operation.allow } : {});
  if (letIn(arrival, key)) serve(arrival, visitOf(arrival, path, key));
}
