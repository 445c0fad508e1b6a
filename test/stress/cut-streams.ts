// Cuts a share of the recorded streams at every event, in every way, and has the official SDK of every protocol read what is left:
// `fork('cut-streams.ts', [MOST, SHARE, SHARES])`, one message with what was found.
import { recordedStream } from '../corpus/cut-wires.ts';
import { type Ending, setEndingsStage } from '../corpus/endings.ts';
import { recordedStreams, type Named } from '../corpus/recorded-streams.ts';
import { corpusFolder } from '../corpus/recordings.ts';
import { fixtures } from '../laws/fixtures.ts';
import { pairName } from './part.ts';

/** What became of the cut streams of one pair of protocols. */
export interface Found {
  cuts: number;
  wrong: number;
  uncounted: number;
  example?: string;
}

/** What one process found. */
export interface FoundShare {
  readonly pairs: readonly (readonly [pair: string, found: Found])[];
  readonly defects: number;
}

function* allStreams(): Iterable<Named> {
  for (const { protocol, name, stream } of fixtures()) yield { id: name, stream: recordedStream(protocol, stream) };
  const corpus = corpusFolder();
  if (corpus !== undefined) yield* recordedStreams(corpus);
}

function note(found: Found, id: string, { after, way, wrong, uncounted }: Ending): void {
  found.cuts++;
  if (wrong !== undefined) found.wrong++;
  if (uncounted !== undefined) found.uncounted++;
  const why = wrong ?? uncounted;
  if (why !== undefined) found.example ??= `${id}, ${way} after ${after}: ${why}`;
}

/** `most`: places of each stream at most, spread over it. */
async function cutShare(most: number, share: number, shares: number): Promise<FoundShare> {
  const stage = await setEndingsStage();
  const pairs = new Map<string, Found>();
  try {
    let number = 0;
    for (const { id, stream } of allStreams()) {
      if (number++ % shares !== share) continue;
      const all = stage.placesOf(stream);
      const step = Math.max(1, all.length / most);
      const places = all.filter((_, at) => Math.floor(at / step) !== Math.floor((at - 1) / step));
      for await (const ending of stage.cut(stream, places)) {
        const pair = pairName(ending.client, stream.wire);
        const found = pairs.get(pair) ?? { cuts: 0, wrong: 0, uncounted: 0 };
        pairs.set(pair, found);
        note(found, id, ending);
      }
    }
  } finally {
    await stage.close();
  }
  return { pairs: [...pairs], defects: stage.server.defects.length };
}

const [most = 1, share = 0, shares = 1] = process.argv.slice(2).map(Number);
process.send?.(await cutShare(most, share, shares));
process.disconnect();
