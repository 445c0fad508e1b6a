import { type Ability, type Fault, GatewayError, gatewayFault, type Notes, type Usage } from '../../ir/index.ts';
import type { MediaAnswer, MediaRequest, WholeCodec } from '../../media/codec.ts';
import { isMinuteFull } from '../../policy/minute.ts';
import type { KeptDecision } from '../../policy/kept-decision.ts';
import { verdictOf } from '../../policy/retry.ts';
import type { Provider } from '../../presets/preset.ts';
import type { UpstreamSink } from '../../upstream/send.ts';
import type { AttemptEnd, Cached, Call } from '../call.ts';
import { CLIENT_GONE, recordHead, recordNotes, recordUsage } from '../call-record.ts';
import type { ClientSink, OutHeaders } from '../client-sink.ts';
import { type ExchangePorts, respondFault } from '../exchange.ts';
import { cacheHeaders, callHeaders, notesHeader, servedBy } from '../out-headers.ts';
import type { CallRecord } from '../ports.ts';
import { measured } from '../measured.ts';
import { contentOf } from '../read-needs.ts';
import { refuseLosses } from '../refuse-losses.ts';
import { tellingMoves } from '../trying/affinity.ts';
import { namedSessionReader } from '../trying/session.ts';
import { walk } from '../trying/walk.ts';
import type { OnceMore, Step, Walking } from '../trying/walking.ts';
import { type Asking, decideMedia } from './choose-media.ts';
import { createHeldAnswers } from './held-answer.ts';
import { type Chosen, chosenAt, type Writing, writingAt } from './writing.ts';
import { AT_ONCE } from './side-by-side.ts';
import { createWaits, type Waits } from './waits.ts';
import { ClientGone, openAnswer, type OpenAnswer, sendMedia } from './send-media.ts';

/** A client's call for an ability besides chat, recognised and authenticated. */
export interface MediaCall extends Asking, Pick<Call, 'id' | 'label' | 'at' | 'started' | 'strict' | 'within'> {
  /** The reply is a stream of server-sent events: a fault in its middle is said there. */
  readonly inBand?: boolean;
  /** `false`: one JSON text is awaited. A fault behind white space is written as far as nobody takes it for that, and breaks it off. */
  readonly stream?: boolean;
  /**
   * Doing it twice does no harm, and what it needs is held: where a target fails before it has said anything, another may be tried.
   * Else only where it surely has done nothing.
   */
  readonly isRepeatable?: boolean;
  /** Whether it is too late for another try: what it needs has been read, or its client has been told something past its sink. */
  readonly isSpent?: () => boolean;
  /** What it starts is asked for later, by the provider's first key. */
  readonly isJob?: boolean;
  /** Its route keeps answers: what became of that. */
  readonly cached?: Cached;
}

/** A call on its way to one target: what an ability's exchange works with. */
export interface MediaContext extends Writing {
  readonly call: MediaCall;
  readonly sink: ClientSink;
  readonly ports: ExchangePorts;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Milliseconds before this try that were not the gateway's own: waits for room, earlier tries. */
  readonly apartMs: number;
  /** Monotonic milliseconds until which all that this try asks must have ended. */
  readonly endsAt: number;
  /** Requests that may be under way side by side. */
  readonly atOnce: number;
  /** Aborted when the client hangs up. A function: a getter in what each call has would keep all of it until the next large collection. */
  signal(): AbortSignal;
  /** Sends one request and collects the answer. Throws `GatewayError` for an error status and when it comes to no end. */
  ask(request: MediaRequest, codec?: Pick<WholeCodec<never, never>, 'decodeFault'>, signal?: AbortSignal): Promise<MediaAnswer>;
  /**
   * Sends one request whose answer passes as it comes. `open` gets the head of a success and gives what takes the body; errors
   * throw as in `ask`. Resolves when the answer has ended.
   */
  pass(request: MediaRequest, open: (head: Omit<MediaAnswer, 'body'>) => Pick<UpstreamSink, 'body'>): Promise<void>;
  /**
   * Sends one request and gives its answer as soon as it begins; no more is held of it than is read. Errors throw as in `ask`,
   * also in the middle of reading. Destroy the body to hang up.
   */
  open(request: MediaRequest, codec?: Pick<WholeCodec<never, never>, 'decodeFault'>): Promise<OpenAnswer>;
  /** So many requests will be sent: there is room for all of them in the target's minute, or none is. */
  willSend(many: number): Promise<void> | undefined;
  /** Waits for something that is the provider's to do: no time of the gateway's own. */
  waitFor<T>(work: Promise<T>): Promise<T>;
  /**
   * A question that does no harm was not answered: after how many milliseconds it may be asked again, `leastMs` at the earliest;
   * `undefined`: that was the end of it.
   */
  readonly onceMore: OnceMore;
  /** It is asked again. */
  countAgain(): void;
  /** Adds to what the record says was used. */
  count(usage: Usage | undefined): void;
  /** A request goes out that is none of the context's own. */
  countTry(): void;
  /** The target makes something now that is asked about: whatever comes of that, no other target is to make it as well. */
  ordered(): void;
  /** Refuses (400) where notes are there and `strict` was asked for; `ask` and `open` do so before they send. */
  refuseLosses(): void;
  /** Headers of a reply: ids, where it went, notes. Refuses (400) where notes are there and `strict` was asked for. */
  headers(): OutHeaders;
  /** Answers with JSON. */
  reply(body: object, more?: OutHeaders): void;
}

