import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Recorded } from './cut-upstream.ts';
import { recordedStream } from './endings.ts';
import { isCall } from './recorded-reply.ts';
import { FOLDERS, recordings } from './recordings.ts';
import { codecOf, decodeFrames, framesOf } from './replay.ts';

const known = JSON.parse(readFileSync(join(import.meta.dirname, 'known-failures.json'), 'utf8')) as Record<string, string>;

/** A recorded stream and what it is called. */
export interface Named {
  readonly id: string;
  readonly stream: Recorded;
}

/** All recorded streams of a corpus that end well. */
export function* recordedStreams(corpus: string): Iterable<Named> {
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
