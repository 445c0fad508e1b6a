import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CutWire, type Recorded, recordedStream } from '../corpus/cut-wires.ts';
import { type Ending, type EndingsStage, setEndingsStage } from '../corpus/endings.ts';
import { PROTOCOLS } from '../corpus/replay.ts';
import { FAMILIES } from '../fakes/fault-families.ts';
import { fixtures } from './fixtures.ts';

let stage: EndingsStage;
beforeAll(async () => {
  stage = await setEndingsStage();
});
afterAll(async () => {
  expect(stage.server.defects).toEqual([]);
  await stage.close();
});

const isBad = ({ wrong, uncounted }: Ending): boolean => wrong !== undefined || uncounted !== undefined;

/** Cuts it at every event in every way; gives what was wrong. */
async function badEndings(recorded: Recorded, client: string): Promise<readonly Ending[]> {
  const places = stage.placesOf(recorded);
  const bad: Ending[] = [];
  let endings = 0;
  for await (const ending of stage.cut(recorded, places, undefined, client)) {
    endings++;
    if (isBad(ending)) bad.push(ending);
  }
  expect(endings).toBe(places.length * 4);
  return bad;
}

const OTHERS: readonly (readonly [family: string, wire: CutWire, clients: readonly string[]])[] = [
  ['completions, as they are, streamed', 'openai-completions', ['openai-completions']],
  ['transcription, streamed', 'transcription', ['transcription']],
  ['openai-chat, over Converse, streamed', 'bedrock-converse', PROTOCOLS],
];

describe.each(OTHERS)('%s, cut at every event in every way', (family, wire, clients) => {
  const pieces = FAMILIES.find(({ name }) => name === family)?.pieces ?? [];
  it.each(clients)('to the SDK of %s: raises, has told how the truth begins, and is counted', async (client) => {
    expect(pieces.length).toBeGreaterThan(2);
    expect(await badEndings({ wire, events: pieces.map((piece) => Buffer.from(piece)) }, client)).toEqual([]);
  });
});

describe.each(fixtures())('$protocol/$name, cut at every event in every way', ({ protocol, stream }) => {
  it.each(PROTOCOLS)('to the SDK of %s: raises, has told how the truth begins, and is counted', async (client) => {
    expect(await badEndings(recordedStream(protocol, stream), client)).toEqual([]);
  });
});
