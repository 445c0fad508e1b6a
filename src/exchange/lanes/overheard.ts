import { type Emit, parseObject, unfold } from '../../ir/index.ts';
import type { SourceContext } from '../../protocols/protocol.ts';
import { createSseReader } from '../../wire/sse.ts';
import { boundedDecoder } from './bounded-reply.ts';
import { headerOf, type Lane, type LaneContext } from './lane.ts';

/** A whole reply longer than this is not read. */
const MAX_WHOLE_BYTES = 8 * 1024 * 1024;

/** Reads what passes, and changes nothing of it. */
interface Ear {
  hear(bytes: Buffer): void;
  end(): void;
}

function streamEar({ target }: LaneContext, source: SourceContext, emit: Emit): Ear {
  const reader = createSseReader();
  const decoder = boundedDecoder(target.codec.streamDecoder(source));
  let over = false;
  const close = (): void => {
    if (!over) decoder.end(emit);
    over = true;
  };
  return {
    hear(bytes) {
      if (over) return;
      reader.push(bytes, (frame) => decoder.frame(frame, emit));
      // Before the client reads the last word: its next turn may come at once.
      if (decoder.isDone()) close();
    },
    end: close,
  };
}

function wholeEar({ target }: LaneContext, source: SourceContext, emit: Emit): Ear {
  const pieces: Buffer[] = [];
  let bytes = 0;
  return {
    hear(piece) {
      bytes += piece.length;
      if (bytes <= MAX_WHOLE_BYTES) pieces.push(piece);
    },
    end() {
      const body = bytes <= MAX_WHOLE_BYTES ? parseObject(Buffer.concat(pieces).toString('utf8')) : undefined;
      if (body) unfold(target.codec.decodeReply(body, source), emit);
    },
  };
}

/** A lane whose successful answers are read beside it. What cannot be read is left alone: the lane itself says what is wrong with it. */
export function overheard(lane: Lane, context: LaneContext, emit: Emit): Lane {
  const source: SourceContext = { maker: context.target.provider.maker, newId: context.newId };
  let ear: Ear | undefined;
  const listen = (work: (ear: Ear) => void): void => {
    if (!ear) return;
    try {
      work(ear);
    } catch {
      ear = undefined;
    }
  };
  return {
    head(status, headers) {
      const isPlain = status < 300 && headerOf(headers, 'content-encoding') === '';
      const isStream = headerOf(headers, 'content-type').toLowerCase().startsWith('text/event-stream');
      if (isPlain) ear = (isStream ? streamEar : wholeEar)(context, source, emit);
      lane.head(status, headers);
    },
    body(bytes) {
      listen((one) => one.hear(bytes));
      return lane.body(bytes);
    },
    end() {
      listen((one) => one.end());
      lane.end();
    },
    fail: (fault) => lane.fail(fault),
    soFar: () => lane.soFar(),
  };
}
