// Every recorded stream cut at every event, in every way, and read by the official SDK of every protocol.
import { type Ending, recordedStream, setEndingsStage } from '../corpus/endings.ts';
import { recordedStreams, type Named } from '../corpus/recorded-streams.ts';
import { corpusFolder } from '../corpus/recordings.ts';
import { PROTOCOLS } from '../corpus/replay.ts';
import { fixtures } from '../laws/fixtures.ts';
import { type Measured, pairName, type Part } from './part.ts';

interface Found {
  cuts: number;
  wrong: number;
  uncounted: number;
  example?: string;
}

function* allStreams(): Iterable<Named> {
  for (const { protocol, name, stream } of fixtures()) yield { id: name, stream: recordedStream(protocol, stream.toString()) };
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
async function* endingRows(most: number): AsyncIterable<Measured> {
  const stage = await setEndingsStage();
  const pairs = new Map<string, Found>();
  for (const client of PROTOCOLS)
    for (const upstream of PROTOCOLS) pairs.set(pairName(client, upstream), { cuts: 0, wrong: 0, uncounted: 0 });
  try {
    for (const { id, stream } of allStreams()) {
      const all = stage.placesOf(stream);
      const step = Math.max(1, all.length / most);
      const places = all.filter((_, at) => Math.floor(at / step) !== Math.floor((at - 1) / step));
      for await (const ending of stage.cut(stream, places)) {
        const found = pairs.get(pairName(ending.client, stream.protocol));
        if (found) note(found, id, ending);
      }
    }
  } finally {
    await stage.close();
  }
  const defects = stage.server.defects.length;
  for (const [about, { cuts, wrong, uncounted, example }] of pairs) {
    const detail = example === undefined ? {} : { detail: example };
    yield { promise: 'streams.sdk', about, value: wrong, many: cuts, isKept: wrong === 0 && defects === 0, ...detail };
    yield { promise: 'streams.counted', about, value: uncounted, many: cuts, isKept: uncounted === 0 };
  }
}

export const endings: Part = { name: 'endings', rows: ({ cuts }) => endingRows(cuts) };
