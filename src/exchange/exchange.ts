import { type ChatRequest, type Fault, GatewayError, gatewayFault, type ProtocolId } from '../ir/index.ts';
import { type Candidate, decide, type Decision } from '../policy/decide.ts';
import type { ProviderCodec } from '../protocols/protocol.ts';
import { attempt, type AttemptPorts, type Outgoing } from './attempt.ts';
import type { AttemptEnd, Call, Decoded, Target } from './call.ts';
import type { ClientSink } from './client-sink.ts';
import { inlineMedia, needsInlining } from './inline-media.ts';
import { callHeaders } from './out-headers.ts';
import type { CallRecord, MediaFetcher, SealStore } from './ports.ts';
import { bareCallIds, createSealKeeper, restoreSeals } from './seal-keeper.ts';
import { decodeCall, holdsForeignSeal, writeRaw, writeTranslated } from './write-request.ts';

/** What the exchange needs of the world. */
export interface ExchangePorts extends AttemptPorts {
  readonly codecs: ReadonlyMap<ProtocolId, ProviderCodec>;
  readonly seals: SealStore;
  readonly media: MediaFetcher;
  readonly record: (record: CallRecord) => void;
  /** A defect of ours: told to the operator, never to the client. */
  readonly onDefect: (error: unknown, callId: string) => void;
}

/** A call's place in the record while it runs. */
interface Progress {
  attempts: number;
  target?: Target;
  end: AttemptEnd;
  status: number;
  notes?: Outgoing['notes'];
}

function targetOf(call: Call, candidate: Candidate, ports: ExchangePorts): Target {
  const provider = call.snapshot.providers.get(candidate.provider);
  const { protocol } = candidate;
  const wire = protocol && provider?.wires.get(protocol);
  const codec = protocol && ports.codecs.get(protocol);
  if (!provider || !protocol || !wire || !codec) throw new Error(`candidate ${candidate.provider} has no wire`);
  const lane = protocol === call.client.id && !holdsForeignSeal(call.body) && (call.prepared?.raw ?? true) ? 'raw' : 'translated';
  return { candidate, provider, wire, codec, model: candidate.model, protocol, lane };
}

/** The call read into the shared language with kept seals put back and remote media brought along. */
async function readied(call: Call, target: Target, decoded: Decoded, ports: ExchangePorts, signal: AbortSignal): Promise<ChatRequest> {
  let { request } = decoded;
  const bare = bareCallIds(request);
  if (bare.length > 0) request = restoreSeals(request, await ports.seals.get(call.key.id, bare));
  const facts = target.wire.factsOf(target.model);
  return needsInlining(request, facts) ? inlineMedia(request, facts, ports.media, signal) : request;
}

async function prepare(call: Call, target: Target, ports: ExchangePorts, signal: AbortSignal): Promise<Outgoing> {
  if (target.lane === 'raw') return writeRaw(call, target);
  const decoded = decodeCall(call);
  const request = await readied(call, target, decoded, ports, signal);
  const keeper = createSealKeeper(target.provider.maker);
  return writeTranslated(call, target, decoded, request, (event) => {
    keeper.event(event);
    if (event.type === 'reply-end' && keeper.kept.size > 0) ports.seals.put(call.key.id, keeper.kept);
  });
}

/** Tries the chosen target. */
async function answer(call: Call, sink: ClientSink, decision: Decision, progress: Progress, ports: ExchangePorts): Promise<AttemptEnd> {
  if (decision.refusal) {
    const { kind, message, param } = decision.refusal;
    throw new GatewayError(
      gatewayFault(kind, message, { ...(param ? { param } : {}), code: kind === 'not_found' ? 'model_not_found' : `${kind}_error` }),
    );
  }
  const chosen = decision.candidates.find((one) => one.verdict === 'chosen');
  if (!chosen) throw new Error('a decision without a choice or a refusal');
  const target = targetOf(call, chosen, ports);
  progress.target = target;
  const gone = new AbortController();
  sink.onGone(() => gone.abort());
  const outgoing = await prepare(call, target, ports, gone.signal);
  if (decision.ambiguous) outgoing.notes.add('model', 'approximated', `several providers know it: ${decision.ambiguous.join(', ')}`);
  progress.notes = outgoing.notes;
  progress.attempts++;
  if (sink.closed) return { endedBy: 'client' };
  return attempt(call, target, sink, outgoing, progress.attempts, ports);
}