/** Where one try went, and what became of it. */
interface OneTry {
  readonly provider: Provider;
  readonly model: string;
  readonly notes: Notes;
  usage?: Usage;
  /** Its answer's bytes passed as they came. */
  isRelayed?: boolean;
  /** Monotonic milliseconds at which its answer began. */
  answeredAt?: number;
}

interface Settling {
  /** By the number of the try, from 1. */
  readonly tries: OneTry[];
  /** The one whose end is the call's. */
  last?: OneTry | undefined;
  /** Tries that were sent. */
  attempts: number;
  /** Those of the last try, where its target takes only so many in a minute. */
  requests?: Step['requests'];
  /** A target makes what was asked for. */
  isOrdered?: true;
  /** The client's bytes went to a provider of its own dialect as they were. */
  lane?: CallRecord['lane'];
  firstTokenAt?: number;
  /** Tries whose end was not the call's. */
  readonly failed: string[];
  route?: KeptDecision;
}

function sum(a: Usage | undefined, b: Usage): Usage {
  return a ? { ...b, input: a.input + b.input, output: a.output + b.output } : b;
}

/** What sends a try's requests, each after it was `checked`; the answers are waited for in `waits`. */
function sendingFor(
  base: Parameters<typeof sendMedia>[0] & Pick<MediaContext, 'sink'>,
  waits: Waits,
  checked: <T>(request: T) => T,
): Pick<MediaContext, 'ask' | 'open' | 'pass'> {
  const hold = createHeldAnswers();
  return {
    async ask(request, codec, signal) {
      const held = hold();
      let head: Omit<MediaAnswer, 'body'> | undefined;
      const open = (received: Omit<MediaAnswer, 'body'>): Pick<UpstreamSink, 'body'> => {
        head = received;
        return {
          body(piece) {
            held.add(piece);
            return true;
          },
        };
      };
      await waits.during(sendMedia(base, checked(request), codec, open, signal));
      if (!head) throw new Error('an answer without a head');
      return { ...head, body: held.whole() };
    },
    open: (request, codec) => waits.during(openAnswer(base, checked(request), codec)),
    pass(request, open) {
      const end = waits.begin();
      const opened = (head: Parameters<typeof open>[0], resume: () => void): ReturnType<typeof open> => {
        end();
        base.sink.onDrain(resume);
        return open(head);
      };
      return sendMedia(base, checked(request), undefined, opened).finally(end);
    },
  };
}

/** What is aborted when a client hangs up: made when it is first asked for. */
function goneSignal(sink: ClientSink): MediaContext['signal'] {
  let gone: AbortController | undefined;
  return () => {
    if (gone) return gone.signal;
    const made = new AbortController();
    sink.onGone(() => made.abort());
    gone = made;
    return made.signal;
  };
}

function replyHeaders(call: MediaCall, mine: OneTry, attempts: number, overheadMs: number): OutHeaders {
  const { list } = mine.notes;
  return {
    ...callHeaders(call),
    ...servedBy(mine, attempts),
    'x-pailou-overhead-ms': overheadMs.toFixed(2),
    ...(list.length > 0 ? { 'x-pailou-notes': notesHeader(list) } : {}),
    ...(call.cached ? cacheHeaders(call.cached) : {}),
  };
}

/** From here on this try's end is the call's, unless another one begins. */
function beginTry(settling: Settling, { number, requests }: Pick<Step, 'number' | 'requests'>, mine: OneTry): void {
  settling.last = mine;
  settling.tries[number] = mine;
  settling.requests = requests;
}

