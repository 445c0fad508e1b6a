import {
  badField,
  type ChatRequest,
  type Emit,
  type Fault,
  GatewayError,
  gatewayFault,
  type ProtocolId,
  type ReplyEvent,
  sumUsage,
} from '../ir/index.ts';
import type { Decision } from '../policy/decide.ts';
import { keepDecision, type KeptDecision } from '../policy/kept-decision.ts';
import type { LiveSignals } from '../policy/live-signals.ts';
import type { ProviderCodec } from '../protocols/protocol.ts';
import { attempt, type AttemptPorts, type Outgoing } from './attempt.ts';
import type { AttemptEnd, Call, Decoded, Target } from './call.ts';
import { CLIENT_GONE, recordHead, recordNotes, recordUsage } from './call-record.ts';
import type { ClientSink, OutHeaders } from './client-sink.ts';
import { decideCall } from './decide-call.ts';
import { inlineMedia, needsInlining } from './inline-media.ts';
import { createFrameText } from './lanes/client-stream.ts';
import type { LaneContext } from './lanes/lane.ts';
import { overheard } from './lanes/overheard.ts';
import { attemptAll, createSeveral } from './lanes/several.ts';
import { createTranslatedLane } from './lanes/translated.ts';
import { lossReader } from './loss-reader.ts';
import { measured } from './measured.ts';
import { mediaLink } from './media/media-link.ts';
import { callHeaders, servedBy } from './out-headers.ts';
import type { CallRecord, MediaFetcher, MediaStore, SealStore } from './ports.ts';
import { writeRawMinding } from './raw-thoughts.ts';
import { bareIds, createSealKeeper, restoreSeals } from './seal-keeper.ts';
import { tellingMoves } from './trying/affinity.ts';
import { readMoment } from './trying/moment.ts';
import { sessionReader } from './trying/session.ts';
import { tokensReader } from './trying/tokens.ts';
import { walk } from './trying/walk.ts';
import type { Step, Trying, Walking } from './trying/walking.ts';
import { targetOf } from './target-of.ts';
import { decodeCall, writeTranslated } from './write-request.ts';

/** What the exchange needs of the world. */
export interface ExchangePorts extends AttemptPorts {
  readonly codecs: ReadonlyMap<ProtocolId, ProviderCodec>;
  readonly seals: SealStore;
  /** What is learnt of targets while the server runs. */
  readonly signals: LiveSignals;
  /** What is remembered of tries, and what bounds them. */
  readonly trying: Trying;
  readonly media: MediaFetcher;
  /** Where files are kept that providers made, and given out from. */
  readonly mediaStore: MediaStore;
  readonly record: (record: CallRecord) => void;
  /** A defect of ours: told to the operator, never to the client. */
  readonly onDefect: (error: unknown, callId: string) => void;
}

/** A call's place in the record while it runs. */
interface Progress {
  /** Tries that were sent. */
  attempts: number;
  /** Of each try where it went; by its number, from 1. */
  readonly tries: OneTry[];
  /** What its conversation is told by. */
  session: () => string | undefined;
  /** Tokens that it is expected to take. */
  tokens: () => number;
  /** The one whose end is the call's. */
  last?: OneTry | undefined;
  end: AttemptEnd;
  status: number;
  route?: KeptDecision;
  /** Tries whose end was not the call's, and what became of them. */
  readonly failed: string[];
}

/** A try, for the record. */
interface OneTry {
  readonly target: Target;
  /** What was lost on the way; there once its request is written. */
  notes?: Outgoing['notes'];
}

/** Answers that are emulated as parallel calls at most. */
const MAX_EMULATED = 8;

/** The call read into the shared language with kept seals put back and remote media brought along. */
async function readied(call: Call, target: Target, decoded: Decoded, ports: ExchangePorts, sink: ClientSink): Promise<ChatRequest> {
  let { request } = decoded;
  const bare = bareIds(request);
  if (bare.length > 0) request = restoreSeals(request, await ports.seals.get(call.key.id, bare));
  const facts = target.wire.factsOf(target.model);
  if (!needsInlining(request, facts)) return request;
  const gone = new AbortController();
  sink.onGone(() => gone.abort());
  return inlineMedia(request, facts, call.client.id, ports.media, gone.signal);
}

