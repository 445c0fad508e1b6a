import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ending, type EndingsStage, recordedStream, setEndingsStage } from '../corpus/endings.ts';
import { PROTOCOLS } from '../corpus/replay.ts';
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

describe.each(fixtures())('$protocol/$name, cut at every event in every way', ({ protocol, stream }) => {
  it.each(PROTOCOLS)('to the SDK of %s: raises, has told how the truth begins, and is counted', async (client) => {
    const recorded = recordedStream(protocol, stream.toString());
    const places = stage.placesOf(recorded);
    const bad: Ending[] = [];
    let endings = 0;
    for await (const ending of stage.cut(recorded, places, undefined, [client])) {
      endings++;
      if (isBad(ending)) bad.push(ending);
    }
    expect(bad).toEqual([]);
    expect(endings).toBe(places.length * 4);
  });
});
