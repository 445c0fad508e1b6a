import { type Fault, GatewayError, gatewayFault, type Notes } from '../ir/index.ts';
import type { ProviderWire } from '../presets/preset.ts';
import type { Send, UpstreamCall, UpstreamRequest, UpstreamSink } from '../upstream/send.ts';
import type { AttemptEnd, Call, Target } from './call.ts';
import type { ClientSink } from './client-sink.ts';
import { nothingReceived, receive, withCutUsage } from './cut-usage.ts';
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

const deadlineFault = (what: 'first token' | 'total'): Fault =>
  gatewayFault(
    'timeout',
    what === 'total' ? 'The reply took longer than the time allowed for the whole call' : 'The upstream sent no first token in time',
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

/** Sends what is ready to go. */
function send(call: Call, target: Target, sink: ClientSink, outgoing: Outgoing, step: Try, ports: Ports): Promise<AttemptEnd> {
  const { timeouts } = target;
  const { number, apartMs } = step;
  return new Promise<AttemptEnd>((resolve) => {
    let upstream: UpstreamCall | undefined;
    let over = false;
    let upstreamOver = false;
    let byGateway = false;
    let leftoverBytes = 0;
    let leftover: NodeJS.Timeout | undefined;
    let firstTokenAt: number | undefined;
    let answeredAt = 0;
    const answer = nothingReceived(call);
    const sentAt = ports.clock.monotonic();

    const abort = (): void => {
      upstreamOver = true;
      clearTimeout(leftover);
      upstream?.abort();
    };
    const finish = (end: AttemptEnd): void => {
      if (over) return;
      over = true;
      clearTimeout(total);
      clearTimeout(firstToken);
      if (!upstreamOver) leftover = setTimeout(abort, LEFTOVER_MS);
      const by = byGateway ? { ...end, endedBy: 'gateway' as const } : end;
      resolve(firstTokenAt === undefined ? by : withCutUsage(call, target, { ...by, firstTokenAt }, answer));
    };
    const stop = (fault: Fault): void => {
      if (over) return;
      byGateway = true;
      abort();
      try {
        lane.fail(fault);
      } catch (error) {
        ports.onDefect(error, call.id);
        sink.abort();
      }
      finish({ fault, endedBy: 'gateway' });
    };
    /** A codec that throws: a limit that was passed, or a defect. */
    const broke = (error: unknown): void => {
      if (!(error instanceof GatewayError)) ports.onDefect(error, call.id);
      stop(error instanceof GatewayError ? error.fault : unreadable);
    };
    const lane = outgoing.lane({
      call,
      target,
      sink,
      notes: outgoing.notes,
      attempt: number,
      now: () => ports.clock.now(),
      newId: ports.newId,
      overheadMs: () => ports.clock.monotonic() - call.started - apartMs - (answeredAt === 0 ? 0 : answeredAt - sentAt),
      onFirstToken() {
        firstTokenAt ??= ports.clock.monotonic();
        clearTimeout(firstToken);
      },
      done: finish,
      abortUpstream: abort,
      resumeUpstream: () => upstream?.resume(),
      onDefect: broke,
    });
    const watched: UpstreamSink = {
      head(status, received) {
        answeredAt = ports.clock.monotonic();
        if (over) return;
        answer.headers = received;
        try {
          lane.head(status, received);
        } catch (error) {
          broke(error);
        }
      },
      body(bytes) {
        if (over) {
          leftoverBytes += bytes.length;
          if (leftoverBytes > LEFTOVER_BYTES) abort();
          return true;
        }
        receive(answer, bytes);
        try {
          return lane.body(bytes);
        } catch (error) {
          broke(error);
          return true;
        }
      },
      end() {
        upstreamOver = true;
        answer.ended = true;
        clearTimeout(leftover);
        if (over) return;
        try {
          lane.end();
        } catch (error) {
          broke(error);
        }
      },
      fail(fault) {
        upstreamOver = true;
        clearTimeout(leftover);
        if (over) return;
        try {
          lane.fail(fault);
        } catch (error) {
          broke(error);
        }
      },
    };
    const total = setTimeout(() => stop(deadlineFault('total')), timeouts.total);
    const firstToken = setTimeout(() => stop(deadlineFault('first token')), timeouts.firstToken);
    const request: UpstreamRequest = {
      origin: target.wire.origin,
      owner: call.key.id,
      method: 'POST',
      path: outgoing.path,
      headers: outgoing.headers,
      body: outgoing.body,
      // What failed once is not sent twice more because a connection was stale as well.
      ...(number > 1 ? { isOnce: true } : {}),
      timeouts: { connect: timeouts.connect, headers: timeouts.headers, idle: timeouts.idle },
    };
    upstream = ports.send(request, watched);
    if (over && upstreamOver) upstream.abort();
    sink.onDrain(() => upstream?.resume());
    sink.onGone(() => {
      if (over) return;
      abort();
      finish({ ...lane.soFar(), endedBy: 'client' });
    });
  });
}
