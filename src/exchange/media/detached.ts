import { GatewayError, gatewayFault, isObject, type JsonObject, kindOfStatus, parseObject } from '../../ir/index.ts';
import type { ClientSink } from '../client-sink.ts';
import type { ExchangePorts } from '../exchange.ts';
import { type MediaCall, type MediaContext, runMedia } from './media-exchange.ts';

/** A client that is not there any more, and for whom the answer is kept. It goes away with the signal. */
function keepingSink(signal: AbortSignal): { readonly sink: ClientSink; answer(): { readonly status: number; readonly text: string } } {
  const pieces: Buffer[] = [];
  const gones: (() => void)[] = [];
  let status = 0;
  let isOver = false;
  const take = (bytes: Buffer | string | undefined): void => {
    if (bytes !== undefined) pieces.push(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
  };
  signal.addEventListener('abort', () => gones.splice(0).forEach((listener) => listener()), { once: true });
  return {
    answer: () => ({ status: isOver ? status : 0, text: Buffer.concat(pieces).toString('utf8') }),
    sink: {
      get begun() {
        return status > 0;
      },
      get closed() {
        return isOver || signal.aborted;
      },
      begin: (code) => void (status = code),
      write(bytes) {
        take(bytes);
        return true;
      },
      end(bytes) {
        take(bytes);
        isOver = true;
      },
      abort: () => void (status = 0),
      onGone(listener) {
        if (signal.aborted) listener();
        else gones.push(listener);
      },
      onDrain: () => undefined,
    },
  };
}

/**
 * Runs a call whose client does not wait for it, as work of a task (`tasks.background`): gives what the client would have been
 * answered. Throws `GatewayError` where that was an error. The call's envelope must be OpenAI's.
 */
export async function runDetached(
  call: MediaCall,
  ports: ExchangePorts,
  signal: AbortSignal,
  work: (context: MediaContext) => Promise<void>,
): Promise<JsonObject> {
  const { sink, answer } = keepingSink(signal);
  await runMedia(call, sink, ports, work);
  const { status, text } = answer();
  const body = parseObject(text) ?? {};
  if (status >= 200 && status < 300) return body;
  const error = isObject(body['error']) ? body['error'] : {};
  const { message, code } = error;
  const said = typeof message === 'string' ? message : 'The task ended before it was complete';
  throw new GatewayError(
    gatewayFault(status === 0 ? 'internal' : kindOfStatus(status), said, { code: typeof code === 'string' ? code : 'task_failed' }),
  );
}