/** Writes a fault in the caller's own envelope, or the upstream's own error where the protocols are the same. */
export function respondFault(call: Pick<Call, 'client' | 'id' | 'label'>, sink: ClientSink, fault: Fault, end?: AttemptEnd): number {
  if (sink.begun || sink.closed) return fault.status;
  const headers = callHeaders(call as Call);
  if (fault.retryAfterMs !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(fault.retryAfterMs / 1000)));
  if (end?.errorBody) {
    sink.begin(
      end.errorBody.status,
      { ...end.errorBody.headers, ...headers, 'content-type': end.errorBody.contentType },
      end.errorBody.body.length,
    );
    sink.end(end.errorBody.body);
    return end.errorBody.status;
  }
  const { status, body } = call.client.encodeFault(fault, call.id);
  const bytes = Buffer.from(JSON.stringify(body));
  sink.begin(status, { ...headers, 'content-type': 'application/json' }, bytes.length);
  sink.end(bytes);
  return status;
}

function faultOf(error: unknown, call: Call, ports: ExchangePorts): Fault {
  if (error instanceof GatewayError) return error.fault;
  ports.onDefect(error, call.id);
  return gatewayFault('internal', 'The gateway failed on this request. Its log has the details under the request id');
}

function recordOf(call: Call, progress: Progress, ports: ExchangePorts): CallRecord {
  const { end, target } = progress;
  const usage = end.usage;
  return {
    id: call.id,
    at: call.at,
    key: call.key.name,
    protocol: call.client.id,
    operation: call.operation,
    asked: call.model,
    status: progress.status,
    attempts: progress.attempts,
    durationMs: ports.clock.monotonic() - call.started,
    endedBy: end.endedBy,
    ...(target ? { provider: target.provider.name, model: target.model, upstream: target.protocol, lane: target.lane } : {}),
    ...(end.firstTokenAt === undefined ? {} : { firstTokenMs: end.firstTokenAt - call.started }),
    ...(usage ? { input: usage.input, output: usage.output } : {}),
    ...(usage?.cacheRead === undefined ? {} : { cacheRead: usage.cacheRead }),
    ...(usage?.cacheWrite === undefined ? {} : { cacheWrite: usage.cacheWrite }),
    ...(usage?.reasoning === undefined ? {} : { reasoning: usage.reasoning }),
    ...(end.stop ? { stop: end.stop.reason } : {}),
    ...(end.fault ? { fault: end.fault.code ?? end.fault.kind } : {}),
    ...(progress.notes && progress.notes.list.length > 0
      ? { notes: progress.notes.list.map((note) => `${note.field};${note.what}`).join(', ') }
      : {}),
  };
}

/** Runs one call to its end: decide, prepare, attempt, answer, settle. Resolves when everything was said; never rejects. */
export async function runExchange(call: Call, sink: ClientSink, ports: ExchangePorts): Promise<AttemptEnd> {
  const progress: Progress = { attempts: 0, end: { endedBy: 'gateway' }, status: 200 };
  try {
    const { platform, model, operation, key, client } = call;
    const decision = decide(call.snapshot, { model, operation, key, protocol: client.id, ...(platform === undefined ? {} : { platform }) });
    progress.end = await answer(call, sink, decision, progress, ports);
  } catch (error) {
    progress.end = { fault: faultOf(error, call, ports), endedBy: 'gateway' };
  }
  const { fault } = progress.end;
  if (fault) {
    call.prepared?.onReply?.({ fault });
    progress.status = respondFault(call, sink, fault, progress.end);
  }
  ports.record(recordOf(call, progress, ports));
  return progress.end;
}
