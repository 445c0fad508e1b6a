import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CUT_WIRES, type CutWire, type Recorded, recordedStream } from './cut-wires.ts';
import { isCall } from './recorded-reply.ts';
import { FOLDERS, type Recording, recordings } from './recordings.ts';
import { codecOf, decodeFrames, framesOf } from './replay.ts';

const known = JSON.parse(readFileSync(join(import.meta.dirname, 'known-failures.json'), 'utf8')) as Record<string, string>;

/** A recorded stream and what it is called. */
export interface Named {
  readonly id: string;
  readonly stream: Recorded;
}

/** Where streams of other endpoints and wires are recorded. */
const OTHERS: readonly (readonly [folder: string, endpoint: string, wire: CutWire])[] = [
  ['completions', 'completions', 'openai-completions'],
  ['audio', 'audio.transcriptions', 'transcription'],
  ['other', 'bedrock.converse-stream', 'bedrock-converse'],
];

const bytesOf = ({ response: { sse, bodyBase64 } }: Recording): Buffer =>
  sse ? Buffer.from(sse.join('')) : Buffer.from(bodyBase64 ?? '', 'base64');

function* otherStreams(corpus: string): Iterable<Named> {
  for (const [folder, endpoint, wire] of OTHERS) {
    for (const recording of recordings(corpus, folder)) {
      if (recording.endpoint !== endpoint || !recording.stream || recording.response.status >= 300) continue;
      const stream = recordedStream(wire, bytesOf(recording));
      if (CUT_WIRES[wire].isOver(stream.events)) yield { id: recording.id, stream };
    }
  }
}

/** All recorded streams of a corpus that end well. */
export function* recordedStreams(corpus: string): Iterable<Named> {
  yield* otherStreams(corpus);
  for (const [folder, protocol] of FOLDERS) {
    const codec = codecOf(protocol);
    for (const recording of recordings(corpus, folder)) {
      const { sse, status } = recording.response;
      if (!sse || status >= 300 || !isCall(recording) || known[recording.id] !== undefined) continue;
      const text = sse.join('');
      if (decodeFrames(codec, framesOf(Buffer.from(text))).at(-1)?.type === 'reply-end') {
        yield { id: recording.id, stream: recordedStream(protocol, text) };
      }
    }
  }
}
