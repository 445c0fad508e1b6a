import { type Fault, GatewayError, gatewayFault, type Notes } from '../ir/index.ts';
import type { ProviderWire } from '../presets/preset.ts';
import type { Send, UpstreamCall, UpstreamRequest, UpstreamSink } from '../upstream/send.ts';
import type { AttemptEnd, Call, Target } from './call.ts';
import type { ClientSink } from './client-sink.ts';
import { withCutUsage } from './cut-usage.ts';
import { nothingReceived, receive, type Received } from './sampled-answer.ts';
import type { Lane, LaneContext } from './lanes/lane.ts';
import type { Clock } from './ports.ts';
import type { Step } from './trying/walking.ts';

/** What attempts need of the world. */
export interface AttemptPorts {
  readonly clock: Clock;
  readonly send: Send;
  readonly newId: (prefix: string) => string;
  readonly post: (url: string, form: Readonly<Record<string, string>>) => Promise<{ readonly status: number; readonly body: string }>;
}

/** A request ready for one target. */
export interface Outgoing {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: readonly Buffer[];
  readonly notes: Notes;
  /** Makes the lane that takes the answer. */
  readonly lane: (context: LaneContext) => Lane;
}

/** What an upstream may still say after the last word, so that its connection can be used again. */
const LEFTOVER_BYTES = 256 * 1024;
const LEFTOVER_MS = 5000;

async function signed(
  wire: ProviderWire,
  sign: NonNullable<ProviderWire['sign']>,
  outgoing: Outgoing,
  ports: AttemptPorts,
): Promise<Readonly<Record<string, string>>> {
  const { path, headers, body } = outgoing;
  const more = await sign({ method: 'POST', origin: wire.origin, path, headers, body }, { now: () => ports.clock.now(), post: ports.post });
  return { ...headers, ...more };
}

/** What ended a call that took too long. */
export const deadlineFault = (what: 'first token' | 'total'): Fault =>
  gatewayFault(
    'timeout',
    what === 'total' ? 'The reply took longer than the time allowed for the whole call' : 'The upstream sent nothing of its answer in time',
    { code: what === 'total' ? 'upstream_total_timeout' : 'upstream_first_token_timeout' },
  );

const unreadable = gatewayFault('upstream', 'The upstream answered with something that cannot be read', { code: 'upstream_malformed' });

/** Which try it is. */
type Try = Pick<Step, 'number' | 'apartMs'>;

type Ports = AttemptPorts & { readonly onDefect: (error: unknown, callId: string) => void };

/** One try at one target: sends, minds the deadlines, and ends exactly once. Never rejects but by a defect. */
export function attempt(call: Call, target: Target, sink: ClientSink, outgoing: Outgoing, step: Try, ports: Ports): Promise<AttemptEnd> {
  const { wire } = target;
  if (!wire.sign) return send(call, target, sink, outgoing, step, ports);
  return signed(wire, wire.sign, outgoing, ports).then((headers) =>
    sink.closed ? { endedBy: 'client' as const } : send(call, target, sink, { ...outgoing, headers }, step, ports),
  );
}

/** Where one try stands. */
interface Trying {
  readonly call: Call;
  readonly target: Target;
  readonly sink: ClientSink;
  readonly ports: Ports;
  /** Time before this try that was not the gateway's own. */
  readonly apartMs: number;
  readonly sentAt: number;
  readonly resolve: (end: AttemptEnd) => void;
  readonly answer: Received;
  lane: Lane | undefined;
  upstream: UpstreamCall | undefined;
  total: NodeJS.Timeout | undefined;
  firstToken: NodeJS.Timeout | undefined;
  /** Ends what the upstream says after the last word. */
  leftover: NodeJS.Timeout | undefined;
  leftoverBytes: number;
  over: boolean;
  upstreamOver: boolean;
  byGateway: boolean;
  firstTokenAt: number | undefined;
  answeredAt: number;
}

function abortUpstream(trying: Trying): void {
  trying.upstreamOver = true;
  clearTimeout(trying.leftover);
  trying.upstream?.abort();
}

function finish(trying: Trying, end: AttemptEnd): void {
  if (trying.over) return;
  trying.over = true;
  clearTimeout(trying.total);
  clearTimeout(trying.firstToken);
  if (!trying.upstreamOver) trying.leftover = setTimeout(abortUpstream, LEFTOVER_MS, trying);
  const { call, target, firstTokenAt, answer, byGateway, resolve } = trying;
  const by = byGateway ? { ...end, endedBy: 'gateway' as const } : end;
  resolve(firstTokenAt === undefined ? by : withCutUsage(call, target, { ...by, firstTokenAt }, answer));
}

/** The gateway ends it. */
function stop(trying: Trying, fault: Fault): void {
  if (trying.over) return;
  trying.byGateway = true;
  abortUpstream(trying);
  try {
    trying.lane?.fail(fault);
  } catch (error) {
    trying.ports.onDefect(error, trying.call.id);
    trying.sink.abort();
  }
  finish(trying, { fault, endedBy: 'gateway' });
}