/** Keeps what a reply's tool calls and text must come back with. */
export function sealListener(call: Call, target: Target, { request }: Decoded, ports: ExchangePorts): (event: ReplyEvent) => void {
  const keeper = createSealKeeper(target.provider.maker, request.turns.at(-1), target.codec.textUnsealed);
  return (event) => {
    keeper.event(event);
    if (event.type === 'reply-end' && keeper.kept.size > 0) ports.seals.put(call.key.id, keeper.kept);
  };
}

/** How images that a model makes in chat are shown to a client whose dialect is often read as text only. */
export function imageShower(call: Call, target: Target, { request }: Decoded, ports: ExchangePorts): Pick<LaneContext, 'showImage'> {
  // What was asked for as JSON is parsed, not read.
  const isParsed = request.output !== undefined && request.output.type !== 'text';
  if (call.client.id !== 'openai-chat' || isParsed) return {};
  if (target.provider.settings.images?.chat === 'inline') return { showImage: 'inline' };
  return {
    async showImage(data, mediaType) {
      const kept = await ports.mediaStore.put(Buffer.from(data, 'base64'), { mediaType, owner: call.key.id });
      return mediaLink(call, ports.mediaStore, kept);
    },
  };
}

/** Several answers of a target that gives one a call: one call each. Seeds differ, or all would say the same. */
function prepareSeveral(
  call: Call,
  target: Target,
  decoded: Decoded,
  request: ChatRequest,
  ports: ExchangePorts,
  hears: Emit | undefined,
): readonly Outgoing[] {
  const { n = 1, ...single } = request;
  if (n > MAX_EMULATED) {
    throw badField('n', `Invalid request: this target gives one answer a call, and 'n' is emulated up to ${MAX_EMULATED} only`);
  }
  const listeners = Array.from({ length: n }, () => sealListener(call, target, decoded, ports));
  const lanes = createSeveral(n, decoded, (index) => listeners[index] ?? (() => {}), hears);
  const showImage = imageShower(call, target, decoded, ports);
  return listeners.map((_, index) => {
    const seed = single.seed === undefined ? {} : { seed: single.seed + index };
    const outgoing = writeTranslated(call, target, decoded, { ...single, ...seed }, (context) =>
      lanes(index)({ ...context, ...showImage }),
    );
    outgoing.notes.add('n', 'emulated', 'the target gives one answer a call: one call each');
    return outgoing;
  });
}

/** The bytes as they are; read beside where somebody wants to hear what they say. */
async function prepareOverheard(outgoing: Outgoing | Promise<Outgoing>, hears: Emit | undefined): Promise<readonly Outgoing[]> {
  const written = await outgoing;
  return [hears ? { ...written, lane: (context) => overheard(written.lane(context), context, hears) } : written];
}

/** What goes out for a call. Most need nothing to be waited for. */
function prepare(call: Call, target: Target, ports: ExchangePorts, sink: ClientSink): readonly Outgoing[] | Promise<readonly Outgoing[]> {
  const hears = call.overhears?.(sink, target);
  if (target.lane === 'translated') return prepareTranslated(call, target, ports, sink, hears);
  const outgoing = writeRawMinding(call, target, ports.seals);
  return hears || outgoing instanceof Promise ? prepareOverheard(outgoing, hears) : [outgoing];
}

async function prepareTranslated(
  call: Call,
  target: Target,
  ports: ExchangePorts,
  sink: ClientSink,
  hears: Emit | undefined,
): Promise<readonly Outgoing[]> {
  const decoded = decodeCall(call);
  const request = await readied(call, target, decoded, ports, sink);
  if ((request.n ?? 1) > 1 && !target.wire.factsOf(target.model).n) return prepareSeveral(call, target, decoded, request, ports, hears);
  const keeps = sealListener(call, target, decoded, ports);
  const listen: Emit = hears
    ? (event) => {
        hears(event);
        keeps(event);
      }
    : keeps;
  const showImage = imageShower(call, target, decoded, ports);
  return [
    writeTranslated(call, target, decoded, request, (context) => createTranslatedLane({ ...context, ...showImage }, decoded, listen)),
  ];
}

