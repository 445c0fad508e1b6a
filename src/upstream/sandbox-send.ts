import { GatewayError, gatewayFault } from '../ir/index.ts';
import { SANDBOX_ORIGIN } from '../presets/sandbox.ts';
import type { Send, UpstreamHeaders, UpstreamSink } from './send.ts';

/** A provider in this process: takes a request, answers with the bytes of a real wire. */
export interface InProcessUpstream {
  handle(
    request: { readonly method: string; readonly path: string; readonly headers: Readonly<Record<string, string>>; readonly body: Buffer },
    sink: {
      head(status: number, headers: UpstreamHeaders): void;
      body(chunk: Buffer): boolean;
      end(): void;
      error(kind: 'cut' | 'reset'): void;
    },
  ): { abort(): void; resume(): void };
}

/** Silent deadlines of a network, kept for an upstream that has none: how long it may say nothing. */
function watch(idleMs: () => number, onSilent: () => void): { touch(): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => clearTimeout(timer);
  return {
    touch() {
      stop();
      timer = setTimeout(onSilent, idleMs());
    },
    stop,
  };
}

/** Where the built-in provider is had: at once where it is loaded already. */
export type SandboxOf = () => InProcessUpstream | Promise<InProcessUpstream>;

/** Sends to the built-in provider what is addressed to it, everything else to the network. */
export function createSandboxSend(sandboxOf: SandboxOf, network: Send): Send {
  return (request, sink) => {
    if (request.origin !== SANDBOX_ORIGIN) return network(request, sink);
    const sandbox = sandboxOf();
    if (!(sandbox instanceof Promise) && !request.stream) return sendInside(sandbox, request, sink);
    const body = request.stream ? collect(request.stream.bytes).then((whole) => [whole]) : request.body;
    return sendLater(Promise.all([sandbox, body]), request, sink);
  };
}

/** What is held of a streamed body: the built-in provider looks at whole ones. */
const MAX_STREAM_BYTES = 256 * 1024 * 1024;

async function collect(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of bytes) {
    length += piece.length;
    if (length > MAX_STREAM_BYTES) {
      throw new GatewayError(
        gatewayFault('too_large', 'The request body is larger than what the sandbox takes', { code: 'body_too_large' }),
      );
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}

/** As `sendInside`, for what is not here yet: a body that comes in pieces, the built-in provider itself. */
function sendLater(
  ready: Promise<readonly [InProcessUpstream, readonly Buffer[]]>,
  request: Parameters<Send>[0],
  sink: UpstreamSink,
): ReturnType<Send> {
  let call: ReturnType<Send> | undefined;
  let aborted = false;
  ready.then(
    ([sandbox, body]) => {
      if (!aborted) call = sendInside(sandbox, { ...request, body }, sink);
    },
    (error: unknown) => {
      if (aborted) return;
      const cut = gatewayFault('internal', 'The request could not be written for the upstream', { code: 'upstream_request_invalid' });
      sink.fail(error instanceof GatewayError ? error.fault : cut);
    },
  );
  return {
    abort() {
      aborted = true;
      call?.abort();
    },
    resume: () => call?.resume(),
  };
}

const sendInside: (sandbox: InProcessUpstream, ...args: Parameters<Send>) => ReturnType<Send> = (sandbox, request, sink: UpstreamSink) => {
  let begun = false;
  let over = false;
  const fail = (code: string, message: string, kind: 'timeout' | 'upstream'): void => {
    if (over) return;
    over = true;
    silence.stop();
    sink.fail(gatewayFault(kind, message, { code }));
  };
  const silence = watch(
    () => (begun ? request.timeouts.idle : request.timeouts.headers),
    () => {
      call.abort();
      if (begun) fail('upstream_idle_timeout', 'The upstream stopped sending in mid-answer', 'timeout');
      else fail('upstream_headers_timeout', 'The upstream did not begin to answer in time', 'timeout');
    },
  );
  silence.touch();
  const call = sandbox.handle(
    { method: request.method, path: request.path, headers: request.headers, body: Buffer.concat(request.body) },
    {
      head(status, headers) {
        if (over) return;
        begun = true;
        silence.touch();
        sink.head(status, headers);
      },
      body(chunk) {
        if (over) return true;
        silence.touch();
        return sink.body(chunk);
      },
      end() {
        if (over) return;
        over = true;
        silence.stop();
        sink.end();
      },
      error() {
        if (begun) fail('upstream_cut', 'The upstream cut the connection in mid-answer', 'upstream');
        else fail('upstream_closed', 'The upstream closed the connection without an answer', 'upstream');
      },
    },
  );
  return {
    abort() {
      over = true;
      silence.stop();
      call.abort();
    },
    resume: () => call.resume(),
  };
};
