import { type Emit, type Fault, gatewayFault, parseObject } from '../../ir/index.ts';
import type { SseFrame } from '../../wire/sse.ts';
import type { SourceContext, StreamDecoder } from '../protocol.ts';
import { createChunkReader } from './chunk-reader.ts';
import { createChunkTemplate } from './chunk-template.ts';
import { decodeErrorObject, isError } from './faults.ts';

const earlyEnd = (): Fault =>
  gatewayFault('upstream', 'The upstream ended its stream before the answer was complete', { code: 'stream_ended_early', by: 'upstream' });

const malformed = (): Fault =>
  gatewayFault('upstream', 'The upstream sent a chunk that is not JSON', { code: 'upstream_malformed', by: 'upstream' });

/**
 * Reads a stream of `GenerateContentResponse`s. The dialect has no last word, and chunks may follow the finish reason: the
 * end is told when the bytes have ended.
 */
export function createStreamDecoder(context: SourceContext): StreamDecoder {
  let emit: Emit = () => {};
  const reader = createChunkReader(context, (event) => emit(event));
  const template = createChunkTemplate();
  let done = false;

  function fail(fault: Fault): void {
    done = true;
    reader.fail(fault);
  }

  return {
    isDone: () => done,
    frame(frame: SseFrame, to: Emit) {
      // Some servers of this wire close with OpenAI's last word.
      if (done || frame.data === '' || frame.data === '[DONE]') return;
      emit = to;
      const found = reader.isFlowing() ? template.match(frame.data) : undefined;
      if (found) {
        reader.plain(found);
        return;
      }
      const value = parseObject(frame.data);
      if (!value) fail(malformed());
      else if (isError(value)) fail(decodeErrorObject(value));
      else {
        reader.chunk(value);
        template.learn(frame.data, value);
      }
    },
    end(to: Emit, cut?: Fault) {
      if (done) return;
      emit = to;
      if (cut || !reader.isFinished()) fail(cut ?? earlyEnd());
      else {
        done = true;
        reader.end();
      }
    },
  };
}