function contextOf(
  call: MediaCall,
  step: Pick<Step, 'sink' | 'number' | 'isLimited' | 'apartMs' | 'onceMore' | 'requests'>,
  ports: ExchangePorts,
  { provider, media, model }: Chosen,
  settling: Settling,
): MediaContext {
  const { sink, number, isLimited, apartMs, onceMore, requests } = step;
  const writing = writingAt({ provider, media, model }, ports.newId);
  const { notes } = writing;
  const mine: OneTry = { provider, model, notes };
  beginTry(settling, step, mine);
  const endsAt = ports.clock.monotonic() + provider.timeouts.total;
  const base = { ...writing, call, sink, ports, attempt: number, apartMs, endsAt, requests, atOnce: isLimited ? 1 : AT_ONCE };
  const waits = createWaits(ports.clock.monotonic);
  let attempts = number;
  const headers = (): OutHeaders => {
    const now = ports.clock.monotonic();
    mine.answeredAt = now;
    return replyHeaders(call, mine, attempts, now - call.started - apartMs - waits.ms());
  };
  const countTry = (): void => {
    settling.attempts = Math.max(settling.attempts, attempts);
    requests?.sent();
  };
  const checked = <T>(request: T): T => {
    refuseLosses(call, notes);
    countTry();
    return request;
  };
  return {
    ...base,
    signal: goneSignal(sink),
    ...sendingFor(base, waits, checked),
    countTry,
    ordered: () => void (settling.isOrdered = true),
    refuseLosses: () => refuseLosses(call, notes),
    willSend: (many) => requests?.reserve(many),
    waitFor: waits.during,
    onceMore,
    countAgain: () => void (settling.attempts = Math.max(settling.attempts, ++attempts)),
    count(usage) {
      if (usage) mine.usage = sum(mine.usage, usage);
    },
    headers,
    reply(body, more = {}) {
      const bytes = Buffer.from(JSON.stringify(body));
      sink.begin(200, { ...headers(), 'content-type': 'application/json', ...more }, bytes.length);
      sink.end(bytes);
    },
  };
}

function recordOf(
  call: MediaCall,
  settling: Settling,
  ports: ExchangePorts,
  end: Pick<CallRecord, 'status' | 'endedBy'> & { fault?: string },
): CallRecord {
  const { last, attempts, lane, firstTokenAt, failed, route } = settling;
  const { provider, model, usage, notes } = last ?? {};
  return {
    ...recordHead(call, call.ability, call.model),
    attempts,
    durationMs: ports.clock.monotonic() - call.started,
    ...end,
    ...(provider ? { provider: provider.name } : {}),
    ...(model === undefined ? {} : { model }),
    ...(lane === undefined ? {} : { lane }),
    ...(call.inBand === true ? { stream: true } : {}),
    ...(firstTokenAt === undefined ? {} : { firstTokenMs: firstTokenAt - call.started }),
    ...recordUsage(usage),
    ...(failed.length > 0 ? { failed: failed.join(', ') } : {}),
    ...recordNotes(notes),
    ...(route ? { route } : {}),
  };
}

const faultOf = (error: unknown, call: MediaCall, ports: ExchangePorts): Fault => {
  if (error instanceof GatewayError) return error.fault;
  ports.onDefect(error, call.id);
  return gatewayFault('internal', 'The gateway failed on this request. Its log has the details under the request id');
};

/** The record of a call that was relayed, after its client was told of a fault. */
function settleRelayed(call: MediaCall, sink: ClientSink, ports: ExchangePorts, settling: Settling, end: AttemptEnd): void {
  const { fault, endedBy, usage, firstTokenAt } = end;
  if (usage && settling.last) settling.last.usage = usage;
  Object.assign(settling, { lane: 'raw', ...(firstTokenAt === undefined ? {} : { firstTokenAt }) });
  const where = settling.last ? servedBy(settling.last, settling.attempts) : {};
  const left = endedBy === 'client' && !sink.begun ? CLIENT_GONE : 200;
  const status = fault ? respondFault(call, sink, fault, end, where) : left;
  ports.record(recordOf(call, settling, ports, { status, endedBy, ...(fault ? { fault: fault.code ?? fault.kind } : {}) }));
}

type Work = (context: MediaContext) => Promise<AttemptEnd | void>;

/** Faults of requests that did not come to be sent. */
const UNSENT: ReadonlySet<string> = new Set([
  'upstream_unreachable',
  'upstream_unresolved',
  'upstream_connect_timeout',
  'upstream_tls',
  'not_expressible',
]);

/** Whether nothing has come of a try: it was not sent, or refused for its credential or a limit before anything was done. */
function didNothing(fault: Fault, { requests }: Pick<Settling, 'requests'>): boolean {
  if (isMinuteFull(fault)) return requests?.isSent() !== true;
  const { scope } = verdictOf(fault);
  return UNSENT.has(fault.code ?? '') || scope === 'credential' || scope === 'limit';
}

