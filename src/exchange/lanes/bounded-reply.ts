import { type Emit, GatewayError, gatewayFault, type ReplyEvent } from '../../ir/index.ts';
import type { StreamDecoder } from '../../protocols/protocol.ts';

/** Characters of one streamed reply, with what its parts take besides: whoever tells all of it again at the end holds it until then. */
const MAX_REPLY = 128 * 1024 * 1024;
/** Characters of frames that told nothing: parts that wait for their turn, sound that is told whole. */
const MAX_SILENT = 64 * 1024 * 1024;
/** What a part takes besides its text. */
const PART = 256;

const tooLong = (): GatewayError =>
  new GatewayError(gatewayFault('upstream', 'The upstream sent a longer reply than can be kept', { code: 'upstream_too_long' }));

/** About what an event takes where it is kept. */
function weightOf(event: ReplyEvent): number {
  switch (event.type) {
    case 'part-delta':
      return event.text.length;
    case 'part-start':
      return JSON.stringify(event.part).length + PART;
    case 'part-note':
      return JSON.stringify(event).length;
    case 'part-end':
      return event.seal || event.native ? JSON.stringify(event).length : 0;
    default:
      return 0;
  }
}

/** A decoder of a stream that may have no end: throws `GatewayError` once more has come than can be held, by itself or by who is told. */
export function boundedDecoder(decoder: StreamDecoder): StreamDecoder {
  let emit: Emit = () => {};
  let said = 0;
  let silent = 0;
  let hasTold = false;
  const tell: Emit = (event) => {
    hasTold = true;
    said += weightOf(event);
    if (said > MAX_REPLY) throw tooLong();
    emit(event);
  };
  return {
    frame(frame, to) {
      emit = to;
      hasTold = false;
      decoder.frame(frame, tell);
      if (hasTold) return;
      silent += frame.data.length;
      if (silent > MAX_SILENT) throw tooLong();
    },
    end(to, cut) {
      emit = to;
      decoder.end(tell, cut);
    },
    isDone: () => decoder.isDone(),
  };
}