/** The same target with so much of its time gone. */
const withLess = (target: Target, tookMs: number): Target => ({
  ...target,
  timeouts: { ...target.timeouts, total: Math.max(1, target.timeouts.total - tookMs) },
});

/** One try: the request in the target's words, sent. */
async function tryOnce(call: Call, step: Step, decision: Decision, progress: Progress, ports: ExchangePorts): Promise<AttemptEnd> {
  const { sink, number, candidate } = step;
  const target = targetOf(call, step, ports);
  const mine: OneTry = { target };
  progress.last = mine;
  progress.tries[number] = mine;
  const prepared = prepare(call, target, ports, sink);
  const outgoings = prepared instanceof Promise ? await prepared : prepared;
  const [outgoing] = outgoings;
  if (!outgoing) throw new Error('nothing to send');
  if (decision.ambiguous) outgoing.notes.add('model', 'approximated', `several providers know it: ${decision.ambiguous.join(', ')}`);
  mine.notes = outgoing.notes;
  progress.attempts = Math.max(progress.attempts, number);
  if (step.requests) await step.requests.next(outgoings.length);
  if (sink.closed) return { endedBy: 'client' };
  const all = (): Promise<AttemptEnd> =>
    attemptAll(outgoings, step.isLimited, ports.clock.monotonic, (one, tookMs) =>
      attempt(call, tookMs > 0 ? withLess(target, tookMs) : target, sink, one, step, ports),
    );
  // What targets are like matters only where there is a choice.
  const run = decision.candidates.length > 1 ? () => measured(candidate, all, ports) : all;
  return tellingMoves(call, step, { session: progress.session, notes: outgoing.notes }, ports.trying, run);
}

/** Tries the chosen target, and where that fails before the client was told anything what else may help. */
function answer(call: Call, sink: ClientSink, decision: Decision, progress: Progress, ports: ExchangePorts): Promise<AttemptEnd> {
  if (decision.refusal) {
    const { kind, message, param } = decision.refusal;
    throw new GatewayError(
      gatewayFault(kind, message, { ...(param ? { param } : {}), code: kind === 'not_found' ? 'model_not_found' : `${kind}_error` }),
    );
  }
  const { snapshot, key, started } = call;
  const walking: Walking = {
    candidates: decision.candidates,
    providers: snapshot.providers,
    owner: key.id,
    started,
    within: call.within,
    sink,
    session: progress.session,
    tokens: progress.tokens,
    run: (step) => tryOnce(call, step, decision, progress, ports),
    answeredBy: (step) => void (progress.last = progress.tries[step]),
    failed: progress.failed,
  };
  return walk(walking, ports.trying);
}

/** What an answer to a fault needs of a call that may not have come to be one. */
type Asker = Pick<Call, 'client' | 'id' | 'label'> & {
  readonly form?: Call['form'];
  /** `false`: it waits for one JSON text. */
  readonly stream?: boolean;
};

/** A fault in a stream whose head has gone out (a keep-alive did it) and that no lane has ended. */
function faultInBand(asker: Asker, sink: ClientSink, fault: Fault): void {
  const text = createFrameText(asker.form ?? 'sse');
  asker.client.faultFrame(fault, asker.id, (data, event) => sink.write(text.frame(data, event)));
  sink.end(text.close());
}

/**
 * A fault after white space has gone out where one JSON text was awaited: status 200 is said, and SDKs take any JSON for the answer.
 * So the error is written as far as nobody can read it for one, for people, and the connection breaks, which every SDK raises.
 */
function breakOff(sink: ClientSink, body: object): void {
  sink.write(JSON.stringify(body).slice(0, -1));
  sink.abort();
}

