// Recorded streams that break, behind the official SDKs: one place of each stream, in each way in turn, for every client. All places of
// all streams: npm run test:stress -- --only endings.
import { type Ending, setEndingsStage } from './endings.ts';
import { WAYS } from './cut-upstream.ts';
import { recordedStreams } from './recorded-streams.ts';
import { corpusFolder } from './recordings.ts';

const MOST_MS = 60_000;

const corpus = corpusFolder();
if (corpus === undefined) console.log('endings: skipped (no corpus folder; set PAILOU_CORPUS)');
else {
  const stage = await setEndingsStage();
  const began = performance.now();
  const bad: string[] = [];
  let streams = 0;
  let cuts = 0;
  for (const { id, stream } of recordedStreams(corpus)) {
    if (performance.now() - began > MOST_MS) break;
    const places = stage.placesOf(stream);
    // Primes to each other: over all streams each way meets early and late places.
    const place = places[(streams * 7) % places.length];
    const way = WAYS[streams % WAYS.length];
    streams++;
    if (place === undefined || way === undefined) continue;
    for await (const ending of stage.cut(stream, [place], [way])) {
      cuts++;
      if (ending.wrong !== undefined || ending.uncounted !== undefined) bad.push(`${id} ${describe(ending)}`);
    }
  }
  for (const why of bad) console.log(why);
  for (const defect of stage.server.defects) console.log('defect:', defect);
  await stage.close();
  const failed = bad.length + stage.server.defects.length;
  console.log(`endings: ${cuts} cuts of ${streams} streams`);
  console.log(`endings on the corpus: ${cuts - bad.length} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

function describe({ client, after, way, wrong, uncounted }: Ending): string {
  return `${way} after ${after} → ${client}: ${wrong ?? uncounted ?? ''}`;
}