/** A codec that throws: a limit that was passed, or a defect. */
function broke(trying: Trying, error: unknown): void {
  if (!(error instanceof GatewayError)) trying.ports.onDefect(error, trying.call.id);
  stop(trying, error instanceof GatewayError ? error.fault : unreadable);
}

/** The client has left. */
function clientLeft(trying: Trying): void {
  if (trying.over) return;
  abortUpstream(trying);
  finish(trying, { ...trying.lane?.soFar(), endedBy: 'client' });
}

/** What a lane knows of the try that it takes the answer of. */
function laneContext(trying: Trying, { notes }: Outgoing, number: number): LaneContext {
  const { call, target, sink, ports } = trying;
  return {
    call,
    target,
    sink,
    notes,
    attempt: number,
    now: () => ports.clock.now(),
    newId: ports.newId,
    overheadMs() {
      const { answeredAt, sentAt, apartMs } = trying;
      return ports.clock.monotonic() - call.started - apartMs - (answeredAt === 0 ? 0 : answeredAt - sentAt);
    },
    onFirstToken() {
      trying.firstTokenAt ??= ports.clock.monotonic();
      clearTimeout(trying.firstToken);
    },
    done: (end) => finish(trying, end),
    abortUpstream: () => abortUpstream(trying),
    resumeUpstream: () => trying.upstream?.resume(),
    onDefect: (error) => broke(trying, error),
  };
}

/** The upstream says no more. */
function upstreamEnded(trying: Trying): void {
  trying.upstreamOver = true;
  clearTimeout(trying.leftover);
}

/** Hands a lane what the upstream says, until the try is over. */
function watch(trying: Trying, lane: Lane): UpstreamSink {
  const { answer } = trying;
  return {
    head(status, received) {
      trying.answeredAt = trying.ports.clock.monotonic();
      if (trying.over) return;
      answer.headers = received;
      try {
        lane.head(status, received);
      } catch (error) {
        broke(trying, error);
      }
    },
    body(bytes) {
      if (trying.over) {
        trying.leftoverBytes += bytes.length;
        if (trying.leftoverBytes > LEFTOVER_BYTES) abortUpstream(trying);
        return true;
      }
      receive(answer, bytes);
      try {
        return lane.body(bytes);
      } catch (error) {
        broke(trying, error);
        return true;
      }
    },
    end() {
      upstreamEnded(trying);
      answer.ended = true;
      if (trying.over) return;
      try {
        lane.end();
      } catch (error) {
        broke(trying, error);
      }
    },
    fail(fault) {
      upstreamEnded(trying);
      if (trying.over) return;
      try {
        lane.fail(fault);
      } catch (error) {
        broke(trying, error);
      }
    },
  };
}

function requestOf(call: Call, { wire, timeouts }: Target, { path, headers, body }: Outgoing, number: number): UpstreamRequest {
  return {
    origin: wire.origin,
    owner: call.key.id,
    method: 'POST',
    path,
    headers,
    body,
    // What failed once is not sent twice more because a connection was stale as well.
    ...(number > 1 ? { isOnce: true } : {}),
    timeouts: { connect: timeouts.connect, headers: timeouts.headers, idle: timeouts.idle },
  };
}

/** Sends what is ready to go. No function that stays knows what was sent: it would be held for as long as the answer comes. */
function send(call: Call, target: Target, sink: ClientSink, outgoing: Outgoing, step: Try, ports: Ports): Promise<AttemptEnd> {
  const { promise, resolve } = Promise.withResolvers<AttemptEnd>();
  const trying: Trying = {
    call,
    target,
    sink,
    ports,
    apartMs: step.apartMs,
    sentAt: ports.clock.monotonic(),
    resolve,
    answer: nothingReceived(call, target.codec.tap),
    lane: undefined,
    upstream: undefined,
    total: undefined,
    firstToken: undefined,
    leftover: undefined,
    leftoverBytes: 0,
    over: false,
    upstreamOver: false,
    byGateway: false,
    firstTokenAt: undefined,
    answeredAt: 0,
  };
  const lane = outgoing.lane(laneContext(trying, outgoing, step.number));
  trying.lane = lane;
  trying.total = setTimeout(() => stop(trying, deadlineFault('total')), target.timeouts.total);
  trying.firstToken = setTimeout(() => stop(trying, deadlineFault('first token')), target.timeouts.firstToken);
  trying.upstream = ports.send(requestOf(call, target, outgoing, step.number), watch(trying, lane));
  if (trying.over && trying.upstreamOver) trying.upstream.abort();
  sink.onDrain(() => trying.upstream?.resume());
  sink.onGone(() => clientLeft(trying));
  return promise;
}
