import type { Fault, Notes } from '../ir/index.ts';
import type { ProviderWire } from '../presets/preset.ts';
import type { Send, UpstreamCall, UpstreamRequest, UpstreamSink } from '../upstream/send.ts';
import type { AttemptEnd, Call, Target } from './call.ts';
import type { ClientSink } from './client-sink.ts';
import type { LaneContext } from './lanes/lane.ts';
import { deadlineFault } from './lanes/translated.ts';
import type { Clock } from './ports.ts';

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
  readonly lane: (context: LaneContext) => UpstreamSink;
}

async function signed(wire: ProviderWire, outgoing: Outgoing, ports: AttemptPorts): Promise<Readonly<Record<string, string>>> {
  if (!wire.sign) return outgoing.headers;
  const { path, headers, body } = outgoing;
  const more = await wire.sign(
    { method: 'POST', origin: wire.origin, path, headers, body },
    { now: () => ports.clock.now(), post: ports.post },
  );
  return { ...headers, ...more };
}

/** One try at one target: sends, minds the deadlines, and ends exactly once. Never rejects but by a defect. */
export async function attempt(
  call: Call,
  target: Target,
  sink: ClientSink,
  outgoing: Outgoing,
  number: number,
  ports: AttemptPorts,
): Promise<AttemptEnd> {
  const { timeouts } = target.provider;
  const headers = target.wire.sign ? await signed(target.wire, outgoing, ports) : outgoing.headers;
  return new Promise<AttemptEnd>((resolve) => {
    let upstream: UpstreamCall | undefined;
    let over = false;
    let firstTokenAt: number | undefined;
    let answeredAt = 0;
    const sentAt = ports.clock.monotonic();

    const finish = (end: AttemptEnd): void => {
      if (over) return;
      over = true;
      clearTimeout(total);
      clearTimeout(firstToken);
      resolve(firstTokenAt === undefined ? end : { ...end, firstTokenAt });
    };
    const stop = (fault: Fault): void => {
      if (over) return;
      upstream?.abort();
      lane.fail(fault);
      finish({ fault, endedBy: 'gateway' });
    };
    const lane = outgoing.lane({
      call,
      target,
      sink,
      notes: outgoing.notes,
      attempt: number,
      now: () => ports.clock.now(),
      newId: ports.newId,
      overheadMs: () => ports.clock.monotonic() - call.started - (answeredAt === 0 ? 0 : answeredAt - sentAt),
      onFirstToken() {
        firstTokenAt ??= ports.clock.monotonic();
        clearTimeout(firstToken);
      },
      done: finish,
      abortUpstream: () => upstream?.abort(),
    });
    const watched: UpstreamSink = {
      head(status, received) {
        answeredAt = ports.clock.monotonic();
        if (!over) lane.head(status, received);
      },
      // After the end the rest of the upstream's bytes is read and let go, so that its connection can be used again.
      body: (bytes) => over || lane.body(bytes),
      end() {
        if (!over) lane.end();
      },
      fail(fault) {
        if (!over) lane.fail(fault);
      },
    };
    const total = setTimeout(() => stop(deadlineFault('total')), timeouts.total);
    const firstToken = setTimeout(() => stop(deadlineFault('first token')), timeouts.firstToken);
    const request: UpstreamRequest = {
      origin: target.wire.origin,
      method: 'POST',
      path: outgoing.path,
      headers,
      body: outgoing.body,
      timeouts: { connect: timeouts.connect, headers: timeouts.headers, idle: timeouts.idle },
    };
    upstream = ports.send(request, watched);
    sink.onDrain(() => upstream?.resume());
    sink.onGone(() => {
      if (over) return;
      upstream?.abort();
      finish({ endedBy: 'client' });
    });
  });
}