/** What providers say that they do with what the caller asked of them, where they know the words themselves. */
function noteIgnored({ routing }: MediaCall, { provider, notes }: MediaContext): void {
  if (!routing || provider.preset.readsPreferences === true) return;
  for (const field of routing.ignored) notes.add(field, 'dropped', 'nothing is known here to choose by it');
}

/** What has no prompt that a provider would keep: it stays on one key where a header says so, and nothing is lost where it moves. */
const PROMPTLESS: ReadonlySet<Ability> = new Set(['embeddings', 'moderations', 'rerank']);

/** Works at the places that were decided, until one has done it. Gives how it ended where bytes were relayed. */
async function tryAll(
  call: MediaCall,
  sink: ClientSink,
  ports: ExchangePorts,
  settling: Settling,
  work: Work,
): Promise<AttemptEnd | undefined> {
  const { candidates, ambiguous } = decideMedia(call, ports, settling);
  const { snapshot, key, started, within, isRepeatable, isSpent, isJob = call.ability === 'videos' } = call;
  const hasPrompts = !PROMPTLESS.has(call.ability);
  const session = namedSessionReader(hasPrompts ? call : { headers: call.headers });
  const once = async (step: Step): Promise<AttemptEnd> => {
    const { candidate, provider, timeouts } = step;
    const timed = timeouts === provider.timeouts ? provider : { ...provider, timeouts };
    const context = contextOf(call, step, ports, chosenAt(call, timed, candidate.model), settling);
    if (ambiguous) context.notes.add('model', 'approximated', `several providers know it: ${ambiguous.join(', ')}`);
    noteIgnored(call, context);
    const run = async (): Promise<AttemptEnd> => {
      const relayed = await work(context);
      const mine = settling.tries[step.number];
      if (mine) mine.isRelayed = relayed !== undefined;
      return relayed ?? { endedBy: 'upstream', ...(mine?.answeredAt === undefined ? {} : { firstTokenAt: mine.answeredAt }) };
    };
    // Jobs go with the provider's first key, wherever their conversation is.
    return isJob || !hasPrompts ? run() : tellingMoves(call, step, { session, notes: context.notes }, ports.trying, run);
  };
  // What targets are like matters only where there is a choice.
  const run = candidates.length > 1 ? (step: Step) => measured(step.candidate, () => once(step), ports) : once;
  const walking: Walking = {
    candidates,
    providers: snapshot.providers,
    owner: key.id,
    started,
    within,
    sink,
    session,
    // Of pictures, films and speech nothing is known before they have been paid for.
    tokens: () => (hasPrompts ? 0 : contentOf(call.told?.(), 'input').tokens),
    usageOf: (number) => settling.tries[number]?.usage,
    ...(isRepeatable === true && !isSpent
      ? {}
      : {
          mayGoOn: (fault: Fault) => isSpent?.() !== true && !settling.isOrdered && (isRepeatable === true || didNothing(fault, settling)),
        }),
    isJob,
    run,
    answeredBy: (step) => void (settling.last = settling.tries[step]),
    failed: settling.failed,
  };
  const end = await walk(walking, ports.trying);
  return settling.last?.isRelayed === true ? end : undefined;
}

/**
 * Runs one call to its end: decide, work, answer, settle. `work` answers through the context; where it relayed bytes, it
 * gives how that ended. Never rejects.
 */
export async function runMedia(call: MediaCall, sink: ClientSink, ports: ExchangePorts, work: Work): Promise<void> {
  const settling: Settling = { tries: [], attempts: 0, failed: [] };
  try {
    const relayed = await tryAll(call, sink, ports, settling, work);
    if (relayed) return settleRelayed(call, sink, ports, settling, relayed);
    ports.record(recordOf(call, settling, ports, { status: 200, endedBy: 'upstream' }));
  } catch (error) {
    if (error instanceof ClientGone || sink.closed) {
      ports.record(recordOf(call, settling, ports, { status: sink.begun ? 200 : CLIENT_GONE, endedBy: 'client' }));
      return;
    }
    const fault = faultOf(error, call, ports);
    const where = settling.last ? servedBy(settling.last, settling.attempts) : {};
    // Bytes of a medium cannot carry an error: a broken connection is the only honest end.
    const isMute = sink.begun && call.inBand !== true && call.stream !== false;
    if (isMute) sink.abort();
    const status = isMute ? fault.status : respondFault(call, sink, fault, undefined, where);
    ports.record(
      recordOf(call, settling, ports, {
        status,
        endedBy: fault.by === 'upstream' ? 'upstream' : 'gateway',
        fault: fault.code ?? fault.kind,
      }),
    );
  }
}