/** Writes a fault in the caller's own envelope, or the upstream's own error where the protocols are the same. Returns the status. */
export function respondFault(asker: Asker, sink: ClientSink, fault: Fault, end?: AttemptEnd, more: OutHeaders = {}): number {
  const { status, body } = asker.client.encodeFault(fault, asker.id);
  const own = end?.errorBody;
  const headers: OutHeaders = { ...end?.headers, ...callHeaders(asker), ...more, 'content-type': own?.contentType ?? 'application/json' };
  if (fault.retryAfterMs !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(fault.retryAfterMs / 1000)));
  const refusal = { status: own?.status ?? status, headers, body: own?.body ?? Buffer.from(JSON.stringify(body)) };
  sink.failed?.(fault, refusal);
  if (sink.closed) return refusal.status;
  if (sink.begun) {
    if (asker.stream === false) breakOff(sink, body);
    else faultInBand(asker, sink, fault);
    return status;
  }
  sink.begin(refusal.status, headers, refusal.body.length);
  sink.end(refusal.body);
  return refusal.status;
}

function faultOf(error: unknown, call: Call, ports: ExchangePorts): Fault {
  if (error instanceof GatewayError) return error.fault;
  ports.onDefect(error, call.id);
  return gatewayFault('internal', 'The gateway failed on this request. Its log has the details under the request id');
}

/** Milliseconds to a thousandth: more digits would only be written, read and kept. */
const toMicros = (ms: number): number => Math.round(ms * 1000) / 1000;

function recordOf(call: Call, progress: Progress, ports: ExchangePorts): CallRecord {
  const { end, last, route } = progress;
  const { target, notes } = last ?? {};
  const { lost } = end;
  // Member by member: each object that is spread is made for that alone, once a call.
  const record: { -readonly [K in keyof CallRecord]: CallRecord[K] } = {
    ...recordHead(call, call.operation, call.model),
    status: progress.status,
    attempts: progress.attempts,
    durationMs: toMicros(ports.clock.monotonic() - call.started),
    endedBy: end.endedBy,
  };
  if (call.stream) record.stream = true;
  if (target) {
    record.provider = target.provider.name;
    record.model = target.model;
    record.upstream = target.protocol;
    record.lane = target.lane;
  }
  if (end.firstTokenAt !== undefined) record.firstTokenMs = toMicros(end.firstTokenAt - call.started);
  Object.assign(record, recordUsage(lost && end.usage ? sumUsage(end.usage, lost) : (end.usage ?? lost)));
  if (lost) record.estimated = true;
  if (end.stop) record.stop = end.stop.reason;
  if (end.fault) record.fault = end.fault.code ?? end.fault.kind;
  if (progress.failed.length > 0) record.failed = progress.failed.join(', ');
  if (notes && notes.list.length > 0) Object.assign(record, recordNotes(notes));
  if (route) record.route = route;
  return record;
}

/** Runs one call to its end: decide, prepare, attempt, answer, settle. Resolves when everything was said; never rejects. */
export async function runExchange(call: Call, sink: ClientSink, ports: ExchangePorts): Promise<AttemptEnd> {
  const progress: Progress = {
    attempts: 0,
    tries: [],
    session: () => undefined,
    tokens: () => 0,
    end: { endedBy: 'gateway' },
    status: 200,
    failed: [],
  };
  try {
    const losses = { reader: () => lossReader(call, ports), tries: ports.trying.limits().tries };
    const decided = decideCall(call, readMoment(ports, call.snapshot), losses);
    const { decision } = decided;
    progress.route = keepDecision(decided);
    progress.session = sessionReader(call, decided.request.caller?.session);
    progress.tokens = tokensReader(call, decided.request.needs);
    ports.signals.follow(decision);
    progress.end = await answer(call, sink, decision, progress, ports);
  } catch (error) {
    // What a client that has left would have been told does not matter.
    progress.end = sink.closed ? { endedBy: 'client' } : { fault: faultOf(error, call, ports), endedBy: 'gateway' };
  }
  const { fault, endedBy } = progress.end;
  if (fault) {
    progress.status = respondFault(call, sink, fault, progress.end, progress.last ? servedBy(progress.last.target, progress.attempts) : {});
  } else if (endedBy === 'client' && !sink.begun) progress.status = CLIENT_GONE;
  ports.record(recordOf(call, progress, ports));
  return progress.end;
}
