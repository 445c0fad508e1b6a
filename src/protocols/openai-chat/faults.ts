import type { Fault } from '../../ir/index.ts';
import { errorOf } from '../openai-error.ts';
import type { WriteFrame } from '../protocol.ts';

/** An error in a stream that has begun: SDKs raise on a chunk with `error`. Nothing follows it, not even `[DONE]`. */
export function faultFrame(fault: Fault, _requestId: string, write: WriteFrame): void {
  write(JSON.stringify({ error: errorOf(fault) }));
}
