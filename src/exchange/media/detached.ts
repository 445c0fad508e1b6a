import { GatewayError, gatewayFault, isObject, type JsonObject, kindOfStatus, parseObject } from '../../ir/index.ts';
import type { ClientSink } from '../client-sink.ts';
import type { ExchangePorts } from '../exchange.ts';
import { type MediaCall, type MediaContext, runMedia } from './media-exchange.ts';

/** No answer that is kept is larger: images of a large request are not. */
const MAX_BYTES = 256 * 1024 * 1024;

const tooLarge = (): GatewayError =>
  new GatewayError(gatewayFault('upstream', 'The answer is larger than can be kept', { code: 'answer_too_large' }));

/** A client that is not there any more, and for whom the answer is kept. It goes away with the signal. */
class KeepingSink implements ClientSink {
  readonly #signal: AbortSignal;
  readonly #most: number;
  readonly #pieces: Buffer[] = [];
  readonly #gones: (() => void)[] = [];
  #status = 0;
  #bytes = 0;
  #isOver = false;

  constructor(signal: AbortSignal, most: number) {
    this.#signal = signal;
    this.#most = most;
    signal.addEventListener('abort', () => this.#gones.splice(0).forEach((listener) => listener()), { once: true });
  }
  get begun(): boolean {
    return this.#status > 0;
  }
  get closed(): boolean {
    return this.#isOver || this.#signal.aborted;
  }
  /** Throws `GatewayError` where it was too large. */
  answer(): { readonly status: number; readonly text: string } {
    if (this.#bytes > this.#most) throw tooLarge();
    return { status: this.#isOver ? this.#status : 0, text: Buffer.concat(this.#pieces).toString('utf8') };
  }
  begin(status: number): void {
    this.#status = status;
  }
  write(bytes: Buffer | string): boolean {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#most) this.#pieces.length = 0;
    else this.#pieces.push(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
    return true;
  }
  end(bytes?: Buffer | string): void {
    if (bytes !== undefined) this.write(bytes);
    this.#isOver = true;
  }
  abort(): void {
    this.#status = 0;
  }
  onGone(listener: () => void): void {
    if (this.#signal.aborted) listener();
    else this.#gones.push(listener);
  }
  onDrain(): void {
    // It takes all at once.
  }
}

/**
 * Runs a call whose client does not wait for it, as work of a task (`tasks.background`): gives what the client would have been
 * answered. Throws `GatewayError` where that was an error, or larger than all that may be kept (`mostKept`). The call's envelope must be OpenAI's.
 */
export async function runDetached(
  call: MediaCall,
  ports: ExchangePorts,
  signal: AbortSignal,
  work: (context: MediaContext) => Promise<void>,
  mostKept: number,
): Promise<JsonObject> {
  const sink = new KeepingSink(signal, Math.min(MAX_BYTES, mostKept));
  await runMedia(call, sink, ports, work);
  const { status, text } = sink.answer();
  const body = parseObject(text) ?? {};
  if (status >= 200 && status < 300) return body;
  const error = isObject(body['error']) ? body['error'] : {};
  const { message, code } = error;
  const said = typeof message === 'string' ? message : 'The task ended before it was complete';
  throw new GatewayError(
    gatewayFault(status === 0 ? 'internal' : kindOfStatus(status), said, { code: typeof code === 'string' ? code : 'task_failed' }),
  );
}
